"""The test period, opened: its hours and the baselines' forecasts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data_pipeline.windows import Prepared, open_test
from models.metrics import Scores, scores, seasonal_scale
from search.engine.plan import Plan
from search.results.baselines import baseline_data

if TYPE_CHECKING:
    from models.forecasters import Forecaster

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Opened:
    """The test hours on which all entrants are judged.

    Attributes:
        prepared: see `data_pipeline.windows.open_test`.
        actual: float64 (n, horizon), in the data's unit.
        baselines: forecasts by name, float64 (n, horizon), fitted on train and validation.
        fitted: the fitted baselines.
    """

    prepared: Prepared
    actual: FloatArray
    baselines: Mapping[str, FloatArray]
    fitted: "Mapping[str, Forecaster]"

    def score(self, forecast: FloatArray) -> Scores:
        """The metrics of a forecast of these hours."""
        history = self.prepared.history.target
        return scores(self.actual, forecast, seasonal_scale(history[: self.prepared.train_rows]))


def open_period(plan: Plan) -> Opened:
    """Open the test period and forecast it with every baseline."""
    from models.baselines import BASELINES, fit, forecast_with

    prepared = open_test(plan.series, plan.experiment.framing)
    data = baseline_data(prepared)
    actual = data.rows.target[data.origins[:, None] + np.arange(data.horizon)]
    fitted = fit(BASELINES, data)
    return Opened(prepared, actual, forecast_with(fitted, data), fitted)
