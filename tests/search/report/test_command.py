"""`python -m search.report` on a real store whose trainings were made up."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import Result
from matplotlib.image import imread

from experiments.catalogue import CATALOGUE
from search.benchmark.scratch_study import SILENT, private_study
from search.common.errors import DONE, REFUSED_OR_FAILED, WRONG_INPUT
from search.common.records import Task
from search.common.spool import write_spool
from search.engine.plan import adapt, make_plan
from search.engine.session import conduct
from search.report import __main__ as report
from tests.search.command import here, run
from tests.search.mlflow_stores import empty_store
from tests.search.sleeping_pool import SleepingPool, undrawn


class ForecastingPool(SleepingPool):
    """Makes a day of forecasts up, too: one above the actual hours."""

    def submit(self, task: Task) -> None:
        hours = pd.date_range("2014-06-05", periods=24, freq="h")
        actual = np.arange(24.0)[:, None]
        write_spool(task.spool, lambda path: None, hours, actual, actual + 1)
        super().submit(task)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both stores of a finished study called "benchmark"."""
    place = tmp_path_factory.mktemp("report") / "stores"
    plan = make_plan(adapt(CATALOGUE["smoke"], {"trials": 5}))
    place.mkdir()
    empty_store(place)
    session = private_study(plan, place, "random")
    pool = ForecastingPool(session.facts.baselines["ridge_by_hour"].validation)
    with undrawn():
        conduct(pool, session, SILENT)
    return place


def _words(store: Path, words: tuple[str, ...]) -> list[str]:
    stores = [
        *("--storage", f"sqlite:///{store}/optuna.db"),
        *("--tracking-uri", f"sqlite:///{store}/mlflow.db"),
    ]
    return [*stores, *words]


def _report(store: Path, place: Path, *words: str) -> Result:
    return here(place, report.main, *_words(store, words))


def test_it_writes_page_figures_tables_and_facts_and_logs_them(store: Path, tmp_path: Path) -> None:
    words = _words(store, ("--study", "benchmark", "--language", "ko"))
    process = run(tmp_path, *words, module="search.report", afresh=True)
    assert process.returncode == DONE, process.stderr
    assert process.stdout.splitlines()[-1].startswith("Page: ")
    assert f"{sys.executable} -m search.run" in process.stdout, "commands run as printed"
    assert " python -m" not in process.stdout
    place = tmp_path / "mlruns" / "report" / "benchmark"
    assert '<html lang="ko">' in (place / "index.html").read_text(encoding="utf-8")
    found = json.loads((place / "facts.json").read_text(encoding="utf-8"))
    assert len(found["trials"]) == 5 and found["unit"] == "MW"
    rows = list(csv.DictReader((place / "trials.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["regime"] for row in rows} <= {"underfit", "balanced", "overfit"}
    assert float(rows[0]["val.rmse"]) == pytest.approx(found["trials"][0]["val"]["rmse"])
    for name in ("designs", "baselines", "claims"):
        assert (place / f"{name}.csv").read_text(encoding="utf-8").count("\n") > 1
    assert imread(place / "train_val.png").shape[1] > 600
    assert (place / "train_val.svg").read_text(encoding="utf-8").startswith("<svg")
    week = list(csv.DictReader((place / "weeks.csv").read_text(encoding="utf-8").splitlines()))
    assert len(week) == 24 and week[5]["time"] == "2014-06-05T05:00:00"
    assert {float(hour["forecast"]) - float(hour["actual"]) for hour in week} == {1.0}
    assert week[0]["trial"] == str(found["best"]["trial"]) and (place / "weeks.svg").exists()
    logged = {path.name for path in (store / "artifacts").rglob("report/*")}
    assert logged == {path.name for path in place.iterdir()}


def test_as_json_it_prints_the_facts(store: Path, tmp_path: Path) -> None:
    done = _report(store, tmp_path, "--study", "benchmark", "--json", "--out", "here")
    assert json.loads(done.stdout)["studies"][0]["name"] == "benchmark"
    assert (tmp_path / "here" / "index.html").exists()


def test_a_store_that_mlflow_does_not_have_is_said_and_not_made(
    store: Path, tmp_path: Path
) -> None:
    words = ("--study", "benchmark", "--study", "benchmark", "--json", "--out", "here")
    done = _report(store, tmp_path, *words, "--tracking-uri", f"sqlite:///{tmp_path}/none.db")
    assert done.exit_code == DONE and "there is no" in done.stderr
    assert "No week of trial" in done.stderr
    assert "MLflow holds no forecasts" in (tmp_path / "here" / "index.html").read_text()
    assert [study["name"] for study in json.loads(done.stdout)["studies"]] == ["benchmark"]
    assert not (tmp_path / "none.db").exists()


def test_an_unknown_study_is_refused_by_name(store: Path, tmp_path: Path) -> None:
    done = _report(store, tmp_path, "--study", "nothing")
    assert done.exit_code == REFUSED_OR_FAILED
    assert "'nothing'" in done.stderr and "benchmark" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_database_none_is_made(tmp_path: Path) -> None:
    done = _report(tmp_path, tmp_path, "--study", "benchmark")
    assert done.exit_code == REFUSED_OR_FAILED and "no study database" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_language_is_wrong_input(tmp_path: Path) -> None:
    assert _report(tmp_path, tmp_path, "--study", "x", "--language", "xx").exit_code == WRONG_INPUT
