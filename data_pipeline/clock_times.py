"""The times of a file as its clock shows them, before any zone."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from data_pipeline.time_text import Flags, Ints


@dataclass(frozen=True, eq=False)
class ClockTimes:
    """Clock times of n rows, in file order.

    Attributes:
        clock: int64 (n,), microseconds since 1970 as the file's clock shows.
        read: bool (n,), whether the row has a time at all.
        offset: int64 (n,), microseconds ahead of UTC, or None if the file writes none.
        fold: int8 (n,), 0 or 1 for the first or second of two hours with one name, else -1.
        hour: int64 (n,), the number of the hour in its day; -1 if the file writes a clock time.
        day: int64 (n,), days since 1970; `hour` counts within this day.
        zone: (n,) letters of a zone in each row, or None.
        flags: Text of a column that tells summer from winter or first from second, or None.
        date_format: The decided format, for the reading rules; None if there was no choice.
        stamp: "begin" or "end" if the file says which; else None.
        why: How the file says so.
        notes: What was done on the way, one sentence each.
    """

    clock: Ints
    read: Flags
    offset: Ints | None
    fold: NDArray[np.int8]
    hour: Ints
    day: Ints
    zone: NDArray[np.object_] | None
    flags: NDArray[np.object_] | None
    date_format: str | None
    stamp: str | None
    why: str
    notes: tuple[str, ...]

    def take(self, at: Flags) -> "ClockTimes":
        """The rows where this mask is True."""
        if at.all():
            return self
        parts = {
            name: value[at] if isinstance(value := getattr(self, name), np.ndarray) else value
            for name in ("clock", "read", "offset", "fold", "hour", "day", "zone", "flags")
        }
        return replace(self, **parts)  # type: ignore[arg-type]
