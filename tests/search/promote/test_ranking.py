"""Means, intervals and luck of planted re-tests."""

from typing import Any

import numpy as np
import pytest

from search.promote.candidates import Candidate
from search.promote.ranking import (
    Cell,
    hopeless,
    outclassed,
    rank,
    rank_correlation,
    winner,
)
from search.promote.text import ranking_lines
from tests.search.samples import parameters

GOOD = Candidate("good", parameters(), 90.0, reference=False)
LUCKY = Candidate("lucky", parameters((5,)), 80.0, reference=False)
REFERENCE = Candidate("main", parameters((6,)), 200.0, reference=True)
FINALISTS = ("good", "lucky")
MEANS = {"good": 92.0, "lucky": 95.0, "main": 205.0}


def _cells(
    seeds: int = 3, spread: float = 1.0, means: dict[str, float] | None = None
) -> list[Cell]:
    generator = np.random.default_rng(0)
    return [
        Cell(name, fold, repeat, mean + 10 * fold + spread * float(generator.normal()), 20 + fold)
        for name, mean in (means or MEANS).items()
        for fold in (1, 2, 3)
        for repeat in range(seeds)
    ]


def test_means_are_over_seeds_of_whole_folds_and_luck_is_on_the_last() -> None:
    ranked = rank([LUCKY, GOOD, REFERENCE], _cells(spread=0.0), 3)
    assert [one.candidate.name for one in ranked] == ["good", "lucky", "main"]
    first = ranked[0]
    assert first.mean == pytest.approx(92 + 20) and first.seeds == 3 and first.epochs == 22
    assert first.low == first.high == pytest.approx(112)
    assert first.luck == pytest.approx(90 - (92 + 30))
    assert ranked[1].luck == pytest.approx(80 - (95 + 30))
    assert rank_correlation(ranked) == pytest.approx(0.5)


def test_an_interval_holds_the_mean_and_a_single_seed_has_none() -> None:
    (one,) = rank([GOOD], _cells(), 3)
    assert one.low is not None and one.high is not None and one.low < one.mean < one.high
    (alone,) = rank([GOOD], _cells(seeds=1), 3)
    assert alone.low is None and alone.high is None


def test_a_seed_that_lacks_a_fold_does_not_count() -> None:
    cells = [one for one in _cells() if (one.candidate, one.fold, one.repeat) != ("good", 2, 1)]
    (one,) = rank([GOOD], cells, 3)
    assert one.seeds == 2
    assert rank([GOOD], [one for one in cells if one.fold != 2], 3) == []


def test_a_reference_never_wins_and_those_given_up_stand_last() -> None:
    best_reference = MEANS | {"main": 50.0}
    ranked = rank([GOOD, LUCKY, REFERENCE], _cells(means=best_reference), 3)
    assert ranked[0].candidate is REFERENCE
    chosen = winner(ranked)
    assert chosen is not None and chosen.candidate is GOOD
    early = [
        one
        for one in _cells(means=MEANS | {"good": 1.0})
        if one.candidate != "good" or not one.repeat
    ]
    assert [one.candidate.name for one in rank([GOOD, LUCKY], early, 3)] == ["lucky", "good"]
    assert winner([]) is None


def test_only_what_is_worse_beyond_doubt_is_given_up() -> None:
    alike = MEANS | {"lucky": MEANS["good"]}
    assert hopeless(_cells(seeds=1, means=alike), FINALISTS) == {"main"}
    assert hopeless(_cells(seeds=2, spread=300.0), FINALISTS) == set()
    two_folds = [one for one in _cells(seeds=1) if one.fold > 1]
    assert hopeless(two_folds, FINALISTS) == set() and hopeless([], FINALISTS) == set()


def test_equal_candidates_are_seldom_given_up() -> None:
    given_up = 0
    for seed in range(300):
        generator = np.random.default_rng(seed)
        cells = [
            Cell(name, fold, 0, 100 + float(generator.normal()), 10)
            for name in "abcdefgh"
            for fold in (1, 2, 3)
        ]
        given_up += len(hopeless(cells, set("abcdefgh")))
    # Of eight that are alike the leader is the luckiest, so this is more than the 5 % of one test.
    assert given_up / 300 / 7 < 0.05


def test_a_reference_leads_no_race() -> None:
    cells = [
        Cell(name, fold, 0, error, 10)
        for name, errors in {
            "main": (99.0, 99.0, 99.0),
            "good": (100.5, 100.4, 100.6),
            "lucky": (110.0, 95.0, 112.0),
        }.items()
        for fold, error in enumerate(errors, start=1)
    ]
    assert "good" not in hopeless(cells, FINALISTS)


def _network(error: float, seed: int, hours: int = 24 * 40) -> np.ndarray[Any, Any]:
    """Errors of a network on hours that all share, float64 (hours, 1)."""
    shared = np.random.default_rng(99).normal(size=hours)
    own = np.random.default_rng(seed).normal(size=hours)
    return (error * (0.6 * shared + 0.8 * own))[:, None]


def test_a_reference_is_outclassed_by_all_finalists_or_not_at_all() -> None:
    finalists = {"good": _network(60.0, 1), "lucky": _network(70.0, 2)}
    references = {"far": _network(200.0, 3), "near": _network(60.5, 4)}
    assert outclassed(references, finalists) == {"far"}
    assert outclassed(references, finalists | {"unlucky": _network(210.0, 5)}) == set()
    week = {name: errors[: 24 * 7] for name, errors in finalists.items()}
    assert outclassed({"far": references["far"][: 24 * 7]}, week) == {"far"}
    few = {name: errors[: 24 * 3 - 1] for name, errors in finalists.items()}
    assert outclassed({"far": references["far"][: 24 * 3 - 1]}, few) == set()
    assert outclassed(references, {}) == set() and outclassed({}, finalists) == set()


def test_a_reference_as_good_as_the_finalists_is_seldom_outclassed() -> None:
    out = 0
    for seed in range(100):
        networks = [_network(60.0, 1000 + 10 * seed + number, 240) for number in range(3)]
        out += bool(outclassed({"main": networks[0]}, {"a": networks[1], "b": networks[2]}))
    assert out / 100 <= 0.1


def test_who_left_early_makes_the_test_of_the_others_no_stricter() -> None:
    errors = {"good": (100.0, 100.0, 100.0), "lucky": (102.2, 104.0, 105.8)}  # p is 0.031
    cells = [
        Cell(name, fold, 0, error, 9)
        for name, found in errors.items()
        for fold, error in enumerate(found, start=1)
    ]
    assert hopeless(cells, FINALISTS) == {"lucky"}
    assert hopeless([*cells, Cell("main", 3, 0, 101.0, 9)], FINALISTS) == {"lucky"}
    alike = [Cell("main", fold, 0, 100.0 + fold % 2, 9) for fold in (1, 2, 3)]
    assert hopeless([*cells, *alike], FINALISTS) == set()


def test_an_outclassed_reference_is_ranked_last_by_its_last_fold() -> None:
    cells = [one for one in _cells() if one.candidate != "main"]
    last = Cell("main", 3, 0, 230.0, 7)
    *_, one = rank([GOOD, LUCKY, REFERENCE], [*cells, last], 3)
    assert one.candidate is REFERENCE and one.seeds == 0
    assert one.mean == 230.0 and one.low is None and one.luck == -30.0 and one.epochs == 7
    assert "last fold alone" in next(
        line for line in ranking_lines([one], {}, "MW") if "main (reference)" in line
    )
    # Of a finalist it would be a score of other hours than the others'.
    assert rank([GOOD], [Cell("good", 3, 0, 1.0, 7)], 3) == []


def test_the_baselines_of_the_same_folds_stand_below_the_networks() -> None:
    lines = ranking_lines(rank([GOOD], _cells(), 3), {"ridge_by_hour": 41.5}, "MW")
    assert [line.split()[:3] for line in lines if "(baseline)" in line] == [
        ["ridge_by_hour", "(baseline)", "41.5"]
    ]
    # Where no network was trained again they stand alone.
    assert len(ranking_lines([], {"ridge_by_hour": 41.5}, "MW")) == 2
