"""Forecasters of plain numbers: written, read again, and nothing else let in."""

import copy
import json
from typing import Any

import numpy as np
import pytest

import models.boosting
from models.baselines import BASELINES, fit
from models.boosting import _model, _plain
from models.forecasters import change_inputs, from_plain
from tests.models.test_baselines import synthetic


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer trees are tried: they are not judged here."""
    monkeypatch.setattr(models.boosting, "_MOST_TREES", 30)


@pytest.mark.parametrize("horizon", [1, 5])
def test_a_baseline_written_as_json_forecasts_the_same(horizon: int) -> None:
    data = synthetic(horizon)
    for name, one in fit(BASELINES, data).items():
        again = from_plain(json.loads(json.dumps(one.as_plain())))
        assert again.history == one.history
        np.testing.assert_array_equal(
            again.forecast(data.rows, data.origins),
            one.forecast(data.rows, data.origins),
            err_msg=name,
        )


def test_trees_as_numbers_forecast_what_scikit_learn_does() -> None:
    data = synthetic(horizon=1)
    steps = np.zeros_like(data.train_origins)
    inputs = change_inputs(data.rows, data.train_origins, steps, data.window)
    target = data.rows.target
    model = _model(80).fit(inputs, target[data.train_origins] - target[data.train_origins - 1])
    ahead = np.zeros_like(data.origins)
    expected = model.predict(change_inputs(data.rows, data.origins, ahead, data.window))
    found = _plain(model, data.window, 1).forecast(data.rows, data.origins)[:, 0]
    np.testing.assert_allclose(found - target[data.origins - 1], expected, rtol=0, atol=1e-9)


def test_hours_beyond_the_rows_are_forecast_by_the_clock_alone() -> None:
    data = synthetic(horizon=24)
    ends = np.array([len(data.rows.values) - 24])
    short = type(data.rows)(data.rows.values[:-24], data.rows.clock)
    for name, one in fit(BASELINES, data).items():
        np.testing.assert_array_equal(
            one.forecast(short, ends), one.forecast(data.rows, ends), err_msg=name
        )


def _broken(plain: dict[str, Any], name: str, value: object) -> dict[str, Any]:
    changed = copy.deepcopy(plain)
    changed[name] = value
    return changed


def test_numbers_that_do_not_fit_are_refused() -> None:
    fitted = fit(BASELINES, synthetic(horizon=2))
    lags = fitted["last_value"].as_plain()
    linear = fitted["ridge_by_hour"].as_plain()
    trees = fitted["boosting_on_change"].as_plain()
    mean = fitted["ridge_and_boosting"].as_plain()
    holey = [[float("nan")] * 168] * 2
    for plain in (
        {"kind": "lambda"},
        {},
        _broken(lags, "back", [0]),
        _broken(lags, "back", []),
        _broken(linear, "picks", [[500, 0]]),
        _broken(linear, "constant", holey),
        _broken(linear, "constant", [[1.0]]),
        _broken(linear, "by_hour", []),
        {"kind": "linear"},
        _broken(trees, "left", [-1, *trees["left"][1:]]),
        _broken(trees, "right", [10**9, *trees["right"][1:]]),
        _broken(trees, "value", trees["value"][1:]),
        _broken(trees, "depth", 10**9),
        _broken(trees, "start", float("inf")),
        _broken(mean, "parts", [{"kind": "pickle"}]),
    ):
        with pytest.raises(ValueError, match="forecaster"):
            from_plain(plain)
