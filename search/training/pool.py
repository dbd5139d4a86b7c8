"""The interface behind which training processes work: submit tasks, take events, stop.

A cluster engine can stand behind the same interface.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from search.common.records import Failure, Task, TrialResult


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


@dataclass(frozen=True)
class PoolLost:
    """The pool as a whole is gone, and why; what ran in it is lost."""

    reason: str


Event = EpochReached | AttemptEnded | StopRequested | PoolLost


class Pool(Protocol):
    """What the coordinator needs of whatever runs its trials."""

    @property
    def size(self) -> int:
        """Tasks that run at once."""

    def submit(self, task: Task) -> None:
        """Train `task`, fewer than `size` others running; one `AttemptEnded` follows."""

    def event(self, seconds: float) -> Event | None:
        """Return the next event, or None after `seconds` without one; with 0, only what came."""

    def request_stop(self, signum: int) -> None:
        """Put a `StopRequested` among the events; safe in a signal handler."""

    def stop(self) -> None:
        """End all processes at once and wait until they are gone."""


@dataclass(frozen=True)
class Crew:
    """Who trains: processes at once, the GPUs they take in turn, and the seconds a trial may take.

    `timeout` is the number of seconds after which no trial is begun; None: no such limit. `cluster`
    is the address of a Ray cluster that trains instead of this machine, else ""; `workers` is 0
    there for as many as it has room for, and `per_gpu` of them share a GPU.
    """

    workers: int
    gpus: tuple[int, ...] = ()
    trial_timeout: float | None = None
    timeout: float | None = None
    cluster: str = ""
    per_gpu: int = 1
