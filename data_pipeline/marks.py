"""Marks behind numbers that are no part of them: a quality flag, a minus at the end."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# "7.80*", "7.80 E": estimated or actual, as utilities mark them. Letters of units are not here.
_FLAGGED: Final = r"^([+-]?[0-9.,' ]*[0-9])(?: ?([*#†])| ([AaEe]))$"
# "7.80-", as SAP writes a negative number.
_MINUS_BEHIND: Final = r"^([0-9][0-9.,' ]*)-$"


def without_marks(
    text: "pd.Series[str]", filled: NDArray[np.bool_]
) -> "tuple[pd.Series[str], str]":
    """Takes flags away from numbers, and puts a minus before them.

    Args:
        text: n cells without blanks at their ends.
        filled: bool (n,), cells that are not empty.

    Returns:
        The cells, and what was found, a few words, "" for nothing.
    """
    found = text.str.extract(_FLAGGED)
    flagged = found[0].notna().to_numpy() & filled
    behind = text.str.fullmatch(_MINUS_BEHIND).to_numpy() & filled
    notes = []
    if flagged.any():
        flags = pd.concat([found[1], found[2]])[[*flagged, *flagged]].dropna().unique()
        notes.append(f"numbers with the flag {' or '.join(map(repr, sorted(flags)))} read as such")
        text = text.where(~flagged, found[0])
    if behind.any():
        notes.append("numbers with a minus behind them read as negative")
        text = text.where(~behind, "-" + text.str.rstrip("-"))
    return text, "; ".join(notes)
