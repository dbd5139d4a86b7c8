"""What the nodes of a Ray cluster have: looked at, not used."""

import shutil
import tempfile
import time
from dataclasses import dataclass, field
from typing import Any

from search.training.ray_agent import versions
from search.training.ray_pool import connect

# s that a node may take to answer; the code travels first.
PATIENCE = 60.0


@dataclass(frozen=True)
class Node:
    """A node as it was found.

    Attributes:
        host: its name. cpus, gpus: it has. versions: of what decides the numbers.
        clock: its time, s since 1970, read between `asked` and `answered` by our clock.
        free: bytes where its trials write. problem: why nothing else is known, else "".
    """

    host: str
    cpus: float = 0.0
    gpus: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)
    clock: float = 0.0
    asked: float = 0.0
    answered: float = 0.0
    free: int = 0
    problem: str = ""


def _report() -> tuple[dict[str, str], int]:
    return versions(), shutil.disk_usage(tempfile.gettempdir()).free


def _time() -> float:
    return time.time()


def look_at_nodes(address: str) -> list[Node]:
    """Ask every node of the cluster at `address` what it has.

    Raises:
        Refused: there is no such cluster, or it does not let us in.
    """
    ray = connect(address)
    try:
        return [_look(ray, known) for known in ray.nodes() if known["Alive"]]
    finally:
        ray.shutdown()


def _look(ray: Any, known: dict[str, Any]) -> Node:
    strategies = ray.util.scheduling_strategies
    there = strategies.NodeAffinitySchedulingStrategy(known["NodeID"], soft=False)
    here = {"num_cpus": 0, "scheduling_strategy": there, "max_retries": 0}
    host, has = known["NodeManagerHostname"], known["Resources"]
    try:
        # The first answer waits for the code; the clock is asked of a process that is there.
        found, free = ray.get(ray.remote(_report).options(**here).remote(), timeout=PATIENCE)
        asked = time.time()
        clock = ray.get(ray.remote(_time).options(**here).remote(), timeout=PATIENCE)
    except ray.exceptions.RayError as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return Node(host, problem=reason[:300])
    times = clock, asked, time.time()
    return Node(host, has.get("CPU", 0.0), has.get("GPU", 0.0), found, *times, free)
