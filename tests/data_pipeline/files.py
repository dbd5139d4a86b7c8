"""Small CSV files for the tests of this room."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from data_pipeline.series import HourlySeries

HEADER = "Date,Temperature,Usage"


def hours(n: int, start: str = "2014-01-01 00:00", step: str = "h") -> list[str]:
    """n time stamps as written in a file."""
    return [f"{time:%Y-%m-%d %H:%M}" for time in pd.date_range(start, periods=n, freq=step)]


def rows(times: Sequence[str], separator: str = ",") -> list[str]:
    """One row a time stamp, with values that never repeat side by side."""
    return [
        separator.join([time, f"{10 + i % 24 / 2}", f"{4000 + i % 168 * 3.25}"])
        for i, time in enumerate(times)
    ]


def text(lines: Sequence[str], header: str = HEADER) -> str:
    return "\n".join([header, *lines]) + "\n"


def write(folder: Path, content: str | bytes, name: str = "load.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def series(n: int, seed: int = 0, covariates: int = 1) -> HourlySeries:
    """A series of n random hours."""
    rng = np.random.default_rng(seed)
    times = pd.date_range("2014-01-01", periods=n, freq="h", unit="us")
    return HourlySeries(
        index=times,
        local=times,
        target=rng.normal(4000.0, 500.0, n),
        covariates=rng.normal(15.0, 5.0, (n, covariates)),
        target_name="Usage",
        covariate_names=tuple(f"c{i}" for i in range(covariates)),
        unit="MW",
        name="random",
    )
