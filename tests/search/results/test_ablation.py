"""Ways through made-up responses."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from search.results.ablation import (
    Changed,
    NoResult,
    Run,
    ablate,
    losers,
    most_runs,
    path_of,
)

EFFECTS = {"rate": -100.0, "dropout": -20.0, "batch": 5.0, "l2": -3.0}
CHOOSING, MEASURING = (0, 1, 2), (3, 4, 5)


class Trainings:
    """Answers with `error(changed)` plus noise of its own for each run, and remembers the runs."""

    def __init__(self, error: Callable[[Changed], float], noise: float = 1.0) -> None:
        self.error, self.noise = error, noise
        self.runs: list[Run] = []

    def __call__(self, runs: Sequence[Run]) -> list[float]:
        self.runs += runs
        return [self._one(changed, seed) for changed, seed in runs]

    def _one(self, changed: Changed, seed: int) -> float:
        luck = np.random.default_rng(seed).normal(0, 10)
        own = np.random.default_rng([seed, *sorted(map(hash_of, changed))]).normal(0, self.noise)
        return self.error(changed) + luck + own


def hash_of(name: str) -> int:
    return int.from_bytes(name.encode(), "big") % 2**31


def additive(changed: Changed) -> float:
    return 240.0 + sum(EFFECTS[name] for name in changed)


def test_the_way_takes_what_helps_most_first() -> None:
    found = ablate(list(EFFECTS), Trainings(additive), CHOOSING, MEASURING)
    assert [step.setting for step in found.steps] == ["rate", "dropout", "l2", "batch"]
    for step in found.steps:
        assert step.difference.mean == pytest.approx(EFFECTS[step.setting], abs=3)
        assert step.difference.low < step.difference.mean < step.difference.high
        assert step.difference.pairs == 3
    assert found.path == path_of(["rate", "dropout", "l2", "batch"])


def test_the_steps_add_up_to_the_whole() -> None:
    found = ablate(list(EFFECTS), Trainings(additive, noise=15.0), CHOOSING, MEASURING)
    total = sum(step.difference.mean for step in found.steps)
    assert total == pytest.approx(found.goal - found.start, abs=1e-9)


def test_back_from_the_goal_each_change_has_its_worth_there() -> None:
    """A change that helps only where another was not made is worth nothing at the goal."""

    def error(changed: Changed) -> float:
        return 240.0 - (100.0 if changed & {"rate", "epochs"} else 0.0) + len(changed)

    found = ablate(["rate", "epochs"], Trainings(error, 0.5), CHOOSING, MEASURING)
    assert found.steps[0].difference.mean == pytest.approx(-99, abs=3)
    for name in ("rate", "epochs"):
        assert found.back[name].mean == pytest.approx(-1, abs=3)


def test_the_seeds_that_choose_do_not_measure() -> None:
    trainings = Trainings(additive)
    found = ablate(list(EFFECTS), trainings, CHOOSING, MEASURING)
    assert found.seeds == MEASURING
    asked = {changed for changed, seed in trainings.runs if seed in MEASURING}
    assert asked == {*found.path, *(found.path[-1] - {name} for name in EFFECTS)}
    assert len(set(trainings.runs)) == len(trainings.runs)


def test_without_any_effect_the_steps_measured_are_not_biased() -> None:
    """What the races chose by luck does not shine when it is measured."""
    first = []
    for study in range(150):
        generator = np.random.default_rng(study)
        known: dict[Run, float] = {}

        def evaluate(
            runs: Sequence[Run],
            known: dict[Run, float] = known,
            generator: np.random.Generator = generator,
        ) -> list[float]:
            return [known.setdefault(run, float(generator.normal(200, 10))) for run in runs]

        first.append(ablate(list("abcdefgh"), evaluate, (0,), (1, 2)).steps[0].difference.mean)
    # The lowest of eight would lie 1.4 standard deviations, 14, below their mean.
    assert abs(np.mean(first)) < 3 * 10 / math.sqrt(150)


def test_clear_losers_leave_after_two_seeds() -> None:
    trainings = Trainings(additive)
    ablate(list(EFFECTS), trainings, CHOOSING, MEASURING)
    races = [run for run in trainings.runs if run[1] in CHOOSING and len(run[0]) == 1]
    assert sum(1 for _, seed in races if seed == 0) == 4
    assert sum(1 for _, seed in races if seed == 2) == 0
    fewest, most = most_runs(4, len(CHOOSING), len(MEASURING))
    assert fewest <= len(trainings.runs) <= most


def test_a_leading_candidate_seldom_leaves() -> None:
    generator = np.random.default_rng(0)
    left = 0
    for _ in range(500):
        luck = generator.normal(0, 0.1, 2)
        errors = {f"c{n}": list(np.exp(5 + luck + generator.normal(0, 0.05, 2))) for n in range(6)}
        left += "c0" in losers(errors)
    # c0 is as good as the others, and one of five that may leave at 5 % in all, were the leader
    # not the luckiest of six.
    assert left / 500 < 0.08


def test_a_training_that_fails_loses_its_race() -> None:
    def error(changed: Changed) -> float:
        return math.inf if changed == {"rate"} else additive(changed)

    found = ablate(list(EFFECTS), Trainings(error), CHOOSING, MEASURING)
    assert [step.setting for step in found.steps][:2] == ["dropout", "rate"]


def test_a_way_that_cannot_be_measured_says_what_failed() -> None:
    def error(changed: Changed) -> float:
        return math.inf if changed == frozenset(EFFECTS) else additive(changed)

    with pytest.raises(NoResult, match="found 0; trainings failed with batch, dropout, l2, rate"):
        ablate(list(EFFECTS), Trainings(error), CHOOSING, MEASURING)
    with pytest.raises(NoResult, match="after nothing: every training failed"):
        ablate(list(EFFECTS), Trainings(lambda _: math.inf), CHOOSING, MEASURING)


def test_called_again_it_goes_the_same_way() -> None:
    first, second = Trainings(additive, 30.0), Trainings(additive, 30.0)
    assert ablate(list(EFFECTS), first, CHOOSING, MEASURING) == ablate(
        list(EFFECTS), second, CHOOSING, MEASURING
    )
    assert first.runs == second.runs


@pytest.mark.parametrize(
    ("settings", "choosing", "measuring", "said"),
    [
        ([], (0,), (1, 2), "needs a setting"),
        (["a"], (0,), (1,), "two that measure"),
        (["a"], (0, 1), (1, 2), r"seeds \[1\]"),
    ],
)
def test_what_cannot_be_ablated_is_refused(
    settings: list[str], choosing: Sequence[int], measuring: Sequence[int], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        ablate(settings, Trainings(additive), choosing, measuring)
