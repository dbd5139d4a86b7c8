"""From text to instants and local clock times."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.errors import DataError
from data_pipeline.source import DataSource

_ISO: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)?)?"
)
_YEAR_FIRST: Final = re.compile(r"^([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?=$|[ T])")
_LONE_DIGIT: Final = re.compile(r"(?<![0-9.])([0-9])(?![0-9])")
_WITH_OFFSET: Final = re.compile(r"(.*:[0-9]{2}(?:\.[0-9]+)?) ?(Z|[+-][0-9]{2}:?[0-9]{2})")
_YEAR_LAST: Final = re.compile(r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}(?=$|[ T])")
_HOUR_24: Final = re.compile(r"(?<=[ T])24(?=$|:00)")
_WIDEST_OFFSET: Final = timedelta(hours=15)
_YEARS: Final = (1900, 2200)


@dataclass(frozen=True, eq=False)
class Times:
    """When each row was measured, in file order.

    Attributes:
        instants: UTC where offsets or `--tz` fix it, else the naive clock time.
        local: Naive local clock time.
        repeated: Clock hours that came twice and were told apart by `--tz`.
        repairs: What was changed on the way.
    """

    instants: pd.DatetimeIndex
    local: pd.DatetimeIndex
    repeated: int
    repairs: tuple[str, ...]


def read_times(cells: "pd.Series[str]", source: DataSource) -> Times:
    """Reads the time column.

    Clock times with an offset are turned into UTC. Those without are read in the zone of `--tz`;
    where the autumn clock change brings an hour twice, its first row is summer time and its second
    is winter time. The local clock is that of `--tz`, else each row's own.

    Args:
        cells: The time column as text, indexed by file line.
        source: The time zone and the date format.

    Returns:
        One instant and one local clock time a row.

    Raises:
        DataError: If a cell is no time, is ambiguous or does not exist on the clock.
    """
    text = cells.str.strip()
    if source.date_format is None:
        clock, offsets = _read_iso(text, source)
        repairs: tuple[str, ...] = ()
    else:
        clock, offsets, repairs = _read_format(text, source.date_format, source)
    local = pd.DatetimeIndex(clock).as_unit("us")
    _check_years(local, text, source)
    if offsets is not None:
        utc = (local - pd.TimedeltaIndex(offsets)).as_unit("us").tz_localize("UTC")
        if source.tz is not None:
            local = utc.tz_convert(source.tz).tz_localize(None)
        return Times(utc, local, 0, repairs)
    if source.tz is None:
        return Times(local, local, 0, repairs)
    utc, repeated = _localize(local, source.tz, text, source)
    return Times(utc, local, repeated, repairs)


def _read_iso(
    text: "pd.Series[str]", source: DataSource
) -> tuple["pd.Series[pd.Timestamp]", "pd.Series[pd.Timedelta] | None"]:
    clock, offsets = _split_offsets(text, source)
    odd = ~clock.str.fullmatch(_ISO)
    if odd.any():
        tidy = clock[odd].str.replace(_YEAR_FIRST, r"\1-\2-\3", regex=True)
        clock = clock.copy()
        clock[odd] = tidy.str.replace(_LONE_DIGIT, r"0\1", regex=True)
        odd = ~clock.str.fullmatch(_ISO)
    times = pd.to_datetime(clock.where(~odd, "none"), format="ISO8601", errors="coerce")
    _refuse(times.isna(), text, source)
    return times, offsets


def _split_offsets(
    text: "pd.Series[str]", source: DataSource
) -> tuple["pd.Series[str]", "pd.Series[pd.Timedelta] | None"]:
    marked = text.str.fullmatch(_WITH_OFFSET)
    if not marked.any():
        return text, None
    if not marked.all():
        line, cell = _first(marked, text)
        other_line, other = _first(~marked, text)
        raise DataError(
            f"{source.file}: column {source.time!r}: expected a UTC offset in every row or in "
            f"none, found {places.quoted(cell)} in line {line} and {places.quoted(other)} in line "
            f"{other_line}. Write all times alike."
        )
    clock = text.str.replace(_WITH_OFFSET, r"\1", regex=True)
    written = text.str.replace(_WITH_OFFSET, r"\2", regex=True)
    values = {offset: _offset(offset) for offset in written.unique()}
    offsets = pd.to_timedelta(written.map(values))
    far = offsets.abs() > _WIDEST_OFFSET
    if far.any():
        line, cell = _first(far, text)
        raise DataError(
            f"{source.file}: line {line}, column {source.time!r}: expected a UTC offset of at "
            f"most 15 hours, found {places.quoted(cell)}. Correct it."
        )
    return clock, offsets


def _offset(written: str) -> timedelta:
    if written == "Z":
        return timedelta(0)
    size = timedelta(hours=int(written[1:3]), minutes=int(written[-2:]))
    return -size if written[0] == "-" else size


def _read_format(
    text: "pd.Series[str]", date_format: str, source: DataSource
) -> tuple["pd.Series[pd.Timestamp]", "pd.Series[pd.Timedelta] | None", tuple[str, ...]]:
    if "%z" in date_format:
        return *_read_format_with_offset(text, date_format, source), ()
    times = _strptime(text, date_format)
    late = times.isna() & text.str.contains(_HOUR_24)
    repairs: tuple[str, ...] = ()
    if late.any():
        midnight = _strptime(text[late].str.replace(_HOUR_24, "00", regex=True), date_format)
        times[late] = midnight + pd.Timedelta(days=1)
        repairs = (f"hour 24 read as hour 0 of the next day, {int(late.sum())} times",)
    _refuse(times.isna(), text, source)
    return times, None, repairs


def _strptime(text: "pd.Series[str]", date_format: str) -> "pd.Series[pd.Timestamp]":
    try:
        times = pd.to_datetime(text, format=date_format, errors="coerce")
    except (ValueError, re.error) as error:
        raise DataError(f"--date-format {date_format!r} is no strptime format: {error}") from error
    return times.astype("datetime64[us]")


def _read_format_with_offset(
    text: "pd.Series[str]", date_format: str, source: DataSource
) -> tuple["pd.Series[pd.Timestamp]", "pd.Series[pd.Timedelta]"]:
    # Row by row, because pandas turns mixed offsets into UTC and so loses the local clock.
    clock, offsets = [], []
    for line, cell in text.items():
        try:
            time = datetime.strptime(cell, date_format)
        except (ValueError, re.error) as error:
            raise DataError(
                f"{source.file}: line {line}, column {source.time!r}: expected a time as in "
                f"--date-format {date_format!r}, found {places.quoted(cell)} ({error})."
            ) from error
        clock.append(time.replace(tzinfo=None))
        offsets.append(time.utcoffset() or timedelta(0))
    return (
        pd.Series(clock, index=text.index, dtype="datetime64[us]"),
        pd.Series(offsets, index=text.index, dtype="timedelta64[us]"),
    )


def _refuse(bad: "pd.Series[bool]", text: "pd.Series[str]", source: DataSource) -> None:
    if not bad.any():
        return
    line, cell = _first(bad, text)
    if source.date_format is not None:
        hint = f"It does not fit --date-format {source.date_format!r}"
    elif cell == "":
        hint = "Fill it or remove the row"
    elif _HOUR_24.search(cell):
        hint = "Write hour 24 as hour 0 of the next day, or give --date-format, which reads it so"
    elif _YEAR_LAST.match(cell):
        hint = (
            "It may be day-first or month-first: say which by --date-format, "
            "e.g. '%d/%m/%Y %H:%M' or '%m/%d/%Y %H:%M'"
        )
    else:
        hint = "Correct it, or say how it is written by --date-format"
    raise DataError(
        f"{source.file}: line {line}, column {source.time!r}: expected a time such as "
        f"'2014-04-01 05:00', found {places.quoted(cell)}; {int(bad.sum())} such rows. {hint}."
    )


def _first(flags: "pd.Series[bool]", text: "pd.Series[str]") -> tuple[int, str]:
    at = int(flags.to_numpy().argmax())
    return int(text.index[at]), text.iloc[at]


def _check_years(local: pd.DatetimeIndex, text: "pd.Series[str]", source: DataSource) -> None:
    far = (local.year < _YEARS[0]) | (local.year > _YEARS[1])
    if far.any():
        at = int(np.argmax(far))
        raise DataError(
            f"{source.file}: line {text.index[at]}, column {source.time!r}: expected a year from "
            f"{_YEARS[0]} to {_YEARS[1]}, found {places.quoted(text.iloc[at])}. Correct it, or "
            f"say how it is written by --date-format."
        )


def _localize(
    local: pd.DatetimeIndex, tz: str, text: "pd.Series[str]", source: DataSource
) -> tuple[pd.DatetimeIndex, int]:
    n = len(local)
    summer = local.tz_localize(tz, ambiguous=np.ones(n, np.bool_), nonexistent="NaT")
    winter = local.tz_localize(tz, ambiguous=np.zeros(n, np.bool_), nonexistent="NaT")
    missing = np.asarray(summer.isna())
    if missing.any():
        at = int(np.argmax(missing))
        raise DataError(
            f"{source.file}: line {text.index[at]}, column {source.time!r}: "
            f"{places.quoted(text.iloc[at])} does not exist in {tz}: the spring clock change "
            f"skips it; {int(missing.sum())} such rows. Correct --tz; for a clock without summer "
            f"time give a fixed zone such as 'Etc/GMT-10' (UTC+10)."
        )
    newest_first = local.is_monotonic_decreasing and not local.is_monotonic_increasing
    occurrence = pd.Series(local).groupby(local).cumcount(ascending=not newest_first).to_numpy()
    second: NDArray[np.bool_] = occurrence > 0
    ambiguous = np.asarray(summer != winter)
    utc = summer.where(~second, winter).tz_convert("UTC")
    return utc, int((second & ambiguous).sum())
