"""One file in, one gapless hourly series and its report out.

The way is one: container -> encoding -> shape -> columns -> times -> clock -> numbers -> grid ->
repeats -> amounts -> gaps. Each step decides what the file allows in one way only, and refuses with
the options for each where it allows two.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.amounts import difference, to_hours
from data_pipeline.anomalies import find_anomalies
from data_pipeline.clock import Instants, to_instants
from data_pipeline.columns import Table
from data_pipeline.errors import DataError
from data_pipeline.gaps import Filled, cut_ends, fill_gaps, last_run
from data_pipeline.grid import Rows, ahead_of_end, drop_off_grid, in_order, snap
from data_pipeline.report import ColumnRange, DataReport
from data_pipeline.repeats import drop_repeats
from data_pipeline.rules import ReadingRules
from data_pipeline.series import HOUR, HourlySeries
from data_pipeline.source import DataSource
from data_pipeline.table import Found, read_table
from data_pipeline.times import ClockTimes, read_times
from data_pipeline.units import unit_in, unit_of
from data_pipeline.values import EMPTY, Numbers, read_numbers

DAY: Final = pd.Timedelta(days=1)
# Rows below the header without a time that may be units or a second header.
_BELOW_HEADER: Final = 4


def load_series(source: DataSource) -> tuple[HourlySeries, DataReport]:
    """Loads one series.

    Rows outside `source.start` to `source.end` have only their times read; whatever else is wrong
    with them is no concern of the series. 1,000,000 rows of three columns load within 500 MB.

    Args:
        source: The file and the reading rules.

    Returns:
        The series and the account of what was found and repaired.

    Raises:
        DataError: On every fatal fault of the data.
    """
    return _load(source, last=False)


def load_last_hours(source: DataSource) -> tuple[HourlySeries, DataReport]:
    """Loads the hours after the last gap, which is all that a forecast needs.

    Raises:
        DataError: As `load_series`, gaps further back left out.
    """
    return _load(source, last=True)


def _load(source: DataSource, last: bool) -> tuple[HourlySeries, DataReport]:
    found = read_table(source)
    times = read_times(found.table, source)
    table, times, around = _trim(found.table, times, source)
    lines = table.values.index.to_numpy(np.int64)
    empty = _empty_rows(table, source)
    if table.slots is not None:
        # The 25th hour of a day that has 24.
        held = ~(empty & (times.hour > 1440 // table.slots.step * table.slots.step // 60))
        table, times, lines, empty = table.take(held), times.take(held), lines[held], empty[held]
    stamp = source.stamp if times.stamp is None or source.stamp is not None else times.stamp
    if table.slots is not None:
        stamp = "begin"
    ahead = np.zeros(len(lines), np.int64)
    if stamp == "end":
        ahead = ahead_of_end(times.clock, times.read)
    placed = to_instants(times, ahead, empty, lines, source)
    chosen = placed.kept.copy()
    chosen[placed.kept] = _in_period(placed.local, source)
    within = chosen[placed.kept]
    picked = table.take(chosen)
    numbers = read_numbers(picked.values, picked.others, source)
    rows = Rows(placed.instants[within], placed.local[within], numbers.values, lines[chosen])
    unit = unit_of(
        source.unit, (source.target, *around.units.values(), *numbers.units.values())
    )
    made = _to_hours(rows, picked.others, source, unit)
    rows, end_notes = cut_ends(made.rows, source)
    if last:
        rows, left = last_run(rows, source)
        end_notes = (*end_notes, *left)
    filled = fill_gaps(rows, source)
    decided = _decided(source, found, times, numbers, stamp)
    notes = (*found.notes, *around.notes, *times.notes, *placed.notes, *numbers.notes, *made.notes)
    return _series(filled, source), _report(
        filled, source, found, placed, made.frequency,
        (*notes, *end_notes, *filled.notes),
        numbers.warnings, decided, _why(source, times, numbers, stamp, unit, around.units),
    )  # fmt: skip


@dataclass(frozen=True)
class _Around:
    """What stood above and below the data: units by column, and what was left out."""

    units: dict[str, str]
    notes: tuple[str, ...]


def _trim(
    table: Table, times: ClockTimes, source: DataSource
) -> tuple[Table, ClockTimes, _Around]:
    """Leaves out units below the header, sums and notes below the data; refuses other rows."""
    read = times.read
    units: dict[str, str] = {}
    if read.all():
        return table, times, _Around(units, ())
    if not read.any():
        raise _no_time(table, read, source)
    notes = []
    first, stop = int(np.argmax(read)), len(read) - int(np.argmax(read[::-1]))
    text = table.times[0].astype("str").str.strip()
    if first:
        head = table.values.iloc[:first]
        if first > _BELOW_HEADER or _holds_numbers(head):
            raise _no_time(table, read, source)
        units = {
            str(name): str(head[name].iloc[0]).strip() for name in head if str(head[name].iloc[0]).strip()
        }
        told = ", ".join(f"{name}: {unit}" for name, unit in units.items()) or "nothing"
        notes.append(f"{first} rows below the column names left out; they say {told}")
    if stop < len(read):
        tail = text.iloc[stop:]
        # A time that is cut or mistyped is no note.
        if tail.str.fullmatch(r"[0-9:./ T-]+").any() or len(tail) > 50:
            raise _no_time(table, read, source)
        notes.append(
            f"{len(tail)} rows below the data left out, which have no time: "
            f"{places.quoted(tail.iloc[0])} in {places.lines(tail.index.to_numpy(np.int64))}"
        )
    inner = slice(first, stop)
    if not read[inner].all():
        raise _no_time(table.take(inner), read[inner], source)
    mask = np.zeros(len(read), np.bool_)
    mask[inner] = True
    return table.take(mask), times.take(mask), _Around(units, tuple(notes))


def _holds_numbers(cells: pd.DataFrame) -> bool:
    return any(pd.to_numeric(cells[name], errors="coerce").notna().any() for name in cells)


def _no_time(table: Table, read: NDArray[np.bool_], source: DataSource) -> DataError:
    texts = table.times
    text = texts[0].astype("str").str.strip()
    for more in texts[1:]:
        text = text + " " + more.astype("str").str.strip()
    at = int(np.argmin(read))
    cell = text.iloc[at]
    if source.date_format is not None:
        hint = f"It does not fit --date-format {source.date_format!r}"
    elif cell == "":
        hint = "Fill it or remove the row"
    else:
        hint = "Correct it, or say how it is written by --date-format"
    return DataError(
        f"{source.file}: line {text.index[at]}, column {source.time_name!r}: expected a time such "
        f"as '2014-04-01 05:00', found {places.quoted(cell)}; {int((~read).sum())} such rows. "
        f"{hint}."
    )


def _empty_rows(table: Table, source: DataSource) -> NDArray[np.bool_]:
    codes = EMPTY | {code.strip().lower() for code in source.missing or ()}
    empty = np.ones(len(table), np.bool_)
    for name in source.value_columns:
        column = table.values[name]
        if not isinstance(column.dtype, pd.StringDtype):
            empty &= column.isna().to_numpy()
            continue
        at = np.flatnonzero(empty)
        part = column.iloc[at]
        if len(at) and pd.to_numeric(part.iloc[:50], errors="coerce").notna().all() and len(at) > 50:
            left = pd.to_numeric(part, errors="coerce").isna().to_numpy()
            empty[at[~left]] = False
            at, part = at[left], part[left]
        if len(at):
            empty[at] = part.str.strip().str.lower().isin(codes).to_numpy()
    return empty


@dataclass(frozen=True, eq=False)
class _Made:
    rows: Rows
    frequency: str
    notes: tuple[str, ...]


def _to_hours(rows: Rows, others: pd.DataFrame, source: DataSource, unit: str) -> _Made:
    notes: list[str] = []
    rows, said = snap(rows)
    notes += said
    rows, said = in_order(rows)
    notes += said
    if source.duplicates is None:
        rows, said = drop_repeats(rows, others, source)
        notes += said
    rows, said = drop_off_grid(rows, source)
    notes += said
    rows, said = drop_repeats(rows, others, source)
    notes += said
    rows, said = difference(rows, source)
    notes += said
    hours = to_hours(rows, source, unit)
    return _Made(hours.rows, hours.frequency, (*notes, *hours.notes))


def _decided(
    source: DataSource, found: Found, times: ClockTimes, numbers: Numbers, stamp: str | None
) -> ReadingRules:
    plain = {name: getattr(source, name) for name in ReadingRules.model_fields}
    plain |= {
        "encoding": source.encoding or found.codec,
        "decimal": source.decimal or numbers.decimal,
        "thousands": source.thousands if source.thousands is not None else numbers.thousands or None,
        "date_format": times.date_format,
        "stamp": stamp or "begin",
    }
    if found.table.slots is not None:
        plain["stamp"] = source.stamp
    return ReadingRules.model_validate(plain)


def _why(
    source: DataSource,
    times: ClockTimes,
    numbers: Numbers,
    stamp: str | None,
    unit: str,
    units: dict[str, str],
) -> tuple[str, ...]:
    """What was decided, and on what grounds."""
    lines = []
    if source.stamp is not None:
        lines.append(f"a row's time is the {source.stamp} of its period: told by --stamp")
    elif times.stamp is not None:
        lines.append(f"a row's time is the {times.stamp} of its period: {times.why}")
    else:
        lines.append(
            "a row's time is taken for the begin of its period, as nothing says otherwise; if it is "
            "the end, give --stamp end"
        )
    if times.date_format is not None:
        told = "told by --date-format" if source.date_format else "the only order that all rows allow"
        lines.append(f"times are written {times.date_format}: {told}")
    if numbers.decimal is not None and (numbers.decimal != "." or numbers.thousands):
        mark = f", thousands {numbers.thousands!r}" if numbers.thousands else ""
        lines.append(f"decimal mark {numbers.decimal!r}{mark}")
    found = unit or next((one for one in units.values() if unit_in(one)), "")
    if found and found != source.unit:
        lines.append(f"the target's unit seems to be {found}: --unit {found} prints it beside errors")
    return tuple(lines)


def _series(filled: Filled, source: DataSource) -> HourlySeries:
    rows = filled.rows
    return HourlySeries(
        index=rows.instants,
        local=rows.local,
        target=rows.values[:, -1],
        covariates=rows.values[:, :-1],
        target_name=source.target,
        covariate_names=source.features,
        unit=source.unit,
        name=source.name,
    )


def _report(
    filled: Filled,
    source: DataSource,
    found: Found,
    placed: Instants,
    frequency: str,
    repairs: tuple[str, ...],
    warnings: tuple[str, ...],
    rules: ReadingRules,
    why: tuple[str, ...],
) -> DataReport:
    rows = filled.rows
    return DataReport(
        name=source.name,
        rows=len(rows),
        first=places.clock(rows.local[0]),
        last=places.clock(rows.local[-1]),
        frequency=frequency,
        encoding=found.encoding,
        separator=found.separator,
        gaps=filled.gaps,
        duplicates=placed.repeated,
        repairs=repairs,
        ranges=tuple(
            ColumnRange(name, float(column.min()), float(column.max()))
            for name, column in zip(source.value_columns, rows.values.T, strict=True)
        ),
        warnings=(*_period_warnings(rows, source), *warnings, *find_anomalies(rows, source)),
        rules=rules,
        why=why,
        filled=filled.filled,
    )


def _in_period(local: pd.DatetimeIndex, source: DataSource) -> NDArray[np.bool_]:
    chosen = np.ones(len(local), np.bool_)
    if source.start is not None:
        chosen &= np.asarray(local >= pd.Timestamp(source.start))
    if source.end is not None:
        chosen &= np.asarray(local < pd.Timestamp(source.end) + DAY)
    if not chosen.any():
        raise DataError(
            f"{source.file}: expected rows from {source.start or 'the first day'} to "
            f"{source.end or 'the last day'}, found {places.clock(local.min())} to "
            f"{places.clock(local.max())}. Choose days within these."
        )
    return chosen


def _period_warnings(rows: Rows, source: DataSource) -> list[str]:
    first, last = rows.local[0], rows.local[-1]
    warnings = []
    if source.start is not None and first - pd.Timestamp(source.start) >= HOUR:
        warnings.append(f"asked from {source.start}, the data begins {places.clock(first)}")
    if source.end is not None and pd.Timestamp(source.end) + DAY - last > HOUR:
        warnings.append(f"asked to {source.end}, the data ends {places.clock(last)}")
    return warnings
