"""A value for every hour: gaps at the ends are cut off, gaps inside are filled or refused."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.clock import zones_that_change
from data_pipeline.errors import DataError, Way
from data_pipeline.grid import HOUR, Rows
from data_pipeline.report import Gaps
from data_pipeline.source import DataSource


@dataclass(frozen=True, eq=False)
class Filled:
    """Rows without gaps and NaN, what was missing, the repairs, and which hours were filled."""

    rows: Rows
    gaps: Gaps | None
    notes: tuple[str, ...]
    filled: NDArray[np.bool_]


def cut_ends(rows: Rows, source: DataSource) -> tuple[Rows, tuple[str, ...]]:
    """Leaves out hours without usage at both ends.

    Args:
        rows: Sorted, whole hours apart.
        source: Names for messages.

    Raises:
        DataError: If no row has usage.
    """
    known = np.flatnonzero(~np.isnan(rows.values[:, -1]))
    if len(known) == 0:
        raise DataError(
            f"{source.file}: column {source.target!r}: expected values, found none in {len(rows)} "
            f"rows. Choose another column by --target."
        )
    first, stop = int(known[0]), int(known[-1]) + 1
    notes = []
    if first:
        notes.append(
            f"the first {first} hours, {places.clock(rows.local[0])} to "
            f"{places.clock(rows.local[first - 1])}, have no {source.target!r} and are left out"
        )
    if stop < len(rows):
        ahead = " and ".join(map(repr, source.known_ahead))
        notes.append(
            f"the last {len(rows) - stop} hours, {places.clock(rows.local[stop])} to "
            f"{places.clock(rows.local[-1])}, have no {source.target!r} yet and "
            + (f"only a forecast reads their {ahead}" if ahead else "are left out")
        )
    return rows.take(slice(first, stop)), tuple(notes)


def fill_gaps(rows: Rows, source: DataSource) -> Filled:
    """Gives every hour a row and every cell a value, as `--gaps` says.

    Interpolation is linear in time between the nearest values on both sides. So a filled gap across
    the border of two splits depends on one value of the later split. The default is `--gaps error`.

    Args:
        rows: Sorted, whole hours apart, NaN if a cell is empty.
        source: `--gaps`, `--max-gap` and the column names.

    Raises:
        DataError: If hours or cells are missing and `--gaps` is "error", or if a run of them is
            longer than `--max-gap` or open at one end.
    """
    gaps = _missing_hours(rows, source)
    empty = np.isnan(rows.values)
    if gaps is None and not empty.any():
        return Filled(rows, None, (), np.zeros(len(rows), np.bool_))
    if source.gaps == "error":
        raise _gap_fault(rows, gaps, empty, source)
    if gaps is not None and gaps.longest > source.max_gap:
        raise _too_long(rows, gaps, source)
    full = _insert_hours(rows, source)
    _refuse_long_runs(full, source)
    missing = np.isnan(full.values)
    values = pd.DataFrame(full.values).interpolate(limit_area="inside").to_numpy(np.float64)
    notes = [] if gaps is None else [f"{gaps.count} missing hours interpolated"]
    notes += [
        f"{count} empty cells of {name!r} interpolated"
        for name, count in zip(source.value_columns, empty.sum(axis=0), strict=True)
        if count
    ]
    return Filled(replace(full, values=values), gaps, tuple(notes), np.asarray(missing.any(axis=1)))


def last_run(rows: Rows, source: DataSource) -> tuple[Rows, tuple[str, ...]]:
    """The hours after the last gap that is not filled. A forecast needs only these.

    Args:
        rows: Sorted, whole hours apart, NaN if a cell is empty.
        source: `--gaps`, `--max-gap`.

    Returns:
        The rows, and what was left out.
    """
    longest = source.max_gap if source.gaps == "interpolate" else 0
    full = _insert_hours(rows, source)
    start = 0
    for column in np.isnan(full.values).T:
        for first, stop in places.runs(column):
            if stop - first > longest or first == 0:
                start = max(start, stop)
    if start == 0:
        return rows, ()
    if start >= len(full):
        return rows, ()
    kept = rows.instants >= full.instants[start]
    return rows.take(np.asarray(kept)), (
        f"hours before {places.clock(full.local[start])} left out: there are gaps in them",
    )


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


def _too_long(rows: Rows, gaps: Gaps, source: DataSource) -> DataError:
    ways = [Way({"max_gap": gaps.longest})] if gaps.longest <= 168 else []
    ways.append(_part_without(rows, source))
    return DataError(
        f"{source.file}: expected gaps of at most {source.max_gap} hours (--max-gap), found "
        f"{_describe(gaps)}. Raise --max-gap, fill the hours, or use a period without them.",
        ways,
    )


def _part_without(rows: Rows, source: DataSource) -> Way:
    """The longest part of the series without a gap that is too long to be interpolated."""
    steps = np.diff(rows.instants.asi8) // HOUR - 1
    borders = np.flatnonzero(steps > source.max_gap)
    starts = [0, *(borders + 1).tolist()]
    stops = [*(borders + 1).tolist(), len(rows)]
    longest = max(range(len(starts)), key=lambda one: stops[one] - starts[one])
    first, last = rows.local[starts[longest]], rows.local[stops[longest] - 1]
    inside = {
        "start": str((first + pd.Timedelta(hours=23)).date()) if starts[longest] else source.start,
        "end": str((last - pd.Timedelta(hours=23)).date())
        if stops[longest] < len(rows)
        else source.end,
    }
    return Way(inside, "the longest part without such a gap")


def _gap_fault(
    rows: Rows, gaps: Gaps | None, empty: NDArray[np.bool_], source: DataSource
) -> DataError:
    found = [] if gaps is None else [_describe(gaps)]
    found += [
        f"{column.sum()} empty cells in column {name!r} ({places.lines(rows.lines[column])})"
        for name, column in zip(source.value_columns, empty.T, strict=True)
        if column.any()
    ]
    hint = f"Fill them, or give --gaps interpolate (runs of at most {source.max_gap} h, --max-gap)"
    ways = []
    if gaps is not None and source.tz is None and rows.instants.tz is None:
        hint += "; if the spring clock change skips these hours, give --tz"
        ways = [
            Way({"tz": zone} | more, "the spring clock change")
            for zone in _spring_zones(rows)
            for more in ({}, {"stamp": "end"})
            if not more or source.stamp is None
        ]
    elif gaps is not None and source.tz is not None and source.stamp is None:
        ways = [Way({"stamp": "end"}, "times are ends")]
    if gaps is not None and gaps.longest > source.max_gap:
        # Nobody should be led to invent days where there is a part without such a gap.
        part = _part_without(rows, source)
        ways.append(Way({"gaps": "interpolate", **part.changes}, part.meaning))
    ways.append(Way({"gaps": "interpolate"}))
    return DataError(
        f"{source.file}: expected a value for every hour, found {' and '.join(found)}. {hint}.",
        ways,
    )


def _spring_zones(rows: Rows) -> list[str]:
    """Zones whose clock skips the missing hours, if each gap is one hour."""
    steps = np.diff(rows.instants.asi8) // HOUR - 1
    at = np.flatnonzero(steps)
    if not (steps[at] == 1).all() or len(at) > 20:
        return []
    fits = [set(zones_that_change(rows.local[one] + pd.Timedelta(hours=1))) for one in at.tolist()]
    return sorted(set.intersection(*fits))


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
    """Local clock times of any instants that are not before the first row."""
    if rows.instants.tz is not None and source.tz is not None:
        return _instants(rows, microseconds).tz_convert(source.tz).tz_localize(None)
    # A missing hour has the offset of the last row before it.
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
            if stop - first == len(full):
                raise DataError(f"{where}: expected numbers, found none in the whole column.")
            if first == 0 or stop == len(full):
                day = pd.Timedelta(hours=24)
                inside = (
                    {"start": str((full.local[stop] + day - pd.Timedelta(hours=1)).date())}
                    if first == 0
                    else {"end": str((full.local[first - 1] - day + pd.Timedelta(hours=1)).date())}
                )
                raise DataError(
                    f"{where}: expected values on both sides of a gap, found none on one. "
                    f"Choose days without it.",
                    [Way(inside)],
                )
            if stop - first > source.max_gap:
                ways = [Way({"max_gap": stop - first})] if stop - first <= 168 else ()
                raise DataError(
                    f"{where}: expected gaps of at most {source.max_gap} hours (--max-gap), found "
                    f"{stop - first} hours without a value. Raise --max-gap, fill them, or use a "
                    f"period without them.",
                    ways,
                )
