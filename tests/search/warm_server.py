"""Forks commands that begin with their libraries imported.

A command computes for seconds until its libraries are imported, and the suite starts many. So a
server imports them once for each process of the tests, fits the baselines of the smallest
experiment, and forks the commands. Each is a process of its own, with its own folder, environment,
session and streams, and ends as `python -m` does. TensorFlow is not imported here, but in
`tests.search.warm_trainers`, from which the commands' own servers of training processes are forked.

Run as `python -m tests.search.warm_server PATH`, it serves at the socket PATH until its standard
input ends.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import models.baselines
from experiments.catalogue import CATALOGUE
from search.engine.plan import make_plan
from search.results.baselines import judge_baselines
from tests.search.fitted_once import remembering
from tests.search.warm_trainers import fork_from

_IMPORTED = (
    "sklearn.ensemble",
    "mlflow.pyfunc",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "search.common.commands",
    "search.engine.session",
    "search.tracking.mirror",
)
_REQUEST = 2**20


def _serve(path: str, trainers: str) -> str:
    """Fork a command for each request; in that process, return the name of its module."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(path)
        listener.listen()
        os.write(1, b"\n")
        while True:
            if sys.stdin in select.select([listener, sys.stdin], [], [])[0]:
                os._exit(0)
            asked, _ = listener.accept()
            if os.fork() == 0:
                break
            asked.close()
    # One process waits for the command, as the shell of a person does.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request, streams, *_ = socket.recv_fds(asked, _REQUEST, 2)
    command = os.fork()
    if command:
        for stream in streams:
            os.close(stream)
        asked.send(str(command).encode())
        _, status = os.waitpid(command, 0)
        asked.send(str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)
    asked.close()
    os.setsid()
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)
    for stream, place in zip(streams, (1, 2), strict=True):
        os.dup2(stream, place)
        os.close(stream)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    return _take_over(json.loads(request), trainers)


def _take_over(request: dict[str, Any], trainers: str) -> str:
    if request["warm_trainers"]:
        fork_from(trainers)
    os.chdir(request["place"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = [request["module"], *request["options"]]
    sys.path[0] = request["place"]
    return str(request["module"])


if __name__ == "__main__":
    _path = sys.argv[1]
    _trainers = subprocess.Popen(
        [sys.executable, "-m", "tests.search.warm_trainers", f"{_path}-trainers"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    for name in _IMPORTED:
        importlib.import_module(name)
    models.baselines._FITTED.update(remembering())  # type: ignore[attr-defined]
    judge_baselines(make_plan(CATALOGUE["smoke"]).prepared)
    assert _trainers.stdout is not None and _trainers.stdout.read(1)
    assert threading.active_count() == 1, "a fork would lose the other threads"
    # The collector would touch, and so copy, all that was imported when a command ends.
    gc.freeze()
    # Nobody asks how the processes that wait have ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    runpy.run_module(_serve(_path, f"{_path}-trainers"), run_name="__main__", alter_sys=True)
