"""Rounds of seeds for open claims, with trainings of planted errors."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from experiments.catalogue import CATALOGUE
from experiments.comparison import Claim, Comparison
from experiments.experiment import Design, Experiment
from experiments.lstm_space import stacked_lstm_space
from search.common.records import Task, TrialResult
from search.common.stores import Stores
from search.engine.plan import Plan, make_plan
from search.engine.until_decided import run_until_decided
from search.results.claims import Judged
from search.results.sequential import Verdict
from search.training.pool import Crew
from tests.search.doubles import AnswerPool, answer_with
from tests.search.samples import parameters, result

# By the units of the designs, in MW.
ERRORS = {4: 100.0, 5: 200.0, 6: 199.0}
NAMES = {4: "good", 5: "control", 6: "same"}


def _claim(name: str, treatment: str) -> Claim:
    compared = Comparison(treatment=treatment, control="control")
    return Claim(id=name, says=f"{treatment} is better.", comparisons=(compared,))


def _plan(most: int) -> Plan:
    smoke = CATALOGUE["smoke"]
    plain = smoke.model_dump() | {
        "designs": [
            Design(name=name, parameters=parameters((units,))).model_dump()
            for units, name in NAMES.items()
        ],
        "claims": [_claim("C1", "good").model_dump(), _claim("C2", "same").model_dump()],
        "space": stacked_lstm_space(units=(2, 16)).model_dump(),
        "sampled": False,
        "repeats": most,
        "trials": 3 * most,
        "epochs": 20,
        "ema_epochs": 0.0,
    }
    return make_plan(Experiment.model_validate(plain))


def _answer(task: Task) -> TrialResult:
    (units,) = task.parameters.units
    luck = np.random.default_rng(task.seed).normal(0, 10)
    own = np.random.default_rng([task.seed, units]).normal(0, 5)
    return result(((ERRORS[units] + luck + own) / 1000) ** 2)


def _stores(place: Path) -> Stores:
    return Stores(f"sqlite:///{place}/a.db", f"sqlite:///{place}/b.db", None, place)


def _seeds(pool: AnswerPool) -> dict[str, int]:
    """Different seeds that each design was trained with."""
    pairs = {(task.parameters.units[0], task.seed) for task in pool.tasks}
    return {NAMES[units]: count for units, count in Counter(u for u, _ in pairs).items()}


def _verdicts(judged: tuple[Judged, ...]) -> list[Verdict]:
    return [one.verdict for one in judged]


def test_a_decided_claim_gets_no_more_seeds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pool = AnswerPool(_answer)
    answer_with(monkeypatch, pool)
    ended = run_until_decided(_plan(20), "claims", _stores(tmp_path), Crew(2), quiet=True)
    assert _verdicts(ended.judged) == [Verdict.HOLDS, Verdict.NO_DIFFERENCE]
    seeds = _seeds(pool)
    assert seeds["good"] < seeds["same"] == seeds["control"] <= 20
    assert ended.summary.finished == ended.facts.total == sum(seeds.values()) == len(pool.tasks)


def test_the_budget_ends_it_and_a_larger_one_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stores = _stores(tmp_path)
    first = AnswerPool(_answer)
    answer_with(monkeypatch, first)
    ended = run_until_decided(_plan(4), "claims", stores, Crew(2), quiet=True)
    assert _verdicts(ended.judged)[1] is Verdict.UNDECIDED
    assert _seeds(first) == {"good": 4, "control": 4, "same": 4} or _seeds(first)["good"] == 3
    second = AnswerPool(_answer)
    answer_with(monkeypatch, second)
    ended = run_until_decided(_plan(20), "claims", stores, Crew(2), quiet=True)
    assert Verdict.UNDECIDED not in _verdicts(ended.judged)
    before = {(task.parameters.units, task.seed) for task in first.tasks}
    assert not before & {(task.parameters.units, task.seed) for task in second.tasks}


def test_ctrl_c_ends_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pool = AnswerPool(_answer, stop_after=2)
    answer_with(monkeypatch, pool)
    ended = run_until_decided(_plan(20), "claims", _stores(tmp_path), Crew(2), quiet=True)
    assert ended.ending.signum == 2 and len(pool.tasks) < 9
    assert set(_verdicts(ended.judged)) == {Verdict.UNDECIDED}
