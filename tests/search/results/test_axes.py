"""Curves with planted arms along every axis."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from data_pipeline.framing import Framing
from experiments.experiment import Design
from experiments.tradeoff import DESIGNS
from models.parameters import TrialParameters
from search.common.records import TrialRecord, TrialResult
from search.results.axes import Axis, Curve, Trial, curves, weeks_of
from search.results.axes_figure import network
from tests.search.samples import parameters, record, result

ROWS = 2184
FRAMING = Framing()
STRENGTHS = (0.0, 1e-5, 1e-4, 1e-3, 1e-2)
U = (130.0, 110.0, 100.0, 120.0, 160.0)
RISING = (80.0, 90.0, 95.0, 115.0, 150.0)
FALLING = RISING[::-1]


def _result(train: float, validation: float) -> TrialResult:
    made = result((validation / 1000) ** 2)
    return replace(made, train=made.train | {"rmse": train})


def _network(axis: Axis, at: int) -> tuple[TrialParameters, Framing | None]:
    plain = parameters((16,), 0.0).model_copy(
        update={"dropout": (0.0,), "weights": "last", "patience": 100, "epochs": 100}
    )
    if axis == "weeks":
        return plain, FRAMING.model_copy(update={"train_weeks": at + 1})
    changes: dict[str, dict[str, object]] = {
        "l2": {"l2": STRENGTHS[at]},
        "dropout": {"dropout": (0.1 * at,)},
        "units": {"units": (4 * 2**at,)},
        "epochs": {"epochs": 20 * (at + 1), "patience": 20 * (at + 1)},
    }
    return plain.model_copy(update=changes[axis]), None


def _trials(
    axis: Axis,
    train: tuple[float, ...],
    validation: tuple[float, ...],
    seeds: int = 5,
    luck_of: int = 1,
) -> list[Trial]:
    """Errors in MW at the places of an axis, the same luck for all trials of a seed."""
    generator = np.random.default_rng(luck_of)
    made: list[Trial] = []
    for seed in range(seeds):
        luck = generator.normal(0, 5)
        for at, (ours, theirs) in enumerate(zip(train, validation, strict=True)):
            network, framing = _network(axis, at)
            trained = _result(ours + generator.normal(0, 1), theirs + luck + generator.normal(0, 1))
            one = record(
                len(made),
                trained,
                design=f"{axis}_{at}",
                seed=seed,
                parameters=network,
                framing=framing,
            )
            made.append(Trial("tiny", one))
    return made


def _curve(axis: Axis, trials: list[Trial]) -> Curve:
    (found,) = [one for one in curves(trials, FRAMING, ROWS) if one.axis == axis]
    return found


@pytest.mark.parametrize("axis", ["l2", "dropout"])
def test_both_arms_of_regularisation_are_seen(axis: Axis) -> None:
    curve = _curve(axis, _trials(axis, RISING, U))
    assert (curve.lowest, curve.overfit, curve.underfit) == (2, 0, 4)


@pytest.mark.parametrize("axis", ["epochs", "units"])
def test_long_training_and_large_networks_learn_by_heart(axis: Axis) -> None:
    curve = _curve(axis, _trials(axis, FALLING, U))
    assert (curve.lowest, curve.overfit, curve.underfit) == (2, 4, 0)


def test_few_weeks_are_learned_by_heart() -> None:
    curve = _curve("weeks", _trials("weeks", RISING, FALLING))
    assert (curve.lowest, curve.overfit, curve.underfit) == (4, 0, None)
    assert [level.value for level in curve.levels] == [1, 2, 3, 4, 5]


def test_a_worse_level_that_did_not_learn_more_is_no_overfitting() -> None:
    curve = _curve("l2", _trials("l2", FALLING, U))
    assert (curve.overfit, curve.underfit) == (None, None)


def test_a_flat_curve_seldom_has_an_arm() -> None:
    """Although the lowest of five is picked before the tests."""
    flat = (100.0,) * 5
    found = [_curve("l2", _trials("l2", RISING, flat, luck_of=luck)) for luck in range(100)]
    for arm in ("overfit", "underfit"):
        assert sum(getattr(curve, arm) is not None for curve in found) <= 5 + 2 * 2.2


def test_networks_that_see_other_data_are_on_another_curve() -> None:
    """Sizes and framings do not overwrite each other."""
    few = FRAMING.model_copy(update={"train_weeks": 1})
    all_weeks = _trials("l2", RISING, U)
    one_week = [
        Trial("tiny", replace(one.record, framing=few, number=100 + one.record.number))
        for one in _trials("l2", FALLING, RISING)
    ]
    first, second = [c for c in curves(all_weeks + one_week, FRAMING, ROWS) if c.axis == "l2"]
    assert [first.weeks, second.weeks] == pytest.approx([1, 1451 / 168])
    assert second == _curve("l2", all_weeks)
    assert all(level.seeds == 5 for level in (*first.levels, *second.levels))


def test_networks_that_learn_another_target_are_on_another_curve() -> None:
    def with_change(one: TrialRecord) -> TrialRecord:
        assert one.parameters is not None
        changed = one.parameters.model_copy(update={"target": "change"})
        return replace(one, parameters=changed, number=100 + one.number)

    level = _trials("l2", RISING, U)
    change = [Trial("tiny", with_change(one.record)) for one in _trials("l2", FALLING, RISING)]
    first, second = [c for c in curves(level + change, FRAMING, ROWS) if c.axis == "l2"]
    assert [first.target, second.target] == ["change", "level"]
    assert network(first).startswith("learns the change, ")
    assert second == _curve("l2", level)


def test_a_network_trained_otherwise_is_on_no_curve_of_theirs() -> None:
    trials = _trials("l2", RISING, U)
    before = _curve("l2", trials)
    network, _ = _network("l2", 0)
    slow = network.model_copy(update={"learning_rate": 1e-5})
    stranger = record(99, result(0.5), design="slow", seed=9, parameters=slow)
    assert _curve("l2", [*trials, Trial("tiny", stranger)]) == before


def test_early_stopping_and_drawn_trials_have_no_length_of_their_own() -> None:
    trials = _trials("epochs", FALLING, U)

    def with_best(one: TrialRecord) -> TrialRecord:
        assert one.parameters is not None
        return replace(one, parameters=one.parameters.model_copy(update={"weights": "best"}))

    stopped = [Trial("tiny", with_best(one.record)) for one in trials]
    drawn = [Trial("tiny", replace(one.record, design="")) for one in trials]
    assert "epochs" not in {one.axis for one in curves(stopped, FRAMING, ROWS)}
    assert curves(drawn, FRAMING, ROWS) == []


def test_a_level_has_the_t_interval_and_the_trial_in_the_middle() -> None:
    trials = _trials("l2", RISING, U)
    level = _curve("l2", trials).levels[1]
    own = {
        one.record.number: one.record.result.held_out["rmse"]
        for one in trials
        if one.record.design == "l2_1" and one.record.result
    }
    low, high = stats.ttest_1samp(list(own.values()), 0).confidence_interval(0.95)
    assert [level.validation.low, level.validation.high] == pytest.approx([low, high])
    assert own[level.trial] == float(np.median(list(own.values())))
    assert level.bias is not None and level.bias < 0


def test_the_experiment_has_every_axis() -> None:
    def one(design: Design, number: int) -> Trial:
        made = record(number, result(0.01 + number / 1e5), design=design.name, seed=0)
        made = replace(made, parameters=design.parameters, framing=design.framing)
        return Trial("tradeoff", made)

    trials = [one(design, number) for number, design in enumerate(DESIGNS)]
    found = curves(trials, FRAMING, ROWS)
    assert [(c.axis, c.weeks and round(c.weeks), len(c.levels)) for c in found] == [
        ("l2", 9, 6),
        ("dropout", 9, 6),
        ("epochs", 9, 7),
        ("units", 9, 6),
        ("weeks", None, 4),
    ]


def test_weeks_count_training_windows() -> None:
    few = FRAMING.model_copy(update={"train_weeks": 2})
    assert weeks_of(ROWS, few) == 2
    assert weeks_of(ROWS, FRAMING) == pytest.approx(1451 / 168)
    more = FRAMING.model_copy(update={"train_weeks": 9})
    assert weeks_of(ROWS, more) == weeks_of(ROWS, FRAMING)
