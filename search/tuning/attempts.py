"""All attempts of a study, with what every trial asks of them kept ready.

So that the 10,000th trial costs what the 100th did, nothing here looks through all attempts.
"""

from collections import Counter

from search.common.records import Standing, State, TrialRecord


class Tally:
    """The attempts by number, as last written.

    Attributes:
        records: every attempt by its number; changed by `keep` alone.
    """

    def __init__(self) -> None:
        self.records: dict[int, TrialRecord] = {}
        self.best: TrialRecord | None = None
        self._states: Counter[State] = Counter()
        self._counted: set[int] = set()
        self._repeated: set[int] = set()
        self._first_with: dict[frozenset[tuple[str, object]], int] = {}

    def keep(self, record: TrialRecord) -> None:
        """Take `record` for the present state of its attempt."""
        number = record.number
        if number in self.records:
            self._states[self.records[number].state] -= 1
        self._states[record.state] += 1
        self.records[number] = record
        if record.retry_of is not None:
            self.repeated(record.retry_of)
        if not record.finished:
            return
        if record.parameters is not None and number not in self._repeated:
            self._counted.add(number)
        if record.result is None:
            return
        if record.state is State.COMPLETE and _before(record, self.best):
            self.best = record
        if record.state in (State.COMPLETE, State.PRUNED):
            point = _point(record)
            self._first_with[point] = min(number, self._first_with.get(point, number))

    def repeated(self, number: int) -> None:
        """Note that another attempt of `number` is queued: its trial has not come to an end."""
        self._repeated.add(number)
        self._counted.discard(number)

    @property
    def finished(self) -> int:
        """Trials that have come to an end, each counted once however many attempts it took."""
        return len(self._counted)

    @property
    def standing(self) -> Standing:
        """How the study stands now."""
        counts = self._states
        return Standing(self.finished, counts[State.PRUNED], counts[State.FAILED], self.best)

    def ended(self, record: TrialRecord) -> bool:
        """True if the trial of this attempt has come to its end: no other attempt is queued."""
        return record.finished and record.number not in self._repeated

    def first_with(self, record: TrialRecord) -> TrialRecord | None:
        """The first attempt at exactly the point of `record`, and its epochs, with a result."""
        number = self._first_with.get(_point(record))
        return None if number is None else self.records[number]


def _point(record: TrialRecord) -> frozenset[tuple[str, object]]:
    # Hyperband trains the same point again for longer.
    epochs = None if record.parameters is None else record.parameters.epochs
    return frozenset([*record.flat.items(), ("epochs", epochs)])


def _before(record: TrialRecord, best: TrialRecord | None) -> bool:
    assert record.result is not None
    if best is None or best.result is None:
        return True
    ours, theirs = record.result.objective, best.result.objective
    return (ours, record.number) < (theirs, best.number)
