"""Letters of zones behind times, such as CEST and EST: those that fix the offset from UTC."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline.errors import DataError, Way
from data_pipeline.source import DataSource
from data_pipeline.time_text import HOUR, Ints

# Hours ahead of UTC of letters that mean the same all over the world.
_OFFSETS: Final = {
    **dict.fromkeys(("UTC", "GMT", "WET"), 0),
    **dict.fromkeys(("WEST", "CET", "MEZ"), 1),
    **dict.fromkeys(("CEST", "MESZ", "EET", "SAST"), 2),
    **dict.fromkeys(("EEST", "MSK", "TRT"), 3),
    "EDT": -4,
    "CDT": -5,
    "MDT": -6,
    "PDT": -7,
    "PST": -8,
    "AKDT": -8,
    "AKST": -9,
    "HST": -10,
    **dict.fromkeys(("WIB", "ICT"), 7),
    **dict.fromkeys(("HKT", "SGT", "AWST", "PHT"), 8),
    **dict.fromkeys(("KST", "JST"), 9),
    "ACST": 9.5,
    "ACDT": 10.5,
    "AEST": 10,
    "AEDT": 11,
    "NZST": 12,
    "NZDT": 13,
}
# Zones of letters that mean several offsets. Those of Etc have no summer time.
_ZONES: Final = {
    **dict.fromkeys(("EST", "ET", "EPT"), ("America/New_York", "Etc/GMT+5")),
    **dict.fromkeys(("CST", "CT", "CPT"), ("America/Chicago", "Etc/GMT+6", "Asia/Shanghai")),
    **dict.fromkeys(("MST", "MPT"), ("America/Denver", "Etc/GMT+7")),
    **dict.fromkeys(("PT", "PPT"), ("America/Los_Angeles", "Etc/GMT+8")),
    "BST": ("Europe/London",),
    "IST": ("Asia/Kolkata", "Asia/Jerusalem", "Europe/Dublin"),
    "AST": ("America/Halifax", "Etc/GMT+4", "Asia/Riyadh"),
}
# These stand for summer and winter alike.
_ALL_YEAR: Final = frozenset({"ET", "EPT", "CT", "CPT", "MPT", "PT", "PPT"})


def utc_by_letters(
    clock: Ints, letters: NDArray[np.object_], source: DataSource
) -> tuple[pd.DatetimeIndex, tuple[str, ...]]:
    """Turns clock times with letters of zones into UTC.

    Args:
        clock: int64 (n,), clock times in microseconds.
        letters: (n,), behind each of them.
        source: Names for messages.

    Returns:
        n instants in UTC, and a note.

    Raises:
        DataError: If the letters do not fix the offset of every row; with the zones that fit.
    """
    found = sorted(set(letters))
    if any(one not in _OFFSETS for one in found):
        zones = _that_fit(clock, letters)
        raise DataError(
            f"{source.file}: column {source.time_name!r}: found the zone letters "
            f"{', '.join(map(repr, found))}, which do not fix the offset from UTC of every row. "
            f"Give --tz with the zone of the file's clock.",
            [Way({"tz": zone}, _meaning(zone)) for zone in zones],
        )
    offset = np.array([_OFFSETS[one] for one in letters]) * HOUR
    utc = pd.DatetimeIndex((clock - offset.astype(np.int64)).view("datetime64[us]"))
    return utc.tz_localize("UTC"), (f"zone letters {', '.join(found)} read as offsets from UTC",)


def _that_fit(clock: Ints, letters: NDArray[np.object_]) -> list[str]:
    """The zones of the letters whose own letters contradict no time."""
    first = next((one for one in letters if one in _ZONES), "")
    if first in _ALL_YEAR:
        return list(_ZONES[first][:1])
    local = pd.DatetimeIndex(clock.view("datetime64[us]"))
    winter = np.zeros(len(local), np.bool_)
    alone = len(set(letters)) == 1
    fits = []
    for zone in _ZONES.get(first, ()):
        late = local.tz_localize(zone, ambiguous=winter, nonexistent="shift_forward")
        early = local.tz_localize(zone, ambiguous=~winter, nonexistent="shift_forward")
        own = np.asarray(late.strftime("%Z"), object)
        if own[0][0] in "+-":  # a zone without letters of its own
            fits += [zone] if alone else []
        elif (own == letters)[np.asarray(late == early)].all():
            fits.append(zone)
    return fits


def _meaning(zone: str) -> str:
    return "a clock without summer time" if zone.startswith("Etc/") else ""
