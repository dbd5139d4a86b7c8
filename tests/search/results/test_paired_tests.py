"""Verdicts on planted effects, on none, and the arithmetic they rest on."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from search.results.paired_tests import (
    CONFIDENCE,
    Foretold,
    Verdict,
    holm,
    paired_difference,
    seeds_needed,
    verdicts,
)

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=12)


def _study(
    effect: float, seeds: int, generator: np.random.Generator, noise: float = 5.0
) -> Foretold:
    """A design whose error is 200 less `effect`; seeds move treatment and control together."""
    luck = generator.normal(0, 20, seeds)
    control = 200 + luck + generator.normal(0, noise, seeds)
    treatment = 200 - effect + luck + generator.normal(0, noise, seeds)
    return Foretold(paired_difference(list(treatment), list(control)), "lower")


def test_the_interval_is_that_of_the_paired_t_test() -> None:
    treatment, control = [3.0, 4.5, 2.0, 6.0], [2.0, 5.0, 2.5, 4.0]
    found = paired_difference(treatment, control)
    test = stats.ttest_rel(treatment, control)
    low, high = test.confidence_interval(CONFIDENCE)
    assert [found.low, found.high] == pytest.approx([low, high])
    one_sided = stats.ttest_rel(treatment, control, alternative="less").pvalue
    assert found.p_lower == pytest.approx(one_sided)
    assert found.p_higher == pytest.approx(1 - one_sided)


@given(values=VALUES, shift=st.floats(-1e3, 1e3), seed=st.integers(0, 99))
def test_swapping_treatment_and_control_turns_all_signs(
    values: list[float], shift: float, seed: int
) -> None:
    other = list(np.array(values) + shift + np.random.default_rng(seed).normal(0, 1, len(values)))
    one, swapped = paired_difference(values, other), paired_difference(other, values)
    assert one.mean == pytest.approx(-swapped.mean)
    assert [one.low, one.high] == pytest.approx([-swapped.high, -swapped.low])
    assert one.p_lower == pytest.approx(swapped.p_higher, abs=1e-9)


def test_a_planted_effect_is_found_in_nine_of_ten_studies() -> None:
    generator = np.random.default_rng(0)
    judged = []
    for _ in range(200):
        claims = {f"C{n}": [_study(0.0, 5, generator)] for n in range(2, 11)}
        judged.append(verdicts({"C1": [_study(60.0, 5, generator)], **claims})["C1"])
    assert judged.count(Verdict.HOLDS) >= 180
    assert Verdict.NOT_HERE not in judged


def test_without_any_effect_a_wrong_verdict_is_rarer_than_stated() -> None:
    """All ten claims without effect: one wrong "holds" or more in at most 2.5 % of studies."""
    generator = np.random.default_rng(1)
    studies = 800
    wrong = 0
    for _ in range(studies):
        claims = {f"C{n}": [_study(0.0, 5, generator)] for n in range(1, 11)}
        wrong += Verdict.HOLDS in verdicts(claims).values()
    # Three standard deviations above the stated rate.
    assert wrong / studies <= 0.025 + 3 * math.sqrt(0.025 * 0.975 / studies)


def test_an_effect_the_other_way_does_not_hold() -> None:
    generator = np.random.default_rng(2)
    assert verdicts({"C1": [_study(-60.0, 5, generator)]}) == {"C1": Verdict.NOT_HERE}


def test_a_well_measured_trifle_does_not_hold() -> None:
    generator = np.random.default_rng(3)
    found = _study(0.0, 30, generator, noise=0.5)
    assert found.negligible and verdicts({"C1": [found]}) == {"C1": Verdict.NOT_HERE}


def test_a_claim_of_two_holds_only_if_both_do() -> None:
    generator = np.random.default_rng(4)
    strong, weak = _study(60.0, 5, generator), _study(0.0, 5, generator, noise=30.0)
    assert verdicts({"C1": [strong, strong]}) == {"C1": Verdict.HOLDS}
    assert verdicts({"C1": [strong, weak]}) == {"C1": Verdict.UNDECIDED}


def test_one_seed_never_gives_a_verdict() -> None:
    found = Foretold(paired_difference([1.0], [100.0]), "lower")
    assert (found.difference.low, found.difference.high) == (-math.inf, math.inf)
    assert verdicts({"C1": [found]}) == {"C1": Verdict.UNDECIDED}
    assert seeds_needed(found.difference, 10) is None


def test_designs_that_trained_alike_differ_by_nothing() -> None:
    found = Foretold(paired_difference([2.0, 3.0], [2.0, 3.0]), "lower")
    assert verdicts({"C8": [found]}) == {"C8": Verdict.NOT_HERE}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(values: list[float]) -> None:
    names = {str(n): value for n, value in enumerate(values)}
    adjusted = holm(names)
    assert list(adjusted) == list(names)
    for one in names:
        assert names[one] <= adjusted[one] <= min(1.0, len(values) * names[one] + 1e-12)
        for other in names:
            if names[one] < names[other]:
                assert adjusted[one] <= adjusted[other]


def test_holm_by_hand() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06}
    )


def test_the_seeds_needed_give_the_power_they_promise() -> None:
    generator = np.random.default_rng(5)
    noise = 5.0
    difference = paired_difference(
        list(200 - 8.0 + generator.normal(0, noise, 4000)),
        list(200 + generator.normal(0, noise, 4000)),
    )
    seeds = seeds_needed(difference, 10)
    assert seeds is not None and 8 < seeds < 40
    found = 0
    for _ in range(300):
        one = paired_difference(
            list(192 + generator.normal(0, noise, seeds)),
            list(200 + generator.normal(0, noise, seeds)),
        )
        found += one.p_lower <= 0.025 / 10
    assert found / 300 == pytest.approx(0.8, abs=0.08)


@pytest.mark.parametrize(
    ("treatment", "control", "said"),
    [([1.0], [], "1 and 0"), ([], [], "0 and 0"), ([math.nan], [1.0], "finite")],
)
def test_what_cannot_be_compared_is_refused(
    treatment: list[float], control: list[float], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        paired_difference(treatment, control)
