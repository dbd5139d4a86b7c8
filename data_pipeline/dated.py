"""From the cells of a table to rows with their instants, within the days asked for."""

import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.clock import to_instants
from data_pipeline.clock_times import ClockTimes
from data_pipeline.columns import Table
from data_pipeline.edges import Around, empty_rows, trim
from data_pipeline.errors import DataError, Way
from data_pipeline.grid import ahead_of_end, snap
from data_pipeline.midnights import move_midnights
from data_pipeline.repeats import ways_by_meter
from data_pipeline.source import DataSource
from data_pipeline.stamps import need_moment, need_time_of_readings
from data_pipeline.time_text import MINUTE
from data_pipeline.times import read_times

DAY = pd.Timedelta(days=1)
_UTC = re.compile(r"(?<![a-z])(?:utc|gmt)(?![a-z+-])", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Dated:
    """n rows, in file order, each with the begin of its period.

    Attributes:
        table: Their cells.
        times: The clock times of all rows of the file that have one.
        around: What was found above and below the data.
        instants: n instants, UTC or naive clock time.
        local: n naive local clock times.
        lines: int64 (n,), file lines.
        repeated: Number of clock hours that came twice and that `--tz` told apart.
        notes: What was decided on clocks, one sentence each.
        stamp: "begin", "middle" or "end", told or found; None if nothing says which.
        source: The reading rules, with `stamp` as found.
    """

    table: Table
    times: ClockTimes
    around: Around
    instants: pd.DatetimeIndex
    local: pd.DatetimeIndex
    lines: NDArray[np.int64]
    repeated: int
    notes: tuple[str, ...]
    stamp: str | None
    source: DataSource


def date_rows(table: Table, source: DataSource) -> Dated:
    """Gives each row its instant, and leaves out rows that are not data or not asked for.

    Args:
        table: As it was found in the file.
        source: The reading rules.

    Raises:
        DataError: If a time cannot be read or placed, or no row is within the days asked for.
    """
    times = read_times(table, source)
    if times.offset is None and times.zone is None and source.edition > 1:
        _need_one_clock(table, source)
    table, times, around = trim(table, times, source)
    lines = table.values.index.to_numpy(np.int64)
    clock, snapped = snap(times.clock, lines)
    times = replace(times, clock=clock, notes=(*times.notes, *snapped))
    empty = empty_rows(table, source)
    if table.slots is not None:
        # The 25th hour of a day that has 24.
        extra = times.hour > 1440 // table.slots.step * table.slots.step // 60
        held = ~(extra & (empty | _are_fillers(table, extra)))
        table, times, lines, empty = table.take(held), times.take(held), lines[held], empty[held]
    stamp = source.stamp if times.stamp is None or source.stamp is not None else times.stamp
    slots = table.slots
    if slots is not None and not (slots.by_clock and source.cumulative):
        stamp = "begin"
    if times.stamp is not None and (slots is None or not slots.by_clock):
        # What the file says is not asked about. A column 05:00 may hold readings of that time.
        source = source.model_copy(update={"stamp": stamp})
    if slots is not None and slots.by_clock:
        need_time_of_readings(source)
    if table.slots is None:
        clock, moved = move_midnights(times.clock, lines, stamp, source)
        times = replace(times, clock=clock, notes=(*times.notes, *moved))
    ahead = np.zeros(len(lines), np.int64)
    if stamp in ("middle", "end") and slots is not None:
        ahead += slots.step * MINUTE
    elif stamp in ("middle", "end"):
        ahead = ahead_of_end(times.clock, times.read)
    if stamp == "middle":
        ahead //= 2
    try:
        placed = to_instants(times, ahead, empty, lines, source)
    except DataError as error:
        meters = [] if error.ways else ways_by_meter(times.clock, lines, table.others, source)
        if not meters:
            raise
        raise DataError(f"{error.message} Or these are several meters.", meters) from error
    if stamp is None and not source.cumulative:
        need_moment(placed.local, placed.instants, source)
    chosen = placed.kept.copy()
    chosen[placed.kept] = _in_period(placed.local, source)
    within = chosen[placed.kept]
    return Dated(
        table=table.take(chosen),
        times=times,
        around=around,
        instants=placed.instants[within],
        local=placed.local[within],
        lines=lines[chosen],
        repeated=placed.repeated,
        notes=placed.notes,
        stamp=stamp,
        source=source,
    )


def _need_one_clock(table: Table, source: DataSource) -> None:
    """Refuses a column that is called by UTC, if `--tz` names another zone."""
    named = [name for name in source.time if _UTC.search(name)]
    if not named or source.tz in (None, "UTC", "Etc/UTC", "Etc/GMT", "Etc/UCT"):
        return
    # By their places, columns are read without their names.
    at = [column.name for column in table.times]
    by_place = [str(one + 1) for one in at if isinstance(one, (int, np.integer))]
    ways = [Way({"tz": "UTC"}, "the times are UTC")]
    if len(by_place) == len(source.time):
        ways.append(Way({"time": by_place}, f"they are the clock of {source.tz}"))
    raise DataError(
        f"{source.file}: column {named[0]!r} is called by UTC, and --tz says that its clock is "
        f"that of {source.tz}.",
        ways,
    )


def _are_fillers(table: Table, extra: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Zeros in the 25th hours, bool (n,), if most of these are zeros: few days have 25 hours."""
    zero = np.zeros(len(table), np.bool_)
    if extra.any():
        cells = table.values.iloc[:, -1][extra].astype("str").str.replace(",", ".", regex=False)
        zero[extra] = (pd.to_numeric(cells, errors="coerce") == 0).to_numpy()
    return zero if 2 * zero.sum() > extra.sum() else np.zeros(len(table), np.bool_)


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
