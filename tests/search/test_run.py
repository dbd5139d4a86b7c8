"""The main job as a person runs it: real command, real data, real stores, tiny budget."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
from click.testing import Result

import search.run
from search.common.drawing import KERAS_TUNER, OPTUNA, SAMPLERS
from search.common.errors import DONE, REFUSED_OR_FAILED, WRONG_INPUT
from search.tuning.storage import open_storage
from tests.search.command import (
    SMOKE,
    environment,
    here,
    mlflow_runs,
    query,
    result,
    run,
    start,
    trial_parameters,
    trial_states,
    trial_values,
)
from tests.search.mlflow_stores import empty_store


@pytest.fixture(scope="module", params=SAMPLERS)
def tuner(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The option that names the tuner; what names none holds for both."""
    return ("--tuner", str(request.param))


@pytest.fixture(scope="module")
def finished(
    request: pytest.FixtureRequest,
    tuner: tuple[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, str, str]:
    """A folder with one finished smoke study, and what its run printed; nobody changes it."""
    if tuner[1] == OPTUNA:  # the default
        shared: tuple[Path, str, str] = request.getfixturevalue("smoke_study")
        return shared
    place = tmp_path_factory.mktemp("finished")
    (place / "mlruns").mkdir()
    empty_store(place / "mlruns")
    done = run(place, *SMOKE, *tuner, "--seed", "0")
    assert done.returncode == 0, done.stderr
    return place, done.stdout, done.stderr


def run_here(place: Path, *options: str) -> Result:
    return here(place, search.run.main, *options)


@pytest.fixture
def copy(finished: tuple[Path, str, str], tmp_path: Path) -> Path:
    """A folder whose study database and MLflow store can be changed."""
    shutil.copytree(finished[0] / "mlruns", tmp_path / "mlruns")
    return tmp_path


def test_run_prints_best_scores_and_next_steps(finished: tuple[Path, str, str]) -> None:
    _, output, progress = finished
    assert "Study smoke: 4 of 4 trials" in output
    for expected in ("Best: trial", "ridge_by_hour", "same_hour_last_week", "MW"):
        assert expected in output
    assert re.search(r"small \(trial 0\)|best: trial 0 small", output)
    assert "python -m search.ui" in output
    assert "data: victoria_2014_hourly" in progress
    assert "[4/4]" in progress and "skill" in progress and "left" in progress
    assert "Warning" not in progress


def test_one_sentence_says_whether_an_lstm_pays_on_these_data(
    finished: tuple[Path, str, str],
) -> None:
    place, output, _ = finished
    (said,) = [line for line in output.splitlines() if "on these data" in line]
    assert said.startswith("An LSTM does not pay on these data: trial ")
    assert "on the validation windows that chose it, against" in said
    assert "95 % interval +" in said and "; the safe choice is " in said
    page = next(r for r in mlflow_runs(place) if r["search.kind"] == "study")
    assert f"**{said}**" in page["mlflow.note.content"]


def test_every_trial_is_in_both_stores_with_a_true_status(
    finished: tuple[Path, str, str],
) -> None:
    place = finished[0]
    assert list(trial_states(place).values()) == ["COMPLETE"] * 4
    runs = mlflow_runs(place)
    parents = [r for r in runs if r.get("search.kind") == "study"]
    children = [r for r in runs if r.get("search.kind") == "trial"]
    assert len(parents) == 1 and len(children) == 4
    assert {r["status"] for r in runs} == {"FINISHED"}
    assert {r["mlflow.parentRunId"] for r in children} == {parents[0]["run_id"]}
    assert "skill" in parents[0]["mlflow.note.content"]
    assert all(r["device"] == "cpu" and "version.keras" in r for r in children)


def test_the_tuner_is_a_tag_of_every_run_and_on_the_studys_page(
    tuner: tuple[str, str], finished: tuple[Path, str, str]
) -> None:
    runs = mlflow_runs(finished[0])
    assert {r["tuner"] for r in runs} == {tuner[1]}
    ours = tuner[1] == KERAS_TUNER
    assert {r.get("sampler") for r in runs} == {"bayesian" if ours else None}
    assert all(("version.keras-tuner" in r) is ours for r in runs)
    page = next(r for r in runs if r["search.kind"] == "study")["mlflow.note.content"]
    assert f"Points drawn by {'KerasTuner' if ours else 'Optuna'}" in page
    projects = list((finished[0] / "mlruns" / "keras_tuner").glob("smoke-*/oracle.json"))
    assert len(projects) == ours


def test_a_trial_run_holds_curves_metrics_figures_model_and_data_set(
    finished: tuple[Path, str, str],
) -> None:
    place = finished[0]
    database = place / "mlruns" / "mlflow.db"
    run_id = next(r["run_id"] for r in mlflow_runs(place) if r.get("search.trial") == "0")
    rows = query(database, f"select key, step, value from metrics where run_uuid = '{run_id}'")
    curves = {key for key, step, _ in rows if step == 2}
    assert curves == {"loss", "val_loss", "val_mse", "learning_rate"}
    final = {key: value for key, step, value in rows if step == 0}
    assert {"best_val_mse", "train_mse", "val_mae", "val_rmse", "train_mae", "val_peak_bias"} <= (
        final.keys()
    )
    assert not any("test" in key for key, _, _ in rows)
    params = dict(query(database, f"select key, value from params where run_uuid = '{run_id}'"))
    assert params["units"] == "4" and params["window"] == "24" and "seed" in params
    files = {p.name for p in (place / "mlruns" / "artifacts").rglob(f"{run_id}/artifacts/*/*")}
    figures = {"loss_curves.png", "one_week.png", "residuals_by_hour.png"}
    assert files == figures | {"model.keras", "forecasts.npz"}
    inputs = query(database, f"select 1 from inputs where destination_id = '{run_id}'")
    assert len(inputs) == 1
    assert not list((place / "mlruns" / "spool").rglob("trial-*"))


def test_objective_is_the_penalty_free_error_and_val_loss_lies_above_it(
    finished: tuple[Path, str, str],
) -> None:
    place = finished[0]
    database = place / "mlruns" / "mlflow.db"
    run_id = next(r["run_id"] for r in mlflow_runs(place) if r.get("search.trial") == "0")
    metrics = dict(
        query(database, f"select key, value from metrics where run_uuid='{run_id}' and step = 0")
    )
    epochs = [
        value
        for (value,) in query(
            database, f"select value from metrics where run_uuid='{run_id}' and key = 'val_mse'"
        )
    ]
    assert metrics["best_val_mse"] == pytest.approx(min(epochs), rel=1e-5)
    assert metrics["best_val_loss"] > metrics["best_val_mse"]
    assert trial_values(place)[0] == metrics["best_val_mse"]


def test_s3_same_command_again_does_nothing_and_says_so(copy: Path, tuner: tuple[str, str]) -> None:
    before = trial_states(copy), sorted(r["run_id"] for r in mlflow_runs(copy))
    done = run_here(copy, *SMOKE, *tuner, "--seed", "0")
    assert done.exit_code == DONE, done.stderr
    assert "already has 4 finished trials" in done.stderr
    assert (trial_states(copy), sorted(r["run_id"] for r in mlflow_runs(copy))) == before


def test_s3_a_larger_total_resumes_and_keeps_what_is_finished(
    copy: Path, tuner: tuple[str, str]
) -> None:
    before = trial_values(copy)
    done = run(copy, *SMOKE, *tuner, "--seed", "0", "--trials", "6", "--json")
    assert result(done)["trials"] == {"finished": 6, "total": 6}
    assert "Resuming study smoke after 4 finished trials" in done.stderr
    after = trial_values(copy)
    assert before.items() <= after.items()
    assert len(trial_states(copy)) == 6
    points = [tuple(sorted(p.items())) for p in trial_parameters(copy).values()]
    assert len(set(points)) == len(points)
    assert len(mlflow_runs(copy)) == 7


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--window", "30"), "framing.window: was 24, is 30"),
        (("--seed", "5"), "seed: was 0, is 5"),
        (("--start", "x"), None),
        (("--end", "2014-05-20"), None),
        (("--features", ""), "columns"),
    ],
)
def test_s4_resume_with_other_data_window_or_seed_is_refused(
    copy: Path, tuner: tuple[str, str], options: tuple[str, ...], named: str | None
) -> None:
    before = trial_states(copy)
    done = run_here(copy, *SMOKE, *tuner, "--trials", "6", *options)
    assert "Traceback" not in done.stderr
    if named is None and options[0] == "--start":
        assert done.exit_code == WRONG_INPUT
    else:
        assert done.exit_code == REFUSED_OR_FAILED
        assert "--study NAME" in done.stderr and "Changed:" in done.stderr
        assert (named or "data") in done.stderr
    assert trial_states(copy) == before


def test_resume_by_the_other_tuner_or_oracle_is_refused(copy: Path, tuner: tuple[str, str]) -> None:
    before = trial_states(copy)
    other = OPTUNA if tuner[1] == KERAS_TUNER else KERAS_TUNER
    done = run_here(copy, *SMOKE, "--tuner", other, "--trials", "6")
    assert done.exit_code == REFUSED_OR_FAILED
    assert f'tuner: was "{tuner[1]}", is "{other}"' in done.stderr
    assert trial_states(copy) == before


def test_project_directory_of_another_study_is_refused_before_tensorflow(
    copy: Path, tuner: tuple[str, str]
) -> None:
    if tuner[1] != KERAS_TUNER:
        pytest.skip("has no project directory")
    owner = next((copy / "mlruns" / "keras_tuner").glob("*/study.json"))
    owner.write_text('{"study": "theirs", "identity": "0123"}')
    before = trial_states(copy)
    done = run(copy, *SMOKE, *tuner, "--trials", "6")
    assert done.returncode == REFUSED_OR_FAILED
    assert "of study 'theirs'" in done.stderr and str(owner.parent) in done.stderr
    assert "Next: move that directory away" in done.stderr
    assert trial_states(copy) == before


def test_same_seed_and_one_worker_give_identical_trial_values(tmp_path: Path) -> None:
    places = [tmp_path / "one", tmp_path / "two"]
    for place in places:
        (place / "mlruns").mkdir(parents=True)
        empty_store(place / "mlruns")
    options = (*SMOKE, "--seed", "3", "--epochs", "3", "--trials", "5")
    both = [start(place, *options) for place in places]
    for process in both:
        process.communicate(timeout=240)
        assert process.returncode == 0
    first, second = (trial_values(place) for place in places)
    assert len(first) >= 3
    assert first == second
    assert trial_parameters(places[0]) == trial_parameters(places[1])


BAD_INPUT = {
    "no such file": (("--data", "nowhere.csv"), "nowhere.csv"),
    "a directory": (("--data", "."), "directory"),
    "text in a number column": (("--data", "text.csv"), "line 3"),
    "too few rows": (("--data", "short.csv", "--features", ""), "found"),
    "horizon beyond a week": (("--horizon", "169"), "--horizon"),
    "no such column": (("--target", "Load"), "Usage"),
    "a column known ahead that is no feature": (("--known-ahead", "Wind"), "(Temperature)"),
    "the target known ahead": (("--known-ahead", "Usage"), "'Usage' is what is forecast"),
    "holidays of no country": (("--holidays", "Korea"), "Did you mean KR (South Korea)?"),
    "unsafe study name": (("--study", "../x"), "--study"),
    "shared database": (
        ("--storage", "sqlite:///x.db", "--tracking-uri", "sqlite:///x.db"),
        "cannot share",
    ),
    "trials of a designed experiment": (
        ("--experiment", "documents", "--trials", "99"),
        "15 trials",
    ),
    "no trials": (("--trials", "0"), "--trials"),
    "seeds of a searched experiment": (("--seeds", "3"), "designed experiments"),
    "two counts of workers": (("--workers", "2", "--workers-per-gpu", "2"), "not both"),
    "sampler of the other tuner": (("--tuner", "keras-tuner", "--sampler", "tpe"), "bayesian"),
    "oracle without its tuner": (("--sampler", "hyperband"), "--tuner keras-tuner"),
    "pruner of the other tuner": (
        ("--tuner", "keras-tuner", "--pruner", "median"),
        "KerasTuner has no pruners",
    ),
    "file store": (("--tracking-uri", "somewhere"), "--tracking-uri"),
}


@pytest.mark.timed
@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_refused_quickly_without_tensorflow_or_stores(
    tmp_path: Path, case: str
) -> None:
    options, expected = BAD_INPUT[case]
    rows = [f"2024-01-01 {hour:02d}:00,{hour}.5" for hour in range(24)]
    (tmp_path / "short.csv").write_text("Date,Usage\n" + "\n".join(rows) + "\n")
    (tmp_path / "text.csv").write_text(
        "Date,Temperature,Usage\n2024-01-01 00:00,1.0,2.0\n2024-01-01 01:00,1.0,many\n"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "search.run", *options],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.monotonic() - began
    message = "\n".join(
        line for line in done.stderr.splitlines() if not line.startswith("import time:")
    )
    assert done.returncode == WRONG_INPUT, message
    assert expected in message
    assert "Traceback" not in message and done.stdout == ""
    assert not re.search(r"\| +(tensorflow|keras|mlflow)$", done.stderr, re.MULTILINE)
    assert not (tmp_path / "mlruns").exists()
    assert took < 5


HELP = {
    "run": ("--trials", "--data", "--sampler", "--trial-timeout", "--dry-run"),
    "predict": ("--data",),
    "sync": ("--study",),
    "ui": ("--port",),
    "doctor": ("--cluster",),
    "promote": ("--study",),
    "explain": ("--study",),
    "report": ("--study",),
    "benchmark": ("--pruners",),
}


@pytest.mark.timed
@pytest.mark.parametrize("command", HELP)
def test_help_answers_within_2_s(command: str, tmp_path: Path) -> None:
    began = time.monotonic()
    done = run(tmp_path, "--help", module=f"search.{command}", afresh=True)
    assert time.monotonic() - began < 2
    assert done.returncode == 0
    for option in HELP[command]:
        assert option in done.stdout


def test_dry_run_prints_the_plan_and_writes_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, "--dry-run")
    assert done.returncode == 0
    assert "1451 for training, 161 for validation" in done.stdout
    assert "2184 hours" in done.stdout
    assert not (tmp_path / "mlruns").exists()


def test_a_day_ahead_the_built_in_data_have_their_holidays_unless_told_otherwise(
    tmp_path: Path,
) -> None:
    ahead = ("--horizon", "24", "--dry-run")
    found = run_here(tmp_path, *ahead)
    assert found.exit_code == DONE, found.stderr
    assert "5 day(s) are public holidays of AU-VIC (--holidays '' omits them)" in found.stdout
    without = run_here(tmp_path, *ahead, "--holidays", "")
    assert without.exit_code == DONE, without.stderr
    assert "No forecaster knows public holidays; --holidays AU-VIC adds them" in without.stdout
    assert "-m search.run --holidays '' --horizon 24" in without.stdout


def test_a_dry_run_foresees_that_a_study_cannot_go_on(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/optuna.db"
    opened = open_storage(storage, tmp_path / "lock")
    optuna.create_study(storage=opened, study_name="mine").set_user_attr("contract", {"seed": 7})
    options = ("--storage", storage, "--dry-run", *SMOKE)
    everything = (
        "select study_name, key, value_json from studies join study_user_attributes "
        "using (study_id)"
    )
    before = query(tmp_path / "optuna.db", everything)
    refused = run_here(tmp_path, *options, "--study", "mine")
    assert refused.exit_code == REFUSED_OR_FAILED
    assert "'mine' cannot go on" in refused.stderr and "seed: was 7, is 0" in refused.stderr
    assert run_here(tmp_path, *options, "--study", "other").exit_code == DONE
    assert query(tmp_path / "optuna.db", everything) == before
    assert query(tmp_path / "optuna.db", "select count(*) from studies") == [(1,)]
