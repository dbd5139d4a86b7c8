"""From the time columns to clock times, before any zone. One decision holds for all rows."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.clock_marks import folds_of_summer, whole_halves
from data_pipeline.clock_times import ClockTimes
from data_pipeline.columns import Table
from data_pipeline.errors import DataError, Way
from data_pipeline.exchanged_days import undo_exchange
from data_pipeline.half_days import holds_halves, on_24_hours
from data_pipeline.number_forms import half_width
from data_pipeline.numeric_times import days_and_parts, read_numeric
from data_pipeline.source import DataSource
from data_pipeline.stamps import with_slots, with_stamp
from data_pipeline.time_text import (
    DAY,
    HOUR,
    ORDERS,
    Cells,
    Flags,
    Ints,
    order_of,
    read_cells,
    strptime_format,
)

_MIDNIGHT: Final = r"[ T]0?0:00(?::00(?:\.0+)?)?$"
_WIDEST_OFFSET: Final = 15 * HOUR
_FEW: Final = 3
_WEEK: Final = 7 * DAY
_YEAR: Final = r"(?:19|20)\d\d"
_DAY_OF_YEAR: Final = re.compile(r"(?<![a-z])(?:doy|jday|julian|day[ _-]?of[ _-]?year)", re.I)
_BLANKS: Final = {0xA0: " ", 0x202F: " ", 0x2009: " ", 0x200E: None, 0x200F: None}
_SAMPLE: Final = 100
# A year of two digits is none of these.
_FAR_AHEAD: Final = 2050
# An order is clear if the others have more jumps than this, and more than this many times its own.
_JUMPS: Final = 3
_CLEARLY: Final = 10
_MOSTLY: Final = 0.9


def read_times(table: Table, source: DataSource) -> ClockTimes:
    """Reads the time columns.

    Args:
        table: Text of the time columns; in a table with one row per day, these are the days.
        source: `--date-format`, and names for messages.

    Returns:
        One clock time per row. Rows without one, such as sums below the data, have `read` False.

    Raises:
        DataError: If day and month cannot be told apart, or two rows contradict each other.
    """
    first = table.times[0]
    if len(table.times) == 1 and pd.api.types.is_datetime64_any_dtype(first.dtype):
        return _typed(pd.DatetimeIndex(first))
    text, flags = _joined(table, source.time)
    text = _plain_blanks(half_width(text))
    numeric = read_numeric(text, source, table.from_1904)
    if numeric is not None:
        return numeric
    text = whole_halves(text)
    cells = _with_winter_letters(read_cells(text), text)
    order, date_format = _order(cells, text, source)
    clock, read = cells.clock[order].copy(), cells.read[order].copy()
    if source.date_format is not None:
        _by_strptime(clock, read, text, source)
    _check_offsets(cells, read, text, source)
    eras = _told_years(cells, clock, read, text, source)
    clock, halves = on_24_hours(clock, cells.hour, read, text, table.others, source)
    if source.date_format is None:
        clock, exchanged = undo_exchange(clock, read, text)
        # Another file of this make is looked at anew.
        date_format = None if exchanged else date_format
        halves = (*exchanged, *halves)
    zone = _letters(cells, read, source)
    folds = None if zone is None else folds_of_summer(zone, clock, read, cells.fold)
    times = ClockTimes(
        clock=clock,
        read=read,
        offset=cells.offset if cells.has_offset[read].any() else None,
        fold=cells.fold if folds is None else folds,
        hour=np.where(cells.numbered, cells.hour, -1),
        day=(clock - np.maximum(cells.hour, 0) * HOUR) // DAY,
        zone=zone if folds is None else None,
        flags=flags,
        date_format=source.date_format or date_format,
        stamp=None,
        why="",
        notes=(*eras, *halves),
    )
    if table.slots is not None:
        return with_slots(times, table)
    return with_stamp(times, cells, text, source)


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


def _joined(
    table: Table, names: Sequence[str]
) -> "tuple[pd.Series[str], NDArray[np.object_] | None]":
    """Joins date, time and hour to one text per row; also the column of flags, if any."""
    columns = [column.astype("str").str.strip() for column in table.times]
    if len(columns) == 1:
        return columns[0], None
    days = days_and_parts(columns[0], columns[1])
    if days is not None and len(columns) == 2:
        return days, None
    flags, parts = None, [_filled_down(columns[0], columns[1])]
    for column, name in zip(columns[1:], names[1:], strict=True):
        few = flags is None and column.nunique() <= _FEW and not column.str.fullmatch(_YEAR).all()
        few = few and not holds_halves(column)
        if few and (len(parts) > 1 or not column.str.contains(r"\d").any()):
            flags = column.to_numpy(object)
        else:
            parts.append(_padded(column, name))
    if len(parts) > 1:
        # A workbook may hold a day as a time at midnight.
        parts = [
            part.str.replace(_MIDNIGHT, "", regex=True) if _is_day(part) else part for part in parts
        ]
    text = parts[0]
    for part in parts[1:]:
        text = text + " " + part
    return text.str.strip(), flags


def _plain_blanks(text: "pd.Series[str]") -> "pd.Series[str]":
    """Cells with plain blanks, without marks of the direction of writing and quotes around them."""
    if text.iloc[:_SAMPLE].str.match(r"['\"\[]").any():
        text = text.str.strip("'\"[] ")
    if "".join(text.iloc[:_SAMPLE].tolist()).isascii():
        return text
    return text.str.translate(_BLANKS).str.strip()


def _filled_down(days: "pd.Series[str]", beside: "pd.Series[str]") -> "pd.Series[str]":
    """Days that are written once, above the hours that they hold for, as in merged cells."""
    written = days[days != ""]
    blank = (days == "") & (beside != "")
    once = len(written) > 1 and (written.to_numpy()[1:] != written.to_numpy()[:-1]).all()
    if not once or len(written) * 2 > len(days) or (len(days) and days.iloc[0] == ""):
        return days
    return days.mask(blank).ffill()


def _padded(numbers: "pd.Series[str]", name: str) -> "pd.Series[str]":
    """Clock times without a colon, 100 to 2400, or days of a year, with the zeros they lost."""
    numbers = numbers.str.replace(r"\.0$", "", regex=True)
    if not numbers.str.fullmatch(r"\d{1,4}").all():
        return numbers
    if _DAY_OF_YEAR.search(name):
        return numbers.str.zfill(3)
    return numbers.str.zfill(4) if (numbers.str.len() > 2).any() else numbers


def _is_day(part: "pd.Series[str]") -> bool:
    return bool(part.head(50).str.contains(r"\d{4}").all() and part.str.contains(_MIDNIGHT).all())


def _order(cells: Cells, text: "pd.Series[str]", source: DataSource) -> tuple[str, str | None]:
    """The order of day and month, and a format with this order."""
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
        clear = _without_jumps(fits)
        if clear is None:
            raise _two_orders(cell, int(text.index[first]), best, cells, source)
        best = [clear]
    return best[0], strptime_format(cell, best[0])


def _without_jumps(clocks: dict[str, Ints]) -> str | None:
    """The order in which rows follow each other, if the others scatter them over months or years.

    Gaps of more than a week are never filled, so no series can be read in the other orders. A day
    of each month is left open: it may be what the rows are.
    """
    jumps = {order: _jumps(clock) for order, clock in clocks.items()}
    order = min(jumps, key=lambda one: jumps[one])
    others = [one for one in clocks if one != order]
    clear = all(jumps[one] > max(_JUMPS, _CLEARLY * jumps[order]) for one in others)
    return order if clear and not any(_on_the_first(clocks[one]) for one in others) else None


def _jumps(clock: Ints) -> int:
    """How often the next time is more than a week later."""
    return int((np.diff(np.unique(clock)) > _WEEK).sum())


def _on_the_first(clock: Ints) -> bool:
    days = (clock // DAY).astype("datetime64[D]")
    return bool((days == days.astype("datetime64[M]")).mean() > _MOSTLY)


def _two_orders(
    cell: str, line: int, orders: list[str], cells: Cells, source: DataSource
) -> DataError:
    words = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}
    return DataError(
        f"{source.file}: line {line}, column {source.time_name!r}: expected a "
        f"time such as '2014-04-01 05:00', found {places.quoted(cell)}; {int(cells.ordered.sum())} "
        f"such rows. It may be {' or '.join(words[one] for one in orders)}: no row tells which.",
        [Way({"date_format": strptime_format(cell, order)}, words[order]) for order in orders],
    )


def _told_years(
    cells: Cells, clock: Ints, read: Flags, text: "pd.Series[str]", source: DataSource
) -> tuple[str, ...]:
    """Refuses years of two digits that would be far ahead, and says of which era others are."""
    if "two digits" in cells.eras and source.date_format is None and read.any():
        at = int(np.argmax(np.where(read, clock, 0)))
        year = int(clock[at] // DAY // 365.2425) + 1970
        if read[at] and year >= _FAR_AHEAD:
            raise DataError(
                f"{source.file}: line {text.index[at]}, column {source.time_name!r}: expected a "
                f"year, found {places.quoted(text.iloc[at])}, which would be {year}. Years of two "
                f"digits may be those of another era or century: write them with four."
            )
    return tuple(
        f"{era} read as those of the common era" for era in sorted(cells.eras - {"two digits"})
    )


def _with_month_names(text: "pd.Series[str]", cells: Cells) -> Flags:
    named = ~cells.ordered & cells.read[ORDERS[0]]
    if named.any():
        named &= text.str.contains(r"[^\W\d]{3,}").to_numpy()
    return named


def _by_strptime(clock: Ints, read: Flags, text: "pd.Series[str]", source: DataSource) -> None:
    """Reads the remaining cells with strptime and `--date-format`."""
    told = source.date_format
    assert told is not None
    left = ~read & (text != "").to_numpy()
    if not left.any() or "%z" in told:
        return
    late = text[left].str.replace(r"(?<=[ T])24(?=$|:00)", "00", regex=True)
    try:
        times = pd.to_datetime(late, format=told, errors="coerce").astype("datetime64[us]")
    except (ValueError, re.error) as error:
        raise DataError(f"--date-format {told!r} is not a strptime format: {error}") from error
    found = ~times.isna().to_numpy()
    days = (late != text[left]).to_numpy() * DAY
    at = np.flatnonzero(left)[found]
    clock[at] = pd.DatetimeIndex(times).asi8[found] + days[found]
    read[at] = (pd.DatetimeIndex(times[found]).year >= 1900) & (
        pd.DatetimeIndex(times[found]).year <= 2200
    )


def _with_winter_letters(cells: Cells, text: "pd.Series[str]") -> Cells:
    """Takes GMT beside BST or IST for the letters of a winter, and not for UTC."""
    others = {str(one) for one in cells.zone[~cells.has_offset]} - {""}
    if not others or others - {"BST", "IST"}:
        return cells
    winter = cells.has_offset & text.str.endswith("GMT").to_numpy()
    zone = np.where(winter, "GMT", cells.zone)
    return replace(cells, zone=zone, has_offset=cells.has_offset & ~winter)


def _letters(cells: Cells, read: Flags, source: DataSource) -> NDArray[np.object_] | None:
    """Letters of zones behind the times; None if there are none, or the whole name of one zone."""
    found = {str(one) for one in cells.zone[read]}
    named = next(iter(found), "")
    if len(found) == 1 and "/" in named:
        if source.tz is None:
            raise DataError(
                f"{source.file}: column {source.time_name!r}: each time ends with {named!r}, the "
                f"zone of the clock. Give it with --tz.",
                [Way({"tz": named})],
            )
        return None
    return cells.zone if found - {""} else None


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
