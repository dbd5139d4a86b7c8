"""The main job as a person runs it: real command, real data, real stores, tiny budget."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from search.errors import INTERRUPTED, REFUSED_OR_FAILED, TERMINATED, WRONG_INPUT
from tests.search.command import (
    SMOKE,
    environment,
    mlflow_runs,
    query,
    result,
    run,
    start,
    trial_parameters,
    trial_states,
    trial_values,
)

# Trials long enough to be caught in the middle.
LONG = ("--experiment", "documents", "--window", "24", "--workers", "2", "--epochs", "3000")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A folder with one finished smoke study, and what its run printed."""
    place = tmp_path_factory.mktemp("finished")
    done = run(place, *SMOKE, "--seed", "0")
    assert done.returncode == 0, done.stderr
    return place, done.stdout, done.stderr


@pytest.fixture
def copy(finished: tuple[Path, str, str], tmp_path: Path) -> Path:
    """A folder whose study database and MLflow store can be changed."""
    shutil.copytree(finished[0] / "mlruns", tmp_path / "mlruns")
    return tmp_path


def test_run_prints_best_scores_and_next_steps(finished: tuple[Path, str, str]) -> None:
    _, output, progress = finished
    assert "Study smoke: 4 of 4 trials" in output
    for expected in ("Best: trial", "ridge", "same_hour_last_week", "MW"):
        assert expected in output
    assert re.search(r"small \(trial 0\)|best: trial 0 small", output)
    assert "python -m search.ui" in output
    assert "data: victoria_2014_hourly" in progress
    assert "[4/4]" in progress and "skill" in progress and "left" in progress
    assert "Warning" not in progress


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


def test_s3_same_command_again_does_nothing_and_says_so(copy: Path) -> None:
    before = trial_states(copy), sorted(r["run_id"] for r in mlflow_runs(copy))
    done = run(copy, *SMOKE, "--seed", "0")
    assert done.returncode == 0
    assert "already has 4 finished trials" in done.stderr
    assert (trial_states(copy), sorted(r["run_id"] for r in mlflow_runs(copy))) == before


def test_s3_a_larger_total_resumes_and_keeps_what_is_finished(copy: Path) -> None:
    before = trial_values(copy)
    done = run(copy, *SMOKE, "--seed", "0", "--trials", "6", "--json")
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
    copy: Path, options: tuple[str, ...], named: str | None
) -> None:
    before = trial_states(copy)
    done = run(copy, *SMOKE, "--trials", "6", *options)
    assert "Traceback" not in done.stderr
    if named is None and options[0] == "--start":
        assert done.returncode == WRONG_INPUT
    else:
        assert done.returncode == REFUSED_OR_FAILED
        assert "--study NAME" in done.stderr and "Changed:" in done.stderr
        assert (named or "data") in done.stderr
    assert trial_states(copy) == before


def test_same_seed_and_one_worker_give_identical_trial_values(tmp_path: Path) -> None:
    places = [tmp_path / "one", tmp_path / "two"]
    for place in places:
        place.mkdir()
    options = (*SMOKE[:2], "--workers", "1", "--seed", "3", "--epochs", "3", "--trials", "5")
    both = [start(place, *options) for place in places]
    for process in both:
        process.communicate(timeout=240)
        assert process.returncode == 0
    first, second = (trial_values(place) for place in places)
    assert len(first) >= 3
    assert first == second
    assert trial_parameters(places[0]) == trial_parameters(places[1])


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, TERMINATED)]
)
def test_s1_interrupted_run_ends_within_10_s_and_resumes(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    process = start(tmp_path, *LONG)
    _wait_until(lambda: _reported_epochs(tmp_path) >= 2)
    asked = time.monotonic()
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    took = time.monotonic() - asked
    assert process.returncode == code, errors
    assert took < 10, f"took {took:.1f} s"
    assert re.search(r"Resume: \S*python -m search\.run --experiment documents", errors)
    states = trial_states(tmp_path)
    interrupted = {n for n, state in states.items() if state == "FAIL"}
    assert len(interrupted) == 2 and "RUNNING" not in states.values()
    runs = mlflow_runs(tmp_path)
    assert {r["status"] for r in runs} == {"KILLED"}
    assert {int(r["search.trial"]) for r in runs if "search.trial" in r} == interrupted
    assert _no_process_left(tmp_path)

    # Both wait, linked, to be taken up again: neither is lost, neither point is drawn anew.
    links = query(
        tmp_path / "mlruns" / "optuna.db",
        """select value_json from trials join trial_user_attributes using (trial_id)
           where state = 'WAITING' and key = 'retry_of'""",
    )
    assert {int(link) for (link,) in links} == interrupted


def test_s2_killed_coordinator_is_reconciled_at_the_next_start(tmp_path: Path) -> None:
    process = start(tmp_path, *LONG)
    _wait_until(lambda: _reported_epochs(tmp_path) >= 2)
    process.kill()
    process.communicate(timeout=30)
    assert "RUNNING" in trial_states(tmp_path).values()
    _wait_until(lambda: _no_process_left(tmp_path), seconds=10)

    orphans = {n for n, s in trial_states(tmp_path).items() if s == "RUNNING"}
    resumed = run(tmp_path, *LONG, "--timeout", "1e-9")
    assert f"{len(orphans)} trial(s) of an earlier run had not ended" in resumed.stderr
    states = trial_states(tmp_path)
    assert {states[n] for n in orphans} == {"FAIL"}
    assert "RUNNING" not in states.values()
    runs = mlflow_runs(tmp_path)
    assert "RUNNING" not in {r["status"] for r in runs}
    attempts = [r["search.trial"] for r in runs if "search.trial" in r]
    assert len(attempts) == len(set(attempts))


def test_s5_second_coordinator_of_one_study_is_refused_by_name(tmp_path: Path) -> None:
    first = start(tmp_path, *LONG)
    try:
        _wait_until(lambda: (tmp_path / "mlruns" / "locks" / "study-documents.pid").exists())
        second = run(tmp_path, *LONG)
        assert second.returncode == REFUSED_OR_FAILED
        assert f"process {first.pid}" in second.stderr and "'documents'" in second.stderr
        _wait_until(lambda: _reported_epochs(tmp_path) >= 1)
    finally:
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=60)
    assert first.returncode == TERMINATED


def test_s6_simultaneous_first_starts_all_work(tmp_path: Path) -> None:
    starts = [start(tmp_path, *SMOKE, "--study", f"s{i}", "--timeout", "1e-9") for i in range(6)]
    for process in starts:
        _, errors = process.communicate(timeout=200)
        assert "Traceback" not in errors and "refused a record" not in errors, errors
        assert "Ended early: --timeout 1e-09 s reached" in errors
    names = query(tmp_path / "mlruns" / "optuna.db", "select study_name from studies")
    assert sorted(names) == [(f"s{i}",) for i in range(6)]
    assert len([r for r in mlflow_runs(tmp_path) if r.get("search.kind") == "study"]) == 6


def test_t3_t4_killed_workers_lose_only_their_trial(tmp_path: Path) -> None:
    process = start(tmp_path, *SMOKE, "--epochs", "40", "--pruner", "none", "--json")
    _wait_until(lambda: _reported_epochs(tmp_path) >= 2)
    victim = _workers(process.pid)[0]
    subprocess.run(["kill", "-9", str(victim)], check=True)
    output, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert json.loads(output)["trials"] == {"finished": 4, "total": 4}
    states = trial_states(tmp_path)
    failed = [n for n, state in states.items() if state == "FAIL"]
    assert len(failed) == 1 and len(states) == 5
    lost = next(r for r in mlflow_runs(tmp_path) if r.get("search.trial") == str(failed[0]))
    assert lost["status"] == "FAILED" and lost["failure"].startswith("worker died")
    retry = next(r for r in mlflow_runs(tmp_path) if r.get("retry_of") == str(failed[0]))
    assert retry["status"] == "FINISHED" and retry["attempt"] == "2"
    points = trial_parameters(tmp_path)
    assert points[int(retry["search.trial"])] == points[failed[0]]


def test_t5_hanging_trials_are_killed_and_the_study_ends(tmp_path: Path) -> None:
    done = run(tmp_path, *LONG, "--trials", "2", "--trial-timeout", "4", seconds=280)
    assert done.returncode == REFUSED_OR_FAILED
    assert "timed out" in done.stdout
    states = sorted(trial_states(tmp_path).values())
    assert states[:2] == ["FAIL", "FAIL"] and set(states[2:]) == {"WAITING"}


BAD_INPUT = {
    "no such file": (("--data", "nowhere.csv"), "nowhere.csv"),
    "a directory": (("--data", "."), "directory"),
    "text in a number column": (("--data", "text.csv"), "line 3"),
    "too few rows": (("--data", "short.csv", "--features", ""), "found"),
    "horizon beyond a week": (("--horizon", "169"), "--horizon"),
    "no such column": (("--target", "Load"), "Usage"),
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
    "file store": (("--tracking-uri", "somewhere"), "--tracking-uri"),
}


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


def test_help_answers_within_2_s(tmp_path: Path) -> None:
    began = time.monotonic()
    done = run(tmp_path, "--help")
    assert time.monotonic() - began < 2
    assert done.returncode == 0
    for option in ("--trials", "--data", "--sampler", "--trial-timeout", "--dry-run"):
        assert option in done.stdout


def test_dry_run_prints_the_plan_and_writes_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, "--dry-run")
    assert done.returncode == 0
    assert "1451 for training, 161 for validation" in done.stdout
    assert "2184 hours" in done.stdout
    assert not (tmp_path / "mlruns").exists()


def _reported_epochs(place: Path) -> int:
    """Epochs that running trials have reported to the study database."""
    database = place / "mlruns" / "optuna.db"
    if not database.exists():
        return 0
    tables = query(database, "select name from sqlite_master where name like 'trial_inter%'")
    if not tables:
        return 0
    ((count,),) = query(database, "select count(distinct trial_id) from trial_intermediate_values")
    return int(count)


def _workers(coordinator: int) -> list[int]:
    """Processes that train for `coordinator`."""
    import psutil

    children = psutil.Process(coordinator).children(recursive=True)
    return [p.pid for p in children if "spawn_main" in " ".join(p.cmdline())]


def _no_process_left(place: Path) -> bool:
    import psutil

    for process in psutil.process_iter(["cwd", "cmdline"]):
        cwd, words = process.info["cwd"], process.info["cmdline"] or []
        if cwd == str(place) and any("spawn_main" in w or "search.run" in w for w in words):
            return False
    return True


def _wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.1)
