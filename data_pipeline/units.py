"""Units of power and energy: which one a file names, and whether it may be added or averaged."""

import re
from collections.abc import Iterable
from typing import Final

# No letter of any alphabet beside a unit: the W of "Wärme" is none.
_ALONE: Final = r"(?<![^\W\d_])([kMGT]?)(?:{})(?![^\W\d_])"
_ENERGY: Final = re.compile(_ALONE.format("Wh|VArh|VAh"), re.IGNORECASE)
_POWER: Final = re.compile(_ALONE.format("W|VAr|VA"))
_PER_HOUR: Final = re.compile(r"(?<=[kMGT])Wh ?/ ?h(?![^\W\d_])", re.IGNORECASE)
_KOREAN: Final = {"㎾h": "kWh", "㎿h": "MWh", "㎾": "kW", "㎿": "MW"}
# Units behind a number: "7.80 kWh".
UNITS_BEHIND: Final = (
    r"[kKMGT]?Wh/h|[kKMGT]?(?:Wh|wh|WH|W|w|VAr|VA)|°?[CF]|degC|degF|℃|m/s|m³|㎥|V|hPa|mbar|%|"
    r"㎾h|㎿h|㎾|㎿"
)
_POWERS_OF_TEN: Final = {"": 0, "k": 3, "M": 6, "G": 9, "T": 12}
_SCALED: Final = re.compile(r"([kKMGT]?)(Wh|VArh|VAh|W|VAr|VA)", re.IGNORECASE)


def unit_in(text: str) -> str:
    """The unit of power or energy in a name: "kWh" for "USAGE (kWh)"; "" if there is none.

    MWh/h is MW: the mean power of an hour.
    """
    for sign, unit in _KOREAN.items():
        text = text.replace(sign, f" {unit} ")
    plain = _PER_HOUR.sub("W", text.replace("_", " "))
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


def power_of_ten(unit: str, other: str) -> int | None:
    """The power of ten that turns `unit` into `other`: 3 for kWh and Wh; None for no such power."""
    pair = [_SCALED.fullmatch(_KOREAN.get(one, one)) for one in (unit, other)]
    if pair[0] is None or pair[1] is None or pair[0][2].lower() != pair[1][2].lower():
        return None
    sizes = [_POWERS_OF_TEN[one[1].replace("K", "k")] for one in pair if one is not None]
    return sizes[0] - sizes[1]
