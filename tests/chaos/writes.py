"""Kills a small study just before each of its writes in turn.

A write is a transaction that changes a database, or a file that is created, renamed or removed. The
coordinator, the stores and the mirror are real. Trainings and the bytes of figures are made up,
because a study runs twice for every write.
"""

import itertools
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from experiments.catalogue import CATALOGUE
from search import figures
from search.common.records import Cause, Failure, State, Task, TrialRecord
from search.common.spool import write_spool
from search.common.stores import Stores
from search.engine import facts
from search.engine.opening import hold_study, open_study
from search.engine.plan import Plan, adapt, make_plan
from search.engine.session import conduct
from search.figures.canvas import new_figure
from search.results.baselines import judge_baselines
from search.results.summary import StudySummary
from search.training.pool import AttemptEnded
from tests.chaos.audit import Audit, audit
from tests.search.sleeping_pool import SleepingPool

TRIALS = 4
STUDY = "chaos"
_KILLED = -signal.SIGKILL
_CHANGES = ("INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "REPLACE")
_FILE_EVENTS = {"os.mkdir", "os.rename", "os.remove", "os.rmdir"}


class _UnsteadyPool(SleepingPool):
    """Some attempts have a result, the second is killed once, the third diverges."""

    def submit(self, task: Task) -> None:
        if task.number == 1:
            failure = Failure(Cause.WORKER_DIED, "killed")
        elif task.number == 2:
            failure = Failure(Cause.DIVERGED, "the loss is NaN", "Traceback: here it is")
        else:
            hours = pd.date_range("2014-06-05", periods=24, freq="h")
            actual = np.arange(24.0)[:, None]
            write_spool(task.spool, _save_model, hours, actual, actual + 1)
            super().submit(task)
            return
        self._events.put(AttemptEnded(task.number, failure))


def _save_model(path: Path) -> None:
    path.write_text("a model")


@dataclass
class _Acknowledged:
    """Replaces the progress bar: writes what a person was told to the disk."""

    file: Path

    def say(self, line: str) -> None:
        """Not told."""

    def epoch(self, record: TrialRecord, epoch: int) -> None:
        """Not told."""

    def ended(self, record: TrialRecord, summary: StudySummary) -> None:
        state = {State.COMPLETE: "COMPLETE", State.PRUNED: "PRUNED"}.get(record.state, "FAIL")
        with self.file.open("a") as file:
            file.write(f"{record.number} {state}\n")

    def close(self) -> None:
        """Nothing to close."""

    def read(self) -> dict[int, str]:
        if not self.file.exists():
            return {}
        lines = [line.split() for line in self.file.read_text().splitlines()]
        return {int(number): state for number, state in lines}


class Writes:
    """A study in a folder that is started and killed; each start is a new process."""

    def __init__(self) -> None:
        """Read the data and import everything once, so that a start is only a fork."""
        import mlflow.store.tracking.sqlalchemy_store
        import mlflow.tracking  # noqa: F401 - likewise

        assert threading.active_count() == 1, "a thread would be missing after the fork"
        self._plan: Plan = make_plan(adapt(CATALOGUE["smoke"], {"trials": TRIALS}))
        baselines = judge_baselines(self._plan.prepared)
        # Judging the baselines in every start would take most of the time.
        facts.judge_baselines = lambda _: baselines  # type: ignore[attr-defined, assignment]
        drawn = figures.png(new_figure("No figure", "", "")[0])
        # Drawing them would take most of the time, and the bytes do not matter here.
        figures.png = lambda _: drawn  # type: ignore[assignment]

    def count(self, place: Path) -> int:
        """Run the study in the empty folder `place`; return its number of writes."""
        writes = place.with_suffix(".writes")
        assert self._start(place, None, writes) == 0
        return int(writes.read_text())

    def killed_at(self, place: Path, write: int) -> Audit:
        """Run the study in `place`, kill it before that write (from 1), then run it to its end."""
        code = self._start(place, write, None)
        assert code in (0, _KILLED), f"ended with {code} before it was killed"
        code = self._start(place, None, None)
        assert code == 0, f"killed before write {write}, the next start ended with {code}"
        return audit(place, _Acknowledged(place / "acknowledged").read())

    def _start(self, place: Path, kill_at: int | None, writes: Path | None) -> int:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                counted = _count_writes(place, kill_at)
                self._search(place)
                if writes is not None:
                    writes.write_text(str(next(counted) - 1))
                code = 0
            except BaseException:  # noqa: BLE001 - a forked child must not go on as its parent
                sys.excepthook(*sys.exc_info())
            finally:
                sys.stderr.flush()
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def _search(self, place: Path) -> None:
        os.chdir(place)
        place = place.resolve()
        stores = Stores(
            f"sqlite:///{place}/optuna.db",
            f"sqlite:///{place}/mlflow.db",
            place / "artifacts",
            place,
        )
        with hold_study(STUDY, stores) as storage:
            session = open_study(self._plan, STUDY, storage, stores)
            pool = _UnsteadyPool(session.facts.baselines["ridge_by_hour"].validation)
            progress: Any = _Acknowledged(place / "acknowledged")
            conduct(pool, session, progress)


def _count_writes(place: Path, kill_at: int | None) -> Iterator[int]:
    """Count this process's writes under `place`, and kill it just before number `kill_at`."""
    numbers = itertools.count(1)
    root = str(place.resolve())

    def one_more() -> None:
        if next(numbers) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def before_statement(connection: sa.Connection, _cursor: Any, sql: str, *_: Any) -> None:
        if sql.lstrip().upper().startswith(_CHANGES):
            connection.info["changes"] = True

    def before_commit(connection: sa.Connection) -> None:
        if connection.info.pop("changes", False):
            one_more()

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _FILE_EVENTS:
            made = True
        elif event == "open":
            made = bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        else:
            return
        name = str(arguments[0])
        if made and name.startswith(root) and "/locks" not in name and "acknowl" not in name:
            one_more()

    sa.event.listen(sa.Engine, "before_cursor_execute", before_statement)
    sa.event.listen(sa.Engine, "commit", before_commit)
    sys.addaudithook(watch)
    return numbers


@contextmanager
def new_place() -> Iterator[Path]:
    """A new folder, in memory if possible, because a study's writes wait for the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        place = Path(folder) / "study"
        place.mkdir()
        yield place


def every(step: int, first: int) -> Iterable[tuple[int, int, Audit]]:
    """Kill a study before its writes number `first`, `first + step`, ..., each in a new folder.

    Yields:
        The number of the write, the number of all writes, and the audit of the study.
    """
    writes = Writes()
    with new_place() as place:
        count = writes.count(place)
    for number in range(first, count + 1, step):
        with new_place() as place:
            yield number, count, writes.killed_at(place, number)
