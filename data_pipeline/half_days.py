"""A 12-hour clock without AM and PM: the order of the rows tells the halves of the day apart."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.errors import DataError, Way
from data_pipeline.source import DataSource
from data_pipeline.time_forms import HALVES
from data_pipeline.time_text import DAY, HOUR, Flags, Ints

_HALF: Final = 12 * HOUR
# So many rows, and so many of them with a time that comes twice, show such a clock.
_ROWS: Final = 24
_TWICE: Final = 0.5
# Columns beside, and their cells, that are looked at.
_COLUMNS: Final = 40
_SAMPLE: Final = 200


def on_24_hours(
    clock: Ints,
    hour: Ints,
    read: Flags,
    text: "pd.Series[str]",
    others: pd.DataFrame,
    source: DataSource,
) -> tuple[Ints, tuple[str, ...]]:
    """Turns the hours 12, 1 .. 11, 12, 1 .. 11 of each day into 0 .. 23.

    Args:
        clock: int64 (n,), microseconds, in file order.
        hour: int64 (n,), the hour as written; -1 if there is none.
        read: bool (n,), rows that have a time.
        text: The cells, indexed by file line.
        others: Columns that were not asked for; one may hold AM and PM.
        source: Names for messages.

    Returns:
        The clock, and a note if it was changed.

    Raises:
        DataError: If hours run from 1 to 12 twice a day and the rows are in no order that tells.
    """
    hours = hour[read]
    if len(hours) < _ROWS or hours.max() > 12 or hours.min() < 1 or source.edition == 1:
        return clock, ()
    if pd.Series(clock[read]).duplicated(keep=False).mean() < _TWICE:
        return clock, ()
    morning = clock[read] - (hours // 12) * _HALF
    newest_first = morning[0] > morning[-1]
    found = _afternoons(morning[::-1] if newest_first else morning)
    if found is None:
        at = int(np.flatnonzero(read)[_first_odd(morning)])
        raise DataError(
            f"{source.file}: line {text.index[at]}, column {source.time_name!r}: the hours run "
            f"from 1 to 12 twice a day, a 12-hour clock without AM and PM, and from "
            f"{places.quoted(text.iloc[at])} on the order of the rows does not tell the halves of "
            f"the day. Export the file with hours 0 to 23, with AM and PM, or with its rows in the "
            f"order of time.",
            [
                Way({"time": (*source.time, str(name))}, "it holds AM and PM")
                for name, cells in others.iloc[:, :_COLUMNS].items()
                if holds_halves(cells)
            ],
        )
    full = clock.copy()
    full[read] = morning + (found[::-1] if newest_first else found) * _HALF
    note = "a 12-hour clock without AM and PM: the second 12 hours of each day are the afternoon"
    return full, (note,)


def holds_halves(cells: "pd.Series[str]") -> bool:
    """True for a column of two words for the halves of a day, such as AM and PM."""
    kinds = {str(one).strip().lower() for one in cells.iloc[:_SAMPLE].unique()}
    return 1 <= len(kinds) <= 2 and kinds <= HALVES


def _first_odd(morning: Ints) -> int:
    """The first row of the first whole day whose hours do not begin again exactly once."""
    days = morning // DAY
    new_day = np.concatenate(([True], np.diff(days) != 0))
    falls = np.concatenate(([False], np.diff(morning) <= 0)) & ~new_day
    count = np.bincount(np.cumsum(new_day) - 1, falls)
    odd = np.flatnonzero(count[1:-1] != 1)
    return int(np.flatnonzero(new_day)[odd[0] + 1]) if len(odd) else 0


def _afternoons(morning: Ints) -> NDArray[np.bool_] | None:
    """Rows after noon, bool (n,); None if the order of the rows does not tell.

    Args:
        morning: int64 (n,), times as if all were before noon, oldest first.
    """
    days = morning // DAY
    new_day = np.concatenate(([True], np.diff(days) != 0))
    falls = np.concatenate(([False], np.diff(morning) <= 0)) & ~new_day
    group = np.cumsum(new_day) - 1
    count = np.bincount(group, falls).astype(np.int64)
    starts = np.flatnonzero(new_day)
    late = np.cumsum(falls) - np.cumsum(falls)[starts][group] > 0
    if len(starts) < 2 or (count[1:-1] != 1).any() or count[[0, -1]].max() > 1:
        return None
    if count[0] == 0:
        # A first day without its morning ends where the next one begins.
        step = int(np.median(np.diff(morning[~new_day & ~falls]))) if len(morning) > 2 else 0
        if morning[starts[1] - 1] % DAY + step < _HALF or morning[starts[1]] % DAY != 0:
            return None
        late[: starts[1]] = True
    if count[-1] == 0 and morning[starts[-1]] % DAY != 0:
        return None
    full = morning + late * _HALF
    return late if (np.diff(full) > 0).all() else None
