"""Curves with planted arms."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from models.parameters import TrialParameters
from search.common.records import TrialRecord
from search.report.tradeoff import curves
from tests.search.samples import parameters, record, result

STRENGTHS = (0.0, 1e-5, 1e-4, 1e-3, 1e-2)


def _network(units: tuple[int, ...], l2: float, rate: float = 0.0) -> TrialParameters:
    plain = parameters(units, l2)
    return plain.model_copy(update={"dropout": (rate,) * len(units)})


def _trials(
    error: Callable[[int], float],
    units: tuple[int, ...] = (16,),
    seeds: int = 4,
    luck_of: int = 1,
) -> list[TrialRecord]:
    """`error` gives the RMSE in MW at the position of a strength."""
    generator = np.random.default_rng(luck_of)
    made: list[TrialRecord] = []
    for seed in range(seeds):
        luck = generator.normal(0, 5)
        for at, l2 in enumerate(STRENGTHS):
            rmse = error(at) + luck + generator.normal(0, 1)
            made.append(
                record(
                    len(made),
                    result((rmse / 1000) ** 2),
                    design=f"l2_{l2}",
                    seed=seed,
                    parameters=_network(units, l2),
                )
            )
    return made


@pytest.mark.parametrize(
    ("error", "lowest", "arms"),
    [
        (lambda at: 100 + 10 * (at - 2) ** 2, 2, (True, True)),
        (lambda at: 100 + 10 * at, 0, (False, True)),
        (lambda at: 140 - 10 * at, 4, (True, False)),
    ],
)
def test_arms_are_seen_where_they_are(
    error: Callable[[int], float], lowest: int, arms: tuple[bool, bool]
) -> None:
    (curve,) = curves(_trials(error))
    assert (curve.units, curve.kind, curve.lowest) == ((16,), "l2", lowest)
    assert (curve.left, curve.right) == arms
    assert [level.strength for level in curve.levels] == list(STRENGTHS)
    assert [level.seeds for level in curve.levels] == [4] * 5
    best = curve.levels[lowest]
    assert best.validation.low < best.validation.mean < best.validation.high
    assert best.train.mean == pytest.approx(0.9 * best.validation.mean)


def test_an_arm_whose_last_level_is_erratic_is_seen_by_the_levels_before_it() -> None:
    wild = iter([120.0, 900.0, 160.0, 130.0])
    (curve,) = curves(_trials(lambda at: next(wild) if at == 4 else 100 + 10 * at))
    assert curve.lowest == 0 and curve.right and not curve.left


def test_a_flat_curve_seldom_has_both_arms() -> None:
    """The lowest of five is picked before the tests, so their rate is above 5 %, but bounded."""
    studies = 200
    found = [curves(_trials(lambda _: 100.0, luck_of=luck))[0] for luck in range(studies)]
    assert sum(curve.left and curve.right for curve in found) / studies < 0.2


def test_the_band_is_the_t_interval() -> None:
    trials = _trials(lambda _: 100.0, seeds=5)
    level = curves(trials)[0].levels[1]
    values = [t.result.held_out["rmse"] for t in trials if t.result and t.design == "l2_1e-05"]
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert [level.validation.low, level.validation.high] == pytest.approx([low, high])


def test_the_point_without_penalty_is_on_both_curves_and_one_with_both_on_none() -> None:
    points = [(l2, 0.0) for l2 in STRENGTHS] + [(0.0, rate) for rate in (0.1, 0.3)] + [(1e-3, 0.1)]
    trials = [
        record(at, result(0.01), design=f"d{at}", seed=0, parameters=_network((8, 4), l2, rate))
        for at, (l2, rate) in enumerate(points)
    ]
    first, second = curves(trials)
    assert (first.kind, second.kind) == ("l2", "dropout")
    assert [level.strength for level in first.levels] == list(STRENGTHS)
    assert [level.strength for level in second.levels] == [0.0, 0.1, 0.3]
    assert not (first.left or first.right)


def test_capacities_come_small_first_and_sampled_trials_are_left_out() -> None:
    trials = _trials(lambda _: 100.0, (64, 32)) + _trials(lambda _: 100.0, (16,))
    assert [curve.units for curve in curves(trials)] == [(16,), (64, 32)]
    assert curves([record(0, result(0.01))]) == []


def test_a_network_trained_otherwise_is_on_no_curve_of_theirs() -> None:
    trials = _trials(lambda at: 100 + 10 * at)
    (before,) = curves(trials)
    slow = _network((16,), STRENGTHS[0]).model_copy(update={"learning_rate": 1e-5})
    stranger = record(99, result(0.5), design="slow", seed=9, parameters=slow)
    assert curves([*trials, stranger]) == [before]
