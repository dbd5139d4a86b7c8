"""The test period, opened: the winner trained on all that came before it, judged beside others."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from data_pipeline.windows import Prepared, open_test
from models.metrics import Scores, scores, seasonal_scale
from models.parameters import TrialParameters
from search.conduct import Crew
from search.errors import Refused
from search.optuna_sampling import trial_seed
from search.plan import Plan, baseline_data
from search.pool import AttemptEnded, EpochReached, ProcessPoolOfWorkers, StopRequested
from search.promote.ranking import Ranked
from search.promote.retest import Stopped
from search.records import Failure, Task, TrialResult
from search.spool import MODEL, folder, read_forecasts

FloatArray = npt.NDArray[np.float64]

# A stream that no trial of the search or the re-test draws from.
_REFIT = 2**31 + 1


@dataclass(frozen=True)
class Refit:
    """The winner, trained for a fixed number of epochs on train and validation.

    Attributes:
        parameters: as trained. seed: of the training. result: of it; its "validation" is the test.
        network: file of the plain Keras model.
        forecast: float64 (n, horizon), of the test windows, in the data's unit.
    """

    parameters: TrialParameters
    seed: int
    result: TrialResult
    network: Path
    forecast: FloatArray


@dataclass(frozen=True)
class Opened:
    """The test hours as everybody is judged on them.

    Attributes:
        prepared: see `data_pipeline.windows.open_test`.
        actual: float64 (n, horizon), in the data's unit.
        baselines: forecasts by name, float64 (n, horizon), fitted on train and validation.
    """

    prepared: Prepared
    actual: FloatArray
    baselines: Mapping[str, FloatArray]

    def score(self, forecast: FloatArray) -> Scores:
        """The metrics of a forecast of these hours."""
        history = self.prepared.history.target
        return scores(self.actual, forecast, seasonal_scale(history[: self.prepared.train_rows]))


def open_period(plan: Plan) -> Opened:
    """Open the test period and forecast it with every baseline."""
    from models.baselines import BASELINES, forecast

    prepared = open_test(plan.series, plan.experiment.framing)
    data = baseline_data(prepared)
    actual = data.target[data.origins[:, None] + np.arange(data.horizon)]
    return Opened(prepared, actual, {name: forecast(name, data) for name in BASELINES})


def refit(plan: Plan, chosen: Ranked, crew: Crew, place: Path) -> Refit:
    """Train `chosen` for the epochs that the re-test found, in a process of its own.

    Raises:
        Refused: the training failed; the message says why.
        Stopped: by a signal.
    """
    parameters = chosen.candidate.parameters.model_copy(
        update={"epochs": chosen.epochs, "patience": chosen.epochs, "weights": "last"}
    )
    seed = trial_seed(plan.experiment.seed, _REFIT)
    task = Task(0, parameters, seed, folder(place, 0), opening=True)
    with _pool(plan, crew) as pool:
        pool.submit(task)
        result = _await(pool)
    forecasts = read_forecasts(task.spool)
    assert forecasts is not None  # the worker wrote them before it said it was done
    return Refit(parameters, seed, result, task.spool / MODEL, forecasts.forecast)


@contextmanager
def _pool(plan: Plan, crew: Crew) -> Iterator[ProcessPoolOfWorkers]:
    from search.coordinator import stopping_on_signals

    pool = ProcessPoolOfWorkers(
        plan.series, plan.experiment.framing, 1, crew.gpus, crew.trial_timeout
    )
    try:
        with stopping_on_signals(pool):
            yield pool
    finally:
        pool.stop()


def _await(pool: ProcessPoolOfWorkers) -> TrialResult:
    while True:
        match pool.event(seconds=1.0):
            case EpochReached(_, _, _, reply):
                reply(False)
            case AttemptEnded(_, Failure() as failure):
                raise Refused(
                    f"the winner could not be trained on train and validation: {failure.cause}: "
                    f"{failure.message}\nNext: run the same command again."
                )
            case AttemptEnded(_, TrialResult() as result):
                return result
            case StopRequested(signum):
                raise Stopped("stopped while the winner was trained", signum)
            case _:
                continue
