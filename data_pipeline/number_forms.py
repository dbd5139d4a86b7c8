"""The ways to write a number: decimal mark, mark between thousands, signs and exponents.

A form is a cell whose digits 1 to 9 are all written 1, such as "1.110,01". A column has few forms,
so each form is analysed once, however many cells there are.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

# Full-width digits, letters and signs, as East Asian keyboards write them, and Arabic digits.
_ARABIC: Final = {chr(zero + one): str(one) for zero in (0x660, 0x6F0) for one in range(10)}
FULL_WIDTH: Final = (
    {chr(0xFEE0 + code): chr(code) for code in range(0x21, 0x7F)}
    | {"\u3000": " ", "\u066b": ".", "\u066c": ","}
    | _ARABIC
)
_PLAIN_SIGNS: Final = str.maketrans(
    {
        **dict.fromkeys("−‐‑–﹣－", "-"),
        **dict.fromkeys("\xa0\u202f\u2009", " "),
        **dict.fromkeys("’‘´", "'"),
    }
)
_HALF_WIDTH: Final = str.maketrans(FULL_WIDTH)
_HEAD: Final = 100
_FORM: Final = str.maketrans(dict.fromkeys("23456789", "1"))


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

    def fits(self, text: str, strict: bool) -> bool:
        """True if a cell, or a form, is a number of this convention."""
        return _compiled(self, strict).fullmatch(text) is not None


@cache
def _compiled(convention: Convention, strict: bool) -> re.Pattern[str]:
    return re.compile(convention.pattern(strict))


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


def tidy(cell: str) -> str:
    """A cell with plain blanks, apostrophes and minus signs, and no blank at either end."""
    return (cell if cell.isascii() else cell.translate(_PLAIN_SIGNS)).strip()


def half_width(cells: "pd.Series[str]") -> "pd.Series[str]":
    """Cells in ASCII digits, letters and signs, if most of the first ones are in others.

    Args:
        cells: n cells.
    """
    head = cells.iloc[:_HEAD].tolist()
    if "".join(head).isascii():
        return cells
    head = [cell for cell in head if cell]
    if 2 * sum(any(sign in FULL_WIDTH for sign in cell) for cell in head) <= len(head):
        return cells
    return cells.str.translate(_HALF_WIDTH)


def form_of(cell: str) -> str:
    """The form of a cell, which has the same length."""
    return cell.translate(_FORM)


def parse(cells: Sequence[str], convention: Convention) -> NDArray[np.float64]:
    """Reads n cells that `convention` fits, as float64 (n,)."""
    if convention.thousands:
        cells = [cell.replace(convention.thousands, "") for cell in cells]
    if convention.decimal != ".":
        cells = [cell.replace(convention.decimal, ".") for cell in cells]
    return np.fromiter(map(float, cells), np.float64, len(cells))
