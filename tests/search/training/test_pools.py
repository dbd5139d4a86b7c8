"""One contract for all pools: on this machine, and on the nodes of a Ray cluster."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from experiments.catalogue import CATALOGUE
from search.common.records import Cause, Failure, Task, TrialResult
from search.common.spool import read_forecasts
from search.engine.plan import make_plan
from search.training.local_pool import ProcessPoolOfWorkers
from search.training.pool import AttemptEnded, EpochReached, Event, Pool, StopRequested
from search.training.worker import NAME
from tests.search.command import wait_until
from tests.search.ray_cluster import agents, ray_head, trainers
from tests.search.samples import parameters

POOLS = ("local", "ray")
Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
# By pool: what the same task came to, and its forecasts.
_results: dict[str, tuple[TrialResult, Array]] = {}
# By the id of a pool: the address of its cluster.
_addresses: dict[int, str] = {}


@pytest.fixture(scope="module", params=POOLS)
def pool(request: pytest.FixtureRequest) -> Iterator[Pool]:
    plan = make_plan(CATALOGUE["smoke"])
    given = plan.series, plan.experiment.framing
    if request.param == "local":
        here = ProcessPoolOfWorkers(*given, workers=1, trial_timeout=200)
        yield here
        here.stop()
        return
    with ray_head(cpus=1) as address:
        from search.training.ray_pool import RayPool, Resources

        there = RayPool(*given, Resources(address), trial_timeout=200)
        _addresses[id(there)] = address
        yield there
        there.stop()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return str(request.node.callspec.params["pool"])


def _task(place: Path, number: int = 0) -> Task:
    return Task(number, parameters(), 7, place / "spool" / f"trial-{number}")


def _next(pool: Pool, seconds: float = 200) -> Event:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (event := pool.event(1.0)) is not None:
            return event
    pytest.fail(f"nothing happened within {seconds} s")


def _ready(pool: Pool) -> None:
    deadline = time.monotonic() + 60
    while not pool.size:
        pool.event(0.2)
        assert time.monotonic() < deadline


def _agents(pool: Pool) -> list[psutil.Process]:
    """The pool's agents; none of this machine's pool."""
    return agents(_addresses[id(pool)]) if id(pool) in _addresses else []


def _trainers(pool: Pool) -> list[psutil.Process]:
    """Training processes of the pool: children of this process, or of an agent."""
    if id(pool) in _addresses:
        return trainers(_addresses[id(pool)])
    children = psutil.Process().children(recursive=True)
    return [c for c in children if c.name() == NAME]


def test_epochs_come_and_are_answered_and_files_are_whole(
    pool: Pool, name: str, tmp_path: Path
) -> None:
    assert pool.size == 1
    pool.submit(_task(tmp_path))
    for epoch in (1, 2):
        event = _next(pool)
        assert isinstance(event, EpochReached) and (event.number, event.epoch) == (0, epoch)
        event.reply(epoch == 2)
    ended = _next(pool)
    assert isinstance(ended, AttemptEnded) and isinstance(ended.outcome, TrialResult)
    assert (ended.outcome.epochs, ended.outcome.stopped_by) == (2, "pruner")
    files = {file.name for file in (tmp_path / "spool" / "trial-0").iterdir()}
    assert files == {"model.keras", "forecasts.npz"}


def test_same_seed_gives_the_same_numbers_on_every_pool(
    pool: Pool, name: str, tmp_path: Path
) -> None:
    pool.submit(_task(tmp_path, 4))
    while isinstance(event := _next(pool), EpochReached):
        event.reply(False)
    assert isinstance(event, AttemptEnded) and isinstance(event.outcome, TrialResult)
    forecasts = read_forecasts(tmp_path / "spool" / "trial-4")
    assert forecasts is not None and event.outcome.epochs > 1
    _results[name] = event.outcome, forecasts.forecast
    for outcome, forecast in _results.values():
        assert outcome.history == event.outcome.history
        assert outcome.train == event.outcome.train
        assert outcome.held_out == event.outcome.held_out
        np.testing.assert_array_equal(forecast, forecasts.forecast)


def test_t3_killed_training_process_loses_its_trial_alone(
    pool: Pool, name: str, tmp_path: Path
) -> None:
    pool.submit(_task(tmp_path, 1))
    event = _next(pool)
    assert isinstance(event, EpochReached)
    (trainer,) = _trainers(pool)
    trainer.kill()
    event.reply(False)
    ended = _next(pool)
    assert isinstance(ended, AttemptEnded) and isinstance(ended.outcome, Failure)
    assert ended.outcome.cause is Cause.WORKER_DIED and "-9" in ended.outcome.message
    assert pool.size == 1


def test_t3_killed_fork_server_is_replaced_and_its_trial_told_lost(
    pool: Pool, name: str, tmp_path: Path
) -> None:
    if name == "ray":
        pytest.skip("an agent has no fork server")
    pool.submit(_task(tmp_path, 6))
    assert isinstance(_next(pool), EpochReached)
    (trainer,) = _trainers(pool)
    server = trainer.parent()
    assert server is not None and "forkserver" in " ".join(server.cmdline())
    server.kill()
    ended = _next(pool)
    assert isinstance(ended, AttemptEnded) and isinstance(ended.outcome, Failure)
    assert ended.outcome.cause is Cause.WORKER_DIED
    wait_until(lambda: not trainer.is_running(), seconds=10)
    pool.submit(_task(tmp_path, 5))
    event = _next(pool)
    assert isinstance(event, EpochReached) and event.number == 5
    event.reply(True)
    ended = _next(pool)
    assert isinstance(ended, AttemptEnded) and isinstance(ended.outcome, TrialResult)


def test_t3_killed_agent_is_replaced_and_its_trial_told_lost(
    pool: Pool, name: str, tmp_path: Path
) -> None:
    if name == "local":
        pytest.skip("this machine's pool has no agents")
    (agent,) = _agents(pool)
    (folder,) = [Path(f.path).parent for f in agent.open_files() if f.path.endswith("/alive")]
    pool.submit(_task(tmp_path, 2))
    wait_until(lambda: bool(_trainers(pool)))
    trainers = _trainers(pool)
    os.kill(agent.pid, signal.SIGKILL)
    ended = _next(pool)
    assert isinstance(ended, AttemptEnded) and isinstance(ended.outcome, Failure)
    assert ended.outcome.cause is Cause.NODE_LOST
    _ready(pool)
    # The system ends them with the agent; on a busy machine that takes a moment.
    wait_until(lambda: not any(trainer.is_running() for trainer in trainers), seconds=10)
    # The next agent removes the folder of the lost one.
    assert not folder.exists()


def test_s1_a_stop_is_an_event_and_leaves_nothing(pool: Pool, name: str, tmp_path: Path) -> None:
    pool.submit(_task(tmp_path, 3))
    wait_until(lambda: bool(_trainers(pool)))
    trainers = _trainers(pool)
    pool.request_stop(signal.SIGINT)
    assert _next(pool) == StopRequested(signal.SIGINT)
    pool.stop()
    psutil.wait_procs(trainers, timeout=10)
    assert not any(trainer.is_running() for trainer in trainers)
    assert not _agents(pool)
    pool.stop()  # once more does nothing
    left = [pool.event(0) for _ in range(3)]
    assert not any(isinstance(e, AttemptEnded) and isinstance(e.outcome, TrialResult) for e in left)
