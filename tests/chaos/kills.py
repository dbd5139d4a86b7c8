"""Kills the real command and its workers with SIGKILL at random moments, until it is done."""

import contextlib
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from search.common.drawing import OPTUNA
from search.training.worker import NAME
from tests.chaos.audit import Audit, audit, running
from tests.chaos.started import LONGEST, OPTIONS, Started
from tests.search.command import start
from tests.search.warm_commands import WarmCommand

WORKERS = 2
# Seconds between two kills: uniform from 0 to this.
PACE = 12.0
# Trials that are added if a study is done before all kills.
MORE = 10


@dataclass
class Outcome:
    """The result of a study under kills.

    Attributes:
        total: requested number of finished trials in the end.
        workers: number of workers.
        tuner: the tuner that draws the points.
        killed: number of killed processes by kind, "worker" or "coordinator".
        acknowledged: by number, attempts that were reported as ended, and their state in the
            database.
        orphans: attempts that a killed coordinator left running.
        recovery: s from each next start until none of them ran any more.
        leaving: s from each kill of a coordinator until its workers were gone.
        audit: the audit of both stores at the end.
    """

    total: int
    workers: int = WORKERS
    tuner: str = OPTUNA
    killed: dict[str, int] = field(default_factory=lambda: {"worker": 0, "coordinator": 0})
    acknowledged: dict[int, str] = field(default_factory=dict)
    orphans: int = 0
    recovery: list[float] = field(default_factory=list)
    leaving: list[float] = field(default_factory=list)
    audit: Audit | None = None


def _start(place: Path, outcome: Outcome) -> Started:
    options = ("--trials", str(outcome.total), "--workers", str(outcome.workers))
    return Started(place, (*options, "--tuner", outcome.tuner), outcome.acknowledged)


def _workers_of(command: Started) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(command.process.pid).children(recursive=True)
        return [child for child in children if _trains(child)]
    return []


def _ended_of(command: Started) -> Callable[[], bool]:
    return lambda: command.ended


def _trains(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.name() == NAME
    return False


def search_under_kills(
    place: Path,
    kills: int,
    trials: int,
    seed: int,
    say: Callable[[str], None],
    workers: int = WORKERS,
    tuner: str = OPTUNA,
) -> Outcome:
    """Search with small networks while `kills` workers and as many coordinators are killed.

    Args:
        place: an empty folder for the stores, and `chaos.log` for what the commands say.
        kills: number of kills of each kind.
        trials: number of trials at first; more are added if they are done before the kills.
        seed: seed of the moments and the victims.
        say: gets the progress, one line at a time.
        workers: number of workers.
        tuner: the tuner that draws the points.
    """
    random_ = random.Random(seed)
    outcome = Outcome(trials, workers, tuner)
    command = _start(place, outcome)
    while (left := [kind for kind, done in outcome.killed.items() if done < kills]) != []:
        _sleep(random_.uniform(0, PACE), _ended_of(command))
        if command.ended:
            assert command.close() == 0, (place / "chaos.log").read_text()[-2000:]
            outcome.total += MORE
            command = _start(place, outcome)
        elif random_.choice(left) == "worker":
            training = _workers_of(command)
            if training:
                with contextlib.suppress(psutil.NoSuchProcess):
                    random_.choice(training).kill()
                    outcome.killed["worker"] += 1
        else:
            command = _killed_and_started(command, place, outcome)
        done = sum(outcome.killed.values())
        if done and done % 10 == 0:
            say(f"{done} of {2 * kills} kills, {len(outcome.acknowledged)} ends acknowledged")
    while command.close() == 0 and _finished(place, outcome) < outcome.total:
        command = _start(place, outcome)
    outcome.audit = audit(place / "mlruns", outcome.acknowledged)
    return outcome


def _finished(place: Path, outcome: Outcome) -> int:
    return audit(place / "mlruns", outcome.acknowledged).finished


def _killed_and_started(command: Started, place: Path, outcome: Outcome) -> Started:
    """Kill the coordinator and start the next one; measure how long the recovery takes."""
    workers = _workers_of(command)
    command.process.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    command.close()
    outcome.killed["coordinator"] += 1
    _sleep(LONGEST, lambda: not any(_alive(worker) for worker in workers))
    outcome.leaving.append(time.monotonic() - killed)
    database = place / "mlruns" / "optuna.db"
    orphans = running(place / "mlruns") if database.exists() else set()
    outcome.orphans += len(orphans)
    began = time.monotonic()
    following = _start(place, outcome)
    if orphans:
        _sleep(
            LONGEST,
            lambda: following.ended or not orphans & running(place / "mlruns"),
        )
        outcome.recovery.append(time.monotonic() - began)
    return following


def _alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _sleep(seconds: float, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not until():
        time.sleep(0.05)


def memory_of_tiny_trials(place: Path, trials: int, workers: int) -> tuple[float, float, float]:
    """Run `trials` tiny trials, and watch the resident memory of the whole process tree.

    Returns:
        MB after the first trial of each worker, the most MB from then on, and MB at the end.
    """
    process = start(
        *(place, *OPTIONS, "--workers", str(workers), "--trials", str(trials)),
        *("--epochs", "1", "--pruner", "none"),
        warm_trainers=False,
    )
    drains = [
        threading.Thread(target=stream.read)
        for stream in (process.stdout, process.stderr)
        if stream is not None
    ]
    for drain in drains:
        drain.start()
    base = most = last = 0.0
    try:
        while process.poll() is None:
            time.sleep(0.5)
            last = _tree_megabytes(process) or last
            done = _completed(place)
            if done >= 2 * workers and not base:
                base = last
            if base:
                most = max(most, last)
    finally:
        if process.poll() is None:
            process.kill()
        for drain in drains:
            drain.join()
    assert process.returncode == 0, f"ended with code {process.returncode}"
    return base, most, last


def _tree_megabytes(process: subprocess.Popen[str] | WarmCommand) -> float:
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        top = psutil.Process(process.pid)
        own = top.cmdline()
        total = top.memory_info().rss / 2**20
        for one in top.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                # Before its exec, a child still shows the memory of its parent.
                if one.cmdline() != own:
                    total += one.memory_info().rss / 2**20
    return total


def _completed(place: Path) -> int:
    from tests.search.command import trial_states

    if not (place / "mlruns" / "optuna.db").exists():
        return 0
    return sum(state == "COMPLETE" for state in trial_states(place).values())
