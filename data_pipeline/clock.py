"""From clock times to instants: zones, clock changes, and stamps that end a period."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from data_pipeline import places
from data_pipeline.autumn import second_of_two
from data_pipeline.clock_times import ClockTimes
from data_pipeline.errors import DataError, Way
from data_pipeline.source import DataSource
from data_pipeline.time_text import DAY, HOUR, Flags, Ints
from data_pipeline.zone_letters import utc_by_letters

# One zone for each way that clocks change; the messages suggest those that fit a file.
ZONES: Final = (
    "Europe/Berlin",
    "Europe/London",
    "Europe/Helsinki",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "Australia/Sydney",
    "Pacific/Auckland",
    "Asia/Jerusalem",
)


@dataclass(frozen=True, eq=False)
class Instants:
    """When each row's period begins.

    Attributes:
        instants: UTC where offsets or `--tz` fix it, else the naive clock time.
        local: Naive local clock time.
        kept: bool, rows of the input that have an instant. The others have no values and lie in
            an hour that the spring clock change skips.
        repeated: Number of clock hours that came twice and that `--tz` told apart.
        notes: What was decided, one sentence each.
    """

    instants: pd.DatetimeIndex
    local: pd.DatetimeIndex
    kept: Flags
    repeated: int
    notes: tuple[str, ...]


def to_instants(
    times: ClockTimes, ahead: Ints, empty: Flags, lines: Ints, source: DataSource
) -> Instants:
    """Places every row in time.

    Clock times with an offset are converted to UTC. Clock times without one are read in the zone of
    `--tz`. If the autumn clock change repeats an hour, its first row is summer time and its second
    is winter time, unless the file marks them. The local clock is that of `--tz`, else each row's
    own.

    Args:
        times: The clock times of n rows.
        ahead: int64 (n,), microseconds from the begin of a row's period to its stamp; 0 if the
            stamp is the begin.
        empty: bool (n,), rows without any value.
        lines: int64 (n,), file lines.
        source: `--tz`, and names for messages.

    Raises:
        DataError: If a time does not exist on the clock, or a zone is needed.
    """
    kept = np.ones(len(lines), np.bool_)
    if times.offset is not None:
        utc = _index(times.clock - times.offset - ahead).tz_localize("UTC")
        if source.tz is not None:
            return Instants(utc, utc.tz_convert(source.tz).tz_localize(None), kept, 0, ())
        return Instants(utc, _index(times.clock - ahead), kept, 0, ())
    if times.zone is not None and source.tz is None:
        utc, note = utc_by_letters(times.clock, times.zone, source)
        return Instants(
            utc - pd.to_timedelta(ahead, unit="us"), _index(times.clock - ahead), kept, 0, note
        )
    if source.tz is None:
        _refuse_folds(times, empty, lines, source)
        local = _index(times.clock - ahead)
        return Instants(local, local, kept, 0, ())
    return _in_zone(times, ahead, empty, lines, source)


def _index(clock: Ints) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(clock.view("datetime64[us]"))


def _refuse_folds(times: ClockTimes, empty: Flags, lines: Ints, source: DataSource) -> None:
    marked = ((times.fold >= 0) | (times.hour >= 25)) & ~empty
    if marked.any():
        at = int(np.argmax((times.fold >= 1) & ~empty if (times.fold >= 1).any() else marked))
        clock = times.day[at] * DAY if times.hour[at] >= 25 else times.clock[at]
        day = _index(np.array([clock]))[0]
        ways = [Way({"tz": zone}) for zone in zones_that_change(day)]
        raise DataError(
            f"{source.file}: line {lines[at]}, column {source.time_name!r}: found an hour of the "
            f"autumn clock change, {places.clock(day)}. The file does not name the zone: give "
            f"--tz.",
            ways,
        )


def zones_that_change(day: pd.Timestamp) -> list[str]:
    """The zones of `ZONES` whose clock changes on that day."""
    begin = datetime(day.year, day.month, day.day)
    return [
        zone
        for zone in ZONES
        if begin.replace(tzinfo=ZoneInfo(zone)).utcoffset()
        != (begin + timedelta(days=1)).replace(tzinfo=ZoneInfo(zone)).utcoffset()
    ]


@dataclass(frozen=True, eq=False)
class _Placed:
    utc: pd.DatetimeIndex
    skipped: Flags
    repeated: int


def _in_zone(
    times: ClockTimes, ahead: Ints, empty: Flags, lines: Ints, source: DataSource
) -> Instants:
    assert source.tz is not None
    notes: tuple[str, ...] = ()
    if _counts_elapsed(times, empty, source.tz, lines, source):
        utc = _elapsed(times, ahead, source.tz)
        notes = ("hours of a day counted through both clock changes: the 25th is the last",)
        # On a shorter day, an hour 24 or 25 without a value does not exist.
        placed = _Placed(utc, empty & (_days(utc, source.tz) != times.day), 0)
    else:
        placed = _locate(times.clock - ahead, times, source)
        if ahead.any() and _faults(placed, empty):
            later = _locate(times.clock, times, source)
            if not _faults(later, empty):
                placed = _Placed(
                    later.utc - pd.to_timedelta(ahead, unit="us"), later.skipped, later.repeated
                )
                notes = ("stamps are ends as the clock shows them after its change",)
    skipped = placed.skipped & ~empty
    if skipped.any():
        raise _skipped(int(np.argmax(skipped)), skipped, times, ahead, lines, source)
    kept = ~placed.skipped
    if placed.skipped.any():
        notes = (
            *notes,
            f"{int(placed.skipped.sum())} rows without values left out, whose hours do not exist "
            f"in {source.tz}",
        )
    utc = placed.utc[kept].tz_convert("UTC")
    local = utc.tz_convert(source.tz).tz_localize(None)
    return Instants(utc, local, kept, placed.repeated, notes)


def _locate(begin: Ints, times: ClockTimes, source: DataSource) -> _Placed:
    """Places clock times in the zone; marks or order tell repeated hours apart."""
    local = _index(begin)
    n = len(local)
    summer = local.tz_localize(source.tz, ambiguous=np.ones(n, np.bool_), nonexistent="NaT")
    winter = local.tz_localize(source.tz, ambiguous=np.zeros(n, np.bool_), nonexistent="NaT")
    skipped = np.asarray(summer.isna())
    ambiguous = np.asarray(summer != winter) & ~skipped
    if not ambiguous.any():
        return _Placed(summer, skipped, 0)
    second = second_of_two(times, local, summer, winter, ambiguous, source)
    chosen = summer.where(~second, winter)
    return _Placed(chosen, skipped, int((second & ambiguous).sum()))


def _faults(placed: _Placed, empty: Flags) -> int:
    """The number of rows that do not exist, come twice or follow a hole of one hour."""
    lost = int((placed.skipped & ~empty).sum())
    utc = placed.utc[~placed.skipped]
    return lost + int(utc.duplicated().sum()) + _holes(utc)


def _holes(utc: pd.DatetimeIndex) -> int:
    steps = np.diff(np.unique(utc.as_unit("us").asi8))
    if len(steps) == 0:
        return 0
    usual = int(np.median(steps))
    return int((steps == usual + HOUR).sum()) if usual <= HOUR else 0


def _days(utc: pd.DatetimeIndex, tz: str) -> Ints:
    return np.asarray(utc.tz_convert(tz).tz_localize(None).as_unit("us").asi8 // DAY, np.int64)


def _elapsed(times: ClockTimes, ahead: Ints, tz: str) -> pd.DatetimeIndex:
    """The k-th hour since local midnight, however long the day is."""
    within = (times.clock - ahead) - times.day * DAY
    midnight = _index(times.day * DAY).tz_localize(
        tz, ambiguous=np.ones(len(within), np.bool_), nonexistent="shift_forward"
    )
    return pd.DatetimeIndex(
        (midnight.tz_convert("UTC") + pd.to_timedelta(within, unit="us")).as_unit("us")
    )


def _counts_elapsed(
    times: ClockTimes, empty: Flags, tz: str, lines: Ints, source: DataSource
) -> bool:
    """True if hours are numbered to 23 on the day of the spring change and to 25 in autumn."""
    numbered = times.hour >= 0
    if not numbered.all() or (times.fold >= 0).any():
        return False
    first = int(times.hour.min())
    number = times.hour - first + 1
    extra = (number == 25) & ~empty
    if extra.any():
        at = int(np.argmax(extra))
        beside = number[max(0, at - 1) : at + 2]
        if len(beside) > 1 and not np.isin(beside, (1, 24, 25)).all() and 24 not in beside:
            raise DataError(
                f"{source.file}: line {lines[at]}: expected hour 25 after hour 24, found it "
                f"elsewhere. Mark the hour that comes twice as A and B."
            )
        return True
    days = times.day
    starts = _index(days * DAY)
    begin = starts.tz_localize(
        tz, ambiguous=np.ones(len(days), np.bool_), nonexistent="shift_forward"
    )
    end = (starts + pd.Timedelta(days=1)).tz_localize(
        tz, ambiguous=np.ones(len(days), np.bool_), nonexistent="shift_forward"
    )
    short = np.asarray(end - begin) < np.timedelta64(24, "h")
    if not short.any():
        return False
    clock = days * DAY + (number - 1) * HOUR
    skipped = np.asarray(
        _index(clock)
        .tz_localize(tz, ambiguous=np.ones(len(days), np.bool_), nonexistent="NaT")
        .isna()
    )
    holds = bool((skipped & ~empty).any())
    last = bool((short & (number == 24) & ~empty).any())
    # On a day that the file does not finish, only a clock leaves out the skipped hour.
    unfinished = short & (days == days.max()) & ~empty
    return holds and not last and not (np.diff(np.unique(number[unfinished])) > 1).any()


def _skipped(
    at: int, skipped: Flags, times: ClockTimes, ahead: Ints, lines: Ints, source: DataSource
) -> DataError:
    moment = places.clock(_index((times.clock - ahead)[at : at + 1])[0])
    ways = []
    if not ahead.any() and source.stamp is None:
        ways.append(Way({"stamp": "end"}, "if the times are ends"))
    if source.missing is None:
        # Many exports fill this hour with zeros.
        ways.append(Way({"missing": ("0",)}, "0 means no value, as in the hour that is skipped"))
    return DataError(
        f"{source.file}: line {lines[at]}, column {source.time_name!r}: "
        f"{moment} does not exist in {source.tz}: the spring clock change skips it; "
        f"{int(skipped.sum())} such rows. Correct --tz; for a clock without summer time give a "
        f"fixed zone such as 'Etc/GMT-10' (UTC+10).",
        ways,
    )
