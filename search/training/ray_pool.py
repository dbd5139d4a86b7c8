"""Training processes on the nodes of a Ray cluster, behind the pool's interface.

An agent a slot, wherever Ray finds room for it. Nodes may come and go: a slot counts once its agent
is ready, and a lost agent is asked for anew.
"""

import functools
import itertools
import os
import queue
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_pipeline.framing import Framing
from data_pipeline.series import HourlySeries
from search.common.errors import Refused
from search.common.records import Cause, Failure, Task
from search.common.spool import put_whole
from search.training.pool import AttemptEnded, EpochReached, Event, PoolLost, StopRequested
from search.training.ray_agent import Agent, Ended, Hello, Reached, versions

# s until the first agent has to be ready: TensorFlow is not started for that.
FIRST_AGENT = 120.0
# Ray ends this process by itself 60 s after its head is gone, without any of our clean-up.
_PROBE_EVERY = 4.0
_PROBES = 4
_LEAVING = 9.0
# Agents in a row that end before they are ready.
_STILLBORN = 5
_ROOMS = ("search", "models", "data_pipeline", "experiments")


@dataclass(frozen=True)
class Resources:
    """What is asked of a cluster.

    Attributes:
        address: of its head, HOST:PORT, or "auto".
        workers: agents; None: as many as the cluster has room for now.
        per_gpu: agents that share a GPU, where the cluster has any.
    """

    address: str
    workers: int | None = None
    per_gpu: int = 1


@dataclass(frozen=True)
class _Change:
    """Something that happened to the pool itself, done by the thread that reads the events."""

    apply: Callable[[], None]


class _Slot:
    """One agent, and the task that it has."""

    def __init__(self, number: int, actor: Any) -> None:
        self.number = number
        self.actor = actor
        self.host = ""
        self.ready = False
        self.task: Task | None = None


class RayPool:
    """Agents on the nodes of a Ray cluster; used by one thread."""

    def __init__(
        self,
        series: HourlySeries,
        framing: Framing,
        resources: Resources,
        trial_timeout: float | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Connect, and wait for the first agent.

        Args:
            series: what is trained on; sent to the cluster once.
            framing: how it is seen, where a task does not say so itself.
            resources: what is asked for.
            trial_timeout: s after which a trial is killed.
            say: is told in a line how many train and how many are waited for.

        Raises:
            Refused: there is no such cluster, it has no room, or a node has other versions.
        """
        self._ray = connect(resources.address)
        self._say = say
        self._events: queue.SimpleQueue[Event | _Change] = queue.SimpleQueue()
        self._numbers = itertools.count()
        self._stopped = threading.Event()
        self._stillborn = 0
        self._headless = False
        self._slots: dict[int, _Slot] = {}
        workers, share = _share(self._ray.cluster_resources(), resources)
        agent = self._ray.remote(num_cpus=1, num_gpus=share, max_restarts=0)(Agent)
        ours = self._ray.put(series)
        gpus = 1 if share else 0
        self._make: Callable[[], Any] = lambda: agent.remote(ours, framing, gpus, trial_timeout)
        self._wanted = workers
        for _ in range(workers):
            self._ask_for_agent()
        threading.Thread(target=self._probe, name="ray-head", daemon=True).start()
        try:
            self._wait_for_first()
        except BaseException:
            self.stop()
            raise

    @property
    def size(self) -> int:
        """Tasks that run at once: agents that are ready."""
        return sum(slot.ready for slot in self._slots.values())

    def submit(self, task: Task) -> None:
        """Train `task`, fewer than `size` others running; one `AttemptEnded` follows."""
        slot = next(s for s in self._slots.values() if s.ready and s.task is None)
        slot.task = task
        self._call(slot, slot.actor.begin.remote(task))

    def event(self, seconds: float) -> Event | None:
        """Return the next event, or None after `seconds` without one."""
        try:
            event = self._events.get(timeout=seconds) if seconds else self._events.get_nowait()
        except queue.Empty:
            return None
        if isinstance(event, _Change):
            if not self._stopped.is_set():
                event.apply()
            return None if seconds else self.event(0)
        return event

    def request_stop(self, signum: int) -> None:
        """Put a `StopRequested` among the events; safe in a signal handler."""
        self._events.put(StopRequested(signum))

    def stop(self) -> None:
        """End all agents at once; their training processes end with them."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        # If Ray does not answer, this command still has results to deliver.
        leaving = threading.Thread(target=self._leave, daemon=True)
        leaving.start()
        leaving.join(_LEAVING)

    def _leave(self) -> None:
        # Without its head, a call of Ray's does not return, and 60 s after the loss Ray ends this
        # process unless it has been shut down.
        if not self._headless:
            for slot in list(self._slots.values()):
                self._ray.kill(slot.actor)
        self._ray.shutdown()

    # -- agents ----------------------------------------------------------------------------------

    def _ask_for_agent(self) -> None:
        slot = _Slot(next(self._numbers), self._make())
        self._slots[slot.number] = slot
        self._call(slot, slot.actor.hello.remote())

    def _call(self, slot: _Slot, answer: Any) -> None:
        """Put what comes of a call among the events, from a thread of Ray's."""
        answer.future().add_done_callback(functools.partial(self._answered, slot))

    def _answered(self, slot: _Slot, answer: "Future[Any]") -> None:
        if self._stopped.is_set():
            return
        error = answer.exception()
        if error is not None:
            self._events.put(_Change(lambda: self._lost(slot, error)))
            return
        came = answer.result()
        task = slot.task
        if isinstance(came, Hello):
            self._events.put(_Change(lambda: self._welcome(slot, came)))
        elif isinstance(came, Reached):
            assert task is not None
            reply = functools.partial(self._reply, slot)
            self._events.put(EpochReached(task.number, came.epoch, came.value, reply))
        elif isinstance(came, Ended):
            assert task is not None
            try:
                if came.files:
                    put_whole(task.spool, came.files)
            finally:
                slot.task = None
                self._events.put(came.event)

    def _reply(self, slot: _Slot, stop: bool) -> None:
        if not self._stopped.is_set() and slot.number in self._slots:
            self._call(slot, slot.actor.go_on.remote(stop))

    def _welcome(self, slot: _Slot, hello: Hello) -> None:
        if hello.versions != versions():
            differ = [
                f"{name} {hello.versions.get(name)} there, {here} here"
                for name, here in versions().items()
                if hello.versions.get(name) != here
            ]
            raise Refused(
                f"node {hello.host} would train with other versions: {', '.join(differ)}.\n"
                "Next: install the same lock file on all nodes."
            )
        slot.host, slot.ready = hello.host, True
        self._tell()

    def _lost(self, slot: _Slot, error: BaseException) -> None:
        """Give up an agent, and ask for another; its trial is queued again by who reads this."""
        if self._stopped.is_set() or self._slots.pop(slot.number, None) is None:
            return
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        self._stillborn = 0 if slot.ready else self._stillborn + 1
        if self._stillborn >= _STILLBORN:
            self._events.put(PoolLost(f"agents end before they are ready, the last with: {reason}"))
            return
        # One that is only out of reach must not come back.
        self._ray.kill(slot.actor)
        if slot.task is not None:
            ours = isinstance(error, self._ray.exceptions.RayTaskError)
            cause = Cause.OUR_BUG if ours else Cause.NODE_LOST
            failure = Failure(cause, f"the agent on {slot.host}: {reason}", str(error))
            self._events.put(AttemptEnded(slot.task.number, failure))
        self._ask_for_agent()
        if slot.ready:
            self._tell()

    def _tell(self) -> None:
        ready = [slot.host for slot in self._slots.values() if slot.ready]
        hosts = ", ".join(f"{ready.count(host)} on {host}" for host in sorted(set(ready)))
        waited = self._wanted - len(ready)
        self._say(
            f"{len(ready)} of {self._wanted} agents are ready ({hosts or 'none'})"
            + (f"; {waited} are waited for." if waited else ".")
        )

    def _wait_for_first(self) -> None:
        deadline = time.monotonic() + FIRST_AGENT
        while not self.size and time.monotonic() < deadline:
            event = self.event(seconds=1.0)
            if isinstance(event, PoolLost):
                raise Refused(event.reason)
        if not self.size:
            raise Refused(
                f"the cluster has made no agent ready within {FIRST_AGENT:.0f} s: expected room "
                f"for one CPU an agent, found {self._ray.available_resources()}.\n"
                "Next: `ray status` says who holds the room; or give fewer --workers."
            )

    def _probe(self) -> None:
        """Notice that the cluster's head is gone before Ray ends this process for it."""
        host, _, port = self._ray.get_runtime_context().gcs_address.rpartition(":")
        failed = 0
        while not self._stopped.wait(_PROBE_EVERY):
            failed = 0 if _answers(host, int(port)) else failed + 1
            if failed >= _PROBES:
                self._headless = True
                self._events.put(
                    PoolLost(f"the head of the Ray cluster at {host}:{port} does not answer")
                )
                return


def connect(address: str) -> Any:
    """Join the cluster at `address`; return Ray.

    Raises:
        Refused: there is none, or it does not let us in.
    """
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Where a node has no GPU, Ray is to leave the variable alone.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    host, _, port = address.rpartition(":")
    if address != "auto" and not (host and port.isdigit() and _answers(host, int(port))):
        raise Refused(
            f"--cluster {address}: expected the address of a Ray cluster's head, HOST:PORT, found "
            "nothing that answers there.\nNext: `ray start --head` on one machine, and the address "
            "that it prints."
        )
    import ray

    root = Path(__file__).parents[2]
    try:
        ray.init(
            address=address,
            runtime_env={"py_modules": [str(root / room) for room in _ROOMS]},
            log_to_driver=False,
            logging_level="ERROR",
            configure_logging=False,
        )
    except (
        ray.exceptions.RayError,  # no token, or another one
        ConnectionError,
        RuntimeError,
        ValueError,
        OSError,
    ) as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        raise Refused(
            f"--cluster {address}: cannot join the Ray cluster: {(lines or ['no reason'])[0][:300]}"
            "\nExpected: a cluster that runs, started with RAY_AUTH_MODE=token, whose token, "
            "Python and Ray are the same here.\nNext: docs/cluster.md."
        ) from error
    return ray


def _share(found: dict[str, float], resources: Resources) -> tuple[int, float]:
    """How many agents to ask for, and the share of a GPU that each gets."""
    gpus = int(found.get("GPU", 0))
    share = 1 / resources.per_gpu if gpus else 0.0
    room = gpus * resources.per_gpu if gpus else int(found.get("CPU", 0))
    return resources.workers or max(room, 1), share


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=5.0).close()
    except OSError:
        return False
    return True
