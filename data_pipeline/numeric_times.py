"""Times written as numbers: seconds or milliseconds since 1970, days of a spreadsheet."""

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
# Days from 1899-12-30, day 0 of a spreadsheet, to 1970.
_EXCEL_1970: Final = 25_569
_EXCEL: Final = (20_000, 80_000)
_EPOCH: Final = (5 * 10**8, 42 * 10**8)
_KINDS: Final = {
    "epoch": "seconds since 1970 in UTC",
    "epoch-ms": "milliseconds since 1970 in UTC",
    "excel": "days of a spreadsheet",
}


def read_numeric(text: "pd.Series[str]", source: DataSource) -> ClockTimes | None:
    """Reads seconds or milliseconds since 1970, or the day numbers of a spreadsheet.

    Args:
        text: Cells of the time column.
        source: `--date-format`, and the name for messages.

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


def _kind(low: float, high: float, text: "pd.Series[str]") -> str | None:
    """The kind of the numbers; None for digits that spell a date (2024010100)."""
    if _EXCEL[0] <= low and high <= _EXCEL[1]:
        return "excel"
    if read_cells(text.iloc[:2000]).read[ORDERS[0]].mean() > 0.9:
        return None
    if _EPOCH[0] <= low and high <= _EPOCH[1]:
        return "epoch"
    return "epoch-ms" if 1000 * _EPOCH[0] <= low and high <= 1000 * _EPOCH[1] else None
