"""A study on a real SQLite database, opened as a new process would, and trials that complete."""

import functools
import tempfile
from pathlib import Path

import optuna

from experiments.experiment import Experiment
from search.optuna_storage import open_storage
from search.records import TrialRecord
from search.study import Study
from tests.search.samples import error_of, experiment, result

SEED = 11


@functools.cache
def _empty_database() -> bytes:
    """A database with its tables; creating them takes longer than most tests."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "optuna.db"
        storage = open_storage(f"sqlite:///{path}", Path(place) / "schema.lock")
        assert isinstance(storage, optuna.storages.RDBStorage)
        storage.engine.dispose()
        return path.read_bytes()


def open_study(
    place: Path,
    what: Experiment | None = None,
    sampler: str = "random",
    pruner: str = "none",
    seed: int = SEED,
) -> Study:
    """Open the study as a new process would, reconciled."""
    if not (place / "optuna.db").exists():
        (place / "optuna.db").write_bytes(_empty_database())
    storage = open_storage(f"sqlite:///{place}/optuna.db", place / "schema.lock")
    study = Study(storage, "tiny", what or experiment(), seed, sampler, pruner)
    study.hold_to({"window": 24})
    study.reconcile()
    return study


def complete(study: Study, trials: int) -> list[TrialRecord]:
    """Ask for and complete `trials` more trials, one at a time."""
    told = []
    for _ in range(trials):
        asked = study.ask()
        told.append(study.tell(asked.number, result(error_of(asked.flat))))
    return told
