"""`python -m search.run`: search, log everything, resume.

Standard output gets the result, standard error the progress. Exit codes: 0 done, 1 refused or
failed, 2 wrong input, 130 or 143 interrupted.
"""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from experiments.catalogue import CATALOGUE
from search.common import commands
from search.common.drawing import OPTUNA, PRUNERS, SAMPLERS, choose
from search.common.errors import (
    DONE,
    INTERRUPTED,
    REFUSED_OR_FAILED,
    TERMINATED,
    Refused,
    WrongInput,
)
from search.common.reading import chosen, complete, reading_options, with_commands
from search.tuning.factory import missing_packages

if TYPE_CHECKING:
    from data_pipeline.errors import DataError
    from data_pipeline.source import DataSource
    from experiments.experiment import Experiment
    from search.common.drawing import Drawing
    from search.engine.plan import Plan
    from search.engine.session import Ended
    from search.training.pool import Crew

_OTHER_OPTIONS = {
    "window": "framing.window",
    "horizon": "framing.horizon",
    "trials": "trials",
    "epochs": "epochs",
    "seed": "seed",
}


_positive = click.IntRange(min=1)
_seconds = click.FloatRange(min=0, min_open=True)
_file = click.Path(dir_okay=False, path_type=Path)


@click.command(context_settings={"max_content_width": 100})
@click.option(
    "--trials", type=_positive, help="Finished trials in total; a resumed study counts them, too."
)
@click.option(
    "--experiment",
    "experiment_name",
    type=click.Choice(list(CATALOGUE)),
    default=next(iter(CATALOGUE)),
    show_default=True,
    help="What to try.",
)
@click.option("--study", help="Name of the study.  [default: experiment, with file name]")
@click.option("--data", type=click.Path(path_type=Path), help="Meter file.  [default: built-in]")
@reading_options
@click.option("--unit", help="Unit of the target.")
@click.option("--horizon", type=click.IntRange(1, 168), help="Hours to forecast at once.")
@click.option("--window", type=_positive, help="Input hours of the network.")
@click.option(
    "--sampler",
    type=click.Choice(list(dict.fromkeys(name for names in SAMPLERS.values() for name in names))),
    help="How to choose the next point.  [default: tpe; with keras-tuner: bayesian]",
)
@click.option(
    "--pruner",
    type=click.Choice(list(PRUNERS[OPTUNA])),
    help="Rule that stops bad trials early.  [default: median; with keras-tuner: none]",
)
@click.option(
    "--tuner",
    type=click.Choice(list(SAMPLERS)),
    default=OPTUNA,
    show_default=True,
    help="Library that chooses points.",
)
@click.option(
    "--workers", type=_positive, help="Trials at the same time.  [default: one per GPU or core]"
)
@click.option(
    "--workers-per-gpu", type=_positive, help="Trials at the same time on each GPU.  [default: 1]"
)
@click.option("--cluster", help="Train on a Ray cluster: auto, or HOST:PORT of its head.")
@click.option("--epochs", type=_positive, help="Maximum epochs of a trial.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Seed of the study.")
@click.option("--seeds", type=_positive, help="Seeds per design of a designed experiment.")
@click.option(
    "--until-decided",
    is_flag=True,
    help="Add seeds to the designs of undecided claims, up to --seeds.",
)
@click.option("--timeout", type=_seconds, help="Start no new trial after this many seconds.")
@click.option(
    "--trial-timeout", type=_seconds, help="Stop a trial that takes longer than this many seconds."
)
@click.option("--storage", help="URL of the study database.  [default: mlruns/optuna.db]")
@click.option("--tracking-uri", help="MLflow store.  [default: mlruns/mlflow.db]")
@click.option("--dry-run", is_flag=True, help="Check the data and print the plan; train nothing.")
@click.option("--plot", type=_file, help="With --dry-run: draw the series as PNG.")
@click.option("--save", type=_file, help="With --dry-run: write the series as CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def main(**options: Any) -> None:
    """Search stacked LSTMs and log every trial to MLflow. Run the same command to resume."""
    # While it trains, a study ends by itself.
    early = f"Interrupted.\nResume: {_command_line()}"
    sys.exit(commands.exit_code(lambda: _run(options), early))


def _run(options: dict[str, Any]) -> int:
    from data_pipeline.doctor import findings
    from data_pipeline.errors import DataError
    from search.common.stores import check_name, choose_stores
    from search.engine.plan import TooShort, make_plan, plan_lines

    _check_outputs(options)
    drawing = choose(options["tuner"], options["sampler"], options["pruner"])
    _need_packages(drawing)
    stores = choose_stores(options["storage"], options["tracking_uri"])
    experiment = _experiment(options)
    if options["study"]:
        check_name("--study", options["study"])
    try:
        plan = make_plan(experiment, drawing)
    except TooShort as error:
        more = {} if error.window is None else {"window": error.window}
        command = f"\nNext: {complete('search.run', more)}" if more else ""
        raise DataError(f"{error.message}{command}") from error
    except DataError as error:
        raise _with_commands(error, experiment) from error
    crew = _crew(options)
    # They import Optuna, and bad input should be refused before that.
    from search.engine.naming import study_name
    from search.engine.session import as_begun, foresee, run_study
    from search.tracking.client import need_server

    name, told = (options["study"], "") if options["study"] else study_name(plan, stores)
    if options["holidays"] is None:
        plan = as_begun(plan, name, stores)
    lines = [
        *(findings(plan.series, plan.report) if options["dry_run"] else plan.report.lines()),
        "",
        *plan_lines(plan, name, crew.workers, crew.gpus, crew.cluster),
        *filter(None, [told]),
    ]
    lines += [f"warning: {line}" for line in stores.warnings]
    if options["dry_run"]:
        foresee(plan, name, stores)
        _show(plan, options)
        lines.append(f"Next: {complete('search.run', {}, 'dry_run', 'plot', 'save', 'as_json')}")
        if options["as_json"]:
            shown = {"study": name, "trials": experiment.trials, "workers": crew.workers}
            _print_json(shown | {"data": plan.report.as_dict(), "contract": plan.contract})
        else:
            click.echo(commands.for_console("\n".join(lines)))
        return DONE
    if not options["quiet"]:
        click.echo("\n".join([*lines, ""]), err=True)
    need_server(stores.tracking)
    if options["until_decided"]:
        from search.engine.until_decided import run_until_decided

        return _print(run_until_decided(plan, name, stores, crew, options["quiet"]), options)
    return _print(run_study(plan, name, stores, crew, options["quiet"]), options)


def _with_commands(error: "DataError", experiment: "Experiment") -> "DataError":
    """The error with commands that read the file, and whose window its hours suffice for."""
    from data_pipeline.load import load_series
    from search.engine.plan import shorter_window

    def further(source: "DataSource") -> dict[str, object]:
        series, _ = load_series(source)
        window = shorter_window(len(series), experiment.framing)
        return {} if window is None else {"window": window}

    return with_commands(error, experiment.source, further, "search.run")


def _check_outputs(options: dict[str, Any]) -> None:
    for name in ("plot", "save"):
        path = options[name]
        if path is None:
            continue
        if not options["dry_run"]:
            raise WrongInput(f"--{name} shows the data that --dry-run reads: give both")
        if not path.absolute().parent.is_dir():
            raise WrongInput(
                f"--{name} {path}: expected the name of a file in a folder that is there"
            )
    if options["plot"] is not None and options["plot"].suffix.lower() != ".png":
        raise WrongInput(f"--plot {options['plot']}: expected the name of a PNG")


def _show(plan: "Plan", options: dict[str, Any]) -> None:
    """Write the series as it was read, if asked to."""
    from data_pipeline.doctor import save

    if options["save"] is not None:
        save(plan.series, plan.experiment.source.time_name, options["save"])
        click.echo(f"Saved: {options['save']}", err=True)
    if options["plot"] is not None:
        from search.figures import png, readings

        series, report = plan.series, plan.report
        title = f"{series.name}: {series.target_name} as it is read"
        figure = readings(series.local, series.target, report.filled, series.unit, title)
        try:
            options["plot"].write_bytes(png(figure))
        except OSError as error:
            raise Refused(
                f"--plot {options['plot']} cannot be written: {error.strerror}"
            ) from error
        click.echo(f"Drawn: {options['plot']}", err=True)


def _need_packages(drawing: "Drawing") -> None:
    if missing := missing_packages(drawing):
        names = " and ".join(missing)
        raise WrongInput(
            f"--tuner {drawing.tuner} --sampler {drawing.sampler} needs the package {names}, which "
            f"is not installed.\nNext: {commands.python()} -m pip install {' '.join(missing)}, or "
            "give another --sampler or --tuner."
        )


def _crew(options: dict[str, Any]) -> "Crew":
    from search.training.machine import default_workers, find_gpus
    from search.training.pool import Crew

    cluster = options["cluster"] or ""
    if cluster:
        commands.need_ray()
    gpus = () if cluster else find_gpus()
    if options["workers_per_gpu"] and options["workers"]:
        raise WrongInput("--workers says how many in all: give it or --workers-per-gpu, not both")
    if options["workers_per_gpu"] and not gpus and not cluster:
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
        told = "" if hidden is None else f" that CUDA_VISIBLE_DEVICES={hidden} allows"
        raise WrongInput(
            f"--workers-per-gpu needs a GPU, and the driver names none{told}; on a CPU give "
            "--workers"
        )
    per_gpu = options["workers_per_gpu"] or 1
    workers = options["workers"] or (0 if cluster else default_workers(gpus, per_gpu))
    limits = options["trial_timeout"], options["timeout"]
    return Crew(workers, gpus, *limits, cluster, per_gpu)


def _experiment(options: dict[str, Any]) -> "Experiment":
    from search.engine.plan import OWN_DATA, adapt, add_holidays

    experiment = CATALOGUE[options["experiment_name"]]
    changes: dict[str, object] = {}
    if options["data"] is not None:
        changes |= {**OWN_DATA, "source.path": options["data"]}
    changes |= {f"source.{name}": value for name, value in chosen(options).items()}
    if options["unit"] is not None:
        changes["source.unit"] = options["unit"]
    changes |= {
        field: options[name] for name, field in _OTHER_OPTIONS.items() if options[name] is not None
    }
    if options["until_decided"]:
        changes |= _seeds_to_decide(experiment, options)
    elif options["seeds"] is not None:
        if experiment.sampled:
            designed = ", ".join(name for name, one in CATALOGUE.items() if not one.sampled)
            raise WrongInput(
                f"--seeds is for designed experiments ({designed}); experiment "
                f"{experiment.name!r} is searched, and its study seed is --seed"
            )
        total = options["seeds"] * len(experiment.designs)
        changes = {"repeats": options["seeds"], "trials": total} | changes
    adapted = adapt(experiment, changes)
    return add_holidays(adapted) if options["holidays"] is None else adapted


def _seeds_to_decide(experiment: "Experiment", options: dict[str, Any]) -> dict[str, object]:
    if not experiment.claims:
        able = ", ".join(name for name, one in CATALOGUE.items() if one.claims)
        raise WrongInput(
            f"--until-decided is for experiments with claims ({able}); {experiment.name!r} has none"
        )
    if options["trials"] is not None:
        raise WrongInput("--until-decided adds seeds, so it takes no --trials: give --seeds")
    most = max(seeds for claim in experiment.claims for seeds in claim.looks)
    seeds = min(options["seeds"] or most, most)
    return {"repeats": seeds, "trials": seeds * len(experiment.designs)}


def _print(ended: "Ended", options: dict[str, Any]) -> int:
    """Print the result and what to do next; return the exit code."""
    from search.results.claims import claim_lines, claims_json
    from search.results.sentences import end_lines
    from search.results.summary import result_json

    facts, summary, ending = ended.facts, ended.summary, ended.ending
    if options["as_json"]:
        judged = {"claims": claims_json(ended.judged)} if ended.judged else {}
        _print_json(result_json(summary, facts, ending.reason) | judged)
    else:
        ui = commands.module("search.ui", *_given(options, "tracking_uri"))
        places = _given(options, "storage", "tracking_uri")
        promote = commands.module("search.promote", "--study", facts.name, *places)
        lines = end_lines(summary, facts, ui, promote)
        click.echo("\n".join([*claim_lines(ended.judged), *lines]))
    if ending.exhausted:
        raise Refused(ending.reason)
    if summary.finished < facts.total:
        click.echo(f"Ended early: {ending.reason}\nResume: {_command_line()}", err=True)
    if ending.signum is not None:
        return INTERRUPTED if ending.signum == 2 else TERMINATED
    failed = ending.state.value == "failed" or summary.best is None
    return REFUSED_OR_FAILED if failed else DONE


def _given(options: dict[str, Any], *names: str) -> list[str]:
    """The options `names` as they were typed, passwords masked; none for those left out."""
    from search.common.stores import masked

    typed = [("--" + name.replace("_", "-"), options[name]) for name in names]
    return [word for option, value in typed if value for word in (option, masked(value))]


def _command_line() -> str:
    from search.common.stores import masked

    return commands.module("search.run", *(masked(word) for word in sys.argv[1:]))


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, sort_keys=True))


if __name__ == "__main__":
    main()
