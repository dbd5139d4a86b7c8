"""Which candidate is trained when, and on which fold."""

import pytest

from data_pipeline.framing import Framing
from search.engine.folds import rolling
from search.engine.plan import Plan, make_plan
from search.promote.candidates import Candidate, cell
from search.promote.schedule import Round, Schedule
from tests.search.samples import experiment, parameters

FINALIST = Candidate("good", parameters((4,)), 60.0, reference=False)
REFERENCE = Candidate("known", parameters((5,)), 70.0, reference=True)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(experiment())


def _schedule(plan: Plan, candidates: tuple[Candidate, ...], folds: int, seeds: int) -> Schedule:
    return Schedule(plan, "s", candidates, rolling(Framing(), folds), seeds)


def test_with_references_the_last_fold_of_the_first_seed_comes_first(plan: Plan) -> None:
    rounds = _schedule(plan, (FINALIST, REFERENCE), folds=3, seeds=2).rounds
    assert rounds == [Round(0, range(3, 4)), Round(0, range(1, 3)), Round(1, range(1, 4))]


@pytest.mark.parametrize(
    ("candidates", "folds"), [((FINALIST,), 3), ((FINALIST, REFERENCE), 1)], ids=str
)
def test_else_each_seed_is_one_round(
    plan: Plan, candidates: tuple[Candidate, ...], folds: int
) -> None:
    rounds = _schedule(plan, candidates, folds, seeds=2).rounds
    assert rounds == [Round(seed, range(1, folds + 1)) for seed in (0, 1)]


def test_the_rounds_train_every_cell_once_and_none_of_those_who_are_out(plan: Plan) -> None:
    schedule = _schedule(plan, (FINALIST, REFERENCE), folds=3, seeds=1)
    trained = [design for now in schedule.rounds for design in schedule.cells_of(now, set())]
    assert sorted(trained) == sorted(schedule.place) and len(trained) == 6
    (first, second) = schedule.rounds
    assert schedule.cells_of(second, {"known"}) == {cell("good", 1), cell("good", 2)}
    assert schedule.is_up_to(first, 3, 0) and not schedule.is_up_to(first, 1, 0)
    assert schedule.is_up_to(second, 3, 0) and not schedule.is_up_to(second, 1, 1)


def test_another_fold_or_candidate_is_another_retest(plan: Plan) -> None:
    one = _schedule(plan, (FINALIST,), folds=2, seeds=1)
    assert one.name == _schedule(plan, (FINALIST,), folds=2, seeds=3).name
    assert one.name != _schedule(plan, (FINALIST,), folds=3, seeds=1).name
    assert one.name != _schedule(plan, (FINALIST, REFERENCE), folds=2, seeds=1).name
