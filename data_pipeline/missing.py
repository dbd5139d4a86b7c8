"""How files write a missing value: as a word, or as a code such as -999."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from data_pipeline.rules import EDITION

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
# These are known since the second edition of the reader.
_MORE: Final = frozenset(
    {
        *(99999.9, 99999.99, 999999.9, 999999.99, 9999999.9, 9999999.99, 99999999.0),
        *(-99999.9, -99999.99, -9999999.0, 999.999, 9999.999, 99999.999, -999.999, -9999.999),
        *(2147483647.0, -2147483648.0, 4294967295.0, 9999999.999),
    }
)
# A code that comes so often counts as far if all others are below this share of it.
_OFTEN: Final = 3
_BELOW: Final = 0.8
# The same as they are written, also beside numbers that are written in another way.
WHOLE_CODES: Final = frozenset(f"{code:.0f}" for code in _CODES if code.is_integer())


def far_codes(numbers: NDArray[np.float64], edition: int = EDITION) -> list[float]:
    """The codes in a column that lie far from all its other values.

    Args:
        numbers: float64 (n,), NaN if a cell is empty.
        edition: Of the reader, see `data_pipeline.rules`.

    Returns:
        Each code once, in ascending order.
    """
    finite = numbers[np.isfinite(numbers)]
    if len(finite) == 0:
        return []
    low, high = float(finite.min()), float(finite.max())
    codes = _CODES if edition == 1 else _CODES | _MORE
    held = [one for one in sorted(codes) if low <= one <= high and (finite == one).any()]
    rest = finite[~np.isin(finite, held)] if held else finite
    if not held or len(rest) == 0:
        return []
    least, most = float(rest.min()), float(rest.max())
    spread = max(most - least, abs(most), 1e-9)
    found = []
    for code in held:
        often = edition > 1 and int((finite == code).sum()) >= _OFTEN
        far = code < least - spread or code > most + spread or code < 0 <= least
        if far or (often and 0 < most < _BELOW * code):
            found.append(code)
    return found
