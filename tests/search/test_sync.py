"""`search.sync`: MLflow brought in line with a study's database, without its data, and once."""

import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from filelock import FileLock

from experiments.catalogue import CATALOGUE
from search import sync
from search.benchmark.scratch_study import SILENT, private_study
from search.common.errors import DONE, REFUSED_OR_FAILED, WRONG_INPUT
from search.common.records import Task
from search.common.spool import write_spool
from search.common.stores import Stores
from search.engine.plan import adapt, make_plan
from search.engine.session import conduct
from tests.search.command import REPOSITORY, mlflow_runs, query, trial_states
from tests.search.mlflow_stores import empty_store
from tests.search.sleeping_pool import SleepingPool, undrawn

STUDY = "benchmark"


def _save_model(path: Path) -> None:
    path.write_text("a model")


class _Pool(SleepingPool):
    def submit(self, task: Task) -> None:
        hours = pd.date_range("2014-06-05", periods=24, freq="h")
        actual = np.arange(24.0)[:, None]
        write_spool(task.spool, _save_model, hours, actual, actual + 1)
        super().submit(task)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both stores of a finished study of a file that is gone since."""
    place = tmp_path_factory.mktemp("sync")
    data = place / "meter.csv"
    source = CATALOGUE["smoke"].source
    shutil.copy(source.file, data)
    plan = make_plan(adapt(CATALOGUE["smoke"], {"trials": 3, "source.path": data}))
    (place / "mlruns").mkdir()
    empty_store(place / "mlruns")
    session = private_study(plan, place / "mlruns", "random")
    pool = _Pool(session.facts.baselines["ridge_by_hour"].validation)
    with undrawn():
        conduct(pool, session, SILENT)
    data.unlink()
    return place


@pytest.fixture
def place(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished / "mlruns", tmp_path / "mlruns")
    return tmp_path


def _sync(place: Path, *words: str) -> Result:
    stores = [
        *("--storage", f"sqlite:///{place}/mlruns/optuna.db"),
        *("--tracking-uri", f"sqlite:///{place}/mlruns/mlflow.db"),
    ]
    return CliRunner().invoke(sync.main, ["--study", STUDY, *stores, *words])


def _statuses(place: Path) -> dict[str, str]:
    return {r["search.trial"]: r["status"] for r in mlflow_runs(place) if "search.trial" in r}


def test_s2_where_nothing_is_missing_it_does_nothing(place: Path) -> None:
    before = mlflow_runs(place)
    done = _sync(place)
    assert done.exit_code == DONE, done.output
    assert "has all 3 attempts" in done.stdout and "created 0 missing runs" in done.stdout
    after = mlflow_runs(place)
    assert [(r["run_id"], r["status"]) for r in after] == [
        (r["run_id"], r["status"]) for r in before
    ]


def test_s2_runs_that_are_gone_are_made_anew_once(place: Path) -> None:
    (place / "mlruns" / "mlflow.db").unlink()
    done = _sync(place)
    assert done.exit_code == DONE, done.output
    assert "created 3 missing runs" in done.stdout
    assert _statuses(place) == {str(n): "FINISHED" for n in range(3)}
    (parent,) = [r for r in mlflow_runs(place) if r["search.kind"] == "study"]
    assert parent["status"] == "FINISHED" and "ridge_by_hour" in parent["mlflow.note.content"]
    curves = query(
        place / "mlruns" / "mlflow.db", "select count(*) from metrics where key = 'val_mse'"
    )
    assert curves == [(6,)]
    assert "created 0 missing runs" in _sync(place).stdout
    assert len(mlflow_runs(place)) == 4


def test_s2_attempts_that_no_process_runs_are_ended_and_wait_for_the_next_search(
    place: Path,
) -> None:
    with sqlite3.connect(place / "mlruns" / "optuna.db") as store:
        store.execute("update trials set state = 'RUNNING' where number = 2")
        store.execute(
            """delete from trial_user_attributes where key = 'result'
               and trial_id = (select trial_id from trials where number = 2)"""
        )
    store.close()
    (place / "mlruns" / "mlflow.db").unlink()
    done = _sync(place)
    assert done.exit_code == DONE, done.output
    assert "ended 1 attempts that no process was running" in done.stdout
    assert trial_states(place) == {0: "COMPLETE", 1: "COMPLETE", 2: "FAIL", 3: "WAITING"}
    assert _statuses(place) == {"0": "FINISHED", "1": "FINISHED", "2": "FAILED"}


def test_the_copy_that_the_manual_makes_is_enough(place: Path) -> None:
    manual = (REPOSITORY / "docs" / "operations.md").read_text()
    (words,) = re.findall(r"^\.venv/bin/python -c \"(import sqlite3.*)\"$", manual, re.MULTILINE)
    subprocess.run([sys.executable, "-c", words], cwd=place, check=True)
    (place / "mlruns" / "optuna-copy.db").rename(place / "optuna.db")
    shutil.rmtree(place / "mlruns")
    (place / "mlruns").mkdir()
    (place / "optuna.db").rename(place / "mlruns" / "optuna.db")
    assert "created 3 missing runs" in _sync(place).stdout


def test_s2_runs_of_attempts_that_an_older_copy_lacks_are_set_aside(place: Path) -> None:
    with sqlite3.connect(place / "mlruns" / "optuna.db") as store:
        # As if after the copy attempt 2 had been begun for the first time, and attempt 1 anew.
        store.execute("delete from trials where number = 2")
        store.execute(
            "update trials set datetime_start = '2024-01-02 03:04:05.678' where number = 1"
        )
    store.close()
    before = {r["search.trial"]: r["run_id"] for r in mlflow_runs(place) if "search.trial" in r}
    done = _sync(place)
    assert done.exit_code == DONE, done.output
    assert "created 1 missing runs" in done.stdout and "set aside 2 runs" in done.stdout
    assert _statuses(place) == {"0": "FINISHED", "1": "FINISHED"}
    after = {r["search.trial"]: r["run_id"] for r in mlflow_runs(place) if "search.trial" in r}
    assert after["0"] == before["0"] and after["1"] != before["1"]
    aside = {
        r["search.superseded"]: r["run_id"] for r in mlflow_runs(place) if "search.superseded" in r
    }
    assert aside == {"1": before["1"], "2": before["2"]}
    assert "set aside" not in _sync(place).stdout


def test_s5_a_study_that_runs_is_refused(place: Path) -> None:
    stores = Stores(f"sqlite:///{place}/mlruns/optuna.db", "sqlite:///x.db", None, place / "mlruns")
    with FileLock(stores.study_lock(STUDY)):
        done = _sync(place)
    assert done.exit_code == REFUSED_OR_FAILED and "is being run by process" in done.stderr


def test_s8_p8_a_store_that_is_away_is_not_said_to_have_everything_nor_with_its_password(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.tracking.mirror._LONG_WAIT", 0.5)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
    done = _sync(place, "--tracking-uri", "http://bob:s3cr3t@127.0.0.1:9")
    assert done.exit_code == REFUSED_OR_FAILED
    assert "does not have everything" in done.stderr and "does not answer" in done.stderr
    assert "s3cr3t" not in done.output


def test_an_unknown_study_and_an_unsafe_name_are_refused(place: Path) -> None:
    unknown = _sync(place, "--study", "nothing")
    assert unknown.exit_code == REFUSED_OR_FAILED and STUDY in unknown.stderr
    unsafe = _sync(place, "--study", "../x")
    assert unsafe.exit_code == WRONG_INPUT and "--study" in unsafe.stderr
