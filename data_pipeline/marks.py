"""What stands around a number: a unit, a currency, a quality flag, other ways to write a minus."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from data_pipeline.units import UNITS_BEHIND

_CURRENCY: Final = (
    r"(?:US|AU?|CA?|NZ|HK|S|R)?\$|[€£¥₩₹₽₺₴₫฿₱₪]|R(?=[ 0-9])|Rs\.?|kr\.?|Fr\.?|zł|Kč|"
    r"EUR|USD|GBP|CHF|KRW|JPY|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|INR|CNY|BRL|ZAR|MXN|SGD|TRY"
)
_BEHIND: Final = rf"(?:{_CURRENCY}|ct|¢|원|元|円)(?:/[kM]?Wh)?|{UNITS_BEHIND}"
_AROUND: Final = re.compile(
    # The apostrophe tells a spreadsheet that the cell is text.
    rf"'?(?P<sign>[+-])?(?:(?P<front>{_CURRENCY}) ?)?(?P<open>\()?(?:(?P<within>{_CURRENCY}) ?)?"
    r"(?P<inner>[+-])?"
    r"(?P<number>[.,]?[0-9](?:[0-9.,' ]*[0-9])?[.,]?(?:[eE][+-]?[0-9]{1,3})?)"
    rf"(?: ?(?P<unit>{_BEHIND}))?"
    # "7.80*", "7.80 E": estimated or actual, as utilities mark them. Letters of units are not here.
    r"(?: ?(?P<star>[*#†])| (?P<letter>[AaEe]))?"
    # "7.80-", as SAP writes a negative number.
    r"(?P<minus>-)?(?P<close>\))?"
)


@dataclass(frozen=True)
class Marked:
    """Where the number is in a cell, and what stands around it.

    Attributes:
        first, last: Place of the number, without its sign.
        sign: "-" if it is negative, else "".
        behind: True if a minus stands behind the number.
        parentheses: True if parentheses make it negative.
        unit: Unit or currency; "" for none.
        flag: Letter or sign of its quality; "" for none.
    """

    first: int
    last: int
    sign: str
    behind: bool
    parentheses: bool
    unit: str
    flag: str

    def number(self, cell: str) -> str:
        """The number in a cell of this form, with its sign."""
        return self.sign + cell[self.first : self.last]


def marked(form: str) -> Marked:
    """Finds the number in a form; a form without one is taken whole, for a message."""
    found = _AROUND.fullmatch(form)
    signs = [] if found is None else [found[name] for name in ("sign", "inner", "minus", "open")]
    given = [sign for sign in signs if sign]
    if found is None or len(given) > 1 or (found["open"] is None) != (found["close"] is None):
        return Marked(0, len(form), "", False, False, "", "")
    units = [unit for name in ("front", "within", "unit") if (unit := found[name])]
    return Marked(
        *found.span("number"),
        sign="-" if given and given[0] != "+" else "",
        behind=found["minus"] is not None,
        parentheses=found["open"] is not None,
        unit=" ".join(dict.fromkeys(units)),
        flag=found["star"] or found["letter"] or "",
    )


def notes_on(forms: Iterable[Marked]) -> list[str]:
    """What was found around the numbers of a column, a few words each."""
    every = list(forms)
    flags = sorted({one.flag for one in every} - {""})
    notes = []
    if flags:
        notes.append(f"numbers with the flag {' or '.join(map(repr, flags))} read as such")
    if any(one.behind for one in every):
        notes.append("numbers with a minus behind them read as negative")
    if any(one.parentheses for one in every):
        notes.append("numbers in parentheses read as negative")
    return notes
