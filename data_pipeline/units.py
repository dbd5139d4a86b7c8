"""Units of power and energy: which one a file names, and whether it may be added or averaged."""

import re
from collections.abc import Iterable
from typing import Final

# No letter of any alphabet beside a unit: the W of "Wärme" is none.
_ALONE: Final = r"(?<![^\W\d_])([kMGT]?)(?:{})(?![^\W\d_])"
_ENERGY: Final = re.compile(_ALONE.format("Wh|VArh|VAh"), re.IGNORECASE)
_POWER: Final = re.compile(_ALONE.format("W|VAr|VA"))
_KOREAN: Final = {"㎾h": "kWh", "㎿h": "MWh", "㎾": "kW", "㎿": "MW"}
# A number, then a unit: "7.80 kWh". The "e" of an exponent is not a unit.
UNIT_BEHIND: Final = (
    r"^([+-]?[0-9][0-9.,' ]*?) ?"
    r"((?:[kKMGT]?(?:Wh|wh|WH|W|w|VAr|VA)|°?[CF]|degC|degF|℃|€|EUR|m/s|%))$"
)


def unit_in(text: str) -> str:
    """The unit of power or energy in a name: "kWh" for "USAGE (kWh)"; "" if there is none."""
    for sign, unit in _KOREAN.items():
        text = text.replace(sign, f" {unit} ")
    plain = text.replace("_", " ")
    for pattern in (_ENERGY, _POWER):
        match = pattern.search(plain)
        if match is not None:
            return match.group().strip()
    return ""


def unit_of(told: str, names: Iterable[str]) -> str:
    """The unit of a column: that of `--unit`, else the first in its name, units row or cells."""
    if unit_in(told):
        return unit_in(told)
    return next((unit for unit in map(unit_in, names) if unit), "")


def is_energy(unit: str) -> bool:
    """True for a unit of energy: the values of two half hours are added."""
    return _ENERGY.fullmatch(unit) is not None


def is_power(unit: str) -> bool:
    """True for a unit of power: the values of two half hours are averaged."""
    return _POWER.fullmatch(unit) is not None
