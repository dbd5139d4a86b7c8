"""The same kills where the study is in PostgreSQL, the trials are on Ray, or both.

The servers are the test's own: a PostgreSQL server, and two nodes of a Ray cluster in network
namespaces.
"""

import contextlib
import os
import random
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import optuna
import psutil

from search.common.errors import DONE
from search.training.worker import NAME
from tests.chaos.audit import Audit, audit
from tests.chaos.started import LONGEST, STUDY, Started
from tests.search.command import environment
from tests.search.postgres import Server, postgres_server
from tests.search.ray_cluster import agents
from tests.search.two_nodes import TwoNodes, two_nodes

# What is killed; of the last, a whole server is restarted without warning.
TRAINER, AGENT, NODE = "trainer", "agent", "node"
COORDINATOR, DATABASE = "coordinator", "database"
KINDS = (TRAINER, AGENT, NODE, COORDINATOR, DATABASE)
# s between two kills: uniform from 2 to this.
PACE = 15.0
# Share of kills before which the running search has to have ended a trial. The others also hit
# searches that begin.
WORKING = 0.75
# s that a killed node stays away: uniform from 0 to this.
AWAY = 10.0
# Trials that are added if a study is done before all kills.
MORE = 10
# s after the coordinator's end until none of our processes may be left.
GONE = 10.0
# In the environment of all that is started here, and so of their training processes.
_MARK = "SEARCH_CHAOS"


@dataclass
class Outcome:
    """The result of a study under kills.

    Attributes:
        total: requested number of finished trials in the end.
        killed: number of kills by kind.
        acknowledged: by number, attempts that were reported as ended, and their state.
        refused: starts that met the database's restart, and ended with a refusal that says so.
        leaving: s from each end of a coordinator until its agents and training processes were gone.
        audit: the audit of both stores at the end.
    """

    total: int
    killed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    acknowledged: dict[int, str] = field(default_factory=dict)
    refused: int = 0
    leaving: list[float] = field(default_factory=list)
    audit: Audit | None = None

    @property
    def sound(self) -> bool:
        """True if all that was asked for is there, and nothing else."""
        assert self.audit is not None
        whole = not self.audit.faults() and self.audit.finished == self.total
        return whole and max(self.leaving) <= GONE


class _Places:
    """Where the study and its trials are, and the search that runs there.

    Attributes:
        search: the command that runs now, or ran last.
    """

    def __init__(
        self,
        place: Path,
        nodes: TwoNodes | None,
        server: Server | None,
        mark: str,
        outcome: Outcome,
    ) -> None:
        self._place = place
        self._nodes = nodes
        self._server = server
        self._mark = mark
        self._outcome = outcome
        self._options: tuple[str, ...] = ("--workers", "2")
        if server is not None:
            server.make(STUDY)
            self._options += ("--storage", server.url(STUDY))
        if nodes is not None:
            self._options += ("--cluster", nodes.address)
        self.start()

    def start(self) -> None:
        """Start the search."""
        options = (*self._options, "--trials", str(self._outcome.total))
        inside: tuple[str, ...] = ()
        told = environment()
        if self._nodes is not None:
            inside, told = self._nodes.inside, self._nodes.environment
        self._ends_before = len(self._outcome.acknowledged)
        self.search = Started(self._place, options, self._outcome.acknowledged, inside, told)

    def wait_for_an_end(self) -> None:
        """Wait until this start of the search has reported the end of a trial, or has ended."""
        deadline = time.monotonic() + LONGEST
        while len(self._outcome.acknowledged) == self._ends_before and not self.search.ended:
            assert time.monotonic() < deadline, (self._place / "chaos.log").read_text()[-3000:]
            time.sleep(0.2)

    def close(self) -> int:
        """Wait for the search's end and that of its processes; return its exit code."""
        code = self.search.close()
        began = time.monotonic()
        psutil.wait_procs(self._agents() + self._trainers(), timeout=3 * GONE)
        self._outcome.leaving.append(time.monotonic() - began)
        return code

    def close_and_allow_refusal(self) -> bool:
        """As `close`; return True if the search met the database's restart as it began.

        Raises:
            AssertionError: it ended with another failure.
        """
        if self.close() == DONE:
            return False
        said = (self._place / "chaos.log").read_text()[-3000:]
        assert self._server is not None and said.rpartition("\nRefused: ")[2].startswith(
            "the database postgresql"
        ), said
        self._outcome.refused += 1
        return True

    def kill(self, kind: str, draw: random.Random) -> bool:
        """Kill something of that kind; return False if there is none now."""
        if kind == DATABASE:
            assert self._server is not None
            self._server.control("restart", "-m", "immediate")
        elif kind == COORDINATOR:
            self.search.process.send_signal(signal.SIGKILL)
            self.close()
            self.start()
        elif kind == NODE:
            assert self._nodes is not None
            self._nodes.kill_other()
            time.sleep(draw.uniform(0, AWAY))
            self._nodes.start_other()
        else:
            victims = self._agents() if kind == AGENT else self._trainers()
            with contextlib.suppress(psutil.NoSuchProcess, IndexError):
                draw.choice(victims).kill()
                return True
            return False
        return True

    def audit(self) -> Audit:
        """Audit the stores; of a study on a server, a copy with the same numbers and states."""
        if self._server is not None:
            copy = self._place / "mlruns" / "optuna.db"
            copy.unlink(missing_ok=True)
            optuna.copy_study(
                from_study_name=STUDY,
                from_storage=self._server.local_url(STUDY),
                to_storage=f"sqlite:///{copy}",
                to_study_name=STUDY,
            )
        return audit(self._place / "mlruns", self._outcome.acknowledged)

    def _agents(self) -> list[psutil.Process]:
        """The cluster's agents."""
        return [] if self._nodes is None else agents(self._nodes.address)

    def _trainers(self) -> list[psutil.Process]:
        """Training processes, those that have lost their agent or coordinator among them."""
        found = []
        for process in psutil.process_iter(["name"]):
            with contextlib.suppress(psutil.Error):
                if process.info["name"] == NAME and process.environ().get(_MARK) == self._mark:
                    found.append(process)
        return found


@contextmanager
def _places(place: Path, cluster: bool, postgresql: bool, outcome: Outcome) -> Iterator[_Places]:
    mark = os.environ[_MARK] = secrets.token_hex(8)
    with contextlib.ExitStack() as leaving:
        nodes = leaving.enter_context(two_nodes()) if cluster else None
        inside = () if nodes is None else nodes.inside
        server = leaving.enter_context(postgres_server(inside)) if postgresql else None
        places = _Places(place, nodes, server, mark, outcome)
        try:
            yield places
        finally:
            places.search.process.kill()


def search_with_servers(
    place: Path,
    kills: dict[str, int],
    trials: int,
    seed: int,
    say: Callable[[str], None],
    cluster: bool,
    postgresql: bool,
) -> Outcome:
    """Search on own servers while processes are killed.

    Args:
        place: an empty folder for the stores, and `chaos.log` for what the commands say.
        kills: number of kills by kind, one of `KINDS`.
        trials: number of trials at first; more are added if they are done before the kills.
        seed: seed of the moments and the victims.
        say: gets the progress, one line at a time.
        cluster: whether trials train on two Ray nodes.
        postgresql: whether the study is in PostgreSQL.
    """
    draw = random.Random(seed)
    outcome = Outcome(trials)
    with _places(place, cluster, postgresql, outcome) as places:
        while left := [kind for kind, count in kills.items() if outcome.killed[kind] < count]:
            time.sleep(draw.uniform(2, PACE))
            if draw.random() < WORKING:
                places.wait_for_an_end()
                time.sleep(draw.uniform(0, 2))
            if places.search.ended:
                if not places.close_and_allow_refusal():
                    outcome.total += MORE
                places.start()
                continue
            kind = draw.choice(left)
            if places.kill(kind, draw):
                outcome.killed[kind] += 1
                say(f"{outcome.killed}, {len(outcome.acknowledged)} ends acknowledged")
        while True:
            if not places.close_and_allow_refusal():
                outcome.audit = places.audit()
                if outcome.audit.finished >= outcome.total:
                    return outcome
            places.start()
