"""The same kills with the study in PostgreSQL and the trials on Ray; and restarts of PostgreSQL."""

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import optuna
import psutil

from search.training.ray_agent import Agent
from tests.chaos.audit import Audit, audit
from tests.chaos.kills import ENDED, OPTIONS, STATES, STUDY
from tests.search.command import start
from tests.search.postgres import Server, postgres_server
from tests.search.ray_cluster import ray_head

KINDS = ("trainer", "agent", "coordinator", "database")
# Seconds between two kills: uniform from 2 to this.
PACE = 15.0
MORE = 10
# s within which nothing of ours may be left after the coordinator's end.
GONE = 10.0
_LONGEST = 600.0
_AGENT = f"ray::{Agent.__name__}"


@dataclass
class Outcome:
    """What came of it: see `tests.chaos.kills.Outcome`."""

    total: int
    killed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    acknowledged: dict[int, str] = field(default_factory=dict)
    left_behind: int = 0
    codes: list[int] = field(default_factory=list)
    audit: Audit | None = None


class _Search:
    """One start of the search; what it acknowledges is kept."""

    def __init__(self, place: Path, options: tuple[str, ...], outcome: Outcome) -> None:
        self._outcome = outcome
        asked = ("--trials", str(outcome.total))
        self.process = start(place, *OPTIONS, *options, *asked)
        self._log = (place / "chaos.log").open("a")
        self._readers = [
            threading.Thread(target=self._read),
            threading.Thread(target=self._drop),
        ]
        for reader in self._readers:
            reader.start()

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

    def close(self) -> int:
        code = self.process.wait(timeout=_LONGEST)
        for reader in self._readers:
            reader.join()
        for stream in (self.process.stdout, self.process.stderr, self._log):
            assert stream is not None
            stream.close()
        self._outcome.codes.append(code)
        return code


def search_with_servers(
    place: Path, kills: dict[str, int], trials: int, seed: int, say: Callable[[str], None]
) -> Outcome:
    """Search on servers of its own while as many of each of `KINDS` are killed as `kills` says.

    Args:
        place: an empty folder.
        kills: by kind; the database is restarted at once, without a warning to its users.
        trials: to begin with; more are asked for if they are done before the kills are.
        seed: of moments and victims.
        say: is told how it goes.
    """
    draw = random.Random(seed)
    outcome = Outcome(trials)
    with ray_head(cpus=2) as address, postgres_server() as server:
        url = server.make("chaos")
        options = ("--storage", url, "--cluster", address)
        search = _Search(place, options, outcome)
        while left := [kind for kind in KINDS if outcome.killed[kind] < kills.get(kind, 0)]:
            time.sleep(draw.uniform(2, PACE))
            if search.process.poll() is not None:
                assert search.close() == 0, (place / "chaos.log").read_text()[-3000:]
                outcome.total += MORE
                search = _Search(place, options, outcome)
                continue
            kind = draw.choice(left)
            if not _kill(kind, search, server, draw, outcome):
                continue
            outcome.killed[kind] += 1
            say(f"{outcome.killed}, {len(outcome.acknowledged)} ends acknowledged")
            if kind == "coordinator":
                search = _Search(place, options, outcome)
        while search.close() == 0 and _audit(place, url, outcome).finished < outcome.total:
            search = _Search(place, options, outcome)
        outcome.audit = _audit(place, url, outcome)
        outcome.left_behind += not _gone()
    return outcome


def _kill(
    kind: str, search: _Search, server: Server, draw: random.Random, outcome: Outcome
) -> bool:
    if kind == "database":
        server.control("restart", "-m", "immediate")
        return True
    if kind == "coordinator":
        search.process.send_signal(signal.SIGKILL)
        search.close()
        outcome.codes.pop()
        outcome.left_behind += not _gone()
        return True
    victims = _agents() if kind == "agent" else _trainers()
    if not victims:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(draw.choice(victims).pid, signal.SIGKILL)
        return True
    return False


def _agents() -> list[psutil.Process]:
    processes = psutil.process_iter(["cmdline"])
    return [p for p in processes if " ".join(p.info["cmdline"] or []).startswith(_AGENT)]


def _trainers() -> list[psutil.Process]:
    found = []
    for agent in _agents():
        with contextlib.suppress(psutil.Error):
            found += [c for c in agent.children() if "spawn_main" in " ".join(c.cmdline())]
    return found


def _gone() -> bool:
    """True if agents and trainers are gone within `GONE` s."""
    known = _agents() + _trainers()
    _, alive = psutil.wait_procs(known, timeout=GONE)
    return not alive


def _audit(place: Path, url: str, outcome: Outcome) -> Audit:
    """Audit a copy of the study; its numbers and states are those of the server."""
    copy = place / "mlruns" / "optuna.db"
    copy.unlink(missing_ok=True)
    to = f"sqlite:///{copy}"
    optuna.copy_study(from_study_name=STUDY, from_storage=url, to_storage=to, to_study_name=STUDY)
    return audit(place / "mlruns", outcome.acknowledged)
