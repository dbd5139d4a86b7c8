"""The baselines' scores on the windows of a study."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data_pipeline.calendar import hour_of_week
from data_pipeline.framing import Framing
from data_pipeline.series import HourlySeries
from data_pipeline.windows import Prepared, prepare
from models.intervals import Tracker, begin
from models.metrics import seasonal_scale
from search.common.records import Baseline

if TYPE_CHECKING:
    from models.baselines import BaselineData

FloatArray = npt.NDArray[np.float64]


def baseline_data(prepared: Prepared) -> "BaselineData":
    """The rows and windows of `prepared` in the form that the baselines take."""
    # Importing scikit-learn takes a second. Bad input should be refused before that.
    from models.baselines import BaselineData
    from models.forecasters import Rows

    history, horizon = prepared.history, prepared.held_out.y.shape[1]
    return BaselineData(
        Rows(history.input_values(horizon), hour_of_week(history.local)),
        train_origins=prepared.train.origins,
        origins=prepared.held_out.origins,
        window=prepared.train.x.shape[1],
        horizon=horizon,
    )


def judge_baselines(prepared: Prepared) -> dict[str, Baseline]:
    """Score every baseline on exactly the validation windows of the trials.

    Raises:
        ValueError: the held-out windows are those of the test period.
    """
    from models.baselines import score_all

    if prepared.period != "validation":
        raise ValueError(f"expected the validation windows held out, found: {prepared.period}")
    data = baseline_data(prepared)
    target = data.rows.target
    actual = target[data.origins[:, None] + np.arange(data.horizon)]
    scale = seasonal_scale(target[: prepared.train_rows])
    return {
        name: Baseline((judged.rmse / prepared.target_range) ** 2, judged.as_dict())
        for name, judged in score_all(data, actual, scale).items()
    }


def is_of_today(baselines: Mapping[str, object]) -> bool:
    """False if the baselines of a study are those of an earlier version, which are weaker."""
    from models.baselines import BASELINES

    return set(baselines) == set(BASELINES)


def strongest(baselines: Mapping[str, Baseline]) -> tuple[str, Baseline]:
    """The name and the scores of the baseline with the lowest validation error."""
    return min(baselines.items(), key=lambda item: item[1].objective)


@dataclass(frozen=True)
class FloorRetest:
    """The baselines on the folds of the re-test, fitted and judged like the networks.

    Attributes:
        residuals: by name, one array per fold, oldest first: float64 (n, horizon), forecast minus
            actual, in the data's unit.
    """

    residuals: Mapping[str, Sequence[FloatArray]]

    @property
    def means(self) -> dict[str, float]:
        """Mean RMSE over the folds, in the data's unit, lowest first."""
        means = {
            name: float(np.mean([math.sqrt(np.mean(np.square(fold))) for fold in folds]))
            for name, folds in self.residuals.items()
        }
        return dict(sorted(means.items(), key=lambda item: item[1]))

    @property
    def strongest(self) -> str:
        """The name of the baseline with the lowest mean RMSE."""
        return next(iter(self.means))

    def interval(self, name: str) -> Tracker:
        """The initial 90 % interval from the residuals of `name`."""
        return begin(np.concatenate(list(self.residuals[name])))


def retest_floor(series: HourlySeries, folds: Sequence[Framing]) -> FloorRetest:
    """Fit every baseline on each fold's training windows, and judge it on its validation windows.

    Args:
        series: the whole series. Nothing of the test period is read.
        folds: rolling origins, oldest first; see `search.engine.folds.rolling`.

    Returns:
        The baselines for which every fold has enough history. If series and window are short, the
        first fold has less than a week of it.
    """
    from models.baselines import BASELINES, fit, forecast_with

    residuals: dict[str, list[FloatArray]] = {name: [] for name in BASELINES}
    for fold in folds:
        data = baseline_data(prepare(series, fold))
        actual = data.rows.target[data.origins[:, None] + np.arange(data.horizon)]
        first = data.origins.min()
        able = {n: one for n, one in fit(BASELINES, data).items() if one.history <= first}
        for name, forecast in forecast_with(able, data).items():
            residuals[name].append(forecast - actual)
    return FloorRetest({n: own for n, own in residuals.items() if len(own) == len(folds)})
