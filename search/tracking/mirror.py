"""The thread that delivers a study to MLflow: in order, once, and with patience.

The study database and the spool also hold everything it gets. So a delivery may fail and be
repeated later. `search.tracking.study_runs` decides what is written.
"""

import math
import queue
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from search.common.records import State, StudyFacts, TrialRecord
from search.common.stores import masked, named_where
from search.results.summary import StudySummary
from search.tracking.client import first_line, reason
from search.tracking.study_runs import StudyRuns

# s to wait for MLflow if a person wants to stop.
_SHORT_WAIT = 5.0
# s to wait at the end for a store that does not answer.
_LONG_WAIT = 30.0
# If more writes wait than this, the figures and files of a trial come later.
MANY = 30
# s between two lines that say how far MLflow is behind.
_TELL_EVERY = 60.0
_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)


class Mirror:
    """Delivers the events of one study to MLflow, in its own thread."""

    def __init__(
        self,
        tracking_uri: str,
        artifacts: Path | None,
        schema_lock: Path,
        spool: Path,
        facts: StudyFacts,
        say: Callable[[str], None],
    ) -> None:
        """Start the thread. `say` prints one line for the person; the rest is as in `StudyRuns`."""
        self._uri = tracking_uri
        self._runs = StudyRuns(tracking_uri, artifacts, schema_lock, spool, facts)
        self._say = say
        self._jobs: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._stop = threading.Event()
        # The time, by `time.monotonic`, since when MLflow does not answer; None while it does.
        self._away_since: float | None = None
        self.undelivered = 0
        self._emptied = False
        # The standing that waits to be written. A newer one replaces it.
        self._told_late = -math.inf
        # Files of ended attempts; they are written when nothing else waits.
        self._later: deque[Callable[[], None]] = deque()
        self._standing: tuple[StudySummary, State] | None = None
        self._lock = threading.Lock()
        # The package requests sets this filter when it is imported. But that happens in our thread,
        # and another thread that leaves `warnings.catch_warnings` meanwhile removes the filter.
        warnings.filterwarnings("ignore", message="SOCKS support in urllib3")
        self._thread = threading.Thread(target=self._work, name="mlflow-mirror", daemon=True)
        self._thread.start()

    # -- called by the coordinator ---------------------------------------------------------------

    def show(self, record: TrialRecord) -> None:
        """Write that an attempt runs, or how it ended."""
        self._jobs.put(lambda: self._write(record))

    def catch_up(self, records: Iterable[TrialRecord]) -> None:
        """Write what an earlier coordinator did not deliver.

        `records` are all attempts of the study. Runs of other attempts are set aside.
        """
        known = {record.number: record for record in records}
        self._jobs.put(lambda: self._runs.keep_only(known))
        for number in sorted(known):
            self.show(known[number])

    def summarise(self, summary: StudySummary, state: State) -> None:
        """Bring the study's own run up to date."""
        if state is not State.RUNNING:  # after the whole queue
            self._jobs.put(lambda: self._runs.write_study(summary, state))
            return
        with self._lock:
            waiting, self._standing = self._standing, (summary, state)
        if waiting is None:
            self._jobs.put(self._standing_writer())

    def close(self, seconds: float, hurried: Callable[[], int]) -> bool:
        """Deliver the queue within `seconds`; return True if nothing is left.

        Once `hurried()` is true, it waits only a few more seconds. It never waits long for a store
        that does not answer.
        """
        self._jobs.put(None)
        # A store that does not answer now may stay away, so the person should not wait long.
        patience = min(seconds, _SHORT_WAIT) if self._away_since is not None else seconds
        deadline = time.monotonic() + patience
        short = math.inf
        while self._thread.is_alive() and time.monotonic() < min(deadline, short):
            if short == math.inf and hurried():
                short = time.monotonic() + _SHORT_WAIT
            away = self._away_since
            if away is not None and time.monotonic() - away > _LONG_WAIT:
                break
            self._thread.join(0.1)
        self._stop.set()
        self._thread.join(1.0)
        return self._emptied and self.undelivered == 0

    @property
    def written(self) -> tuple[int, int, int]:
        """Numbers of runs that were created, completed with their end, and set aside."""
        return self._runs.made, self._runs.ended, self._runs.set_aside

    @property
    def behind(self) -> int:
        """The number of waiting writes."""
        return self._jobs.qsize() + len(self._later)

    # -- the thread ------------------------------------------------------------------------------

    def _work(self) -> None:
        if not self._do(self._runs.connect):
            if not self._stop.is_set():
                self._say(
                    f"The MLflow store {masked(self._uri)} cannot be used; results are kept.\n"
                    f"Next: repair it or give another {named_where(self._uri)}, then run the same "
                    "command "
                    "again; it delivers everything."
                )
            return
        while not self._stop.is_set():
            if self._later and self._jobs.empty():
                self._do(self._later.popleft())
                continue
            job = self._jobs.get()
            if job is not None:
                self._do(job)
                continue
            while self._later and not self._stop.is_set():
                self._do(self._later.popleft())
            self._emptied = not self._later
            return

    def _write(self, record: TrialRecord) -> None:
        """Write an attempt. If many others wait, its figures and files come after them."""
        if self.behind <= MANY or not record.finished or self._runs.has(record):
            self._runs.write_trial(record)
            return
        self._runs.write_numbers(record)
        self._later.append(lambda: self._runs.write_files(record))
        self._tell_how_late()

    def _tell_how_late(self) -> None:
        now = time.monotonic()
        if now - self._told_late > _TELL_EVERY:
            self._told_late = now
            self._say(
                f"MLflow is {self.behind} writes behind the search; numbers are written first, "
                "figures and models when it has caught up. Nothing is lost."
            )

    def _do(self, job: Callable[[], None]) -> bool:
        """Do `job`, with waits if the store is away; False if it was refused or given up."""
        for attempt, pause in enumerate(_endless(_PAUSES)):
            try:
                if attempt:
                    # The store may have created a run without answering.
                    self._runs.find()
                job()
            except Exception as error:  # noqa: BLE001 - the mirror must never end the study
                if not _passes(error):
                    self.undelivered += 1
                    self._say(f"MLflow refused a record: {reason(error)}")
                    return False
                if self._away_since is None:
                    self._away_since = time.monotonic()
                    self._say(
                        f"MLflow at {masked(self._uri)} does not answer "
                        f"({masked(first_line(error))}); results are kept and delivered later."
                    )
                if self._stop.wait(pause):
                    self.undelivered += 1 + self._jobs.qsize() + len(self._later)
                    return False
            else:
                while self._runs.told:
                    self._say(self._runs.told.pop(0))
                if self._away_since is not None:
                    self._say("MLflow answers again; delivery goes on.")
                    self._away_since = None
                return True
        raise AssertionError("the pauses never end")

    def _standing_writer(self) -> Callable[[], None]:
        """A job that writes the standing. When repeated, it writes the same or a newer one."""
        taken: tuple[StudySummary, State] | None = None

        def write() -> None:
            nonlocal taken
            with self._lock:
                taken, self._standing = self._standing or taken, None
            if taken is not None:
                self._runs.write_study(*taken)

        return write


def _passes(error: Exception) -> bool:
    """True for an error of a store that is away or busy; False if the store refused the data."""
    import requests
    import sqlalchemy.exc
    from mlflow.exceptions import MlflowException

    if isinstance(error, MlflowException):
        return error.error_code in ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE")
    return isinstance(
        error,
        OSError | requests.exceptions.RequestException | sqlalchemy.exc.OperationalError,
    )


def _endless(pauses: tuple[float, ...]) -> Iterable[float]:
    yield from pauses
    while True:
        yield pauses[-1]
