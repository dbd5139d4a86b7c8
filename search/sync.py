"""`python -m search.sync`: make MLflow agree with a study's database; nothing is trained.

It creates missing runs again from the study database, writes ends that were not delivered, and ends
attempts that no process runs. The data file is not needed. Exit codes: 0 MLflow has everything,
1 refused or not delivered, 2 wrong input.
"""

import sys
from typing import TYPE_CHECKING

import click

from search.common import commands
from search.common.errors import DONE, REFUSED_OR_FAILED

if TYPE_CHECKING:
    from search.engine.session import Synced


@click.command(context_settings={"max_content_width": 100})
@click.option("--study", required=True, help="Study whose runs to repair.")
@click.option("--storage", help="URL of the study database.  [default: mlruns/optuna.db]")
@click.option("--tracking-uri", help="MLflow store.  [default: mlruns/mlflow.db]")
def main(study: str, storage: str | None, tracking_uri: str | None) -> None:
    """Write to MLflow the runs and results of a study that are missing there."""

    def work() -> int:
        from search.common.stores import check_name, choose_stores

        name, stores = check_name("--study", study), choose_stores(storage, tracking_uri)
        from search.engine.session import sync_study

        synced = sync_study(name, stores, _say)
        done = _done(synced)
        if not synced.delivered:
            _say(
                f"MLflow does not have everything of study {name} yet: {done}. Run it again later."
            )
            return REFUSED_OR_FAILED
        click.echo(f"MLflow has all {synced.attempts} attempts of study {name}: {done}.")
        return DONE

    sys.exit(commands.exit_code(work))


def _done(synced: "Synced") -> str:
    done = f"created {synced.made} missing runs, wrote the end of {synced.ended} attempts"
    if synced.aside:
        done += f", set aside {synced.aside} runs that belong to no attempt of this study"
    if synced.orphans:
        done += f", ended {synced.orphans} attempts that no process was running"
    return done


def _say(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
