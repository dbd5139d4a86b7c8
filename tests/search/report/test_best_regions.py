"""Regions of planted searches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.space import Choice, Condition, Float, Int, Space
from search.common.records import TrialRecord
from search.report.best_regions import best_trials, regions
from tests.search.samples import record, result

SPACE = Space(
    dimensions=(
        Int(name="layers", low=1, high=3),
        Float(name="rate", low=1e-4, high=1e-1, log=True),
        Choice(name="batch", values=(32, 64)),
        Float(name="second", low=0.0, high=1.0, only_if=Condition(name="layers", values=(2, 3))),
        Int(name="patience", low=50, high=50),
    )
)


def _trials(*flats: dict[str, float | int]) -> list[TrialRecord]:
    return [record(at, result(0.01 + at * 1e-3), flat=flat) for at, flat in enumerate(flats)]


def test_the_region_of_the_best_and_the_edges_they_touch() -> None:
    best: list[dict[str, float | int]] = [
        {"layers": 1, "rate": 0.09, "batch": 32, "patience": 50},
        {"layers": 1, "rate": 0.1, "batch": 32, "patience": 50},
        {"layers": 2, "rate": 0.08, "batch": 64, "second": 0.5, "patience": 50},
        {"layers": 1, "rate": 0.002, "batch": 32, "patience": 50},
        {"layers": 1, "rate": 0.003, "batch": 32, "patience": 50},
    ]
    worse: list[dict[str, float | int]] = [
        {"layers": 3, "rate": 1e-4, "batch": 64, "second": 1.0, "patience": 50}
    ] * 30
    found = {region.name: region for region in regions(_trials(*best, *worse), SPACE)}
    assert list(found) == ["layers", "rate", "batch", "second", "patience"]
    assert (found["layers"].best_low, found["layers"].best_high) == (1, 2)
    assert found["layers"].edge == ""  # there is nothing below one layer
    assert found["rate"].edge == "high"  # three of five lie in the uppermost twentieth
    assert found["batch"].counts == (("32", 4), ("64", 1)) and found["batch"].edge == "low"
    assert (found["second"].trials, found["second"].edge) == (1, "")
    assert found["patience"].edge == ""


@pytest.mark.parametrize(("low", "edge"), [(1, ""), (16, "low")])
def test_a_lowest_number_is_an_edge_where_there_are_lower_ones(low: int, edge: str) -> None:
    space = Space(dimensions=(Int(name="units_1", low=low, high=128, log=True),))
    flats: list[dict[str, float | int]] = [{"units_1": low}] * 6
    assert [region.edge for region in regions(_trials(*flats), space)] == [edge]


def test_a_rate_of_0_is_no_edge_and_a_yes_or_no_has_none() -> None:
    space = Space(
        dimensions=(
            Float(name="dropout", low=0.0, high=0.5),
            Choice(name="use_l2", values=(True, False)),
        )
    )
    flats: list[dict[str, float | int]] = [{"dropout": 0.001, "use_l2": False}] * 6
    assert [region.edge for region in regions(_trials(*flats), space)] == ["", ""]


def test_designs_and_what_did_not_complete_do_not_count() -> None:
    drawn = _trials(*[{"layers": 1, "rate": 0.01, "batch": 32, "patience": 50}] * 5)
    others = [record(90, result(1e-6), design="main"), record(91, result(1e-6, "pruner"))]
    assert [one.number for one in best_trials([*others, *drawn])] == [0, 1, 2, 3, 4]
    assert regions(drawn[:4], SPACE) == []


@given(
    st.lists(st.floats(1e-4, 1e-1), min_size=5, max_size=5),
    st.sampled_from(["low", "high"]),
)
def test_an_edge_is_named_if_and_only_if_half_lie_there(rates: list[float], end: str) -> None:
    flats: list[dict[str, float | int]] = [
        {"layers": 2, "rate": rate, "batch": 32, "second": 0.5, "patience": 50} for rate in rates
    ]
    region = next(one for one in regions(_trials(*flats), SPACE) if one.name == "rate")
    border = 1e-4 * 1000**0.05 if end == "low" else 1e-4 * 1000**0.95
    at_end = sum(rate <= border if end == "low" else rate >= border for rate in rates)
    if at_end >= 3:
        assert region.edge == end
    if region.edge == end:
        assert at_end >= 3
    assert region.best_low == pytest.approx(min(rates))
