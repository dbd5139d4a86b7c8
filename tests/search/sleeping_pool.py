"""A pool that trains nothing, and figures that are not drawn: what is left is the study itself."""

import contextlib
import queue
import resource
import time
from collections.abc import Iterator

import numpy as np
import pytest

from search import figures
from search.common.records import Task, TrialResult
from search.figures.canvas import new_figure
from search.training.pool import AttemptEnded, Event


@contextlib.contextmanager
def undrawn() -> Iterator[None]:
    """Every figure is one empty picture: drawing is most of the time where nothing trains."""
    drawn = figures.png(new_figure("No figure", "", "")[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "png", lambda _: drawn)
        yield


class SleepingPool:
    """A pool of one that takes a millisecond for any trial and makes its result up."""

    size = 1

    def __init__(self, scores: dict[str, float]) -> None:
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._scores = scores
        self.ends: list[float] = []
        self.megabytes: list[float] = []

    def submit(self, task: Task) -> None:
        """Sleep, and put the end of the attempt among the events."""
        time.sleep(0.001)
        error = float(np.random.default_rng(task.seed).uniform(0.001, 0.01))
        result = TrialResult(
            objective=error,
            train_objective=error,
            history={
                "loss": [2 * error, error],
                "val_loss": [2 * error, error],
                "val_mse": [2 * error, error],
                "learning_rate": [0.01, 0.01],
            },
            best_epoch=2,
            epochs=2,
            stopped_by="epochs",
            train=self._scores,
            held_out=self._scores,
            parameter_count=1,
            seconds=0.001,
            seconds_per_epoch=0.0005,
            device="cpu",
            device_name="none",
        )
        self.ends.append(time.monotonic())
        self.megabytes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        self._events.put(AttemptEnded(task.number, result))

    def event(self, seconds: float) -> Event | None:
        """The next end, or None after `seconds` without one."""
        try:
            return self._events.get(timeout=seconds)
        except queue.Empty:
            return None

    def request_stop(self, signum: int) -> None:
        """Nothing stops it."""

    def stop(self) -> None:
        """Nothing to stop."""
