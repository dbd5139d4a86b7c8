"""A study on a real SQLite database: what is drawn, what is retried, what is refused."""

import contextlib
import dataclasses
import importlib.util
import tempfile
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest

from experiments.lstm_space import to_flat
from experiments.space import Value
from search.common.errors import Refused
from search.common.records import Cause, Failure, State, TrialRecord, TrialResult
from search.common.resume_check import differences
from search.common.seeds import trial_seed
from search.tuning.importance import FEWEST_TRIALS
from search.tuning.running_trials import OwnTrials
from search.tuning.storage import open_storage
from search.tuning.study import Study
from search.tuning.trial_writer import TrialWriter
from tests.search import studies
from tests.search.samples import DEEP, EPOCHS, SMALL, experiment, result
from tests.search.studies import KERAS_TUNER, SEED, TUNERS, complete, open_study

TRIALS = 13  # more than the ten that TPE draws at random
NO_GP = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="gp needs torch")
SAMPLERS = [
    "tpe",
    "random",
    "qmc",
    pytest.param("gp", marks=NO_GP),
    *(KERAS_TUNER + name for name in ("random", "bayesian", "hyperband")),
]
DIED = Failure(Cause.WORKER_DIED, "its process ended with code -9")
DIVERGED = Failure(Cause.DIVERGED, "the loss is NaN")
INTERRUPTED = Failure(Cause.INTERRUPTED, "stopped by SIGINT")


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: these tests write much and wait for the disk."""
    with tempfile.TemporaryDirectory(dir=_MEMORY or tmp_path) as place:
        yield Path(place)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that names no sampler holds for both tuners; pruning is Optuna's alone."""
    if "sampler" not in metafunc.fixturenames and "prune" not in metafunc.function.__name__:
        metafunc.parametrize("tuner", TUNERS, indirect=True)


@pytest.fixture(autouse=True)
def tuner(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let studies be drawn by it where nothing else is said."""
    monkeypatch.setattr(studies, "by_default", getattr(request, "param", TUNERS[0]))


_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


def _drawn(records: list[TrialRecord]) -> list[tuple[dict[str, Value], int, str]]:
    return [(record.flat, record.seed, record.design) for record in records]


# -- one contract for all samplers ---------------------------------------------------------------


@pytest.fixture(scope="module", params=SAMPLERS)
def sampler(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def uninterrupted(sampler: str) -> Iterator[list[TrialRecord]]:
    """What one process draws in one go."""
    with tempfile.TemporaryDirectory(dir=_MEMORY) as place:
        yield complete(open_study(Path(place), sampler=sampler), TRIALS)


def test_every_point_drawn_is_a_valid_point(uninterrupted: list[TrialRecord]) -> None:
    space = experiment().space
    for record in uninterrupted:
        assert space.problems(record.flat) == []
        assert record.parameters is not None
        assert to_flat(record.parameters) == record.flat


def test_no_point_is_drawn_twice_and_no_dimension_stands_still(
    uninterrupted: list[TrialRecord],
) -> None:
    sampled = [record.flat for record in uninterrupted if not record.design]
    assert len({tuple(sorted(flat.items())) for flat in sampled}) == len(sampled)
    for dimension in experiment().space.dimensions:
        values = [flat[dimension.name] for flat in sampled if dimension.name in flat]
        if len(values) >= 4:
            assert len(set(values)) > 1, f"{dimension.name} is always {values[0]}"


def test_designs_come_first_as_declared(uninterrupted: list[TrialRecord]) -> None:
    assert [record.design for record in uninterrupted[:3]] == ["small", "deep", ""]
    assert uninterrupted[0].parameters == SMALL.parameters
    assert uninterrupted[1].parameters == DEEP.parameters
    assert all(record.design == "" for record in uninterrupted[2:])


def test_resumed_study_draws_what_an_uninterrupted_one_draws(
    sampler: str, uninterrupted: list[TrialRecord], tmp_path: Path
) -> None:
    drawn: list[TrialRecord] = []
    for trials in (1, 6, TRIALS - 7):
        drawn += complete(open_study(tmp_path, sampler=sampler), trials)
    assert _drawn(drawn) == _drawn(uninterrupted)


def test_parallel_asks_draw_different_points(sampler: str, tmp_path: Path) -> None:
    study = open_study(tmp_path, experiment(designs=()), sampler=sampler)
    asked = [study.ask() for _ in range(4)]
    assert len({tuple(sorted(record.flat.items())) for record in asked}) == 4
    assert all(experiment().space.problems(record.flat) == [] for record in asked)


# -- seeds ---------------------------------------------------------------------------------------


def test_a_trial_that_is_written_as_a_whole_is_the_one_that_is_drawn_step_by_step(
    sampler: str, tmp_path: Path
) -> None:
    def drawn(place: Path) -> list[object]:
        place.mkdir()
        study = open_study(place, sampler=sampler, pruner="hyperband")
        running = [study.ask() for _ in range(3)]
        every, pruned = list(running), []
        for _ in range(TRIALS):
            first = running.pop(0)
            pruned.append([study.report(first.number, e, first.number / e) for e in (1, 2, 3)])
            study.tell(first.number, result(first.number / 100))
            if study.ready():  # an oracle may wait for an end
                running.append(study.ask())
                every.append(running[-1])
        return [_drawn(every), pruned]

    as_a_whole = drawn(tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        _write_step_by_step(patch)
        assert drawn(tmp_path / "steps") == as_a_whole


def test_seeds_follow_from_study_seed_and_trial_number(tmp_path: Path) -> None:
    seeds = []
    for place, study_seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / place).mkdir()
        asked = [open_study(tmp_path / place, seed=study_seed).ask()]
        study = open_study(tmp_path / place, seed=study_seed)
        asked += [study.ask() for _ in range(3)]
        seeds.append([record.seed for record in asked])
    assert seeds[0] == seeds[1]
    assert not set(seeds[0]) & set(seeds[2])
    # The second attempt of trial 0 keeps its seed.
    assert len(set(seeds[0])) == len(seeds[0]) - sum(r.retry_of is not None for r in asked)


def test_designs_share_seeds_where_nothing_is_sampled(tmp_path: Path) -> None:
    study = open_study(tmp_path, experiment(trials=6, sampled=False, repeats=3))
    told = complete(study, 6)
    seeds = {name: [r.seed for r in told if r.design == name] for name in ("small", "deep")}
    assert seeds["small"] == seeds["deep"]
    assert len(set(seeds["small"])) == 3
    assert [r.design for r in told] == ["small", "deep"] * 3


def test_more_seeds_later_add_to_those_that_are_done(tmp_path: Path) -> None:
    first = complete(open_study(tmp_path, experiment(trials=4, sampled=False, repeats=2)), 4)
    again = open_study(tmp_path, experiment(trials=6, sampled=False, repeats=3))
    assert again.finished == 4
    added = complete(again, 2)
    assert [record.design for record in added] == ["small", "deep"]
    assert added[0].seed == added[1].seed and added[0].seed not in {r.seed for r in first}
    (tmp_path / "at_once").mkdir()
    whole = complete(
        open_study(tmp_path / "at_once", experiment(trials=6, sampled=False, repeats=3)), 6
    )
    assert [r.seed for r in first + added] == [r.seed for r in whole]


def test_what_is_tested_again_is_trained_for_as_long_as_before(tmp_path: Path) -> None:
    short = SMALL.parameters.model_copy(update={"epochs": 3})
    design = SMALL.model_copy(update={"parameters": short})
    what = experiment(designs=(design,), trials=1, sampled=False)
    study = open_study(tmp_path, what.model_copy(update={"rolling": True}))
    first = study.ask()
    assert first.parameters == short
    study.tell(first.number, DIED)
    assert study.ask().parameters == short


# -- retries -------------------------------------------------------------------------------------


def _same_trial(first: TrialRecord, again: TrialRecord) -> bool:
    return (first.flat, first.seed, first.design) == (again.flat, again.seed, again.design)


@pytest.mark.parametrize("designs", [(SMALL,), ()])
def test_t3_t4_killed_worker_is_retried_twice_with_same_parameters_and_seed(
    tmp_path: Path, designs: tuple[()]
) -> None:
    study = open_study(tmp_path, experiment(designs=designs))
    attempts = []
    for _ in range(3):
        attempts.append(study.ask())
        assert study.finished == 0
        told = study.tell(attempts[-1].number, DIED)
        assert told.state is State.FAILED and told.failure == DIED
    assert study.finished == 1
    assert [a.attempt for a in attempts] == [1, 2, 3]
    assert [a.retry_of for a in attempts] == [None, attempts[0].number, attempts[1].number]
    assert all(_same_trial(attempts[0], again) for again in attempts[1:])
    other = study.ask()
    assert other.retry_of is None and not _same_trial(attempts[0], other)


@pytest.mark.parametrize("cause", [c for c in Cause if c.name in {"DIVERGED", "OUT_OF_MEMORY"}])
def test_t1_t2_failure_by_the_parameters_is_never_retried(tmp_path: Path, cause: Cause) -> None:
    study = open_study(tmp_path)
    first = study.ask()
    told = study.tell(first.number, Failure(cause, "why"))
    assert told.state is State.FAILED and told.failure is not None
    assert told.failure.cause is cause and told.result is None
    assert study.finished == 1
    assert study.ask().design == "deep"
    assert open_study(tmp_path).records[first.number].failure == told.failure


def test_interruptions_and_lost_coordinators_do_not_use_up_retries(tmp_path: Path) -> None:
    first = open_study(tmp_path, experiment(designs=(SMALL,))).ask()
    numbers = [first.number]
    for _ in range(3):  # each opening finds the attempt of the one before orphaned
        study = open_study(tmp_path, experiment(designs=(SMALL,)))
        asked = study.ask()
        assert asked.retry_of == numbers[-1] and _same_trial(first, asked)
        told = study.tell(asked.number, INTERRUPTED)
        assert told.state is State.INTERRUPTED
        again = study.ask()
        assert again.retry_of == asked.number
        numbers.append(again.number)
    study = open_study(tmp_path, experiment(designs=(SMALL,)))
    for _ in range(3):
        asked = study.ask()
        assert _same_trial(first, asked)
        study.tell(asked.number, DIED)
    assert study.finished == 1
    assert study.ask().retry_of is None


def test_lost_nodes_use_up_retries_from_the_fifth_on_whatever_else_ended_attempts(
    tmp_path: Path,
) -> None:
    study, gone = open_study(tmp_path, experiment(designs=(SMALL,))), Failure(Cause.NODE_LOST, "x")
    first = study.ask()
    study.tell(first.number, INTERRUPTED)
    for _ in range(5):
        study.tell(study.ask().number, INTERRUPTED)
    for _ in range(6):  # the fifth and the sixth use up both retries
        asked = study.ask()
        assert asked.retry_of is not None and _same_trial(first, asked)
        study.tell(asked.number, gone)
    last = study.ask()
    assert study.finished == 0 and last.retry_of is not None
    study.tell(last.number, gone)
    assert study.finished == 1 and study.ask().retry_of is None


def test_s2_reconcile_ends_orphans_once(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    asked = [study.ask() for _ in range(3)]
    before = [record.number for record in asked]
    resumed = open_study(tmp_path)
    assert all(resumed.records[n].state is State.FAILED for n in before)
    causes = {r.failure.cause for r in resumed.records.values() if r.failure}
    assert causes == {Cause.COORDINATOR_LOST}
    assert resumed.reconcile() == []
    third = open_study(tmp_path)
    assert third.reconcile() == []
    assert third.records == resumed.records
    retries = [third.ask() for _ in range(3)]
    assert [r.retry_of for r in retries] == before
    assert third.ask().retry_of is None


def _write_step_by_step(patch: pytest.MonkeyPatch) -> None:
    """Let studies be written as before trials were written as a whole."""
    patch.setattr(OwnTrials, "at_once", contextlib.nullcontext)


@pytest.mark.parametrize("lost", ["write_trial", "set_trial_user_attr", "set_trial_state_values"])
@pytest.mark.parametrize("failure", [DIED, DIVERGED])
def test_s2_crash_while_a_failure_is_written_neither_loses_nor_doubles_the_retry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str, failure: Failure
) -> None:
    study = open_study(tmp_path)
    asked = study.ask()

    def crash(*_args: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if lost != "write_trial":
            _write_step_by_step(patch)
        patch.setattr(TrialWriter, lost, crash)
        with pytest.raises(KeyboardInterrupt):
            study.tell(asked.number, failure)
    resumed = open_study(tmp_path)
    assert resumed.records[asked.number].state is State.FAILED
    following = [resumed.ask() for _ in range(3)]
    retries = [record for record in following if record.retry_of == asked.number]
    known = lost == "set_trial_state_values"  # the cause was written before the crash
    assert len(retries) == (0 if failure is DIVERGED and known else 1)
    assert all(_same_trial(asked, again) for again in retries)


def test_s2_crash_after_an_earlier_version_wrote_the_result_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = open_study(tmp_path)
    asked = study.ask()

    def crash(*_args: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        _write_step_by_step(patch)
        patch.setattr(TrialWriter, "set_trial_state_values", crash)
        with pytest.raises(KeyboardInterrupt):
            study.tell(asked.number, result(0.03))
    resumed = open_study(tmp_path)
    assert resumed.records[asked.number].state is State.COMPLETE
    assert resumed.records[asked.number].result == result(0.03)
    assert resumed.finished == 1
    assert resumed.ask().retry_of is None


def test_what_was_judged_on_the_test_period_is_kept_in_no_study(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    asked = study.ask()
    opened = dataclasses.replace(result(0.03), period="test")
    with pytest.raises(ValueError, match="holds only validation results, found: test"):
        study.tell(asked.number, opened)
    assert open_study(tmp_path).records[asked.number].result is None


def test_a_result_is_stored_under_the_names_that_older_studies_have() -> None:
    stored = result(0.03).as_stored()
    assert "validation" in stored and not {"held_out", "period"} & stored.keys()
    assert TrialResult.from_stored(stored) == result(0.03)


def test_crash_while_a_point_is_drawn_is_no_trial(tmp_path: Path) -> None:
    open_study(tmp_path, experiment(designs=()))
    half = optuna.load_study(study_name="tiny", storage=f"sqlite:///{tmp_path}/optuna.db").ask()
    half.suggest_int("layers", 1, 3)
    resumed = open_study(tmp_path, experiment(designs=()))
    assert resumed.records[half.number].state is State.FAILED
    assert resumed.records[half.number].parameters is None
    assert resumed.finished == 0
    assert resumed.ask().retry_of is None


def test_s10_finished_counts_every_trial_once(tmp_path: Path) -> None:
    study = open_study(tmp_path, pruner="median")
    outcomes: list[TrialResult | Failure] = [
        result(),
        DIED,
        INTERRUPTED,
        DIVERGED,
        result(0.5, "pruner"),
        DIED,
        DIED,
    ]
    counted = []
    for outcome in outcomes:
        study.tell(study.ask().number, outcome)
        counted.append(study.finished)
    # Trial "deep" dies, is interrupted and then diverges; the last trial dies twice and waits.
    assert counted == [1, 1, 1, 2, 3, 3, 3]
    assert open_study(tmp_path).finished == 3
    asked = study.ask()
    assert study.finished == 3 and study.running == 1
    study.tell(asked.number, result())
    assert study.finished == 4 and study.running == 0


def test_what_was_told_is_read_back_whole(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    told = [
        study.tell(study.ask().number, outcome)
        for outcome in (result(0.03), result(0.9, "pruner"), Failure(Cause.OUR_BUG, "why", "tb"))
    ]
    assert told[0].result == result(0.03) and told[0].state is State.COMPLETE
    assert told[1].result == result(0.9, "pruner") and told[1].state is State.PRUNED
    assert all(r.started and r.ended and r.started <= r.ended for r in told)
    again = open_study(tmp_path)
    assert [again.records[r.number] for r in told] == told
    assert again.best == told[0]


# -- pruning -------------------------------------------------------------------------------------


def _epochs(study: Study, number: int, value: float) -> bool:
    """Report the same value at some epochs; True if the attempt was to be pruned."""
    stops = [study.report(number, epoch, value) for epoch in (1, 8, 9, 15)]
    return any(stops)


@pytest.mark.parametrize("pruner", ["median", "hyperband", "none"])
def test_designs_and_the_best_so_far_are_never_pruned(tmp_path: Path, pruner: str) -> None:
    study = open_study(tmp_path, experiment(designs=(), trials=20), pruner=pruner)
    for _ in range(5):
        number = study.ask().number
        assert not _epochs(study, number, 0.02)
        study.tell(number, result(0.02))
    assert _epochs(study, study.ask().number, 0.9) is (pruner != "none")
    assert not _epochs(study, study.ask().number, 0.01)
    # Better than the best at first, hopeless later: it has been the best.
    once = study.ask().number
    assert not study.report(once, 1, 0.001)
    assert not any(study.report(once, epoch, 0.9) for epoch in (8, 9, 15))
    study.tell(once, INTERRUPTED)
    late = open_study(tmp_path, experiment(designs=(SMALL,), trials=20), pruner=pruner)
    while not (asked := late.ask()).design:
        pass
    assert not _epochs(late, asked.number, 0.9)


def test_a_trial_is_not_pruned_at_its_last_epoch_for_nothing_would_be_saved(
    tmp_path: Path,
) -> None:
    study = open_study(tmp_path, experiment(designs=(), trials=20), pruner="median")
    for _ in range(5):
        number = study.ask().number
        for epoch in range(1, EPOCHS + 1):
            study.report(number, epoch, 0.02)
        study.tell(number, result(0.02))
    number = study.ask().number
    answers = [study.report(number, epoch, 0.9) for epoch in range(1, EPOCHS + 1)]
    assert answers[-2] and not answers[-1]


def test_s2_crash_before_an_earlier_version_wrote_the_seed_does_not_change_it(
    tmp_path: Path,
) -> None:
    study = open_study(tmp_path, experiment(designs=(), trials=5))

    def ends_here(*_args: object) -> int:
        raise RuntimeError("the process ends here")

    with pytest.MonkeyPatch.context() as patch:
        _write_step_by_step(patch)
        patch.setattr("search.tuning.study.seed_of", ends_here)
        with pytest.raises(RuntimeError, match="ends here"):
            study.ask()
    retry = open_study(tmp_path, experiment(designs=(), trials=5)).ask()
    assert retry.retry_of == 0
    assert retry.seed == trial_seed(SEED, 0)


def test_no_trial_is_pruned_within_the_warm_up(tmp_path: Path) -> None:
    study = open_study(tmp_path, experiment(designs=(), trials=20), pruner="median")
    for _ in range(5):
        number = study.ask().number
        _epochs(study, number, 0.02)
        study.tell(number, result(0.02))
    number = study.ask().number
    stops = [study.report(number, epoch, 0.9) for epoch in range(1, 10)]
    assert stops == [False] * 7 + [True] * 2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_t1_value_that_is_no_number_stops_and_breaks_nothing(tmp_path: Path, value: float) -> None:
    study = open_study(tmp_path, pruner="median")
    number = study.ask().number
    assert study.report(number, 1, value) is False
    assert study.report(number, 2, 0.5) is False
    assert study.tell(number, DIVERGED).state is State.FAILED
    assert study.best is None


def test_epoch_value_that_arrives_after_the_end_of_its_attempt_is_passed_over(
    tmp_path: Path,
) -> None:
    study = open_study(tmp_path)
    number = study.ask().number
    told = study.tell(number, DIED)
    study.report(number, 3, 0.5)
    assert study.records[number] == told


def test_importances_name_parameters_once_there_are_enough_trials(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    complete(study, FEWEST_TRIALS - 1)
    assert study.importances() == ()
    complete(study, 1)
    found = {one.name: one.mean for one in study.importances()}
    assert found.keys() <= {d.name for d in experiment().space.dimensions}
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-6)


# -- what is refused -----------------------------------------------------------------------------


def test_s4_changed_contract_is_refused_naming_what_changed(tmp_path: Path) -> None:
    kept = {"window": 24, "space": {"units_1": {"low": 2, "high": 16}}, "columns": ("a", "b")}
    storage = open_storage(f"sqlite:///{tmp_path}/optuna.db", tmp_path / "schema.lock")
    other = Study(storage, "other", experiment(), SEED, "random", "none")
    other.hold_to(kept)
    other.hold_to(dict(kept))
    for changes, line in (
        ({"window": 30}, "window: was 24, is 30"),
        ({"space": {"units_1": {"low": 2, "high": 32}}}, "space.units_1.high: was 16, is 32"),
        ({"space": {}}, "space.units_1: was {"),
        ({"columns": ["a"]}, 'columns: was ["a", "b"], is ["a"]'),
        ({"seed": 5}, "seed: was nothing, is 5"),
    ):
        with pytest.raises(Refused) as refusal:
            other.hold_to(kept | changes)
        assert line in str(refusal.value)
        assert "'other'" in str(refusal.value) and "--study NAME" in str(refusal.value)
    other.hold_to(kept)


def test_a_study_of_before_there_were_tuners_goes_on_with_optuna_alone(tmp_path: Path) -> None:
    study = open_study(tmp_path)  # its contract names none
    study.hold_to({"window": 24, "tuner": "optuna"})
    with pytest.raises(Refused, match='tuner: was "optuna", is "keras-tuner"'):
        study.hold_to({"window": 24, "tuner": "keras-tuner", "sampler": "random"})


def test_differences_are_none_between_equals_and_short_between_long_values() -> None:
    assert differences({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}) == []
    (line,) = differences({"a": "x" * 500}, {"a": "y" * 500})
    assert line.startswith("a: was") and len(line) < 160


def test_foreign_study_of_the_same_name_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/optuna.db"
    foreign = optuna.create_study(study_name="tiny", storage=url)
    foreign.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    with pytest.raises(Refused, match="'tiny' was not made by this program"):
        open_study(tmp_path)
    assert len(foreign.trials) == 1


def test_remembered_values_outlive_the_process(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    assert study.recall("baselines") is None
    study.remember("baselines", {"ridge_by_hour": 0.5})
    assert open_study(tmp_path).recall("baselines") == {"ridge_by_hour": 0.5}


# -- repeats -------------------------------------------------------------------------------------


def test_an_exact_repeat_has_the_result_of_the_first_and_is_not_the_best_twice(
    tmp_path: Path,
) -> None:
    study = open_study(tmp_path)
    first = study.ask()
    assert study.known(first) is None
    told = study.tell(first.number, result(0.02))
    again = study.ask()
    repeat = dataclasses.replace(again, flat=told.flat, design="")
    known = study.known(repeat)
    assert known is not None and known.repeat_of == first.number
    assert known.objective == 0.02 and known.seconds == 0
    study.tell(again.number, known)
    assert study.best is not None and study.best.number == first.number
    assert study.records[again.number].result == known


def test_the_repeats_of_a_design_are_meant(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    told = study.tell(study.ask().number, result(0.02))
    assert told.design and study.known(dataclasses.replace(told, number=99)) is None


def test_a_failed_attempt_is_no_known_result(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    told = study.tell(study.ask().number, DIED)
    assert study.known(dataclasses.replace(told, number=99, design="")) is None
