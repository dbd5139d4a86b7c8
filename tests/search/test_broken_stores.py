"""Stores that fail for real while a search runs: a full disk, no permission, a server that dies."""

import contextlib
import os
import signal
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from search.common.errors import DONE, REFUSED_OR_FAILED
from search.training.worker import NAME
from tests.search.command import (
    SMOKE,
    argv,
    environment,
    mlflow_runs,
    query,
    run,
    start,
    trial_states,
    trial_values,
    wait_until,
)
from tests.search.mlflow_stores import server_in


def _run_under(
    place: Path, command: tuple[str, ...], *options: str, module: str = "search.run"
) -> subprocess.CompletedProcess[str]:
    """Run the search by a command that takes something away from it."""
    return subprocess.run(
        [*command, *argv(module, *options)],
        cwd=place,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_s7_a_full_disk_ends_the_search_and_loses_nothing(tmp_path: Path) -> None:
    # No file may grow beyond this, which is what a full disk does to every write. The study
    # database holds a few trials by then; MLflow's is larger from the start.
    full = _run_under(tmp_path, ("prlimit", "--fsize=700000"), *SMOKE, "--trials", "40")
    assert full.returncode == REFUSED_OR_FAILED, full.stderr
    assert "cannot be used" in full.stderr and "run the same command again" in full.stderr
    assert "MLflow" in full.stderr and "Traceback" not in full.stderr
    kept = trial_values(tmp_path)
    assert len(kept) >= 2

    again = run(tmp_path, *SMOKE, "--trials", str(len(kept) + 1))
    assert again.returncode == DONE, again.stderr
    assert kept.items() <= trial_values(tmp_path).items()
    assert _runs_of_ended_attempts(tmp_path / "mlruns" / "mlflow.db") == _ended(tmp_path)


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("search.run", SMOKE),
        ("search.sync", ("--study", "s", "--storage", "sqlite:///mlruns/kept.db")),
    ],
)
def test_s7_a_folder_that_cannot_be_written_is_refused(
    tmp_path: Path, module: str, options: tuple[str, ...]
) -> None:
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns" / "kept.db").touch()
    (tmp_path / "mlruns").chmod(0o555)
    # Root may write everywhere, unless that right is taken away.
    rights = "-dac_override,-dac_read_search"
    plainly = ("setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}")
    command = plainly if os.geteuid() == 0 else ()
    done = _run_under(tmp_path, command, *options, module=module)
    assert done.returncode == REFUSED_OR_FAILED, done.stderr
    assert "cannot be used" in done.stderr and "Permission denied" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in (tmp_path / "mlruns").iterdir()] == ["kept.db"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Callable[[], subprocess.Popen[bytes]]]]:
    """Where an MLflow server will be, and how it is started: once it answers, it is returned."""
    with server_in(tmp_path) as (uri, start_it):

        def begin() -> subprocess.Popen[bytes]:
            process = start_it()
            wait_until(lambda: _answers(f"{uri}/health"))
            return process

        yield uri, begin


def test_s8_a_server_killed_in_the_middle_gets_everything_once_it_is_back(
    tmp_path: Path, server: tuple[str, Callable[[], subprocess.Popen[bytes]]]
) -> None:
    uri, begin = server
    database = tmp_path / "server.db"
    first = begin()
    search = start(tmp_path, *SMOKE, "--trials", "6", "--tracking-uri", uri)
    wait_until(lambda: len(_runs_of_ended_attempts(database)) >= 1)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait(timeout=30)
    # Training goes on meanwhile.
    wait_until(lambda: len(_ended(tmp_path)) >= 5)
    assert len(_runs_of_ended_attempts(database)) < 5
    begin()
    _, errors = search.communicate(timeout=200)
    assert search.returncode == DONE, errors
    assert "does not answer" in errors and "Traceback" not in errors
    if "MLflow does not have everything yet" in errors:  # it was not back in time: the next start
        again = run(tmp_path, *SMOKE, "--trials", "6", "--tracking-uri", uri)
        assert again.returncode == DONE, again.stderr
    assert _runs_of_ended_attempts(database) == _ended(tmp_path) == list(range(6))


def test_t2_a_worker_without_memory_fails_its_trial_and_the_next_runs(place: Path) -> None:
    search = start(place, *SMOKE, "--trials", "3", "--epochs", "30", warm_trainers=False)
    wait_until(lambda: (place / "mlruns" / "optuna.db").exists())
    wait_until(lambda: _epochs(place) >= 2)
    (worker,) = _workers(search.pid)
    used = worker.memory_info().vms
    worker.rlimit(psutil.RLIMIT_AS, (used, used))
    _, errors = search.communicate(timeout=240)
    assert search.returncode == DONE, errors
    states = list(trial_states(place).values())
    assert states.count("COMPLETE") >= 2 and "RUNNING" not in states
    failures = [r["failure"] for r in mlflow_runs(place) if "failure" in r]
    assert states.count("FAIL") == len(failures) >= 1
    assert all("memory" in one or "worker died" in one for one in failures), "\n".join(failures)


def _answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def _ended(place: Path) -> list[int]:
    ended = ("COMPLETE", "PRUNED", "FAIL")
    return sorted(n for n, state in trial_states(place).items() if state in ended)


def _runs_of_ended_attempts(database: Path) -> list[int]:
    """The attempt of each run that has its end, a doubled one twice; none without a database."""
    if not database.exists():
        return []
    rows = query(
        database,
        """select t.value from tags t join tags d using (run_uuid)
           where t.key = 'search.trial' and d.key = 'search.delivered'""",
    )
    return sorted(int(number) for (number,) in rows)


def _epochs(place: Path) -> int:
    database = place / "mlruns" / "optuna.db"
    ((count,),) = query(database, "select count(*) from trial_intermediate_values")
    return int(count)


def _workers(coordinator: int) -> list[psutil.Process]:
    children = psutil.Process(coordinator).children(recursive=True)
    return [child for child in children if child.name() == NAME]
