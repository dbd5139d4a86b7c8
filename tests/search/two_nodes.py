"""Two nodes of a Ray cluster on this machine: network namespaces with a cable between them."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.search.command import environment
from tests.search.ray_cluster import SETTINGS, need_ray

HEAD, OTHER = "10.213.7.1", "10.213.7.2"
_PORT = 6399
# As docs/cluster.md says: a cut cable is noticed in 8 s.
_HEALTH = {
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "3",
}
# Starts of a node: Ray gives up after 30 s, which are too few on a busy machine.
_STARTS = 4


class TwoNodes:
    """A head in one namespace, a node in the other.

    Attributes:
        address: of the head. inside: words that run a command on the head's side.
        environment: for such a command.
    """

    def __init__(self, name: str, environment: dict[str, str], place: Path) -> None:
        """Remember the namespaces, `name` with a number each, and the folder of the logs."""
        self.address = f"{HEAD}:{_PORT}"
        self.inside = ("ip", "netns", "exec", f"{name}1")
        self.environment = environment
        self._name = name
        self._place = place
        self._nodes: dict[str, subprocess.Popen[bytes]] = {}

    def cut(self) -> None:
        """Cut the cable between the nodes."""
        _ip("-n", f"{self._name}1", "link", "set", "cable1", "down")

    def start_head(self) -> None:
        """Start the first node; return when it runs."""
        options = [_at(HEAD), f"--port={_PORT}", f"--temp-dir={self._place}"]
        head = ("--head", "--include-dashboard=false")
        self._start("one", f"{self._name}1", *head, *options)

    def start_other(self) -> None:
        """Start the second node, also after it was killed; return when it runs."""
        self._start("two", f"{self._name}2", f"--address={self.address}", _at(OTHER))

    def kill_other(self) -> None:
        """Kill the second node with all that runs on it, as a loss of power does."""
        node = self._nodes["two"]
        for process in [*_family(node), psutil.Process(node.pid)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        node.wait()

    def processes(self) -> list[psutil.Process]:
        """What runs on the nodes."""
        return [process for node in self._nodes.values() for process in _family(node)]

    def stop(self) -> None:
        """End both nodes, the second one first."""
        for node in reversed(self._nodes.values()):
            _end(node)

    def _start(self, host: str, space: str, *options: str) -> None:
        """Start a node in a namespace of the network, with a host name of its own."""
        log = self._place / f"{host}.log"
        for _ in range(_STARTS):
            node = self._nodes[host] = self._begin(host, space, options, log)
            while node.poll() is None:
                if "Ray runtime started" in log.read_text():
                    return
                time.sleep(0.1)
        raise AssertionError(log.read_text())

    def _begin(
        self, host: str, space: str, options: tuple[str, ...], log: Path
    ) -> "subprocess.Popen[bytes]":
        command = 'hostname "$0" && exec "$@"'
        ray = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus=1"]
        words = ["ip", "netns", "exec", space, "unshare", "--uts", "sh", "-c", command, host]
        with log.open("w") as output:
            return subprocess.Popen(
                [*words, *ray, *options],
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True, timeout=20)


@contextmanager
def _namespaces(name: str) -> Iterator[None]:
    """Two namespaces of the network, `name` with a number each, and a cable between them.

    Raises:
        OSError, subprocess.CalledProcessError: they cannot be made here.
    """
    with contextlib.ExitStack() as leaving:
        for number in (1, 2):
            _ip("netns", "add", f"{name}{number}")
            leaving.callback(_ip, "netns", "del", f"{name}{number}")
        _ip("-n", f"{name}1", "link", "add", "cable1", "type", "veth", "peer", "name", "cable2")
        _ip("-n", f"{name}1", "link", "set", "cable2", "netns", f"{name}2")
        for number, at in ((1, HEAD), (2, OTHER)):
            space = ("-n", f"{name}{number}")
            _ip(*space, "addr", "add", f"{at}/24", "dev", f"cable{number}")
            _ip(*space, "link", "set", f"cable{number}", "up")
            _ip(*space, "link", "set", "lo", "up")
        yield


@contextmanager
def two_nodes() -> Iterator[TwoNodes]:
    """A running cluster; skips the test where namespaces or Ray cannot be had.

    With REQUIRE_RAY=1 it fails where there is no Ray. Namespaces need rights that no package gives.
    """
    need_ray()
    name = f"ray{os.getpid()}n"
    with contextlib.ExitStack() as leaving:
        try:
            leaving.enter_context(_namespaces(name))
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or error
            pytest.skip(f"needs network namespaces (root, iproute2): {said}")
        place = Path(tempfile.mkdtemp(prefix="r", dir="/tmp"))
        leaving.callback(shutil.rmtree, place, ignore_errors=True)
        told = environment() | SETTINGS | _HEALTH | {"RAY_AUTH_TOKEN": secrets.token_hex(32)}
        nodes = TwoNodes(name, told, place)
        leaving.callback(nodes.stop)
        nodes.start_head()
        nodes.start_other()
        yield nodes


def _at(address: str) -> str:
    return f"--node-ip-address={address}"


def _family(node: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    return psutil.Process(node.pid).children(recursive=True) if node.poll() is None else []


def _end(node: "subprocess.Popen[bytes]") -> None:
    family = _family(node)
    node.send_signal(signal.SIGTERM)
    try:
        node.wait(timeout=10)
    except subprocess.TimeoutExpired:
        node.kill()
        node.wait()
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
