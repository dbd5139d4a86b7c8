"""The metrics of a forecast. Each is defined once, here."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

PEAK_PERCENTILE = 90.0


@dataclass(frozen=True)
class Metric:
    """The meaning of one metric, for people.

    Attributes:
        name: its name in `Scores`, in the store and in the report's files.
        title: its title for people, in English. korean: the title in Korean.
        formula: how it is computed, in words.
        unit: "data" for the unit of the data (say MW), "1" for a plain ratio.
        better: which way is better: "lower", "higher", or nearest to "0" or to "1".
        shown: where, besides MLflow: "tables" for all tables of scores and the report's files,
            "report" for the report's files, "nowhere".
    """

    name: str
    title: str
    korean: str
    formula: str
    unit: Literal["data", "1"]
    better: Literal["lower", "higher", "0", "1"]
    shown: Literal["tables", "report", "nowhere"] = "report"


# All lists of metrics derive from this one; tables show them in this order.
METRICS: tuple[Metric, ...] = (
    Metric(
        "rmse",
        "RMSE",
        "RMSE",
        "square root of the mean of (forecast - actual) squared",
        "data",
        "lower",
        "tables",
    ),
    Metric("mae", "MAE", "MAE", "mean of |forecast - actual|", "data", "lower", "tables"),
    Metric(
        "peak_bias",
        "peak bias",
        "피크 편향",
        "mean of forecast - actual on the hours whose actual is above its 90th percentile; "
        "negative: peaks are predicted too low",
        "data",
        "0",
        "tables",
    ),
    Metric(
        "amplitude_ratio",
        "amplitude ratio",
        "진폭 비",
        "standard deviation of forecast over that of actual; below 1: the forecast is too smooth",
        "1",
        "1",
    ),
    Metric(
        "roughness_ratio",
        "roughness ratio",
        "거칠기 비",
        "standard deviation of the forecast's change from hour to hour over that of the actual; "
        "below 1: the forecast is too smooth, above 1: it jumps",
        "1",
        "1",
    ),
    Metric(
        "mase",
        "MASE",
        "MASE",
        "mae over the mean |y(t) - y(t - 168 h)| of the training rows; below 1 beats, on average, "
        "repeating the training rows of a week before",
        "1",
        "lower",
        "tables",
    ),
    Metric(
        "r2",
        "R2",
        "R2",
        "1 - sum of (forecast - actual) squared over sum of (actual - mean actual) squared",
        "1",
        "higher",
        "nowhere",
    ),
    Metric(
        "peak_error",
        "error at the peaks",
        "피크 오차",
        "mean of |forecast - actual| on the hours whose actual is above its 90th percentile",
        "data",
        "lower",
        "nowhere",
    ),
)

# Not a field of `Scores`, because it compares two forecasts: see `skill`.
SKILL = Metric(
    "skill",
    "skill",
    "스킬",
    "1 - error over the strongest baseline's error; 0: no better",
    "1",
    "higher",
    "tables",
)

IN_TABLES = tuple(metric for metric in METRICS if metric.shown == "tables")
IN_REPORT = tuple(metric for metric in METRICS if metric.shown != "nowhere")


@dataclass(frozen=True)
class Scores:
    """The metrics of one forecast, NaN if undefined; `METRICS` says what each means."""

    mae: float
    rmse: float
    mase: float
    r2: float
    peak_error: float
    peak_bias: float
    amplitude_ratio: float
    roughness_ratio: float

    def as_dict(self) -> dict[str, float]:
        """Return the defined metrics by name.

        An undefined (not finite) metric is left out, because JSON has no NaN and the store takes
        only finite numbers. Read it with `.get(name)`.
        """
        every: Mapping[str, float] = asdict(self)
        return {name: value for name, value in every.items() if math.isfinite(value)}


def scores(actual: FloatArray, forecast: FloatArray, seasonal_scale: float) -> Scores:
    """Judge `forecast` against `actual`, pooling all windows and steps.

    MASE follows Hyndman & Koehler (2006), "Another look at measures of forecast accuracy", with
    the seasonal naive method in the denominator. The 90th percentile of the peak metrics is that
    of `actual`, linearly interpolated. With a horizon above 1, an hour counts once for every
    window that forecasts it. Standard deviations divide by the number of values. The roughness
    uses only the forecasts one step ahead, from each row to the next.

    These metrics may be NaN: `mase` if `seasonal_scale` is 0; `r2` and `amplitude_ratio` if
    `actual` is constant; `roughness_ratio` if the hourly change of `actual` is constant;
    `peak_error` and `peak_bias` if no hour is above the percentile, that is, if at least the
    upper tenth of `actual` has one value.

    Args:
        actual: float64 (n, horizon), the true values, in the data's unit; consecutive hours.
        forecast: float64 (n, horizon), the forecasts of the same hours, in the same unit.
        seasonal_scale: the MASE denominator, in the same unit, from `seasonal_scale`.

    Returns:
        The scores; `mae`, `rmse`, `peak_error` and `peak_bias` are in the data's unit.

    Raises:
        ValueError: if the shapes differ, are not (n, horizon) or are empty, if a value is not
            finite, or if `seasonal_scale` is negative or not finite.
    """
    _check_pair(actual, forecast)
    if not (math.isfinite(seasonal_scale) and seasonal_scale >= 0):
        raise ValueError(f"seasonal_scale must be finite and not negative, got {seasonal_scale}")

    error = forecast - actual
    mae = float(np.mean(np.abs(error)))
    mse = float(np.mean(error**2))
    # A constant series has no variance; its rounded mean may pretend otherwise.
    variance = float(np.var(actual)) if np.ptp(actual) > 0 else 0.0
    at_peaks = error[actual > np.percentile(actual, PEAK_PERCENTILE)]
    return Scores(
        mae=mae,
        rmse=math.sqrt(mse),
        mase=_ratio(mae, seasonal_scale),
        r2=1.0 - _ratio(mse, variance),
        peak_error=float(np.mean(np.abs(at_peaks))) if at_peaks.size else math.nan,
        peak_bias=float(np.mean(at_peaks)) if at_peaks.size else math.nan,
        amplitude_ratio=_ratio(float(np.std(forecast)), math.sqrt(variance)),
        roughness_ratio=_ratio(_roughness(forecast), _roughness(actual)),
    )


def seasonal_scale(target_rows: FloatArray, season: int = 168) -> float:
    """Mean absolute change of the training target from one season to the next: MASE's denominator.

    Source: Hyndman & Koehler (2006), the in-sample error of the (seasonal) naive forecast. It is
    0 for a target that repeats itself exactly. MASE is then undefined, and `scores` gives NaN.

    Args:
        target_rows: float64 (rows,), the target over the training rows only, one value per hour,
            in the data's unit.
        season: rows in one season; 168 hours is a week.

    Returns:
        The mean of |y(t) - y(t - season)|, in the data's unit, not negative.

    Raises:
        ValueError: if `season` is below 1, the rows are not one-dimensional, there are not more
            rows than one season, or a value is not finite.
    """
    if season < 1:
        raise ValueError(f"season must be at least 1 row, got {season}")
    if target_rows.ndim != 1:
        raise ValueError(f"target_rows must have shape (rows,), got {target_rows.shape}")
    if len(target_rows) <= season:
        raise ValueError(
            f"the seasonal scale needs at least {season + 1} training rows (season={season}), "
            f"got {len(target_rows)}"
        )
    if not np.isfinite(target_rows).all():
        raise ValueError("target_rows holds values that are not finite")
    return float(np.mean(np.abs(target_rows[season:] - target_rows[:-season])))


def skill(error: float, reference_error: float) -> float:
    """The share by which a forecast lowers a reference's error: 1 - error / reference_error.

    Args:
        error: the forecast's error (mae, rmse or mse), not negative.
        reference_error: the same error of the reference, over the same hours, in the same unit.

    Returns:
        1 for a perfect forecast, 0 for one as good as the reference, negative for a worse one;
        NaN if the reference is perfect (`reference_error` is 0).

    Raises:
        ValueError: if an error is negative or not finite.
    """
    for name, value in (("error", error), ("reference_error", reference_error)):
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{name} must be finite and not negative, got {value}")
    return 1.0 - _ratio(error, reference_error)


def _roughness(values: FloatArray) -> float:
    first = values[:, 0]
    spread = float(np.std(np.diff(first))) if len(first) > 1 else 0.0
    # As above, against rounding: a steady climb has no roughness.
    return spread if spread > 1e-12 * float(np.max(np.abs(first))) else 0.0


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else math.nan


def _check_pair(actual: FloatArray, forecast: FloatArray) -> None:
    if actual.ndim != 2 or actual.shape != forecast.shape:
        raise ValueError(
            "actual and forecast must have the same shape (n, horizon), got "
            f"{actual.shape} and {forecast.shape}"
        )
    if actual.size == 0:
        raise ValueError(f"there is nothing to score: the shape is {actual.shape}")
    for name, values in (("actual", actual), ("forecast", forecast)):
        if not np.isfinite(values).all():
            raise ValueError(f"{name} holds values that are not finite")
