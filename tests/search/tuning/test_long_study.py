"""What TPE is shown: everything in a short study, a bounded choice in a long one."""

import random
from collections.abc import Iterable

import numpy as np
import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from search.common.seeds import trial_seed
from search.tuning import long_study
from search.tuning.long_study import MOST_LESSONS, Lessons
from search.tuning.optuna_space import suggest
from search.tuning.samplers import make_sampler
from tests.search.samples import error_of, experiment

SPACE = experiment().space


def _past(count: int) -> optuna.Study:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for number in range(count):
        trial = study.ask()
        error = error_of(suggest(trial, SPACE))
        trial.report(error, 1)
        if number % 3 == 2:
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, error)
    return study


def _lessons(trials: Iterable[FrozenTrial]) -> Lessons:
    lessons = Lessons()
    for trial in trials:
        lessons.add(trial)
    return lessons


def test_in_a_short_study_tpe_draws_what_optunas_own_would() -> None:
    drawn = []
    for sampler in (
        optuna.samplers.TPESampler(seed=trial_seed(3, 40), multivariate=True, group=True),
        make_sampler("tpe", SPACE, 3, 40, _lessons(_past(40).trials)),
    ):
        study = _past(40)
        running = study.ask()  # the second worker's, which TPE keeps away from
        suggest(running, SPACE)
        study.sampler = sampler
        drawn.append(suggest(study.ask(), SPACE))
    assert drawn[0] == drawn[1]


def test_the_lessons_of_a_long_study_are_its_best_and_its_latest_trials() -> None:
    trials = _past(MOST_LESSONS + 300).trials
    kept = {trial.number for trial in _lessons(trials).trials()}
    half = MOST_LESSONS // 2
    assert len(kept) == MOST_LESSONS
    assert {trial.number for trial in trials[-half:]} <= kept
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    best = sorted(complete, key=lambda trial: trial.value or 0.0)[: half // 2]
    assert {trial.number for trial in best} <= kept
    random.Random(0).shuffle(trials)  # two workers end theirs in any order
    assert {trial.number for trial in _lessons(trials).trials()} == kept
    few = trials[:MOST_LESSONS]
    assert len(_lessons(few).trials()) == len(few)


def test_a_long_study_still_leads_to_better_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_study, "MOST_LESSONS", 60)
    study = _past(200)
    errors: dict[str, list[float]] = {"tpe": [], "random": []}
    for name, found in errors.items():
        for count in range(30):
            study.sampler = make_sampler(name, SPACE, 0, count, _lessons(study.trials))
            trial = study.ask()
            found.append(error_of(suggest(trial, SPACE)))
            study.tell(trial, state=TrialState.FAIL)
    assert np.median(errors["tpe"]) < 0.8 * np.median(errors["random"])
