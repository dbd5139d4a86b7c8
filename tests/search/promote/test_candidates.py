"""Who is trained again, and on which periods."""

import itertools

import pytest

from data_pipeline.framing import Framing
from data_pipeline.windows import split_origins
from search.common.errors import Refused, WrongInput
from search.engine.folds import rolling
from search.promote.candidates import cell, choose, retest_experiment, retest_name
from tests.search.samples import SMALL, experiment, parameters, record, result

RECORDS = [
    record(0, result(0.03), design="small", parameters=SMALL.parameters),
    record(1, result(0.02)),
    record(2, result(0.001, "pruner")),
    record(3, result(0.01)),
    record(4, result(0.05)),
    record(5, result(0.015), parameters=parameters((7,))),  # the point of trial 3 again
]


def test_the_best_completed_points_are_finalists_each_once_and_designs_references() -> None:
    chosen = choose(RECORDS, experiment(), top=2)
    assert [(one.name, one.reference) for one in chosen] == [
        ("trial_3", False),
        ("trial_1", False),
        ("small", True),
        ("deep", True),
    ]
    assert chosen[0].searched == pytest.approx(100.0)
    assert chosen[2].searched == pytest.approx(1000 * 0.03**0.5)
    assert chosen[3].searched is None


def test_a_design_among_the_best_is_a_finalist_under_its_name() -> None:
    chosen = choose(RECORDS, experiment((SMALL,)), top=3)
    assert [(one.name, one.reference) for one in chosen][2] == ("small", False)
    assert len(chosen) == 3


def test_without_a_completed_trial_there_is_nothing_to_promote() -> None:
    with pytest.raises(Refused, match="no trial"):
        choose([record(0, result(0.1, "pruner"))], experiment(), top=5)


def test_folds_go_forward_in_time_within_train_and_validation() -> None:
    framing, rows = Framing(), 2184
    folds = rolling(framing, 3)
    assert folds[-1] == framing
    spans = [split_origins(rows, fold) for fold in folds]
    test = split_origins(rows, framing)[2]
    for (train, validation, _), (_, later, _) in itertools.pairwise(spans):
        assert train.stop == validation.start
        assert validation.stop == later.start
    assert all(validation.stop <= test.start for _, validation, _ in spans)
    assert all(abs(len(validation) - 161) <= 1 for _, validation, _ in spans)


def test_too_many_folds_are_refused_with_the_most_that_fit() -> None:
    with pytest.raises(WrongInput, match="at most 7 folds"):
        rolling(Framing(), 8)
    assert rolling(Framing(), 7)[0].train >= 0.2


def test_a_retest_has_every_cell_with_seeds_of_its_own() -> None:
    candidates = choose(RECORDS, experiment(), top=2)
    made = retest_experiment(experiment(), candidates, rolling(Framing(), 3), seeds=2)
    assert len(made.designs) == 4 * 3 and made.trials == 24 and made.repeats == 2
    assert made.seed != experiment().seed and not made.sampled
    assert made.framing_of(cell("trial_3", 3)) == Framing()
    first = made.framing_of(cell("trial_3", 1))
    assert first is not None and first.train == pytest.approx(0.56)


def test_a_retest_begins_with_the_longest_trainings() -> None:
    large = record(6, result(0.06), parameters=parameters((16, 16)))
    candidates = choose([*RECORDS, large], experiment(), top=5)
    made = retest_experiment(experiment(), candidates, rolling(Framing(), 3), seeds=1)
    names = [design.name for design in made.designs]
    assert names[:3] == [cell("trial_6", fold) for fold in (3, 2, 1)]


def test_another_choice_is_another_retest_and_the_same_choice_the_same() -> None:
    def name(top: int, folds: int) -> str:
        candidates = choose(RECORDS, experiment((SMALL,)), top)
        return retest_name(
            "s", retest_experiment(experiment(), candidates, rolling(Framing(), folds), 2)
        )

    assert name(2, 3) == name(2, 3)
    assert len({name(2, 3), name(1, 3), name(2, 2)}) == 3


def test_a_design_that_was_run_with_fewer_epochs_is_one_candidate() -> None:
    short = experiment((SMALL,)).model_copy(update={"epochs": 7})
    as_run = SMALL.parameters.model_copy(update={"epochs": 7})
    chosen = choose([record(0, result(0.03), design="small", parameters=as_run)], short, top=5)
    assert [(one.name, one.parameters.epochs) for one in chosen] == [("small", 7)]
    (reference,) = choose([record(1, result(0.01))], short, top=5)[1:]
    assert reference.parameters.epochs == 7


def test_what_saw_the_data_otherwise_is_no_candidate() -> None:
    leaky = Framing(scaler_rows="all")
    records = [record(0, result(0.01), framing=leaky), record(1, result(0.02))]
    assert [one.name for one in choose(records, experiment(()), top=5)] == ["trial_1"]
