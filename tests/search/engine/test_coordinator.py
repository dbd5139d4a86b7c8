"""The loop of a search, with a pool whose trials end as they are told to."""

import math
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import optuna
import pytest

from experiments.experiment import Experiment
from experiments.lstm_space import to_flat
from experiments.space import FlatParameters
from search.common.errors import INTERRUPTED
from search.common.records import Cause, Failure, Standing, State, Task, TrialRecord, TrialResult
from search.engine.coordinator import Coordinator, Ending, finish, stopping_on_signals
from search.engine.progress import Progress
from search.results.summary import StudySummary
from search.tracking.mirror import Mirror
from search.training.pool import AttemptEnded, EpochReached, Event, Pool, StopRequested
from search.tuning.oracle import Proposal
from search.tuning.study import Study
from tests.search.samples import DEEP, SMALL, experiment, facts, of_two_points, parameters, result

DIED = Failure(Cause.WORKER_DIED, "killed")
DIVERGED = Failure(Cause.DIVERGED, "the loss is NaN")
OUT_OF_MEMORY = Failure(Cause.OUT_OF_MEMORY, "no memory")
HUNG = Failure(Cause.TIMED_OUT, "took too long")
NO_KERAS = Failure(Cause.ENVIRONMENT, "ModuleNotFoundError: No module named 'jax'", "tb")
BUG = Failure(Cause.OUR_BUG, "KeyError: 'x'", "Traceback: here it is")


class FakePool:
    """Ends the attempts it was given in order, each with the next outcome of a script."""

    def __init__(self, outcomes: Iterable[TrialResult | Failure], size: int = 1) -> None:
        self.size = size
        self.outcomes = iter(outcomes)
        self.submitted: list[Task] = []
        self.running: deque[Task] = deque()
        self.said: deque[Event] = deque()
        self.most_at_once = 0
        self.stopped = False
        self.before_each: Callable[[Task], Iterable[Event]] = lambda task: ()

    def submit(self, task: Task) -> None:
        assert not self.stopped
        self.submitted.append(task)
        self.running.append(task)
        self.most_at_once = max(self.most_at_once, len(self.running))

    def event(self, seconds: float) -> Event | None:
        if self.said:
            return self.said.popleft()
        if not self.running or not seconds:  # in no time nothing ends
            return None
        task = self.running.popleft()
        self.said.extend(self.before_each(task))
        self.said.append(AttemptEnded(task.number, next(self.outcomes)))
        return self.said.popleft()

    def request_stop(self, signum: int) -> None:
        self.said.append(StopRequested(signum))

    def stop(self) -> None:
        self.stopped = True
        self.running.clear()  # what has not ended by now never will


@dataclass
class FakeMirror:
    shown: list[TrialRecord] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    summaries: list[StudySummary] = field(default_factory=list)
    patience: float | None = None
    hurried: bool | None = None

    def show(self, record: TrialRecord) -> None:
        self.shown.append(record)

    def summarise(self, summary: StudySummary, state: State) -> None:
        self.states.append(state)
        self.summaries.append(summary)

    def close(self, seconds: float, hurried: Callable[[], bool]) -> bool:
        self.patience = seconds
        self.hurried = hurried()
        return True


@dataclass
class FakeProgress:
    lines: list[str] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def say(self, line: str) -> None:
        self.lines.append(line)

    def epoch(self, record: TrialRecord, epoch: int) -> None:
        pass

    def ended(self, record: TrialRecord, standing: Standing) -> None:
        self.ends.append(record.number)


@dataclass
class Search:
    """A coordinator among doubles, on a study held in memory."""

    outcomes: Iterable[TrialResult | Failure]
    total: int
    workers: int = 1
    what: Experiment = field(default_factory=experiment)
    storage: optuna.storages.BaseStorage = field(default_factory=optuna.storages.InMemoryStorage)

    def __post_init__(self) -> None:
        self.study = Study(self.storage, "tiny", self.what, 3, "random", "median")
        self.study.reconcile()
        self.pool = FakePool(self.outcomes, self.workers)
        self.mirror = FakeMirror()
        self.progress = FakeProgress()
        self.coordinator = Coordinator(
            self.study,
            cast(Pool, self.pool),
            cast(Mirror, self.mirror),
            cast(Progress, self.progress),
            facts(self.total),
            Path("spool"),
        )

    def run(self, timeout: float | None = None) -> Ending:
        return self.coordinator.run(timeout)

    @property
    def states(self) -> list[State]:
        return [record.state for record in self.study.records.values()]


def forever(*outcomes: TrialResult | Failure) -> Iterable[TrialResult | Failure]:
    while True:
        yield from outcomes


def test_no_point_is_trained_twice() -> None:
    search = Search(forever(result(0.03), result(0.02, "pruner")), total=9, what=of_two_points())
    assert search.run().state is State.COMPLETE
    assert search.study.finished == 9 and len(search.pool.submitted) == 2
    repeats = [r.result.repeat_of for r in search.study.records.values() if r.result]
    first = {task.number for task in search.pool.submitted}
    assert {number for number in repeats if number is not None} == first
    assert search.states.count(State.COMPLETE) + search.states.count(State.PRUNED) == 9


class ThreePoints:
    """An oracle that says no while its second trial runs, and for good after the third."""

    name = "three"

    def __init__(self) -> None:
        self.proposed = 0
        self.ended: list[str] = []

    @property
    def state(self) -> Mapping[str, Any]:
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        assert not state

    def begin(self, name: str, flat: FlatParameters) -> None:
        pass

    def end(self, record: TrialRecord) -> None:
        self.ended.append(record.proposal)

    def propose(self, seed: int) -> Proposal | None:
        waits = self.proposed == 2 and "2" not in self.ended
        if waits or self.proposed == 3:
            return None
        self.proposed += 1
        return Proposal(str(self.proposed), to_flat(parameters((self.proposed + 1,))))


@pytest.mark.parametrize("workers", [1, 3])
def test_an_oracle_is_waited_for_and_its_end_is_the_end_with_a_reason(workers: int) -> None:
    search = Search(forever(result()), total=9, workers=workers, what=experiment(designs=()))
    oracle = ThreePoints()
    search.study.draw_with(oracle)
    ending = search.run()
    assert oracle.ended == ["1", "2", "3"] and search.study.finished == 3
    assert search.pool.most_at_once == min(workers, 2)
    assert ending.exhausted and ending.state is State.INTERRUPTED
    assert "three oracle proposes no further point" in ending.reason


def test_an_oracle_that_waits_for_a_failed_trial_gets_its_retry() -> None:
    outcomes = (result(), DIED, result(), result())
    search = Search(outcomes, total=3, workers=2, what=experiment(designs=()))
    oracle = ThreePoints()
    search.study.draw_with(oracle)
    assert search.run().state is State.COMPLETE
    assert oracle.ended == ["1", "2", "3"]


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_s10_exactly_the_total_is_finished_with_failures_and_retries(workers: int) -> None:
    outcomes = forever(result(), DIED, DIVERGED, DIED, result(0.3, "pruner"), HUNG, DIED)
    search = Search(outcomes, total=12, workers=workers)
    assert search.run() == Ending(State.COMPLETE, "all trials done")
    records = search.study.records
    repeated = {record.retry_of for record in records.values()}
    assert sum(number not in repeated for number in records) == 12
    assert search.study.finished == 12 and search.study.running == 0
    assert State.RUNNING not in search.states
    assert search.pool.most_at_once <= workers
    assert len(search.pool.submitted) == len(records) == len(search.progress.ends)
    whole = search.coordinator.summary()
    counts = (whole.count(State.PRUNED), whole.count(State.FAILED))
    assert search.study.standing == Standing(12, *counts, whole.best)


def test_every_attempt_is_shown_running_and_then_ended() -> None:
    search = Search(forever(result(), DIED), total=4)
    search.run()
    for number, last in search.study.records.items():
        states = [record.state for record in search.mirror.shown if record.number == number]
        assert states == [State.RUNNING, last.state]


def test_workers_get_parameters_seed_and_spool_of_their_attempt() -> None:
    search = Search(forever(result()), total=3)
    search.run()
    for task in search.pool.submitted:
        record = search.study.records[task.number]
        assert (task.parameters, task.seed) == (record.parameters, record.seed)
        assert task.spool == Path("spool") / f"trial-{task.number}"


def test_t1_t2_t5_failed_trials_do_not_end_the_study() -> None:
    search = Search([DIVERGED, OUT_OF_MEMORY, HUNG, DIVERGED, result()], total=5)
    assert search.run().state is State.COMPLETE
    assert search.states == [State.FAILED] * 4 + [State.COMPLETE]
    failures = [record.failure for record in search.mirror.shown if record.failure]
    assert failures == [DIVERGED, OUT_OF_MEMORY, HUNG, DIVERGED]


def test_a_worker_that_trains_is_answered_before_another_gets_its_next_trial() -> None:
    search = Search(forever(result(0.03)), total=3, workers=3)
    order = []
    submit = search.pool.submit

    def submit_and_say(task: Task) -> None:
        order.append(f"trial {task.number}")
        submit(task)
        answered = EpochReached(
            task.number, 1, 0.5, lambda _: order.append(f"answer {task.number}")
        )
        search.pool.said.append(answered)

    search.pool.submit = submit_and_say  # type: ignore[method-assign]
    search.run()
    assert order == [f"{what} {n}" for n in range(3) for what in ("trial", "answer")]


def test_t3_while_a_cluster_has_no_worker_the_study_waits_and_goes_on() -> None:
    search = Search([result(0.03), Failure(Cause.NODE_LOST, "gone"), result(0.02)], total=2)
    pool = search.pool
    answer = pool.event

    def event(seconds: float) -> Event | None:
        pool.size = 1  # somebody came back
        return answer(seconds)

    def all_gone(task: Task) -> Iterable[Event]:
        pool.size = 0 if len(pool.submitted) == 2 else 1
        return ()

    pool.event, pool.before_each = event, all_gone  # type: ignore[method-assign]
    assert search.run().state is State.COMPLETE
    assert search.study.finished == 2
    shares = [summary.overhead_fraction for summary in search.mirror.summaries]
    assert all(share is None or 0 <= share <= 1 for share in shares)


def test_t4_parameters_that_kill_every_worker_are_given_up_and_the_study_ends() -> None:
    search = Search(forever(DIED), total=2)
    assert search.run().state is State.COMPLETE
    assert len(search.pool.submitted) == 6
    assert set(search.states) == {State.FAILED}


def test_t6_three_errors_of_our_own_in_a_row_end_the_study() -> None:
    search = Search([result(), BUG, BUG, BUG], total=20, workers=2)
    ending = search.run()
    assert ending.state is State.FAILED and ending.signum is None
    assert "KeyError: 'x'" in ending.reason and "Traceback: here it is" in ending.reason
    assert search.pool.stopped
    assert State.RUNNING not in search.states
    assert search.states.count(State.FAILED) == 3
    assert search.states.count(State.INTERRUPTED) == 1


def test_d24_an_error_of_the_environment_ends_the_study_and_counts_no_trial() -> None:
    search = Search([result(), NO_KERAS], total=3)
    ending = search.run()
    assert ending.state is State.FAILED and "No module named 'jax'" in ending.reason
    assert search.study.finished == 1 and search.study.waiting
    assert search.pool.stopped


def test_t6_errors_of_our_own_with_others_between_do_not_end_the_study() -> None:
    search = Search(forever(BUG, BUG, result(), BUG, DIVERGED), total=10)
    assert search.run().state is State.COMPLETE
    assert search.study.finished == 10


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_s1_asked_to_stop_running_trials_are_interrupted_and_kept_for_later(
    signum: signal.Signals,
) -> None:
    storage = optuna.storages.InMemoryStorage()
    search = Search(forever(result()), total=10, workers=3, storage=storage)
    ended = 0

    def stop_at_the_third(task: Task) -> Iterable[Event]:
        nonlocal ended
        ended += 1
        return [StopRequested(signum)] if ended == 3 else []

    search.pool.before_each = stop_at_the_third
    ending = search.run()
    assert ending == Ending(State.INTERRUPTED, f"stopped by {signum.name}", signum)
    assert search.pool.stopped
    # The third had ended when the stop was asked for, though its end was not read yet.
    assert search.states.count(State.COMPLETE) == 3
    lost = [r for r in search.study.records.values() if r.state is State.INTERRUPTED]
    assert len(lost) == 2 and search.study.running == 0
    assert all(r.failure and r.failure.cause is Cause.INTERRUPTED for r in lost)
    last = {record.number: record.state for record in search.mirror.shown}
    assert all(last[record.number] is State.INTERRUPTED for record in lost)

    resumed = Search(forever(result()), total=10, workers=3, storage=storage)
    assert resumed.run().state is State.COMPLETE
    assert resumed.study.finished == 10
    again = {r.retry_of: r for r in resumed.study.records.values() if r.retry_of is not None}
    assert again.keys() == {record.number for record in lost}
    assert all(again[r.number].flat == r.flat and again[r.number].seed == r.seed for r in lost)


def test_s1_a_signal_that_comes_twice_at_once_is_one_request_and_a_later_one_ends_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    search, codes = Search([], total=1), list[int]()
    monkeypatch.setattr("search.engine.coordinator.os._exit", codes.append)
    with stopping_on_signals(search.pool) as asked:
        assert asked() == 0
        for _ in range(2):
            signal.raise_signal(signal.SIGTERM)
        assert asked() == signal.SIGTERM and codes == []
        now = time.monotonic()
        monkeypatch.setattr("search.common.stop_signals.time.monotonic", lambda: now + 2)
        signal.raise_signal(signal.SIGINT)
        assert codes == [INTERRUPTED]


def test_timeout_begins_no_more_trials_and_lets_the_running_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = 0.0
    monkeypatch.setattr("search.engine.coordinator.time.monotonic", lambda: clock)
    search = Search(forever(result()), total=50, workers=2)

    def pass_time(task: Task) -> Iterable[Event]:
        nonlocal clock
        clock += 10.0
        return []

    search.pool.before_each = pass_time
    assert search.run(timeout=35.0) == Ending(State.INTERRUPTED, "--timeout 35 s reached")
    assert len(search.pool.submitted) == 5
    assert search.states == [State.COMPLETE] * 5


def test_timeout_after_the_last_trial_is_no_early_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000, 5))
    monkeypatch.setattr("search.engine.coordinator.time.monotonic", lambda: float(next(clock)))
    search = Search(forever(result()), total=1)
    assert search.run(timeout=6.0).state is State.COMPLETE


@pytest.mark.parametrize("total", [1, 2, 3])
def test_total_smaller_than_the_designs_runs_just_so_many(total: int) -> None:
    search = Search(forever(result()), total=total, workers=8)
    assert search.run().state is State.COMPLETE
    tried = [record.design for record in search.study.records.values()]
    assert tried == ["small", "deep", ""][:total]


def test_designed_experiment_tries_every_design_with_every_seed() -> None:
    what = experiment((SMALL, DEEP), trials=4, sampled=False, repeats=2)
    search = Search([DIED, *[result()] * 4], total=4, workers=2, what=what)
    assert search.run().state is State.COMPLETE
    done = [(r.design, r.seed) for r in search.study.records.values() if r.result]
    assert len(done) == len(set(done)) == 4


def test_s3_at_the_total_nothing_is_begun() -> None:
    storage = optuna.storages.InMemoryStorage()
    Search(forever(result()), total=3, storage=storage).run()
    again = Search([], total=3, storage=storage)
    assert again.run() == Ending(State.COMPLETE, "all trials done")
    assert again.pool.submitted == []


def test_epoch_values_reach_the_pruner_and_its_answer_the_worker() -> None:
    search = Search(forever(result(0.02)), total=8, what=experiment(designs=()))
    answers: dict[int, list[bool]] = {}

    def epochs(task: Task) -> Iterable[Event]:
        said = answers.setdefault(task.number, [])
        value = 0.02 if task.number < 6 else 0.9
        return [EpochReached(task.number, epoch, value, said.append) for epoch in (1, 8, 9)]

    search.pool.before_each = epochs
    search.run()
    assert answers[0] == [False] * 3
    assert answers[7] == [False, True, True]
    assert all(type(answer) is bool for said in answers.values() for answer in said)


def test_t3_epoch_value_of_a_worker_that_died_is_passed_over() -> None:
    search = Search([DIED, result(), result()], total=2)
    said: list[bool] = []

    def late_value_of_the_first(task: Task) -> Iterable[Event]:
        return [EpochReached(0, 4, 0.5, said.append)] if task.number > 0 else []

    search.pool.before_each = late_value_of_the_first
    assert search.run().state is State.COMPLETE
    assert len(said) == 2
    assert search.study.records[0].failure == DIED


def test_value_that_is_no_number_does_not_stop_the_loop() -> None:
    search = Search([DIVERGED, result()], total=2)
    said: list[bool] = []
    search.pool.before_each = lambda task: [EpochReached(task.number, 1, math.nan, said.append)]
    assert search.run().state is State.COMPLETE
    assert said == [False, False]


def test_device_notes_are_said_once() -> None:
    noted = result()
    noted.device_notes.append("trains on the CPU")
    search = Search(forever(noted), total=4)
    search.run()
    assert search.progress.lines == ["trains on the CPU"]


@pytest.mark.parametrize(
    ("ending", "stop_asked"),
    [
        (Ending(State.COMPLETE, "all trials done"), False),
        (Ending(State.COMPLETE, "all trials done"), True),
        (Ending(State.INTERRUPTED, "stopped by SIGINT", signal.SIGINT), True),
    ],
)
def test_s1_the_end_waits_for_mlflow_in_haste_once_a_stop_was_asked_for(
    ending: Ending, stop_asked: bool
) -> None:
    search = Search(forever(result()), total=2)
    search.run()
    mirror = cast(Mirror, search.mirror)
    assert finish(search.coordinator.summary(), search.study, mirror, ending, lambda: stop_asked)
    assert search.mirror.states[-1] is ending.state
    assert search.mirror.patience is not None and search.mirror.patience <= 120
    assert search.mirror.hurried is stop_asked
