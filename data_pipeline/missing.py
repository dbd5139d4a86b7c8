"""How files write a missing value: as a word, or as a code such as -999."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

# Words for "no value", compared in lower case.
EMPTY: Final = frozenset(
    {
        *("", "nan", "na", "n/a", "n.a.", "<na>", "n/e", "n.e.", "n/d", "nd", "null", "none"),
        *("nil", "nat", "-", "--", "---", "–", "—", "−", "?", "??", ".", "..", "..."),
        *("#n/a", "#na", "#n/a n/a", "#value!", "#ref!", "#div/0!", "#num!", "#null!", "#wert!"),
        *("unavailable", "unknown"),
        *("no data", "nodata", "missing", "(null)", "k.a.", "결측", "없음"),
    }
)
# Numbers that mean "no value" if they lie far from all others.
_CODES: Final = frozenset(
    {
        *(-99.0, -99.9, -99.99, -999.0, -999.9, -999.99, -9999.0, -9999.9, -9999.99, -99999.0),
        *(-999999.0, -32768.0, 999.0, 999.9, 999.99, 9999.0, 9999.9, 9999.99, 99999.0, 999999.0),
        *(9999999.0, 32767.0, 65535.0),
    }
)
# The same as they are written, also beside numbers that are written in another way.
WHOLE_CODES: Final = frozenset(f"{code:.0f}" for code in _CODES if code.is_integer())


def far_codes(numbers: NDArray[np.float64]) -> list[float]:
    """The codes in a column that lie far from all its other values.

    Args:
        numbers: float64 (n,), NaN if a cell is empty.

    Returns:
        Each code once, in ascending order.
    """
    finite = numbers[np.isfinite(numbers)]
    if len(finite) == 0:
        return []
    low, high = float(finite.min()), float(finite.max())
    found = []
    for code in sorted(code for code in _CODES if low <= code <= high):
        rest = finite[~np.isin(finite, list(_CODES))]
        if len(rest) == 0 or not (finite == code).any():
            continue
        least, most = float(rest.min()), float(rest.max())
        spread = max(most - least, abs(most), 1e-9)
        if code < least - spread or code > most + spread or code < 0 <= least:
            found.append(code)
    return found
