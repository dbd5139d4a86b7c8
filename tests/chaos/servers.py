"""The same kills, and restarts of PostgreSQL, with the study in PostgreSQL and trials on Ray."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import optuna
import psutil

from search.training.ray_agent import Agent
from tests.chaos.audit import Audit, audit
from tests.chaos.started import STUDY, Started
from tests.search.postgres import Server, postgres_server
from tests.search.ray_cluster import ray_head

KINDS = ("trainer", "agent", "coordinator", "database")
# Seconds between two kills: uniform from 2 to this.
PACE = 15.0
MORE = 10
# s after the coordinator's end until none of our processes may be left.
GONE = 10.0
_AGENT = f"ray::{Agent.__name__}"


@dataclass
class Outcome:
    """The result: see `tests.chaos.kills.Outcome`."""

    total: int
    killed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    acknowledged: dict[int, str] = field(default_factory=dict)
    left_behind: int = 0
    codes: list[int] = field(default_factory=list)
    audit: Audit | None = None


def _start(place: Path, options: tuple[str, ...], outcome: Outcome) -> Started:
    return Started(place, (*options, "--trials", str(outcome.total)), outcome.acknowledged)


def _close(search: Started, outcome: Outcome) -> int:
    outcome.codes.append(search.close())
    return outcome.codes[-1]


def search_with_servers(
    place: Path, kills: dict[str, int], trials: int, seed: int, say: Callable[[str], None]
) -> Outcome:
    """Search on own servers while processes of each of `KINDS` are killed.

    Args:
        place: an empty folder.
        kills: number of kills by kind. The database is restarted at once, without warning.
        trials: number of trials at first; more are added if they are done before the kills.
        seed: seed of the moments and the victims.
        say: gets the progress, one line at a time.
    """
    draw = random.Random(seed)
    outcome = Outcome(trials)
    with ray_head(cpus=2) as address, postgres_server() as server:
        url = server.make("chaos")
        options = ("--storage", url, "--cluster", address)
        search = _start(place, options, outcome)
        while left := [kind for kind in KINDS if outcome.killed[kind] < kills.get(kind, 0)]:
            time.sleep(draw.uniform(2, PACE))
            if search.ended:
                assert _close(search, outcome) == 0, (place / "chaos.log").read_text()[-3000:]
                outcome.total += MORE
                search = _start(place, options, outcome)
                continue
            kind = draw.choice(left)
            if not _kill(kind, search, server, draw, outcome):
                continue
            outcome.killed[kind] += 1
            say(f"{outcome.killed}, {len(outcome.acknowledged)} ends acknowledged")
            if kind == "coordinator":
                search = _start(place, options, outcome)
        while _close(search, outcome) == 0 and _audit(place, url, outcome).finished < outcome.total:
            search = _start(place, options, outcome)
        outcome.audit = _audit(place, url, outcome)
        outcome.left_behind += not _gone()
    return outcome


def _kill(
    kind: str, search: Started, server: Server, draw: random.Random, outcome: Outcome
) -> bool:
    if kind == "database":
        server.control("restart", "-m", "immediate")
        return True
    if kind == "coordinator":
        search.process.send_signal(signal.SIGKILL)
        search.close()
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
    """Audit a copy of the study, with the same numbers and states as on the server."""
    copy = place / "mlruns" / "optuna.db"
    copy.unlink(missing_ok=True)
    to = f"sqlite:///{copy}"
    optuna.copy_study(from_study_name=STUDY, from_storage=url, to_storage=to, to_study_name=STUDY)
    return audit(place / "mlruns", outcome.acknowledged)
