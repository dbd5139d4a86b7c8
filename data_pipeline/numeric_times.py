"""Times written as numbers: seconds since 1970 or parts of them, days of a spreadsheet."""

import re
from typing import Final

import numpy as np
import pandas as pd

from data_pipeline.clock_times import ClockTimes
from data_pipeline.errors import DataError
from data_pipeline.source import DataSource
from data_pipeline.time_text import DAY, ORDERS, SECOND, read_cells

_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:e0)?")
_COMMA: Final = re.compile(r"[0-9]{5},[0-9]+")
# Days from day 0 of a spreadsheet, which is 1899-12-30 or 1904-01-01, to 1970.
_EXCEL_1970: Final = {"excel": 25_569, "excel-1904": 24_107}
_EXCEL: Final = (20_000, 80_000)
_EPOCH: Final = (5 * 10**8, 42 * 10**8)
# How many of a unit are a second.
_UNITS: Final = {"epoch": 1, "epoch-ms": 10**3, "epoch-us": 10**6, "epoch-ns": 10**9}
_KINDS: Final = {
    "epoch": "seconds since 1970 in UTC",
    "epoch-ms": "milliseconds since 1970 in UTC",
    "epoch-us": "microseconds since 1970 in UTC",
    "epoch-ns": "nanoseconds since 1970 in UTC",
    "excel": "days of a spreadsheet that counts from 1900",
    "excel-1904": "days of a spreadsheet that counts from 1904",
}


def read_numeric(
    text: "pd.Series[str]", source: DataSource, from_1904: bool | None = None
) -> ClockTimes | None:
    """Reads seconds since 1970 or parts of them, or the day numbers of a spreadsheet.

    Args:
        text: Cells of the time column.
        source: `--date-format`, and the name for messages.
        from_1904: Whether the workbook counts its days from 1904; None if there is no workbook.

    Returns:
        The times, or None if the cells are no such numbers.

    Raises:
        DataError: If `--date-format` names one of these kinds and a number is out of its range.
    """
    told = source.date_format
    if told is not None and "%" in told:
        return None
    head = text.iloc[:20].tolist()
    if any(_COMMA.fullmatch(cell) for cell in head):
        # Days of a spreadsheet whose country writes decimal commas.
        text = text.str.replace(",", ".", regex=False)
    elif told is None and not any(_NUMBER.fullmatch(cell) for cell in head):
        return None
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(np.float64)
    read = np.isfinite(numbers)
    if not read.any() or (told is None and read.mean() < 0.5):
        return None
    low, high = float(numbers[read].min()), float(numbers[read].max())
    kind = told or _kind(low, high, text, from_1904)
    if kind is None:
        return None
    least, most = (_UNITS[kind] * one for one in _EPOCH) if kind in _UNITS else _EXCEL
    if not (least <= low and high <= most):
        raise DataError(
            f"{source.file}: column {source.time_name!r}: expected times as {kind} from "
            f"{least} to {most}, found {low:g} to {high:g}. Leave "
            f"--date-format out, or give another one."
        )
    safe = np.where(read, numbers, low)
    notes = [f"times read as {_KINDS[kind]}"]
    if kind in _UNITS:
        clock = np.round(safe / _UNITS[kind] * SECOND).astype(np.int64)
    else:
        clock = np.round((safe - _EXCEL_1970[kind]) * 86_400).astype(np.int64) * SECOND
        if kind == "excel" and told is None and from_1904 is None:
            notes.append("if that spreadsheet counts from 1904, give --date-format excel-1904")
    n = len(text)
    return ClockTimes(
        clock=clock,
        read=read,
        offset=np.zeros(n, np.int64) if kind in _UNITS else None,
        fold=np.full(n, -1, np.int8),
        hour=np.full(n, -1, np.int64),
        day=clock // DAY,
        zone=None,
        flags=None,
        date_format=kind,
        stamp=None,
        why="",
        notes=tuple(notes),
    )


def days_and_parts(days: "pd.Series[str]", parts: "pd.Series[str]") -> "pd.Series[str] | None":
    """Joins days of a spreadsheet and the parts of a day beside them.

    Args:
        days: n cells of whole days.
        parts: n cells, from 0 to less than 1.

    Returns:
        n cells of days with their fractions; None if the columns hold anything else.
    """
    plain = parts.str.replace(",", ".", regex=False)
    if not (days.str.fullmatch(r"\d{5}").all() and plain.str.fullmatch(r"0?(?:\.\d+)?").all()):
        return None
    return days + plain.str.replace(r"^0?\.?", ".", regex=True)


def _kind(low: float, high: float, text: "pd.Series[str]", from_1904: bool | None) -> str | None:
    """The kind of the numbers; None for digits that spell a date (2024010100)."""
    if _EXCEL[0] <= low and high <= _EXCEL[1]:
        return "excel-1904" if from_1904 else "excel"
    if read_cells(text.iloc[:2000]).read[ORDERS[0]].mean() > 0.9:
        return None
    if low >= 10**9 and high < 10**10 and _spell_dates(text):
        return None
    fits = (
        one for one, size in _UNITS.items() if _EPOCH[0] * size <= low <= high <= _EPOCH[1] * size
    )
    return next(fits, None)


def _spell_dates(text: "pd.Series[str]") -> bool:
    """True if ten digits are year, month, day, hour, minute; seconds are so only by chance."""
    times = pd.to_datetime(text.iloc[:2000], format="%y%m%d%H%M", errors="coerce")
    return len(text) > 48 and bool(times.notna().all())
