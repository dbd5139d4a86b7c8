"""Two nodes of a Ray cluster on this machine: network namespaces with a cable between them."""

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.search.command import environment, wait_until

HEAD, OTHER = "10.213.7.1", "10.213.7.2"
_PORT = 6399
# As docs/cluster.md says: a cut cable is noticed in 8 s.
_HEALTH = {
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "3",
}


@dataclass(frozen=True)
class TwoNodes:
    """A head in one namespace, a node in the other.

    Attributes:
        address: of the head. inside: words that run a command on the head's side.
        environment: for such a command. name: of the namespaces, without their number.
    """

    address: str
    inside: tuple[str, ...]
    environment: dict[str, str]
    name: str

    def cut(self) -> None:
        """Cut the cable between the nodes."""
        _ip("-n", f"{self.name}1", "link", "set", "cable1", "down")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True, timeout=20)


@contextmanager
def two_nodes() -> Iterator[TwoNodes]:
    """A running cluster; skips the test where namespaces or Ray cannot be had."""
    name = f"ray{os.getpid()}n"
    missing = "the extra `cluster`" if importlib.util.find_spec("ray") is None else ""
    if not missing:
        try:
            _ip("netns", "add", f"{name}1")
        except (OSError, subprocess.CalledProcessError) as error:
            missing = f"network namespaces (root, iproute2): {error}"
    if missing:
        if os.environ.get("REQUIRE_RAY") == "1":
            pytest.fail(f"REQUIRE_RAY=1, but this needs {missing}")
        pytest.skip(f"needs {missing}")
    with contextlib.ExitStack() as leaving:
        leaving.callback(_ip, "netns", "del", f"{name}1")
        _ip("netns", "add", f"{name}2")
        leaving.callback(_ip, "netns", "del", f"{name}2")
        _ip("-n", f"{name}1", "link", "add", "cable1", "type", "veth", "peer", "name", "cable2")
        _ip("-n", f"{name}1", "link", "set", "cable2", "netns", f"{name}2")
        for number, at in ((1, HEAD), (2, OTHER)):
            space = ("-n", f"{name}{number}")
            _ip(*space, "addr", "add", f"{at}/24", "dev", f"cable{number}")
            _ip(*space, "link", "set", f"cable{number}", "up")
            _ip(*space, "link", "set", "lo", "up")
        place = Path(tempfile.mkdtemp(prefix="r", dir="/tmp"))
        leaving.callback(shutil.rmtree, place, ignore_errors=True)
        told = environment() | _HEALTH | {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token"}
        told["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
        same = ["--block", "--num-cpus=1"]
        head = [f"--node-ip-address={HEAD}", f"--port={_PORT}", f"--temp-dir={place}"]
        _start(leaving, f"{name}1", "one", ["--head", *head, *same], told, place / "one.log")
        other = [f"--address={HEAD}:{_PORT}", f"--node-ip-address={OTHER}"]
        _start(leaving, f"{name}2", "two", [*other, *same], told, place / "two.log")
        inside = ("ip", "netns", "exec", f"{name}1")
        yield TwoNodes(f"{HEAD}:{_PORT}", inside, told, name)


def _start(
    leaving: contextlib.ExitStack,
    space: str,
    host: str,
    options: list[str],
    told: dict[str, str],
    log: Path,
) -> None:
    """Start a node in a namespace of the network, with a host name of its own."""
    command = 'hostname "$0" && exec "$@"'
    ray = [sys.executable, "-m", "ray.scripts.scripts", "start", *options]
    words = ["ip", "netns", "exec", space, "unshare", "--uts", "sh", "-c", command, host, *ray]
    with log.open("w") as output:
        node = subprocess.Popen(
            words, env=told, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    leaving.callback(_end, node)
    wait_until(lambda: "Ray runtime started" in log.read_text() or node.poll() is not None)
    assert node.poll() is None, log.read_text()


def _end(node: "subprocess.Popen[bytes]") -> None:
    family = psutil.Process(node.pid).children(recursive=True) if node.poll() is None else []
    node.send_signal(signal.SIGTERM)
    try:
        node.wait(timeout=10)
    except subprocess.TimeoutExpired:
        node.kill()
        node.wait()
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
