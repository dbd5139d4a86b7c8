"""The backtest: what the fitted baselines may learn from, and what the table holds."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.baselines import BaselineData, fit
from models.forecasters import Forecaster
from search.serving import backtest as module
from search.serving.backtest import LEARNED, UNSEEN, backtest, too_short

HORIZON = 24
HOURS = 1200
LEARNED_HOURS = 1000


def _champion() -> Any:
    """A model that always forecasts 50, and has learned from the first hours."""
    local = pd.date_range("2024-01-01", periods=HOURS, freq="h")
    facts = {
        "horizon": HORIZON,
        "window": 48,
        "learned_since": local[0].isoformat(),
        "learned_until": local[LEARNED_HOURS - 1].isoformat(),
        "half_width": [20.0] * HORIZON,
    }
    return SimpleNamespace(
        facts=facts,
        forecast=lambda local, values, origins: np.full((len(origins), HORIZON), 50.0),
        half_widths=lambda forecast, actual: np.full(forecast.shape, 20.0),
    )


def _rows() -> tuple[pd.DatetimeIndex, np.ndarray[Any, np.dtype[np.float64]]]:
    local = pd.date_range("2024-01-01", periods=HOURS, freq="h")
    noise = np.random.default_rng(0).normal(0, 3, (HOURS, 1))
    return local, 50 + 10 * np.sin(2 * np.pi * np.arange(HOURS) / 24)[:, None] + noise


def test_a_champion_of_changes_is_judged_where_no_lag_of_it_is_missing() -> None:
    local, values = _rows()
    champion = _champion()
    windows = {}
    for inputs in ("cycles", "changes"):
        champion.facts["inputs"] = inputs
        table, _ = backtest(champion, local, values)
        windows[inputs] = sum(row["windows"] for row in table if row["forecast"] == "last_value")
    # The first origin is row 168, a week for the naive forecasts, or row 48 + 168.
    assert windows["cycles"] - windows["changes"] == 48
    assert too_short(48 + 168 + HORIZON, champion.facts) == ""
    assert "at least 240 hours" in too_short(48 + 168 + HORIZON - 1, champion.facts)


def test_the_fitted_baselines_learn_nothing_of_the_hours_they_are_judged_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[BaselineData] = []

    def watched(names: Sequence[str], data: BaselineData) -> dict[str, Forecaster]:
        given.append(data)
        return fit(names, data)

    monkeypatch.setattr(module, "fit", watched)
    local, values = _rows()
    table, notes = backtest(_champion(), local, values)
    assert notes == [] and len(given) == 2
    for data in given:
        assert data.train_origins.max() + HORIZON == LEARNED_HOURS
    rows = {(row["period"], row["forecast"], row["step"]): row for row in table}
    assert set(rows) >= {(UNSEEN, "ridge_by_hour", "all"), (LEARNED, "champion", "24")}
    # Every window with an hour of the learned ones counts as seen.
    assert rows[UNSEEN, "champion", "all"]["windows"] == HOURS - HORIZON + 1 - LEARNED_HOURS
    assert float(rows[UNSEEN, "ridge_by_hour", "all"]["rmse"]) < 5


def test_a_longer_horizon_has_a_row_a_step_with_what_was_covered() -> None:
    table, _ = backtest(_champion(), *_rows())
    steps = [row for row in table if row["step"] != "all"]
    assert len(steps) == 2 * HORIZON
    assert all(0 <= float(row["covered_90_last_quarter"]) <= 1 for row in steps)


def test_a_file_too_short_is_told_in_hours() -> None:
    facts = {"window": 48, "horizon": HORIZON}
    assert too_short(191, facts) == "expected at least 192 hours, found 191"
    assert too_short(192, facts) == ""
