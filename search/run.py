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
from search.common.drawing import KERAS_TUNER, OPTUNA, PRUNERS, SAMPLERS, choose
from search.common.errors import (
    DONE,
    INTERRUPTED,
    REFUSED_OR_FAILED,
    TERMINATED,
    Refused,
    WrongInput,
)
from search.common.reading import chosen, complete, reading_options, with_commands
from search.tuning.factory import keras_tuner_oracle, missing_packages

if TYPE_CHECKING:
    from experiments.experiment import Experiment
    from search.common.records import StudyFacts
    from search.common.stores import Stores
    from search.engine.plan import Plan
    from search.tuning.study import Study

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
@click.option(
    "--data", type=click.Path(path_type=Path), help="Meter file instead of the built-in series."
)
@reading_options
@click.option("--unit", help="Unit of the target.")
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
@click.option("--epochs", type=_positive, help="Most epochs of a trial.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Study seed.")
@click.option("--seeds", type=_positive, help="Seeds per design of a designed experiment.")
@click.option("--timeout", type=_seconds, help="Begin no trial after so many seconds.")
@click.option("--trial-timeout", type=_seconds, help="Kill a trial after so many seconds.")
@click.option("--storage", help="URL of the study database.  [default: mlruns/optuna.db]")
@click.option("--tracking-uri", help="MLflow store.  [default: mlruns/mlflow.db]")
@click.option("--dry-run", is_flag=True, help="Check the data, print the plan, train nothing.")
@click.option("--plot", type=_file, help="With --dry-run: draw the series to a PNG.")
@click.option("--save", type=_file, help="With --dry-run: write the series as CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--quiet", is_flag=True, help="No progress.")
def main(**options: Any) -> None:
    """Search stacked LSTMs, log every trial to MLflow; run again to resume."""
    # Interrupted later, a study ends by itself.
    early = f"Interrupted before the first trial.\nResume: {_command_line()}"
    sys.exit(commands.exit_code(lambda: _run(options), early))


def _run(options: dict[str, Any]) -> int:
    from data_pipeline.errors import DataError
    from data_pipeline.load import load_series
    from search.common.stores import check_name, choose_stores
    from search.engine.plan import default_name, make_plan, plan_lines
    from search.training.machine import default_workers, find_gpus

    drawing = choose(options["tuner"], options["sampler"], options["pruner"])
    if missing := missing_packages(drawing):
        names = " and ".join(missing)
        raise WrongInput(
            f"--tuner {drawing.tuner} --sampler {drawing.sampler} needs the package {names}, which "
            f"is not installed.\nNext: {commands.python()} -m pip install {' '.join(missing)}, or "
            "give another --sampler or --tuner."
        )
    stores = choose_stores(options["storage"], options["tracking_uri"])
    experiment = _experiment(options)
    study_name = check_name("--study", options["study"] or default_name(experiment))
    _check_outputs(options)
    try:
        plan = make_plan(experiment, drawing)
    except DataError as error:
        raise with_commands(error, experiment.source, load_series, "search.run") from error
    gpus = find_gpus()
    if options["workers_per_gpu"] and options["workers"]:
        raise WrongInput("--workers says how many in all: give it or --workers-per-gpu, not both")
    if options["workers_per_gpu"] and not gpus:
        raise WrongInput(
            "--workers-per-gpu needs a GPU, and the driver names none; on a CPU give --workers"
        )
    workers = options["workers"] or default_workers(gpus, options["workers_per_gpu"] or 1)
    lines = [*plan.report.lines(), "", *plan_lines(plan, study_name, workers, gpus)]
    if options["dry_run"]:
        _foresee(plan, study_name, stores)
        _show(plan, options)
        lines = _diagnosis(plan, study_name, workers, gpus)
        if options["as_json"]:
            shown = {"study": study_name, "trials": experiment.trials, "workers": workers}
            _print_json(shown | {"data": plan.report.as_dict(), "contract": plan.contract})
        else:
            click.echo("\n".join(lines))
        return DONE
    if not options["quiet"]:
        click.echo("\n".join([*lines, ""]), err=True)
    return _search(plan, study_name, stores, workers, gpus, options)


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


def _diagnosis(plan: "Plan", study_name: str, workers: int, gpus: tuple[int, ...]) -> list[str]:
    from data_pipeline.doctor import findings
    from search.engine.plan import plan_lines

    told = findings(plan.series, plan.report)
    follows = complete("search.run", {}, "dry_run", "plot", "save", "as_json")
    return [*told, "", *plan_lines(plan, study_name, workers, gpus), f"Next: {follows}"]


def _foresee(plan: "Plan", study_name: str, stores: "Stores") -> None:
    """Refuse, before anything is written, what the run would refuse to go on with."""
    from search.common.resume_check import hold
    from search.tuning.kept_studies import kept_contract
    from search.tuning.storage import exists, open_existing, refusing_failures

    if not exists(stores.storage):
        return
    with refusing_failures():
        kept = kept_contract(open_existing(stores.storage, stores.schema_lock), study_name)
    if kept is not None:
        hold(study_name, kept, plan.contract)


def _experiment(options: dict[str, Any]) -> "Experiment":
    from search.engine.plan import OWN_DATA, adapt

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
    if options["seeds"] is not None:
        if experiment.sampled:
            designed = ", ".join(name for name, one in CATALOGUE.items() if not one.sampled)
            raise WrongInput(
                f"--seeds is for designed experiments ({designed}); experiment "
                f"{experiment.name!r} is searched, and its study seed is --seed"
            )
        total = options["seeds"] * len(experiment.designs)
        changes = {"repeats": options["seeds"], "trials": total} | changes
    return adapt(experiment, changes)


def _search(
    plan: "Plan",
    study_name: str,
    stores: "Stores",
    workers: int,
    gpus: tuple[int, ...],
    options: dict[str, Any],
) -> int:
    from search.engine.facts import baselines_of, keep_facts, study_facts
    from search.tuning.keras_tuner_project import claim
    from search.tuning.lock import held
    from search.tuning.storage import open_storage, refusing_failures
    from search.tuning.study import Study

    with refusing_failures(), held(stores, study_name):
        storage = open_storage(stores.storage, stores.schema_lock)
        study = Study(
            storage,
            study_name,
            plan.experiment,
            plan.experiment.seed,
            plan.drawing.sampler if plan.drawing.tuner == OPTUNA else "random",
            plan.drawing.pruner,
        )
        study.hold_to(plan.contract)
        if plan.drawing.tuner == KERAS_TUNER:
            claim(stores.keras_tuner(study_name, study.identity), study_name, study.identity)
        openings = study.recall("openings") or []
        assert isinstance(openings, list)
        baselines = baselines_of(plan, study)
        facts = study_facts(plan, study_name, study.identity, baselines, len(openings))
        keep_facts(plan, study, facts)
        return _coordinate(plan, study, facts, stores, workers, gpus, options)


def _coordinate(
    plan: "Plan",
    study: "Study",
    facts: "StudyFacts",
    stores: "Stores",
    workers: int,
    gpus: tuple[int, ...],
    options: dict[str, Any],
) -> int:
    from search.engine.progress import Progress
    from search.engine.session import conduct
    from search.results.sentences import end_lines
    from search.results.summary import result_json
    from search.training.pool import Crew

    orphans = study.reconcile()
    done = study.finished
    progress = Progress(facts, done, options["quiet"])
    if orphans:
        progress.say(f"{len(orphans)} trial(s) of an earlier run had not ended; queued again.")
    if done >= facts.total:
        progress.say(
            f"Study {study.name} already has {done} finished trials, {facts.total} were asked "
            "for: nothing to do. Ask for more with --trials."
        )
    elif done:
        progress.say(f"Resuming study {study.name} after {done} finished trials.")
    drawn = plan.experiment.sampled and done < facts.total
    if drawn and plan.drawing.tuner == KERAS_TUNER:
        directory = stores.keras_tuner(study.name, study.identity)
        study.draw_with(keras_tuner_oracle(plan.drawing.sampler, plan.experiment, directory))
    crew = Crew(workers, gpus, options["trial_timeout"], options["timeout"])
    summary, ending, _ = conduct(plan, study, facts, stores, crew, progress)
    resume = f"Resume: {_command_line()}"
    if options["as_json"]:
        _print_json(result_json(summary, facts, ending.reason))
    else:
        ui = commands.module("search.ui", *_given(options, "tracking_uri"))
        places = _given(options, "storage", "tracking_uri")
        promote = commands.module("search.promote", "--study", study.name, *places)
        click.echo("\n".join(end_lines(summary, facts, ui, promote)))
    if ending.exhausted:
        raise Refused(ending.reason)
    if summary.finished < facts.total:
        progress.say(f"Ended early: {ending.reason}\n{resume}")
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
