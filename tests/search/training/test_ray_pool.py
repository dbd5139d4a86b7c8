"""What only a cluster can do: be away, lose its head, and be of other versions."""

import signal
import time
from pathlib import Path

import psutil
import pytest

from experiments.catalogue import CATALOGUE
from search.common.errors import Refused
from search.common.records import Task
from search.engine.plan import make_plan
from search.training import ray_agent
from search.training.pool import PoolLost
from search.training.ray_nodes import look_at_nodes
from search.training.ray_pool import RayPool, Resources, connect
from tests.search.command import wait_until
from tests.search.ray_cluster import ray_head, trainers
from tests.search.samples import parameters


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere", "host:port"])
def test_an_address_without_a_cluster_is_refused_at_once(address: str) -> None:
    began = time.monotonic()
    with pytest.raises(Refused, match="HOST:PORT") as refusal:
        connect(address)
    assert address in str(refusal.value) and "ray start --head" in str(refusal.value)
    assert time.monotonic() - began < 20


def _of(line: str) -> list[psutil.Process]:
    return [
        p for p in psutil.process_iter(["cmdline"]) if line in " ".join(p.info["cmdline"] or ())
    ]


def test_s2_lost_head_ends_the_search_in_order_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(CATALOGUE["smoke"])
    with ray_head(cpus=1) as address:
        import ray

        (node,) = look_at_nodes(address)
        assert (node.cpus, node.gpus, node.problem) == (1.0, 0.0, "")
        assert node.versions == ray_agent.versions() and node.free > 0
        assert node.asked <= node.clock + 1 and node.clock <= node.answered + 1
        # Then another version on the node than here: named, and nothing is trained.
        monkeypatch.setattr("search.training.ray_pool.versions", lambda: {"keras": "9.9"})
        with pytest.raises(Refused, match=r"keras \d.* there, 9\.9 here"):
            RayPool(plan.series, plan.experiment.framing, Resources(address))
        monkeypatch.setattr("search.training.ray_pool.versions", ray_agent.versions)
        pool = RayPool(plan.series, plan.experiment.framing, Resources(address))
        pool.submit(Task(0, parameters(), 7, tmp_path / "trial-0"))
        wait_until(lambda: bool(trainers(address)))
        (head,) = [
            p for p in _of("gcs_server") if address.rpartition(":")[2] in " ".join(p.cmdline())
        ]
        head.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 50  # Ray itself would end this process after 60 s
        event = None
        while not isinstance(event, PoolLost):
            assert time.monotonic() < deadline
            event = pool.event(1.0)
        assert "does not answer" in event.reason
        lost = trainers(address)
        began = time.monotonic()
        pool.stop()
        assert time.monotonic() - began < 10
        # Else Ray would end this process later.
        assert not ray.is_initialized()
        psutil.wait_procs(lost, timeout=10)
        assert not any(trainer.is_running() for trainer in lost)
