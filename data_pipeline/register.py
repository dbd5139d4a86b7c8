"""Readings of a register: usage is the difference of two of them."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.errors import DataError, Way
from data_pipeline.grid import HOUR, Rows, usual_step
from data_pipeline.source import DataSource
from data_pipeline.time_text import DAY

# In this many rows, a column that never falls is taken for a register.
_ROWS: Final = 200
_RISES: Final = 20
# The step over the end of a register is at most so many times as large as the other ones.
_SANE: Final = 1.5
# Registers have three digits at least.
_SMALLEST: Final = 1000.0
# A counter of a day or month falls so often at least, to so much of what it was, after so many rows
# on average; it rises in so many steps. Below so much of a usual step, it has just begun.
_RESETS: Final = 2
_SAME_TIME: Final = 0.8
_RAMP: Final = 20
_BEGUN: Final = 0.25
_RISING: Final = 0.3
_JUST_BEGUN: Final = 0.1
# A register that rolls over was that near its end before.
_NEAR_END: Final = 0.9


def difference(rows: Rows, source: DataSource) -> tuple[Rows, tuple[str, ...]]:
    """Turns readings of a register into the usage since the previous reading.

    If a reading is lower than the previous one, the register has rolled over its last digit, or the
    meter was exchanged. An exchange has no usage, and neither has a step across a gap.

    Args:
        rows: Sorted, without duplicates, on a grid.
        source: `--register`, names for messages, and `--stamp` if it was given or the file says it.

    Raises:
        DataError: If the target looks like a register and nothing says whether it is one.
    """
    usage = rows.values[:, -1]
    if source.cumulative is None:
        if _looks_cumulative(usage, source) or (source.edition > 1 and _resets(rows).any()):
            raise _ask(usage, source)
        return rows, ()
    if not source.cumulative:
        return rows, ()
    step = usual_step(rows.instants.asi8)
    used = np.concatenate(([np.nan], np.diff(usage)))
    apart = np.concatenate(([0], np.diff(rows.instants.asi8)))
    wide = (apart > max(step, HOUR)) | (apart == 0)
    notes = [f"usage is the difference of two readings, {len(rows) - 1} differences"]
    if source.edition > 1:
        rolled, size = _rolled_over(usage, used)
        if rolled.any():
            used[rolled] += size
            notes.append(
                f"readings roll over at {size:.0f} in {places.lines(rows.lines[rolled])}: the "
                f"usage there goes on beyond it"
            )
        reset = _resets(rows) & ~rolled
        if reset.any():
            used[reset] = usage[reset]
            # The reading was taken when the counter had just begun again.
            rises = used[(used > 0) & ~reset]
            used[reset & (usage < _JUST_BEGUN * np.median(rises))] = np.nan
            notes.append(
                f"the counter begins at 0 again {int(reset.sum())} times, first in "
                f"{places.lines(rows.lines[reset][:1])}"
            )
    fell = used < 0
    used[fell | wide] = np.nan
    if fell.any():
        notes.append(
            f"readings fall in {places.lines(rows.lines[fell])}, as if the meter was exchanged: "
            f"no usage there"
        )
    values = np.column_stack([rows.values[:, :-1], used])
    return Rows(rows.instants, rows.local, values, rows.lines), tuple(notes)


def _rolled_over(
    usage: NDArray[np.float64], used: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], float]:
    """Where readings pass the end of the register, bool (n,), and its size, a power of ten.

    That is the only sane reading if each step beyond the end is as small as the other steps.
    """
    fell = used < 0
    nowhere = np.zeros(len(used), np.bool_)
    rises = used[used >= 0]
    if not fell.any() or len(rises) == 0:
        return nowhere, 0.0
    largest = float(np.nanmax(usage))
    size = 10.0 ** np.ceil(np.log10(largest)) if largest > 0 else 0.0
    before = np.concatenate(([np.nan], usage[:-1]))
    if size < _SMALLEST:
        return nowhere, 0.0
    steps = used + size
    sane = fell & (steps <= _SANE * float(np.quantile(rises, 0.99))) & (before >= _NEAR_END * size)
    return (sane, size) if sane.any() else (nowhere, 0.0)


def _resets(rows: Rows) -> NDArray[np.bool_]:
    """Readings after a counter of a day or a month has begun again, bool (n,).

    It falls to a small part of what it was, at the same time of day, and rises for long before it
    falls again.
    """
    usage = rows.values[:, -1]
    at = np.flatnonzero(~np.isnan(usage))
    nowhere = np.zeros(len(usage), np.bool_)
    steps = np.diff(usage[at])
    fell = np.flatnonzero(steps < 0)
    if len(fell) < _RESETS or len(at) < _RAMP * len(fell) or (steps > 0).mean() < _RISING:
        return nowhere
    if (usage[at[fell + 1]] > _BEGUN * usage[at[fell]]).any() or usage[at].min() < 0:
        return nowhere
    clock = rows.local[at[fell + 1]].asi8 % DAY
    if (clock == np.median(clock)).mean() < _SAME_TIME:
        return nowhere
    nowhere[at[fell + 1]] = True
    return nowhere


def _looks_cumulative(usage: NDArray[np.float64], source: DataSource) -> bool:
    known = usage[~np.isnan(usage)]
    if len(known) < _ROWS:
        return False
    steps = np.diff(known)
    falls = int((steps < 0).sum())
    if falls > 1 and source.edition > 1:
        rolled, _ = _rolled_over(known, np.concatenate(([np.nan], steps)))
        falls -= int(rolled.sum())
    rising = float(known.max() - known.min()) > 0 and int((steps > 0).sum()) > _RISES
    return falls <= 1 and rising


def _ask(usage: NDArray[np.float64], source: DataSource) -> DataError:
    known = usage[~np.isnan(usage)]
    falls = int((np.diff(known) < 0).sum())
    how = ("never falls", "falls once")[falls] if falls < 2 else f"falls {falls} times"
    readings: list[Way] = [Way({"cumulative": True}, "usage is the difference of two readings")]
    if source.stamp is None:
        readings = [
            Way(
                {"cumulative": True, "stamp": "end"},
                "readings of a register, each taken at the time of its row",
            ),
            Way(
                {"cumulative": True, "stamp": "begin"},
                "readings of a register, each taken one step after the time of its row",
            ),
        ]
    return DataError(
        f"{source.file}: column {source.target!r} rises from {known[0]:g} to {known[-1]:g} "
        f"and {how}, like the readings of a register.",
        [*readings, Way({"cumulative": False}, "the values are usage")],
    )
