"""From the time columns to clock times, before any zone: one decision for the whole column."""

import re
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.columns import Table
from data_pipeline.errors import DataError, Way
from data_pipeline.source import DataSource
from data_pipeline.time_text import (
    DAY,
    HOUR,
    MINUTE,
    ORDERS,
    SECOND,
    Cells,
    Flags,
    Ints,
    order_of,
    read_cells,
    strptime_format,
)

_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:e0)?")
# Days from 1899-12-30, where spreadsheets begin, to 1970.
_EXCEL_1970: Final = 25_569
_EXCEL: Final = (20_000, 80_000)
_EPOCH: Final = (5 * 10**8, 42 * 10**8)
_END_NAMES: Final = re.compile(
    r"(?<![a-z])(?:end(?:ing|e|zeit|s)?|bis|he|to)(?![a-z])|종료", re.IGNORECASE
)
_BEGIN_NAMES: Final = re.compile(
    r"(?<![a-z])(?:start(?:ing|s|zeit)?|begin(?:n|ning|s)?|von|from)(?![a-z])|시작", re.IGNORECASE
)
_MIDNIGHT: Final = r"[ T]0?0:00(?::00(?:\.0+)?)?$"
_WIDEST_OFFSET: Final = 15 * HOUR
_FEW: Final = 3


@dataclass(frozen=True, eq=False)
class ClockTimes:
    """Clock times of n rows, in file order.

    Attributes:
        clock: int64 (n,), microseconds since 1970 as the file's clock shows.
        read: bool (n,), whether the row has a time at all.
        offset: int64 (n,), microseconds ahead of UTC, or None where the file writes none.
        fold: int8 (n,), 0 or 1 for the first or second of two hours of one name, else -1.
        hour: int64 (n,), the number of the hour in its day, -1 where a clock time is written.
        day: int64 (n,), days since 1970 that these hours are counted in.
        zone: (n,) letters of a zone in each row, or None.
        flags: Text of a column that tells summer from winter or first from second, or None.
        date_format: What was decided, for the reading rules; None where nothing was to decide.
        stamp: "begin" or "end" where the file says which; else None.
        why: How it says so.
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
        parts = {
            name: value[at] if isinstance(value := getattr(self, name), np.ndarray) else value
            for name in ("clock", "read", "offset", "fold", "hour", "day", "zone", "flags")
        }
        return replace(self, **parts)  # type: ignore[arg-type]


def read_times(table: Table, source: DataSource) -> ClockTimes:
    """Reads the time columns.

    Args:
        table: Text of the time columns; those of a row a day hold the days.
        source: `--date-format`, and names for messages.

    Returns:
        A clock time a row; rows that have none, as sums and notes below the data, are not read.

    Raises:
        DataError: If day and month cannot be told apart, or two rows contradict each other.
    """
    first = table.times[0]
    if len(table.times) == 1 and pd.api.types.is_datetime64_any_dtype(first.dtype):
        return _typed(pd.DatetimeIndex(first))
    text, flags = _joined(table)
    numeric = _numeric(text, source)
    if numeric is not None:
        return numeric
    cells = read_cells(text)
    order, date_format = _order(cells, text, source)
    clock, read = cells.clock[order].copy(), cells.read[order].copy()
    if source.date_format is not None:
        _by_strptime(clock, read, text, source)
    _check_offsets(cells, read, text, source)
    times = ClockTimes(
        clock=clock,
        read=read,
        offset=cells.offset if cells.has_offset[read].any() else None,
        fold=cells.fold,
        hour=np.where(cells.numbered, cells.hour, -1),
        day=(clock - np.maximum(cells.hour, 0) * HOUR) // DAY,
        zone=cells.zone if (cells.zone[read] != "").any() else None,
        flags=flags,
        date_format=source.date_format or date_format,
        stamp=None,
        why="",
        notes=(),
    )
    if table.slots is not None:
        return _with_slots(times, table)
    return _with_stamp(times, cells, text, source)


def _typed(index: pd.DatetimeIndex) -> ClockTimes:
    n = len(index)
    read = ~np.asarray(index.isna())
    offset = None
    if index.tz is not None:
        utc = index.tz_convert("UTC").tz_localize(None)
        index = index.tz_localize(None)
        offset = np.where(read, index.as_unit("us").asi8 - utc.as_unit("us").asi8, 0)
    clock = np.where(read, index.as_unit("us").asi8, 0)
    nothing = np.full(n, -1, np.int8)
    hour = np.full(n, -1, np.int64)
    return ClockTimes(
        clock, read, offset, nothing, hour, clock // DAY, None, None, None, None, "", ()
    )


def _joined(table: Table) -> "tuple[pd.Series[str], NDArray[np.object_] | None]":
    """One text a row out of date, time and hour; and a column of flags, if there is one."""
    columns = [column.astype("str").str.strip() for column in table.times]
    if len(columns) == 1:
        return columns[0], None
    flags, parts = None, [_filled_down(columns[0], columns[1])]
    for column in columns[1:]:
        if (flags is None and len(parts) > 1 and column.nunique() <= _FEW) or (
            flags is None and column.nunique() <= _FEW and not column.str.contains(r"\d").any()
        ):
            flags = column.to_numpy(object)
        else:
            parts.append(_padded(column))
    if len(parts) > 1:
        # A day that a workbook holds as a time at midnight.
        parts = [
            part.str.replace(_MIDNIGHT, "", regex=True) if _is_day(part) else part for part in parts
        ]
    text = parts[0]
    for part in parts[1:]:
        text = text + " " + part
    return text.str.strip(), flags


def _filled_down(days: "pd.Series[str]", beside: "pd.Series[str]") -> "pd.Series[str]":
    """Days that are written once, above the hours that they hold for, as in merged cells."""
    written = days[days != ""]
    blank = (days == "") & (beside != "")
    once = len(written) > 1 and (written.to_numpy()[1:] != written.to_numpy()[:-1]).all()
    if not once or len(written) * 2 > len(days) or (len(days) and days.iloc[0] == ""):
        return days
    return days.mask(blank).ffill()


def _padded(clock: "pd.Series[str]") -> "pd.Series[str]":
    """Clock times without a colon, 100 to 2400, with the zeros that a number loses."""
    digits = clock.str.fullmatch(r"\d{1,4}").all()
    return clock.str.zfill(4) if digits and (clock.str.len() > 2).any() else clock


def _is_day(part: "pd.Series[str]") -> bool:
    return bool(part.head(50).str.contains(r"\d{4}").all() and part.str.contains(_MIDNIGHT).all())


def _numeric(text: "pd.Series[str]", source: DataSource) -> ClockTimes | None:
    """Seconds or milliseconds since 1970, or days of a spreadsheet; None if it is none."""
    told = source.date_format
    if told is not None and "%" in told:
        return None
    sample = text.iloc[:20]
    if told is None and not sample.str.fullmatch(_NUMBER).any():
        return None
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(np.float64)
    read = np.isfinite(numbers)
    if not read.any() or (told is None and read.mean() < 0.5):
        return None
    low, high = float(numbers[read].min()), float(numbers[read].max())
    kind = told or _kind(low, high, text)
    if kind is None:
        return None
    limits = {"epoch": _EPOCH, "epoch-ms": tuple(1000 * one for one in _EPOCH), "excel": _EXCEL}
    if not (limits[kind][0] <= low and high <= limits[kind][1]):
        raise DataError(
            f"{source.file}: column {source.time_name!r}: expected times as {kind} from "
            f"{limits[kind][0]} to {limits[kind][1]}, found {low:g} to {high:g}. Leave "
            f"--date-format out, or give another one."
        )
    safe = np.where(read, numbers, low)
    if kind == "excel":
        clock = np.round((safe - _EXCEL_1970) * 86_400).astype(np.int64) * SECOND
    else:
        clock = np.round(safe * (SECOND if kind == "epoch" else 1000)).astype(np.int64)
    n = len(text)
    return ClockTimes(
        clock=clock,
        read=read,
        offset=None if kind == "excel" else np.zeros(n, np.int64),
        fold=np.full(n, -1, np.int8),
        hour=np.full(n, -1, np.int64),
        day=clock // DAY,
        zone=None,
        flags=None,
        date_format=kind,
        stamp=None,
        why="",
        notes=(f"times read as {_KINDS[kind]}",),
    )


_KINDS: Final = {
    "epoch": "seconds since 1970 in UTC",
    "epoch-ms": "milliseconds since 1970 in UTC",
    "excel": "days of a spreadsheet",
}


def _kind(low: float, high: float, text: "pd.Series[str]") -> str | None:
    """Which numbers they are; digits that are a calendar's (2024010100) are none of these."""
    if _EXCEL[0] <= low and high <= _EXCEL[1]:
        return "excel"
    if read_cells(text.iloc[:2000]).read[ORDERS[0]].mean() > 0.9:
        return None
    if _EPOCH[0] <= low and high <= _EPOCH[1]:
        return "epoch"
    return "epoch-ms" if 1000 * _EPOCH[0] <= low and high <= 1000 * _EPOCH[1] else None


def _order(cells: Cells, text: "pd.Series[str]", source: DataSource) -> tuple[str, str | None]:
    """The order of day and month, and a format that says so."""
    told = source.date_format
    if told is not None:
        order = order_of(told)
        if order in ORDERS:
            if order != "ymd":
                unordered = ~cells.ordered & ~_with_month_names(text, cells)
                for read in cells.read.values():
                    read[unordered] = False
            else:
                for read in cells.read.values():
                    read[cells.ordered & (cells.read["ymd"] == 0)] = False
            return order, told
        for read in cells.read.values():
            read[:] = False
        return ORDERS[0], told
    if not cells.ordered.any():
        return ORDERS[0], None
    counts = {order: int(cells.read[order].sum()) for order in ORDERS}
    most = max(counts.values())
    best = [order for order in ORDERS if counts[order] == most]
    first = int(np.argmax(cells.ordered & cells.read[best[0]]))
    cell = text.iloc[first]
    fits = {order: cells.clock[order][cells.read[best[0]]] for order in best}
    if len(best) > 1 and any((fits[one] != fits[best[0]]).any() for one in best[1:]):
        count = int(cells.ordered.sum())
        words = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}
        raise DataError(
            f"{source.file}: line {text.index[first]}, column {source.time_name!r}: expected a "
            f"time such as '2014-04-01 05:00', found {places.quoted(cell)}; {count} "
            f"such rows. It may be {' or '.join(words[one] for one in best)}: no row tells which.",
            [Way({"date_format": strptime_format(cell, order)}, words[order]) for order in best],
        )
    return best[0], strptime_format(cell, best[0])


def _with_month_names(text: "pd.Series[str]", cells: Cells) -> Flags:
    named = ~cells.ordered & cells.read[ORDERS[0]]
    if named.any():
        named &= text.str.contains(r"[^\W\d]{3,}").to_numpy()
    return named


def _by_strptime(clock: Ints, read: Flags, text: "pd.Series[str]", source: DataSource) -> None:
    """Reads what is left by `--date-format` itself."""
    told = source.date_format
    assert told is not None
    left = ~read & (text != "").to_numpy()
    if not left.any() or "%z" in told:
        return
    late = text[left].str.replace(r"(?<=[ T])24(?=$|:00)", "00", regex=True)
    try:
        times = pd.to_datetime(late, format=told, errors="coerce").astype("datetime64[us]")
    except (ValueError, re.error) as error:
        raise DataError(f"--date-format {told!r} is no strptime format: {error}") from error
    found = ~times.isna().to_numpy()
    days = (late != text[left]).to_numpy() * DAY
    at = np.flatnonzero(left)[found]
    clock[at] = pd.DatetimeIndex(times).asi8[found] + days[found]
    read[at] = (pd.DatetimeIndex(times[found]).year >= 1900) & (
        pd.DatetimeIndex(times[found]).year <= 2200
    )


def _check_offsets(cells: Cells, read: Flags, text: "pd.Series[str]", source: DataSource) -> None:
    marked = cells.has_offset & read
    if not marked.any():
        return
    column = f"{source.file}: column {source.time_name!r}"
    if not marked[read].all():
        one, other = int(np.argmax(marked)), int(np.argmax(read & ~marked))
        raise DataError(
            f"{column}: expected a UTC offset in every row or in none, found "
            f"{places.quoted(text.iloc[one])} in line {text.index[one]} and "
            f"{places.quoted(text.iloc[other])} in line {text.index[other]}. Write all times alike."
        )
    far = marked & (np.abs(cells.offset) > _WIDEST_OFFSET)
    if far.any():
        at = int(np.argmax(far))
        raise DataError(
            f"{source.file}: line {text.index[at]}, column {source.time_name!r}: expected a UTC "
            f"offset of at most 15 hours, found {places.quoted(text.iloc[at])}. Correct it."
        )


def _with_slots(times: ClockTimes, table: Table) -> ClockTimes:
    slots = table.slots
    assert slots is not None
    fold = np.where(slots.fold >= 0, slots.fold, times.fold).astype(np.int8)
    return replace(
        times,
        clock=times.clock + slots.begin * MINUTE,
        fold=fold,
        hour=slots.begin // 60 + 1,
        day=times.clock // DAY,
        stamp="begin",
        why="the columns are periods of a day",
    )


def _with_stamp(
    times: ClockTimes, cells: Cells, text: "pd.Series[str]", source: DataSource
) -> ClockTimes:
    """What the file itself says of begin or end."""
    read = times.read
    late, early = cells.midnight24 & read, cells.midnight0 & read
    numbered = cells.numbered & read
    notes: tuple[str, ...] = ()
    if late.any() and cells.midnight24.any():
        notes = (f"hour 24 read as hour 0 of the next day, {int(late.sum())} times",)
    if (cells.length[read] > 0).any():
        return replace(times, stamp="begin", why="each cell holds begin and end", notes=notes)
    if late.any() and early.any() and source.stamp is None and source.date_format is None:
        at, zero = int(np.argmax(late)), int(np.argmax(early))
        raise DataError(
            f"{source.file}: line {text.index[at]}, column {source.time_name!r}: expected hours 0 "
            f"to 23 or 1 to 24, found {places.quoted(text.iloc[at])} beside "
            f"{places.quoted(text.iloc[zero])} in line {text.index[zero]}. Write hour 24 as hour 0 "
            f"of the next day, or say how it is meant by --stamp or --date-format.",
            [Way({"stamp": "begin"}), Way({"stamp": "end"})],
        )
    if late.any() and not early.any():
        why = "its hours run from 1 to 24" if numbered.any() else "midnight is written as 24:00"
        return replace(times, stamp="end", why=why, notes=notes)
    ends = [name for name in source.time if _END_NAMES.search(name)]
    begins = [name for name in source.time if _BEGIN_NAMES.search(name)]
    if ends and not begins:
        return replace(times, stamp="end", why=f"the column is called {ends[-1]!r}", notes=notes)
    if begins and not ends:
        return replace(
            times, stamp="begin", why=f"the column is called {begins[-1]!r}", notes=notes
        )
    return replace(times, notes=notes)
