"""One file in, one gapless hourly series and its report out.

The steps are: container -> encoding -> shape -> columns -> times -> clock -> numbers -> grid ->
repeats -> amounts -> gaps. If the file allows one reading, a step takes it. If it allows two, the
step refuses and names the options for each.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.amounts import to_hours
from data_pipeline.anomalies import find_anomalies
from data_pipeline.beside import read_beside
from data_pipeline.clock_times import ClockTimes
from data_pipeline.codes import drop_sums, need_meaning
from data_pipeline.dated import Dated, date_rows
from data_pipeline.errors import DataError
from data_pipeline.gaps import cut_ends, fill_gaps, last_run
from data_pipeline.grid import Rows, drop_between, drop_off_grid, in_order
from data_pipeline.public_holidays import HOLIDAY, public_holidays
from data_pipeline.register import difference
from data_pipeline.repeats import drop_repeats
from data_pipeline.report import ColumnRange, DataReport
from data_pipeline.rules import ReadingRules
from data_pipeline.series import HOUR, HourlySeries
from data_pipeline.source import DataSource
from data_pipeline.stamps import need_stamp
from data_pipeline.table import Found, read_table
from data_pipeline.units import unit_of
from data_pipeline.values import Numbers, read_numbers

DAY: Final = pd.Timedelta(days=1)
_MINUTE: Final = 60_000_000
_HOUR: Final = 60 * _MINUTE


def load_series(source: DataSource) -> tuple[HourlySeries, DataReport]:
    """Loads one series.

    Of rows outside `source.start` to `source.end`, only the times are read, so other faults in them
    do not matter. 1,000,000 rows of three columns load within 500 MB.

    Args:
        source: The file and the reading rules.

    Returns:
        The series and the account of what was found and repaired.

    Raises:
        DataError: On every fatal fault of the data.
    """
    return _load(source, last=False)


def load_last_hours(source: DataSource) -> tuple[HourlySeries, DataReport]:
    """Loads the hours after the last gap. A forecast needs only these.

    Raises:
        DataError: As `load_series`, except for earlier gaps.
    """
    return _load(source, last=True)


def _load(source: DataSource, last: bool) -> tuple[HourlySeries, DataReport]:
    found = read_table(source)
    dated = date_rows(found.table, source)
    told, source = source, dated.source
    numbers = read_numbers(dated.table.values, dated.table.others, source)
    beside = read_beside(numbers.values[:, -1], dated.table.others, dated.instants, source)
    values = np.column_stack([numbers.values[:, :-1], beside.usage])
    rows = Rows(dated.instants, dated.local, values, dated.lines)
    rows, summed = drop_sums(rows, source)
    coded = need_meaning(rows.values, rows.lines, source)
    named = (source.target, *dated.around.units.values(), *numbers.units.values())
    unit = unit_of(source.unit, named) or beside.unit
    made = _to_hours(rows, dated, source, unit)
    rows, end_notes = cut_ends(made.rows, source)
    if last:
        rows, left = last_run(rows, source)
        end_notes = (*end_notes, *left)
    try:
        filled = fill_gaps(rows, source)
    except DataError as error:
        # Cells that were not empty in the file are explained.
        said = [f"{one[0].upper()}{one[1:]}." for one in beside.notes]
        raise DataError(" ".join([error.message, *said]), error.ways) from error
    rows = filled.rows
    coming = _coming(made.rows, rows, source) if last else None
    report = DataReport(
        name=source.name,
        rows=len(rows),
        first=places.clock(rows.local[0]),
        last=places.clock(rows.local[-1]),
        frequency=made.frequency,
        encoding=found.encoding,
        separator=found.separator,
        gaps=filled.gaps,
        duplicates=dated.repeated,
        repairs=(
            *(*dated.times.notes, *numbers.notes, *beside.notes, *summed),
            *(*made.notes, *end_notes, *filled.notes),
        ),
        ranges=tuple(
            ColumnRange(name, float(column.min()), float(column.max()))
            for name, column in zip(source.value_columns, rows.values.T, strict=True)
        ),
        warnings=(
            *_period_warnings(rows, source),
            *_register_warnings(source),
            *_clock_warnings(rows),
            *(*coded, *beside.warnings, *find_anomalies(rows, source)),
        ),
        rules=_decided(told, found, dated, numbers),
        why=_why(told, dated.times, numbers, unit),
        found=(*found.notes, *dated.around.notes, *dated.notes, *beside.found),
        filled=filled.filled,
    )
    return _series(rows, source, coming), report


@dataclass(frozen=True, eq=False)
class _Made:
    rows: Rows
    frequency: str
    notes: tuple[str, ...]


def _to_hours(rows: Rows, dated: Dated, source: DataSource, unit: str) -> _Made:
    notes: list[str] = []
    others = dated.table.others
    rows, said = in_order(rows)
    notes += said
    if source.duplicates is None:
        rows, said = drop_repeats(rows, others, source)
        notes += said
    rows, said = drop_off_grid(rows, source)
    notes += said
    rows, said = drop_between(rows)
    notes += said
    rows, said = drop_repeats(rows, others, source)
    notes += said
    rows, said = difference(rows, source)
    notes += said
    need_stamp(dated.times, source)
    hours = to_hours(rows, source, unit)
    return _Made(hours.rows, hours.frequency, (*notes, *hours.notes))


def _decided(source: DataSource, found: Found, dated: Dated, numbers: Numbers) -> ReadingRules:
    plain = {name: getattr(source, name) for name in ReadingRules.model_fields}
    plain |= {
        "encoding": source.encoding or found.codec,
        "decimal": source.decimal or numbers.decimal,
        "thousands": source.thousands
        if source.thousands is not None
        else numbers.thousands or None,
        "date_format": dated.times.date_format,
        "stamp": dated.stamp or "begin",
    }
    if found.table.slots is not None:
        plain["stamp"] = source.stamp
    return ReadingRules.model_validate(plain)


def _why(source: DataSource, times: ClockTimes, numbers: Numbers, unit: str) -> tuple[str, ...]:
    """What was decided, and why."""
    lines = []
    if source.stamp is not None:
        lines.append(f"a row's time is the {source.stamp} of its period: told by --stamp")
    elif times.stamp is not None:
        lines.append(f"a row's time is the {times.stamp} of its period: {times.why}")
    else:
        lines.append(
            "a row's time is taken for the begin of its period, as the file does not say; if it "
            "is the end, give --stamp end"
        )
    if times.date_format is not None:
        told = (
            "told by --date-format"
            if source.date_format
            else "the only order that fits all rows and leaves no gaps of weeks"
        )
        lines.append(f"times are written {times.date_format}: {told}")
    if numbers.decimal is not None and (numbers.decimal != "." or numbers.thousands):
        mark = f", thousands {numbers.thousands!r}" if numbers.thousands else ""
        lines.append(f"decimal mark {numbers.decimal!r}{mark}")
    if unit and unit != source.unit:
        lines.append(f"the target's unit seems to be {unit}: --unit {unit} prints it beside errors")
    return tuple(lines)


def _coming(found: Rows, known: Rows, source: DataSource) -> NDArray[np.float64] | None:
    """The covariates of the hours after the last usage, as far as all known ahead are given."""
    if not source.known_ahead:
        return None
    after = found.take(found.instants > known.instants[-1])
    hours = (after.instants - known.instants[-1]) // HOUR
    ahead = [source.features.index(name) for name in source.known_ahead]
    given = (hours == np.arange(1, len(hours) + 1)) & ~np.isnan(after.values[:, ahead]).any(axis=1)
    count = len(given) if given.all() else int(np.argmin(given))
    values = np.full((count, len(source.features)), np.nan)
    values[:, ahead] = after.values[:count, ahead]
    return values


def _series(
    rows: Rows, source: DataSource, coming: NDArray[np.float64] | None = None
) -> HourlySeries:
    covariates = rows.values[:, :-1]
    coming = np.empty((0, covariates.shape[1])) if coming is None else coming
    if source.holidays is not None:
        holiday = public_holidays(rows.local, source.holidays)
        covariates = np.column_stack([covariates, holiday])
        # A served model takes the holidays of coming hours from the calendar.
        coming = np.column_stack([coming, np.full(len(coming), np.nan)])
    return HourlySeries(
        index=rows.instants,
        local=rows.local,
        target=rows.values[:, -1],
        covariates=covariates,
        target_name=source.target,
        covariate_names=(*source.features, *([HOLIDAY] if source.holidays else [])),
        unit=source.unit,
        name=source.name,
        known_ahead=source.inputs_known_ahead,
        holidays=source.holidays,
        coming=coming,
    )


def _period_warnings(rows: Rows, source: DataSource) -> list[str]:
    first, last = rows.local[0], rows.local[-1]
    warnings = []
    if source.start is not None and first - pd.Timestamp(source.start) >= HOUR:
        warnings.append(f"asked from {source.start}, the data begins {places.clock(first)}")
    if source.end is not None and pd.Timestamp(source.end) + DAY - last > HOUR:
        warnings.append(f"asked to {source.end}, the data ends {places.clock(last)}")
    return warnings


def _register_warnings(source: DataSource) -> list[str]:
    if not source.cumulative or source.stamp is not None:
        return []
    return [
        "the usage between two readings has the time of the second one; if a reading is taken at "
        "the time of its row, it belongs to the hour that ends there: give --stamp end"
    ]


def _clock_warnings(rows: Rows) -> list[str]:
    """Hours that do not begin on the hour."""
    late = int(rows.local.asi8[0] % _HOUR)
    if not late:
        return []
    return [f"hours begin {late / _MINUTE:g} minutes past the hour"]
