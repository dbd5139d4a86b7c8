from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import models.baselines
from models.baselines import BASELINES, BaselineData, FloatArray, forecast, score_all
from models.metrics import seasonal_scale

VICTORIA = Path(__file__).parents[2] / "data_pipeline" / "builtin" / "victoria_2014_hourly.csv"


def calendar(times: pd.DatetimeIndex) -> FloatArray:
    hour = 2 * np.pi * times.hour.to_numpy() / 24
    weekday = 2 * np.pi * times.day_of_week.to_numpy() / 7
    return np.column_stack([np.sin(hour), np.cos(hour), np.sin(weekday), np.cos(weekday)])


def synthetic(horizon: int, rows: int = 600, seed: int = 0) -> BaselineData:
    """Hourly rows with a daily cycle; windows below row 450 train, from 500 on are forecast."""
    rng = np.random.default_rng(seed)
    times = pd.date_range("2024-01-01", periods=rows, freq="h")
    target = 100 + 20 * np.sin(2 * np.pi * np.arange(rows) / 24) + rng.normal(0, 3, rows)
    return BaselineData(
        target=target,
        covariates=rng.normal(15, 5, (rows, 2)),
        calendar=calendar(times),
        train_origins=np.arange(168, 450 - horizon + 1),
        origins=np.arange(500, rows - horizon + 1, 7),
        horizon=horizon,
    )


@pytest.fixture(scope="module")
def victoria() -> BaselineData:
    """April to June: 2,016 windows of 168 hours; the first 80 % train, the last 20 % are tested."""
    frame = pd.read_csv(VICTORIA, parse_dates=["Date"], index_col="Date").loc["2014-04":"2014-06"]
    origins = np.arange(168, len(frame))
    assert len(origins) == 2016
    last = int(len(origins) * 0.8)
    return BaselineData(
        target=frame["Usage"].to_numpy(),
        covariates=frame[["Temperature"]].to_numpy(),
        calendar=calendar(pd.DatetimeIndex(frame.index)),
        train_origins=origins[:last],
        origins=origins[last:],
        horizon=1,
    )


def test_the_floor_on_the_builtin_data(victoria: BaselineData) -> None:
    first_test_row = int(victoria.origins[0])
    actual = victoria.target[victoria.origins][:, None]
    scored = score_all(victoria, actual, seasonal_scale(victoria.target[:first_test_row]))
    assert tuple(scored) == BASELINES

    # Measured, in MW: MAE and RMSE.
    measured = {
        "same_hour_last_week": (205.5, 307.7),
        "same_hour_yesterday": (354.0, 524.7),
        "last_value": (248.6, 319.1),
    }
    for name, figures in measured.items():
        assert (scored[name].mae, scored[name].rmse) == pytest.approx(figures, abs=0.1)
    # The models may move a little with scikit-learn; measured with 1.9.1.
    assert (scored["ridge"].mae, scored["ridge"].rmse) == pytest.approx((69.1, 103.6), rel=0.02)
    boosting = scored["gradient_boosting"]
    assert (boosting.mae, boosting.rmse) == pytest.approx((104.6, 146.6), rel=0.05)


@pytest.mark.parametrize("horizon", [1, 5, 30, 168])
def test_the_naive_forecasts_by_their_definition(horizon: int) -> None:
    data = synthetic(horizon, rows=700)
    for name, rows_back in (
        ("same_hour_last_week", lambda k: 168 - k),
        ("same_hour_yesterday", lambda k: 24 * -(-(k + 1) // 24) - k),
        ("last_value", lambda _: 1),
    ):
        expected = [
            [data.target[origin - rows_back(k)] for k in range(horizon)] for origin in data.origins
        ]
        np.testing.assert_array_equal(forecast(name, data), expected)


@pytest.mark.parametrize("horizon", [1, 26])
@pytest.mark.parametrize("name", BASELINES)
def test_no_forecast_reads_a_row_from_its_origin_on(name: str, horizon: int) -> None:
    data = synthetic(horizon)
    before = forecast(name, data)
    assert before.shape == (len(data.origins), horizon)
    assert before.dtype == np.float64
    for position in (0, len(data.origins) // 2, len(data.origins) - 1):
        origin = data.origins[position]
        target, covariates = data.target.copy(), data.covariates.copy()
        target[origin:] = -1e6
        covariates[origin:] = 1e6
        after = forecast(name, replace(data, target=target, covariates=covariates))
        np.testing.assert_array_equal(after[: position + 1], before[: position + 1])


# Not gradient boosting: its trees may not split where the row moved; its inputs are the ridge's.
@pytest.mark.parametrize("name", ["same_hour_yesterday", "last_value", "ridge"])
def test_the_last_known_row_counts(name: str) -> None:
    data = synthetic(horizon=24)
    target = data.target.copy()
    target[data.origins[0] - 1] += 50
    changed = forecast(name, replace(data, target=target))
    assert np.any(changed[0] != forecast(name, data)[0])


@pytest.mark.parametrize("horizon", [1, 24])
def test_the_models_learn_a_cycle(horizon: int) -> None:
    data = synthetic(horizon)
    actual = data.target[data.origins[:, None] + np.arange(horizon)]
    scored = score_all(data, actual, seasonal_scale(data.target[:450]))
    for name in ("ridge", "gradient_boosting"):
        assert scored[name].rmse < scored["same_hour_last_week"].rmse
        assert scored[name].rmse < 5.0  # the noise alone is 3


@pytest.mark.parametrize("name", ["ridge", "gradient_boosting"])
def test_the_models_are_deterministic_and_leave_short_histories_out(name: str) -> None:
    data = synthetic(horizon=3)
    once = forecast(name, data)
    early = np.concatenate([np.arange(168), data.train_origins])
    np.testing.assert_array_equal(forecast(name, replace(data, train_origins=early)), once)


def test_boosting_bounds_its_training_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    data = synthetic(horizon=24)
    everything = forecast("gradient_boosting", data)
    monkeypatch.setattr(models.baselines, "BOOSTING_ROWS", 500)
    bounded = forecast("gradient_boosting", data)
    assert np.any(bounded != everything)
    np.testing.assert_array_equal(forecast("gradient_boosting", data), bounded)


@pytest.mark.parametrize("name", BASELINES)
def test_no_covariates_and_no_windows_are_fine(name: str) -> None:
    data = synthetic(horizon=2)
    assert forecast(name, replace(data, covariates=np.empty((600, 0)))).shape[1] == 2
    none = replace(data, origins=np.empty(0, dtype=np.int64))
    assert forecast(name, none).shape == (0, 2)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("same_hour_last_week", 168),
        ("same_hour_yesterday", 24),
        ("last_value", 1),
        ("ridge", 168),
        ("gradient_boosting", 168),
    ],
)
def test_an_evaluated_window_without_history_is_an_error(name: str, rows: int) -> None:
    data = synthetic(horizon=2)
    assert forecast(name, replace(data, origins=np.array([rows]))).shape == (1, 2)
    with pytest.raises(ValueError, match=f"{name} needs {rows} rows"):
        forecast(name, replace(data, origins=np.array([rows - 1, 500])))


@pytest.mark.parametrize("name", ["ridge", "gradient_boosting"])
def test_a_model_without_training_windows_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="no training window left"):
        forecast(name, replace(synthetic(horizon=1), train_origins=np.arange(168)))


def test_unknown_names_and_long_horizons_are_errors() -> None:
    with pytest.raises(ValueError, match="unknown baseline 'arima'"):
        forecast("arima", synthetic(horizon=1))
    with pytest.raises(ValueError, match="at most 168 hours"):
        forecast("same_hour_last_week", synthetic(horizon=169, rows=900))


def test_bad_data_is_refused() -> None:
    data = synthetic(horizon=2)
    with pytest.raises(ValueError, match="horizon"):
        replace(data, horizon=0)
    with pytest.raises(ValueError, match="target must have shape"):
        replace(data, target=data.target[:, None])
    with pytest.raises(ValueError, match="covariates must have shape"):
        replace(data, covariates=data.covariates[1:])
    with pytest.raises(ValueError, match="calendar must have shape"):
        replace(data, calendar=data.calendar[:, :2])
    with pytest.raises(ValueError, match="target holds"):
        replace(data, target=np.full(600, np.nan))
    with pytest.raises(ValueError, match=r"origins must lie in 0\.\.598"):
        replace(data, origins=np.array([599]))
    with pytest.raises(ValueError, match="whole numbers"):
        replace(data, train_origins=np.array([[1, 2]]))
