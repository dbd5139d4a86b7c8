import json
import math
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.metrics import METRICS, SKILL, FloatArray, Scores, scores, seasonal_scale, skill

IN_UNIT = ("mae", "rmse", "peak_error", "peak_bias")
PLAIN = ("mase", "r2", "amplitude_ratio", "roughness_ratio")

# Whole numbers far apart, so that a variance is either 0 or well away from it.
series = arrays(
    np.float64,
    st.tuples(st.integers(1, 30), st.integers(1, 3)),
    elements=st.integers(-1000, 1000).map(float),
)


def column(*values: float) -> FloatArray:
    return np.array(values, dtype=np.float64)[:, None]


def test_every_metric_by_hand() -> None:
    actual = column(*range(1, 11))  # 90th percentile 9.1: only the last hour is a peak
    forecast = actual + column(1, -1, 1, -1, 1, -1, 1, -1, 1, -3)
    result = scores(actual, forecast, seasonal_scale=2.0)
    assert result.mae == pytest.approx(1.2)
    assert result.rmse == pytest.approx(math.sqrt(1.8))
    assert result.mase == pytest.approx(0.6)
    assert result.r2 == pytest.approx(1 - 18 / 82.5)
    assert result.peak_error == 3.0
    assert result.peak_bias == -3.0
    assert result.amplitude_ratio == pytest.approx(np.std(forecast) / np.std(actual))


@given(series)
def test_a_perfect_forecast_has_no_error(actual: FloatArray) -> None:
    result = scores(actual, actual.copy(), 5.0).as_dict()
    for name in ("mae", "rmse", "mase"):
        assert result[name] == 0.0
    for name, perfect in (("peak_error", 0.0), ("peak_bias", 0.0), ("r2", 1.0)):
        assert result.get(name, perfect) == perfect
    for name in ("amplitude_ratio", "roughness_ratio"):
        assert result.get(name, 1.0) == pytest.approx(1.0)


@given(series, st.integers(0, 2**32 - 1), st.sampled_from([2.0**-10, 0.5, 4.0, 1024.0]))
def test_scores_follow_the_unit(actual: FloatArray, seed: int, factor: float) -> None:
    # Powers of two scale without rounding, so no hour moves across the percentile.
    forecast = actual + np.random.default_rng(seed).integers(-50, 50, actual.shape)
    before = scores(actual, forecast, 3.0).as_dict()
    after = scores(actual * factor, forecast * factor, 3.0 * factor).as_dict()
    assert before.keys() == after.keys()
    for name, value in before.items():
        expected = value * factor if name in IN_UNIT else value
        assert after[name] == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(series, st.floats(0.5, 100.0))
def test_the_sign_of_the_bias_is_that_of_the_forecast(actual: FloatArray, offset: float) -> None:
    low, high = scores(actual, actual - offset, 1.0), scores(actual, actual + offset, 1.0)
    if math.isnan(low.peak_bias):
        assert math.isnan(high.peak_bias)
    else:
        assert low.peak_bias == pytest.approx(-offset)
        assert high.peak_bias == pytest.approx(offset)
        assert low.peak_error == pytest.approx(high.peak_error)


@given(series, st.integers(0, 2**32 - 1))
def test_mae_never_exceeds_rmse_and_the_dict_is_json(actual: FloatArray, seed: int) -> None:
    forecast = np.random.default_rng(seed).normal(0, 500, actual.shape)
    result = scores(actual, forecast, 0.0)
    assert result.mae <= result.rmse * (1 + 1e-12)
    assert json.loads(json.dumps(result.as_dict(), allow_nan=False)) == result.as_dict()


@pytest.mark.parametrize("level", [0.0, 0.1, -7.3])
def test_a_constant_actual_leaves_variance_and_peaks_undefined(level: float) -> None:
    actual = np.full((7, 2), level)
    result = scores(actual, actual + np.arange(14.0).reshape(7, 2), 1.0)
    for name in ("r2", "amplitude_ratio", "roughness_ratio", "peak_error", "peak_bias"):
        assert math.isnan(getattr(result, name))
    assert set(result.as_dict()) == {"mae", "rmse", "mase"}


def test_a_perfectly_seasonal_target_leaves_mase_undefined() -> None:
    scale = seasonal_scale(np.tile([1.0, 2.0, 3.0], 5), season=3)
    assert scale == 0.0
    result = scores(column(1, 2, 3), column(1, 2, 4), scale)
    assert math.isnan(result.mase)
    assert "mase" not in result.as_dict()


def test_the_roughness_is_that_of_the_changes_from_hour_to_hour() -> None:
    actual, forecast = column(1, 4, 2, 6), column(2, 3, 3, 4)
    expected = np.std([1, 0, 1]) / np.std([3, -2, 4])
    assert scores(actual, forecast, 1.0).roughness_ratio == pytest.approx(expected)
    # A forecast that follows late has the actual's roughness, one that halves it has half.
    assert scores(actual, actual / 2, 1.0).roughness_ratio == pytest.approx(0.5)


def test_a_steady_climb_leaves_the_roughness_undefined() -> None:
    climb = np.arange(0.0, 3.0, 0.1)[:, None]
    assert math.isnan(scores(climb, climb + 1, 1.0).roughness_ratio)


def test_a_flat_forecast_has_no_amplitude() -> None:
    assert scores(column(1, 2, 3), column(2, 2, 2), 1.0).amplitude_ratio == 0.0


def test_seasonal_scale_by_hand() -> None:
    assert seasonal_scale(np.array([1.0, 5.0, 2.0, 9.0]), season=2) == 2.5
    assert seasonal_scale(np.arange(169.0)) == 168.0


@pytest.mark.parametrize(
    ("rows", "season", "message"),
    [
        (np.arange(168.0), 168, "at least 169 training rows"),
        (np.ones((4, 2)), 1, "shape"),
        (np.array([1.0, np.nan, 2.0]), 1, "not finite"),
        (np.arange(3.0), 0, "at least 1 row"),
    ],
)
def test_seasonal_scale_refuses(rows: FloatArray, season: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        seasonal_scale(rows, season)


@pytest.mark.parametrize(
    ("actual", "forecast", "scale", "message"),
    [
        (column(1, 2), column(1), 1.0, "same shape"),
        (np.ones(3), np.ones(3), 1.0, "same shape"),
        (np.ones((0, 1)), np.ones((0, 1)), 1.0, "nothing to score"),
        (np.ones((2, 0)), np.ones((2, 0)), 1.0, "nothing to score"),
        (column(1, np.nan), column(1, 2), 1.0, "actual holds"),
        (column(1, 2), column(1, np.inf), 1.0, "forecast holds"),
        (column(1, 2), column(1, 2), -1.0, "seasonal_scale"),
        (column(1, 2), column(1, 2), math.nan, "seasonal_scale"),
    ],
)
def test_scores_refuse(
    actual: FloatArray, forecast: FloatArray, scale: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        scores(actual, forecast, scale)


def test_skill() -> None:
    assert skill(0.0, 4.0) == 1.0
    assert skill(4.0, 4.0) == 0.0
    assert skill(6.0, 4.0) == -0.5
    assert math.isnan(skill(1.0, 0.0))


@pytest.mark.parametrize(("error", "reference"), [(-1.0, 1.0), (1.0, math.nan), (math.inf, 1.0)])
def test_skill_refuses(error: float, reference: float) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        skill(error, reference)


def test_the_table_describes_every_metric() -> None:
    names = [metric.name for metric in METRICS]
    assert sorted(names) == sorted(field.name for field in fields(Scores))
    assert SKILL.name == "skill" and SKILL.unit == "1"
    assert {m.name for m in METRICS if m.unit == "data"} == set(IN_UNIT)
    assert {m.name for m in METRICS if m.unit == "1"} == set(PLAIN)
    assert all(m.title and m.korean and m.formula for m in (*METRICS, SKILL))
