"""Claims judged by planted trials."""

import dataclasses

import numpy as np
import pytest
from pydantic import ValidationError

from experiments.claims import CLAIMS, DESIGNS
from experiments.comparison import Claim, Comparison
from models.metrics import METRICS
from search.common.records import State, TrialRecord
from search.results.claims import judge
from search.results.sequential import Verdict
from tests.search.samples import record, result

STRONG = Claim(id="C1", says="a beats b", comparisons=(Comparison(treatment="a", control="b"),))
OTHER = Claim(id="C2", says="c beats b", comparisons=(Comparison(treatment="c", control="b"),))


def _trials(errors: dict[str, float], seeds: int, noise: float = 0.02) -> list[TrialRecord]:
    generator = np.random.default_rng(0)
    made: list[TrialRecord] = []
    for seed in range(seeds):
        luck = generator.normal(0, 0.1)
        for design, error in errors.items():
            scaled = error * float(np.exp(luck + generator.normal(0, noise)))
            made.append(record(len(made), result(scaled), design=design, seed=seed))
    return made


def test_a_planted_difference_holds_and_its_effect_is_in_the_unit() -> None:
    first, second = judge([STRONG, OTHER], _trials({"a": 0.01, "b": 0.02, "c": 0.02}, 5))
    assert first.verdict is Verdict.HOLDS
    assert second.verdict is not Verdict.HOLDS
    (compared,) = first.compared
    assert compared.difference is not None
    # sqrt(0.01) and sqrt(0.02) of a range of 1,000 MW.
    assert compared.difference.mean == pytest.approx(100 - 141.4, abs=8)
    assert compared.difference.pairs == 5 and compared.seeds_needed is not None


def test_a_claim_is_judged_at_its_own_looks() -> None:
    late = STRONG.model_copy(update={"looks": {6: 1.0}})
    for seeds, verdict, looked in ((5, Verdict.UNDECIDED, 0), (6, Verdict.HOLDS, 6)):
        (judged,) = judge([late], _trials({"a": 0.01, "b": 0.02}, seeds))
        assert (judged.verdict, judged.looked) == (verdict, looked)


@pytest.mark.parametrize("looks", [{}, {1: 1.0}, {5: 0.5, 3: 0.5}, {3: 0.6, 5: 0.6}, {3: 0.0}])
def test_looks_that_spend_too_much_or_come_too_soon_are_refused(looks: dict[int, float]) -> None:
    with pytest.raises(ValidationError, match=r"judged at|spend|at least 1"):
        Claim(id="C1", says="a beats b", comparisons=STRONG.comparisons, looks=looks)


def test_the_other_way_it_does_not_hold() -> None:
    (judged,) = judge([STRONG], _trials({"a": 0.02, "b": 0.01}, 5))
    assert judged.verdict is Verdict.NOT_HERE


def test_only_seeds_that_both_have_are_compared() -> None:
    trials = _trials({"a": 0.01, "b": 0.02}, 5)
    lost = [
        dataclasses.replace(one, state=State.FAILED, result=None)
        if one.design == "a" and one.seed in (1, 3)
        else one
        for one in trials
    ]
    ((compared,),) = [one.compared for one in judge([STRONG], lost)]
    assert compared.difference is not None and compared.difference.pairs == 3


@pytest.mark.parametrize("seeds", [0, 1])
def test_without_two_common_seeds_it_is_undecided(seeds: int) -> None:
    (judged,) = judge([STRONG], _trials({"a": 0.01, "b": 0.02}, seeds))
    assert judged.verdict is Verdict.UNDECIDED


def test_gap_and_seconds_are_compared_too() -> None:
    claim = Claim(
        id="C9",
        says="a costs more",
        comparisons=(
            Comparison(treatment="a", control="b", metric="seconds", expected="higher"),
            Comparison(treatment="a", control="b", metric="gap", expected="higher"),
        ),
    )
    trials = []
    for one in _trials({"a": 0.01, "b": 0.02}, 4):
        assert one.result is not None
        longer = dataclasses.replace(one.result, seconds=5.0 + one.seed + (one.design == "a"))
        trials.append(dataclasses.replace(one, result=longer))
    (judged,) = judge([claim], trials)
    seconds, gap = judged.compared
    assert seconds.difference is not None and seconds.difference.mean == pytest.approx(1.0)
    assert gap.difference is not None and gap.difference.mean == pytest.approx(0.0)
    assert judged.verdict is Verdict.NOT_HERE


def test_the_declared_claims_compare_declared_designs_by_known_metrics() -> None:
    designs = {design.name for design in DESIGNS}
    known = {metric.name for metric in METRICS} | {"gap", "seconds"}
    assert [claim.id for claim in CLAIMS] == [f"C{n}" for n in range(1, 11)]
    used = set()
    for claim in CLAIMS:
        for one in claim.comparisons:
            used |= {one.treatment, one.control}
            assert one.metric in known
    assert used == designs


def test_each_claim_changes_one_factor_at_a_time() -> None:
    """All but C1 and C2, which compare main2 with main as the notes do."""
    parameters = {design.name: design.parameters.model_dump() for design in DESIGNS}
    for claim in CLAIMS[2:]:
        for one in claim.comparisons:
            treatment, control = parameters[one.treatment], parameters[one.control]
            changed = {name for name in treatment if treatment[name] != control[name]}
            if len(treatment["units"]) != len(control["units"]):
                changed -= {"dropout"}  # one rate a layer
            if claim.id == "C10":
                changed -= {"dropout"}  # the kind of dropout is the factor
            assert len(changed) == 1, (claim.id, changed)
