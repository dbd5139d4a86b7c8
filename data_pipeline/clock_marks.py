"""Letters behind clock times: "p" for the afternoon, "DST" for summer time."""

import re
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline.time_text import Flags, Ints

_SUMMER: Final = "DST"
_OTHERS: Final = frozenset({"", "STD", "EST", "ST"})
_HALF: Final = re.compile(r"(?<=[0-9])\s?([ap])$", re.IGNORECASE)
_SAMPLE: Final = 100


def whole_halves(text: "pd.Series[str]") -> "pd.Series[str]":
    """Writes am and pm for a and p, if there is a p: without one, A marks the first of two hours.

    Args:
        text: n times without blanks at the ends.
    """
    sample = text.iloc[:_SAMPLE].tolist()
    if not any(cell[-1:] in ("p", "P") and _HALF.search(cell) for cell in sample):
        return text
    return text.str.replace(_HALF, r" \1m", regex=True)


def folds_of_summer(
    zone: NDArray[np.object_], clock: Ints, read: Flags, fold: NDArray[np.int8]
) -> NDArray[np.int8] | None:
    """Reads "DST" behind a time as a mark of the first of two equal hours.

    If the letters stand at one of two equal times and at no other time of the summer, they only
    mark that it comes twice: then the order of the rows tells which is the first.

    Args:
        zone: Letters behind n times.
        clock: int64 (n,), the times.
        read: bool (n,), rows that have a time.
        fold: int8 (n,), as marked otherwise.

    Returns:
        int8 (n,), marked where a time comes with and without the letters; None if other letters
        stand there, which name a zone.
    """
    letters = {str(one) for one in np.unique(zone[read].astype(str))}
    if _SUMMER not in letters or letters - _OTHERS - {_SUMMER}:
        return None
    summer = (zone == _SUMMER) & read
    twice = np.isin(clock, clock[summer]) & np.isin(clock, clock[~summer & read]) & read
    if not (summer & ~twice).any():
        return fold
    return np.where(twice, np.where(summer, 0, 1), fold).astype(np.int8)
