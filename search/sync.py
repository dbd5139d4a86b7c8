"""`python -m search.sync`: bring MLflow in line with a study's database; nothing is trained.

Missing runs are made anew from the study database, ends that were not delivered are written, and
attempts that no process runs any more are ended. The data file is not needed. Exit codes: 0 MLflow
has everything, 1 refused or not delivered, 2 wrong input.
"""

import sys
from typing import TYPE_CHECKING, Any

import click

from search.common import commands
from search.common.errors import DONE, REFUSED_OR_FAILED

if TYPE_CHECKING:
    from search.common.stores import Stores
    from search.tuning.kept_studies import KeptStudy

# Seconds that MLflow may take for thousands of trials; one that is away at first is not waited for.
PATIENCE = 3600.0


@click.command(context_settings={"max_content_width": 100})
@click.option("--study", required=True, help="Study whose runs are brought in line.")
@click.option("--storage", help="URL of the study database.  [default: mlruns/optuna.db]")
@click.option("--tracking-uri", help="MLflow store.  [default: mlruns/mlflow.db]")
def main(study: str, storage: str | None, tracking_uri: str | None) -> None:
    """Write to MLflow what a study has and MLflow lacks; again, it does nothing."""

    def work() -> int:
        from search.common.stores import check_name, choose_stores

        name, stores = check_name("--study", study), choose_stores(storage, tracking_uri)
        from search.tuning.storage import refusing_failures

        with refusing_failures():
            return _sync(name, stores)

    sys.exit(commands.exit_code(work))


def _sync(name: str, stores: "Stores") -> int:
    from search.common.records import State
    from search.engine.coordinator import Ending, finish
    from search.engine.facts import facts_of_kept, with_floor
    from search.results.summary import StudySummary
    from search.tracking.mirror import Mirror
    from search.tuning.lock import held
    from search.tuning.storage import open_existing
    from search.tuning.study import Study

    storage = open_existing(stores.storage, stores.schema_lock)
    experiment = _read(storage, name).experiment()
    with held(stores, name):
        study = Study(storage, name, experiment, experiment.seed, "random", "none")
        orphans = study.reconcile(queue=False)
        kept = with_floor(_read(storage, name), _say)
        facts = facts_of_kept(kept, study.identity)
        spool = stores.spool(name, facts.identity)
        mirror = Mirror(stores.tracking, stores.artifacts, stores.tracking_lock, spool, facts, _say)
        mirror.catch_up(kept.records)
        whole = 0 < facts.total <= study.finished
        state = State.COMPLETE if whole else State.INTERRUPTED
        summary = StudySummary(kept.records, study.finished)
        delivered = finish(summary, study, mirror, Ending(state, ""), lambda: 0, PATIENCE)
        made, ended, aside = mirror.written
    done = f"{made} run(s) made anew, the end of {ended} attempt(s) written"
    if aside:
        done += f", {aside} run(s) of attempts that this study does not have set aside"
    if orphans:
        done += f", {len(orphans)} ended that no process runs any more"
    if not delivered:
        _say(f"MLflow does not have everything of study {name} yet: {done}. Run it again later.")
        return REFUSED_OR_FAILED
    click.echo(f"MLflow has all {len(kept.records)} attempts of study {name}: {done}.")
    return DONE


def _read(storage: Any, name: str) -> "KeptStudy":
    from search.tuning.kept_studies import read_study

    return read_study(storage, name)


def _say(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
