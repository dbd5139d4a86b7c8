"""Training processes behind one small interface: submit tasks, take events, stop.

A cluster engine can stand behind the same interface. Processes are spawned, never forked, since
fork after TensorFlow has run hangs; they are recycled, since memory grows with every model built;
and each has a connection of its own for epoch values, so that killing one never blocks another.
"""

import contextlib
import multiprocessing
import os
import queue
import secrets
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as TaskTimeoutError
from dataclasses import dataclass
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Protocol

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from data_pipeline.framing import Framing
from data_pipeline.series import HourlySeries
from search.records import Cause, Failure, Task, TrialResult
from search.worker import WorkerContext, initialise, run_task

# Trials a process trains before a fresh one takes its place: a process grows by about 20 MB a
# trial, and a fresh one costs TensorFlow's start.
TASKS_PER_WORKER = 20
_LONGEST_FOLDER = 70


@dataclass(frozen=True)
class EpochReached:
    """Attempt `number` measured `value` after `epoch` (from 1); `reply` True stops it."""

    number: int
    epoch: int
    value: float
    reply: Callable[[bool], None]


@dataclass(frozen=True)
class AttemptEnded:
    """Attempt `number` came to `outcome`."""

    number: int
    outcome: TrialResult | Failure


@dataclass(frozen=True)
class StopRequested:
    """The person or the system asked the study to end, by signal `signum`."""

    signum: int


Event = EpochReached | AttemptEnded | StopRequested


class Pool(Protocol):
    """What the coordinator needs of whatever runs its trials."""

    @property
    def size(self) -> int:
        """Tasks that run at once."""

    def submit(self, task: Task) -> None:
        """Queue `task`; exactly one `AttemptEnded` follows unless the pool is stopped."""

    def event(self, seconds: float) -> Event | None:
        """Return the next event, or None after `seconds` without one."""

    def request_stop(self, signum: int) -> None:
        """Put a `StopRequested` among the events; safe in a signal handler."""

    def stop(self) -> None:
        """End all processes at once and wait until they are gone."""


class ProcessPoolOfWorkers:
    """Spawned single-threaded training processes on this machine."""

    def __init__(
        self,
        series: HourlySeries,
        framing: Framing,
        workers: int,
        gpus: tuple[int, ...] = (),
        trial_timeout: float | None = None,
    ) -> None:
        self.size = workers
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._trial_timeout = trial_timeout
        self._sockets = _folder_for_sockets()
        secret = secrets.token_bytes(32)
        self._listener = Listener(
            str(Path(self._sockets.name) / "channel"), family="AF_UNIX", authkey=secret
        )
        threading.Thread(target=self._accept, daemon=True).start()
        context = WorkerContext(
            series=series,
            framing=framing,
            threads=1,
            gpus=gpus,
            address=str(self._listener.address),
            secret=secret,
        )
        spawn = multiprocessing.get_context("spawn")
        # Workers compute on one thread each; other libraries must not open more.
        for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(variable, "1")
        self._pool = ProcessPool(
            max_workers=workers,
            max_tasks=TASKS_PER_WORKER,
            initializer=initialise,
            initargs=(context, spawn.Value("i", 0)),
            context=spawn,
        )

    def submit(self, task: Task) -> None:
        """Queue `task`; exactly one `AttemptEnded` follows unless the pool is stopped."""
        future = self._pool.schedule(run_task, args=(task,), timeout=self._trial_timeout)
        future.add_done_callback(lambda done: self._ended(task.number, done))

    def event(self, seconds: float) -> Event | None:
        """Return the next event, or None after `seconds` without one."""
        try:
            return self._events.get(timeout=seconds)
        except queue.Empty:
            return None

    def request_stop(self, signum: int) -> None:
        """Put a `StopRequested` among the events; safe in a signal handler."""
        self._events.put(StopRequested(signum))

    def stop(self) -> None:
        """End all processes at once and wait until they are gone."""
        self._pool.stop()
        self._pool.join()
        self._listener.close()
        self._sockets.cleanup()

    def _ended(self, number: int, future: ProcessFuture) -> None:
        try:
            outcome = future.result()
        except CancelledError:
            return
        except TaskTimeoutError:
            outcome = Failure(
                Cause.TIMED_OUT, f"took longer than --trial-timeout {self._trial_timeout:g} s"
            )
        except ProcessExpired as error:
            outcome = Failure(Cause.WORKER_DIED, f"its process ended with code {error.exitcode}")
        except Exception as error:  # noqa: BLE001 - the pool's own failure is still one trial's
            outcome = Failure(Cause.OUR_BUG, f"{type(error).__name__}: {error}")
        self._events.put(AttemptEnded(number, outcome))

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except (OSError, EOFError, multiprocessing.AuthenticationError):
                if self._listener_closed():
                    return
                continue
            threading.Thread(target=self._listen, args=(connection,), daemon=True).start()

    def _listener_closed(self) -> bool:
        return not Path(str(self._listener.address)).exists()

    def _listen(self, connection: Connection) -> None:
        """Turn one worker's messages into events until its process is gone."""

        def reply(stop: bool) -> None:
            with contextlib.suppress(OSError):  # the worker died; its AttemptEnded follows
                connection.send(stop)

        with contextlib.suppress(OSError, EOFError), connection:
            while True:
                number, epoch, value = connection.recv()
                self._events.put(EpochReached(number, epoch, value, reply))


def _folder_for_sockets() -> "tempfile.TemporaryDirectory[str]":
    """A temporary folder whose path is short enough for a socket's, about 100 bytes."""
    usual = len(os.fsencode(tempfile.gettempdir())) <= _LONGEST_FOLDER
    return tempfile.TemporaryDirectory(prefix="epochs-", dir=None if usual else "/tmp")
