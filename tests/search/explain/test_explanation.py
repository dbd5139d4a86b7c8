"""Explanations of a study whose trainings answer with planted errors."""

import dataclasses
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from experiments.catalogue import CATALOGUE
from experiments.experiment import Design
from experiments.power_usage import CHANGE
from experiments.teaching_notes import MAIN2
from models.regime import Regime
from search.common.errors import Refused
from search.common.records import Task, TrialResult
from search.common.stores import Stores
from search.engine.plan import adapt, make_plan
from search.engine.session import run_study
from search.explain.explanation import Wish, explain, write_table
from search.explain.trainings import Stopped
from search.results.explanation import Explanation, explanation_lines
from search.results.explanation_figure import draw
from search.training import pools
from search.training.pool import Crew
from search.tuning.kept_studies import explanations_of, read_study
from search.tuning.storage import open_existing
from tests.search.doubles import AnswerPool, answer_with
from tests.search.samples import result

STUDY = "smoke"


def _error(task: Task) -> float:
    """RMSE in MW: the rate, the penalty and the size decide."""
    own = task.parameters
    error = 300.0 + 60 * abs(np.log10(own.learning_rate) + 3) + 20 * (own.layers == 2)
    return float(error - 3 * sum(own.units) + 20 * (own.l2 > 1e-4))


def _answer(task: Task) -> TrialResult:
    luck = np.random.default_rng(task.seed).normal(0, 5)
    own = np.random.default_rng([task.seed, task.number]).normal(0, 0.5)
    return result(((_error(task) + luck + own) / 1000) ** 2)


def _stores(place: Path) -> Stores:
    return Stores(f"sqlite:///{place}/a.db", f"sqlite:///{place}/b.db", None, place)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a study of twelve trials, trained in no time."""
    place = tmp_path_factory.mktemp("searched")
    plan = make_plan(adapt(CATALOGUE["smoke"], {"trials": 12}))
    with pytest.MonkeyPatch.context() as monkeypatch:
        answer_with(monkeypatch, AnswerPool(_answer))
        run_study(plan, STUDY, _stores(place), Crew(2), quiet=True)
    return place


def _copied(searched: Path, place: Path) -> Stores:
    for file in searched.glob("a.db*"):  # the write-ahead log, too
        shutil.copy(file, place)
    return _stores(place)


@pytest.fixture
def stores(searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stores:
    """That study in a folder of its own, with a pool that answers."""
    answer_with(monkeypatch, AnswerPool(_answer))
    return _copied(searched, tmp_path)


@dataclass(frozen=True)
class Explained:
    """An explanation with its stores, what was trained for it and what was said; nobody changes."""

    stores: Stores
    found: Explanation
    tasks: list[Task]
    said: list[str]


@pytest.fixture(scope="module")
def explained(searched: Path, tmp_path_factory: pytest.TempPathFactory) -> Explained:
    """That study explained once from beginning to end."""
    stores, pool = _copied(searched, tmp_path_factory.mktemp("explained")), AnswerPool(_answer)
    said: list[str] = []
    with pytest.MonkeyPatch.context() as monkeypatch:
        answer_with(monkeypatch, pool)
        found = explain(_wish(), stores, said.append)
    assert found is not None
    return Explained(stores, found, pool.tasks, said)


def _wish(**changes: object) -> Wish:
    wish = Wish(STUDY, "small", "best", 3, Crew(2), dry_run=False, quiet=True)
    return dataclasses.replace(wish, **changes)  # type: ignore[arg-type]


def _found(stores: Stores, **changes: object) -> Explanation:
    found = explain(_wish(**changes), stores, lambda _: None)
    assert found is not None
    return found


def test_named_settings_are_explained_by_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = ("target", "inputs", "lookback", "schedule")
    goal = MAIN2.parameters.model_copy(
        update={name: getattr(CHANGE.parameters, name) for name in named}
    )
    # Main2 and CHANGE differ in so many settings besides that a hundred more would be trained.
    designs = (MAIN2, Design(name="goal", parameters=goal))
    experiment = adapt(CATALOGUE["power_usage"], {"trials": 4})
    plan = make_plan(experiment.model_copy(update={"designs": designs}))
    answer_with(monkeypatch, AnswerPool(_answer))
    stores = _stores(tmp_path)
    run_study(plan, "named", stores, Crew(2), quiet=True)
    found = _found(stores, study="named", start="main2", goal="goal", seeds=2)
    assert ("level", "change") in [(one.before, one.after) for one in found.changes]
    assert len(found.changes) == len(named)
    lines = "\n".join(explanation_lines(found))
    assert "what is learned: level → hourly change" in lines
    assert "inputs: clock cycles → recent changes" in lines
    assert "hours read: 168 → 48" in lines
    assert "schedule: constant → cosine" in lines
    write_table(found, tmp_path / "way.csv")
    assert "target,level,change," in (tmp_path / "way.csv").read_text(encoding="utf-8")
    assert Explanation.model_validate_json(found.model_dump_json()) == found


def test_the_steps_add_up_with_an_interval_each(explained: Explained) -> None:
    stores, found, tasks = explained.stores, explained.found, explained.tasks
    total = sum(one.worth.mean for one in found.changes)
    assert total == pytest.approx(found.last.validation - found.first.validation, abs=1e-6)
    for one in found.changes:
        assert one.worth.seeds == 3
        assert one.worth.low is not None and one.worth.high is not None
        assert one.taken_back is not None
        assert one.state.regime in Regime
    drawn = {(task.parameters, task.seed) for task in tasks}
    assert len(drawn) == len(tasks)  # nothing is trained twice
    storage = open_existing(stores.storage, stores.schema_lock)
    assert explanations_of(storage, STUDY) == [found.model_dump(mode="json")]


def test_stopped_it_goes_on_to_the_same_end(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = AnswerPool(_answer, stop_after=3)
    answer_with(monkeypatch, first)
    with pytest.raises(Stopped) as stopped:
        explain(_wish(), stores, lambda _: None)
    assert stopped.value.signum == 2
    second = AnswerPool(_answer)
    answer_with(monkeypatch, second)
    found = _found(stores)
    third = AnswerPool(_answer)
    answer_with(monkeypatch, third)
    again = _found(stores)
    assert third.tasks == []
    assert again.changes == found.changes


def test_without_time_nothing_begins(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = AnswerPool(_answer)
    answer_with(monkeypatch, pool)
    with pytest.raises(Stopped) as stopped:
        explain(_wish(crew=Crew(2, timeout=1e-9)), stores, lambda _: None)
    assert stopped.value.signum is None and pool.tasks == []


def test_a_dry_run_says_how_long_it_takes_and_makes_no_study(stores: Stores) -> None:
    said: list[str] = []
    assert explain(_wish(dry_run=True), stores, said.append) is None
    assert "trainings; 3 seeds choose, 3 others measure" in said[1]
    assert "minutes with 2 worker(s)" in said[2]
    storage = open_existing(stores.storage, stores.schema_lock)
    assert explanations_of(storage, STUDY) == []


def test_the_pool_is_that_of_the_cluster_that_was_asked_for(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    crews: list[Crew] = []
    pool = AnswerPool(_answer)

    def opened(_series: object, _framing: object, crew: Crew, _say: object) -> AnswerPool:
        crews.append(crew)
        return pool

    monkeypatch.setattr(pools, "open_pool", opened)
    said: list[str] = []
    crew = Crew(0, cluster="head:6379")
    assert explain(_wish(crew=crew, seeds=2), stores, said.append) is not None
    assert crews == [crew] and pool.tasks
    assert said[2] == "Training on the Ray cluster head:6379, as many as it has room for"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"goal": "small"}, "same settings"),
        ({"start": "nobody"}, "no network 'nobody'"),
        ({"study": "none"}, "no study 'none'"),
    ],
)
def test_what_has_no_way_is_refused(stores: Stores, changes: dict[str, object], said: str) -> None:
    with pytest.raises(Refused, match=said):
        explain(_wish(**changes), stores, lambda _: None)


def test_an_explanation_is_no_study_to_report_on(explained: Explained) -> None:
    stores = explained.stores
    name = explained.said[0].split()[1].rstrip(":")
    with pytest.raises(Refused, match=f"explains study '{STUDY}'"):
        read_study(open_existing(stores.storage, stores.schema_lock), name)


def test_the_way_is_told_drawn_and_written(explained: Explained, tmp_path: Path) -> None:
    found = explained.found
    lines = explanation_lines(found)
    assert lines[0].startswith("From small to best of study smoke: validation RMSE ")
    assert any("learning rate: 0.01 → " in line and " MW (" in line for line in lines)
    labels = [label.get_text() for label in draw(found).axes[0].get_yticklabels()]
    assert labels[0] == "small" and labels[-1] == "best"
    assert len(labels) == len(found.changes) + 2
    write_table(found, tmp_path / "way.csv")
    rows = (tmp_path / "way.csv").read_text().splitlines()
    assert len(rows) == len(found.changes) + 2
