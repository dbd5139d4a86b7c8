"""An agent on a node of a Ray cluster: holds one training process of our own, and speaks for it.

It is an actor, so this process is Ray's. TensorFlow is never in it: time limits, exit codes and
recycling are those of the pool on one machine. Each call returns the next thing that happens.
"""

import contextlib
import importlib.metadata
import os
import platform
import shutil
import socket
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from filelock import FileLock, Timeout

from data_pipeline.framing import Framing
from data_pipeline.series import HourlySeries
from search.common.records import Task, TrialResult
from search.training.local_pool import ProcessPoolOfWorkers
from search.training.pool import AttemptEnded, EpochReached

# What decides the numbers of a training.
VERSIONED = ("tensorflow", "keras", "numpy")
_FOLDER, _ALIVE = "search-agent-", "alive"


@dataclass(frozen=True)
class Hello:
    """Who an agent is: its host and process, and the versions that it trains with."""

    host: str
    process: int
    versions: dict[str, str]


@dataclass(frozen=True)
class Reached:
    """The attempt measured `value` after `epoch`; the agent waits for `go_on`."""

    epoch: int
    value: float


@dataclass(frozen=True)
class Ended:
    """The attempt came to an end: how, and the files of its spool by name."""

    event: AttemptEnded
    files: dict[str, bytes] = field(default_factory=dict)


def versions() -> dict[str, str]:
    """The versions of what decides the numbers, on this machine."""
    found = {"Python": platform.python_version()}
    for name in VERSIONED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "none"
    return found


def _own_folder() -> tuple[Path, FileLock]:
    """A new folder for the files of trials, and the lock that says that its agent lives.

    Ray ends an agent by force, so folders of agents that are gone are removed here.
    """
    for lock in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*/{_ALIVE}"):
        with contextlib.suppress(Timeout, OSError), FileLock(lock, blocking=False):
            shutil.rmtree(lock.parent, ignore_errors=True)
    place = Path(tempfile.mkdtemp(prefix=_FOLDER))
    alive = FileLock(place / _ALIVE)
    alive.acquire()
    return place, alive


class Agent:
    """Trains one task at a time in a process of its own."""

    def __init__(
        self, series: HourlySeries, framing: Framing, gpus: int, trial_timeout: float | None
    ) -> None:
        """Make ready; the training process begins with the first task.

        Args:
            series: what is trained on.
            framing: how it is seen, where a task does not say so itself.
            gpus: that Ray gave to this agent, whole or in part: 0 or 1.
            trial_timeout: s after which a trial is killed.
        """
        self._place, self._alive = _own_folder()
        shown = (0,) if gpus else ()
        # Not forked: a server would only be one more process that Ray could lose.
        self._pool = ProcessPoolOfWorkers(series, framing, 1, shown, trial_timeout, forked=False)
        self._reply: Callable[[bool], None] | None = None

    def hello(self) -> Hello:
        """Say who this is."""
        return Hello(socket.gethostname(), os.getpid(), versions())

    def begin(self, task: Task) -> Reached | Ended:
        """Begin `task`; return its first epoch, or its end."""
        self._pool.submit(replace(task, spool=self._place / f"trial-{task.number}"))
        return self._next()

    def go_on(self, stop: bool) -> Reached | Ended:
        """Answer the last epoch; return the next one, or the end."""
        assert self._reply is not None
        self._reply(stop)
        return self._next()

    def _next(self) -> Reached | Ended:
        while True:
            match self._pool.event(seconds=60.0):
                case EpochReached(_, epoch, value, reply):
                    self._reply = reply
                    return Reached(epoch, value)
                case AttemptEnded(number, outcome) as event:
                    place = self._place / f"trial-{number}"
                    done = isinstance(outcome, TrialResult)
                    files = {f.name: f.read_bytes() for f in place.iterdir()} if done else {}
                    shutil.rmtree(place, ignore_errors=True)
                    return Ended(event, files)
