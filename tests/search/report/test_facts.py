"""The facts of small planted studies."""

import json
from pathlib import Path

import pytest

from search.common.records import TrialRecord
from search.report.facts import facts, in_a_week
from search.report.values import plain
from search.tuning.importance import FEWEST_TRIALS
from search.tuning.kept_studies import KeptStudy
from tests.search.samples import baseline, experiment, parameters, record, result
from tests.search.studies import complete, open_study

GOLDEN = Path(__file__).with_name("golden_facts.json")
CONTRACT = {
    "experiment": "claims",
    "data": "abc",
    "columns": ["Temperature", "Usage"],
    "unit": "MW",
    "framing": {"window": 168},
    "seed": 0,
    "epochs": 50,
    "space": {d.name: d.model_dump(mode="json") for d in experiment().space.dimensions},
}
BASELINES = {"ridge_by_hour": baseline(0.005), "same_hour_last_week": baseline(0.09)}


def _study(name: str, records: list[TrialRecord], **changes: object) -> KeptStudy:
    return KeptStudy(name, "id", CONTRACT | changes, BASELINES, tuple(records))


def in_six_digits(value: object) -> object:
    """As JSON holds it, rounded: the last digits of a float differ between machines."""
    return json.loads(
        json.dumps(
            json.loads(json.dumps(value), parse_float=lambda text: float(f"{float(text):.6g}"))
        )
    )


def _designs(**errors: float) -> list[TrialRecord]:
    return [
        record(10 * seed + at, result(error * (1 + 0.02 * seed)), design=design, seed=seed)
        for seed in range(3)
        for at, (design, error) in enumerate(errors.items())
    ]


def test_designs_are_means_over_seeds_best_first_with_their_regimes() -> None:
    found = facts([_study("claims", _designs(main=0.01, main2=0.04))])
    first, second = found.designs
    assert (first.name, first.seeds, second.name) == ("main", 3, "main2")
    expected = [1000 * (0.01 * (1 + 0.02 * seed)) ** 0.5 for seed in range(3)]
    assert first.val["rmse"] == pytest.approx(sum(expected) / 3)
    assert first.skill == pytest.approx(1 - first.val["rmse"] / 1000 / 0.005**0.5)
    assert first.regimes == {"underfit": 0, "balanced": 3, "overfit": 0}
    assert second.regimes == {"underfit": 3, "balanced": 0, "overfit": 0}
    assert found.regimes == {"balanced": 3, "underfit": 3}
    assert [row.name for row in found.baselines] == ["ridge_by_hour", "same_hour_last_week"]


def test_all_claims_are_there_and_only_what_was_tried_has_a_verdict() -> None:
    found = facts([_study("claims", _designs(main2=0.04, main2_128_64=0.01))])
    verdicts = {claim.id: claim.verdict for claim in found.claims}
    assert list(verdicts) == [f"C{n}" for n in range(11)]
    assert verdicts.pop("C5") == "holds"
    assert set(verdicts.values()) == {None}
    (comparison,) = next(c for c in found.claims if c.id == "C5").comparisons
    assert comparison.in_unit
    assert comparison.difference is not None and comparison.difference.mean < -90


def test_open_claims_are_judged_by_fresh_seeds_where_they_were_tried_again() -> None:
    def trials(first: int, seeds: int, **errors: float) -> list[TrialRecord]:
        return [
            record(
                10 * seed + at, result(error * (1 + 0.02 * (seed % 5))), design=design, seed=seed
            )
            for seed in range(first, first + seeds)
            for at, (design, error) in enumerate(errors.items())
        ]

    told = trials(0, 3, main2=0.04, main2_3_layers=0.01)
    told += trials(0, 2, main2_128_64=0.01)
    again = trials(100, 40, main2=0.04, main2_128_64=0.01)
    both = [_study("claims", told), _study("again", again, experiment="open_claims")]
    for studies, verdict, looked in ((both[:1], "undecided", 0), (both, "holds", 40)):
        claims = {claim.id: claim for claim in facts(studies).claims}
        assert (claims["C5"].verdict, claims["C5"].looked) == (verdict, looked)
        assert claims["C5"].fresh == (looked == 40)
        # One that is decided stays as it is, by its own seeds.
        assert (claims["C6"].verdict, claims["C6"].looked) == ("holds", 3)
        assert not claims["C6"].fresh


def test_the_notes_networks_of_a_search_are_paired_with_no_other_studys() -> None:
    told = _study("claims", _designs(main2=0.04, main2_128_64=0.01))
    searched = _study("power_usage", _designs(main2=0.0001), experiment="power_usage")
    for studies in ([told, searched], [searched, told]):
        (c5,) = (claim for claim in facts(studies).claims if claim.id == "C5")
        assert c5.verdict == "holds"


def test_a_claim_left_open_by_fresh_seeds_is_judged_by_those_of_the_next_experiment() -> None:
    def trials(seeds: int, second: float) -> list[TrialRecord]:
        pairs = ((0.04, 0.04), (0.02, 0.04), (0.04, second))
        return [
            record(2 * seed + at, result(pairs[seed % 3][at]), design=design, seed=seed)
            for seed in range(seeds)
            for at, design in enumerate(("main2", "main2_dropout_0.1"))
        ]

    told = _study("claims", trials(20, 0.02))
    first = _study("again", trials(40, 0.02), experiment="open_claims")
    second = _study("last", trials(60, 0.01), experiment="open_claim_c4")
    shorter = _study("last", trials(59, 0.01), experiment="open_claim_c4")
    for studies, looked in (
        ([told], 20),
        ([told, first], 40),
        ([told, first, shorter], 40),
        ([told, first, second], 60),
        ([told, second], 60),
    ):
        (c4,) = (claim for claim in facts(studies).claims if claim.id == "C4")
        assert (c4.looked, c4.fresh) == (looked, looked > 20)
        assert looked == 60 or c4.verdict == "undecided"


def test_studies_stand_beside_each_other_and_the_best_is_of_all() -> None:
    searched = [record(0, result(0.002)), record(1, result(0.003, "pruner"))]
    one = _study("claims", _designs(main=0.01))
    found = facts([one, _study("power_usage", searched, experiment="power_usage")])
    assert [study.name for study in found.studies] == ["claims", "power_usage"]
    assert found.best is not None
    assert (found.best.study, found.best.trial) == ("power_usage", 0)
    assert len(found.trials) == 4  # what was pruned is not judged
    assert found.studies[1].attempts == {"complete": 1, "pruned": 1}


def test_the_typical_trial_is_in_the_middle_of_its_regime() -> None:
    errors = {f"d{at}": error for at, error in enumerate((0.001, 0.05, 0.06, 0.09, 0.0011))}
    found = facts([_study("claims", _designs(**errors)[:5])]).typical
    assert [(row.regime, row.design) for row in found] == [
        ("underfit", "d2"),
        ("balanced", "d4"),
    ]
    assert found[0].val_mse == result(0.06).history["val_mse"]


def test_a_searched_study_has_regions_and_a_designed_one_none() -> None:
    searched = [record(at, result(0.002 + at * 1e-4)) for at in range(6)]
    one = _study("claims", _designs(main=0.01))
    found = facts([one, _study("power_usage", searched, experiment="power_usage")]).found
    assert [study.study for study in found] == ["power_usage"]
    names = [region.name for region in found[0].regions]
    assert names[:2] == ["layers", "units_1"] and "units_2" not in names


def test_the_importances_are_those_of_the_figure_in_mlflow(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    complete(study, FEWEST_TRIALS)
    (found,) = facts([_study("tiny", list(study.records.values()))]).found
    assert found.importances == study.importances() != ()


def test_a_design_of_two_studies_is_that_with_more_seeds() -> None:
    few = [record(0, result(0.02), design="main", seed=9)]
    found = facts([_study("power_usage", few), _study("documents", _designs(main=0.01))])
    (row,) = found.designs
    assert (row.study, row.seeds) == ("documents", 3)


def test_curves_need_designs_that_vary_one_thing() -> None:
    trials = [
        record(
            at,
            result(0.01),
            design=f"d{at}",
            seed=0,
            parameters=parameters((8,), l2).model_copy(update={"dropout": (0.0,)}),
        )
        for at, l2 in enumerate((0.0, 1e-4, 1e-3))
    ]
    (curve,) = facts([_study("tradeoff", trials)]).tradeoff
    assert [level.value for level in curve.levels] == [0.0, 1e-4, 1e-3]


def test_the_facts_are_json_whatever_is_missing() -> None:
    empty = facts([KeptStudy("empty", "id", CONTRACT, {}, ())])
    assert empty.best is None and empty.designs == ()
    full = facts([_study("claims", _designs(main=0.01, main2=0.04))])
    for found in (empty, full, facts([_study("one", [record(0, result(0.01), design="main")])])):
        assert json.loads(json.dumps(plain(found), allow_nan=False))["unit"] == "MW"


def test_studies_of_other_data_are_refused_by_what_differs() -> None:
    one = _study("a", _designs(main=0.01))
    with pytest.raises(ValueError, match=r"'a' and 'b' cannot share.* unit differ: MW and kW"):
        facts([one, _study("b", [], unit="kW")])
    with pytest.raises(ValueError, match="at least one study"):
        facts([])


def test_the_week_shows_the_documented_designs_in_the_middle_and_the_best() -> None:
    documents = _study("documents", _designs(main=0.01, main3=0.008, other=0.5))
    searched = _study("power_usage", [record(4, result(0.002))], experiment="power_usage")
    shown = in_a_week(facts([documents, searched]))
    assert [(row.study, row.trial) for row in shown] == [
        ("documents", 10),
        ("documents", 11),
        ("power_usage", 4),
    ]
    best_designed = in_a_week(facts([documents]))
    assert [row.design for row in best_designed] == ["main", "main3", "main3"]
    assert [row.trial for row in best_designed] == [10, 11, 1]


def test_slips_are_judged_beside_the_ten_claims_not_among_them() -> None:
    planted = {"main": 0.01, "scaler_on_all_rows": 0.005, "cycles_23_and_6": 0.006}
    alone = _study("slips", _designs(**planted, both_slips=0.004))
    (slips, *ten) = facts([alone]).claims
    assert slips.id == "C0" and slips.verdict == "holds"
    measured = [one.difference for one in slips.comparisons]
    assert [one.pairs for one in measured if one is not None] == [3, 3, 3]
    assert {claim.verdict for claim in ten} == {None}


def test_the_facts_of_a_small_fixed_study_are_those_that_were_read_and_found_right() -> None:
    study = _study("claims", _designs(main=0.01, main2=0.04, main2_128_64=0.02))
    assert in_six_digits(plain(facts([study]))) == json.loads(GOLDEN.read_text(encoding="utf-8"))
