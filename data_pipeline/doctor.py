"""What a person checks before a search: a small picture of the series, or its rows in a file."""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline.errors import DataError
from data_pipeline.report import DataReport, wrapped
from data_pipeline.rules import option_text
from data_pipeline.series import HourlySeries

_BARS: Final = "▁▂▃▄▅▆▇█"
_WIDTH: Final = 72


def sparkline(values: NDArray[np.float64], width: int = _WIDTH) -> str:
    """Draws a series as a line of small bars. Each bar is the mean of its part.

    Args:
        values: float64 (n,), n >= 1.
        width: Largest number of bars.
    """
    parts = np.array_split(values, min(width, len(values)))
    means = np.array([part.mean() for part in parts])
    low, spread = means.min(), np.ptp(means)
    if spread == 0:
        return _BARS[0] * len(means)
    at = np.round((means - low) / spread * (len(_BARS) - 1)).astype(int)
    return "".join(_BARS[one] for one in at)


def findings(series: HourlySeries, report: DataReport) -> list[str]:
    """What `--dry-run` prints of the data: report, reasons, pictures, reading rules."""
    day = [
        series.target[series.local.hour == hour].mean()
        for hour in range(24)
        if (series.local.hour == hour).any()
    ]
    rules = report.rules.model_dump()
    kept = {name: value for name, value in rules.items() if _told(name, value, report)}
    return [
        *report.lines(),
        *wrapped([f"decided: {line}" for line in report.why]),
        f"{'series:':<9}{sparkline(series.target)}",
        f"{'hours:':<9}{sparkline(np.array(day))}  (mean of each hour of day, from 0)",
        f"reading rules: {option_text(kept)}",
    ]


def _told(name: str, value: object, report: DataReport) -> bool:
    default = type(report.rules).model_fields[name].default
    return name in ("time", "target", "features") or (value is not None and value != default)


def table_of(series: HourlySeries, time: str) -> pd.DataFrame:
    """A series as rows: time, features, target.

    Args:
        series: n hours.
        time: Name of the time column.

    Returns:
        n rows; times in ISO 8601, with the offset from UTC if the zone is known.
    """
    stamps = series.local.strftime("%Y-%m-%dT%H:%M:%S")
    if series.index.tz is not None:
        minutes = (series.local - series.index.tz_localize(None)).total_seconds().to_numpy() // 60
        offsets = [
            f"{'-' if one < 0 else '+'}{abs(int(one)) // 60:02d}:{abs(int(one)) % 60:02d}"
            for one in minutes
        ]
        stamps = stamps + pd.Index(offsets)
    columns: dict[str, object] = {time: stamps}
    columns |= dict(zip(series.covariate_names, series.covariates.T, strict=True))
    return pd.DataFrame(columns | {series.target_name: series.target})


def save(series: HourlySeries, time: str, path: Path) -> None:
    """Writes the series, as it was read, to a CSV file in UTF-8.

    Raises:
        DataError: If the file cannot be written.
    """
    try:
        table_of(series, time).to_csv(path, index=False, lineterminator="\n")
    except OSError as error:
        raise DataError(f"--save {path}: cannot be written ({error.strerror}).") from error
