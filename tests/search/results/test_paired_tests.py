"""Differences, their intervals and p values."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from search.results.paired_tests import CONFIDENCE, holm, paired_difference

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=12)


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


@pytest.mark.parametrize(
    ("treatment", "control", "said"),
    [([1.0], [], "1 and 0"), ([], [], "0 and 0"), ([math.nan], [1.0], "finite")],
)
def test_what_cannot_be_compared_is_refused(
    treatment: list[float], control: list[float], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        paired_difference(treatment, control)


def test_a_single_pair_has_no_interval() -> None:
    found = paired_difference([1.0], [100.0])
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert (found.p_lower, found.p_higher) == (1.0, 1.0)
