"""A study beside today's baselines: kept, judged again, or shown without any."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from data_pipeline.windows import open_test, prepare
from experiments.catalogue import CATALOGUE
from models.baselines import BASELINES
from search.common.errors import Refused
from search.engine.facts import with_floor
from search.engine.folds import rolling
from search.engine.plan import adapt, make_plan
from search.promote.candidates import Candidate
from search.promote.entrants import how_far
from search.results.baselines import judge_baselines, retest_floor, strongest
from search.tuning.kept_studies import KeptStudy
from tests.search.samples import baseline, parameters

EARLIER = {"ridge": baseline(0.03), "same_hour_last_week": baseline(0.04)}


def _study(**changes: object) -> KeptStudy:
    plan = make_plan(CATALOGUE["smoke"])
    return KeptStudy("old", "id", plan.contract | changes, EARLIER, ())


def test_baselines_of_an_earlier_version_are_judged_anew_on_the_studys_data() -> None:
    said: list[str] = []
    found = with_floor(_study(), said.append)
    assert set(found.baselines) == set(BASELINES) and said == []
    assert found.baselines == judge_baselines(make_plan(CATALOGUE["smoke"]).prepared)
    assert with_floor(found, said.append) is found


@pytest.mark.parametrize("where", ["changed", "gone"])
def test_without_its_data_a_study_stands_without_baselines_rather_than_beside_weak_ones(
    where: str, tmp_path: Path
) -> None:
    said: list[str] = []
    study = _study(data="another")
    if where == "gone":
        source = CATALOGUE["smoke"].source.model_dump(mode="json")
        source |= {"path": str(tmp_path / "gone.csv"), "start": None, "end": None, "unit": "kW"}
        study = KeptStudy("old", "id", study.contract, EARLIER, (), source=source)
    found = with_floor(study, said.append)
    assert found.baselines == {}
    (line,) = said
    assert "too weak for a comparison" in line and "study old" in line


def test_a_study_without_baselines_is_left_as_it_is() -> None:
    bare = KeptStudy("bare", "id", {}, {}, ())
    assert with_floor(bare, lambda _: None) is bare


def test_the_scores_kept_with_a_study_are_never_those_of_the_test_hours() -> None:
    plan = make_plan(CATALOGUE["smoke"])
    opened = open_test(plan.series, plan.experiment.framing)
    with pytest.raises(ValueError, match="validation windows held out, found: test"):
        judge_baselines(opened)


def test_the_retest_of_the_floor_reads_nothing_of_the_test_period() -> None:
    plan = make_plan(CATALOGUE["smoke"])
    framing = plan.experiment.framing
    folds = rolling(framing, 2)
    found = retest_floor(plan.series, folds)
    assert set(found.residuals) == set(BASELINES)
    assert list(found.means) == sorted(found.means, key=found.means.__getitem__)
    assert found.strongest == next(iter(found.means))
    # The last fold is the search's own split.
    judged = judge_baselines(plan.prepared)
    for name, residuals in found.residuals.items():
        rmse = float((residuals[-1] ** 2).mean() ** 0.5)
        assert rmse == pytest.approx(judged[name].validation["rmse"])
    closed = len(plan.prepared.history)
    noisy = dataclasses.replace(
        plan.series,
        target=np.append(plan.series.target[:closed], np.full(len(plan.series) - closed, 9e9)),
    )
    again = retest_floor(noisy, folds)
    for name, residuals in found.residuals.items():
        np.testing.assert_array_equal(
            np.concatenate(again.residuals[name]), np.concatenate(residuals)
        )


def test_a_baseline_without_history_on_a_fold_is_left_out_of_the_retest() -> None:
    plan = make_plan(adapt(CATALOGUE["smoke"], {"source.end": "2014-04-15"}))
    folds = rolling(plan.experiment.framing, 7)
    assert prepare(plan.series, folds[0]).held_out.origins.min() < 168
    found = retest_floor(plan.series, folds)
    assert set(BASELINES) - set(found.residuals) == {"same_hour_last_week"}
    assert {len(own) for own in found.residuals.values()} == {7}


@pytest.mark.parametrize(
    ("searched", "far", "said"),
    [
        (160.0, False, "the finalist is ahead"),
        (180.0, False, "the finalist is behind, and the gate may refuse it"),
        (250.0, True, "the finalist is far behind, and the gate will most likely refuse it"),
    ],
)
def test_how_far_the_best_finalist_is_behind(searched: float, far: bool, said: str) -> None:
    candidates = [
        Candidate("trial_1", parameters(), searched, reference=False),
        Candidate("main", parameters(), None, reference=True),
    ]
    assert strongest(EARLIER)[0] == "ridge"  # 173.2 MW
    found, line = how_far(candidates, EARLIER, "MW")
    assert found is far and said in line and "ridge, the strongest baseline, 173.2" in line


def test_the_data_of_a_study_that_cannot_be_read_are_named() -> None:
    from search.promote.promotion import _plan

    with pytest.raises(Refused, match="the data of study 'old' are not in"):
        _plan(_study(data="another"))
