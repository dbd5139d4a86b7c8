"""The calendar as cycles, so that the ends of a day and of a week meet.

A served model's folder holds a copy of this file.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline.lengths import DAYS_A_WEEK, HOURS_A_DAY

CYCLE_NAMES: Final = ("hour_sin", "hour_cos", "weekday_sin", "weekday_cos")


def cycles(
    local: pd.DatetimeIndex, lengths: tuple[int, int] = (HOURS_A_DAY, DAYS_A_WEEK)
) -> NDArray[np.float64]:
    """Hour and weekday of the local clock as points on two circles.

    sin(2 pi h / 24), cos(2 pi h / 24), sin(2 pi d / 7), cos(2 pi d / 7), where h is 0..23 and d is
    0 (Monday) to 6 (Sunday). Dividing by 23 and 6 would make 23:00 equal 00:00 and Sunday Monday.

    Args:
        local: Naive local clock times, n rows.
        lengths: Hours and days of one turn. Other values than 24 and 7 exist only to show their
            effect.

    Returns:
        float64 (n, 4), each value in -1..1, in the order of `CYCLE_NAMES`.
    """
    hour = 2.0 * np.pi * local.hour.to_numpy(np.float64) / lengths[0]
    weekday = 2.0 * np.pi * local.day_of_week.to_numpy(np.float64) / lengths[1]
    return np.column_stack([np.sin(hour), np.cos(hour), np.sin(weekday), np.cos(weekday)])


def hour_of_week(local: pd.DatetimeIndex) -> NDArray[np.int64]:
    """The hour of the week of the local clock, int64 (n,): 0 is Monday 0:00, 167 Sunday 23:00."""
    clock = local.day_of_week.to_numpy(np.int64) * HOURS_A_DAY + local.hour.to_numpy(np.int64)
    return np.asarray(clock, np.int64)
