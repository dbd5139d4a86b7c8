"""The columns that a network reads beside the series' own: calendar cycles, or changes.

A served model's folder holds a copy of this file and of what it imports, so what a network is
judged on and what it is served with go through the same lines.
"""

import math
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline.calendar import CYCLE_NAMES, cycles
from data_pipeline.lengths import DAYS_A_WEEK, HOURS_A_DAY, HOURS_A_WEEK

# "cycles": hour and weekday of the row itself as points on circles. "changes": hour and weekend of
# the hour that is forecast, the last change of the target, and its changes a day and a week before.
Inputs = Literal["cycles", "changes"]
INPUTS: Final[tuple[Inputs, ...]] = get_args(Inputs)

# Indicators are 0 or 1 already. Changes lie around 0 and are divided by their standard deviation.
INDICATORS: Final = (*(f"hour_{hour}" for hour in range(HOURS_A_DAY)), "weekend")
CHANGES: Final = ("change", "change_day", "change_week")


def added_columns(inputs: Inputs) -> tuple[str, ...]:
    """The names of the columns that follow covariates and target, in order."""
    return CYCLE_NAMES if inputs == "cycles" else (*INDICATORS, *CHANGES)


def hours_before(inputs: Inputs, horizon: int) -> int:
    """Hours that must precede the first row of a window, so that no lag of it is missing.

    Args:
        inputs: Which columns.
        horizon: Hours that are forecast, 1 or more.

    Returns:
        0 for cycles; whole weeks that hold the horizon for changes.
    """
    return 0 if inputs == "cycles" else HOURS_A_WEEK * math.ceil(horizon / HOURS_A_WEEK)


def input_rows(
    values: NDArray[np.float64],
    local: pd.DatetimeIndex,
    horizon: int,
    inputs: Inputs,
    cycle_lengths: tuple[int, int] = (HOURS_A_DAY, DAYS_A_WEEK),
) -> NDArray[np.float64]:
    """The unscaled input rows: covariates, target and the columns of `inputs`.

    No value of a later row is read for a row, only the clock `horizon` hours later.

    Args:
        values: float64 (n, c + 1), covariates and, last, the target, each in its own unit.
        local: Naive local clock times of these rows, and of the hours after them where a window
            ends at the last row. Where it ends earlier, the clock is taken to go on hour by hour;
            no window of hours that lie within `local` reads such a row.
        horizon: Hours that are forecast, 1 or more.
        inputs: Which columns.
        cycle_lengths: Hours and days once around the cycles; see `data_pipeline.calendar.cycles`.

    Returns:
        float64 (n, c + 1 + k). Of "cycles" k is 4. Of "changes" it is 28: for row t, the hour of
        the local clock at t + horizon, one-hot, and whether it is of a weekend; then the target's
        change since the row before, at row t and at the latest rows up to t that are whole days,
        and whole weeks, before t + horizon. One hour ahead these two are the changes of the coming
        hour a day and a week before. A change that would need rows before the first is 0.
    """
    if inputs == "cycles":
        return np.column_stack([values, cycles(local[: len(values)], cycle_lengths)])
    ahead = _clock(local, len(values) + horizon)[horizon:]
    hour = ahead.hour.to_numpy()[:, np.newaxis] == np.arange(HOURS_A_DAY)
    weekend = ahead.day_of_week.to_numpy() >= 5
    change = np.diff(values[:, -1], prepend=values[:1, -1])
    lagged = [_lagged(change, -horizon % every) for every in (HOURS_A_DAY, HOURS_A_WEEK)]
    return np.column_stack([values, hour, weekend, change, *lagged])


def _clock(local: pd.DatetimeIndex, hours: int) -> pd.DatetimeIndex:
    """The first `hours` of a clock that goes on from its last one where it is shorter."""
    missing = pd.to_timedelta(np.arange(1, hours - len(local) + 1), unit="h")
    return pd.DatetimeIndex(local.append(local[-1] + missing)[:hours])


def _lagged(values: NDArray[np.float64], lag: int) -> NDArray[np.float64]:
    """Each row's value `lag` rows before, 0 where there is none."""
    found = np.zeros_like(values)
    found[lag:] = values[: max(0, len(values) - lag)]
    return found
