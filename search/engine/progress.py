"""Progress on standard error: trials done, best value, skill over the baseline, time left."""

import math
import sys
import time
from collections import deque

from tqdm import tqdm

from search.common.records import Standing, StudyFacts, TrialRecord
from search.results.summary import amount, skill_of, trial_name

# The pace is measured over this many finished trials. The first, reference networks, are slow.
_PACE_OVER = 12


class Progress:
    """One bar for the study, and one line for each trial that ends."""

    def __init__(self, facts: StudyFacts, finished: int, quiet: bool) -> None:
        self._facts = facts
        self._quiet = quiet
        self._ends: deque[float] = deque([time.monotonic()], maxlen=_PACE_OVER + 1)
        self._bar = tqdm(
            total=facts.total,
            initial=finished,
            desc=facts.name,
            unit="trial",
            file=sys.stderr,
            disable=quiet or not sys.stderr.isatty(),
            bar_format="{desc}: {n_fmt}/{total_fmt} {bar} {postfix} [{elapsed}]",
        )

    def say(self, line: str) -> None:
        """Print one line above the bar."""
        tqdm.write(line, file=sys.stderr)
        sys.stderr.flush()

    def epoch(self, record: TrialRecord, epoch: int) -> None:
        """On a terminal, show that an attempt has finished an epoch."""
        if not self._bar.disable:
            self._bar.set_description_str(f"{self._facts.name}, {trial_name(record)} epoch {epoch}")

    def ended(self, record: TrialRecord, standing: Standing) -> None:
        """Show that an attempt ended, and the state of the study."""
        self._ends.append(time.monotonic())
        self._bar.n = standing.finished
        self._bar.set_postfix_str(self._words(standing))
        if self._quiet:
            return
        line = f"{trial_name(record):<16} {self._outcome(record)}"
        if self._bar.disable:
            line += f"  [{standing.finished}/{self._facts.total}] {self._words(standing)}"
        self.say(line)

    def close(self) -> None:
        """Stop the bar and leave it on the screen."""
        self._bar.close()

    def _outcome(self, record: TrialRecord) -> str:
        if record.failure is not None:
            return f"{record.state}: {record.failure.cause}: {record.failure.message[:120]}"
        assert record.result is not None
        rmse = record.result.held_out["rmse"]
        return (
            f"{record.state:<8} RMSE {amount(rmse):>8} {self._facts.unit}, "
            f"{record.result.epochs:2d} epochs, {record.result.seconds:6.1f} s"
        )

    def _words(self, standing: Standing) -> str:
        pieces = [f"{standing.pruned} pruned, {standing.failed} failed"]
        best = standing.best
        # The errors of a re-test, which has no baselines, are of other hours in each fold.
        if best is not None and best.result is not None and self._facts.baselines:
            rmse = best.result.held_out["rmse"]
            pieces.append(f"best RMSE {amount(rmse)} {self._facts.unit}")
            gained = skill_of(rmse, self._facts.baselines)
            pieces += [f"skill {gained:+.1%}"] if math.isfinite(gained) else []
        left = self._seconds_left(standing.finished)
        if left is not None:
            pieces.append(f"about {_clock(left)} left")
        return ", ".join(pieces)

    def _seconds_left(self, finished: int) -> float | None:
        """Seconds left at the pace of the last trials; None before the first trial has ended."""
        if len(self._ends) < 2:
            return None
        pace = (self._ends[-1] - self._ends[0]) / (len(self._ends) - 1)
        return pace * max(self._facts.total - finished, 0)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
