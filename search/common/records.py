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
    """The state of a trial attempt; `INTERRUPTED` is a failure that the person asked for."""

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
    ENVIRONMENT = "environment"


# An attempt that the person or the machine ended does not count as a retry.
UNCOUNTED = frozenset(
    {Cause.INTERRUPTED, Cause.COORDINATOR_LOST, Cause.NODE_LOST, Cause.ENVIRONMENT}
)
# After these causes, another attempt may succeed: the parameters may not be to blame.
RETRIED = UNCOUNTED | {Cause.WORKER_DIED}


@dataclass(frozen=True)
class Failure:
    """Why an attempt has no result; `traceback` is empty if there is none."""

    cause: Cause
    message: str
    traceback: str = ""


@dataclass(frozen=True)
class Task:
    """What a worker shall train.

    `framing` is set if it differs from the study's. If `opening` is True, the network learns from
    train and validation and is judged on the test period. Only promotion may ask for this.
    """

    number: int
    parameters: TrialParameters
    seed: int
    spool: Path
    framing: Framing | None = None
    opening: bool = False


@dataclass(frozen=True)
class TrialResult:
    """The result of one training. Errors are measured in inference mode with restored weights.

    Attributes:
        objective: MSE on the held-out windows, without the L2 penalty, scaled (dimensionless).
        train_objective: the same on the training windows.
        history: one value per epoch under "loss", "val_loss", "val_mse" and "learning_rate".
        best_epoch: counted from 1. epochs: epochs trained.
        stopped_by: "patience", "epochs" or "pruner".
        train, held_out: metrics by name, in the data's unit if they have one.
        period: the period of the held-out windows. In a study it is always "validation".
        seconds: time of training. seconds_per_epoch: median. overhead_seconds: all other time.
        repeat_of: number of the attempt with the same point, if its result was copied.
        device: "cpu" or "gpu". device_name: the system's name. device_notes: for the person.
        backend: what trained it, "kernels" or "tensorflow"; "" in results from before this field.
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
        """Plain values for the study database; `from_stored` restores exactly this result.

        Raises:
            ValueError: it was judged on the test period. A study never holds such results.
        """
        if self.period != "validation":
            raise ValueError(f"a study holds only validation results, found: {self.period}")
        plain = asdict(self)
        del plain["period"]
        # Studies have used this name from the beginning.
        return {"validation" if name == "held_out" else name: plain[name] for name in plain}

    @classmethod
    def from_stored(cls, plain: Mapping[str, Any]) -> Self:
        """The result that a study stored as these plain values."""
        values = dict(plain)
        return cls(held_out=values.pop("validation"), **values)


@dataclass(frozen=True)
class TrialRecord:
    """One trial attempt of a study.

    Attributes:
        number: number of this attempt, unique in the study. flat: its point of the space.
        seed: seed of weights, dropout and shuffling. design: name of a fixed design, else "".
        retry_of: number of the attempt that this one repeats, else None. attempt: from 1.
        framing: how it sees the data, if not by the study's framing; else None.
        proposal: the oracle's name for this point, else "".
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
        """True if the attempt will not change any more."""
        return self.state is not State.RUNNING


@dataclass(frozen=True)
class Baseline:
    """A baseline's validation MSE (scaled, like the objective) and metrics in the data's unit."""

    objective: float
    validation: dict[str, float]


@dataclass(frozen=True)
class StudyFacts:
    """What is the same for every trial of a study. It is shown beside each trial.

    Attributes:
        name: the study's name. identity: its unique id, independent of the name.
        experiment: its experiment's name. seed: the study's seed.
        contract: what must not change on resume; nested plain values.
        unit: the target's unit.
        baselines: scores by baseline name. data: the data report as plain values.
        versions: versions of the packages that affect the numbers. commit: git's, "" if unknown.
        log_names: dimensions of the space on a log scale.
        openings: how often promotion has opened the test period.
        explanation: the latest way between two of its networks, as plain values, or None.
        payoff: whether an LSTM pays on its data, as plain values (`search.results.payoff`), or None
            if nothing was compared.
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
    """The completed attempt with the lowest objective, or None. Of equals, the earliest."""
    complete = [
        (record.result.objective, record.number, record)
        for record in records
        if record.state is State.COMPLETE and record.result is not None
    ]
    return min(complete)[2] if complete else None


@dataclass(frozen=True)
class Importance:
    """A parameter's share of the importance of all: mean and 95 % bootstrap interval."""

    name: str
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Standing:
    """The state of a study in a few numbers.

    Attributes:
        finished: trials that have ended, each counted once. pruned, failed: attempts.
        best: the completed attempt with the lowest objective, or None; of equals, the earliest.
    """

    finished: int
    pruned: int
    failed: int
    best: TrialRecord | None
