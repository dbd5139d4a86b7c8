"""Linear models of the window: one of all its values, one with weights for every hour of day."""

from dataclasses import dataclass

import numpy as np

from models.blocks import blocked_folds
from models.forecasters import HOURS, HOURS_A_WEEK, FloatArray, IntArray, Linear, Rows

# Penalties to try on standardised inputs; the strongest nearly forecasts a constant.
PENALTIES: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
# The penalty if there are too few windows to choose one.
_PENALTY = 1.0
# Largest number of input values of one fit. Of a longer series, the latest windows are taken.
CELLS = 20_000_000
# These lags of the target have a weight for every hour of day: the last hours, and the same hour
# and its neighbours on earlier days. Of the other columns, the last known value has one.
_LAGS_BY_HOUR = (1, 2, 3, 24, 25, 48, 49, 72, 96, 120, 144, 166, 167, 168)
# A standard deviation below this share of the column's size is rounding.
_FLAT = 1e-9


@dataclass(frozen=True, eq=False)
class _Layout:
    """The inputs of a linear model: lags of each column, values by hour of day, the calendar.

    Attributes:
        back: number of rows back that are read, for each column.
        picks: int64 (p, 2), row back and column of the values with a weight by hour of day.
        shift, spread: float64 (p,). (picked value - shift) / spread is 0..1 in training. Without
            this, values far from 0 would have nearly equal products with all hours.
        calendar: float64 (168, q), by hour of the week of the forecast hour.
    """

    back: tuple[int, ...]
    picks: IntArray
    shift: FloatArray
    spread: FloatArray
    calendar: FloatArray

    @property
    def width(self) -> int:
        """The number of inputs."""
        return sum(self.back) + HOURS * len(self.picks) + int(self.calendar.shape[1])

    def inputs(self, rows: Rows, origins: IntArray, step: int) -> FloatArray:
        """float64 (n, width): the window by column, picked values by hour, the calendar."""
        clock = rows.clock[origins + step]
        seen = [
            rows.values[origins[:, None] - np.arange(1, back + 1), column]
            for column, back in enumerate(self.back)
        ]
        picked = rows.values[origins[:, None] - self.picks[:, 0], self.picks[:, 1]]
        hours = np.eye(HOURS)[clock % HOURS]
        by_hour = hours[:, :, None] * ((picked - self.shift) / self.spread)[:, None, :]
        return np.hstack([*seen, by_hour.reshape(len(origins), -1), self.calendar[clock]])

    def tables(self, weights: FloatArray, constant: FloatArray, window: int) -> Linear:
        """The model with these weights, (horizon, width), and constants, (horizon,)."""
        horizon, picks = len(weights), len(self.picks)
        past = np.zeros((horizon, window, len(self.back)))
        at = 0
        for column, back in enumerate(self.back):
            past[:, :back, column] = weights[:, at : at + back]
            at += back
        by_hour = weights[:, at : at + HOURS * picks].reshape(horizon, HOURS, picks) / self.spread
        of_week = weights[:, at + HOURS * picks :] @ self.calendar.T + constant[:, None]
        of_day = -(by_hour * self.shift).sum(axis=2)
        return Linear(past, self.picks, by_hour, of_week + np.tile(of_day, HOURS_A_WEEK // HOURS))


def fit_ridge_window(rows: Rows, origins: IntArray, window: int, horizon: int) -> Linear:
    """Fit a linear model that sees all that the network sees: the window and the calendar.

    Args:
        rows: see `Rows`; only rows of the windows and of their target hours are read.
        origins: int64 (n,), first target rows of the training windows.
        window: number of rows seen.
        horizon: hours forecast; each has its own weights.
    """
    columns = rows.values.shape[1]
    hour, weekday = np.arange(HOURS_A_WEEK) % HOURS, np.arange(HOURS_A_WEEK) // HOURS
    turns = 2 * np.pi * np.column_stack([hour / HOURS, weekday / 7])
    layout = _Layout(
        back=(window,) * columns,
        picks=np.empty((0, 2), np.int64),
        shift=np.empty(0),
        spread=np.empty(0),
        calendar=np.hstack([np.sin(turns), np.cos(turns)]),
    )
    return _fit(layout, rows, origins, window, horizon)


def fit_ridge_by_hour(rows: Rows, origins: IntArray, window: int, horizon: int) -> Linear:
    """Fit a linear model whose weights depend on the forecast hour of day.

    Its inputs are the target's window, the last day of the other columns, and the hour, the weekday
    and the weekend hour of the forecast hour. Some lags and the last values of the other columns
    have a weight for every hour of day.

    Args:
        rows: see `fit_ridge_window`.
        origins: see `fit_ridge_window`.
        window: see `fit_ridge_window`.
        horizon: see `fit_ridge_window`.
    """
    others = rows.values.shape[1] - 1
    lags = [back for back in _LAGS_BY_HOUR if back <= window]
    picks = np.array([(back, others) for back in lags] + [(1, other) for other in range(others)])
    learned = rows.values[origins.min() - window : origins.max()]
    low, spread = learned.min(axis=0)[picks[:, 1]], np.ptp(learned, axis=0)[picks[:, 1]]
    week = np.arange(HOURS_A_WEEK)
    hour, weekday = np.eye(HOURS)[week % HOURS], week // HOURS
    layout = _Layout(
        back=(min(HOURS, window),) * others + (window,),
        picks=picks,
        shift=low,
        spread=np.where(spread > 0, spread, 1.0),
        calendar=np.hstack([hour, hour * (weekday >= 5)[:, None], np.eye(7)[weekday]]),
    )
    return _fit(layout, rows, origins, window, horizon)


def _fit(layout: _Layout, rows: Rows, origins: IntArray, window: int, horizon: int) -> Linear:
    origins = origins[-max(CELLS // layout.width, 2 * HOURS) :]
    weights, constant = np.empty((horizon, layout.width)), np.empty(horizon)
    penalty = _PENALTY
    for step in range(horizon):
        inputs, target = layout.inputs(rows, origins, step), rows.target[origins + step]
        # The best penalty grows with the step, but slowly, so it is chosen only at a few steps.
        if (step + 1) & step == 0:
            penalty = _choose(inputs, target, horizon)
        found, offset = _solve(inputs, target, np.array([penalty]))
        weights[step], constant[step] = found[0], offset[0]
    return layout.tables(weights, constant, window)


def _choose(inputs: FloatArray, target: FloatArray, horizon: int) -> float:
    """The penalty with the lowest squared error in blocked cross-validation."""
    squares = np.zeros(len(PENALTIES))
    for fit, judged in blocked_folds(len(target), horizon):
        weights, constant = _solve(inputs[fit], target[fit], np.array(PENALTIES))
        errors = inputs[judged] @ weights.T + constant - target[judged][:, None]
        squares += np.square(errors).sum(axis=0)
    return PENALTIES[int(np.argmin(squares))] if squares.any() else _PENALTY


def _solve(
    inputs: FloatArray, target: FloatArray, penalties: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Ridge regression on standardised inputs, once per penalty.

    Returns:
        Weights, float64 (penalties, width), and constants, for inputs that are not standardised.
    """
    from sklearn.linear_model import Ridge  # slow to import; commands that fit nothing do not

    mean, spread = inputs.mean(axis=0), inputs.std(axis=0)
    spread = np.where(spread > _FLAT * np.abs(mean).clip(min=_FLAT), spread, np.inf)
    # One copy of the target per penalty, so that the products of the inputs are computed once.
    repeated = np.repeat(target[:, None], len(penalties), axis=1)
    model = Ridge(alpha=penalties, solver="cholesky").fit((inputs - mean) / spread, repeated)
    weights = model.coef_.reshape(len(penalties), -1) / spread
    return weights, np.atleast_1d(model.intercept_) - weights @ mean
