"""Puts rows on a regular grid of time: order, stamps that are slightly off, steps."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.errors import DataError, Way
from data_pipeline.source import DataSource

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 3600 * SECOND
_NAMES: Final = {
    HOUR // 4: "quarter-hourly",
    HOUR // 2: "half-hourly",
    HOUR: "hourly",
    24 * HOUR: "daily",
    168 * HOUR: "weekly",
}
# At most this share of the rows has usage if their step is shorter than that of the usage.
_BETWEEN: Final = 0.55
_REGULAR: Final = 0.95
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of one file.

    Attributes:
        instants: n instants, UTC or naive clock time, microsecond resolution.
        local: n naive local clock times.
        values: float64 (n, c + 1), covariates then target; NaN if a cell is empty.
        lines: int64 (n,), file line of each row; 0 for an hour that the file lacks.
    """

    instants: pd.DatetimeIndex
    local: pd.DatetimeIndex
    values: NDArray[np.float64]
    lines: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lines)

    def take(self, at: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "Rows":
        """The rows at these positions, or where this mask is True."""
        return Rows(self.instants[at], self.local[at], self.values[at], self.lines[at])

    def moved(self, by: Ints) -> "Rows":
        """The same rows, each later by these microseconds."""
        shift = pd.to_timedelta(by, unit="us")
        return replace(self, instants=self.instants + shift, local=self.local + shift)


def in_order(rows: Rows) -> tuple[Rows, tuple[str, ...]]:
    """Sorts the rows by time.

    Args:
        rows: In file order.

    Returns:
        The rows by ascending time, and a note if they were not sorted.
    """
    steps = np.diff(rows.instants.asi8)
    if (steps >= 0).all():
        return rows, ()
    early = int((steps < 0).sum())
    order = np.argsort(rows.instants.asi8, kind="stable")
    first = rows.lines[1:][steps < 0][:1]
    return rows.take(order), (
        f"rows sorted by time: {early} of {len(rows)} came earlier than the row above, first in "
        f"{places.lines(first)}",
    )


def usual_step(times: Ints) -> int:
    """The most frequent distance of neighbours in microseconds, rounded to minutes.

    Args:
        times: int64 (n,), microseconds, in any order. The result is 0 if all are equal.
    """
    # Sorting sorted times is quick; hashing a million of them is not.
    apart: Ints = np.diff(np.sort(times, kind="stable")).astype(np.int64)
    steps = np.diff((np.sort(times, kind="stable") + MINUTE // 2) // MINUTE) * MINUTE
    step = most_frequent(steps[steps > 0])
    return step if step > MINUTE else most_frequent(apart[apart > 0])


def most_frequent(values: Ints) -> int:
    """The most frequent value; 0 if there are no values."""
    if len(values) == 0:
        return 0
    first = int(values[0])
    if int((values == first).sum()) * 2 > len(values):
        return first
    sizes, counts = np.unique(values, return_counts=True)
    return int(sizes[counts.argmax()])


def ahead_of_end(times: Ints, read: NDArray[np.bool_]) -> Ints:
    """The length of each row's period, for stamps that end a period.

    This is the time since the previous stamp. After a gap and for the first row, it is the time to
    the next stamp.

    Args:
        times: int64 (n,), clock times in microseconds, in any order.
        read: bool (n,), rows that have a time.

    Returns:
        int64 (n,), microseconds; 0 if a row has no time.
    """
    found = np.zeros(len(times), np.int64)
    known, inverse = np.unique(times[read], return_inverse=True)
    step = usual_step(known)
    if step <= 0 or len(known) < 2:
        found[read] = HOUR
        return found
    steps = np.diff(known)
    before = np.concatenate((steps[:1], steps))
    after = np.concatenate((steps, steps[-1:]))
    regular = {size for size in _frequent(steps) if HOUR % size == 0} | {step}
    own = np.where(np.isin(before, list(regular)), before, after)
    own = np.where(np.isin(own, list(regular)), own, step)
    found[read] = own[inverse]
    return found


def _frequent(steps: Ints) -> list[int]:
    """Steps that occur at least 24 times: a day of hours."""
    sizes, counts = np.unique(steps, return_counts=True)
    return [int(size) for size, count in zip(sizes, counts, strict=True) if count >= 24]


def snap(times: Ints, lines: Ints) -> tuple[Ints, tuple[str, ...]]:
    """Moves stamps that are less than a minute off the grid onto it.

    That comes before any zone: a second decides whether a clock time exists, or comes twice.

    Args:
        times: int64 (n,), clock times in microseconds, in any order.
        lines: int64 (n,), file lines.

    Returns:
        The times, and what was moved.
    """
    step = usual_step(times)
    if step < 5 * MINUTE:
        return times, ()
    step = np.gcd(step, HOUR)
    if (times % step * 2 == step).all():  # the middles of quarter-hours lie at half a minute
        return times, ()
    offsets = ((times + MINUTE // 2) // MINUTE * MINUTE) % step
    phase = most_frequent(offsets)
    off = (times - phase + step // 2) % step - step // 2
    near = (off != 0) & (np.abs(off) < MINUTE)
    if not near.any():
        return times, ()
    largest = int(np.abs(off[near]).max()) / SECOND
    return np.where(near, times - off, times), (
        f"{int(near.sum())} times less than a minute off (at most {largest:g} s) moved to the full "
        f"{'hour' if step == HOUR and phase == 0 else 'step'}, first in "
        f"{places.lines(lines[near][:1])}",
    )


def name_of(step: int) -> str:
    """A step in words: "hourly", "10-minute"."""
    if step in _NAMES:
        return _NAMES[step]
    if 28 * 24 * HOUR <= step <= 31 * 24 * HOUR:
        return "monthly"
    if step % HOUR == 0:
        return f"{step // HOUR}-hourly"
    minutes, seconds = step / (60 * SECOND), step / SECOND
    return f"{minutes:g}-minute" if step % (60 * SECOND) == 0 else f"{seconds:g}-second"


def drop_between(rows: Rows) -> tuple[Rows, tuple[str, ...]]:
    """Leaves out rows without usage that come between all others, as of a longer step.

    Args:
        rows: Sorted.

    Returns:
        The rows, and a note if some were left out.
    """
    known = ~np.isnan(rows.values[:, -1])
    times = rows.instants.asi8
    step = usual_step(times)
    if not 0 < step < HOUR or known.mean() > _BETWEEN or known.sum() < 2:
        return rows, ()
    longer = usual_step(times[known])
    regular = float((np.diff(times[known]) == longer).mean())
    if longer > HOUR or longer % step or regular < _REGULAR:
        return rows, ()
    return rows.take(known), (
        f"{int((~known).sum())} {name_of(step)} rows without usage between the {name_of(longer)} "
        f"ones left out",
    )


def drop_off_grid(rows: Rows, source: DataSource) -> tuple[Rows, tuple[str, ...]]:
    """Leaves out rows between the steps that have no usage, and refuses the others.

    With `--duplicates`, a row between the steps counts for the previous step.

    Args:
        rows: Sorted.
        source: `--duplicates`, and names for messages.

    Raises:
        DataError: If a row between the steps has usage; the message names the first.
    """
    times = rows.instants.asi8
    step = usual_step(times)
    if len(rows) < 2 or step > HOUR or step <= 0:
        return rows, ()
    grid = _grid(times, step)
    off = (times - grid[1]) % grid[0]
    bad = off != 0
    if not bad.any():
        return rows, ()
    bare = bad & np.isnan(rows.values[:, -1])
    notes = []
    if bare.any():
        at = int(np.argmax(bare))
        notes.append(
            f"{int(bare.sum())} rows between the {name_of(step)} steps, without usage, left out: "
            f"{rows.local[at]} in {places.lines(rows.lines[bare])}"
        )
        rows, off, bad = rows.take(~bare), off[~bare], bad[~bare]
    if bad.any() and source.duplicates is not None:
        notes.append(
            f"{int(bad.sum())} rows between the {name_of(step)} steps counted for the previous "
            f"step ({places.lines(rows.lines[bad])})"
        )
        rows = rows.moved(np.where(bad, -off, 0))
    elif bad.any():
        raise _off_grid(rows, bad, step, source)
    return rows, tuple(notes)


def _grid(times: Ints, step: int) -> tuple[int, int]:
    """The finest frequent step that divides an hour, else `step`; and its usual phase."""
    # Several rows of one time, as of several meters, are not a step.
    fine = [size for size in _frequent(np.diff(times)) if size > 0 and HOUR % size == 0]
    size = min([step, *fine])
    return size, most_frequent(times % size)


def _off_grid(rows: Rows, bad: NDArray[np.bool_], step: int, source: DataSource) -> DataError:
    at = int(np.argmax(bad))
    since = int(rows.instants.asi8[at] - rows.instants.asi8[at - 1]) if at else 0
    few = bad.sum() * 10 < len(rows)
    ways = [
        Way({"duplicates": "first"}, "a row between two steps is left out"),
        Way({"duplicates": "last"}, "it replaces the one before"),
    ]
    return DataError(
        f"{source.file}: expected regular times, found irregular ones: mostly {name_of(step)}, "
        f"but line {rows.lines[at]} is {rows.local[at]}"
        f"{f', {name_of(since)} after the row before' if since else ''}; "
        f"{int(bad.sum())} such rows. Correct the times or average them to hours first.",
        ways if few else (),
    )
