"""Training processes on this machine, behind the pool's interface.

Each process has a slot and a connection of its own, so that killing one at any moment
never harms another.
"""

import contextlib
import multiprocessing
import os
import queue
import secrets
import tempfile
import threading
from multiprocessing.connection import Connection, Listener
from pathlib import Path

from data_pipeline.framing import Framing
from data_pipeline.series import HourlySeries
from models.tensorflow_start import one_thread
from search.common.records import Task
from search.training.pool import AttemptEnded, EpochReached, Event, StopRequested
from search.training.slot import Slot
from search.training.train_task import WorkerContext

_LONGEST_FOLDER = 70


class ProcessPoolOfWorkers:
    """Spawned single-threaded training processes on this machine."""

    def __init__(
        self,
        series: HourlySeries,
        framing: Framing,
        workers: int,
        gpus: tuple[int, ...] = (),
        trial_timeout: float | None = None,
        forked: bool = True,
    ) -> None:
        self.size = workers
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._trial_timeout = trial_timeout
        self._sockets = _folder_for_sockets()
        secret = secrets.token_bytes(32)
        self._channel = Path(self._sockets.name) / "channel"
        self._listener = Listener(str(self._channel), family="AF_UNIX", authkey=secret)
        threading.Thread(target=self._accept, daemon=True).start()
        contexts = [
            WorkerContext(
                series=series,
                framing=framing,
                threads=1,
                gpu=gpus[number % len(gpus)] if gpus else None,
                address=str(self._channel),
                secret=secret,
            )
            for number in range(workers)
        ]
        # Workers compute on one thread each; other libraries must not open more.
        one_thread()
        self._slots = [Slot(context, forked) for context in contexts]

    def submit(self, task: Task) -> None:
        """Train `task`, fewer than `size` others running; one `AttemptEnded` follows."""
        slot = next(slot for slot in self._slots if slot.free)
        slot.submit(
            task,
            self._trial_timeout,
            lambda outcome: self._events.put(AttemptEnded(task.number, outcome)),
        )

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
        for slot in self._slots:
            slot.stop()
        self._listener.close()
        self._sockets.cleanup()

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except (OSError, EOFError, multiprocessing.AuthenticationError):
                if not self._channel.exists():  # stopped
                    return
                continue
            threading.Thread(target=self._listen, args=(connection,), daemon=True).start()

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
