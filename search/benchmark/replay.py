"""Replays the trainings of a search, with the real coordinator, study, sampler and pruner.

Only the workers are simulated, with their own clock: a study of an hour takes seconds.
"""

import dataclasses
import heapq
import signal
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.experiment import Experiment
from models.parameters import TrialParameters
from search.benchmark.curves import FloatArray
from search.benchmark.scratch_study import SILENT
from search.common.drawing import Drawing
from search.common.records import StudyFacts, Task, TrialResult
from search.engine.coordinator import Coordinator
from search.engine.opening import open_in_memory
from search.training.pool import AttemptEnded, EpochReached, Event, StopRequested
from search.tuning.pruners import WARM_UP_EPOCHS

Trainer = Callable[[TrialParameters, int], tuple[FloatArray, float]]


@dataclass(frozen=True)
class Replayed:
    """The result of a replayed search.

    Attributes:
        steps: (seconds, lowest objective of the completed trials so far), one per trial.
        pruned: number of pruned trials.
        missed: the lowest error that a pruned trial would have reached; infinite without any.
    """

    steps: tuple[tuple[float, float], ...]
    pruned: int
    missed: float

    def best_after(self, seconds: float) -> float:
        """The lowest objective of trials completed within `seconds`; infinite if there is none."""
        return min((best for at, best in self.steps if at <= seconds), default=np.inf)


@dataclass
class _Attempt:
    task: Task
    curve: FloatArray
    seconds: float
    stop: bool = False


class ReplayPool:
    """Workers that look up their curves. The clock jumps from the end of one epoch to the next.

    Args:
        train: returns the learning curve and the seconds per epoch for a point and a seed.
        workers: trials at once.
        overhead: seconds of a trial outside its epochs.
        limit: time of the clock, in s, at which a stop is requested.
    """

    def __init__(self, train: Trainer, workers: int, overhead: float, limit: float) -> None:
        self.size = workers
        self._limit = limit
        self._train = train
        self._overhead = overhead
        self._running: dict[int, _Attempt] = {}
        self._due: list[tuple[float, int, int]] = []
        self.seconds = 0.0
        self.ended: list[tuple[float, TrialResult]] = []
        self.missed = np.inf

    def submit(self, task: Task) -> None:
        """Start to replay `task`."""
        curve, seconds = self._train(task.parameters, task.seed)
        self._running[task.number] = _Attempt(task, curve, seconds)
        heapq.heappush(self._due, (self.seconds + self._overhead + seconds, task.number, 1))

    def event(self, seconds: float) -> Event | None:
        """The end of the next epoch, or of an attempt; in no time nothing ends."""
        if not self._due or not seconds:
            return None
        self.seconds, number, epoch = heapq.heappop(self._due)
        if self.seconds > self._limit:
            return StopRequested(signal.SIGINT)
        attempt = self._running[number]
        ended = self._stopped_by(attempt, epoch - 1)
        if ended is not None:
            result = _result(attempt.curve[: epoch - 1], attempt.seconds, ended)
            del self._running[number]
            if ended == "pruner":
                self.missed = min(self.missed, float(attempt.curve.min()))
            self.ended.append((self.seconds, result))
            return AttemptEnded(number, result)

        def reply(stop: bool) -> None:
            attempt.stop = stop
            over = self._stopped_by(attempt, epoch) is not None
            due = self.seconds + (0.0 if over else attempt.seconds)
            heapq.heappush(self._due, (due, number, epoch + 1))

        return EpochReached(number, epoch, float(attempt.curve[epoch - 1]), reply)

    def _stopped_by(self, attempt: _Attempt, epochs: int) -> str | None:
        """What ends the attempt after `epochs` epochs, as in `models.fit`; None if it goes on."""
        parameters = attempt.task.parameters
        if epochs == 0:
            return None
        if attempt.stop:
            return "pruner"
        since_best = epochs - 1 - int(np.argmin(attempt.curve[:epochs]))
        if since_best >= parameters.patience:
            return "patience"
        return "epochs" if epochs >= parameters.epochs else None

    def request_stop(self, signum: int) -> None:
        """Do nothing: nobody requests a stop."""

    def stop(self) -> None:
        """Stop the clock."""
        self._due.clear()


def _result(curve: FloatArray, seconds: float, stopped_by: str) -> TrialResult:
    values = [float(value) for value in curve]
    return TrialResult(
        objective=min(values),
        train_objective=min(values),
        history={"val_mse": values},
        best_epoch=int(np.argmin(curve)) + 1,
        epochs=len(values),
        stopped_by=stopped_by,
        train={},
        held_out={},
        parameter_count=0,
        seconds=seconds * len(values),
        seconds_per_epoch=seconds,
        device="cpu",
        device_name="replayed",
    )


def replay(
    experiment: Experiment,
    facts: StudyFacts,
    pool: ReplayPool,
    drawing: Drawing,
    warm_up: int = WARM_UP_EPOCHS,
) -> Replayed:
    """Run a study of `experiment` to its total, or to the pool's limit, with `pool`'s trainings.

    Args:
        experiment: the experiment, with its seed and number of trials.
        facts: facts of a study of this experiment.
        pool: a new pool.
        drawing: the tuner, sampler and pruner.
        warm_up: no trial is pruned before this many epochs.
    """
    facts = dataclasses.replace(facts, total=experiment.trials)
    with tempfile.TemporaryDirectory(prefix="replay-") as folder:
        study = open_in_memory(experiment, drawing, Path(folder) / "oracle", warm_up)
        Coordinator(study, pool, SILENT, SILENT, facts, Path()).run(timeout=None)
    best = np.inf
    steps = []
    for at, result in pool.ended:
        if result.stopped_by != "pruner":
            best = min(best, result.objective)
        steps.append((at, best))
    pruned = sum(result.stopped_by == "pruner" for _, result in pool.ended)
    return Replayed(tuple(steps), pruned, pool.missed)
