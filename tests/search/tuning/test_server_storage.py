"""The study database in a real PostgreSQL server: who holds it, and what an end of it does."""

import dataclasses
import math
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from optuna.exceptions import UpdateFinishedTrialError
from optuna.study import StudyDirection
from optuna.trial import TrialState

import search.tuning.postgres_lock
from experiments.experiment import Design
from search.common.errors import Refused
from search.common.records import Cause, Failure, State
from search.common.stores import Stores
from search.tuning import patient_storage
from search.tuning.lock import held
from search.tuning.patient_storage import PatientStorage
from search.tuning.postgres_lock import PostgresLock, holding
from search.tuning.storage import open_storage
from search.tuning.study import Study
from search.tuning.trial_writer import TrialWriter
from tests.search.command import environment
from tests.search.postgres import Server, postgres_server
from tests.search.samples import error_of, experiment, result
from tests.search.studies import complete, writing_transactions


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_server() as running:
        yield running


@pytest.fixture
def stores(server: Server, request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    url = server.make(request.node.name[-60:])
    return Stores(url, f"sqlite:///{tmp_path}/mlflow.db", tmp_path, tmp_path)


def _study(stores: Stores, name: str = "tiny") -> Study:
    storage = open_storage(stores.storage, stores.schema_lock)
    study = Study(storage, name, experiment(), 3, "random", "median")
    study.hold_to({"window": 24})
    study.reconcile()
    return study


HOLD = """
import sys
from search.tuning.postgres_lock import holding
with holding(sys.argv[1], "study 'tiny'"):
    print("held", flush=True)
    sys.stdin.read()
"""
BEGIN = """
import sys
from pathlib import Path
from search.tuning.storage import open_storage
sys.stdin.readline()
open_storage(sys.argv[1], Path("none"))
"""


def _start(code: str, url: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    words = [sys.executable, "-c", code, url]
    return subprocess.Popen(
        words, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment()
    )


def test_s6_simultaneous_first_starts_all_work(stores: Stores) -> None:
    started = [_start(BEGIN, stores.storage) for _ in range(4)]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in started:
        _, said = process.communicate(timeout=100)
        assert process.returncode == 0, said
    assert _study(stores).finished == 0


def test_s5_second_coordinator_is_refused_naming_host_process_and_time(stores: Stores) -> None:
    holder = _start(HOLD, stores.storage)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    with (
        pytest.raises(Refused, match="can have only one coordinator") as refusal,
        held(stores, "tiny"),
    ):
        pass
    text = str(refusal.value)
    assert f"process {holder.pid} on {socket.gethostname()} since 20" in text
    with held(stores, "another"):
        pass
    holder.kill()
    holder.communicate()
    began = time.monotonic()
    while time.monotonic() - began < 10:
        try:
            with held(stores, "tiny"):
                return
        except Refused:
            time.sleep(0.1)
    pytest.fail("the lock of a killed process is still held")


def test_s5_holder_that_lost_its_lock_stops_before_it_writes(
    server: Server, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It does not come back, as behind a cut cable.
    monkeypatch.setattr(PostgresLock, "_watch", lambda lock: None)
    monkeypatch.setattr(search.tuning.postgres_lock, "COMING_BACK", 0.0)
    with held(stores, "tiny"):
        study = _study(stores)
        (told,) = complete(study, 1)
        assert told.state is State.COMPLETE
        running = study.ask()
        # As a cut cable does it: the server drops the holder, which does not know.
        database = stores.storage.rpartition("/")[2]
        server.ask(
            "postgres",
            "select pg_terminate_backend(pid) from pg_stat_activity "
            f"where application_name = 'search' and datname = '{database}'",
        )
        with holding(stores.storage, "study 'tiny'"):
            pass
        with pytest.raises(Refused, match="no longer held by this process"):
            study.report(running.number, 1, 0.5)
        with pytest.raises(Refused, match="nothing was written since"):
            study.tell(running.number, result(error_of(running.flat)))
    states = server.ask(database, "select state from trials order by number")
    assert states[:2] == [("COMPLETE",), ("RUNNING",)]


@pytest.mark.parametrize("where", ["url", "environment"])
def test_s5_the_server_notices_a_cut_cable_as_soon_as_the_client(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    own, url = "-c lock_timeout=7s -c tcp_keepalives_count=4", stores.storage
    if where == "url":
        url += "?" + urlencode({"options": own})
    else:
        monkeypatch.setenv("PGOPTIONS", own)
    storage = open_storage(url, stores.schema_lock)
    assert isinstance(storage, PatientStorage)
    expected = {
        "tcp_keepalives_idle": "5",
        "tcp_keepalives_interval": "2",
        "tcp_keepalives_count": "4",
        "tcp_user_timeout": "11000",
        "lock_timeout": "7s",
    }
    for engine in (storage._plain.engine, PostgresLock(url, "name")._engine):
        with engine.connect() as connection:
            ask = connection.exec_driver_sql
            assert {name: ask(f"show {name}").scalar() for name in expected} == expected


def test_value_of_an_epoch_is_kept_as_optuna_keeps_it(stores: Stores) -> None:
    storage = open_storage(stores.storage, stores.schema_lock)
    study_id = storage.create_new_study([StudyDirection.MINIMIZE], "tiny")
    trial_id = storage.create_new_trial(study_id)
    values = {1: 0.5, 2: math.inf, 3: -math.inf, 4: math.nan}
    for step, value in values.items():
        storage.set_trial_intermediate_value(trial_id, step, 7.0)
        storage.set_trial_intermediate_value(trial_id, step, value)
    assert repr(storage.get_trial(trial_id).intermediate_values) == repr(values)
    storage.set_trial_state_values(trial_id, TrialState.FAIL)
    with pytest.raises(UpdateFinishedTrialError):
        storage.set_trial_intermediate_value(trial_id, 5, 0.5)
    with pytest.raises(KeyError):
        storage.set_trial_intermediate_value(trial_id + 1, 5, 0.5)


def test_a_draw_and_an_end_are_one_transaction_each(stores: Stores) -> None:
    study = _study(stores)
    storage = study._below
    assert isinstance(storage, PatientStorage)
    writes = writing_transactions(storage._plain.engine)
    for _ in range(4):  # two designs that wait, then points that are drawn
        asked = study.ask()
        assert len(writes) == 1
        study.tell(asked.number, dataclasses.replace(result(), repeat_of=7))
        assert len(writes) == 2
        writes.clear()
    study.ask()
    # What is in memory is what a new process reads.
    found = open_storage(stores.storage, stores.schema_lock)
    study_id = found.get_study_id_from_name("tiny")
    assert study._study.trials == found.get_all_trials(study_id)


def test_s7_restart_of_the_server_is_waited_out_and_nothing_is_lost_or_doubled(
    server: Server, stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    with held(stores, "tiny"):
        study = _study(stores)
        complete(study, 1)
        over = threading.Event()
        refusals: list[str] = []

        def restart() -> None:
            for _ in range(2):
                server.control("restart", "-m", "immediate")
                time.sleep(0.5)
            # The lock was away with it: who comes in that moment is refused all the same.
            try:
                with held(stores, "tiny"):
                    pass
            except Refused as error:
                refusals.append(str(error))
            over.set()

        restarting = threading.Thread(target=restart)
        restarting.start()
        done = 1
        while not over.is_set() or done < 4:
            asked = study.ask()
            for epoch in (1, 2, 3):
                study.report(asked.number, epoch, 1 / epoch)
            study.tell(asked.number, result(error_of(asked.flat)))
            done += 1
        restarting.join()
        assert len(refusals) == 1 and "can have only one coordinator" in refusals[0]
        assert study.finished == done
        complete(study, 1)
    said = capsys.readouterr().err
    assert "does not answer" in said and "answers again" in said
    again = _study(stores)
    assert again.finished == done + 1
    assert {r.state for r in again.records.values()} == {State.COMPLETE}
    assert sorted(again.records) == list(range(done + 1))


def test_s7_rows_that_another_program_has_locked_are_waited_for_and_told(
    stores: Stores, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search.tuning.postgres_lock, "LOCK_SECONDS", 0.1)
    monkeypatch.setattr(patient_storage, "PAUSE", 0.05)
    with held(stores, "tiny"):
        study = _study(stores)
        engine = sa.create_engine(stores.storage)
        numbers: list[int] = []
        steps = (
            lambda: numbers.append(study.ask().number),
            lambda: study.report(numbers[0], 1, 0.5),
            lambda: study.tell(numbers[0], Failure(Cause.WORKER_DIED, "gone")),
        )
        for step in steps:
            with engine.connect() as other:
                other.exec_driver_sql("select 1 from studies for update")
                other.exec_driver_sql("select 1 from trials for update")
                opened = threading.Timer(0.5, other.rollback)
                opened.start()
                step()
                opened.join()
            said = capsys.readouterr().err
            assert "Another program has locked rows of the study database" in said
            assert "lock timeout" in said and "answers again" in said
        engine.dispose()
    states = [record.state for record in _study(stores).records.values()]
    assert states == [State.FAILED]
    assert study.waiting == len(experiment().designs)  # its retry, and the other designs


def _end_connection_after_new_trial(
    server: Server, engine: sa.Engine, patch: pytest.MonkeyPatch
) -> None:
    """Have the server end the next connection that writes a new trial, right after its commit."""
    commit = engine.dialect.do_commit
    writers: list[object] = []

    def see(_connection: object, cursor: Any, statement: str, *_more: object) -> None:
        if statement.startswith("INSERT INTO trials "):
            writers.append(cursor.connection)

    def lose(connection: Any) -> None:
        commit(connection)
        if connection.dbapi_connection in writers:
            sa.event.remove(engine, "before_cursor_execute", see)
            writers.clear()
            pid = connection.dbapi_connection.info.backend_pid
            server.ask("postgres", f"select pg_terminate_backend({pid})")
            connection.dbapi_connection.execute("select 1")

    sa.event.listen(engine, "before_cursor_execute", see)
    patch.setattr(engine.dialect, "do_commit", lose)


def test_s7_a_retry_is_queued_once_when_the_answer_is_lost(
    server: Server,
    stores: Stores,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = _study(stores)
    storage = study._below
    assert isinstance(storage, PatientStorage)
    asked = study.ask()
    _end_connection_after_new_trial(server, storage._plain.engine, monkeypatch)
    study.tell(asked.number, Failure(Cause.WORKER_DIED, "its process ended with code -9"))
    retries = [t for t in storage.get_all_trials(1) if t.user_attrs.get("retry_of") == 0]
    assert [trial.state for trial in retries] == [TrialState.WAITING]
    assert "does not answer" in capsys.readouterr().err


def _commit_late(storage: TrialWriter, method: str, patch: pytest.MonkeyPatch) -> None:
    """Let the next call of `method` lose its connection a second before the server commits."""
    whole, commit = getattr(storage, method), storage.engine.dialect.do_commit
    ready = threading.Event()

    def lose(*arguments: Any) -> None:
        patch.setattr(storage, method, whole)
        late = threading.Thread(target=whole, args=arguments)

        def do_commit(connection: Any) -> None:
            if threading.current_thread() is late:
                ready.set()
                time.sleep(1.0)
            commit(connection)

        patch.setattr(storage.engine.dialect, "do_commit", do_commit)
        late.start()
        assert ready.wait(60)
        raise sa.exc.OperationalError("COMMIT", None, ConnectionError("gone"))

    patch.setattr(storage, method, lose)


@pytest.mark.parametrize("designs", [experiment().designs, ()], ids=["queued", "drawn"])
def test_s7_what_is_committed_after_the_next_attempt_has_begun_is_written_once(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, designs: tuple[Design, ...]
) -> None:
    monkeypatch.setattr(patient_storage, "PAUSE", 0.1)
    storage = open_storage(stores.storage, stores.schema_lock)
    assert isinstance(storage, PatientStorage)
    study = Study(storage, "tiny", experiment(designs=designs), 3, "random", "none")
    study.reconcile()
    _commit_late(storage._plain, "write_trial", monkeypatch)
    first = study.ask()
    _commit_late(storage._plain, "write_trial", monkeypatch)
    study.tell(first.number, result())
    second = study.ask()
    _commit_late(storage._plain, "create_new_trial", monkeypatch)
    study.tell(second.number, Failure(Cause.WORKER_DIED, "its process ended with code -9"))
    assert (first.number, second.number) == (0, 1)
    assert [(trial.state, trial.user_attrs.get("retry_of")) for trial in study._study.trials] == [
        (TrialState.COMPLETE, None),
        (TrialState.FAIL, None),
        (TrialState.WAITING, 1),
    ]
    assert study._study.trials == storage.get_all_trials(1)


@pytest.mark.parametrize(
    ("found", "instead", "said"),
    [
        ("postgres@", "nobody:geheim@", "nobody"),
        (r"/[^/]*$", "/none", "none"),
        (r":\d+/", ":1/", "refused"),
    ],
    ids=["user", "database", "port"],
)
def test_database_that_cannot_be_used_is_refused(
    stores: Stores, found: str, instead: str, said: str
) -> None:
    url = re.sub(found, instead, stores.storage)
    with pytest.raises(Refused, match="cannot be used") as refusal:
        open_storage(url, stores.schema_lock)
    text = str(refusal.value)
    assert "Next: " in text and "geheim" not in text and said in text and len(text) < 900


def test_rights_that_are_missing_are_named(server: Server, stores: Stores) -> None:
    database = stores.storage.rpartition("/")[2]
    server.ask("postgres", "create user guest")
    server.ask(database, "revoke create on schema public from public")
    with pytest.raises(Refused, match="permission denied for schema public"):
        open_storage(stores.storage.replace("postgres@", "guest@"), stores.schema_lock)
    taking = holding(stores.storage.replace("postgres@", "guest@"), "study 'tiny'")
    with pytest.raises(Refused, match="permission denied for schema public"), taking:
        pass
