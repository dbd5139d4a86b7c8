"""What can be read back from an MLflow store, and what is said where it is not there."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from search.common.records import State
from search.common.spool import folder, write_spool
from search.results.summary import StudySummary
from search.tracking.existing_runs import KeptRuns, NotThere
from search.tracking.study_runs import StudyRuns
from tests.search.mlflow_stores import empty_store
from tests.search.samples import facts, record, result
from tests.search.sleeping_pool import undrawn

HOURS = pd.date_range("2024-01-01", periods=30, freq="h")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URI of a store with a study of two trials, the second without forecasts."""
    place = tmp_path_factory.mktemp("kept")
    uri, spool = empty_store(place), place / "spool"
    runs = StudyRuns(uri, place / "artifacts", place / "lock", spool, facts())
    forecast = np.arange(60.0).reshape(30, 2)
    write_spool(folder(spool, 0), lambda path: path.touch(), HOURS, np.ones((30, 2)), forecast)
    records = (record(0, result(0.02)), record(1, result(0.03)))
    runs.connect()
    with undrawn():
        for one in records:
            runs.write_trial(one)
        runs.write_study(StudySummary(records, finished=2), State.COMPLETE)
    return uri


def test_forecasts_come_back_as_they_were_kept(store: str) -> None:
    found = KeptRuns(store, "tiny", "first").forecasts(0)
    assert found.times.equals(HOURS)
    assert np.array_equal(found.forecast, np.arange(60.0).reshape(30, 2))
    assert np.array_equal(found.actual, np.ones((30, 2)))


def test_what_is_not_there_is_said(store: str, tmp_path: Path) -> None:
    runs = KeptRuns(store, "tiny", "first")
    with pytest.raises(NotThere, match="its forecasts were not kept"):
        runs.forecasts(1)
    with pytest.raises(NotThere, match="trial` = '7'"):
        runs.forecasts(7)
    with pytest.raises(NotThere, match="no experiment 'large'"):
        KeptRuns(store, "large", "first")
    with pytest.raises(NotThere, match="no run"):
        KeptRuns(store, "tiny", "another").log_report(tmp_path)
    with pytest.raises(NotThere, match="there is no"):
        KeptRuns(f"sqlite:///{tmp_path}/none.db", "tiny", "first")
    assert not (tmp_path / "none.db").exists()


def test_a_report_is_logged_to_the_studys_own_run(store: str, tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    (tmp_path / "index.html").write_text("a page")
    KeptRuns(store, "tiny", "first").log_report(tmp_path)
    client = MlflowClient(store)
    experiment = client.get_experiment_by_name("tiny")
    (run,) = client.search_runs([experiment.experiment_id], "tags.`search.kind` = 'study'")
    assert [p.path for p in client.list_artifacts(run.info.run_id, "report")] == [
        "report/index.html"
    ]
