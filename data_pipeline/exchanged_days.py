"""Day and month that a spreadsheet has exchanged in those rows where both are 12 at most."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.grid import usual_step
from data_pipeline.time_text import DAY, Flags, Ints

_WEEK: Final = 7 * DAY
_JUMPS: Final = 2
# So many rows must follow each other by the usual step.
_REGULAR: Final = 0.9


def undo_exchange(clock: Ints, read: Flags, text: "pd.Series[str]") -> tuple[Ints, tuple[str, ...]]:
    """Exchanges day and month again in rows that follow the others only so.

    A spreadsheet that takes 05/04 for May 4 leaves 13/04 as text. As written, the rows then jump by
    weeks, and gaps of more than a week are never filled: no series can be read from them.

    Args:
        clock: int64 (n,), microseconds, in file order.
        read: bool (n,), rows that have a time.
        text: The cells, indexed by file line.

    Returns:
        The clock, and a note if it was changed.
    """
    times = clock[read]
    if _jumps(times) < _JUMPS:
        return clock, ()
    days = (times // DAY).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    day = (days - months).astype(np.int64) + 1
    month = months.astype(np.int64) % 12 + 1
    year = months.astype("datetime64[Y]").astype(np.int64)
    low = day <= 12
    changed = low & (day != month)
    first = ((year * 12) + day - 1).astype("datetime64[M]").astype("datetime64[D]")
    other = np.where(low, first.astype(np.int64) + month - 1, times // DAY)
    whole = np.asarray(other * DAY + times % DAY)
    if low.all() or not changed.any() or _jumps(whole) or not _is_regular(whole):
        return clock, ()
    at = np.flatnonzero(read)[changed]
    full = clock.copy()
    full[read] = whole
    return full, (
        f"day and month are exchanged in {len(at)} rows, as a spreadsheet does that takes 05/04 "
        f"for May 4: exchanged again, so that the rows follow each other, first "
        f"{places.quoted(text.iloc[at[0]])} in line {text.index[at[0]]}, read as "
        f"{other[changed][0].astype('datetime64[D]')}",
    )


def _is_regular(times: NDArray[np.int64]) -> bool:
    steps = np.diff(np.sort(times))
    return bool((steps == usual_step(times)).mean() >= _REGULAR)


def _jumps(times: NDArray[np.int64]) -> int:
    """How often the next row is more than a week away."""
    return int((np.abs(np.diff(times)) > _WEEK).sum())
