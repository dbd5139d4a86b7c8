"""The version in service, checked to forecast what the study does."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_pipeline.framing import Framing
from data_pipeline.series import HourlySeries
from data_pipeline.windows import split_origins
from search.common.errors import Refused
from search.serving.model_folder import forecast_windows, model_files, raw_rows
from search.serving.registry import Registry

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Champion:
    """The version in service: its folder, if it is still there, and its facts."""

    version: str
    folder: Path
    facts: dict[str, Any]

    def overlap(self, series: HourlySeries, framing: Framing) -> str:
        """Say whether it has learned from hours that the challenger will be judged on."""
        first = split_origins(len(series), framing)[2].start
        since, until = series.local[first], pd.Timestamp(self.facts["learned_until"])
        if until < since:
            return f"The champion, version {self.version}, has not learned from the test hours"
        return (
            f"The champion, version {self.version}, learned from data up to {until}, and the test "
            f"period begins {since}: on those hours the comparison favours it"
        )


def champion_of(
    series: HourlySeries, framing: Framing, registry: Registry, place: Path | None = None
) -> Champion | None:
    """The version in service, checked to forecast the same as the study; None without one.

    Args:
        series: of the study.
        framing: of the study.
        registry: of the model.
        place: folder to copy it to; None for one that is gone when this returns.

    Raises:
        Refused: it forecasts something else, or is not what was registered.
    """
    if place is None:
        with tempfile.TemporaryDirectory() as passing:
            return champion_of(series, framing, registry, Path(passing))
    version = registry.champion()
    if version is None:
        return None
    folder = registry.fetch(version, place)
    facts = json.loads(model_files(folder)[1].read_text(encoding="utf-8"))
    expected = {
        "target": series.target_name,
        "features": list(series.covariate_names),
        "unit": series.unit,
        "horizon": framing.horizon,
    }
    other = [
        f"{name}: {facts.get(name)!r}, here {value!r}"
        for name, value in expected.items()
        if facts.get(name) != value
    ]
    if other:
        raise Refused(
            f"the champion, version {version}, forecasts something else ({'; '.join(other)}).\n"
            "Next: give this model a name of its own with --name."
        )
    return Champion(version, folder, facts)


def champions_forecast(
    series: HourlySeries,
    framing: Framing,
    registry: Registry,
    origins: npt.NDArray[np.int64],
) -> tuple[str, FloatArray] | None:
    """The champion of this moment: its version and its forecasts; None without one.

    Args:
        series: of the study.
        framing: of the study.
        registry: of the model.
        origins: int64 (n,), rows of the first hours that are forecast.

    Returns:
        The version and float64 (n, horizon), in the data's unit.

    Raises:
        Refused: it forecasts something else, or was changed.
    """
    with tempfile.TemporaryDirectory() as place:
        known = champion_of(series, framing, registry, Path(place))
        if known is None:
            return None
        rows = raw_rows(series, known.facts["time"])
        return known.version, forecast_windows(known.folder, rows, origins)
