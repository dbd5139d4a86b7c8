"""Who may be promoted: the winning network, or the baseline that the re-test's folds favour."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data_pipeline.framing import Framing
from data_pipeline.series import HourlySeries
from data_pipeline.windows import prepare
from models.intervals import Tracker, begin
from search.floor import baseline_data, strongest
from search.promote.candidates import Candidate
from search.promote.served import NUMBERS
from search.records import Baseline
from search.summary import amount

if TYPE_CHECKING:
    from models.forecasters import Forecaster

FloatArray = npt.NDArray[np.float64]

# How many times the error of the strongest baseline the best trial's may be before a re-test has
# little sense: the mean of a few networks, trained on more, takes a tenth or so off it.
FAR = 1.25


@dataclass(frozen=True)
class Entrant:
    """A forecaster as it would be served, with its forecasts of the test hours.

    Attributes:
        name: "trial_N", a design's or a baseline's name.
        model: file of a plain Keras network, or of plain numbers.
        history: rows that it needs before the first hour it forecasts.
        forecast: float64 (n, horizon), of the test windows, in the data's unit.
        begin: its 90 % interval before the first of them.
        network: False of a baseline.
    """

    name: str
    model: Path
    history: int
    forecast: FloatArray
    begin: Tracker
    network: bool = True


@dataclass(frozen=True)
class FloorRetest:
    """The baselines on the folds of the re-test, fitted and judged as the networks are there.

    Attributes:
        residuals: by name, a fold each and oldest first: float64 (n, horizon), forecast minus
            actual, in the data's unit.
    """

    residuals: Mapping[str, Sequence[FloatArray]]

    @property
    def means(self) -> dict[str, float]:
        """Mean over the folds of the RMSE, in the data's unit, the lowest first."""
        means = {
            name: float(np.mean([math.sqrt(np.mean(np.square(fold))) for fold in folds]))
            for name, folds in self.residuals.items()
        }
        return dict(sorted(means.items(), key=lambda item: item[1]))

    @property
    def strongest(self) -> str:
        """The name of the one with the lowest mean."""
        return next(iter(self.means))

    def interval(self, name: str) -> Tracker:
        """The 90 % interval that the residuals of `name` begin with."""
        return begin(np.concatenate(list(self.residuals[name])))


def retest_floor(series: HourlySeries, folds: Sequence[Framing]) -> FloorRetest:
    """Fit every baseline on each fold's training windows, and judge it on its validation windows.

    Args:
        series: the whole series; of the test period nothing is read.
        folds: rolling origins, oldest first; see `candidates.rolling`.
    """
    from models.baselines import BASELINES, fit, forecast_with

    residuals: dict[str, list[FloatArray]] = {name: [] for name in BASELINES}
    for fold in folds:
        data = baseline_data(prepare(series, fold))
        actual = data.rows.target[data.origins[:, None] + np.arange(data.horizon)]
        for name, forecast in forecast_with(fit(BASELINES, data), data).items():
            residuals[name].append(forecast - actual)
    return FloorRetest(residuals)


def enter_baseline(
    name: str, fitted: "Forecaster", forecast: FloatArray, begins: Tracker, place: Path
) -> Entrant:
    """Write a fitted baseline as plain numbers to the folder `place`, ready to be judged."""
    model = place / NUMBERS
    model.write_text(json.dumps(fitted.as_plain()), encoding="utf-8")
    return Entrant(name, model, fitted.history, forecast, begins, network=False)


def how_far(
    candidates: Sequence[Candidate], baselines: Mapping[str, Baseline], unit: str
) -> tuple[bool, str]:
    """Compare the best finalist with the strongest baseline, as the search found both.

    Returns:
        True if it is so far behind that a re-test has little sense; and a sentence.
    """
    name, floor = strongest(baselines)
    own = min(one.searched for one in candidates if one.searched is not None)
    theirs = floor.validation["rmse"]
    found = (
        f"On the validation windows the best finalist has an RMSE of {amount(own)} {unit}, "
        f"{name}, the strongest baseline, {amount(theirs)}"
    )
    if own <= theirs:
        return False, f"{found}: the finalist is ahead."
    if own <= FAR * theirs:
        return False, f"{found}: the finalist is behind, and the gate may refuse it."
    return True, (f"{found}: the finalist is far behind, and the gate will hardly let it through.")
