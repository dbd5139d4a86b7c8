"""The ways to write a number: decimal mark, mark between thousands, signs and exponents."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_DASHES: Final = str.maketrans({"−": "-", "‐": "-", "‑": "-", "–": "-", "﹣": "-", "－": "-"})
_BLANKS: Final = str.maketrans(
    {"\xa0": " ", "\u202f": " ", "\u2009": " ", "’": "'", "‘": "'", "´": "'"}
)


@dataclass(frozen=True)
class Convention:
    """One way to write numbers.

    Attributes:
        decimal: Decimal mark.
        thousands: Mark between thousands; "" for none.
    """

    decimal: str
    thousands: str

    def pattern(self, strict: bool) -> str:
        """The regular expression of a number; if strict, thousands must carry their mark."""
        fraction = rf"(?:{re.escape(self.decimal)}[0-9]*)?"
        exponent = r"(?:[eE][+-]?[0-9]{1,3})?"
        lone = rf"{re.escape(self.decimal)}[0-9]+{exponent}"
        if not self.thousands:
            return rf"[+-]?(?:[0-9]+{fraction}{exponent}|{lone})"
        mark = re.escape(self.thousands)
        # The second form is that of India: 12,34,567.
        grouped = rf"[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+"
        indian = rf"[1-9][0-9]?(?:{mark}[0-9]{{2}})+{mark}[0-9]{{3}}"
        short = "[0-9]{1,3}" if strict else "[0-9]+"
        return rf"[+-]?(?:(?:{grouped}|{indian}|{short}){fraction}|{lone})"


PLAIN: Final = Convention(".", "")
CONVENTIONS: Final = (
    PLAIN,
    Convention(",", ""),
    Convention(".", ","),
    Convention(",", "."),
    Convention(".", " "),
    Convention(",", " "),
    Convention(".", "'"),
    Convention(",", "'"),
)


def tidy(text: "pd.Series[str]") -> "pd.Series[str]":
    """Cells with plain blanks, apostrophes and minus signs, and no blank at either end."""
    return text.str.translate(_BLANKS).str.translate(_DASHES).str.strip()


def parse(text: "pd.Series[str]", convention: Convention) -> NDArray[np.float64]:
    """Reads cells that `convention` fits, as float64 (n,)."""
    if convention.thousands:
        text = text.str.replace(convention.thousands, "", regex=False)
    if convention.decimal != ".":
        text = text.str.replace(convention.decimal, ".", regex=False)
    return pd.to_numeric(text, errors="coerce").to_numpy(np.float64)
