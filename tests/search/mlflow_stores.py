"""MLflow's stores for tests: a database with its tables and nothing else, and a real server."""

import contextlib
import functools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path


@functools.cache
def _tables() -> bytes:  # making them takes longer than most tests
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "mlflow.db"
        store = SqlAlchemyStore(f"sqlite:///{file}", (Path(place) / "artifacts").as_uri())
        store.engine.dispose()
        return file.read_bytes()


def empty_store(place: Path) -> str:
    """Put `mlflow.db` into `place`, and return its URI."""
    (place / "mlflow.db").write_bytes(_tables())
    return f"sqlite:///{place}/mlflow.db"


def answers(address: str) -> bool:
    """True if a server answers at `address`."""
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=2):
        return True
    return False


@contextlib.contextmanager
def server_in(
    place: Path, *options: str, told: Mapping[str, str] | None = None
) -> Iterator[tuple[str, Callable[[], "subprocess.Popen[bytes]"]]]:
    """Where an MLflow server will be, its store being `place/server.db`, and how it is started.

    Args:
        place: its folder.
        options: further options of `mlflow server`.
        told: further environment variables of it.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (place / "server.db").write_bytes(_tables())
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"]
        words += ["--port", str(port), "--backend-store-uri", f"sqlite:///{place}/server.db"]
        words += ["--artifacts-destination", (place / "served").as_uri(), *options]
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        started.append(
            subprocess.Popen(
                words,
                cwd=place,
                env=os.environ | quiet | dict(told or {}),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )
        return started[-1]

    try:
        yield f"http://127.0.0.1:{port}", start
    finally:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=30)
