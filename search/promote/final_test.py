"""The winner, trained on all that came before the test period, and judged there."""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from search.common.errors import Refused
from search.common.records import Failure, Task, TrialResult
from search.common.seeds import trial_seed
from search.common.spool import MODEL, folder, read_forecasts
from search.engine.coordinator import stopping_on_signals
from search.engine.plan import Plan
from search.promote.entrants import Part
from search.promote.ranking import Ranked
from search.promote.retest import Stopped
from search.serving.averaging import save_mean
from search.serving.own_process import run_apart
from search.training.pool import AttemptEnded, EpochReached, Pool, PoolLost, StopRequested

FloatArray = npt.NDArray[np.float64]

# A stream that no trial of the search or the re-test draws from.
_REFIT = 2**31 + 1


def refit(
    plan: Plan,
    chosen: Ranked,
    pool: Pool,
    place: Path,
    say: Callable[[str], None],
) -> Part:
    """Train `chosen` for the epochs that the re-test found, with as many seeds as that had.

    The mean of several networks errs less than one of them, which owes much to its seed.

    Args:
        plan: of the study.
        chosen: the winner.
        pool: trains, and is stopped.
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
    with stopping_on_signals(pool):
        waiting = iter(tasks)
        for task in itertools.islice(waiting, pool.size):
            pool.submit(task)
        for done in range(1, len(tasks) + 1):
            seconds = _await(pool).seconds
            say(f"network {done} of {len(tasks)} trained, {seconds:.0f} s")
            if (following := next(waiting, None)) is not None:
                pool.submit(following)
    pool.stop()
    network, networks = place / MODEL, [task.spool / MODEL for task in tasks]
    run_apart(
        save_mean,
        network,
        *networks,
        failing=f"the mean of {len(tasks)} network(s) could not be saved",
    )
    forecast = np.mean([_forecast(task) for task in tasks], axis=0)
    return Part(
        chosen.candidate.name,
        network,
        plan.experiment.framing.window,
        forecast,
        inputs=parameters.inputs,
    )


def _forecast(task: Task) -> FloatArray:
    forecasts = read_forecasts(task.spool)
    assert forecasts is not None  # the worker wrote them before it said it was done
    return forecasts.forecast


def _await(pool: Pool) -> TrialResult:
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
            case PoolLost(reason):
                raise Stopped(reason, None)
            case _:
                continue
