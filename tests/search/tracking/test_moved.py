"""A project folder that was moved; experiments and runs that were deleted in the MLflow UI."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from search.common.records import State
from search.common.stores import ROOT
from search.results.summary import StudySummary
from search.tracking.existing_runs import KeptRuns
from search.tracking.mirror import Mirror
from search.tracking.moved import follow
from tests.search.mlflow_stores import empty_store
from tests.search.samples import facts, record, result
from tests.search.sleeping_pool import undrawn

_ARGUMENTS = ("URI", "tiny", "one")
RECORDS = (record(0, result(0.02)), record(1, result(0.03)))


class Project:
    """A folder with `mlruns` in it, and a study of two trials in its store."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / ROOT
        self.root.mkdir(parents=True)
        empty_store(self.root)
        self.said: list[str] = []

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.root}/mlflow.db"

    def deliver(self) -> None:
        place = self.root / "artifacts", self.root / "lock", self.root / "spool"
        mirror = Mirror(self.uri, *place, facts(identity="one"), self.said.append)
        with undrawn():
            mirror.catch_up(RECORDS)
            mirror.summarise(StudySummary(RECORDS, finished=2), State.COMPLETE)
            assert mirror.close(60, lambda: 0)

    def query(self, sql: str) -> list[tuple[str, ...]]:
        with sqlite3.connect(f"{self.root}/mlflow.db") as store:
            return store.execute(sql).fetchall()

    def parents(self) -> set[str]:
        found = self.query("SELECT value FROM tags WHERE key = 'mlflow.parentRunId'")
        return {value for (value,) in found}

    def study_run(self) -> str:
        sql = "SELECT run_uuid FROM tags WHERE key = 'search.kind' AND value = 'study'"
        ((run,),) = self.query(sql)
        return run


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "before")
    made.deliver()
    return made


def test_d25_artifacts_follow_a_folder_that_was_renamed(project: Project, tmp_path: Path) -> None:
    project.root.parent.rename(tmp_path / "after")
    project.root = tmp_path / "after" / ROOT
    # In a process of its own: MLflow remembers the places of runs that it has written to.
    code = f"from {KeptRuns.__module__} import KeptRuns as K; K(*{_ARGUMENTS!r}).try_writing()"
    done = subprocess.run(
        [sys.executable, "-c", code.replace("URI", project.uri)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "was moved" in done.stderr and str(project.root / "artifacts") in done.stderr
    assert not follow(project.uri)
    assert "before" not in str(project.query("SELECT artifact_uri FROM runs"))
    assert list(project.root.rglob("promotion.txt")) and not (tmp_path / "before").exists()


def test_d25_a_store_whose_artifacts_are_gone_says_where_they_belong(
    project: Project, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "alone.db"
    (project.root / "mlflow.db").rename(elsewhere)
    project.root.parent.rename(tmp_path / "hidden")
    told = follow(f"sqlite:///{elsewhere}")
    assert str(project.root / "artifacts") in told and str(tmp_path / "artifacts") in told


def test_d26_a_deleted_experiment_is_restored_with_its_runs(project: Project) -> None:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(project.uri)
    found = client.get_experiment_by_name("tiny")
    assert found is not None
    client.delete_experiment(found.experiment_id)
    project.deliver()
    assert "experiment 'tiny' was deleted: restored" in " ".join(project.said)
    assert len(client.search_runs([found.experiment_id])) == 3


def test_d26_deleted_runs_are_restored(project: Project) -> None:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(project.uri)
    study = project.study_run()
    client.delete_run(study)
    project.deliver()
    assert "1 run(s) of the study were deleted in MLflow: restored" in " ".join(project.said)
    assert project.study_run() == study and project.parents() == {study}


def test_d26_a_purged_study_run_is_made_anew_above_its_trials(project: Project) -> None:
    before = project.study_run()
    with sqlite3.connect(f"{project.root}/mlflow.db") as store:
        for table in ("tags", "params", "metrics", "latest_metrics", "runs"):
            store.execute(f"DELETE FROM {table} WHERE run_uuid = ?", (before,))
    project.deliver()
    assert "made anew" in " ".join(project.said)
    assert project.parents() == {project.study_run()} != {before}
