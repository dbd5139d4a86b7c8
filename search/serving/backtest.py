"""The champion's scores on hours that have passed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_pipeline.calendar import hour_of_week
from models.baselines import BaselineData, fit, forecast_with
from models.forecasters import HOURS_A_WEEK, Rows
from models.intervals import covered, from_plain
from models.metrics import Scores, scores, seasonal_scale
from search.serving.served import Forecaster, hours_needed

FloatArray = npt.NDArray[np.float64]

NAIVE = ("same_hour_last_week", "last_value")
FITTED = ("ridge_by_hour", "ridge_and_boosting")
LEARNED, UNSEEN = "learned from", "not seen in training"
# Windows from which a baseline is fitted: three weeks.
FEWEST = 3 * HOURS_A_WEEK


def too_short(hours: int, facts: Mapping[str, Any]) -> str:
    """Say what is missing if a file of so many hours holds no window to judge, else nothing."""
    needed = _first(facts) + facts["horizon"]
    return "" if hours >= needed else f"expected at least {needed} hours, found {hours}"


def backtest(
    model: Forecaster, local: pd.DatetimeIndex, values: FloatArray
) -> tuple[list[dict[str, Any]], list[str]]:
    """Score the champion and the others on every window of checked rows.

    The fitted baselines learn from those windows of the file that the champion knows, and are
    judged on the others, as it is.

    Args:
        model: the champion.
        local: n naive clock times.
        values: float64 (n, c + 1), features and target.

    Returns:
        Rows for a table, by period and forecast, those of single steps last; and notes, a line
        each.
    """
    facts = model.facts
    horizon = facts["horizon"]
    origins = np.arange(_first(facts), len(values) - horizon + 1)
    # A window counts as seen if any of its hours is one that the model learned from.
    since, until = (pd.Timestamp(facts[f"learned_{end}"]) for end in ("since", "until"))
    seen = np.asarray((local[origins] <= until) & (local[origins + horizon - 1] >= since))
    # To learn from, all of its hours must be: else a baseline would know some that are judged.
    known = np.asarray((local[origins] >= since) & (local[origins + horizon - 1] <= until))
    data = BaselineData(
        Rows(values, hour_of_week(local)), origins[known], origins, facts["window"], horizon
    )
    found = {"champion": model.forecast(local, values, origins)}
    found |= forecast_with(fit(NAIVE, data), data)
    notes = []
    if known.sum() >= FEWEST:
        found |= forecast_with(fit(FITTED, data), data)
    elif not seen.all():
        notes.append(
            "No fitted baseline is shown: of the hours that the champion learned from the file has "
            f"{int(known.sum())} windows, {FEWEST} are needed."
        )
    actual = values[origins[:, None] + np.arange(horizon), -1]
    scale = seasonal_scale(values[:, -1])
    table: list[dict[str, Any]] = []
    steps: list[dict[str, Any]] = []
    for period, chosen in ((LEARNED, seen), (UNSEEN, ~seen)):
        if not chosen.any():
            continue
        judged = {name: forecast[chosen] for name, forecast in found.items()}
        shares = _covered(model, judged["champion"], actual[chosen], period)
        for name, forecast in judged.items():
            row = _row(period, name, "all", scores(actual[chosen], forecast, scale))
            row["windows"] = int(chosen.sum())
            table.append(row | (shares[0] if name == "champion" else {}))
        for step in range(horizon if horizon > 1 else 0):
            one = scores(actual[chosen][:, [step]], judged["champion"][:, [step]], scale)
            row = _row(period, "champion", str(step + 1), one)
            steps.append(row | {"windows": int(chosen.sum())} | shares[1 + step])
    return [*table, *steps], notes


def _first(facts: Mapping[str, Any]) -> int:
    """The first row that the champion and all others have the history to forecast."""
    return max(hours_needed(facts), HOURS_A_WEEK)


def _row(period: str, name: str, step: str, judged: Scores) -> dict[str, Any]:
    row = {"period": period, "forecast": name, "step": step}
    return row | {key: f"{value:.6g}" for key, value in judged.as_dict().items()}


def _covered(
    model: Forecaster, forecast: FloatArray, actual: FloatArray, period: str
) -> list[dict[str, str]]:
    """The shares within the 90 % interval, of all steps and then of each: whole, last quarter.

    Of hours that were learned from, which the interval does not follow, with the width it began
    with.
    """
    half = model.half_widths(forecast, actual)
    if period == LEARNED and "interval" in model.facts:
        half = from_plain(model.facts["interval"]["begin"]).half_width
    shares = covered(forecast - actual, half)
    pairs = [
        (shares.share, shares.last_quarter),
        *zip(shares.steps, shares.last_quarter_steps, strict=True),
    ]
    return [
        {"covered_90": f"{whole:.4f}", "covered_90_last_quarter": f"{last:.4f}"}
        for whole, last in pairs
    ]
