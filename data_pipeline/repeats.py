"""Rows with equal times: exact repeats are dropped; others are refused with options."""

import itertools
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.clock import zones_that_change
from data_pipeline.errors import DataError, Way
from data_pipeline.grid import Rows
from data_pipeline.source import DataSource
from data_pipeline.time_text import ORDERS, read_cells

# A column that tells several meters apart has at most this many values.
_METERS: Final = 50
_LISTED: Final = 6
# Values of which pairs are looked at, cells that show what a column holds, and hours of a day.
_TURNS: Final = 8
_CLOCKS: Final = 200
_HOURS: Final = 23
_PERIODS: Final = [str(one) for one in range(1, 101)]
_LEFT: Final = 25


def drop_repeats(
    rows: Rows, others: pd.DataFrame, source: DataSource
) -> tuple[Rows, tuple[str, ...]]:
    """Keeps one row for each time.

    Args:
        rows: Sorted.
        others: Columns that were not asked for, by file line. One of them may tell meters apart.
        source: `--duplicates`, and names for messages.

    Raises:
        DataError: If rows with equal times differ and no option says which row counts.
    """
    times = rows.instants.asi8
    again = np.concatenate(([False], np.diff(times) == 0))
    if not again.any():
        return rows, ()
    if source.duplicates is not None:
        return _resolve(rows, again, source.duplicates)
    same = again & _as_before(rows.values)
    # A repeat need not be next to the row that it repeats.
    if not same[again].all():
        group = np.cumsum(~again)
        same = _as_first(rows.values, group) & again
    differing = again & ~same
    if differing.any():
        raise _differing(rows, again, differing, others, source)
    if _is_clock_change(rows, again, source):
        raise _differing(rows, again, again, others, source)
    note = f"{int(again.sum())} repeated rows left out, equal to others of the same time ("
    return rows.take(~again), (f"{note}{places.lines(rows.lines[again])})",)


def _as_before(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    equal = (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
    return np.concatenate(([False], equal.all(axis=1)))


def _as_first(values: NDArray[np.float64], group: NDArray[np.int64]) -> NDArray[np.bool_]:
    first = np.concatenate(([True], np.diff(group) != 0))
    start = np.flatnonzero(first)[group - group[0]]
    equal = (values == values[start]) | (np.isnan(values) & np.isnan(values[start]))
    return np.asarray(equal.all(axis=1))


def _resolve(rows: Rows, again: NDArray[np.bool_], rule: str) -> tuple[Rows, tuple[str, ...]]:
    note = f"{int(again.sum())} rows with a time that came before left out (--duplicates {rule})"
    if rule == "first":
        return rows.take(~again), (note,)
    if rule == "last":
        last = np.concatenate((~again[1:], [True]))
        return rows.take(last), (note,)
    group = np.cumsum(~again) - 1
    frame = pd.DataFrame(rows.values).groupby(group).mean()
    kept = rows.take(~again)
    mean = frame.to_numpy(np.float64)
    return Rows(kept.instants, kept.local, mean, kept.lines), (
        f"{int(again.sum())} rows averaged with others of the same time (--duplicates mean)",
    )


def _is_clock_change(rows: Rows, again: NDArray[np.bool_], source: DataSource) -> bool:
    """True if rows with equal times may be the two hours of an autumn clock change."""
    if source.tz is not None or rows.instants.tz is not None:
        return False
    days = rows.local[again].normalize()
    if not 1 <= len(days.unique()) == len(np.unique(rows.local[again].floor("h"))) <= 20:
        return False
    return all(zones_that_change(day) for day in days.unique())


def _differing(
    rows: Rows,
    again: NDArray[np.bool_],
    differing: NDArray[np.bool_],
    others: pd.DataFrame,
    source: DataSource,
) -> DataError:
    count = int(again.sum())
    beside = _time_of_day(rows, others)
    if beside is not None:
        return DataError(
            f"{source.file}: column {source.time_name!r}: expected each time once, found {count} "
            f"duplicates: days without their hours. Column {beside!r} may hold these.",
            [Way({"time": (*source.time, beside)})],
        )
    meters = _meters(rows.instants.asi8, rows.lines, others)
    if meters is not None:
        name, values, _ = meters
        listed = ", ".join(map(places.quoted, values[:20]))
        return DataError(
            f"{source.file}: column {source.time_name!r}: expected each time once, found {count} "
            f"duplicates: the file holds several meters. Column {name!r} tells "
            f"them apart: {listed}.",
            _ways_of(meters, source),
        )
    at = np.flatnonzero(differing)
    found = [
        f"{places.clock(rows.local[one])} (lines {rows.lines[one - 1]} and {rows.lines[one]}) with "
        f"{rows.values[one - 1, -1]:g} and {rows.values[one, -1]:g}"
        for one in at[: places.SHOWN].tolist()
    ]
    ways = []
    hint = ""
    if source.tz is None and rows.instants.tz is None:
        hint = " If they are the hours of the autumn clock change, give --tz."
        days = rows.local[differing].normalize().unique()
        fits = [set(zones_that_change(day)) for day in days[:5]]
        for zone in sorted(set.intersection(*fits)) if fits else ():
            ways.append(Way({"tz": zone}, "the autumn clock change"))
            if source.stamp is None:
                ways.append(
                    Way({"tz": zone, "stamp": "end"}, "the autumn clock change, times are ends")
                )
    elif source.tz is not None and source.stamp is None:
        ways.append(Way({"stamp": "end"}, "times are ends"))
    ways += [
        Way({"duplicates": "first"}, "the first row of each time counts"),
        Way({"duplicates": "last"}, "the last one"),
        Way({"duplicates": "mean"}, "their mean"),
    ]
    return DataError(
        f"{source.file}: column {source.time_name!r}: expected each time once, found {count} "
        f"duplicates: {places.some(found, len(at))}.{hint}",
        ways,
    )


def _time_of_day(rows: Rows, others: pd.DataFrame) -> str | None:
    """A column of clock times or hours beside days, None if there is none."""
    if (rows.local != rows.local.normalize()).any():
        return None
    for at, name in enumerate(others.columns[:40]):
        cells = others.iloc[:_CLOCKS, at].astype("str").str.strip()
        if cells.nunique() >= _HOURS and list(cells.unique()) == _PERIODS[: cells.nunique()]:
            return str(name)
        hours = cells.str.fullmatch(r"\d{1,2}").all() and cells.nunique() >= _HOURS
        if not (hours or cells.str.fullmatch(r"\d{1,2}:\d\d.*").all()):
            continue
        read = read_cells("2024-01-01 " + cells).read
        if read[ORDERS[0]].all():
            return str(name)
    return None


def ways_by_meter(
    times: NDArray[np.int64], lines: NDArray[np.int64], others: pd.DataFrame, source: DataSource
) -> list[Way]:
    """The ways to take one of several meters; none if there are not several.

    Args:
        times: int64 (n,), clock times.
        lines: int64 (n,), file lines.
        others: Text of the columns that are not read, indexed by file line.
        source: `--where`.
    """
    meters = _meters(times, lines, others)
    return [] if meters is None else _ways_of(meters, source)


def _ways_of(meters: tuple[str, list[str], list[list[str]]], source: DataSource) -> list[Way]:
    name, values, pairs = meters
    ways = [
        Way({"where": (*source.where, *(f"{name}={value}" for value in one))})
        for one in [*pairs, *([value] for value in values)]
    ]
    return ways[:_LISTED]


def _meters(
    times: NDArray[np.int64], lines: NDArray[np.int64], others: pd.DataFrame
) -> tuple[str, list[str], list[list[str]]] | None:
    """A column that tells rows with equal times apart, its values, and pairs that take turns.

    None if no column does, or less than a third of the times came before.
    """
    if (len(times) - len(np.unique(times))) * 3 < len(times):
        return None
    for at, name in enumerate(others.columns[:40]):
        column = others.iloc[:, at].astype("str")
        if not 2 <= column.nunique() <= _METERS:
            continue
        # A row a day gives as many hours of one line.
        value = column[~column.index.duplicated()].reindex(lines).to_numpy(object)
        pairs = pd.DataFrame({"time": times, "value": value})
        # A few may be left: hours that a clock change brings twice to each meter.
        if int(pairs.duplicated().sum()) * _LEFT <= len(pairs):
            values = [str(one) for one in column.drop_duplicates()]
            return str(name), values, _taking_turns(pairs, values)
    return None


def _taking_turns(pairs: pd.DataFrame, values: list[str]) -> list[list[str]]:
    """Two registers of one meter, such as day and night: each time is in exactly one of them.

    Args:
        pairs: A column "time" and a column "value".
        values: Of the second column.
    """
    count = pairs["time"].nunique()
    times = {one: set(pairs["time"][pairs["value"] == one]) for one in values[:_TURNS]}
    found = [
        [one, other]
        for one, other in itertools.combinations(times, 2)
        if len(times[one]) + len(times[other]) == count and not times[one] & times[other]
    ]
    # Those of one kind begin alike: "usage, day" and "usage, night".
    return sorted(found, key=lambda two: two[0].split()[:1] != two[1].split()[:1])
