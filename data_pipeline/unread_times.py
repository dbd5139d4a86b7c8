"""What helps if times cannot be read: a format that fits, a zone, or what they lack."""

import re
from typing import Final

import pandas as pd

from data_pipeline.errors import Way
from data_pipeline.month_names import is_two_months
from data_pipeline.source import DataSource

# Formats without signs that tell their parts apart. They are offered if they fit every cell.
_FORMATS: Final = (
    *("%d%m%Y%H%M", "%m%d%Y%H%M", "%d%m%Y %H%M", "%m%d%Y %H%M", "%d%m%Y%H%M%S", "%d%m%Y %H:%M"),
    *("%y%m%d%H%M", "%y%m%d %H%M", "%y%m%d%H%M%S", "%Y_%m_%d_%H_%M", "%Y_%m_%d_%H_%M_%S"),
    *("%d%m%y%H%M", "%d%m%y %H%M", "%d%m%y %H:%M", "%y%m%d %H:%M", "%d_%m_%Y_%H_%M"),
)
_SAMPLE: Final = 2000
_NO_YEAR: Final = re.compile(r"\s*\d{1,2}[-/. ]{1,2}\d{1,2}\.?(?:[ T]+\d{1,2}(?:[:.h]\d{2}.*)?)?")
_NO_DAY: Final = re.compile(r"\s*\d{1,2}[:.h]\d{2}(?:[:.]\d{2})?(?: ?[AaPp][Mm])?")
_WORD: Final = re.compile(r"[^\W\d_]{3,}")


def what_helps(cells: "pd.Series[str]", source: DataSource) -> tuple[str, list[Way]]:
    """What to say of times that cannot be read.

    Args:
        cells: Those that were not read, at least one.
        source: The reading rules, without `--date-format`.

    Returns:
        A hint, and options that may help.
    """
    sample = cells.iloc[:_SAMPLE]
    first = str(sample.iloc[0])
    if sample.str.fullmatch(_NO_YEAR).all():
        return "The times have no year: write it into them", []
    if sample.str.fullmatch(_NO_DAY).all():
        return "The times have no day: name its column, too, with --time, or write it into them", []
    months = [word for word in _WORD.findall(first) if is_two_months(word)]
    if months:
        return (
            f"{months[0]!r} is one month in one language and another in another: write numbers",
            [],
        )
    ways = []
    for one in _FORMATS:
        times = pd.to_datetime(sample, format=one, errors="coerce")
        if times.notna().all() and times.dt.year.between(1990, 2049).all():
            ways.append(Way({"date_format": one}, f"{first} is {times.iloc[0]:%Y-%m-%d %H:%M}"))
    return "Correct it, or give its format with --date-format", ways
