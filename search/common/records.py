"""The values that travel between coordinator, workers, stores and figures.

None of them knows a tuner or a store, so each side can be replaced on its own.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from data_pipeline.framing import Framing, Period
from experiments.space import Value
from models.parameters import TrialParameters


class State(StrEnum):
    """How a trial attempt stands; `INTERRUPTED` is a failure that the person asked for."""

    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class Cause(StrEnum):
    """Why an attempt failed."""

    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out of memory"
    WORKER_DIED = "worker died"
    TIMED_OUT = "timed out"
    OUR_BUG = "error in this program"
    INTERRUPTED = "interrupted"
    COORDINATOR_LOST = "coordinator lost"
    NODE_LOST = "node lost"


# Worth another attempt with the same parameters: the parameters are not to blame for sure.
RETRIED = frozenset({Cause.WORKER_DIED, Cause.INTERRUPTED, Cause.COORDINATOR_LOST, Cause.NODE_LOST})
# An attempt that the person or the machine ended does not use up a retry.
UNCOUNTED = frozenset({Cause.INTERRUPTED, Cause.COORDINATOR_LOST, Cause.NODE_LOST})


@dataclass(frozen=True)
class Failure:
    """Why an attempt has no result; `traceback` is empty where none exists."""

    cause: Cause
    message: str
    traceback: str = ""


@dataclass(frozen=True)
class Task:
    """What a worker is asked to train.

    `framing` where it is not the study's; `opening` if it is to learn from train and validation
    and be judged on the test period, which promotion alone may ask for.
    """

    number: int
    parameters: TrialParameters
    seed: int
    spool: Path
    framing: Framing | None = None
    opening: bool = False


@dataclass(frozen=True)
class TrialResult:
    """What one training came to; every error is measured in inference mode, restored weights.

    Attributes:
        objective: MSE on the held-out windows, without the L2 penalty, scaled (dimensionless).
        train_objective: the same on the training windows.
        history: one value an epoch under "loss", "val_loss", "val_mse" and "learning_rate".
        best_epoch: counted from 1. epochs: epochs trained.
        stopped_by: "patience", "epochs" or "pruner".
        train, held_out: metrics by name, in the data's unit where they have one.
        period: of the held-out windows. In a study it is always "validation".
        seconds: of training. seconds_per_epoch: median. overhead_seconds: of everything else.
        repeat_of: number of the attempt with the same point whose result this is, if not trained.
        device: "cpu" or "gpu". device_name: as the system calls it. device_notes: for the person.
        backend: what trained it, "kernels" or "tensorflow"; "" if it was before that was noted.
    """

    objective: float
    train_objective: float
    history: dict[str, list[float]]
    best_epoch: int
    epochs: int
    stopped_by: str
    train: dict[str, float]
    held_out: dict[str, float]
    parameter_count: int
    seconds: float
    seconds_per_epoch: float
    device: str
    device_name: str
    device_notes: list[str] = field(default_factory=list)
    overhead_seconds: float = 0.0
    repeat_of: int | None = None
    backend: str = ""
    period: Period = "validation"

    def as_stored(self) -> dict[str, Any]:
        """Plain values for the study database; `from_stored` gives exactly this result back.

        Raises:
            ValueError: it was judged on the test period, which no study may hold.
        """
        if self.period != "validation":
            raise ValueError(f"a study holds validation results alone, found one of: {self.period}")
        plain = asdict(self)
        del plain["period"]
        # As studies have named it from the beginning.
        return {"validation" if name == "held_out" else name: plain[name] for name in plain}

    @classmethod
    def from_stored(cls, plain: Mapping[str, Any]) -> Self:
        """The result that a study keeps as these plain values."""
        values = dict(plain)
        return cls(held_out=values.pop("validation"), **values)


@dataclass(frozen=True)
class TrialRecord:
    """One trial attempt as the study holds it.

    Attributes:
        number: of this attempt, unique in the study. flat: its point of the space.
        seed: of weights, dropout and shuffling. design: name of a fixed design, else "".
        retry_of: number of the attempt this one repeats, else None. attempt: counted from 1.
        framing: how it sees the data, where that is not the study's framing.
        proposal: name under which an oracle proposed it, else "".
        result, failure: at most one of them is set; both are None while it runs.
    """

    number: int
    state: State
    flat: dict[str, Value]
    parameters: TrialParameters | None
    seed: int
    design: str = ""
    retry_of: int | None = None
    attempt: int = 1
    result: TrialResult | None = None
    failure: Failure | None = None
    framing: Framing | None = None
    proposal: str = ""
    started: dt.datetime | None = None
    ended: dt.datetime | None = None

    @property
    def finished(self) -> bool:
        """True if it will not change any more."""
        return self.state is not State.RUNNING


@dataclass(frozen=True)
class Baseline:
    """A baseline's validation MSE (scaled, as the objective) and metrics in the data's unit."""

    objective: float
    validation: dict[str, float]


@dataclass(frozen=True)
class StudyFacts:
    """What is the same for every trial of a study, and is shown beside each of them.

    Attributes:
        name: of the study. identity: unique to it, whatever its name.
        experiment: its experiment's name. seed: of the study.
        contract: what must not change on resume; nested plain values.
        unit: of the target.
        baselines: by name. data: the data report as plain values.
        versions: of the packages that decide the numbers. commit: git's, "" if unknown.
        log_names: dimensions of the space on a log scale.
        openings: how often promotion has opened the test period.
        explanation: the latest way between two of its networks, as plain values; None without.
        payoff: whether an LSTM pays on its data, as plain values (`search.results.payoff`); None
            where nothing was compared.
    """

    name: str
    identity: str
    experiment: str
    summary: str
    seed: int
    total: int
    contract: dict[str, object]
    unit: str
    baselines: dict[str, Baseline]
    data: dict[str, object]
    versions: dict[str, str] = field(default_factory=dict)
    commit: str = ""
    log_names: tuple[str, ...] = ()
    openings: int = 0
    explanation: dict[str, object] | None = None
    payoff: dict[str, object] | None = None


def best_of(records: Iterable[TrialRecord]) -> TrialRecord | None:
    """The completed attempt with the lowest objective, the earlier one of equals, or None."""
    complete = [
        (record.result.objective, record.number, record)
        for record in records
        if record.state is State.COMPLETE and record.result is not None
    ]
    return min(complete)[2] if complete else None


@dataclass(frozen=True)
class Importance:
    """A parameter's share of what the parameters decide: mean and 95 % bootstrap interval."""

    name: str
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Standing:
    """A study in a few numbers.

    Attributes:
        finished: trials that have ended, each counted once. pruned, failed: attempts.
        best: the completed attempt with the lowest objective, the earlier of equals, or None.
    """

    finished: int
    pruned: int
    failed: int
    best: TrialRecord | None
