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


def check_country(code: str) -> None:
    """Check the code of a country, or of a part of one.

    Args:
        code: ISO 3166-1 alpha-2, such as "KR", or with one of the library's subdivisions behind a
            dash, such as "DE-BY".

    Raises:
        ValueError: The library does not know it; the message lists those that it knows.
    """
    import holidays

    known = holidays.list_supported_countries(include_aliases=False)
    country, dash, part = code.partition("-")
    if country not in known:
        raise ValueError(
            "--holidays expects an ISO 3166 code of a country, such as KR, or of a part of one, "
            f"such as DE-BY, found {code!r}. Known countries: {', '.join(sorted(known))}"
        )
    if dash and part not in known[country]:
        parts = ", ".join(f"{country}-{one}" for one in known[country]) or "none"
        raise ValueError(f"--holidays: expected a part of {country}: {parts}; found {code!r}")


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
