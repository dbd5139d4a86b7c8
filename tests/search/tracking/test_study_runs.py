"""The MLflow mirror on real stores: a local database, and a server that is away at first."""

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import search.tracking.mirror
from search.common.records import Cause, Failure, Importance, State, TrialRecord
from search.common.spool import folder, write_spool
from search.results.summary import StudySummary
from search.tracking.mirror import Mirror
from search.tracking.study_runs import StudyRuns
from tests.search.command import query, wait_until
from tests.search.mlflow_stores import empty_store, server_in
from tests.search.samples import facts, record, result
from tests.search.sleeping_pool import undrawn

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

RUNNING = record(0)
RECORDS = (
    record(0, result(0.02), design="small"),
    record(1, result(0.5, "pruner")),
    record(2, Failure(Cause.OUR_BUG, "KeyError: 'x'", "Traceback: here it is")),
    record(3, Failure(Cause.INTERRUPTED, "stopped by SIGINT"), State.INTERRUPTED),
    record(4, result(0.03), retry_of=3, attempt=2),
)
STATUS = {0: "FINISHED", 1: "KILLED", 2: "FAILED", 3: "KILLED", 4: "FINISHED"}
IMPORTANCES = (Importance("units_1", 0.7, 0.4, 0.9), Importance("l2", 0.3, 0.1, 0.6))
SUMMARY = StudySummary(RECORDS, finished=4, importances=IMPORTANCES)


def _save_model(path: Path) -> None:
    path.write_text("a model")


class Place:
    """A study's spool and stores in one folder."""

    def __init__(self, root: Path, uri: str | None = None) -> None:
        self.root = root
        self.uri = uri or empty_store(root)
        self.artifacts = root / "artifacts" if uri is None else None
        self.said: list[str] = []

    def mirror(self, identity: str = "first") -> Mirror:
        of_study = facts(identity=identity)
        return Mirror(
            self.uri, self.artifacts, self.root / "lock", self.spool, of_study, self.said.append
        )

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    def fill_spool(self) -> None:
        for one in RECORDS:
            if one.result is not None:
                write_spool(
                    folder(self.spool, one.number),
                    _save_model,
                    pd.date_range("2024-01-01", periods=30, freq="h"),
                    np.ones((30, 2)),
                    np.full((30, 2), 1.5),
                )

    def waiting(self) -> list[str]:
        return sorted(path.name for path in self.spool.glob("*"))

    @property
    def client(self) -> "MlflowClient":
        from mlflow.tracking import MlflowClient

        return MlflowClient(self.uri)

    def runs(self) -> "tuple[Run, list[Run]]":
        """The study's run, and those of its trials in the order in which they were made."""
        client = self.client
        experiment = client.get_experiment_by_name("tiny")
        assert experiment is not None
        runs = client.search_runs([experiment.experiment_id], max_results=100)
        kinds: dict[str, list[Run]] = {"study": [], "trial": []}
        for run in sorted(runs, key=lambda run: int(run.data.tags.get("search.trial", -1))):
            kinds[run.data.tags["search.kind"]].append(run)
        (parent,) = kinds["study"]
        return parent, kinds["trial"]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.tracking.mirror._PAUSES", (0.2,))


@pytest.fixture(autouse=True)
def no_drawing() -> Iterator[None]:
    with undrawn():
        yield


def _all_is_there(place: Place) -> None:
    parent, trials = place.runs()
    assert {int(t.data.tags["search.trial"]): t.info.status for t in trials} == STATUS
    assert len(trials) == len(RECORDS)
    assert all(t.data.tags["mlflow.parentRunId"] == parent.info.run_id for t in trials)
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics["finished_trials"] == 4
    assert parent.data.tags["best_trial"] == "0" and parent.data.params["seed"] == "7"
    assert len(parent.inputs.dataset_inputs) == 1
    assert "4 of 4 trials" in parent.data.tags["mlflow.note.content"]
    assert trials[0].data.metrics["best_val_mse"] == 0.02
    assert trials[0].data.params["units"] == "4" and trials[0].data.params["seed"] == "0"
    assert trials[0].data.params["window"] == trials[0].data.params["lookback"] == "24"
    learned = {name: trials[0].data.params[name] for name in ("target", "inputs", "schedule")}
    assert learned == {"target": "level", "inputs": "cycles", "schedule": "constant"}
    assert len(trials[0].inputs.dataset_inputs) == 1
    assert trials[2].data.tags["failure"] == "error in this program: KeyError: 'x'"
    assert trials[4].data.tags["retry_of"] == "3" and trials[4].data.tags["attempt"] == "2"
    fits = [t.data.metrics.get("fit_excess", 0.0) for t in trials]
    assert fits == pytest.approx([1.0, 0.0, 0.0, 0.0, math.sqrt(1.5)])
    assert [t.data.tags.get("regime") for t in trials] == ["balanced", *[None] * 3, "balanced"]
    # Written once, however often it is delivered.
    assert len(place.client.get_metric_history(trials[0].info.run_id, "fit_gap")) == 1
    curve = place.client.get_metric_history(trials[0].info.run_id, "val_mse")
    assert [(m.step, m.value) for m in curve] == [(1, 0.04), (2, 0.02), (3, 0.024)]
    paths = {p.path for p in place.client.list_artifacts(trials[0].info.run_id, "figures")}
    assert paths == {f"figures/{n}.png" for n in ("loss_curves", "one_week", "residuals_by_hour")}
    kept = [p.path for p in place.client.list_artifacts(trials[0].info.run_id, "forecasts")]
    assert kept == ["forecasts/forecasts.npz"]
    paths = {p.path for p in place.client.list_artifacts(trials[2].info.run_id)}
    assert paths == {"traceback.txt"}
    assert place.waiting() == []


def test_s2_t6_delivered_twice_each_attempt_is_one_run_with_a_true_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.tracking import MlflowClient

    def ends_here(*_args: object, **_named: object) -> None:
        raise RuntimeError("the process ends here")

    place = Place(tmp_path)
    place.fill_spool()
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "set_terminated", ends_here)
        first = place.mirror()
        first.show(RUNNING)
        first.show(RECORDS[1])
        assert not first.close(60, lambda: False)
    _, trials = place.runs()
    assert [t.info.status for t in trials] == ["RUNNING", "RUNNING"]
    assert place.waiting() == ["trial-0", "trial-1", "trial-4"]
    place.said.clear()
    for _ in range(2):
        mirror = place.mirror()
        mirror.catch_up(reversed(RECORDS))
        mirror.summarise(SUMMARY, State.COMPLETE)
        assert mirror.close(60, lambda: False)
        _all_is_there(place)
    assert place.said == []


def test_s8_every_call_that_fails_after_it_was_carried_out_leaves_one_run_an_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.tracking import MlflowClient

    monkeypatch.setattr("search.tracking.mirror._PAUSES", (0.0,))
    failed: set[tuple[str, str]] = set()

    def answer_is_lost_once(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            done = method(*args, **named)
            what = (name, str(named.get("run_name", args[1:2])))
            if what not in failed:
                failed.add(what)
                raise ConnectionError(f"the answer to {name} was lost")
            return done

        return call

    place = Place(tmp_path)
    place.fill_spool()
    with monkeypatch.context() as patch:
        for name in ("create_run", "log_batch", "log_inputs", "set_tag", "set_terminated"):
            method = getattr(MlflowClient, name)
            patch.setattr(MlflowClient, name, answer_is_lost_once(name, method))
        mirror = place.mirror()
        for one in RECORDS:
            mirror.show(one)
        mirror.summarise(SUMMARY, State.COMPLETE)
        assert mirror.close(120, lambda: False)
    assert len(failed) > 20
    _all_is_there(place)


def test_s2_another_study_of_the_same_name_gets_runs_of_its_own(tmp_path: Path) -> None:
    place = Place(tmp_path)
    for identity in ("first", "second"):
        place.fill_spool()
        mirror = place.mirror(identity)
        mirror.catch_up(RECORDS)
        assert mirror.close(60, lambda: False)
        assert place.waiting() == []
    experiment = place.client.get_experiment_by_name("tiny")
    assert experiment is not None
    runs = place.client.search_runs([experiment.experiment_id], max_results=100)
    for identity in ("first", "second"):
        own = [run for run in runs if run.data.tags["search.study_id"] == identity]
        assert len(own) == 1 + len(RECORDS)


def test_s8_a_slow_store_is_not_said_to_have_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_trial = StudyRuns.write_trial
    delivered: list[int] = []

    def slowly(runs: StudyRuns, one: TrialRecord) -> None:
        time.sleep(1)
        write_trial(runs, one)
        delivered.append(one.number)

    monkeypatch.setattr(StudyRuns, "write_trial", slowly)
    place = Place(tmp_path)
    mirror = place.mirror()
    for one in RECORDS:
        mirror.show(one)
    wait_until(lambda: bool(delivered), seconds=90)
    assert not mirror.close(0.1, lambda: False)
    assert len(delivered) < len(RECORDS)


def test_s1_a_stop_asked_for_during_the_last_delivery_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path)
    mirror = place.mirror()
    monkeypatch.setattr(search.tracking.mirror, "_SHORT_WAIT", 0.5)
    monkeypatch.setattr(StudyRuns, "write_trial", lambda runs, one: time.sleep(20))
    mirror.show(RECORDS[0])
    began = time.monotonic()
    asked_at = began + 1
    assert not mirror.close(120, lambda: time.monotonic() > asked_at)
    assert 1 < time.monotonic() - began < 5


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Where a server will be, and how it is started."""
    with server_in(tmp_path) as found:
        yield found


def test_s8_server_away_at_first_gets_everything_later_in_order_and_once(
    tmp_path: Path,
    server: tuple[str, Callable[[], object]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    uri, start = server
    place = Place(tmp_path, uri)
    place.fill_spool()
    given_up = place.mirror()
    given_up.show(RECORDS[0])
    wait_until(lambda: bool(place.said), seconds=90)
    assert not given_up.close(1, lambda: False)
    assert "does not answer" in place.said[0]
    assert place.waiting() == ["trial-0", "trial-1", "trial-4"]

    mirror = place.mirror()
    began = time.monotonic()
    for one in RECORDS:
        mirror.show(one)
    mirror.summarise(SUMMARY, State.COMPLETE)
    assert time.monotonic() - began < 1  # nobody waits for the server
    start()
    wait_until(lambda: place.waiting() == [], seconds=90)
    assert mirror.close(60, lambda: False)
    assert "MLflow answers again; delivery goes on." in place.said
    _all_is_there(place)
    order = "select value from tags where key = 'search.trial' order by rowid"
    assert query(tmp_path / "server.db", order) == [("0",), ("1",), ("2",), ("3",), ("4",)]
    assert capsys.readouterr().out == ""  # MLflow's addresses open in the view for language models


def test_of_the_standings_that_wait_only_the_last_is_written_and_the_end_comes_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_study = StudyRuns.write_study
    written: list[tuple[int, State]] = []

    def slowly(runs: StudyRuns, summary: StudySummary, state: State) -> None:
        time.sleep(0.2)
        write_study(runs, summary, state)
        written.append((summary.finished, state))

    monkeypatch.setattr(StudyRuns, "write_study", slowly)
    mirror = Place(tmp_path).mirror()
    for finished in range(50):
        mirror.summarise(StudySummary(tuple(RECORDS), finished), State.RUNNING)
    for one in RECORDS:
        mirror.show(one)
    mirror.summarise(StudySummary(tuple(RECORDS), 50), State.COMPLETE)
    assert mirror.close(60, lambda: False)
    assert written[-2:] == [(49, State.RUNNING), (50, State.COMPLETE)]
    assert len(written) <= 3


def test_a_standing_that_is_refused_does_not_keep_back_the_later_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []

    def refuse_the_first(runs: StudyRuns, summary: StudySummary, state: State) -> None:
        written.append(summary.finished)
        if len(written) == 1:
            raise ValueError("refused")

    monkeypatch.setattr(StudyRuns, "write_study", refuse_the_first)
    mirror = Place(tmp_path).mirror()
    mirror.summarise(StudySummary(tuple(RECORDS), 1), State.RUNNING)
    wait_until(lambda: written == [1], seconds=90)
    mirror.summarise(StudySummary(tuple(RECORDS), 2), State.RUNNING)
    assert not mirror.close(60, lambda: False)
    assert written == [1, 2] and mirror.undelivered == 1


def test_files_wait_where_mlflow_is_behind_and_all_comes_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search.tracking.mirror, "MANY", 1)
    order: list[str] = []
    for name in ("write_numbers", "write_files"):
        called = getattr(StudyRuns, name)

        def noted(
            self: StudyRuns,
            of: TrialRecord,
            *args: Any,
            _name: str = name,
            _call: Any = called,
            **kw: Any,
        ) -> Any:
            order.append(f"{_name} {of.number}")
            return _call(self, of, *args, **kw)

        monkeypatch.setattr(StudyRuns, name, noted)
    place = Place(tmp_path)
    place.fill_spool()
    mirror = place.mirror()
    for one in RECORDS:
        mirror.show(one)
    mirror.summarise(SUMMARY, State.COMPLETE)
    assert mirror.close(60, lambda: False)
    _all_is_there(place)
    assert order.index("write_numbers 4") < order.index("write_files 0")
    (line,) = place.said
    assert "behind" in line and "Nothing is lost" in line
