"""A study whose trials are in memory decides what Optuna's own decides."""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from search.common.drawing import COMPARED_PRUNERS, OPTUNA, PRUNERS
from search.tuning.pruners import make_pruner
from search.tuning.running_trials import OwnTrials

EPOCHS = 6
AT_ONCE = 4
TRIALS = 13


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory where there is one: these tests write much and wait for the disk."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as at:
        yield Path(at)


def _storage(file: Path) -> optuna.storages.RDBStorage:
    return optuna.storages.RDBStorage(f"sqlite:///{file}")


def _study(storage: optuna.storages.BaseStorage, pruner: str) -> optuna.Study:
    return optuna.create_study(
        storage=storage,
        study_name="one",
        sampler=optuna.samplers.TPESampler(seed=3, n_startup_trials=6),
        pruner=make_pruner(pruner, EPOCHS, warm_up=2),
    )


def _search(study: optuna.Study, seed: int) -> list[object]:
    """Run trials several at a time, in an order drawn from `seed`; return all that was decided."""
    draw = random.Random(seed)
    running: list[tuple[optuna.Trial, int]] = []
    decided: list[object] = []
    study.enqueue_trial({"x": 0.25}, user_attrs={"design": "first"})
    asked = 0
    while asked < TRIALS or running:
        if asked < TRIALS and len(running) < AT_ONCE:
            trial = study.ask()
            asked += 1
            decided.append((trial.number, trial.suggest_float("x", 0, 1), trial.user_attrs))
            trial.set_user_attr("at", {"times": (1, 2)})
            running.append((trial, 0))
            continue
        trial, epoch = running.pop(draw.randrange(len(running)))
        value = float("nan") if draw.random() < 0.02 else draw.random() / (epoch + 1)
        trial.report(value, epoch + 1)
        prune = trial.should_prune()
        decided.append((trial.number, epoch + 1, prune))
        if prune:
            study.tell(trial, state=TrialState.PRUNED)
        elif draw.random() < 0.03:
            study.tell(trial, state=TrialState.FAIL)
        elif epoch + 1 == EPOCHS:
            study.tell(trial, draw.random())
        else:
            running.append((trial, epoch + 1))
    return decided


def _without_times(trials: list[optuna.trial.FrozenTrial]) -> list[str]:
    return [
        repr((t.number, t.state, t.values, t.params, t.distributions, t.user_attrs))
        + repr((sorted(t.system_attrs.items()), sorted(t.intermediate_values.items())))
        for t in trials
    ]


@pytest.mark.parametrize("pruner", (*PRUNERS[OPTUNA], *COMPARED_PRUNERS))
def test_every_decision_is_optunas_own(pruner: str, place: Path) -> None:
    theirs = _study(optuna.storages.InMemoryStorage(), pruner)
    ours = _study(OwnTrials(_storage(place / "ours.db")), pruner)
    assert _search(ours, seed=5) == _search(theirs, seed=5)
    # What is in memory is what a new process reads.
    written = optuna.load_study(study_name="one", storage=_storage(place / "ours.db"))
    assert _without_times(ours.trials) == _without_times(written.trials)
    assert [t.datetime_complete for t in ours.trials] == [
        t.datetime_complete for t in written.trials
    ]


def test_a_trial_that_another_program_queues_is_run(place: Path) -> None:
    study = _study(OwnTrials(_storage(place / "one.db")), "none")
    assert study.trials == []
    other = optuna.load_study(study_name="one", storage=f"sqlite:///{place / 'one.db'}")
    other.enqueue_trial({"x": 0.75})
    assert study.ask().suggest_float("x", 0, 1) == 0.75


def test_running_trials_are_not_read_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = _storage(place / "one.db")
    study = _study(OwnTrials(storage), "halving")
    trials = [study.ask() for _ in range(3)]
    monkeypatch.setattr(storage, "get_all_trials", None)
    monkeypatch.setattr(storage, "get_trial", None)
    for trial in trials:
        trial.report(0.5, 1)
        trial.should_prune()
    assert len(study.get_trials(states=(TrialState.RUNNING,))) == 3


def test_a_trial_that_was_handed_out_does_not_change(place: Path) -> None:
    study = _study(OwnTrials(_storage(place / "one.db")), "none")
    trial = study.ask()
    (before,) = study.get_trials(deepcopy=False)
    trial.report(0.5, 1)
    trial.set_user_attr("a", 1)
    trial.suggest_float("x", 0, 1)
    assert (before.intermediate_values, before.user_attrs, before.params) == ({}, {}, {})
