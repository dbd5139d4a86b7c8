"""Whether a row's time is the begin or the end of what it measures, as far as the file says."""

import re
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from data_pipeline import places
from data_pipeline.clock_times import ClockTimes
from data_pipeline.columns import Table
from data_pipeline.errors import DataError, Way
from data_pipeline.grid import most_frequent, usual_step
from data_pipeline.source import DataSource
from data_pipeline.time_text import DAY, HOUR, MINUTE, SECOND, Cells

_END_NAMES: Final = re.compile(
    r"(?<![a-z])(?:end(?:ing|e|zeit|s)?|bis|he|to)(?![a-z])|종료", re.IGNORECASE
)
# Known since the second edition of the reader, in the languages of Europe and East Asia.
_MORE_ENDS: Final = re.compile(
    r"(?<![^\W\d_])(?:fin(?:al)?|hasta|fine|stop|até|fim|tot|til|till|slut(?:tid)?|loppu\w*|lõpp|"
    r"koniec|konec|kraj|do|bitiş|vég[e]?|sfârșit|конец|окончание|до|τέλος|έως)(?![^\W\d_])|"
    r"까지|終了|结束|結束|截止",
    re.IGNORECASE,
)
_MORE_BEGINS: Final = re.compile(
    r"(?<![^\W\d_])(?:d[ée]but|desde|inicio|início|inizio|van|fra|från|alku\w*|algus|od|"
    r"początek|začátek|začiatok|početak|başlang\u0131ç|kezdet[e]?|început|начало|от|αρχή|από)"
    r"(?![^\W\d_])|부터|開始|开始|起始",
    re.IGNORECASE,
)
_BEGIN_NAMES: Final = re.compile(
    r"(?<![a-z])(?:start(?:ing|s|zeit)?|begin(?:n|ning|s)?|von|from)(?![a-z])|시작", re.IGNORECASE
)


def with_slots(times: ClockTimes, table: Table) -> ClockTimes:
    """The times of the periods of a day, in a table with a row a day.

    Args:
        times: The days of n rows.
        table: Its `slots` hold the begins of the periods.
    """
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


def with_stamp(
    times: ClockTimes, cells: Cells, text: "pd.Series[str]", source: DataSource
) -> ClockTimes:
    """Finds out whether the file's times are begins or ends.

    Args:
        times: Of n rows.
        cells: As they are written.
        text: The cells, indexed by file line.
        source: `--stamp`, `--date-format`, and names for messages.

    Raises:
        DataError: If the hours run from 0 to 24, or half-hours begin with 00:30 and do not end
            with 00:00.
    """
    read = times.read
    late, early = cells.midnight24 & read, cells.midnight0 & read & (times.clock % HOUR == 0)
    numbered = cells.numbered & read
    notes = times.notes
    if late.any() and cells.midnight24.any():
        notes = (
            *notes,
            f"hour 24 read as hour 0 of the next day, {int(late.sum())} times",
        )
    if (cells.length[read] > 0).any():
        return replace(times, stamp="begin", why="each cell holds begin and end", notes=notes)
    if late.any() and early.any() and source.stamp is None and source.date_format is None:
        at, zero = int(np.argmax(late)), int(np.argmax(early))
        raise DataError(
            f"{source.file}: line {text.index[at]}, column {source.time_name!r}: expected hours 0 "
            f"to 23 or 1 to 24, found {places.quoted(text.iloc[at])} beside "
            f"{places.quoted(text.iloc[zero])} in line {text.index[zero]}. Write hour 24 as hour 0 "
            f"of the next day, or give --stamp or --date-format.",
            [Way({"stamp": "begin"}), Way({"stamp": "end"})],
        )
    if late.any() and not early.any():
        why = "its hours run from 1 to 24" if numbered.any() else "midnight is written as 24:00"
        return replace(times, stamp="end", why=why, notes=notes)
    ends = [name for name in source.time if _END_NAMES.search(name)]
    begins = [name for name in source.time if _BEGIN_NAMES.search(name)]
    if source.edition > 1:
        ends += [name for name in source.time if _MORE_ENDS.search(name)]
        begins += [name for name in source.time if _MORE_BEGINS.search(name)]
    if ends and not begins:
        return replace(times, stamp="end", why=f"the column is called {ends[-1]!r}", notes=notes)
    if begins and not ends:
        return replace(
            times, stamp="begin", why=f"the column is called {begins[-1]!r}", notes=notes
        )
    if source.stamp is None and source.edition > 1 and read.any():
        times = _by_whole_days(_by_last_moments(times), text, source)
    return replace(times, notes=notes)


def _by_last_moments(times: ClockTimes) -> ClockTimes:
    """Times such as 00:59:59 or 00:59, in every row, are the ends of periods."""
    clock = times.clock[times.read]
    for moment, step, said in ((SECOND, 5 * MINUTE, "second"), (MINUTE, HOUR, "minute")):
        # From the last moment of a day on, it may be the begin of the next period just as well.
        if ((clock + moment) % step == 0).all() and (int(clock.min()) + moment) % DAY != 0:
            why = f"each is the last {said} of a period"
            moved = np.where(times.read, times.clock + moment, times.clock)
            return replace(times, clock=moved, stamp="end", why=why)
    return times


def _by_whole_days(times: ClockTimes, text: "pd.Series[str]", source: DataSource) -> ClockTimes:
    """Times of less than an hour that run from 00:30 to 00:00 are the ends of whole days."""
    if times.stamp is not None:
        return times
    clock = times.clock[times.read]
    first, last = int(clock.min()), int(clock.max())
    begin = first % DAY
    if not 0 < begin < HOUR or HOUR % begin or begin != usual_step(clock):
        return times
    if last % DAY == 0:
        why = f"the first is 00:{begin // MINUTE:02} and the last 00:00, so whole days are full"
        return replace(times, stamp="end", why=why)
    at = int(np.flatnonzero(times.read)[np.argmin(clock)])
    raise DataError(
        f"{source.file}: column {source.time_name!r}: the first time is "
        f"{places.quoted(text.iloc[at])} in line {text.index[at]}, one step after midnight. Either "
        f"each time is the end of its period, or the first one is missing.",
        [Way({"stamp": "end"}, "times are ends"), Way({"stamp": "begin"}, "times are begins")],
    )


def need_stamp(times: ClockTimes, source: DataSource) -> None:
    """Refuses hours from 01:00 to 00:00 until `--stamp` says what they are.

    They may be the ends of whole days, or begins: days of UTC on a clock that is an hour ahead.

    Args:
        times: Of n rows, at least one.
        source: `--stamp`, `--register`, and names for messages.

    Raises:
        DataError: With both ways.
    """
    known = (source.stamp, times.stamp, source.cumulative or None) != (None, None, None)
    clock = times.clock[times.read]
    first, last = int(clock.min()), int(clock.max())
    if known or source.edition == 1 or (first % DAY, last % DAY) != (HOUR, 0):
        return
    if usual_step(clock) != HOUR:
        return
    begin, end = (places.clock(pd.Timestamp(one, unit="us")) for one in (first, last))
    raise DataError(
        f"{source.file}: column {source.time_name!r}: the hours run from {begin} to {end}. Either "
        f"each time is the end of its hour, and all days are whole, or the file begins and ends "
        f"one hour late, as days of UTC do on another clock; no row tells which.",
        [Way({"stamp": "end"}, "times are ends"), Way({"stamp": "begin"}, "times are begins")],
    )


def need_moment(local: pd.DatetimeIndex, instants: pd.DatetimeIndex, source: DataSource) -> None:
    """Refuses times in the middle between two steps, until `--stamp` says what they are.

    They may be the middles of periods, such as hours at half past. In a zone that is half an hour
    off, full hours of UTC are at half past on the clock, and the other way round; these are begins.

    Args:
        local: n naive clock times.
        instants: The same n times, in UTC if offsets or `--tz` fix it.
        source: Names for messages.

    Raises:
        DataError: With all ways.
    """
    clock = local.as_unit("us").asi8
    step = usual_step(clock)
    if source.edition < 3 or not 5 * MINUTE <= step <= HOUR or HOUR % step or len(clock) < 2:
        return
    if any(most_frequent(one.as_unit("us").asi8 % step) * 2 != step for one in (local, instants)):
        return
    raise DataError(
        f"{source.file}: column {source.time_name!r}: the times are {step / 2 / MINUTE:g} minutes "
        f"off the full {'hour' if step == HOUR else 'step'}, such as {local[0]}. Either each is "
        f"the middle of its period, or periods begin there; no row tells which.",
        [
            Way({"stamp": "middle"}, "times are middles"),
            Way({"stamp": "begin"}, "times are begins"),
            Way({"stamp": "end"}, "times are ends"),
        ],
    )


def need_time_of_readings(source: DataSource) -> None:
    """Refuses readings in a row a day, below clock times, until `--stamp` says when each is taken.

    Args:
        source: `--register`, `--stamp`, and names for messages.

    Raises:
        DataError: With both ways.
    """
    if not source.cumulative or source.stamp is not None or source.edition < 3:
        return
    raise DataError(
        f"{source.file}: the columns are clock times, and a reading may be taken at the time of "
        f"its column or at the end of the period that begins there.",
        [
            Way({"stamp": "end"}, "each is taken at the time of its column"),
            Way({"stamp": "begin"}, "each is taken one step later"),
        ],
    )
