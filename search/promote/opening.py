"""The test period, opened: the winner trained on all that came before it, judged beside others."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data_pipeline.windows import Prepared, open_test
from models.intervals import Tracker
from models.metrics import Scores, scores, seasonal_scale
from search.conduct import Crew
from search.errors import Refused
from search.floor import baseline_data
from search.optuna_sampling import trial_seed
from search.plan import Plan
from search.pool import AttemptEnded, EpochReached, ProcessPoolOfWorkers, StopRequested
from search.promote.apart import run_apart
from search.promote.entrants import Entrant
from search.promote.ranking import Ranked
from search.promote.retest import Stopped
from search.records import Failure, Task, TrialResult
from search.spool import MODEL, folder, read_forecasts

if TYPE_CHECKING:
    from models.forecasters import Forecaster

FloatArray = npt.NDArray[np.float64]

# A stream that no trial of the search or the re-test draws from.
_REFIT = 2**31 + 1


@dataclass(frozen=True)
class Opened:
    """The test hours as everybody is judged on them.

    Attributes:
        prepared: see `data_pipeline.windows.open_test`.
        actual: float64 (n, horizon), in the data's unit.
        baselines: forecasts by name, float64 (n, horizon), fitted on train and validation.
        fitted: these baselines.
    """

    prepared: Prepared
    actual: FloatArray
    baselines: Mapping[str, FloatArray]
    fitted: "Mapping[str, Forecaster]"

    def score(self, forecast: FloatArray) -> Scores:
        """The metrics of a forecast of these hours."""
        history = self.prepared.history.target
        return scores(self.actual, forecast, seasonal_scale(history[: self.prepared.train_rows]))


def open_period(plan: Plan) -> Opened:
    """Open the test period and forecast it with every baseline."""
    from models.baselines import BASELINES, fit, forecast_with

    prepared = open_test(plan.series, plan.experiment.framing)
    data = baseline_data(prepared)
    actual = data.rows.target[data.origins[:, None] + np.arange(data.horizon)]
    fitted = fit(BASELINES, data)
    return Opened(prepared, actual, forecast_with(fitted, data), fitted)


def refit(
    plan: Plan,
    chosen: Ranked,
    begins: Tracker,
    crew: Crew,
    place: Path,
    say: Callable[[str], None],
) -> Entrant:
    """Train `chosen` for the epochs that the re-test found, with as many seeds as that had.

    The mean of several networks errs less than one of them, which owes much to its seed.

    Args:
        plan: of the study.
        chosen: the winner.
        begins: its 90 % interval before the test period.
        crew: who trains.
        place: an empty folder for the networks.
        say: is told how it goes.

    Returns:
        The network that forecasts their mean, trained on train and validation.

    Raises:
        Refused: a training failed; the message says why.
        Stopped: by a signal.
    """
    parameters = chosen.candidate.parameters.model_copy(
        update={"epochs": chosen.epochs, "patience": chosen.epochs, "weights": "last"}
    )
    tasks = [
        Task(
            number,
            parameters,
            trial_seed(plan.experiment.seed, _REFIT + number),
            folder(place, number),
            opening=True,
        )
        for number in range(chosen.seeds)
    ]
    with _pool(plan, crew, min(crew.workers, len(tasks))) as pool:
        waiting = iter(tasks)
        for task in itertools.islice(waiting, pool.size):
            pool.submit(task)
        for done in range(1, len(tasks) + 1):
            seconds = _await(pool).seconds
            say(f"network {done} of {len(tasks)} trained, {seconds:.0f} s")
            if (following := next(waiting, None)) is not None:
                pool.submit(following)
    network, networks = place / MODEL, [task.spool / MODEL for task in tasks]
    run_apart(
        "search.promote.averaging",
        *map(str, [network, *networks]),
        failing=f"the mean of {len(tasks)} network(s) could not be saved",
    )
    forecast = np.mean([_forecast(task) for task in tasks], axis=0)
    return Entrant(chosen.candidate.name, network, plan.experiment.framing.window, forecast, begins)


def _forecast(task: Task) -> FloatArray:
    forecasts = read_forecasts(task.spool)
    assert forecasts is not None  # the worker wrote them before it said it was done
    return forecasts.forecast


@contextmanager
def _pool(plan: Plan, crew: Crew, workers: int) -> Iterator[ProcessPoolOfWorkers]:
    from search.coordinator import stopping_on_signals

    pool = ProcessPoolOfWorkers(
        plan.series, plan.experiment.framing, workers, crew.gpus, crew.trial_timeout
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
