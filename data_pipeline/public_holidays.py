"""The public holidays of a country, from the `holidays` library.

A served model's folder holds a copy of this file. The library and pandas are imported only if they
are needed: every command reads the name of the column and checks its options first.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

# Name of the column that `--holidays` adds.
HOLIDAY: Final = "holiday"
_ALL: Final = 'python -c "import holidays; print(*holidays.list_supported_countries())"'


def check_country(code: str) -> None:
    """Check the code of a country, or of a part of one.

    Args:
        code: ISO 3166-1 alpha-2, such as "KR", or with one of the library's subdivisions behind a
            dash, such as "DE-BY".

    Raises:
        ValueError: The library does not know it; the message names those that come close.
    """
    import holidays

    known = holidays.list_supported_countries(include_aliases=False)
    country, dash, part = code.partition("-")
    if country not in known:
        close = [f"{one} ({name})" for one, name in _close(country)]
        hint = f"Did you mean {' or '.join(close)}? " if close else ""
        raise ValueError(
            "--holidays expects an ISO 3166 code of a country, such as KR, or of a part of one, "
            f"such as DE-BY, found {code!r}. {hint}All {len(known)} codes: {_ALL}"
        )
    if dash and part not in known[country]:
        parts = ", ".join(f"{country}-{one}" for one in known[country]) or "none"
        raise ValueError(f"--holidays: expected a part of {country}: {parts}; found {code!r}")


def _close(word: str) -> list[tuple[str, str]]:
    """Codes and names of the countries that a word may mean, at most three."""
    import difflib

    from holidays.registry import COUNTRIES

    codes = {
        one.replace("_", " ").lower(): (names[1], key.replace("_", " ").title())
        for key, names in COUNTRIES.items()
        for one in (key, *names)
    }
    plain = word.replace("_", " ").lower()
    if plain in codes:
        return [codes[plain]]
    return list(dict.fromkeys(codes[one] for one in difflib.get_close_matches(plain, codes)))


def public_holidays(local: "pd.DatetimeIndex", code: str) -> "NDArray[np.float64]":
    """Mark the hours of public holidays.

    Args:
        local: n naive local clock times, n >= 1.
        code: See `check_country`.

    Returns:
        float64 (n,): 1 on a public holiday of the local calendar, substitute days included, else 0.
    """
    import holidays
    import numpy as np
    import pandas as pd

    country, _, part = code.partition("-")
    years = range(local.min().year, local.max().year + 1)
    days = holidays.country_holidays(country, subdiv=part or None, years=years)
    return np.asarray(local.normalize().isin(pd.DatetimeIndex(list(days))), np.float64)
