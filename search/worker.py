"""What runs in a training process: it trains one task at a time and tells what came of it.

TensorFlow is imported with the first task, never when this module is.
"""

import ctypes
import os
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field, replace
from multiprocessing import parent_process
from multiprocessing.connection import Client, Connection, wait
from typing import TYPE_CHECKING

from data_pipeline.framing import Framing
from data_pipeline.series import HourlySeries
from search.records import Cause, Failure, Task, TrialResult
from search.spool import write_spool
from search.tensorflow_start import tensorflow_start

if TYPE_CHECKING:
    from data_pipeline.windows import Prepared
    from models.device import Device


# Bytes; far less than a process with TensorFlow has.
_PROBE = 2**28
# Of prctl(2).
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class WorkerContext:
    """What every worker of a study needs; sent once to each.

    `address` and `secret` lead to the coordinator's epoch channel; `gpu` is the index of the GPU
    that it trains on, None for the CPU.
    """

    series: HourlySeries
    framing: Framing
    threads: int
    gpu: int | None
    address: str
    secret: bytes


@dataclass
class _Worker:
    """The one piece of state of this process: set by `initialise`, filled by the first task."""

    context: WorkerContext
    device: "Device | None" = None
    prepared: "dict[Framing, Prepared]" = field(default_factory=dict)
    channel: Connection | None = None


_worker: _Worker | None = None


def initialise(context: WorkerContext) -> None:
    """Prepare a fresh worker process; it leaves with the coordinator."""
    global _worker
    # Before TensorFlow and its thread pools exist.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    _leave_with_the_coordinator()
    _worker = _Worker(context)


def _leave_with_the_coordinator() -> None:
    """End when the coordinator has, however it did."""
    parent = parent_process()
    if parent is None:
        return
    if sys.platform == "linux":
        # The system kills this process with the thread that started it: stopped, or in the middle
        # of a call that lets no other thread run.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))
        if os.getppid() != parent.pid:  # gone before that
            os._exit(1)

    # Elsewhere it leaves by itself: at the latest when it is continued, or the call returns.
    def wait_and_leave() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=wait_and_leave, daemon=True).start()


def run_task(task: Task) -> TrialResult | Failure:
    """Train `task` and write its spool; return its result, or why it has none."""
    begun = time.perf_counter()
    try:
        return _train(task, begun)
    except MemoryError as error:
        return Failure(Cause.OUT_OF_MEMORY, str(error) or "MemoryError", traceback.format_exc())
    except Exception as error:  # noqa: BLE001 - the border of the process: sorted, never hidden
        return Failure(_cause(error), f"{type(error).__name__}: {error}", traceback.format_exc())


def _train(task: Task, begun: float) -> TrialResult:
    worker = _ready()
    from models.build import plain_copy
    from search.trial import run_trial

    assert worker.device is not None and worker.channel is not None
    framing = task.framing or worker.context.framing
    prepared = _opened(worker, framing) if task.opening else _prepared(worker, framing)
    channel = worker.channel

    def on_epoch(epoch: int, value: float) -> bool:
        channel.send((task.number, epoch, value))
        return bool(channel.recv())

    trained = run_trial(task.parameters, prepared, task.seed, worker.device, on_epoch)
    write_spool(
        task.spool,
        save_model=plain_copy(trained.model).save,
        times=prepared.history.local[trained.origins],
        actual=trained.actual,
        forecast=trained.forecast,
    )
    # Of this trial's time in this process, all but training itself: TensorFlow's start included.
    overhead = time.perf_counter() - begun - trained.result.seconds
    return replace(trained.result, overhead_seconds=overhead)


def _ready() -> _Worker:
    """Start TensorFlow and open the channel, each once in a process."""
    if _worker is None:
        raise RuntimeError("run_task needs initialise() to have run in this process")
    context = _worker.context
    if _worker.device is None:
        if context.gpu is None:
            os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        with tensorflow_start():
            from models.device import prepare_device

            _worker.device = prepare_device(context.threads, context.gpu)
    if _worker.channel is None:
        _worker.channel = Client(context.address, authkey=context.secret)
    return _worker


def _prepared(worker: _Worker, framing: Framing) -> "Prepared":
    """The data as `framing` wants them, made once in a process."""
    if framing not in worker.prepared:
        from data_pipeline.windows import prepare

        worker.prepared[framing] = prepare(worker.context.series, framing)
    return worker.prepared[framing]


def _opened(worker: _Worker, framing: Framing) -> "Prepared":
    from data_pipeline.windows import open_test

    return open_test(worker.context.series, framing)


def _cause(error: Exception) -> Cause:
    import tensorflow as tf

    from models.fit import TrainingDiverged

    if isinstance(error, TrainingDiverged):
        return Cause.DIVERGED
    # What is raised while a graph is traced comes as the text of another error.
    if isinstance(error, tf.errors.ResourceExhaustedError) or "MemoryError: " in str(error):
        return Cause.OUT_OF_MEMORY
    # C code that gets no memory may fail without a word, or with one that is not about memory.
    native = isinstance(error, (SystemError, tf.errors.OpError)) or "SystemError: " in str(error)
    if native and _starved():
        return Cause.OUT_OF_MEMORY
    return Cause.OUR_BUG


def _starved() -> bool:
    """True if this process cannot get as much memory as any trial needs; none is touched."""
    try:
        bytearray(_PROBE)
    except MemoryError:
        return True
    return False
