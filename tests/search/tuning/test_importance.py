"""Importances of planted effects."""

import numpy as np
import pytest

from experiments.space import Choice, Condition, Float, Int, Space, Value
from search.common.records import TrialRecord
from search.tuning import importance
from search.tuning.importance import FEWEST_TRIALS, importances
from tests.search.samples import record, result

SPACE = Space(
    dimensions=(
        Float(name="rate", low=1e-4, high=1e-1, log=True),
        Float(name="dropout", low=0.0, high=0.5),
        Choice(name="batch", values=(32, 64)),
        Int(name="patience", low=50, high=50),
    )
)


def _trials(count: int, of_rate: float, of_dropout: float) -> list[TrialRecord]:
    generator = np.random.default_rng(0)
    made = []
    for at in range(count):
        flat = {
            "rate": float(10 ** generator.uniform(-4, -1)),
            "dropout": float(generator.uniform(0, 0.5)),
            "batch": int(generator.choice([32, 64])),
            "patience": 50,
        }
        level = of_rate * np.log10(flat["rate"]) + of_dropout * flat["dropout"]
        error = 0.01 * float(np.exp(level + generator.normal(0, 0.1)))
        made.append(record(at, result(error), flat=flat))
    return made


@pytest.mark.parametrize("seed", range(4))
def test_what_decides_comes_first_and_its_interval_lies_above_the_others(seed: int) -> None:
    found = importances(_trials(60, of_rate=1.0, of_dropout=0.0), SPACE, seed, resamples=20)
    assert found[0].name == "rate"
    assert {one.name for one in found} == {"rate", "dropout", "batch"}
    assert found[0].low > max(one.high for one in found[1:])
    assert sum(one.mean for one in found) < 1.0 + 1e-9
    assert all(0 <= one.low <= one.mean <= one.high <= 1 for one in found)


def test_two_equal_effects_share_it() -> None:
    found = {one.name: one for one in importances(_trials(80, 0.5, 3.0), SPACE, resamples=20)}
    assert found["rate"].mean > 0.25 and found["dropout"].mean > 0.25
    assert found["batch"].high < 0.2


def test_the_same_seed_gives_the_same_and_few_trials_none() -> None:
    trials = _trials(FEWEST_TRIALS, 1.0, 0.0)
    assert importances(trials, SPACE, 3, 4) == importances(trials, SPACE, 3, 4)
    assert importances(trials[:-1], SPACE) == []


def test_a_conditional_parameter_counts_and_a_point_outside_the_space_does_not() -> None:
    generator = np.random.default_rng(0)
    space = Space(
        dimensions=(
            Choice(name="use_l2", values=(True, False)),
            Float(
                name="l2",
                low=1e-6,
                high=1e-2,
                log=True,
                only_if=Condition(name="use_l2", values=(True,)),
            ),
            Float(name="rate", low=1e-4, high=1e-1, log=True),
        )
    )
    trials = []
    for at in range(80):
        flat: dict[str, Value] = {
            "use_l2": at % 4 != 0,
            "rate": float(10 ** generator.uniform(-4, -1)),
        }
        place = generator.uniform(-6, -2)
        if flat["use_l2"]:
            flat["l2"] = float(10**place)
        trials.append(record(at, result(0.01 * float(np.exp(place))), flat=flat))
    found = importances(trials, space, resamples=20)
    assert {one.name for one in found} == {"use_l2", "l2", "rate"}
    assert found[0].name == "l2"
    outside = record(80, result(1e-9), flat={"use_l2": False, "rate": 5.0})
    assert importances([*trials, outside], space, resamples=20) == found


def test_of_a_long_study_a_part_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importance, "MOST_TRIALS", 60)
    found = importances(_trials(300, of_rate=1.0, of_dropout=0.0), SPACE, resamples=20)
    assert found[0].name == "rate" and found[0].low > max(one.high for one in found[1:])


def test_trials_that_are_all_alike_have_no_importances() -> None:
    alike = [record(one.number, result(0.01), flat=one.flat) for one in _trials(20, 1.0, 0.0)]
    assert importances(alike, SPACE) == []
