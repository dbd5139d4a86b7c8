"""What stands for training processes and for MLflow where only their answers matter."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest

from search.common.records import Failure, State, Task, TrialRecord, TrialResult
from search.engine import opening
from search.results.summary import StudySummary
from search.training import pools
from search.training.pool import AttemptEnded, Event, StopRequested

Answer = Callable[[Task], TrialResult | Failure]


class AnswerPool:
    """Ends each task with `answer` of it, the first first; `stop_after` tasks asks for an end."""

    size = 2

    def __init__(self, answer: Answer, stop_after: int | None = None) -> None:
        self.answer, self.stop_after = answer, stop_after
        self.tasks: list[Task] = []
        self.events: deque[Event] = deque()

    def submit(self, task: Task) -> None:
        self.tasks.append(task)
        self.events.append(AttemptEnded(task.number, self.answer(task)))
        if len(self.tasks) == self.stop_after:
            self.request_stop(2)

    def event(self, seconds: float) -> Event | None:
        return self.events.popleft() if self.events else None

    def request_stop(self, signum: int) -> None:
        self.events.append(StopRequested(signum))

    def stop(self) -> None:
        """Nothing runs by itself."""


@dataclass
class SilentMirror:
    """Takes what MLflow is shown."""

    shown: list[TrialRecord] = field(default_factory=list)
    written: tuple[int, int, int] = (0, 0, 0)

    def catch_up(self, records: Iterable[TrialRecord]) -> None:
        self.shown += records

    def show(self, record: TrialRecord) -> None:
        self.shown.append(record)

    def summarise(self, summary: StudySummary, state: State) -> None:
        """Nobody reads it."""

    def close(self, seconds: float, hurried: Callable[[], bool]) -> bool:
        return True


def answer_with(monkeypatch: pytest.MonkeyPatch, pool: AnswerPool) -> None:
    """Train with `pool`, and deliver to nobody."""
    monkeypatch.setattr(pools, "open_pool", lambda *_: pool)
    monkeypatch.setattr(opening.Session, "mirror", lambda *_: SilentMirror())
