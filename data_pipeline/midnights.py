"""Midnights that have the date of the day that they end: 23:00, 00:00, then 01:00 a day later."""

from typing import Final

import numpy as np

from data_pipeline import places
from data_pipeline.errors import DataError, Way
from data_pipeline.source import DataSource
from data_pipeline.time_text import DAY, Ints

# So many rows that come too early, all of them at midnight, are no accident.
_FEWEST: Final = 3


def move_midnights(
    clock: Ints, lines: Ints, stamp: str | None, source: DataSource
) -> tuple[Ints, tuple[str, ...]]:
    """Moves midnights to the end of the day whose date they have, if times are ends.

    That comes before any zone: days may have 23 or 25 hours.

    Args:
        clock: int64 (n,), clock times in microseconds, in file order.
        lines: int64 (n,), file lines.
        stamp: "begin", "middle" or "end"; None if nothing says which.
        source: Names for messages.

    Returns:
        The times, and a note if some were moved.

    Raises:
        DataError: If rows are in order but for each midnight, and nothing says what times are.
    """
    if stamp in ("begin", "middle") or (stamp == "end" and source.edition == 1):
        return clock, ()
    back = np.diff(clock) < 0
    if back.sum() < _FEWEST:
        return clock, ()
    at = np.flatnonzero(back) + 1
    day = clock // DAY
    # The row below belongs to a later day; the last row has none below.
    below = day[np.minimum(at + 1, len(day) - 1)]
    alone = (below > day[at]) | (at == len(day) - 1)
    if not ((clock[at] % DAY == 0) & (day[at] == day[at - 1]) & alone).all():
        return clock, ()
    if np.isin(clock[at], np.delete(clock, at)).any():
        return clock, ()
    where = places.lines(lines[at[:1]])
    if stamp == "end":
        moved = clock.copy()
        moved[at] += DAY
        return moved, (
            f"{len(at)} times of 00:00 stand below the later hours of the same day, first in "
            f"{where}: read as the end of that day",
        )
    raise DataError(
        f"{source.file}: {len(at)} times of 00:00 stand below the later hours of the same day, "
        f"first in {where}. Either midnight has the date of the day that it ends, or these rows "
        f"are out of order; no row tells which. Write midnight as 24:00 or with the date of the "
        f"day that begins, or say what the times are.",
        [
            Way({"stamp": "end"}, "times are ends, and midnight has the date of the day it ends"),
            Way({"stamp": "begin"}, "times are begins, and these rows are out of order"),
        ],
    )
