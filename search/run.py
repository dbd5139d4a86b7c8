"""`python -m search.run`: search, log everything, resume.

Standard output gets the result, standard error the progress. Exit codes: 0 done, 1 refused or
failed, 2 wrong input, 130 or 143 interrupted.
"""

import json
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
from search.tuning.factory import missing_packages

if TYPE_CHECKING:
    from experiments.experiment import Experiment
    from search.common.drawing import Drawing
    from search.engine.session import Ended
    from search.training.pool import Crew

_DATA_OPTIONS = {
    "time": "source.time",
    "target": "source.target",
    "features": "source.features",
    "unit": "source.unit",
    "tz": "source.tz",
    "date_format": "source.date_format",
    "gaps": "source.gaps",
    "max_gap": "source.max_gap",
    "resample": "source.resample",
    "start": "source.start",
    "end": "source.end",
}
_OTHER_OPTIONS = {
    "window": "framing.window",
    "horizon": "framing.horizon",
    "trials": "trials",
    "epochs": "epochs",
    "seed": "seed",
}


_positive = click.IntRange(min=1)
_seconds = click.FloatRange(min=0, min_open=True)


@click.command(context_settings={"max_content_width": 100})
@click.option("--trials", type=_positive, help="Total of finished trials; resumes up to it.")
@click.option(
    "--experiment",
    "experiment_name",
    type=click.Choice(list(CATALOGUE)),
    default=next(iter(CATALOGUE)),
    show_default=True,
    help="What is tried.",
)
@click.option("--study", help="Name of the study.  [default: the experiment's, with the file's]")
@click.option("--data", type=click.Path(path_type=Path), help="Hourly CSV instead of the built-in.")
@click.option("--time", help="Column of the timestamps.  [default: Date]")
@click.option("--target", help="Column to forecast.  [default: Usage]")
@click.option(
    "--features",
    callback=commands.names,
    help="Other input columns, with commas; '' for none.  [default: Temperature]",
)
@click.option("--unit", help="Unit of the target.")
@click.option("--tz", help="Time zone of the file's clock, such as Europe/Berlin.")
@click.option("--date-format", help="How dates are written, such as %d.%m.%Y %H:%M.")
@click.option("--gaps", type=click.Choice(["error", "interpolate"]), help="Missing hours.")
@click.option("--max-gap", type=_positive, help="Longest gap, in hours, that is interpolated.")
@click.option("--resample", type=click.Choice(["mean"]), help="Make finer data hourly.")
@click.option("--start", help="First day used, such as 2014-04-01.")
@click.option("--end", help="Last day used.")
@click.option("--horizon", type=click.IntRange(1, 168), help="Hours forecast at once.")
@click.option("--window", type=_positive, help="Hours the network sees.")
@click.option(
    "--sampler",
    type=click.Choice(list(dict.fromkeys(name for names in SAMPLERS.values() for name in names))),
    help="How points are drawn.  [default: tpe; of keras-tuner: bayesian]",
)
@click.option(
    "--pruner",
    type=click.Choice(list(PRUNERS[OPTUNA])),
    help="How hopeless trials are stopped.  [default: median; of keras-tuner: none]",
)
@click.option(
    "--tuner",
    type=click.Choice(list(SAMPLERS)),
    default=OPTUNA,
    show_default=True,
    help="Library that draws.",
)
@click.option("--workers", type=_positive, help="Trials at once.  [default: one a GPU or core]")
@click.option("--workers-per-gpu", type=_positive, help="Trials at once on each GPU.  [default: 1]")
@click.option("--cluster", help="Train on a Ray cluster: auto, or HOST:PORT of its head.")
@click.option("--epochs", type=_positive, help="Most epochs of a trial.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Study seed.")
@click.option("--seeds", type=_positive, help="Seeds per design of a designed experiment.")
@click.option(
    "--until-decided",
    is_flag=True,
    help="Add seeds to the designs of claims that are open; --seeds is then the most.",
)
@click.option("--timeout", type=_seconds, help="Begin no trial after so many seconds.")
@click.option("--trial-timeout", type=_seconds, help="Kill a trial after so many seconds.")
@click.option("--storage", help="URL of the study database.  [default: mlruns/optuna.db]")
@click.option("--tracking-uri", help="MLflow store.  [default: mlruns/mlflow.db]")
@click.option("--dry-run", is_flag=True, help="Check the data, print the plan, train nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--quiet", is_flag=True, help="No progress.")
def main(**options: Any) -> None:
    """Search stacked LSTMs, log every trial to MLflow; run again to resume."""
    # Interrupted later, a study ends by itself.
    early = f"Interrupted before the first trial.\nResume: {_command_line()}"
    sys.exit(commands.exit_code(lambda: _run(options), early))


def _run(options: dict[str, Any]) -> int:
    from search.common.stores import check_name, choose_stores
    from search.engine.plan import default_name, make_plan, plan_lines

    drawing = choose(options["tuner"], options["sampler"], options["pruner"])
    _need_packages(drawing)
    stores = choose_stores(options["storage"], options["tracking_uri"])
    experiment = _experiment(options)
    name = check_name("--study", options["study"] or default_name(experiment))
    plan = make_plan(experiment, drawing)
    crew = _crew(options)
    lines = [
        *plan.report.lines(),
        "",
        *plan_lines(plan, name, crew.workers, crew.gpus, crew.cluster),
    ]
    lines += [f"warning: {line}" for line in stores.warnings]
    # It imports Optuna, and bad input should be refused before that.
    from search.engine.session import foresee, run_study

    if options["dry_run"]:
        foresee(plan, name, stores)
        if options["as_json"]:
            shown = {"study": name, "trials": experiment.trials, "workers": crew.workers}
            _print_json(shown | {"data": plan.report.as_dict(), "contract": plan.contract})
        else:
            click.echo("\n".join(lines))
        return DONE
    if not options["quiet"]:
        click.echo("\n".join([*lines, ""]), err=True)
    if options["until_decided"]:
        from search.engine.until_decided import run_until_decided

        return _print(run_until_decided(plan, name, stores, crew, options["quiet"]), options)
    return _print(run_study(plan, name, stores, crew, options["quiet"]), options)


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
        raise WrongInput(
            "--workers-per-gpu needs a GPU, and the driver names none; on a CPU give --workers"
        )
    per_gpu = options["workers_per_gpu"] or 1
    workers = options["workers"] or (0 if cluster else default_workers(gpus, per_gpu))
    limits = options["trial_timeout"], options["timeout"]
    return Crew(workers, gpus, *limits, cluster, per_gpu)


def _experiment(options: dict[str, Any]) -> "Experiment":
    from search.engine.plan import OWN_DATA, adapt

    experiment = CATALOGUE[options["experiment_name"]]
    changes: dict[str, object] = {}
    if options["data"] is not None:
        changes |= {**OWN_DATA, "source.path": options["data"]}
    changes |= {
        field: options[name]
        for name, field in (_DATA_OPTIONS | _OTHER_OPTIONS).items()
        if options[name] is not None
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
    return adapt(experiment, changes)


def _seeds_to_decide(experiment: "Experiment", options: dict[str, Any]) -> dict[str, object]:
    from search.results.sequential import MOST_SEEDS

    if not experiment.claims:
        able = ", ".join(name for name, one in CATALOGUE.items() if one.claims)
        raise WrongInput(
            f"--until-decided is for experiments with claims ({able}); {experiment.name!r} has none"
        )
    if options["trials"] is not None:
        raise WrongInput("--until-decided adds seeds, so it takes no --trials: give --seeds")
    seeds = min(options["seeds"] or MOST_SEEDS, MOST_SEEDS)
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
