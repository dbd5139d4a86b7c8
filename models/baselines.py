"""Simple forecasts of the networks' windows. A network must beat them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # scikit-learn's own

from models.boosting import fit_boosting_on_change
from models.forecasters import (
    HOURS,
    HOURS_A_WEEK,
    FloatArray,
    Forecaster,
    IntArray,
    Lags,
    Mean,
    Rows,
)
from models.metrics import Scores, scores
from models.ridge import fit_ridge_by_hour, fit_ridge_window

# The naive baselines, then the fitted ones.
BASELINES = (
    "same_hour_last_week",
    "same_hour_yesterday",
    "last_value",
    "ridge_window",
    "ridge_by_hour",
    "boosting_on_change",
    "ridge_and_boosting",
)
_FITTED: Mapping[str, Callable[[Rows, IntArray, int, int], Forecaster]] = {
    "ridge_window": fit_ridge_window,
    "ridge_by_hour": fit_ridge_by_hour,
    "boosting_on_change": fit_boosting_on_change,
}
# `ridge_and_boosting` is the mean of these, because they err at different hours.
_PARTS = ("ridge_by_hour", "boosting_on_change")


@dataclass(frozen=True, eq=False)
class BaselineData:
    """Unscaled hourly rows, and the windows for training and for the forecasts.

    An origin is the row of the first target hour of a window. The rows before it are known when the
    forecast is made. Of the rows from it on, only the clock is known.

    Attributes:
        rows: one row per hour without gaps; see `models.forecasters.Rows`.
        train_origins: int64 (m,), the training windows.
        origins: int64 (n,), the windows to forecast.
        window: number of rows before the origin that a network or a fitted baseline sees.
        horizon: target hours per window, at least 1.

    Raises:
        ValueError: if the shapes disagree, a value is not finite, the clock is not an hour of the
            week, or a window reaches beyond the rows.
    """

    rows: Rows
    train_origins: IntArray
    origins: IntArray
    window: int
    horizon: int

    def __post_init__(self) -> None:
        rows = len(self.rows.values)
        if self.horizon < 1 or self.window < 1:
            raise ValueError(
                f"window and horizon must be at least 1 hour, got {self.window} and {self.horizon}"
            )
        if not np.isfinite(self.rows.values).all():
            raise ValueError("rows hold values that are not finite")
        clock = self.rows.clock
        if not np.issubdtype(clock.dtype, np.integer) or clock.min() < 0 or clock.max() > 167:
            raise ValueError("the clock must hold hours of the week, 0..167")
        for name, origins in (("train_origins", self.train_origins), ("origins", self.origins)):
            if origins.ndim != 1 or not np.issubdtype(origins.dtype, np.integer):
                raise ValueError(
                    f"{name} must be whole numbers of shape (n,), got {origins.dtype} "
                    f"{origins.shape}"
                )
            outside = origins.size and (
                origins.min() < self.window or origins.max() + self.horizon > rows
            )
            if outside:
                raise ValueError(
                    f"{name} must lie in {self.window}..{rows - self.horizon} ({rows} rows, "
                    f"window {self.window}, horizon {self.horizon}), got "
                    f"{origins.min()}..{origins.max()}"
                )


def fit(names: Sequence[str], data: BaselineData) -> dict[str, Forecaster]:
    """Fit baselines on the windows at `data.train_origins`.

    - `same_hour_last_week`: step k is target[origin + k - 168].
    - `same_hour_yesterday`: the latest known row at the same hour of day,
      target[origin + k - 24 * ceil((k + 1) / 24)].
    - `last_value`: target[origin - 1] for every step.
    - `ridge_window`: see `models.ridge.fit_ridge_window`.
    - `ridge_by_hour`: see `models.ridge.fit_ridge_by_hour`.
    - `boosting_on_change`: see `models.boosting.fit_boosting_on_change`.
    - `ridge_and_boosting`: the mean of the last two (Bates and Granger, 1969).

    Blocked cross-validation inside these windows chooses the strength of each fitted baseline.

    Args:
        names: some of `BASELINES`.
        data: the rows and windows; the windows to forecast are not used.

    Returns:
        The forecasters by name, in the order of `names`.

    Raises:
        ValueError: a name is unknown, there is no training window, or the horizon is longer than a
            week, which `same_hour_last_week` cannot forecast.
    """
    unknown = sorted(set(names) - set(BASELINES))
    if unknown:
        raise ValueError(f"unknown baseline {unknown[0]!r}; there are {', '.join(BASELINES)}")
    needed = set(names) | (set(_PARTS) if "ridge_and_boosting" in names else set())
    fitted: dict[str, Forecaster] = {}
    for name, fitting in _FITTED.items():
        if name not in needed:
            continue
        if not len(data.train_origins):
            raise ValueError(f"{name} has no window to learn from")
        # One thread: if the cores train networks, several would wait for each other for minutes.
        with threadpool_limits(limits=1):
            fitted[name] = fitting(data.rows, data.train_origins, data.window, data.horizon)
    return {name: _made(name, data.horizon, fitted) for name in names}


def _made(name: str, horizon: int, fitted: Mapping[str, Forecaster]) -> Forecaster:
    steps = np.arange(horizon)
    if name == "ridge_and_boosting":
        return Mean(tuple(fitted[part] for part in _PARTS))
    if name == "same_hour_last_week":
        if horizon > HOURS_A_WEEK:
            raise ValueError(
                f"same_hour_last_week knows at most {HOURS_A_WEEK} hours ahead, the horizon is "
                f"{horizon}"
            )
        return Lags(HOURS_A_WEEK - steps)
    if name == "same_hour_yesterday":
        return Lags(HOURS - steps % HOURS)
    if name == "last_value":
        return Lags(np.ones(horizon, dtype=np.int64))
    return fitted[name]


def forecast(name: str, data: BaselineData) -> FloatArray:
    """Fit the baseline `name` and forecast the windows at `data.origins`.

    Returns:
        float64 (n, horizon), in the data's unit.

    Raises:
        ValueError: see `fit`; or a window lacks history.
    """
    return forecast_with({name: fit([name], data)[name]}, data)[name]


def forecast_with(fitted: Mapping[str, Forecaster], data: BaselineData) -> dict[str, FloatArray]:
    """Forecast the windows at `data.origins`, float64 (n, horizon) each.

    Raises:
        ValueError: a window has too few rows before it.
    """
    for name, one in fitted.items():
        if data.origins.size and data.origins.min() < one.history:
            raise ValueError(
                f"{name} needs {one.history} rows before the first target hour of a window, the "
                f"earliest window has {data.origins.min()}"
            )
    return {name: one.forecast(data.rows, data.origins) for name, one in fitted.items()}


def score_all(data: BaselineData, actual: FloatArray, seasonal_scale: float) -> dict[str, Scores]:
    """Score every baseline on the windows at `data.origins`.

    Args:
        data: the rows and windows.
        actual: float64 (n, horizon), the true values of those windows, in the data's unit.
        seasonal_scale: the MASE denominator, see `models.metrics.seasonal_scale`.

    Returns:
        The scores by name, in the order of `BASELINES`.

    Raises:
        ValueError: see `fit`, `forecast_with` and `models.metrics.scores`.
    """
    forecasts = forecast_with(fit(BASELINES, data), data)
    return {name: scores(actual, found, seasonal_scale) for name, found in forecasts.items()}
