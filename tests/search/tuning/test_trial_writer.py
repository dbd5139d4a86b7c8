"""A trial reaches the database as a whole, or not at all."""

import contextlib
import dataclasses
import datetime as dt
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
import sqlalchemy as sa
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from experiments.experiment import Design
from search.common.errors import Refused
from search.common.records import Cause, Failure, State, TrialResult
from search.tuning import optuna_space, patient_storage
from search.tuning.patient_storage import PatientStorage
from search.tuning.storage import open_storage
from search.tuning.study import Study
from search.tuning.trial_writer import TrialWriter
from tests.search.command import environment
from tests.search.samples import error_of, experiment, result
from tests.search.studies import SEED, open_study, writing_transactions

DIED = Failure(Cause.WORKER_DIED, "its process ended with code -9")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory where there is one: these tests write much and wait for the disk."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as at:
        yield Path(at)


def _written(place: Path) -> list[FrozenTrial]:
    """What a new process reads."""
    return optuna.load_study(study_name="tiny", storage=f"sqlite:///{place}/optuna.db").trials


def _engine(study: Study) -> sa.Engine:
    assert isinstance(study._below, RDBStorage)
    return study._below.engine


def test_a_draw_and_an_end_are_one_transaction_each(place: Path) -> None:
    study = open_study(place)
    writes = writing_transactions(_engine(study))
    for number in range(4):  # two designs that wait, then points that are drawn
        asked = study.ask()
        assert asked.number == number and len(asked.flat) > 5
        assert len(writes) == 1
        writes.clear()
        outcome = DIED if number == 3 else result(error_of(asked.flat))
        study.tell(number, outcome)
        assert len(writes) == (2 if outcome is DIED else 1)  # first another attempt is queued
        writes.clear()


@pytest.fixture
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process's clock is that of the zone that the test asks for."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", ["Asia/Seoul"], indirect=True)
@pytest.mark.usefixtures("zone")
def test_times_are_those_of_the_clock_on_the_wall(place: Path) -> None:
    began = dt.datetime.now()
    study = open_study(place)
    study.tell(study.ask().number, result())
    trial = _written(place)[0]
    assert trial.datetime_start is not None and trial.datetime_complete is not None
    assert began <= trial.datetime_start <= trial.datetime_complete <= dt.datetime.now()


@pytest.mark.parametrize("zone", ["CET-1CEST,M3.5.0,M10.5.0/3"], indirect=True)
@pytest.mark.usefixtures("zone")
def test_a_start_in_the_hour_that_autumn_repeats_stays_as_it_was(place: Path) -> None:
    open_study(place).ask()
    started = "2024-10-27 01:30:00.000000"  # UTC: half past two, for the second time
    with contextlib.closing(sqlite3.connect(place / "optuna.db")) as connection, connection:
        statement = "update trials set datetime_start = ? where number = 0"
        connection.execute(statement, (started,))
    assert open_study(place).records[0].state is State.FAILED
    found = _rows(place, "select datetime_start from trials where number = 0")
    assert found == [(started,)]


def test_a_known_result_is_written_with_its_epochs_in_one_transaction(place: Path) -> None:
    study = open_study(place)
    asked = study.ask()
    writes = writing_transactions(_engine(study))
    study.tell(asked.number, dataclasses.replace(result(), repeat_of=7))
    assert len(writes) == 1
    assert len(_written(place)[asked.number].intermediate_values) == 3


def test_what_is_in_memory_is_what_a_new_process_reads(place: Path) -> None:
    study = open_study(place, sampler="tpe", pruner="median")
    repeat = dataclasses.replace(result(), repeat_of=0)
    outcomes: list[TrialResult | Failure] = [result(0.02), DIED, result(0.03, "pruner"), repeat]
    for outcome in 3 * outcomes:
        asked = study.ask()
        if not (isinstance(outcome, Failure) or outcome.repeat_of is not None):
            for epoch, value in enumerate((0.5, float("inf"), 0.25), start=1):
                study.report(asked.number, epoch, value)
        study.tell(asked.number, outcome)
    study.ask()
    assert study._study.trials == _written(place)
    states = {trial.state for trial in study._study.trials}
    assert states == {
        TrialState.COMPLETE,
        TrialState.PRUNED,
        TrialState.FAIL,
        TrialState.RUNNING,
    }


# Once before each statement and each end of a transaction: kill the process there.
KILLED = """
import os, shutil, signal, sys
from pathlib import Path
import sqlalchemy as sa
from search.tuning.storage import open_storage
from search.tuning.study import Study
from tests.search.samples import experiment, result
place, what, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for left in range(1000):
    at = place / str(left)
    shutil.copytree(place / "begun", at)
    print(at, flush=True)
    if not (child := os.fork()):
        storage = open_storage(f"sqlite:///{at}/optuna.db", at / "schema.lock")
        study = Study(storage, "tiny", experiment(), seed, "random", "none")
        study.reconcile()
        told = study.ask().number if what == "end" else None
        def kill(*_all):
            global left
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
        sa.event.listen(storage.engine, "before_cursor_execute", kill)
        sa.event.listen(storage.engine, "commit", kill)
        study.ask() if told is None else study.tell(told, result(0.02))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status):
        sys.exit(os.WEXITSTATUS(status))
"""


def _killed(place: Path, what: str) -> list[Path]:
    """A study for each moment at which a process was killed that did `what`."""
    (place / "begun").mkdir()
    _engine(open_study(place / "begun")).dispose()
    words = [sys.executable, "-c", KILLED, str(place), what, str(SEED)]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, check=True)
    *killed, _whole = map(Path, done.stdout.splitlines())
    assert len(killed) > 5
    return killed


def _rows(place: Path, query: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(place / "optuna.db")) as connection:
        return connection.execute(query).fetchall()


def test_s2_a_kill_while_a_trial_is_drawn_leaves_none_and_changes_nothing(place: Path) -> None:
    killed = _killed(place, "draw")
    first = open_study(place / "begun").ask()
    for at in killed:
        assert set(_rows(at, "select state from trials")) == {("WAITING",)}
        assert not _rows(at, "select * from trial_params")
    again = open_study(killed[-1]).ask()
    assert (again.number, again.flat, again.seed) == (0, first.flat, first.seed)


def test_s2_a_kill_while_an_end_is_written_leaves_the_attempt_as_it_was(place: Path) -> None:
    killed = _killed(place, "end")
    for at in killed:
        assert _rows(at, "select state from trials where number = 0") == [("RUNNING",)]
        assert not _rows(at, "select * from trial_values")
        assert not _rows(at, "select * from trial_user_attributes where key = 'result'")
    resumed = open_study(killed[-1])
    assert resumed.records[0].state is State.FAILED
    assert [resumed.ask().retry_of for _ in range(2)] == [None, 0]


def test_an_error_while_a_trial_is_drawn_leaves_no_trace(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "another").mkdir()
    undisturbed = open_study(place / "another")
    study = open_study(place)
    for _ in range(4):  # two designs that wait, then points that are drawn
        before = _written(place)
        with monkeypatch.context() as patch:
            patch.setattr("search.tuning.study.seed_of", None)
            with pytest.raises(TypeError, match="not callable"):
                study.ask()
        assert study._study.trials == _written(place) == before
        again, expected = study.ask(), undisturbed.ask()
        assert (again.number, again.flat, again.seed) == (
            expected.number,
            expected.flat,
            expected.seed,
        )


def _once_during_a_draw(patch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> None:
    def suggest(*arguments: Any) -> Any:
        patch.undo()
        meanwhile()
        return optuna_space.suggest(*arguments)

    patch.setattr("search.tuning.study.suggest", suggest)


def test_a_trial_that_another_program_queues_during_a_draw_goes_first(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = open_study(place, experiment(designs=()))
    other = optuna.load_study(study_name="tiny", storage=f"sqlite:///{place}/optuna.db")
    _once_during_a_draw(monkeypatch, lambda: other.enqueue_trial({"layers": 1, "units_1": 3}))
    queued, drawn = study.ask(), study.ask()
    assert (queued.number, queued.flat["layers"], queued.flat["units_1"]) == (0, 1, 3)
    assert drawn.number == 1
    assert study._study.trials == _written(place)


def test_a_waiting_trial_that_another_program_takes_during_a_draw_is_left_to_it(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = open_study(place)
    other = optuna.load_study(study_name="tiny", storage=f"sqlite:///{place}/optuna.db")
    _once_during_a_draw(monkeypatch, other.ask)
    assert study.ask().design == experiment().designs[1].name
    assert study._study.trials == _written(place)
    assert _written(place)[0].params == {}


@pytest.mark.parametrize("when", ["before", "during"])
def test_after_a_point_that_another_program_takes_the_oracle_draws_another(
    place: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    study = open_study(place, experiment(designs=()), "keras-tuner random")
    other = optuna.load_study(study_name="tiny", storage=f"sqlite:///{place}/optuna.db")
    assert study.ready()
    if when == "before":
        other.ask()
    else:
        _once_during_a_draw(monkeypatch, other.ask)
    asked = study.ask()
    taken, drawn = _written(place)
    assert (taken.params, asked.number) == ({}, drawn.number)
    assert drawn.params == asked.flat == drawn.user_attrs["planned"] != taken.user_attrs["planned"]
    assert study._study.trials == [taken, drawn]


def test_s5_a_study_that_others_change_all_the_time_is_refused(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = open_study(place, experiment(designs=()))
    other = optuna.load_study(study_name="tiny", storage=f"sqlite:///{place}/optuna.db")

    def suggest(*arguments: Any) -> Any:
        other.ask()
        return optuna_space.suggest(*arguments)

    monkeypatch.setattr("search.tuning.study.suggest", suggest)
    with pytest.raises(Refused, match="another process writes to the trials"):
        study.ask()
    assert study._study.trials == _written(place)


@pytest.mark.parametrize("designs", [experiment().designs, ()], ids=["queued", "drawn"])
def test_a_study_that_was_deleted_is_refused_and_leaves_nothing_to_the_next(
    place: Path, designs: tuple[Design, ...]
) -> None:
    url = f"sqlite:///{place}/optuna.db"
    unused = open_study(place, experiment(designs=designs))
    optuna.delete_study(study_name="tiny", storage=url)
    with pytest.raises(Refused, match="was deleted from the study database"):
        unused.ask()
    study = open_study(place, experiment(designs=designs))
    told, failed, reported = (study.ask().number for _ in range(3))
    optuna.delete_study(study_name="tiny", storage=url)
    calls: list[Callable[[], object]] = [
        study.ask,
        lambda: study.tell(told, result()),
        lambda: study.tell(failed, DIED),
        lambda: study.report(reported, 1, 0.5),
    ]
    for call in calls:
        with pytest.raises(Refused, match="Next: restore a backup"):
            call()
    assert optuna.create_study(study_name="tiny", storage=url).trials == []


@pytest.mark.parametrize("done", [True, False], ids=["only the answer", "the write"])
def test_s7_what_a_server_lost_is_written_once(
    place: Path, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    open_study(place)
    storage = open_storage(f"sqlite:///{place}/optuna.db", place / "schema.lock")
    assert isinstance(storage, TrialWriter)
    said: list[str] = []
    study = Study(PatientStorage(storage, said.append), "tiny", experiment(), 3, "random", "none")
    study.reconcile()
    write = storage.write_trial

    def lose(*arguments: Any) -> FrozenTrial:
        monkeypatch.setattr(storage, "write_trial", write)
        if done:
            write(*arguments)
        raise sa.exc.OperationalError("COMMIT", None, ConnectionError("gone"))

    monkeypatch.setattr(patient_storage, "PAUSE", 0.0)
    for number in range(3):
        monkeypatch.setattr(storage, "write_trial", lose)
        assert study.ask().number == number
        monkeypatch.setattr(storage, "write_trial", lose)
        study.tell(number, result(0.02))
    assert sum("does not answer" in line for line in said) == 6
    assert study._study.trials == _written(place)
    assert [trial.state for trial in _written(place)] == [TrialState.COMPLETE] * 3


def test_a_parameter_of_another_kind_is_refused_as_by_optuna(place: Path) -> None:
    study = open_study(place, experiment(designs=()))
    study.ask()
    with (
        pytest.raises(ValueError, match="different distribution kind"),
        study._storage.at_once(),
    ):
        study._study.ask().suggest_float("layers", 0, 1)
    assert len(_written(place)) == 1


def test_a_trial_that_has_ended_is_not_changed(place: Path) -> None:
    study = open_study(place)
    number = study.ask().number
    study.tell(number, result())
    trial = _written(place)[number]
    with pytest.raises(optuna.exceptions.UpdateFinishedTrialError), study._storage.at_once():
        study._storage.set_trial_user_attr(trial._trial_id, "late", 1)
    assert study._study.trials == _written(place)
    assert _written(place)[number] == trial
