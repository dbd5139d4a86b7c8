"""Who is trained again, and who is not: the re-test on real stores with made-up trainings."""

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_pipeline.framing import Framing
from search.benchmark.scratch_study import private_study
from search.common.records import Task, TrialResult
from search.common.spool import write_spool
from search.common.stores import Stores
from search.engine.folds import rolling
from search.engine.plan import Plan, make_plan
from search.promote import retest as module
from search.promote.candidates import Candidate
from search.promote.retest import Resources, Retest, retest
from search.promote.schedule import Schedule
from search.tracking.existing_runs import KeptRuns, NotThere
from search.training.pool import AttemptEnded, Crew, Event
from search.training.pools import one_pool
from search.tuning.storage import open_storage
from tests.search.mlflow_stores import empty_store
from tests.search.samples import experiment, parameters
from tests.search.sleeping_pool import SleepingPool, undrawn

CANDIDATES = (
    Candidate("good", parameters((4,)), 60.0, reference=False),
    Candidate("close", parameters((5,)), 61.0, reference=False),
    Candidate("far", parameters((6,)), 200.0, reference=True),
    Candidate("rival", parameters((7,)), 61.0, reference=True),
)
ERRORS = {4: 60.0, 5: 61.0, 6: 200.0, 7: 61.0}
HOURS = 24 * 20


class _Networks(SleepingPool):
    """Networks whose errors follow from their units, their fold and their seed."""

    def __init__(self, scores: dict[str, float], trained: Counter[int]) -> None:
        super().__init__(scores)
        self.trained = trained

    def submit(self, task: Task) -> None:
        (units,) = task.parameters.units
        self.trained[units] += 1
        noise = np.random.default_rng(task.seed + units).normal(size=(HOURS, 1))
        times = pd.date_range("2014-06-05", periods=HOURS, freq="h")
        write_spool(task.spool, lambda path: None, times, 0 * noise, ERRORS[units] * noise)
        self.rmse = float(ERRORS[units] * np.sqrt(np.mean(np.square(noise))))
        super().submit(task)

    def event(self, seconds: float) -> Event | None:
        event = super().event(seconds)
        if event is None:
            return None
        assert isinstance(event, AttemptEnded) and isinstance(event.outcome, TrialResult)
        scores = dict(event.outcome.held_out) | {"rmse": self.rmse}
        return AttemptEnded(event.number, dataclasses.replace(event.outcome, held_out=scores))


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """Trainings so far, by units."""
    count: Counter[int] = Counter()

    def open_pool(*_: object) -> _Networks:
        scores = {"rmse": 1.0, "mae": 1.0, "mase": 1.0, "r2": 0.0, "peak_bias": 0.0}
        return _Networks(scores, count)

    monkeypatch.setattr("search.training.pools.open_pool", open_pool)
    return count


@pytest.fixture
def plan() -> Plan:
    return make_plan(experiment())


def _retest(plan: Plan, stores: Stores, seeds: int, said: list[str]) -> Retest:
    storage = open_storage(stores.storage, stores.schema_lock)
    schedule = Schedule(plan, "s", CANDIDATES, rolling(Framing(), 2), seeds)
    with undrawn(), one_pool(plan.series, Framing(), Crew(1)) as pool:
        return retest(schedule, Resources(storage, stores, pool, said.append, quiet=True))


def test_only_an_outclassed_reference_is_spared_its_further_trainings(
    plan: Plan, trained: Counter[int], tmp_path: Path
) -> None:
    empty_store(tmp_path)
    stores = private_study(plan, tmp_path, "random").stores
    said: list[str] = []
    found = _retest(plan, stores, 2, said)
    assert trained == {4: 4, 5: 4, 6: 1, 7: 4}
    (line,) = said
    assert line.endswith("on the last fold, and not trained again: far.")
    assert {(one.fold, one.repeat) for one in found.cells if one.candidate == "far"} == {(2, 0)}
    again = _retest(plan, stores, 2, said)
    assert again == found and said == [line, line] and sum(trained.values()) == 13


def test_while_mlflow_is_away_nobody_is_outclassed(
    plan: Plan, trained: Counter[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> KeptRuns:
        raise NotThere("no connection")

    monkeypatch.setattr(module, "KeptRuns", away)
    empty_store(tmp_path)
    said: list[str] = []
    _retest(plan, private_study(plan, tmp_path, "random").stores, 1, said)
    assert trained == {4: 2, 5: 2, 6: 2, 7: 2} and said == []
