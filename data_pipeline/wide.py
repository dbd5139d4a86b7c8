"""Tables with one row per day: 24, 25, 48 or 96 columns of values become one column."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from data_pipeline.columns import Slots, Table, position
from data_pipeline.errors import DataError, Way
from data_pipeline.source import DataSource

_UNIT: Final = r"(?:\s*[(\[][^\d()\[\]]*[)\]])?"
_CLOCK: Final = re.compile(
    r"(\D*?)(\d{1,2})(?:[:.h]?(\d{2}))?(?::\d{2})?\s*([AaPp]\.?[Mm]\.?)?"
    r"(?P<until>\s*[-–~]\s*\d{1,2}:\d{2}(?::\d{2})?\s*(?:[AaPp]\.?[Mm]\.?)?)?" + _UNIT
)
# "00-01", "0h-1h", "00 to 01"
_RANGE: Final = re.compile(r"(\D*?)(\d{1,2})\s?h?\s*(?:[-–~]|to|bis|a)\s*(\d{1,2})\s?h?" + _UNIT)
_NUMBER: Final = re.compile(r"(\D*?)0*(\d{1,3})\s*([AaBb*]?)\s*(\D{0,12})")
# Minutes per period, by the number of columns; a clock change removes or adds an hour.
_STEPS: Final = {
    **dict.fromkeys((23, 24, 25), 60),
    **dict.fromkeys((46, 47, 48, 49, 50), 30),
    **dict.fromkeys((92, 95, 96, 97, 100), 15),
}
_LEAST: Final = 23
_HOUR: Final = 60
_HALF: Final = 0.5


def find_slots(names: Sequence[str]) -> tuple[list[int], Slots] | None:
    """Finds the columns that are periods of a day, and their times; None if there are none.

    If columns are numbered from 1, the first period begins at midnight. If columns are named by
    clock times, these are begins if the first is 00:00, and ends if the last is 24:00 or 00:00.

    Args:
        names: All column names.
    """
    for read in (_clocks, _numbers, _ranges):
        for first in range(len(names)):
            found = read(names[first:])
            if found is not None:
                return [first + at for at in range(len(found.begin))], found
    return _every_second(names)


def _every_second(names: Sequence[str]) -> tuple[list[int], Slots] | None:
    """Columns of periods with a column of another name behind each, such as its quality."""
    for first in range(len(names) - 2 * _LEAST + 2):
        if names[first + 1 : first + 2] == names[first : first + 1]:
            continue
        for read in (_clocks, _numbers):
            found = read(names[first::2])
            beside = read(names[first + 1 :: 2]) if found is not None else None
            if found is not None and (beside is not None or not any(names[first + 1 :: 2])):
                return [first + 2 * at for at in range(len(found.begin))], found
    return None


def _clocks(names: Sequence[str]) -> Slots | None:
    minutes = []
    prefix, until = None, False
    for name in names:
        match = _CLOCK.fullmatch(name)
        if match is None or (prefix is not None and match[1] != prefix):
            break
        if not (match[3] or match[4]):
            break  # a number of a period
        prefix, until = match[1], match["until"] is not None
        hour = int(match[2])
        if match[4]:
            hour = hour % 12 + (12 if match[4][0] in "Pp" else 0)
        minutes.append(hour * 60 + int(match[3] or 0))
    count = len(minutes)
    if count < _LEAST or count not in _STEPS:
        return None
    step = _STEPS[count]
    times = np.array(minutes, np.int64)
    if times[-1] == 0 and times[0] == step:
        times[-1] = 1440
    if not (np.diff(times) == step).all() or times[0] not in (0, step):
        return None
    begin = times - times[0]
    return Slots(
        begin, np.full(count, -1, np.int8), step, count, by_clock=not until and times[0] == 0
    )


def _ranges(names: Sequence[str]) -> Slots | None:
    """Columns that are named by the first and last hour of each period."""
    found = list(
        itertools.takewhile(lambda one: one is not None, map(_RANGE.fullmatch, names[:24]))
    )
    hours = [(int(one[2]), int(one[3]) % 24) for one in found if one is not None]
    if hours != [(at, (at + 1) % 24) for at in range(24)]:
        return None
    return Slots(np.arange(24, dtype=np.int64) * _HOUR, np.full(24, -1, np.int8), _HOUR, 24)


def _numbers(names: Sequence[str]) -> Slots | None:
    found: list[tuple[int, str]] = []
    frame = None
    for name in names:
        match = _NUMBER.fullmatch(name)
        if match is None or (frame is not None and (match[1].strip(), match[4].strip()) != frame):
            break
        frame = match[1].strip(), match[4].strip()
        found.append((int(match[2]), match[3].upper().replace("*", "B")))
    count = next((n for n in range(len(found), _LEAST - 1, -1) if _is_run(found[:n])), 0)
    if count not in _STEPS:
        return None
    numbers = np.array([number for number, _ in found[:count]], np.int64)
    marks = [mark for _, mark in found[:count]]
    fold = np.array([{"A": 0, "B": 1}.get(mark, -1) for mark in marks], np.int8)
    step = _STEPS[count]
    return Slots((numbers - numbers[0]) * step, fold, step, count)


def _is_run(found: Sequence[tuple[int, str]]) -> bool:
    """True if the numbers rise by 1, from 0 or 1; an hour may come twice, as A and B."""
    if found[0][0] not in (0, 1):
        return False
    for (one, mark), (other, next_mark) in itertools.pairwise(found):
        again = other == one and next_mark == "B" and mark in ("", "A")
        if other != one + 1 and not again:
            return False
    return True


def is_wide(names: Sequence[str], source: DataSource) -> bool:
    """True if the target has no column of its own but one column per period of the day."""
    missing = position(source.target, names) is None
    named = all(position(name, names) is not None for name in source.time)
    return missing and named and find_slots(names) is not None


def melt(names: Sequence[str], cells: pd.DataFrame, source: DataSource, where: str) -> Table:
    """Turns the columns of each day into rows.

    Args:
        names: All column names.
        cells: Columns numbered from 0, one row per day.
        source: The name of the day's column. The target may have any name.
        where: The file and the line of the header, for messages.

    Raises:
        DataError: If features are asked for, or each period has two columns of numbers.
    """
    found = find_slots(names)
    assert found is not None
    columns, slots = found
    if source.features:
        raise DataError(
            f"{where}: one row per day with {slots.count} columns holds one series, and no column "
            f"{' or '.join(map(repr, source.features))} for each hour.",
            [Way({"features": ()})],
        )
    beside = columns[0] + 1
    if columns[1] > beside and pd.to_numeric(cells[beside], errors="coerce").notna().mean() > _HALF:
        raise DataError(
            f"{where}: expected one column per period of the day, found two with numbers: "
            f"{names[columns[0]]!r} and {names[beside]!r}, and so on. Save the file with one of "
            f"them."
        )
    at = [position(name, names) for name in source.time]
    days = [cells[one] for one in at]
    n, count = len(cells), slots.count
    lines = np.repeat(cells.index.to_numpy(), count)
    flat = np.concatenate([cells[one].to_numpy(object) for one in columns])
    order = np.arange(n * count).reshape(count, n).T.reshape(-1)
    values = pd.DataFrame({source.target: pd.Series(flat[order], dtype="str")})
    values.index = pd.Index(lines)
    times = tuple(
        pd.Series(np.repeat(day.to_numpy(), count), index=lines, dtype="str") for day in days
    )
    long = replace(slots, begin=np.tile(slots.begin, n), fold=np.tile(slots.fold, n))
    left = [i for i, name in enumerate(names) if i not in (*columns, *at) and name]
    rest = [names[i] for i in left]
    others = pd.DataFrame({i: np.repeat(cells[i].to_numpy(), count) for i in left}, index=lines)
    others.columns = pd.Index(rest)
    notes = [f"one row per day: {count} columns, {names[columns[0]]!r} begins at 00:00"]
    if rest:
        notes.append(f"columns beside them left out: {', '.join(map(repr, rest[:10]))}")
    return Table(times, values, others, long, tuple(notes))


def number_periods(table: Table) -> Table:
    """Reads a column of half-hours or quarter-hours, numbered from 1 in each day.

    Args:
        table: With a row per period; two time columns, days and numbers up to 48 or 96.

    Returns:
        The table with the begin of each period, or the same if it holds no such numbers.
    """
    if len(table.times) != 2 or table.slots is not None:
        return table
    days, numbers = table.times
    found = pd.to_numeric(numbers, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    held = np.isfinite(found)
    if not held.any() or not (found[held] == np.round(found[held])).all():
        return table
    least, count = int(found[held].min()), int(found[held].max())
    if least != 1 or count not in _STEPS or _STEPS[count] == _HOUR:
        return table
    step = _STEPS[count]
    begin = np.where(held, (found - 1) * step, 0).astype(np.int64)
    slots = Slots(begin, np.full(len(begin), -1, np.int8), step, count)
    note = f"periods of {step} minutes numbered from 1 in each day"
    return replace(table, times=(days,), slots=slots, notes=(*table.notes, note))
