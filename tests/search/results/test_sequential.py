"""Verdicts of planted studies to which seeds are added until they are decided."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.comparison import LOOKS
from search.results.paired_tests import paired_difference
from search.results.sequential import (
    ERROR,
    TOTAL_ERROR,
    Evidence,
    Verdict,
    decide,
    evidence,
    next_look,
    seeds_needed,
)

CLAIMS = 10
STUDIES = 400
CONTROL = 200.0
SD = 10.0


def _decided(effects: list[float], generator: np.random.Generator) -> dict[str, Verdict]:
    """Add seeds, look by look, to the claims that are open; `effects` in standard deviations."""
    luck = generator.normal(0, 30, max(LOOKS))
    controls = CONTROL + luck + generator.normal(0, SD / math.sqrt(2), (len(effects), max(LOOKS)))
    treatments = CONTROL + luck - SD * np.array(effects)[:, None]
    treatments = treatments + generator.normal(0, SD / math.sqrt(2), treatments.shape)
    verdicts = {f"C{at}": Verdict.UNDECIDED for at in range(len(effects))}
    known: dict[str, list[Evidence]] = {}
    for seeds in LOOKS:
        for at, name in enumerate(verdicts):
            if verdicts[name] is Verdict.UNDECIDED:
                pair = list(treatments[at, :seeds]), list(controls[at, :seeds])
                known[name] = [evidence(*pair, "lower")]
        verdicts = decide(known)
    return verdicts


@pytest.mark.parametrize("planted", [0, 1, 5, 10])
def test_ten_claims_are_decided_within_20_seeds_and_seldom_wrongly(planted: int) -> None:
    """`planted` of ten have an effect of one standard deviation, the others none."""
    generator = np.random.default_rng(planted)
    right = wrong = 0
    for _ in range(STUDIES):
        found = list(_decided([1.0] * planted + [0.0] * (CLAIMS - planted), generator).values())
        right += found[:planted].count(Verdict.HOLDS)
        # The margin is 5 % of 200, one standard deviation: such an effect does matter.
        amiss = {Verdict.NOT_HERE, Verdict.NO_DIFFERENCE} & set(found[:planted])
        amiss |= {Verdict.HOLDS, Verdict.NOT_HERE} & set(found[planted:])
        wrong += bool(amiss)
    assert wrong / STUDIES <= TOTAL_ERROR
    if planted:
        assert right / (STUDIES * planted) >= 0.8


def test_a_claim_alone_is_decided_in_more_than_four_of_five_studies() -> None:
    generator = np.random.default_rng(3)
    found = [_decided([1.0], generator)["C0"] for _ in range(STUDIES)]
    assert found.count(Verdict.HOLDS) / STUDIES >= 0.9


def test_looking_after_each_seed_without_spending_would_be_wrong_more_often() -> None:
    """What the spending is for: the same data, each look at the full error."""
    generator = np.random.default_rng(4)
    spent = unspent = 0
    for _ in range(STUDIES):
        values = list(generator.normal(0, SD, max(LOOKS)))
        nothing = [0.0] * max(LOOKS)
        spent += evidence(values, nothing, "lower").foretold <= TOTAL_ERROR
        single = [paired_difference(values[:n], nothing[:n]).p_lower <= TOTAL_ERROR for n in LOOKS]
        unspent += any(single)
    assert spent / STUDIES <= TOTAL_ERROR < unspent / STUDIES


def test_a_well_measured_trifle_makes_no_difference_that_matters() -> None:
    generator = np.random.default_rng(5)
    control = CONTROL + generator.normal(0, 5, 8)
    treatment = control - 2 + generator.normal(0, 1, 8)
    found = evidence(list(treatment), list(control), "lower")
    assert decide({"C1": [found]}) == {"C1": Verdict.NO_DIFFERENCE}


def test_an_effect_the_other_way_does_not_hold() -> None:
    generator = np.random.default_rng(6)
    control = CONTROL + generator.normal(0, 5, 8)
    treatment = control + 60 + generator.normal(0, 5, 8)
    found = evidence(list(treatment), list(control), "lower")
    assert decide({"C1": [found]}) == {"C1": Verdict.NOT_HERE}
    other = evidence(list(treatment), list(control), "higher")
    assert decide({"C1": [other]}) == {"C1": Verdict.HOLDS}


SURE, OPEN = 1e-9, 1.0
FORETOLD = Evidence(SURE, OPEN, OPEN, 20)
NOTHING = Evidence(OPEN, OPEN, SURE, 20)
AGAINST = Evidence(OPEN, SURE, OPEN, 20)
UNKNOWN = Evidence(OPEN, OPEN, OPEN, 20)


@pytest.mark.parametrize(
    ("comparisons", "verdict"),
    [
        ([FORETOLD, FORETOLD], Verdict.HOLDS),
        ([FORETOLD, UNKNOWN], Verdict.UNDECIDED),
        ([FORETOLD, NOTHING], Verdict.NOT_HERE),
        ([FORETOLD, AGAINST], Verdict.NOT_HERE),
        ([NOTHING, NOTHING], Verdict.NO_DIFFERENCE),
        ([UNKNOWN], Verdict.UNDECIDED),
    ],
)
def test_a_claim_of_two_is_judged_by_both(comparisons: list[Evidence], verdict: Verdict) -> None:
    assert decide({"C1": comparisons}) == {"C1": verdict}


def test_networks_that_trained_alike_make_no_difference() -> None:
    values = [200.0, 210.0, 190.0]
    found = evidence(values, values, "lower")
    assert decide({"C0": [found]}) == {"C0": Verdict.UNDECIDED}  # three seeds may spend little
    more = values * 3
    assert decide({"C0": [evidence(more, more, "lower")]}) == {"C0": Verdict.NO_DIFFERENCE}


def test_a_negative_control_has_a_margin_too() -> None:
    control = [-250.0 + n for n in range(8)]
    treatment = [value + 0.5 * (-1) ** n for n, value in enumerate(control)]
    found = evidence(treatment, control, "higher")
    assert found.none < 1e-6 and found.foretold > 0.1


@given(
    st.lists(st.floats(1, 1e3), min_size=3, max_size=max(LOOKS)),
    st.floats(-1e2, 1e2),
    st.integers(0, 99),
)
def test_p_values_never_rise_with_more_seeds(values: list[float], shift: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    other = list(np.array(values) + shift + generator.normal(0, 1, len(values)))
    before = Evidence(1.0, 1.0, 1.0, 0)
    for seeds in range(len(values) + 1):
        now = evidence(values[:seeds], other[:seeds], "lower")
        assert now.foretold <= before.foretold
        assert now.opposite <= before.opposite
        assert now.none <= before.none
        before = now


def test_before_the_first_look_nothing_is_decided() -> None:
    found = evidence([1.0, 1.0], [100.0, 101.0], "lower")
    assert found == Evidence(1.0, 1.0, 1.0, 0)
    assert decide({"C1": [found]}) == {"C1": Verdict.UNDECIDED}


def test_the_looks_spend_the_error_and_no_more() -> None:
    assert sum(LOOKS.values()) == pytest.approx(1.0)
    assert [next_look(seeds) for seeds in (0, 3, 4, 12, 20)] == [3, 5, 5, 20, None]


@pytest.mark.parametrize(
    ("treatment", "control", "said"),
    [([1.0], [], "1 and 0"), ([math.nan] * 3, [1.0] * 3, "finite")],
)
def test_what_cannot_be_compared_is_refused(
    treatment: list[float], control: list[float], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        evidence(treatment, control, "lower")


def test_the_seeds_needed_give_the_power_they_promise() -> None:
    generator = np.random.default_rng(5)
    measured = paired_difference(
        list(CONTROL - 1.5 * SD + generator.normal(0, SD, 4000)), [CONTROL] * 4000
    )
    seeds = seeds_needed(measured, CLAIMS)
    assert seeds == max(LOOKS)
    found = 0
    for _ in range(STUDIES):
        values = list(CONTROL - 1.5 * SD + generator.normal(0, SD, seeds))
        one = paired_difference(values, [CONTROL] * seeds)
        found += one.p_lower <= LOOKS[seeds] * ERROR / CLAIMS
    assert found / STUDIES >= 0.8
    trifle = paired_difference(list(generator.normal(-0.1, 1, 50)), [0.0] * 50)
    assert seeds_needed(trifle, CLAIMS) is None
    assert seeds_needed(paired_difference([1.0], [2.0]), CLAIMS) is None
    assert seeds_needed(paired_difference([1.0, 2.0], [2.0, 3.0]), CLAIMS) == min(LOOKS)
