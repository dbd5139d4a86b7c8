"""The raw rows that a served model is given: their times and numbers, checked.

pandas and NumPy, and `holidays` for a model that reads them: a served model's folder holds a copy
of this file and of what it imports.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_pipeline.known_ahead import read_ahead
from data_pipeline.public_holidays import HOLIDAY, public_holidays

FloatArray = npt.NDArray[np.float64]

HOUR = pd.Timedelta(hours=1)

_OFFSET = r"(?:Z|[+-][0-9]{2}:?[0-9]{2})$"


class WrongRows(ValueError):
    """The rows are not what the model was trained for; the message names rows and columns."""


def columns_given(facts: Mapping[str, Any]) -> list[str]:
    """The features and the target that rows must have; holidays follow from their times."""
    computed = (HOLIDAY,) if facts.get("holidays") else ()
    return [name for name in (*facts["features"], facts["target"]) if name not in computed]


def hours_known(frame: pd.DataFrame, facts: Mapping[str, Any]) -> int:
    """The number of rows up to the last one with a target.

    Rows after it are of coming hours. Only a model that reads columns ahead takes such rows.
    """
    if not facts.get("known_ahead"):
        return len(frame)
    known = np.flatnonzero(frame[facts["target"]].notna())
    return int(known[-1]) + 1 if known.size else 0


def clock_until(
    local: pd.DatetimeIndex, instants: pd.DatetimeIndex, hours: int
) -> tuple[pd.DatetimeIndex, list[pd.Timestamp]]:
    """Go on with a clock.

    Args:
        local: n local clock times.
        instants: the instants of these, in the clock's zone if there is one.
        hours: that follow, 1 or more.

    Returns:
        n + hours local clock times, and the instants of the hours that follow.
    """
    after = [instants[-1] + step * HOUR for step in range(1, hours + 1)]
    ahead = pd.DatetimeIndex([time.tz_localize(None) for time in after])
    return pd.DatetimeIndex(local.append(ahead)), after


def read_values(
    frame: pd.DataFrame, facts: Mapping[str, Any], local: pd.DatetimeIndex, known: int
) -> FloatArray:
    """Read features and target as a model reads them.

    Args:
        frame: n rows and more, the columns of `columns_given`.
        facts: of the model, see `search.serving.served`.
        local: local clock times of all rows and of `horizon` hours after them.
        known: n, see `hours_known`.

    Returns:
        float64 (n, c + 1). Columns known ahead are read `horizon` rows ahead.

    Raises:
        WrongRows: a cell is no finite number.
    """
    horizon = facts["horizon"]
    columns = []
    for name in (*facts["features"], facts["target"]):
        if facts.get("holidays") and name == HOLIDAY:
            days = public_holidays(local, facts["holidays"])
            columns.append(read_ahead(days, known, horizon))
        elif name in facts.get("known_ahead", ()):
            columns.append(read_ahead(read_numbers(frame[name], name), known, horizon))
        else:
            columns.append(read_numbers(frame[name].iloc[:known], name))
    return np.column_stack(columns)


def read_times(
    column: "pd.Series[Any]", name: str, zone: str | None, offsets: bool
) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """Read a column of hourly times.

    Args:
        column: ISO 8601 times, n of them, each an hour after the one before.
        name: of the column, for messages.
        zone: IANA time zone of the local clock, None where none was named.
        offsets: True if the times must say their offset from UTC; plays no part with a zone.

    Returns:
        n instants, as written or in the zone; n local clock times without zone.

    Raises:
        WrongRows: a cell is no time, the offsets are not as expected, or hours are missing.
    """
    try:
        # Offsets that change with the clock are one zone only once they are UTC.
        changing = zone is not None and bool(column.astype(str).str.contains(_OFFSET).all())
        instants = pd.DatetimeIndex(pd.to_datetime(column, format="ISO8601", utc=changing))
    except (ValueError, TypeError) as error:
        raise WrongRows(
            f"column {name!r}: expected times such as 2014-06-30T23:00, all with the same "
            f"offset from UTC or all without: {error}"
        ) from error
    if instants.hasnans:
        raise WrongRows(f"column {name!r}: no time in row {int(np.argmax(instants.isna()))}")
    if zone is None and (instants.tz is not None) != offsets:
        expected = "with" if offsets else "without"
        raise WrongRows(
            f"column {name!r}: expected times {expected} offset from UTC, as the model was "
            f"trained with, found {column.iloc[0]}"
        )
    if zone is not None and instants.tz is not None:
        instants = instants.tz_convert(zone)
    elif zone is not None:
        try:
            instants = instants.tz_localize(zone, ambiguous="infer")
        except ValueError as error:
            raise WrongRows(
                f"column {name!r}: not a clear time in {zone}; write the offset: {error}"
            ) from error
    steps = np.flatnonzero(np.diff(instants.as_unit("s").asi8) != 3600)
    if steps.size:
        at = int(steps[0])
        raise WrongRows(
            f"column {name!r}: expected each row one hour after the one before, found "
            f"{instants[at]} in row {at} and {instants[at + 1]} in row {at + 1}"
        )
    return instants, instants.tz_localize(None)


def read_numbers(column: "pd.Series[Any]", name: str) -> FloatArray:
    """Read a column of finite numbers, float64 (n,).

    Raises:
        WrongRows: a cell is no finite number.
    """
    values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise WrongRows(
            f"column {name!r}: expected a number, found {column.iloc[bad[0]]!s} in row {bad[0]} "
            f"({bad.size} such rows)"
        )
    return np.asarray(values)
