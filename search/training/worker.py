"""What runs in a training process: it starts TensorFlow once and trains one task at a time.

TensorFlow is imported with the first task, never when this module is.
"""

import os
import threading
import time
import traceback
from multiprocessing import parent_process
from multiprocessing.connection import Client, wait
from typing import TYPE_CHECKING

from models.fork_server import call_it, leave_with_parent
from models.tensorflow_start import hide_gpus, quiet_start, tensorflow_start
from search.common.records import Cause, Failure, Task, TrialResult
from search.training.train_task import WorkerContext, WorkerState, cause_of, train

if TYPE_CHECKING:
    from models.device import Device


# What `top` shows.
NAME = "trainer"


class _CannotStart(Exception):
    """TensorFlow does not start in this environment; nothing of the trial has run."""


_worker: WorkerState | None = None


def initialise(context: WorkerContext) -> None:
    """Prepare a fresh worker process; it leaves with the coordinator."""
    global _worker
    # Before TensorFlow and its thread pools exist.
    quiet_start()
    call_it(NAME)
    _leave_with_the_coordinator()
    _worker = WorkerState(context)


def _leave_with_the_coordinator() -> None:
    """End when the coordinator has, however it did."""
    parent = parent_process()
    if parent is None:
        return
    leave_with_parent()  # of the server, if it was forked from that, which leaves likewise

    # Elsewhere, and if the coordinator is gone already, it leaves by itself: at the latest when it
    # is continued, or the call returns.
    def wait_and_leave() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=wait_and_leave, daemon=True).start()


def run_task(task: Task) -> TrialResult | Failure:
    """Train `task` and write its spool; return its result, or why it has none."""
    begun = time.perf_counter()
    try:
        return train(_ready(), task, begun)
    except _CannotStart as error:
        return Failure(Cause.ENVIRONMENT, str(error), traceback.format_exc())
    except Exception as error:  # noqa: BLE001 - the border of the process: sorted, never hidden
        return Failure(cause_of(error), f"{type(error).__name__}: {error}", traceback.format_exc())


def _ready() -> WorkerState:
    """Start TensorFlow and open the channel, each once in a process."""
    if _worker is None:
        raise RuntimeError("run_task needs initialise() to have run in this process")
    context = _worker.context
    if _worker.device is None:
        if context.gpu is None:
            hide_gpus()
        _worker.device = _start_tensorflow(context)
    if _worker.channel is None:
        _worker.channel = Client(context.address, authkey=context.secret)
    return _worker


def _start_tensorflow(context: WorkerContext) -> "Device":
    try:
        with tensorflow_start():
            from models.device import prepare_device

            device = prepare_device(context.threads, context.gpu)
        from models.backend import choose_backend

        return choose_backend(device)
    except MemoryError:
        raise
    except Exception as error:
        raise _CannotStart(f"{type(error).__name__}: {error}") from error
