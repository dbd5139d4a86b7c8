"""One place for a training process; a fresh one takes it after growth, death, timeout, no memory.

Each has an executor of its own. Processes that share a channel can lose more than their own task:
one that is killed while it starts, or while it holds the channel, breaks it for all of them.
"""

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Future, ProcessPoolExecutor
from multiprocessing.process import BaseProcess

from models.fork_server import deaf_to_stop_signals, processes
from search.common.records import Cause, Failure, Task, TrialResult
from search.training.train_task import WorkerContext
from search.training.worker import initialise, run_task

# What a process may grow by before a fresh one takes its place.
# Measured in MB a trial: TensorFlow keeps each network's graph, the kernels next to nothing.
MOST_GROWTH = 400.0
GROWTH = {"tensorflow": 20.0, "kernels": 0.2}
_REAPING = 5.0


class Slot:
    """Trains one task at a time; used by one thread, with which its process ends at the latest."""

    def __init__(self, context: WorkerContext, forked: bool = True) -> None:
        """Remember what its processes need; the first task starts one.

        Args:
            context: of the study.
            forked: False if its processes shall import TensorFlow themselves also on the CPU.
        """
        self._context = context
        self._forked = forked and context.gpu is None
        self._executor: ProcessPoolExecutor | None = None
        self._process: BaseProcess | None = None
        self._growth = 0.0
        self._future: Future[TrialResult | Failure] | None = None

    @property
    def free(self) -> bool:
        """True if it may be given a task."""
        return self._future is None or self._future.done()

    def submit(
        self, task: Task, timeout: float | None, ended: Callable[[TrialResult | Failure], None]
    ) -> None:
        """Train `task`; call `ended` once, from another thread, unless `stop` comes before.

        Args:
            task: what is trained; the slot is free.
            timeout: s after which its process is killed.
            ended: is told the result, or why there is none.
        """
        assert self.free, "one task at a time"
        if self._growth >= MOST_GROWTH or self._died or self._lacks_memory:
            self.stop()
        try:
            self._future = self._start(task)
        except (OSError, BrokenExecutor) as error:  # killed while it started
            self.stop()
            ended(Failure(Cause.WORKER_DIED, f"its process ended while it started: {error}"))
            return

        def note_growth(outcome: TrialResult | Failure) -> None:
            trainer = getattr(outcome, "backend", "") or "tensorflow"
            self._growth += GROWTH[trainer]
            ended(outcome)

        _watch(self._future, self._process, timeout, note_growth)

    def stop(self) -> None:
        """Kill the process and wait until it is gone; a later task starts another."""
        if self._process is not None:
            self._process.kill()
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
        self._executor = self._process = None
        self._growth = 0.0

    @property
    def _died(self) -> bool:
        return self._process is not None and not self._process.is_alive()

    @property
    def _lacks_memory(self) -> bool:
        """True if the last task found none; the next one in that process would hardly find more."""
        last = self._future
        if last is None or last.cancelled() or last.exception() is not None:
            return False
        outcome = last.result()
        return isinstance(outcome, Failure) and outcome.cause is Cause.OUT_OF_MEMORY

    def _start(self, task: Task) -> "Future[TrialResult | Failure]":
        if self._executor is not None:
            return self._executor.submit(run_task, task)
        self._executor = ProcessPoolExecutor(
            max_workers=1,
            mp_context=processes(self._forked),
            initializer=initialise,
            initargs=(self._context,),
        )
        others = multiprocessing.active_children()
        with deaf_to_stop_signals():
            future = self._executor.submit(run_task, task)  # starts its only process
        (self._process,) = [c for c in multiprocessing.active_children() if c not in others]
        return future


def _watch(
    future: "Future[TrialResult | Failure]",
    process: BaseProcess | None,
    timeout: float | None,
    ended: Callable[[TrialResult | Failure], None],
) -> None:
    """Kill `process` after `timeout`, and tell `ended` what came of the task."""
    late = threading.Event()
    assert process is not None

    def kill() -> None:
        late.set()
        process.kill()

    timer = None if timeout is None else threading.Timer(timeout, kill)

    def done(future: "Future[TrialResult | Failure]") -> None:
        if timer is not None:
            timer.cancel()
        try:
            outcome = future.result()
        except CancelledError:
            return
        except BrokenExecutor:
            process.join(_REAPING)
            outcome = Failure(Cause.WORKER_DIED, f"its process ended with code {process.exitcode}")
            if late.is_set():
                outcome = Failure(
                    Cause.TIMED_OUT, f"took longer than --trial-timeout {timeout:g} s"
                )
        except Exception as error:  # noqa: BLE001 - the pool's own failure is still one trial's
            # Without memory, telling of it fails as well.
            cause = Cause.OUT_OF_MEMORY if isinstance(error, MemoryError) else Cause.OUR_BUG
            outcome = Failure(cause, f"{type(error).__name__}: {error}")
        ended(outcome)

    if timer is not None:
        timer.daemon = True
        timer.start()
    future.add_done_callback(done)
