"""Ends that nobody planned: signals, kills, two coordinators at once, trials that hang."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from search.common.errors import INTERRUPTED, REFUSED_OR_FAILED, TERMINATED
from search.common.records import Cause
from search.training.worker import NAME
from tests.search.command import (
    PARALLEL,
    REPOSITORY,
    SMOKE,
    argv,
    environment,
    mlflow_runs,
    query,
    run,
    start,
    trial_parameters,
    trial_states,
    wait_until,
)

# Trials long enough to be caught in the middle.
LONG = ("--experiment", "documents", "--workers", "2", "--epochs", "3000")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, TERMINATED)]
)
def test_s1_interrupted_run_ends_within_10_s_and_resumes(
    place: Path, number: signal.Signals, code: int
) -> None:
    process = start(place, *LONG, warm_trainers=False)
    wait_until(lambda: _reported_epochs(place) >= 2)
    asked = time.monotonic()
    # A terminal sends Ctrl-C to all processes at once; `timeout` sends SIGTERM to the command, too.
    if number == signal.SIGTERM:
        process.send_signal(number)
    os.killpg(process.pid, number)
    _, errors = process.communicate(timeout=60)
    took = time.monotonic() - asked
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    assert took < 10, f"took {took:.1f} s"
    assert re.search(r"Resume: \S*python -m search\.run --experiment documents", errors)
    states = trial_states(place)
    interrupted = {n for n, state in states.items() if state == "FAIL"}
    assert len(interrupted) == 2 and "RUNNING" not in states.values()
    assert {failure["cause"] for failure in _failures(place)} == {Cause.INTERRUPTED}
    runs = mlflow_runs(place)
    assert {r["status"] for r in runs} == {"KILLED"}
    assert {int(r["search.trial"]) for r in runs if "search.trial" in r} == interrupted
    assert _no_process_left(place)

    # Both wait, linked, to be taken up again: neither is lost, neither point is drawn anew.
    links = query(
        place / "mlruns" / "optuna.db",
        """select value_json from trials join trial_user_attributes using (trial_id)
           where state = 'WAITING' and key = 'retry_of'""",
    )
    assert {int(link) for (link,) in links} == interrupted


def _failures(place: Path) -> list[dict[str, Any]]:
    statement = "select value_json from trial_user_attributes where key = 'failure'"
    return [json.loads(text) for (text,) in query(place / "mlruns" / "optuna.db", statement)]


def test_s2_killed_coordinator_is_reconciled_at_the_next_start(place: Path) -> None:
    process = start(place, *LONG, warm_trainers=False)
    wait_until(lambda: _reported_epochs(place) >= 2)
    process.kill()
    process.communicate(timeout=30)
    assert "RUNNING" in trial_states(place).values()
    wait_until(lambda: _no_process_left(place), seconds=10)

    orphans = {n for n, s in trial_states(place).items() if s == "RUNNING"}
    resumed = run(place, *LONG, "--timeout", "1e-9")
    assert f"{len(orphans)} trial(s) of an earlier run had not ended" in resumed.stderr
    states = trial_states(place)
    assert {states[n] for n in orphans} == {"FAIL"}
    assert "RUNNING" not in states.values()
    runs = mlflow_runs(place)
    assert "RUNNING" not in {r["status"] for r in runs}
    attempts = [r["search.trial"] for r in runs if "search.trial" in r]
    assert len(attempts) == len(set(attempts))


def test_s5_second_coordinator_of_one_study_is_refused_by_name(tmp_path: Path) -> None:
    first = start(tmp_path, *LONG, "--workers", "1")
    try:
        wait_until(lambda: (tmp_path / "mlruns" / "locks" / "optuna.db.documents.pid").exists())
        second = run(tmp_path, *LONG)
        assert second.returncode == REFUSED_OR_FAILED
        assert f"process {first.pid}" in second.stderr and "'documents'" in second.stderr
        wait_until(lambda: _reported_epochs(tmp_path) >= 1)
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


def test_t3_t4_killed_workers_lose_only_their_trial(place: Path) -> None:
    options = (*PARALLEL, "--epochs", "40", "--pruner", "none", "--json")
    process = start(place, *options, warm_trainers=False)
    wait_until(lambda: bool(_workers(process.pid)))
    victim = _workers(process.pid)[0]  # begun with its first trial
    subprocess.run(["kill", "-9", str(victim)], check=True)
    output, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert json.loads(output)["trials"] == {"finished": 4, "total": 4}
    states = trial_states(place)
    failed = [n for n, state in states.items() if state == "FAIL"]
    assert len(failed) == 1 and len(states) == 5
    lost = next(r for r in mlflow_runs(place) if r.get("search.trial") == str(failed[0]))
    assert lost["status"] == "FAILED" and lost["failure"].startswith("worker died")
    retry = next(r for r in mlflow_runs(place) if r.get("retry_of") == str(failed[0]))
    assert retry["status"] == "FINISHED" and retry["attempt"] == "2"
    points = trial_parameters(place)
    assert points[int(retry["search.trial"])] == points[failed[0]]


def test_t5_hanging_trials_are_killed_and_the_study_ends(place: Path) -> None:
    done = run(place, *LONG, "--trials", "2", "--trial-timeout", "4", seconds=280)
    assert done.returncode == REFUSED_OR_FAILED
    assert "timed out" in done.stdout
    states = sorted(trial_states(place).values())
    assert states[:2] == ["FAIL", "FAIL"] and set(states[2:]) == {"WAITING"}


def test_t6_a_bug_of_ours_ends_the_study_after_three_trials_with_its_traceback(
    place: Path,
) -> None:
    # All modules of `models` but one are the repository's, whose kernels are compiled already.
    broken = place / "broken" / "models"
    broken.mkdir(parents=True)
    whole = REPOSITORY / "models"
    opening = (whole / "__init__.py").read_text()
    (broken / "__init__.py").write_text(f"{opening}\n__path__.append({str(whole)!r})\n")
    source = (whole / "build.py").read_text()
    bug = source.replace("def build(", "def build(no_such_argument, ", 1)
    (broken / "build.py").write_text(bug)
    done = subprocess.run(
        argv("search.run", *PARALLEL, "--trials", "10"),
        cwd=place,
        env=environment() | {"PYTHONPATH": f"{place / 'broken'}:{REPOSITORY}"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == REFUSED_OR_FAILED
    assert "missing 1 required positional argument" in done.stderr
    assert "3 failed" in done.stdout
    told = list((place / "mlruns" / "artifacts").rglob("traceback.txt"))
    assert len(told) == 3 and "build(" in told[0].read_text()


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
    return [p.pid for p in children if p.name() == NAME]


def _no_process_left(place: Path) -> bool:
    import psutil

    for process in psutil.process_iter(["cwd", "name", "cmdline"]):
        cwd, words = process.info["cwd"], process.info["cmdline"] or []
        if cwd == str(place) and (
            process.info["name"] == NAME
            or any("forkserver" in w or "search.run" in w for w in words)
        ):
            return False
    return True
