"""Processes on the CPU that begin with TensorFlow imported.

The import takes seconds of computing, and a command starts many processes that need it: for
training, and again for a changed one, and for each network that is saved or served. So a server,
a process of its own, imports it once, and they are forked from that. It runs nothing of
TensorFlow: the first operation starts threads, and a fork after that hangs.
"""

import contextlib
import ctypes
import multiprocessing
import signal
import sys
import threading
from collections.abc import Iterator
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import ForkServerContext, SpawnContext

_PRELOADED = "models.preloaded"
# Of prctl(2).
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15


def start_server() -> bool:
    """Start the server, if it does not run; it imports while the caller goes on.

    Returns:
        True if it runs. It does not where forking is not safe (elsewhere than on Linux), and no
        thread but the main one starts it: it ends with the thread that did.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return False
    multiprocessing.set_forkserver_preload([_PRELOADED])
    with deaf_to_stop_signals():
        forkserver.ensure_running()
    return True


def processes(forked: bool = True) -> ForkServerContext | SpawnContext:
    """How to start a process that computes with TensorFlow.

    Args:
        forked: False for one that imports it itself, as do all where there is no server. A process
            that sees GPUs must: their driver is said not to survive a fork.
    """
    if not forked or not start_server():
        return multiprocessing.get_context("spawn")
    return multiprocessing.get_context("forkserver")


@contextlib.contextmanager
def deaf_to_stop_signals() -> Iterator[None]:
    """Processes that are started here do not get SIGINT and SIGTERM; who started them ends them.

    A terminal sends Ctrl-C, and `timeout` or a supervisor SIGTERM, to all processes of a command.
    """
    # Once started, it unblocks these signals for the process that starts it.
    resource_tracker.ensure_running()
    kept = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, kept)


def leave_with_parent() -> None:
    """End when the process that this one is a child of has ended; on Linux alone.

    The system kills this process with the thread that started it: stopped, or in the middle of a
    call that lets no other thread run.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))


def call_it(name: str) -> None:
    """Give this process a name of at most 15 characters, for `ps` and `top`; on Linux alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode())
