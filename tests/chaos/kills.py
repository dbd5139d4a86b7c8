"""The real command under kill -9: its workers and itself, at random moments, until it is done."""

import contextlib
import random
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from search.common.drawing import OPTUNA
from tests.chaos.audit import Audit, audit, running
from tests.search.command import start

STUDY = "chaos"
OPTIONS = ("--experiment", "smoke", "--study", STUDY)
WORKERS = 2
# Seconds between two kills: uniform from 0 to this.
PACE = 12.0
# Trials added whenever a study is done before all kills are.
MORE = 10
ENDED = re.compile(r"^trial (\d+)\b.*? (complete|pruned|failed)\b")
STATES = {"complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}
_LONGEST = 600.0


@dataclass
class Outcome:
    """What a study under kills came to.

    Attributes:
        total: finished trials that were asked for in the end.
        workers: that train at once.
        tuner: that draws the points.
        killed: processes by kind, "worker" or "coordinator".
        acknowledged: attempts that a person was told had ended, and the database's word for how.
        orphans: attempts that a killed coordinator left running.
        recovery: s from each next start until none of those ran any more.
        leaving: s from each kill of a coordinator until its workers were gone.
        audit: of both stores, at the end.
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


class _Command:
    """One start of the search in `place`; what it acknowledges is kept in `outcome`."""

    def __init__(self, place: Path, outcome: Outcome, log: IO[str]) -> None:
        self.began = time.monotonic()
        counts = ("--trials", str(outcome.total), "--workers", str(outcome.workers))
        self.process = start(place, *OPTIONS, *counts, "--tuner", outcome.tuner)
        self._outcome, self._log = outcome, log
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._sink = threading.Thread(target=self._drop)
        self._sink.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._log.write(line)
            self._log.flush()
            if found := ENDED.match(line):
                self._outcome.acknowledged[int(found[1])] = STATES[found[2]]

    def _drop(self) -> None:
        assert self.process.stdout is not None
        self.process.stdout.read()

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def workers(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.process.pid).children(recursive=True)
            return [child for child in children if _trains(child)]
        return []

    def close(self) -> int:
        """Wait for the end, and for all that was said."""
        code = self.process.wait(timeout=_LONGEST)
        self._reader.join()
        self._sink.join()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return code


def _ended_of(command: _Command) -> Callable[[], bool]:
    return lambda: command.ended


def _trains(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return "spawn_main" in " ".join(process.cmdline())
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
        kills: of each kind.
        trials: to begin with; more are asked for if they are done before the kills are.
        seed: of the moments and the victims.
        say: is told how it goes, a line at a time.
        workers: that train at once.
        tuner: that draws the points.
    """
    random_ = random.Random(seed)
    outcome = Outcome(trials, workers, tuner)
    with (place / "chaos.log").open("w") as log:
        command = _Command(place, outcome, log)
        while (left := [kind for kind, done in outcome.killed.items() if done < kills]) != []:
            _sleep(random_.uniform(0, PACE), _ended_of(command))
            if command.ended:
                assert command.close() == 0, (place / "chaos.log").read_text()[-2000:]
                outcome.total += MORE
                command = _Command(place, outcome, log)
            elif random_.choice(left) == "worker":
                training = command.workers()
                if training:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        random_.choice(training).kill()
                        outcome.killed["worker"] += 1
            else:
                command = _killed_and_started(command, place, outcome, log)
            done = sum(outcome.killed.values())
            if done and done % 10 == 0:
                say(f"{done} of {2 * kills} kills, {len(outcome.acknowledged)} ends acknowledged")
        while command.close() == 0 and _finished(place, outcome) < outcome.total:
            command = _Command(place, outcome, log)
    outcome.audit = audit(place / "mlruns", outcome.acknowledged)
    return outcome


def _finished(place: Path, outcome: Outcome) -> int:
    return audit(place / "mlruns", outcome.acknowledged).finished


def _killed_and_started(command: _Command, place: Path, outcome: Outcome, log: IO[str]) -> _Command:
    """Kill the coordinator and start the next one; measure how both are survived."""
    workers = command.workers()
    command.process.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    command.close()
    outcome.killed["coordinator"] += 1
    _sleep(_LONGEST, lambda: not any(_alive(worker) for worker in workers))
    outcome.leaving.append(time.monotonic() - killed)
    database = place / "mlruns" / "optuna.db"
    orphans = running(place / "mlruns") if database.exists() else set()
    outcome.orphans += len(orphans)
    following = _Command(place, outcome, log)
    if orphans:
        _sleep(
            _LONGEST,
            lambda: following.ended or not orphans & running(place / "mlruns"),
        )
        outcome.recovery.append(time.monotonic() - following.began)
    return following


def _alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _sleep(seconds: float, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not until():
        time.sleep(0.05)


def first_starts(place: Path, count: int) -> int:
    """Start the search `count` times at once in the empty folder `place`; return how many work."""
    began = [
        start(place, "--experiment", "smoke", "--study", f"s{number}", "--timeout", "1e-9")
        for number in range(count)
    ]
    errors = [process.communicate(timeout=_LONGEST)[1] for process in began]
    return sum("Ended early: --timeout 1e-09 s reached" in one for one in errors)


def memory_of_tiny_trials(place: Path, trials: int, workers: int) -> tuple[float, float, float]:
    """Run `trials` tiny trials; watch the resident memory of the whole process tree.

    Returns:
        MB with the first trial of each worker done, MB at most from then on, and MB at the end.
    """
    process = start(
        *(place, *OPTIONS, "--workers", str(workers), "--trials", str(trials)),
        *("--epochs", "1", "--pruner", "none"),
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


def _tree_megabytes(process: "subprocess.Popen[str]") -> float:
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        top = psutil.Process(process.pid)
        for one in [top, *top.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += one.memory_info().rss / 2**20
    return total


def _completed(place: Path) -> int:
    from tests.search.command import trial_states

    if not (place / "mlruns" / "optuna.db").exists():
        return 0
    return sum(state == "COMPLETE" for state in trial_states(place).values())
