"""Simple forecasts of the same windows the networks forecast: the floor a network must beat."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # scikit-learn's own

from models.metrics import Scores, scores

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

DAY = 24
WEEK = 168
# The last day in full and the hour before it: with lag 25 a linear model knows by how much the same
# hour rose yesterday. Then the target's hour of day on each earlier day of the last week. Long lags
# count from the target hour, see `_inputs`. Together 31, set by reason and not tuned.
RECENT_LAGS: tuple[int, ...] = tuple(range(1, DAY + 2))
LONG_LAGS: tuple[int, ...] = (48, 72, 96, 120, 144, 168)
RIDGE_ALPHA = 1.0
BOOSTING_ROWS = 200_000


@dataclass(frozen=True, eq=False)
class BaselineData:
    """Unscaled hourly rows, and the windows to learn from and to forecast.

    An origin is the row of the first target hour of a window, so the rows below it are known when
    the forecast is made. Of the rows from it on, only the calendar is.

    Attributes:
        target: float64 (rows,), one an hour without gaps, in the data's unit.
        covariates: float64 (rows, c), other measured columns, in their own units; c may be 0.
        calendar: float64 (rows, 4), the sine and cosine of hour and weekday, known for any hour.
        train_origins: int64 (m,), the windows that models are fitted on.
        origins: int64 (n,), the windows that are forecast.
        horizon: target hours a window, at least 1.

    Raises:
        ValueError: if the shapes disagree, a value is not finite, or a window's target hours are
            not all within the rows.
    """

    target: FloatArray
    covariates: FloatArray
    calendar: FloatArray
    train_origins: IntArray
    origins: IntArray
    horizon: int

    def __post_init__(self) -> None:
        rows = len(self.target)
        if self.horizon < 1:
            raise ValueError(f"horizon must be at least 1 hour, got {self.horizon}")
        if self.target.ndim != 1:
            raise ValueError(f"target must have shape (rows,), got {self.target.shape}")
        if self.covariates.ndim != 2 or len(self.covariates) != rows:
            raise ValueError(
                f"covariates must have shape ({rows}, c) like target, got {self.covariates.shape}"
            )
        if self.calendar.shape != (rows, 4):
            raise ValueError(f"calendar must have shape ({rows}, 4), got {self.calendar.shape}")
        for name in ("target", "covariates", "calendar"):
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"{name} holds values that are not finite")
        for name, origins in (("train_origins", self.train_origins), ("origins", self.origins)):
            if origins.ndim != 1 or not np.issubdtype(origins.dtype, np.integer):
                raise ValueError(
                    f"{name} must be whole numbers of shape (n,), got {origins.dtype} "
                    f"{origins.shape}"
                )
            if origins.size and (origins.min() < 0 or origins.max() + self.horizon > rows):
                raise ValueError(
                    f"{name} must lie in 0..{rows - self.horizon} ({rows} rows, horizon "
                    f"{self.horizon}), got {origins.min()}..{origins.max()}"
                )


def forecast(name: str, data: BaselineData) -> FloatArray:
    """Forecast the windows at `data.origins` with the baseline called `name`.

    A forecast reads target and covariate rows below its origin only; what is fitted is fitted on
    the windows at `data.train_origins`, so these must end before the origins for an honest score.
    Training windows without a full history (`WEEK` rows) are left out.

    - `same_hour_last_week`: step k is target[origin + k - 168].
    - `same_hour_yesterday`: the latest known row at the same hour of day,
      target[origin + k - 24 * ceil((k + 1) / 24)].
    - `last_value`: target[origin - 1] for every step.
    - `ridge`: one linear ridge regression a step, on 31 lags of the target, the calendar of the
      target hour and the covariates at the last known hour, all standardised; penalty
      `RIDGE_ALPHA`.
    - `gradient_boosting`: one histogram gradient boosting model for all steps on the same inputs
      and the step; beyond `BOOSTING_ROWS` pairs of window and step it is fitted on that many,
      evenly spaced.

    Args:
        name: one of `BASELINES`.
        data: the rows and windows.

    Returns:
        float64 (n, horizon), in the data's unit.

    Raises:
        ValueError: if the name is unknown, an evaluated window lacks history, a model has no
            training window left, or the horizon is too long for the baseline.
    """
    if name not in _FORECASTERS:
        raise ValueError(f"unknown baseline {name!r}; there are {', '.join(BASELINES)}")
    return _FORECASTERS[name](data)


def score_all(data: BaselineData, actual: FloatArray, seasonal_scale: float) -> dict[str, Scores]:
    """Score every baseline on the windows at `data.origins`.

    A baseline that cannot forecast this horizon (`same_hour_last_week` beyond 168 hours) is an
    error here as in `forecast`.

    Args:
        data: the rows and windows.
        actual: float64 (n, horizon), the true values of those windows, in the data's unit.
        seasonal_scale: the MASE denominator, see `models.metrics.seasonal_scale`.

    Returns:
        The scores by name, in the order of `BASELINES`.

    Raises:
        ValueError: as `forecast` and `models.metrics.scores` do.
    """
    return {name: scores(actual, forecast(name, data), seasonal_scale) for name in BASELINES}


def _same_hour_last_week(data: BaselineData) -> FloatArray:
    if data.horizon > WEEK:
        raise ValueError(
            f"same_hour_last_week knows at most {WEEK} hours ahead, the horizon is {data.horizon}"
        )
    return _look_back("same_hour_last_week", data, WEEK - np.arange(data.horizon))


def _same_hour_yesterday(data: BaselineData) -> FloatArray:
    return _look_back("same_hour_yesterday", data, DAY - np.arange(data.horizon) % DAY)


def _last_value(data: BaselineData) -> FloatArray:
    return _look_back("last_value", data, np.ones(data.horizon, dtype=np.int64))


def _look_back(name: str, data: BaselineData, rows_back: IntArray) -> FloatArray:
    """Repeat, for every step, the target that many rows before the origin."""
    _need_history(name, data.origins, int(rows_back.max()))
    repeated: FloatArray = data.target[data.origins[:, None] - rows_back]
    return repeated


def _ridge(data: BaselineData) -> FloatArray:
    train = _training_origins("ridge", data)
    result = np.empty((len(data.origins), data.horizon))
    for step in range(data.horizon if len(data.origins) else 0):
        model = make_pipeline(StandardScaler(), Ridge(alpha=RIDGE_ALPHA))
        model.fit(_inputs(data, train, step), data.target[train + step])
        result[:, step] = model.predict(_inputs(data, data.origins, step))
    return result


def _gradient_boosting(data: BaselineData) -> FloatArray:
    train = _training_origins("gradient_boosting", data)
    result = np.empty((len(data.origins), data.horizon))
    if not len(data.origins):
        return result

    pairs = len(train) * data.horizon
    kept = np.linspace(0, pairs - 1, min(pairs, BOOSTING_ROWS)).astype(np.int64)
    window, steps = kept // data.horizon, kept % data.horizon
    # No early stopping: it would hold out hours at random, next to the ones it learns from.
    model = HistGradientBoostingRegressor(early_stopping=False, random_state=0)
    # One thread: on cores that are busy training networks, more wait for each other for minutes.
    with threadpool_limits(limits=1, user_api="openmp"):
        model.fit(_inputs(data, train[window], steps), data.target[train[window] + steps])
        for step in range(data.horizon):
            result[:, step] = model.predict(_inputs(data, data.origins, step))
    return result


def _inputs(data: BaselineData, origins: IntArray, steps: int | IntArray) -> FloatArray:
    """Return what is known at each origin about the hour `steps` after it.

    Recent lags count back from the origin. Long lags count back from the target hour, moved to
    the first day ahead (k mod 24): they are the target's hour of day on earlier days, known at
    any horizon up to a week, and for step 0 plain lags.

    Returns:
        float64 (len(origins), 31 + 4 + c + 1): lags, calendar, covariates, step.
    """
    steps = np.broadcast_to(np.asarray(steps, dtype=np.int64), origins.shape)
    recent = data.target[origins[:, None] - np.array(RECENT_LAGS)]
    long = data.target[(origins + steps % DAY)[:, None] - np.array(LONG_LAGS)]
    calendar = data.calendar[origins + steps]
    # The step is constant where a model serves one step; standardised, it is then 0.
    return np.column_stack([recent, long, calendar, data.covariates[origins - 1], steps])


def _training_origins(name: str, data: BaselineData) -> IntArray:
    _need_history(name, data.origins, WEEK)
    train = data.train_origins[data.train_origins >= WEEK]
    if not len(train):
        raise ValueError(
            f"{name} has no training window left: each needs {WEEK} rows before its first target "
            f"hour, and none of the {len(data.train_origins)} has them"
        )
    return train


def _need_history(name: str, origins: IntArray, rows: int) -> None:
    if origins.size and origins.min() < rows:
        raise ValueError(
            f"{name} needs {rows} rows before the first target hour of a window, the earliest "
            f"window has {origins.min()}"
        )


_FORECASTERS: Mapping[str, Callable[[BaselineData], FloatArray]] = MappingProxyType(
    {
        "same_hour_last_week": _same_hour_last_week,
        "same_hour_yesterday": _same_hour_yesterday,
        "last_value": _last_value,
        "ridge": _ridge,
        "gradient_boosting": _gradient_boosting,
    }
)
BASELINES: tuple[str, ...] = tuple(_FORECASTERS)
