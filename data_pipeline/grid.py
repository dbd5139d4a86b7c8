"""From rows as written to one row an hour: order, duplicates, frequency, gaps."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.errors import DataError
from data_pipeline.report import Gaps
from data_pipeline.source import DataSource

SECOND: Final = 1_000_000
HOUR: Final = 3600 * SECOND
_NAMES: Final = {
    HOUR // 4: "quarter-hourly",
    HOUR // 2: "half-hourly",
    HOUR: "hourly",
    24 * HOUR: "daily",
    168 * HOUR: "weekly",
}


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of one file.

    Attributes:
        instants: n instants, UTC or naive clock time, microsecond resolution.
        local: n naive local clock times.
        values: float64 (n, c + 1), covariates then target; NaN where a cell is empty.
        lines: int64 (n,), file line of each row; 0 for an hour that the file lacks.
    """

    instants: pd.DatetimeIndex
    local: pd.DatetimeIndex
    values: NDArray[np.float64]
    lines: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lines)

    def take(self, at: NDArray[np.intp] | NDArray[np.bool_]) -> "Rows":
        """The rows at these positions, or where this mask is True."""
        return Rows(self.instants[at], self.local[at], self.values[at], self.lines[at])


def in_order(rows: Rows) -> tuple[Rows, tuple[str, ...]]:
    """Sorts the rows by time; the second value says so if they were not sorted.

    Args:
        rows: In file order.

    Returns:
        The rows by ascending time, and the repairs.
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


def refuse_duplicates(rows: Rows, source: DataSource) -> None:
    """Refuses two rows of one instant.

    Args:
        rows: Sorted.
        source: Names the file; says whether `--tz` was given.

    Raises:
        DataError: With the number and the places of the repeated rows.
    """
    again = np.flatnonzero(np.diff(rows.instants.asi8) == 0) + 1
    if len(again) == 0:
        return
    found = [
        f"{places.clock(rows.local[at])} (lines {rows.lines[at - 1]} and {rows.lines[at]})"
        for at in again[: places.SHOWN].tolist()
    ]
    hint = "Remove all but one row of each"
    if source.tz is None and rows.instants.tz is None:
        hint += ", or, if they are the hours of the autumn clock change, give --tz"
    raise DataError(
        f"{source.file}: column {source.time!r}: expected each time once, found {len(again)} "
        f"duplicates: {places.some(found, len(again))}. {hint}."
    )


def to_hours(rows: Rows, source: DataSource) -> tuple[Rows, str, tuple[str, ...]]:
    """Checks that the rows are hourly, gaps aside, and averages finer ones when asked.

    Args:
        rows: Sorted, without duplicates.
        source: `--resample`.

    Returns:
        Rows that are whole hours apart, the name of the frequency found, and the repairs.

    Raises:
        DataError: If the frequency is not hourly; it names the frequency found.
    """
    if len(rows) < 2:
        raise DataError(f"{source.file}: expected at least 2 rows, found {len(rows)}. Add rows.")
    step = _step(rows)
    if step == HOUR:
        _refuse_off_grid(rows, HOUR, source)
        return rows, "hourly", ()
    name = _name(step)
    if step > HOUR:
        raise DataError(
            f"{source.file}: expected hourly rows, found {name} ones ({places.clock(rows.local[0])}"
            f", then {places.clock(rows.local[1])}). Give hourly data: finer values cannot be "
            f"made from coarser ones."
        )
    _refuse_off_grid(rows, step, source)
    if HOUR % step:
        raise DataError(
            f"{source.file}: expected hourly rows, found {name} ones, which do not fill an hour. "
            f"Average them to hours first."
        )
    if source.resample is None:
        raise DataError(
            f"{source.file}: expected hourly rows, found {name} ones. Give --resample mean to "
            f"average the {HOUR // step} values of each hour."
        )
    hours, repairs = _average(rows, HOUR // step)
    if len(hours) < 2:
        raise DataError(f"{source.file}: expected at least 2 whole hours, found {len(hours)}.")
    _refuse_off_grid(hours, HOUR, source)
    return hours, f"{name}, averaged to hourly", repairs


def fill_gaps(rows: Rows, source: DataSource) -> tuple[Rows, Gaps | None, tuple[str, ...]]:
    """Puts a row at every hour and a value in every cell, by the policy of `--gaps`.

    Interpolation is linear in time between the nearest values on both sides. A filled gap that
    lies across the border of two splits therefore knows one value of the later one; `--gaps error`
    is the default.

    Args:
        rows: Sorted, whole hours apart, NaN where a cell is empty.
        source: `--gaps`, `--max-gap` and the column names.

    Returns:
        Gapless rows without NaN, what was missing, and the repairs.

    Raises:
        DataError: If hours or cells are missing and `--gaps` is "error", or if a run of them is
            longer than `--max-gap` or open at one end.
    """
    gaps = _missing_hours(rows, source)
    empty = np.isnan(rows.values)
    if gaps is None and not empty.any():
        return rows, None, ()
    if source.gaps == "error":
        raise DataError(_gap_fault(rows, gaps, empty, source))
    if gaps is not None and gaps.longest > source.max_gap:
        raise DataError(
            f"{source.file}: expected gaps of at most {source.max_gap} hours (--max-gap), found "
            f"{_describe(gaps)}. Raise --max-gap, fill the hours, or use a period without them."
        )
    full = _insert_hours(rows, source)
    _refuse_long_runs(full, source)
    values = pd.DataFrame(full.values).interpolate(limit_area="inside").to_numpy(np.float64)
    repairs = [] if gaps is None else [f"{gaps.count} missing hours interpolated"]
    repairs += [
        f"{count} empty cells of {name!r} interpolated"
        for name, count in zip(source.value_columns, empty.sum(axis=0), strict=True)
        if count
    ]
    return replace(full, values=values), gaps, tuple(repairs)


def _step(rows: Rows) -> int:
    steps, counts = np.unique(np.diff(rows.instants.asi8), return_counts=True)
    return int(steps[counts.argmax()])


def _name(step: int) -> str:
    if step in _NAMES:
        return _NAMES[step]
    if 28 * 24 * HOUR <= step <= 31 * 24 * HOUR:
        return "monthly"
    if step % HOUR == 0:
        return f"{step // HOUR}-hourly"
    minutes, seconds = step / (60 * SECOND), step / SECOND
    return f"{minutes:g}-minute" if step % (60 * SECOND) == 0 else f"{seconds:g}-second"


def _refuse_off_grid(rows: Rows, step: int, source: DataSource) -> None:
    steps = np.diff(rows.instants.asi8)
    off = np.flatnonzero(steps % step != 0) + 1
    if len(off):
        at = int(off[0])
        raise DataError(
            f"{source.file}: expected regular times, found irregular ones: mostly {_name(step)}, "
            f"but line {rows.lines[at]} is {rows.local[at]}, {_name(int(steps[at - 1]))} after the "
            f"row before; {len(off)} such rows. Correct the times or average them to hours first."
        )


def _average(rows: Rows, expected: int) -> tuple[Rows, tuple[str, ...]]:
    # The hour is that of the local clock, which in some zones is not a whole hour of UTC.
    within = rows.local.asi8 % HOUR
    starts = rows.instants.asi8 - within
    _, first, counts = np.unique(starts, return_index=True, return_counts=True)
    values = np.add.reduceat(rows.values, first, axis=0) / counts[:, np.newaxis]
    part = counts != expected
    values[part] = np.nan
    back = pd.to_timedelta(within[first], unit="us")
    hours = Rows(rows.instants[first] - back, rows.local[first] - back, values, rows.lines[first])
    repairs = [f"{len(rows)} rows averaged to {len(hours)} hours"]
    whole = np.flatnonzero(~part)
    kept = slice(whole[0], whole[-1] + 1) if len(whole) else slice(0, 0)
    cut = len(hours) - (kept.stop - kept.start)
    if cut:
        repairs.append(f"{cut} incomplete hours cut off at the ends")
    return hours.take(np.arange(len(hours))[kept]), tuple(repairs)


def _missing_hours(rows: Rows, source: DataSource) -> Gaps | None:
    missing = np.diff(rows.instants.asi8) // HOUR - 1
    at = np.flatnonzero(missing)
    if len(at) == 0:
        return None
    first, last = at[0], at[-1]
    ends = rows.instants.asi8[[first, last]] + HOUR * np.array([1, missing[last]])
    local = _local(rows, ends, source)
    return Gaps(
        count=int(missing.sum()),
        longest=int(missing.max()),
        first=places.clock(local[0]),
        last=places.clock(local[1]),
    )


def _describe(gaps: Gaps) -> str:
    return (
        f"{gaps.count} missing hours (first {gaps.first}, last {gaps.last}, "
        f"longest gap {gaps.longest} h)"
    )


def _gap_fault(rows: Rows, gaps: Gaps | None, empty: NDArray[np.bool_], source: DataSource) -> str:
    found = [] if gaps is None else [_describe(gaps)]
    found += [
        f"{column.sum()} empty cells in column {name!r} ({places.lines(rows.lines[column])})"
        for name, column in zip(source.value_columns, empty.T, strict=True)
        if column.any()
    ]
    hint = f"Fill them, or give --gaps interpolate (runs of at most {source.max_gap} h, --max-gap)"
    if gaps is not None and source.tz is None and rows.instants.tz is None:
        hint += "; hours that the spring clock change skips are explained by --tz"
    return f"{source.file}: expected a value for every hour, found {' and '.join(found)}. {hint}."


def _insert_hours(rows: Rows, source: DataSource) -> Rows:
    start = int(rows.instants.asi8[0])
    at = (rows.instants.asi8 - start) // HOUR
    hours = start + HOUR * np.arange(at[-1] + 1, dtype=np.int64)
    values = np.full((len(hours), rows.values.shape[1]), np.nan)
    values[at] = rows.values
    lines = np.zeros(len(hours), np.int64)
    lines[at] = rows.lines
    return Rows(_instants(rows, hours), _local(rows, hours, source), values, lines)


def _instants(rows: Rows, microseconds: NDArray[np.int64]) -> pd.DatetimeIndex:
    instants = pd.DatetimeIndex(microseconds.view("datetime64[us]"))
    return instants if rows.instants.tz is None else instants.tz_localize("UTC")


def _local(rows: Rows, microseconds: NDArray[np.int64], source: DataSource) -> pd.DatetimeIndex:
    """Local clock times of any instants from the first row on."""
    if rows.instants.tz is not None and source.tz is not None:
        return _instants(rows, microseconds).tz_convert(source.tz).tz_localize(None)
    # An hour that was not written has the offset of the last one that was.
    before = np.searchsorted(rows.instants.asi8, microseconds, "right") - 1
    offsets = (rows.local.asi8 - rows.instants.asi8)[before]
    return pd.DatetimeIndex((microseconds + offsets).view("datetime64[us]"))


def _refuse_long_runs(full: Rows, source: DataSource) -> None:
    for name, column in zip(source.value_columns, np.isnan(full.values).T, strict=True):
        for first, stop in places.runs(column):
            where = (
                f"{source.file}: column {name!r}: {places.clock(full.local[first])} to "
                f"{places.clock(full.local[stop - 1])}"
            )
            if first == 0 or stop == len(full):
                raise DataError(
                    f"{where}: expected values on both sides of a gap, found none on one. "
                    f"Remove these rows at the end of the file."
                )
            if stop - first > source.max_gap:
                raise DataError(
                    f"{where}: expected gaps of at most {source.max_gap} hours (--max-gap), found "
                    f"{stop - first} hours without a value. Raise --max-gap, fill them, or use a "
                    f"period without them."
                )
