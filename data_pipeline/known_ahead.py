"""Columns that are known for the hours that are forecast: a weather forecast, a plan, holidays.

Such a column is read `horizon` rows ahead: row t holds its value at t + horizon. So a window that
ends at the last known hour holds the values of all hours that are forecast, and whatever reads
windows, network or baseline, needs no other rule. A served model's folder holds a copy of this
file.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def read_ahead(column: NDArray[np.float64], rows: int, horizon: int) -> NDArray[np.float64]:
    """Read a column `horizon` rows ahead.

    Args:
        column: float64 (m,), m >= 1: the values of the rows, and of hours after them where known.
        rows: Number of rows.
        horizon: Hours that are forecast.

    Returns:
        float64 (rows,): at row t the value at t + horizon. Beyond the end of `column` it is the
        last value; without hours after the rows, these are the last `horizon` rows, which no window
        before a known target reads.
    """
    at = np.minimum(np.arange(rows) + horizon, len(column) - 1)
    return np.asarray(column[at])


def not_known(
    names: Sequence[str], found: int, horizon: int, last: pd.Timestamp, target: str
) -> str:
    """Say which values of the coming hours are missing; nothing if none are.

    Args:
        names: Columns known ahead that must be given.
        found: Hours after the last known target for which all of them are given.
        horizon: Hours that are forecast.
        last: Local clock time of the last known target.
        target: Name of the target.
    """
    if not names or found >= horizon:
        return ""
    columns = " and ".join(map(repr, names))
    first = last + pd.Timedelta(hours=1)
    end, until = last + pd.Timedelta(hours=horizon), last + pd.Timedelta(hours=found)
    upto = f", up to {until:%Y-%m-%d %H:%M}" if found else ""
    return (
        f"expected {columns}, known ahead, in rows of the {horizon} coming hour(s), "
        f"{first:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}, found {found} such row(s) after the last "
        f"{target!r} at {last:%Y-%m-%d %H:%M}{upto}"
    )
