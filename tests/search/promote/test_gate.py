"""The gate on made-up errors: how often it is wrong, and what it says."""

import numpy as np
import numpy.typing as npt
import pytest

from search.promote.gate import objections
from search.results.bootstrap import Compared, compare

FloatArray = npt.NDArray[np.float64]
HOURS = 403


def _errors(generator: np.random.Generator, scale: float = 1.0, tie: float = 0.8) -> FloatArray:
    """Errors of neighbouring hours that go together."""
    noise = generator.normal(size=HOURS)
    made = np.empty(HOURS)
    made[0] = noise[0]
    for at in range(1, HOURS):
        made[at] = tie * made[at - 1] + (1 - tie**2) ** 0.5 * noise[at]
    return scale * made[:, None]


def test_equally_good_forecasts_seldom_pass_for_better() -> None:
    passed = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        shared = _errors(generator)
        ours, theirs = shared + 0.5 * _errors(generator), shared + 0.5 * _errors(generator)
        passed += compare("x", ours, theirs).beaten
    # 5 % by design; a bootstrap of some 17 days errs a little more.
    assert passed / 200 <= 0.10


def test_a_clearly_better_forecast_passes_and_a_worse_one_does_not() -> None:
    generator = np.random.default_rng(1)
    ours, theirs = _errors(generator), _errors(generator, 1.6)
    better = compare("ridge_by_hour", ours, theirs)
    assert better.beaten and better.low < better.difference < better.high < 0
    assert better.challenger == pytest.approx(float(np.sqrt(np.mean(ours**2))))
    worse = compare("ridge_by_hour", theirs, ours)
    assert not worse.beaten and worse.p > 0.95


def test_windows_that_overlap_are_not_taken_for_independent() -> None:
    passed, horizon = 0, 24
    for seed in range(150):
        generator = np.random.default_rng(seed)
        hourly = [_errors(generator)[:, 0] for _ in range(2)]
        ours, theirs = (np.lib.stride_tricks.sliding_window_view(one, horizon) for one in hourly)
        passed += compare("x", ours, theirs).beaten
    assert passed / 150 <= 0.12


def test_too_short_a_test_period_is_an_objection_not_a_verdict() -> None:
    generator = np.random.default_rng(4)
    ours, theirs = _errors(generator)[:100], 3 * _errors(generator)[:100]
    short = compare("ridge_by_hour", ours, theirs)
    assert short.blocks == 4 and short.p < 0.05 and not short.beaten
    (only,) = objections({"ridge_by_hour": short}, None, "MW")
    assert "4 blocks of test hours are too few to tell" in only


def test_the_same_forecast_is_not_better_than_itself() -> None:
    errors = _errors(np.random.default_rng(2))
    same = compare("champion", errors, errors)
    assert same.difference == 0 and not same.beaten
    # Rounding that always goes one way is no victory either.
    rounded = compare("version 3", errors * (1 - 1e-8), errors)
    assert rounded.difference < 0 and rounded.p <= 0.05 and not rounded.beaten
    baselines = {"ridge_by_hour": _compared("ridge_by_hour", 200.0, 0.001)}
    (only,) = objections(baselines, rounded, "MW")
    assert only.startswith("it forecasts the same as the champion, version 3 (RMSE")


@pytest.mark.parametrize("other", [np.ones((HOURS, 2)), np.ones((HOURS - 1, 1))])
def test_errors_of_other_windows_are_refused(other: FloatArray) -> None:
    with pytest.raises(ValueError, match="same windows"):
        compare("x", np.ones((HOURS, 1)), other)
    with pytest.raises(ValueError, match="same windows"):
        compare("x", np.ones((0, 1)), np.ones((0, 1)))
    with pytest.raises(ValueError, match="finite"):
        compare("x", np.ones((HOURS, 1)), np.full((HOURS, 1), np.nan))


def _compared(name: str, other: float, p: float) -> Compared:
    return Compared(name, 90.0, other, 90.0 - other, -1.0, 1.0, p, blocks=16)


def test_p3_the_gate_asks_for_the_best_baseline_and_the_champion() -> None:
    baselines = {
        "ridge_by_hour": _compared("ridge_by_hour", 100.0, 0.01),
        "last": _compared("last", 300.0, 0.9),
    }
    assert objections(baselines, None, "MW") == []
    (only,) = objections(baselines, _compared("version 3", 91.0, 0.4), "MW")
    assert "the champion, version 3" in only and "90 against 91 MW" in only and "p 0.400" in only
    worse = {"ridge_by_hour": _compared("ridge_by_hour", 80.0, 0.99)}
    assert len(objections(worse, _compared("version 3", 91.0, 0.4), "MW")) == 2
    # A baseline that is to serve has the champion to beat alone.
    assert objections({}, None, "MW") == []
    (champion,) = objections({}, _compared("version 3", 91.0, 0.4), "MW")
    assert "the champion, version 3" in champion
