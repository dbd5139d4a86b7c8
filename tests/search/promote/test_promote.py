"""From a finished study to a model that answers: the real commands on the real data."""

import csv
import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread
from playwright.sync_api import Page, expect

from data_pipeline.source import BUILTIN_PATH
from search.common.errors import DONE, REFUSED_OR_FAILED, WRONG_INPUT
from search.report import __main__ as report_command
from tests.search.browser import WORKFLOW, Site, screenshot
from tests.search.command import environment, here, mlflow_runs, query
from tests.search.promote.commands import (
    FITTED,
    PROMOTE,
    predict,
    predict_here,
    promote_here,
    write_meter,
)

REPOSITORY = str(Path(__file__).parents[3])


@pytest.fixture(scope="module")
def promoted(refused: tuple[Path, dict[str, Any]]) -> tuple[Path, str]:
    """The same study promoted by force, and the CSV of its last 400 hours."""
    place = refused[0]
    done = promote_here(place, *PROMOTE, "--force", "--quiet")
    assert done.exit_code == DONE, done.stderr
    assert "by force, although" in done.stdout
    write_meter(place)
    return place, done.stdout


def test_p3_what_does_not_beat_the_baselines_is_not_promoted(
    refused: tuple[Path, dict[str, Any]],
) -> None:
    place, found = refused
    assert not found["promoted"] and found["opening"] == 1
    (only,) = found["objections"]
    best = min(
        (one for one in found["scores"] if one != "this model"),
        key=lambda name: found["scores"][name]["rmse"],
    )
    assert best in FITTED
    assert only.startswith(f"it does not beat the best baseline, {best}: RMSE")
    floor = next(one for one in found["compared"] if one["name"] == best)
    assert floor["low"] < floor["difference"] < floor["high"] and floor["p"] > 0.05
    assert found["scores"]["this model"]["rmse"] == pytest.approx(floor["challenger"])
    assert found["scores"][best]["rmse"] == pytest.approx(floor["other"])
    assert query(place / "mlruns" / "mlflow.db", "select name from registered_models") == []


def test_the_retest_trains_with_fresh_seeds_on_every_fold(
    refused: tuple[Path, dict[str, Any]],
) -> None:
    place, found = refused
    assert len(found["retest"]) == 2 and {one["seeds"] for one in found["retest"]} == {2}
    best = next(o["name"] for o in found["retest"] if not o["reference"])
    assert found["parts"][0]["name"] == best
    database = place / "mlruns" / "optuna.db"
    (name,) = (n for (n,) in query(database, "select study_name from studies") if "retest" in n)
    seeds = dict(
        query(
            database,
            "select study_name, group_concat(distinct value_json) from studies "
            "join trials using (study_id) join trial_user_attributes using (trial_id) "
            "where key = 'seed' group by study_name",
        )
    )
    assert not set(seeds[name].split(",")) & set(seeds["smoke"].split(","))
    report = here(place, report_command.main, "--study", name)
    assert report.exit_code == REFUSED_OR_FAILED and "re-test of study 'smoke'" in report.stderr


def test_a_promotion_is_a_run_under_the_studys_with_scores_card_and_figure(
    promoted: tuple[Path, str],
) -> None:
    place = promoted[0]
    runs = mlflow_runs(place)
    (study,) = [
        r for r in runs if r.get("search.kind") == "study" and r["mlflow.runName"] == "smoke"
    ]
    promotions = [r for r in runs if r.get("search.kind") == "promotion"]
    assert [r["status"] for r in promotions] == ["FAILED", "FINISHED"]
    assert {r["mlflow.parentRunId"] for r in promotions} == {study["run_id"]}
    page = promotions[1]["mlflow.note.content"]
    assert "Opening number 2" in page and "no longer those of unseen data" in page
    assert "Promoted by force although" in page and "90 % interval" in page
    metrics = dict(
        query(
            place / "mlruns" / "mlflow.db",
            f"select key, value from latest_metrics where run_uuid = '{promotions[1]['run_id']}'",
        )
    )
    assert metrics["test_rmse"] > metrics["test_rmse_ridge_by_hour"] > 0
    assert 0.8 < metrics["test_coverage_90"] <= 1.0
    assert 0.8 < metrics["test_coverage_90_last_quarter"] <= 1.0
    assert metrics["test_coverage_90_lowest_step"] == metrics["test_coverage_90"]
    kept = {
        path.name for path in (place / "mlruns").rglob("*") if promotions[1]["run_id"] in str(path)
    }
    assert {"model_card.md", "test_week.png", "retest.txt", "model.keras", "facts.json"} <= kept
    assert not any(name.endswith(".pkl") for name in kept)


@pytest.fixture(scope="module")
def store(request: pytest.FixtureRequest) -> Path:
    """An `mlruns` folder with a champion."""
    if given := os.environ.get("STORE"):
        return Path(given).resolve()
    place: Path = request.getfixturevalue("promoted")[0]
    return place / "mlruns"


def test_the_registry_page_shows_the_champion_and_its_card(
    page: Page, site: Site, store: Path
) -> None:
    ((name, version, card),) = query(
        store / "mlflow.db",
        """select name, version, description from model_versions
           join registered_model_aliases using (name, version) where alias = 'champion'""",
    )
    page.goto(f"{site.address}/#/models/{name}/versions/{version}?{WORKFLOW}")
    expect(page.get_by_text(f"Version {version}", exact=True).first).to_be_visible()
    expect(page.get_by_text("champion").first).to_be_visible()
    assert "**Hourly forecasts of victoria_2014_hourly in MW**" in card
    expect(page.get_by_text("Hourly forecasts of victoria_2014_hourly in MW")).to_be_visible()
    for cell in ("this model", "ridge_by_hour", "same_hour_last_week"):
        expect(page.get_by_role("cell", name=cell, exact=True)).to_be_visible()
    for said in ("against ridge_by_hour: RMSE", "90 % interval: forecast", "Limits:"):
        assert said in card
        expect(page.get_by_text(said)).to_be_visible()
    screenshot(page, "registry")


def test_the_history_names_who_overrode_what(promoted: tuple[Path, str]) -> None:
    place = promoted[0]
    done = promote_here(place, "--history", "--json")
    (event,) = json.loads(done.stdout)
    assert event["action"] == "promoted" and event["by"]
    assert "does not beat the best baseline" in event["details"]["objections"][0]
    back = promote_here(place, "--rollback")
    assert back.exit_code == REFUSED_OR_FAILED and "no version to go back to" in back.stderr


def test_predict_prints_the_coming_hours_as_csv_and_draws_them(promoted: tuple[Path, str]) -> None:
    place = promoted[0]
    done = predict(place, "--data", "meter.csv", "--plot", "p.png")
    assert done.returncode == DONE, done.stderr
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert row["Date"] == "2014-05-10T03:00:00"
    assert float(row["low"]) < float(row["forecast"]) < float(row["high"])
    assert 2500 < float(row["forecast"]) < 7500
    assert imread(place / "p.png").shape[1] > 600
    assert "Warning" not in done.stderr and "Traceback" not in done.stderr
    assert "warning: promoted by force although it does not beat the best" in done.stderr
    assert "lie outside" not in done.stderr


def test_hours_that_it_has_not_learned_from_are_forecast_with_a_warning(
    promoted: tuple[Path, str],
) -> None:
    place = promoted[0]
    lines = (place / "meter.csv").read_text().splitlines()
    warm = [line.split(",") for line in lines[-3:]]
    hot = [f"{time},{float(celsius) + 20},{usage}" for time, celsius, usage in warm]
    (place / "hot.csv").write_text("\n".join([*lines[:-3], *hot]) + "\n")
    done = predict_here(place, "--data", "hot.csv")
    assert done.exit_code == DONE and done.stdout.count("\n") == 2
    assert "warning: 3 of the last 24 values of 'Temperature' lie outside" in done.stderr


def test_gaps_are_filled_as_far_as_is_asked_for(promoted: tuple[Path, str]) -> None:
    place = promoted[0]
    lines = (place / "meter.csv").read_text().splitlines()
    # Within the last window of 24 hours.
    (place / "holes.csv").write_text("\n".join(lines[:-20] + lines[-12:]) + "\n")
    options = ("--data", "holes.csv", "--gaps", "interpolate")
    assert predict_here(place, *options).exit_code == WRONG_INPUT
    done = predict_here(place, *options, "--max-gap", "8")
    assert done.exit_code == DONE and done.stdout.startswith("Date,forecast,low,high")


def test_d21_old_gaps_an_empty_begin_and_coming_weather_do_not_stop_a_forecast(
    promoted: tuple[Path, str],
) -> None:
    place = promoted[0]
    lines = (place / "meter.csv").read_text().splitlines()
    usual = predict_here(place, "--data", "meter.csv").stdout
    first = lines[1].rsplit(",", 1)[0] + ","
    coming = [f"2014-05-10 {hour:02d}:00,15.0," for hour in (3, 4, 5)]
    holes = [lines[0], first, *lines[2:50], *lines[80:], *coming]
    (place / "old.csv").write_text("\n".join(holes) + "\n")
    done = predict_here(place, "--data", "old.csv")
    assert done.exit_code == DONE, done.stderr
    assert done.stdout.split(",")[:4] == usual.split(",")[:4]
    assert "gaps in them" in done.stderr and "the last 3 hours" in done.stderr
    (old,), (whole,) = (list(csv.DictReader(io.StringIO(text))) for text in (done.stdout, usual))
    assert old["Date"] == whole["Date"] and old["forecast"] == whole["forecast"]


def test_d21_a_file_of_the_same_make_or_another_is_forecast_alike(
    promoted: tuple[Path, str],
) -> None:
    place = promoted[0]
    header, *rows = (place / "meter.csv").read_text().splitlines()
    usual = predict_here(place, "--data", "meter.csv").stdout
    other = [header.replace(",", ";")]
    for row in rows:
        time, celsius, usage = row.split(",")
        day, clock = time.replace("T", " ").split(" ")
        year, month, date = day.split("-")
        cells = [f"{date}.{month}.{year} {clock}", celsius, usage]
        other.append(
            ";".join(cells).replace(".", ",").replace(f"{date},{month},", f"{date}.{month}.")
        )
    (place / "other.csv").write_text("\n".join(other) + "\n")
    done = predict_here(place, "--data", "other.csv")
    assert done.exit_code == DONE, done.stderr
    assert done.stdout == usual


def test_a_backtest_scores_the_files_own_hours_beside_simple_forecasts(
    promoted: tuple[Path, str],
) -> None:
    place = promoted[0]
    done = predict_here(place, "--data", "meter.csv", "--backtest")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    names = ["champion", "same_hour_last_week", "last_value"]
    assert [row["forecast"] for row in rows] == 2 * names
    assert [row["period"] for row in rows[::3]] == ["learned from", "not seen in training"]
    assert sum(int(row["windows"]) for row in rows[::3]) == 400 - 168
    assert float(rows[0]["rmse"]) > 0 and 0 <= float(rows[0]["covered_90"]) <= 1
    # Hours enough to fit a baseline on are not in this file.
    assert "No fitted baseline is shown" in done.stderr


def test_a_backtest_on_the_whole_file_shows_the_fitted_baselines_and_what_was_covered(
    promoted: tuple[Path, str],
) -> None:
    place = promoted[0]
    lines = BUILTIN_PATH.read_text().splitlines()
    (place / "months.csv").write_text("\n".join([lines[0], *lines[2161:4345]]) + "\n")
    done = predict_here(place, "--data", "months.csv", "--backtest")
    rows = {
        row["forecast"]: row
        for row in csv.DictReader(io.StringIO(done.stdout))
        if row["period"] == "not seen in training"
    }
    assert float(rows["ridge_by_hour"]["rmse"]) < float(rows["champion"]["rmse"])
    for column in ("covered_90", "covered_90_last_quarter"):
        assert 0.85 < float(rows["champion"][column]) < 0.95
        assert rows["ridge_by_hour"][column] == ""


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--data", "none.csv"), WRONG_INPUT, "expected a CSV file"),
        (("--data", "short.csv"), WRONG_INPUT, "hours, found 5"),
        (("--data", "gap.csv"), WRONG_INPUT, "missing"),
        (("--data", "kilo.csv"), WRONG_INPUT, "far outside"),
        (("--data", "giga.csv"), WRONG_INPUT, "far outside"),
        (("--data", "meter.csv", "--name", "../x"), WRONG_INPUT, "--name"),
        (("--data", "meter.csv", "--name", "x" * 300), WRONG_INPUT, "--name"),
        (("--data", "meter.csv", "--name", "nobody"), REFUSED_OR_FAILED, "'nobody'"),
        (("--data", "meter.csv", "--plot", "p.txt"), WRONG_INPUT, "--plot"),
        (("--data", "meter.csv", "--plot", "p.png", "--backtest"), WRONG_INPUT, "give one"),
        (("--data", "meter.csv", "--target", "Demand"), WRONG_INPUT, "Demand"),
    ],
)
def test_p5_p6_bad_input_is_refused_with_place_and_remedy(
    promoted: tuple[Path, str], options: tuple[str, ...], code: int, said: str
) -> None:
    place = promoted[0]
    lines = (place / "meter.csv").read_text().splitlines()
    (place / "short.csv").write_text("\n".join(lines[:6]) + "\n")
    (place / "gap.csv").write_text("\n".join(lines[:-8] + lines[-5:]) + "\n")
    kilo = [line.rsplit(",", 1) for line in lines[1:]]
    thousand = [f"{rest},{float(value) * 1000:.0f}" for rest, value in kilo]
    giga = [f"{rest},{float(value) / 1000}" for rest, value in kilo]
    (place / "giga.csv").write_text("\n".join([lines[0], *giga]) + "\n")
    (place / "kilo.csv").write_text("\n".join([lines[0], *thousand]) + "\n")
    done = predict_here(place, *options)
    assert done.exit_code == code, done.stderr
    assert said in done.stderr and "Traceback" not in done.stderr and done.stdout == ""


def test_a_gap_before_the_hours_that_are_read_is_told_and_does_not_stop_a_forecast(
    promoted: tuple[Path, str],
) -> None:
    place = promoted[0]
    lines = (place / "meter.csv").read_text().splitlines()
    (place / "old_gap.csv").write_text("\n".join(lines[:100] + lines[103:]) + "\n")
    whole, done = (predict_here(place, "--data", name) for name in ("meter.csv", "old_gap.csv"))
    assert done.exit_code == whole.exit_code == DONE, done.stderr
    assert "left out: there are gaps in them" in done.stderr
    forecasts = [line.split(",")[1] for line in (whole.stdout + done.stdout).splitlines()]
    assert forecasts[1] == forecasts[3]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ((), WRONG_INPUT, "--study NAME is needed"),
        (("--study", "nothing"), REFUSED_OR_FAILED, "no study 'nothing'"),
        (("--study", "smoke", "--name", "a/b"), WRONG_INPUT, "--name"),
        (("--study", "smoke", "--name", "a\tb"), WRONG_INPUT, "--name"),
        (("--study", "smoke", "--folds", "50"), WRONG_INPUT, "at most"),
        (("--rollback", "--history"), WRONG_INPUT, "two things"),
        (("--study", "smoke", "--force", "--serve-best"), WRONG_INPUT, "give one of them"),
        (("--rollback", "--serve-best"), WRONG_INPUT, "leave them out with --rollback"),
    ],
)
def test_p6_a_wrong_wish_is_refused_and_changes_nothing(
    refused: tuple[Path, dict[str, Any]], options: tuple[str, ...], code: int, said: str
) -> None:
    place = refused[0]
    before = len(mlflow_runs(place))
    done = promote_here(place, *options)
    assert done.exit_code == code, done.stderr
    assert said in done.stderr and "Traceback" not in done.stderr
    assert len(mlflow_runs(place)) == before


def test_without_a_store_both_commands_say_what_comes_first(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("Date,Usage\n")
    for done in (
        promote_here(tmp_path, "--study", "s"),
        predict_here(tmp_path, "--data", "x.csv"),
    ):
        assert done.exit_code == REFUSED_OR_FAILED and "Next: " in done.stderr
        assert not (tmp_path / "mlruns" / "mlflow.db").exists()


def test_p1_a_champion_that_was_tampered_with_does_not_forecast(
    promoted: tuple[Path, str],
) -> None:
    # Artifacts are named by absolute paths, so the original is changed, and put back.
    (kept,) = (promoted[0] / "mlruns" / "artifacts").rglob("data/forecaster/model.keras")
    whole = kept.read_bytes()
    try:
        kept.write_bytes(whole[: len(whole) // 2])
        done = predict_here(promoted[0], "--data", "meter.csv")
    finally:
        kept.write_bytes(whole)
    assert done.exit_code == REFUSED_OR_FAILED and "is not what was registered" in done.stderr


@pytest.fixture(scope="module")
def server(promoted: tuple[Path, str]) -> Iterator[str]:
    """The address of MLflow's own server with the champion, started outside this repository."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = promoted[0]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environ = kept | {
        "MLFLOW_TRACKING_URI": f"sqlite:///{place}/mlruns/mlflow.db",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CUDA_VISIBLE_DEVICES": "-1",
        "PYTHONDONTWRITEBYTECODE": "",  # as most people have it: it is written into the model
    }
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/smoke@champion"]
    log = (place / "serve.log").open("w")
    process = subprocess.Popen(
        [*command, "--env-manager", "local", "--port", str(port)],
        cwd=place,
        env=environ,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/ping", timeout=5)
                break
            except OSError:
                assert process.poll() is None, (place / "serve.log").read_text()
                time.sleep(0.5)
        yield address
    finally:
        os.killpg(process.pid, 15)
        process.wait()
        log.close()


def _ask(address: str, rows: list[list[Any]], columns: list[str]) -> tuple[int, dict[str, Any]]:
    body = json.dumps({"dataframe_split": {"columns": columns, "data": rows}}).encode()
    request = urllib.request.Request(
        f"{address}/invocations", body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_mlflows_server_answers_as_predict_does_and_refuses_bad_rows(
    server: str, promoted: tuple[Path, str]
) -> None:
    place = promoted[0]
    header, *lines = (place / "meter.csv").read_text().splitlines()
    columns = header.split(",")
    rows: list[list[Any]] = [
        [time, float(temperature), float(usage)]
        for time, temperature, usage in (line.split(",") for line in lines)
    ]
    code, answer = _ask(server, rows, columns)
    assert code == 200, answer
    (row,) = csv.DictReader(io.StringIO(predict_here(place, "--data", "meter.csv").stdout))
    (coming,) = answer["predictions"]
    assert coming["Date"] == row["Date"]
    np.testing.assert_allclose(
        [coming[name] for name in ("forecast", "low", "high")],
        [float(row[name]) for name in ("forecast", "low", "high")],
        rtol=1e-5,
    )
    rows[7][2] = None
    code, answer = _ask(server, rows, columns)
    assert code == 400 and "row 7" in answer["message"] and "Usage" in answer["message"]
    code, answer = _ask(server, rows[:3], columns)
    assert code == 400 and "found 3" in answer["message"]
    code, answer = _ask(server, [row[:2] for row in rows], columns[:2])
    assert code == 400 and "Usage" in answer["message"]


def test_the_model_loads_where_this_repository_is_not(promoted: tuple[Path, str]) -> None:
    place = promoted[0]
    code = (
        "import mlflow, pandas as pd, sys\n"
        f"mlflow.set_tracking_uri('sqlite:///{place}/mlruns/mlflow.db')\n"
        "model = mlflow.pyfunc.load_model('models:/smoke@champion')\n"
        "print(model.predict(pd.read_csv('meter.csv')).to_csv(index=False))\n"
        "rooms = ('search', 'models', 'data_pipeline')\n"
        "ours = [m for n, m in sys.modules.items() if n.split('.')[0] in rooms]\n"
        f"assert not any((m.__file__ or '').startswith({REPOSITORY!r}) for m in ours)\n"
    )
    kept = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=place,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "2014-05-10T03:00:00" in done.stdout
