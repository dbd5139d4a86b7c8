"""A study on a real SQLite database, opened as a new process would, and trials that complete."""

import functools
import tempfile
from pathlib import Path

import optuna
import sqlalchemy as sa

from experiments.experiment import Experiment
from search.common.records import TrialRecord
from search.tuning.keras_tuner_oracle import KerasTunerOracle
from search.tuning.storage import open_storage
from search.tuning.study import Study
from tests.search.samples import error_of, experiment, result

SEED = 11
KERAS_TUNER = "keras-tuner "
# Whether Optuna's sampler draws or an oracle: the name of the one, or of the other after the tuner.
TUNERS = ("random", KERAS_TUNER + "random")
by_default = TUNERS[0]


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
    sampler: str = "",
    pruner: str = "none",
    seed: int = SEED,
) -> Study:
    """Open the study as a new process would, reconciled; KerasTuner draws if the name says so."""
    if not (place / "optuna.db").exists():
        (place / "optuna.db").write_bytes(_empty_database())
    storage = open_storage(f"sqlite:///{place}/optuna.db", place / "schema.lock")
    what = what or experiment()
    sampler = sampler or by_default
    oracle = sampler.removeprefix(KERAS_TUNER) if sampler.startswith(KERAS_TUNER) else ""
    study = Study(storage, "tiny", what, seed, "random" if oracle else sampler, pruner)
    study.hold_to({"window": 24})
    study.reconcile()
    if oracle:
        study.draw_with(KerasTunerOracle(oracle, what.space, what.epochs, place / "project"))
    return study


def complete(study: Study, trials: int) -> list[TrialRecord]:
    """Ask for and complete `trials` more trials, one at a time."""
    told = []
    for _ in range(trials):
        asked = study.ask()
        told.append(study.tell(asked.number, result(error_of(asked.flat))))
    return told


def writing_transactions(engine: sa.Engine) -> list[list[str]]:
    """A list that grows by each transaction that changes rows: its statements that do."""
    transactions: list[list[str]] = []
    begun: list[str] = []

    def said(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.split()[0] in ("INSERT", "UPDATE", "DELETE"):
            begun.append(statement)

    def committed(_connection: object) -> None:
        if begun:
            transactions.append(begun.copy())
        begun.clear()

    sa.event.listen(engine, "before_cursor_execute", said)
    sa.event.listen(engine, "commit", committed)
    return transactions
