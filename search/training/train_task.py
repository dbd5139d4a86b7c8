"""How a training process trains one task, and what kind of failure an error is.

Nothing here is kept between tasks but what the caller passes. TensorFlow is imported with
the first task, never when this module is.
"""

import time
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from data_pipeline.framing import Framing
from data_pipeline.inputs import Inputs
from data_pipeline.series import HourlySeries
from search.common.records import Cause, Task, TrialResult
from search.common.spool import write_spool

if TYPE_CHECKING:
    from data_pipeline.windows import Prepared
    from models.device import Device


# Bytes; far less than a process with TensorFlow has.
_PROBE = 2**28


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
class WorkerState:
    """What a training process keeps between tasks; filled by the first of them."""

    context: WorkerContext
    device: "Device | None" = None
    prepared: "dict[tuple[Framing, Inputs], Prepared]" = field(default_factory=dict)
    channel: Connection | None = None


def train(worker: WorkerState, task: Task, begun: float) -> TrialResult:
    """Train `task` with what `worker` has ready, and write its spool.

    Args:
        worker: with its device and its channel.
        task: what is trained.
        begun: when the task began, by `time.perf_counter`.
    """
    from models.build import plain_copy
    from search.training.trial import run_trial

    assert worker.device is not None and worker.channel is not None
    prepared = _prepared(worker, task)
    channel = worker.channel

    def on_epoch(epoch: int, value: float) -> bool:
        channel.send((task.number, epoch, value))
        return bool(channel.recv())

    trained = run_trial(task.parameters, prepared, task.seed, worker.device, on_epoch)
    write_spool(
        task.spool,
        save_model=plain_copy(trained.model, trained.encoding).save,
        times=prepared.history.local[trained.origins],
        actual=trained.actual,
        forecast=trained.forecast,
    )
    # Of this trial's time in this process, all but training itself: TensorFlow's start included.
    overhead = time.perf_counter() - begun - trained.result.seconds
    return replace(trained.result, overhead_seconds=overhead)


def _prepared(worker: WorkerState, task: Task) -> "Prepared":
    """The data as `task` wants them; those of a search are made once in a process."""
    from data_pipeline.windows import open_test, prepare

    framing, inputs = task.framing or worker.context.framing, task.parameters.inputs
    if task.opening:
        return open_test(worker.context.series, framing, inputs)
    if (framing, inputs) not in worker.prepared:
        worker.prepared[framing, inputs] = prepare(worker.context.series, framing, inputs)
    return worker.prepared[framing, inputs]


def cause_of(error: Exception) -> Cause:
    """Why a trial that raised `error` has no result."""
    # Without memory anything fails anywhere, and clean-up again with another error.
    if _found_no_memory(error) or _starved():
        return Cause.OUT_OF_MEMORY
    # A package that is absent or broken is not the trial's fault, and may be TensorFlow itself.
    if isinstance(error, ImportError):
        return Cause.ENVIRONMENT
    import tensorflow as tf

    from models.fit import TrainingDiverged

    if isinstance(error, TrainingDiverged):
        return Cause.DIVERGED
    if isinstance(error, tf.errors.ResourceExhaustedError):
        return Cause.OUT_OF_MEMORY
    return Cause.OUR_BUG


def _found_no_memory(error: BaseException | None) -> bool:
    """True if `error`, or one that it came of, is about memory."""
    while error is not None:
        # What is raised while a graph is traced comes as the text of another error.
        if isinstance(error, MemoryError) or "MemoryError: " in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _starved() -> bool:
    """True if this process cannot get as much memory as any trial needs; none is touched."""
    try:
        bytearray(_PROBE)
    except MemoryError:
        return True
    return False
