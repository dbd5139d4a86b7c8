"""Workers that are made up: they take a task, sleep an epoch's time, and say a value."""

import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from search.common.records import Task, TrialResult
from search.training.pool import AttemptEnded, EpochReached, Event, StopRequested
from tests.search.samples import error_of, result


class SleepingPool:
    """A pool of `size` workers that train nothing.

    A worker begins its next epoch when it has the answer to the last one, as a real one does. The
    epochs of a trial are equally long; those of another trial are up to `spread` shorter or longer,
    as networks differ in size.

    Attributes:
        messages: epochs that were told.
        message_seconds: CPU time that the reader's thread took for them.
        lengths: s that each trial took, without the waiting for answers, in the order of their
            beginning.
    """

    def __init__(self, size: int, epochs: int, epoch_seconds: float, spread: float = 0.0) -> None:
        self.size = size
        self.messages = 0
        self.message_seconds = 0.0
        self.lengths: dict[int, float] = {}
        self._told: float | None = None
        self._epochs = epochs
        self._epoch_seconds = epoch_seconds
        self._spread = spread
        self._order = itertools.count()
        # When, in which order, and what: the ends of epochs to come.
        self._due: list[tuple[float, int, Callable[[], Event]]] = []

    def submit(self, task: Task) -> None:
        """Begin the first epoch of `task`."""
        self.lengths[task.number] = 0.0
        self._begin(task, 1)

    def ideal_seconds(self) -> float:
        """How long the same trials, begun in the same order, take if nothing else costs time."""
        free = [0.0] * self.size
        for length in self.lengths.values():
            heapq.heapreplace(free, free[0] + length)
        return max(free)

    def event(self, seconds: float) -> Event | None:
        """Sleep until the next epoch has ended, `seconds` at most."""
        if self._told is not None:
            self.message_seconds += time.thread_time() - self._told
            self._told = None
        now = time.monotonic()
        if self._due and self._due[0][0] <= now + seconds:
            at, _, make = heapq.heappop(self._due)
            time.sleep(max(0.0, at - now))
            event = make()
            if isinstance(event, EpochReached):
                self.messages += 1
                self._told = time.thread_time()
            return event
        time.sleep(seconds)
        return None

    def request_stop(self, signum: int) -> None:
        """Put a stop before everything else."""
        self._at(0.0, lambda: StopRequested(signum))

    def stop(self) -> None:
        """Forget what runs."""
        self._due.clear()

    def _at(self, when: float, make: Callable[[], Event]) -> None:
        heapq.heappush(self._due, (when, next(self._order), make))

    def _begin(self, task: Task, epoch: int) -> None:
        share = np.random.default_rng(task.seed).uniform(-self._spread, self._spread)
        seconds = self._epoch_seconds * (1 + share)

        def ended() -> Event:
            self.lengths[task.number] = epoch * seconds
            error = error_of({"learning_rate": task.parameters.learning_rate, **_sizes(task)})
            value = error * (1 + 3 / epoch)

            def reply(stop: bool) -> None:
                if stop or epoch >= self._epochs:
                    outcome = _outcome(error, epoch, stop)
                    self._at(time.monotonic(), lambda: AttemptEnded(task.number, outcome))
                else:
                    self._begin(task, epoch + 1)

            return EpochReached(task.number, epoch, value, reply)

        self._at(time.monotonic() + seconds, ended)


def _sizes(task: Task) -> dict[str, int]:
    units = task.parameters.units
    return {"units_1": units[0], "layers": len(units)}


def _outcome(error: float, epochs: int, pruned: bool) -> TrialResult:
    made = result(error, "pruner" if pruned else "epochs")
    history = {name: [error] * epochs for name in made.history}
    return replace(made, history=history, epochs=epochs, best_epoch=epochs)
