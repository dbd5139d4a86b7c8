"""`python -m search.explain`: the way from one network to another, one setting at a time.

Exit codes: 0 done, 1 refused or not ended, 2 wrong input, 130 or 143 interrupted.
"""

import sys
from typing import Any

import click

from search.common import commands
from search.common.errors import DONE

_positive = click.IntRange(min=1)


@click.command(context_settings={"max_content_width": 100})
@click.option("--study", required=True, help="Study that contains both networks.")
@click.option(
    "--from",
    "start",
    default="main2",
    show_default=True,
    help="First network: a design, trial_N or best.",
)
@click.option("--to", "goal", default="best", show_default=True, help="Last network.")
@click.option(
    "--seeds",
    type=click.IntRange(min=2),
    default=3,
    show_default=True,
    help="Paired seeds that measure each step; other seeds choose the steps.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    help="Start no new training after this many seconds.",
)
@click.option(
    "--workers", type=_positive, help="Trainings at the same time.  [default: one per GPU or core]"
)
@click.option("--cluster", help="Train on a Ray cluster: auto, or HOST:PORT of its head.")
@click.option("--storage", help="URL of the study database.  [default: mlruns/optuna.db]")
@click.option("--tracking-uri", help="MLflow store.  [default: mlruns/mlflow.db]")
@click.option("--dry-run", is_flag=True, help="Show what would be trained, and how long it takes.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def main(**options: Any) -> None:
    """Measure what each setting contributes between two networks. Run again to resume."""
    sys.exit(commands.exit_code(lambda: _explain(options), commands.CONTINUES))


def _explain(options: dict[str, Any]) -> int:
    from search.common.stores import check_name, choose_stores
    from search.explain.explanation import Wish, explain
    from search.explain.trainings import Stopped
    from search.results.explanation import explanation_lines
    from search.training.machine import default_workers, find_gpus
    from search.training.pool import Crew

    check_name("--study", options["study"])
    stores = choose_stores(options["storage"], options["tracking_uri"])
    cluster = options["cluster"] or ""
    if cluster:
        commands.need_ray()
    gpus = () if cluster else find_gpus()
    here = 0 if cluster else default_workers(gpus)
    crew = Crew(options["workers"] or here, gpus, None, options["timeout"], cluster)
    places = (options["study"], options["start"], options["goal"], options["seeds"])
    wish = Wish(*places, crew, options["dry_run"], options["quiet"])
    try:
        found = explain(wish, stores, lambda line: click.echo(line, err=True))
    except Stopped as error:
        return commands.ended_early(str(error), error.signum)
    if found is None:
        return DONE
    if options["as_json"]:
        click.echo(found.model_dump_json(indent=2))
    else:
        click.echo("\n".join(explanation_lines(found)))
    return DONE


if __name__ == "__main__":
    main()
