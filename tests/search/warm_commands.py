"""Commands that begin with their libraries imported: forked from `tests.search.warm_server`."""

import atexit
import functools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

REPOSITORY = Path(__file__).resolve().parents[2]
# What a command that runs in this process sets (`models.tensorflow_start`), as it was before.
_SET_BY_COMMANDS = {
    name: os.environ.get(name)
    for name in (
        *("TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND", "CUDA_VISIBLE_DEVICES"),
        *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    )
}
# Variables that no import of TensorFlow reads, or that a command sets anyway.
_NOT_READ = ("PYTEST_", "MLFLOW_", "PYTHONPATH")


def environment() -> dict[str, str]:
    """The environment of a command of the tests, whichever tests ran in this process before.

    A person's own MLflow store is not in it.
    """
    told = (
        os.environ | _SET_BY_COMMANDS | {"MLFLOW_TRACKING_URI": None, "PYTHONPATH": str(REPOSITORY)}
    )
    return {name: value for name, value in told.items() if value is not None}


class WarmCommand:
    """A command that runs; what the tests use of `subprocess.Popen`."""

    def __init__(
        self,
        module: str,
        options: tuple[str, ...],
        place: Path,
        env: Mapping[str, str],
        warm_trainers: bool = True,
    ) -> None:
        """Start `python -m MODULE OPTIONS` in `place`, with pipes for what it prints."""
        self.args = [module, *options]
        self.returncode: int | None = None
        server, begun = _running_server()
        request = {
            "module": module,
            "options": options,
            "place": str(place),
            "env": dict(env),
            "warm_trainers": warm_trainers and _for_imports(env) == begun,
        }
        self.stdout: IO[str] | None
        self.stderr: IO[str] | None
        self.stdout, output = _pipe()
        self.stderr, errors = _pipe()
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._server.connect(str(server))
        with output, errors:
            streams = [output.fileno(), errors.fileno()]
            socket.send_fds(self._server, [json.dumps(request).encode()], streams)
        self.pid = int(self._server.recv(32))

    def poll(self) -> int | None:
        """Its exit code, as `subprocess` has it, if it has ended."""
        return self._ended_within(0)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended."""
        code = self._ended_within(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it printed, once it has ended."""
        said = ["", ""]

        def read(place: int, stream: IO[str]) -> None:
            with stream:
                said[place] = stream.read()

        assert self.stdout is not None and self.stderr is not None
        readers = [
            threading.Thread(target=read, args=pair, daemon=True)
            for pair in enumerate((self.stdout, self.stderr))
        ]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join()
        return said[0], said[1]

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.wait()
        for stream in (self.stdout, self.stderr):
            assert stream is not None
            stream.close()

    def _ended_within(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._server], [], [], seconds)[0]:
            self.returncode = int(self._server.recv(32))
            self._server.close()
        return self.returncode


def _pipe() -> tuple[IO[str], IO[str]]:
    reading, writing = os.pipe()
    return os.fdopen(reading), os.fdopen(writing, "w")


def _for_imports(env: Mapping[str, str]) -> dict[str, str]:
    """The variables on which it may depend how TensorFlow is imported."""
    return {name: value for name, value in env.items() if not name.startswith(_NOT_READ)}


@functools.cache
def _running_server() -> tuple[Path, dict[str, str]]:
    """The socket of this process's server, and its environment; it starts with the first call."""
    path = Path(tempfile.mkdtemp()) / "commands"
    begun = environment()
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.search.warm_server", str(path)],
        cwd=REPOSITORY,
        env=begun,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert server.stdin is not None and server.stdout is not None
    assert server.stdout.read(1), "the server of warm commands has not started"

    def end() -> None:
        server.communicate()
        shutil.rmtree(path.parent)

    atexit.register(end)
    return path, _for_imports(begun)
