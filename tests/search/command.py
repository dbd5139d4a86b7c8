"""Runs the real commands as a person does: a process of its own, in a folder of its own."""

import contextlib
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from click import Command
from click.testing import CliRunner, Result

from tests.search.warm_commands import REPOSITORY as REPOSITORY
from tests.search.warm_commands import WarmCommand
from tests.search.warm_commands import environment as environment

# Each worker pays for TensorFlow's start: two only where it matters that there are two.
SMOKE = ("--experiment", "smoke", "--workers", "1")
PARALLEL = ("--experiment", "smoke", "--workers", "2")


def argv(module: str, *options: str) -> list[str]:
    return [sys.executable, "-m", module, *options]


def run(
    place: Path,
    *options: str,
    module: str = "search.run",
    seconds: float = 240,
    afresh: bool = False,
) -> subprocess.CompletedProcess[str]:
    command = start(place, *options, module=module, afresh=afresh)
    try:
        output, errors = command.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        command.kill()
        command.wait()
        raise
    return subprocess.CompletedProcess(argv(module, *options), command.wait(), output, errors)


def here(place: Path, command: Command, *options: str) -> Result:
    """The same command in this process, which has paid for the start of its libraries."""
    with contextlib.chdir(place):
        return CliRunner().invoke(command, options)


def start(
    place: Path,
    *options: str,
    module: str = "search.run",
    inside: tuple[str, ...] = (),
    told: Mapping[str, str] | None = None,
    output: int | IO[str] = subprocess.PIPE,
    afresh: bool = False,
    warm_trainers: bool = True,
) -> subprocess.Popen[str] | WarmCommand:
    """Start a command.

    `inside` are words before it, `told` is its environment, and `output` gets what it says. Unless
    one of these is given or it shall start `afresh`, it begins with its libraries imported. Each
    command starts afresh in at least one test. Without `warm_trainers`, the server that its
    training processes are forked from is its child, as it is for a person.
    """
    plain = not inside and told is None and output == subprocess.PIPE
    if plain and not afresh and sys.platform == "linux":
        return WarmCommand(module, options, place, environment(), warm_trainers)
    return subprocess.Popen(
        [*inside, *argv(module, *options)],
        cwd=place,
        env=environment() if told is None else told,
        stdout=output,
        stderr=output,
        text=True,
        start_new_session=True,
    )


def query(database: Path, statement: str) -> list[tuple[Any, ...]]:
    """Read a store behind the program's back, as an auditor would."""
    connection = sqlite3.connect(database)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def trial_states(place: Path) -> dict[int, str]:
    rows = query(place / "mlruns" / "optuna.db", "select number, state from trials")
    return dict(rows)


def trial_values(place: Path) -> dict[int, float]:
    """The objective of each completed trial by its number."""
    statement = """select number, value from trials join trial_values using (trial_id)
                   where state = 'COMPLETE'"""
    return dict(query(place / "mlruns" / "optuna.db", statement))


def trial_parameters(place: Path) -> dict[int, dict[str, float]]:
    statement = (
        "select number, param_name, param_value from trials join trial_params using (trial_id)"
    )
    found: dict[int, dict[str, float]] = {}
    for number, name, value in query(place / "mlruns" / "optuna.db", statement):
        found.setdefault(number, {})[name] = value
    return found


def mlflow_runs(place: Path) -> list[dict[str, str]]:
    """Status and tags of every run."""
    database = place / "mlruns" / "mlflow.db"
    runs = {
        run_id: {"status": status, "run_id": run_id}
        for run_id, status in query(database, "select run_uuid, status from runs")
    }
    for run_id, key, value in query(database, "select run_uuid, key, value from tags"):
        runs[run_id][key] = value
    return list(runs.values())


def result(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.1)
