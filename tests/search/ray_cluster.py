"""A Ray cluster of the tests' own: a head on loopback, with a token."""

import contextlib
import functools
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from search.training.ray_agent import Agent
from search.training.worker import NAME
from tests.search.command import wait_until

SETTINGS = {
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    # Ray's 15 would leave its processes little of a machine on which other tests run.
    "RAY_worker_niceness": "0",
}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def agents(address: str) -> list[psutil.Process]:
    """Agents on this machine's nodes of the cluster at `address`; other tests may run another."""
    # Ray writes another address for the loopback, so the port has to tell.
    port = address.rpartition(":")[2]
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if " ".join(process.info["cmdline"] or ()).startswith(f"ray::{Agent.__name__}"):
            with contextlib.suppress(psutil.Error):
                raylet = process.parent()
                words = raylet.cmdline() if raylet is not None else []
                if any(w.startswith("--gcs-address=") and w.endswith(f":{port}") for w in words):
                    found.append(process)
    return found


def trainers(address: str) -> list[psutil.Process]:
    """Training processes of these agents."""
    found = []
    for agent in agents(address):
        with contextlib.suppress(psutil.Error):
            found += [c for c in agent.children(recursive=True) if c.name() == NAME]
    return found


@functools.cache
def _token() -> str:
    """One token for all clusters of this process: Ray reads it once."""
    return secrets.token_hex(32)


def need_ray() -> None:
    """Skip the test where there is no Ray; fail with REQUIRE_RAY=1."""
    if importlib.util.find_spec("ray") is None:
        line = "needs Ray: pip install -r requirements-cluster.lock"
        if os.environ.get("REQUIRE_RAY") == "1":
            pytest.fail(f"REQUIRE_RAY=1, but this {line}")
        pytest.skip(line)


@contextmanager
def ray_head(cpus: int = 2) -> Iterator[str]:
    """The address of a running head; skips the test where there is no Ray."""
    need_ray()
    # A socket's path is short, and Ray's folder names are long.
    place = Path(tempfile.mkdtemp(prefix="r", dir="/tmp"))
    port = _free_port()
    settings = SETTINGS | {"RAY_AUTH_TOKEN": _token()}
    kept = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    words = ["start", "--head", "--node-ip-address=127.0.0.1", f"--port={port}", "--block"]
    words += [f"--num-cpus={cpus}", "--include-dashboard=false", f"--temp-dir={place}"]
    said = place / "said"
    with said.open("w") as output:
        head = subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", *words],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until(lambda: "Ray runtime started" in said.read_text() or head.poll() is not None)
        assert head.poll() is None, said.read_text()
        yield f"127.0.0.1:{port}"
    finally:
        family = psutil.Process(head.pid).children(recursive=True)
        head.send_signal(signal.SIGTERM)
        try:
            head.wait(timeout=15)
        except subprocess.TimeoutExpired:
            head.kill()
        for process in family:
            if process.is_running():
                process.kill()
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        shutil.rmtree(place, ignore_errors=True)
