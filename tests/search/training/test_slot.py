"""Real training processes under a slot: when they are replaced, and with whom they end."""

import ctypes
import os
import queue
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

import search.training.slot
import search.training.train_task
import search.training.worker
from search.common.records import Cause, Failure, Task, TrialResult
from search.training.slot import Slot
from search.training.train_task import WorkerContext
from search.training.worker import run_task
from tests.search.command import REPOSITORY, wait_until
from tests.search.samples import parameters, result

NOTHING: Any = None
CONTEXT = WorkerContext(NOTHING, NOTHING, threads=1, gpu=None, address="", secret=b"")
COORDINATOR = (
    "import sys; from tests.search.training.test_slot import coordinate; coordinate(sys.argv[1])"
)


def _task(spool: Path, number: int = 0) -> Task:
    return Task(number, parameters(), 0, spool)


def find_no_memory(task: Task) -> Failure:
    """Fails as a trial does, the third one by an error of ours; says which process it was in."""
    return Failure(Cause.OUR_BUG if task.number == 2 else Cause.OUT_OF_MEMORY, str(os.getpid()))


def say_process(task: Task) -> TrialResult:
    """Succeeds; says in place of a count of parameters which process it was in."""
    return replace(result(), backend=task.spool.name, parameter_count=os.getpid())


def hang(task: Task) -> Failure:
    """Says where it runs, and lets no other thread of its process run from then on."""
    task.spool.write_text(str(os.getpid()))
    ctypes.PyDLL(None).sleep(1000)
    return Failure(Cause.OUR_BUG, "slept out")


def coordinate(spool: str) -> None:
    """Have `hang` run, for ever."""
    vars(search.training.slot)["run_task"] = hang
    Slot(CONTEXT).submit(_task(Path(spool)), None, lambda _: None)
    time.sleep(1000)


def test_t2_a_process_that_found_no_memory_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search.training.slot, "run_task", find_no_memory)
    ended: queue.SimpleQueue[TrialResult | Failure] = queue.SimpleQueue()
    slot = Slot(CONTEXT)
    processes = []
    for number in range(4):
        slot.submit(_task(tmp_path, number), None, ended.put)
        outcome = ended.get(timeout=60)
        assert isinstance(outcome, Failure)
        processes.append(outcome.message)
    slot.stop()
    assert len(set(processes[:3])) == 3
    assert processes[3] == processes[2]


@pytest.mark.parametrize(("backend", "trials"), [("tensorflow", 2), ("kernels", 4), ("", 2)])
def test_s11_a_process_that_may_have_grown_is_replaced(
    backend: str, trials: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search.training.slot, "run_task", say_process)
    monkeypatch.setattr(search.training.slot, "MOST_GROWTH", 40.0)
    monkeypatch.setattr(search.training.slot, "GROWTH", {"tensorflow": 20.0, "kernels": 10.0})
    ended: queue.SimpleQueue[TrialResult | Failure] = queue.SimpleQueue()
    slot = Slot(CONTEXT)
    processes = []
    for number in range(trials + 1):
        task = _task(Path(backend), number)
        slot.submit(task, None, ended.put)
        outcome = ended.get(timeout=60)
        assert isinstance(outcome, TrialResult)
        processes.append(outcome.parameter_count)
    slot.stop()
    assert len(set(processes[:trials])) == 1
    assert processes[trials] != processes[0]


@pytest.mark.parametrize("starved", [True, False])
@pytest.mark.parametrize(
    "said",
    [
        SystemError("could not create a primitive"),
        ValueError("I/O operation on closed file."),
        ImportError("failed to map segment from shared object"),
    ],
    ids=lambda said: type(said).__name__,
)
def test_t2_whatever_fails_in_a_process_without_memory_is_told_as_that(
    said: Exception, starved: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search.training.train_task, "_starved", lambda: starved)
    failure = _failure(said, tmp_path, monkeypatch)
    assert str(said) in failure.message
    assert (failure.cause is Cause.OUT_OF_MEMORY) is starved


def test_t2_clean_up_that_fails_after_a_memory_error_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = ValueError("I/O operation on closed file.")
    closed.__context__ = MemoryError()
    assert _failure(closed, tmp_path, monkeypatch).cause is Cause.OUT_OF_MEMORY


def _failure(error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Failure:
    """What a task ends with whose training raises `error`."""

    def fail(*_: object) -> TrialResult:
        raise error

    monkeypatch.setattr(search.training.worker, "train", fail)
    monkeypatch.setattr(search.training.worker, "_ready", lambda: None)
    failure = run_task(_task(tmp_path))
    assert isinstance(failure, Failure)
    return failure


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl(2)")
@pytest.mark.parametrize("stopped", [False, True])
def test_s2_a_worker_that_runs_no_thread_ends_with_a_killed_coordinator(
    stopped: bool, tmp_path: Path
) -> None:
    told = tmp_path / "pid"
    with subprocess.Popen(
        [sys.executable, "-c", COORDINATOR, str(told)], cwd=REPOSITORY
    ) as coordinator:
        wait_until(lambda: told.exists() and told.read_text() != "")
        worker = psutil.Process(int(told.read_text()))
        if stopped:
            worker.send_signal(signal.SIGSTOP)
            wait_until(lambda: worker.status() == psutil.STATUS_STOPPED)
        coordinator.kill()
    worker.wait(timeout=60)
