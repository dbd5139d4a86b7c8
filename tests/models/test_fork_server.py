"""Processes that begin with TensorFlow imported: what they have, and what they never share."""

import os
import signal
import subprocess
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from models.fork_server import call_it, processes

linux = pytest.mark.skipif(sys.platform != "linux", reason="there is no fork server elsewhere")


def look(sending: Connection) -> None:
    """Say what a fresh process has."""
    loaded = "tensorflow" in sys.modules and "models.kernel_trainer" in sys.modules
    threads = len(list(Path("/proc/self/task").iterdir()))
    call_it("named")
    named = Path("/proc/self/comm").read_text(encoding="utf-8").strip()
    sending.send((loaded, os.environ["CUDA_VISIBLE_DEVICES"], threads, named, os.getppid()))


def _look() -> Any:
    context = processes()
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=look, args=(sending,))
    process.start()
    sending.close()
    said = receiving.recv()
    process.join()
    return said


@linux
def test_a_process_begins_with_tensorflow_no_gpu_and_one_thread() -> None:
    loaded, gpus, threads, named, server = _look()
    assert loaded and gpus == "-1" and threads == 1 and named == "named"
    assert server != os.getpid() and server == _look()[-1], "one server for all"


@linux
def test_this_process_stays_without_tensorflow_of_its_own() -> None:
    before = "tensorflow" in sys.modules
    _look()
    assert ("tensorflow" in sys.modules) == before


def test_a_process_is_spawned_where_that_is_asked_for() -> None:
    assert processes(forked=False).get_start_method() == "spawn"


def test_the_server_which_ends_with_its_thread_is_the_main_ones_alone() -> None:
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(processes().get_start_method()))
    thread.start()
    thread.join()
    assert found == ["spawn"]


@linux
def test_stop_signals_reach_no_process_that_a_fresh_command_starts() -> None:
    code = (
        "import subprocess, sys\n"
        "from multiprocessing import forkserver\n"
        "from models.fork_server import deaf_to_stop_signals\n"
        "with deaf_to_stop_signals():\n"
        "    forkserver.ensure_running()  # starts what unblocks the signals, if nothing has yet\n"
        "    status = subprocess.check_output(['cat', '/proc/self/status'], text=True)\n"
        "print(next(line for line in status.splitlines() if line.startswith('SigBlk')))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    blocked = int(done.stdout.split()[1], 16)
    for stop in (signal.SIGINT, signal.SIGTERM):
        assert blocked >> (stop - 1) & 1, stop.name
