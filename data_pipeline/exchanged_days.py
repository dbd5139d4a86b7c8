"""Day and month that a spreadsheet has exchanged in those rows where both are 12 at most."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.errors import DataError
from data_pipeline.source import DataSource
from data_pipeline.time_text import DAY, Flags, Ints

_WEEK: Final = 7 * DAY
_JUMPS: Final = 2


def need_no_exchange(clock: Ints, read: Flags, text: "pd.Series[str]", source: DataSource) -> None:
    """Refuses rows that follow each other only if day and month are exchanged in some of them.

    Gaps of more than a week are never filled, so such a file cannot be read as it stands.

    Args:
        clock: int64 (n,), microseconds, in file order.
        read: bool (n,), rows that have a time.
        text: The cells, indexed by file line.
        source: Names for messages.

    Raises:
        DataError: With what helps.
    """
    times = clock[read]
    if _jumps(times) < _JUMPS:
        return
    days = (times // DAY).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    day = (days - months).astype(np.int64) + 1
    month = months.astype(np.int64) % 12 + 1
    year = months.astype("datetime64[Y]").astype(np.int64)
    low = day <= 12
    changed = low & (day != month)
    first = ((year * 12) + day - 1).astype("datetime64[M]").astype("datetime64[D]")
    other = np.where(low, first.astype(np.int64) + month - 1, times // DAY)
    if low.all() or not changed.any() or _jumps(other * DAY + times % DAY):
        return
    at = np.flatnonzero(read)[changed]
    raise DataError(
        f"{source.file}: column {source.time_name!r}: day and month are exchanged in "
        f"{len(at)} rows, first {places.quoted(text.iloc[at[0]])} in line {text.index[at[0]]}: as "
        f"written, the rows jump by weeks; with {other[changed][0].astype('datetime64[D]')} there "
        f"they follow each other. A spreadsheet does so if it takes 05/04 for May 4 and leaves "
        f"13/04 as text. Export the file again and import its times as text, or write them as "
        f"2014-04-01 05:00."
    )


def _jumps(times: NDArray[np.int64]) -> int:
    """How often the next row is more than a week away."""
    return int((np.abs(np.diff(times)) > _WEEK).sum())
