"""The hour that the autumn clock change repeats: which row is the first, which the second."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.clock_times import ClockTimes
from data_pipeline.errors import DataError
from data_pipeline.grid import usual_step
from data_pipeline.source import DataSource
from data_pipeline.time_text import HOUR, Flags

_SUMMER: Final = frozenset(
    {*("s", "summer", "sommer", "sommerzeit", "dst", "1", "y", "yes", "true", "t", "d", "cest")}
)
_WINTER: Final = frozenset(
    {*("w", "winter", "winterzeit", "st", "std", "0", "n", "no", "false", "f", "standard", "cet")}
)


def second_of_two(
    times: ClockTimes,
    local: pd.DatetimeIndex,
    summer: pd.DatetimeIndex,
    winter: pd.DatetimeIndex,
    ambiguous: Flags,
    source: DataSource,
) -> Flags:
    """Finds the rows that hold the second of two hours with the same clock time.

    A column of flags decides. Without one, zone letters decide, then marks such as A and B, then
    the order of the rows.

    Args:
        times: Of n rows, with the file's marks.
        local: Naive clock times of the rows' begins.
        summer: The same in the zone, repeated hours read as summer time.
        winter: The same, repeated hours read as winter time.
        ambiguous: bool (n,), rows whose clock time comes twice.
        source: Names for messages.

    Returns:
        bool (n,); only the values of ambiguous rows have a meaning.

    Raises:
        DataError: If there are flags that do not tell summer from winter, or neither marks nor the
            order of the rows tell the hours apart.
    """
    second = _by_order(local)
    marked = times.fold >= 0
    if times.zone is None and times.flags is None and source.edition > 1:
        _need_order(local, ambiguous & ~marked, source)
    second = np.where(marked, times.fold == 1, second)
    if times.zone is not None:
        letters = np.asarray(winter[ambiguous].strftime("%Z"), object)
        second[ambiguous] = letters == _plain_zone(times.zone[ambiguous])
    if times.flags is not None:
        second[ambiguous] = _by_flags(times.flags, summer, winter, ambiguous, source)[ambiguous]
    return np.asarray(second)


def _by_order(local: pd.DatetimeIndex) -> Flags:
    newest_first = local.is_monotonic_decreasing and not local.is_monotonic_increasing
    if not newest_first and len(local) > 2:
        # Days may be listed newest first while their hours are not, and the reverse.
        steps = np.diff(local.asi8)
        newest_first = bool((steps < 0).mean() > 0.7)
    seen = pd.Series(local).groupby(local).cumcount(ascending=not newest_first).to_numpy()
    return np.asarray(seen > 0)


def _need_order(local: pd.DatetimeIndex, alone: Flags, source: DataSource) -> None:
    """Refuses rows of two equal hours that are further apart than an hour's rows.

    Args:
        local: Naive clock times of n rows, in file order.
        alone: bool (n,), rows whose clock time comes twice in the zone and that have no mark.
        source: Names for messages.
    """
    at = np.flatnonzero(alone)
    clocks = local[at].as_unit("us").asi8
    times, counts = np.unique(clocks, return_counts=True)
    pairs = times[counts == 2]
    step = usual_step(local.as_unit("us").asi8) if len(pairs) else 0
    if not 0 < step <= HOUR:
        return
    for clock in pairs:
        one, other = at[clocks == clock]
        if (other - one) * step > HOUR:
            moment = places.clock(local[one])
            raise DataError(
                f"{source.file}: column {source.time_name!r}: {moment} comes twice in {source.tz}, "
                f"{other - one} rows apart: nothing tells which of these rows is the first of the "
                f"two hours. Sort the rows as they were recorded, or mark the hours as A and B."
            )


def _plain_zone(letters: NDArray[np.object_]) -> NDArray[np.object_]:
    return np.array([{"MEZ": "CET", "MESZ": "CEST"}.get(one, one) for one in letters], object)


def _by_flags(
    flags: NDArray[np.object_],
    summer: pd.DatetimeIndex,
    winter: pd.DatetimeIndex,
    ambiguous: Flags,
    source: DataSource,
) -> Flags:
    """Finds the second rows by a column of flags."""
    offsets = np.zeros(len(flags), np.int64)
    valid = ~np.asarray(summer.isna())
    offsets[valid] = (
        summer[valid].tz_localize(None).asi8
        - summer[valid].tz_convert("UTC").tz_localize(None).asi8
    )
    high = offsets[ambiguous].max()
    plain = np.array([str(one).strip().lower() for one in flags], object)
    in_summer = set(plain[valid & ~ambiguous & (offsets == high)])
    in_winter = set(plain[valid & ~ambiguous & (offsets == high - HOUR)])
    here = set(plain[ambiguous])
    if in_summer and in_winter and not in_summer & in_winter:
        return np.array([one in in_winter for one in plain])
    usual = in_summer | in_winter
    marks = here - usual
    if len(usual) == 1 and len(marks) == 1:
        # Only the repeated hour has this flag.
        return np.array([one in marks for one in plain])
    if not (here - _SUMMER - _WINTER):
        return np.array([one in _WINTER for one in plain])
    raise DataError(
        f"{source.file}: column {source.time[-1]!r}: expected flags that tell summer time from "
        f"winter time, found {', '.join(map(repr, sorted(here)))} in the hours that come twice. "
        f"Leave that --time out: then the order of the rows tells these hours apart."
    )
