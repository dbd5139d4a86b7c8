"""The loop of a search: ask, submit, pass epoch values to the pruner, tell, mirror.

It alone writes to the study database and to MLflow, but imports neither Optuna nor MLflow. It
never trains.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from search.common.errors import INTERRUPTED, TERMINATED
from search.common.records import Cause, Failure, State, StudyFacts, Task, TrialRecord, TrialResult
from search.common.spool import folder
from search.common.stop_signals import AnotherRequest
from search.engine.progress import Progress
from search.results.summary import StudySummary
from search.training.pool import (
    AttemptEnded,
    EpochReached,
    Event,
    Pool,
    PoolLost,
    StopRequested,
)
from search.tuning.study import Study

if TYPE_CHECKING:
    from search.tracking.mirror import Mirror

# After this many errors of this program in a row, the search ends, to save the budget.
BUGS_IN_A_ROW = 3
# Seconds that MLflow may take for the rest of the queue at the end.
PATIENCE_AT_END = 120.0


@dataclass(frozen=True)
class Ending:
    """How a run of the coordinator ended: `state` of the study's run, and why in one line.

    `signum` is the signal that asked for the end, else None. `exhausted` is True if there is
    nothing more to try; another start would then end in the same way.
    """

    state: State
    reason: str
    signum: int | None = None
    exhausted: bool = False


class Coordinator:
    """Runs one study until its total is reached or a stop is requested."""

    def __init__(
        self,
        study: Study,
        pool: Pool,
        mirror: "Mirror",
        progress: Progress,
        facts: StudyFacts,
        spool: Path,
    ) -> None:
        self._study = study
        self._pool = pool
        self._mirror = mirror
        self._progress = progress
        self._facts = facts
        self._spool = spool
        self._bugs_in_a_row = 0
        self._began = time.monotonic()
        self._training_seconds = 0.0
        # Seconds that workers were there, together, up to a moment: on a cluster they come and go.
        self._worker_seconds, self._counted_at = 0.0, self._began
        self._said: set[str] = set()

    def run(self, timeout: float | None) -> Ending:
        """Work until the total is reached, `timeout` seconds have passed, or a stop is requested.

        After the timeout no new trial starts. Running trials may finish.
        """
        deadline = None if timeout is None else self._began + timeout
        while True:
            late = deadline is not None and time.monotonic() >= deadline
            self._count_workers()
            # What workers say goes first: while a trial is drawn for one, all others would wait.
            event = self._pool.event(seconds=0)
            if event is None:
                if not late and self._wants_trial():
                    self._begin_trial()
                    continue
                if self._study.running == 0:
                    if self._study.finished >= self._facts.total:
                        return Ending(State.COMPLETE, "all trials done")
                    if not late and self._pool.size:
                        return Ending(State.INTERRUPTED, self._study.no_more, exhausted=True)
                    if late:
                        return Ending(State.INTERRUPTED, f"--timeout {timeout:g} s reached")
                event = self._pool.event(seconds=1.0)
            ending = None if event is None else self._handle(event)
            if ending is not None:
                self._pool.stop()
                self._keep_what_ended()
                self._give_up_running(ending)
                return ending

    def summary(self) -> StudySummary:
        """The state of the study now."""
        self._count_workers()
        lived, trained = self._worker_seconds, self._training_seconds
        return StudySummary(
            records=tuple(self._study.records.values()),
            finished=self._study.finished,
            overhead_fraction=max(0.0, 1 - trained / lived) if trained and lived else None,
        )

    def _count_workers(self) -> None:
        now = time.monotonic()
        self._worker_seconds += (now - self._counted_at) * self._pool.size
        self._counted_at = now

    def _wants_trial(self) -> bool:
        """True if a worker is free, the total is not reached, and there is a trial to ask for."""
        study = self._study
        return (
            study.running < self._pool.size
            and study.finished + study.running < self._facts.total
            and study.ready()
        )

    def _begin_trial(self) -> None:
        """Ask for the next trial and give it to a free worker, unless its result is known."""
        record = self._study.ask()
        assert record.parameters is not None
        known = self._study.known(record)
        if known is not None:
            self._mirror.show(record)
            self._tell(record.number, known)
            return
        spool = folder(self._spool, record.number)
        self._pool.submit(
            Task(record.number, record.parameters, record.seed, spool, record.framing)
        )
        self._mirror.show(record)

    def _handle(self, event: Event) -> Ending | None:
        match event:
            case EpochReached(number, epoch, value, reply):
                reply(self._study.report(number, epoch, value))
                self._progress.epoch(self._study.records[number], epoch)
            case AttemptEnded(number, outcome):
                return self._judge_failure(self._tell(number, outcome))
            case StopRequested(signum):
                name = signal.Signals(signum).name
                return Ending(State.INTERRUPTED, f"stopped by {name}", signum)
            case PoolLost(reason):
                return Ending(State.INTERRUPTED, reason)
        return None

    def _tell(self, number: int, outcome: TrialResult | Failure) -> TrialRecord:
        record = self._study.tell(number, outcome)
        if record.result is not None:
            self._training_seconds += record.result.seconds
            self._say_once(record.result.device_notes)
        self._show(record)
        return record

    def _keep_what_ended(self) -> None:
        """Tell results that came before the pool was stopped; the stop caused all failures."""
        while (event := self._pool.event(seconds=0)) is not None:
            if isinstance(event, AttemptEnded) and isinstance(event.outcome, TrialResult):
                self._tell(event.number, event.outcome)

    def _say_once(self, notes: list[str]) -> None:
        for note in notes:
            if note not in self._said:
                self._said.add(note)
                self._progress.say(note)

    def _show(self, record: TrialRecord) -> None:
        self._mirror.show(record)
        self._mirror.summarise(self.summary(), State.RUNNING)
        self._progress.ended(record, self._study.standing)

    def _judge_failure(self, record: TrialRecord) -> Ending | None:
        if record.failure is not None and record.failure.cause is Cause.ENVIRONMENT:
            return Ending(
                State.FAILED,
                f"training cannot start in this environment: {record.failure.message}\nNo trial "
                "is counted. Mend it, then run the same command again.",
            )
        ours = record.failure is not None and record.failure.cause is Cause.OUR_BUG
        self._bugs_in_a_row = self._bugs_in_a_row + 1 if ours else 0
        if self._bugs_in_a_row < BUGS_IN_A_ROW:
            return None
        assert record.failure is not None
        return Ending(
            State.FAILED,
            f"{BUGS_IN_A_ROW} trials in a row failed by an error in this program, the last with "
            f"{record.failure.message}; its traceback:\n{record.failure.traceback}",
        )

    def _give_up_running(self, ending: Ending) -> None:
        failure = Failure(Cause.INTERRUPTED, ending.reason.splitlines()[0])
        for record in list(self._study.records.values()):
            if not record.finished:
                self._mirror.show(self._study.tell(record.number, failure))


def finish(
    summary: StudySummary,
    study: Study,
    mirror: "Mirror",
    ending: Ending,
    stop_asked: Callable[[], int],
    patience: float = PATIENCE_AT_END,
    goes_on: bool = False,
) -> bool:
    """End the study's own run within `patience` s; hurry if `stop_asked()` is not 0.

    `goes_on` says that the study does not end yet: its importances, which take seconds, can wait.

    Returns:
        True if MLflow has everything.
    """
    if ending.signum is None and not goes_on:
        summary = replace(summary, importances=study.importances())
    mirror.summarise(summary, ending.state)
    return mirror.close(patience, stop_asked)


@contextmanager
def stopping_on_signals(pool: Pool) -> Iterator[Callable[[], int]]:
    """Turn the first Ctrl-C or SIGTERM into an orderly end; another one later ends at once.

    Yields:
        A function that returns the number of the first signal, or 0 if there was none.
    """
    asked, another_request = 0, AnotherRequest()

    def ask(signum: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if not another_request():
            return
        if asked:
            # End without any clean-up. The workers notice it and end, and the next start
            # reconciles.
            os._exit(INTERRUPTED if signum == signal.SIGINT else TERMINATED)
        asked = signum
        pool.request_stop(signum)

    kept = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
