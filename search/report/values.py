"""The typed facts of a report; `plain` turns them into the values of `facts.json`.

The fields have the names and the order of the file's keys.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from pydantic import BaseModel

from experiments.comparison import Period
from models.parameters import TrialParameters
from models.regime import Regime
from search.common.records import Importance
from search.report.best_regions import Region
from search.results.axes import Curve
from search.results.explanation import Explanation
from search.results.paired_tests import Expected
from search.results.payoff import Payoff
from search.results.sequential import Verdict


@dataclass(frozen=True)
class StudyRow:
    """What was run, and how to repeat it.

    Attributes:
        name, experiment, tuner, seed, epochs: the options of the command.
        sampler: None in a study from before it was kept. drawn_by: tuner and sampler in words.
        total: finished trials that the latest run asked for; 0 if unknown.
        data: the data's fingerprint. columns: the columns read. framing: windows and split by name.
        made_with: version by package. openings: how often the test period was opened.
        attempts: count by state.
    """

    name: str
    experiment: str
    tuner: str
    sampler: str | None
    drawn_by: str
    total: int
    seed: int
    epochs: int
    data: str
    columns: Sequence[str]
    framing: Mapping[str, float]
    made_with: Mapping[str, str]
    openings: int
    attempts: Mapping[str, int]


@dataclass(frozen=True)
class BaselineRow:
    """A baseline: validation metrics by name, and the skill, or None if it is not defined."""

    name: str
    val: Mapping[str, float]
    skill: float | None


@dataclass(frozen=True)
class TrialRow:
    """A completed trial.

    Attributes:
        study, trial, design, seed: which one; `design` is "" for a drawn point.
        train, val: metrics by name, of the training and of the validation windows.
        skill: None if it is not defined. objective: validation MSE, scaled.
        epochs: number trained. best_epoch: counted from 1. seconds: time of training.
        regime, gap, excess: its fit, see `models.regime`.
    """

    study: str
    trial: int
    design: str
    seed: int
    parameters: TrialParameters
    train: Mapping[str, float]
    val: Mapping[str, float]
    skill: float | None
    objective: float
    epochs: int
    best_epoch: int
    seconds: float
    regime: Regime
    gap: float
    excess: float


@dataclass(frozen=True)
class DesignRow:
    """A fixed design: means over its seeds.

    Attributes:
        name, study: which one. seeds: number of completed trials.
        parameters: those of the first trial.
        train, val, skill, gap, excess, seconds: means of those in `TrialRow`.
        val_rmse_sd: standard deviation (n - 1) of the validation RMSE; None for one seed.
        regimes: number of seeds by regime.
    """

    name: str
    study: str
    seeds: int
    parameters: TrialParameters
    train: Mapping[str, float]
    val: Mapping[str, float]
    val_rmse_sd: float | None
    skill: float | None
    gap: float
    excess: float
    regimes: Mapping[Regime, int]
    seconds: float


@dataclass(frozen=True)
class TypicalRow:
    """The median trial of a regime, with its losses by epoch."""

    regime: Regime
    study: str
    trial: int
    design: str
    loss: Sequence[float]
    val_mse: Sequence[float]


@dataclass(frozen=True)
class DifferenceRow:
    """Treatment minus control, paired by seed.

    Attributes:
        mean: in the metric's unit. low, high: 95 % interval; None for a single pair.
        pairs: number of seeds. control: mean of the control.
        p: one-sided p value for the expected direction.
    """

    mean: float
    low: float | None
    high: float | None
    pairs: int
    control: float
    p: float


@dataclass(frozen=True)
class ComparisonRow:
    """One comparison of a claim, see `experiments.comparison`.

    Attributes:
        in_unit: True if the metric is in the data's unit.
        difference: None without a common seed.
        seeds_needed: number of seeds to decide; None if more than 20 or unknown.
    """

    treatment: str
    control: str
    metric: str
    period: Period
    expected: Expected
    in_unit: bool
    difference: DifferenceRow | None
    seeds_needed: int | None


@dataclass(frozen=True)
class ClaimRow:
    """A claim with its verdict; None if a comparison was not tried.

    `looked` is the number of seeds behind the verdict: those of the last look. `fresh` is True if
    they are of a study that tries open claims again.
    """

    id: str
    says: str
    verdict: Verdict | None
    looked: int
    fresh: bool
    comparisons: tuple[ComparisonRow, ...]


@dataclass(frozen=True)
class FoundRow:
    """The findings of a search: where its best trials lie, and which parameters decide."""

    study: str
    regions: tuple[Region, ...]
    importances: tuple[Importance, ...]


@dataclass(frozen=True)
class Facts:
    """All facts of a report.

    Attributes:
        unit: the data's unit.
        baselines, designs: lowest validation RMSE first.
        best: the trial with the lowest objective; None without a completed trial.
        regimes: number of trials by regime, for regimes that occur.
        found: findings of the studies that drew trials.
        tradeoff: the error along each varied setting.
        explanation: the way from one network to another, or None.
        payoff: whether an LSTM pays on these data, or None if nothing was compared.
    """

    unit: str
    studies: tuple[StudyRow, ...]
    baselines: tuple[BaselineRow, ...]
    designs: tuple[DesignRow, ...]
    trials: tuple[TrialRow, ...]
    best: TrialRow | None
    regimes: Mapping[Regime, int]
    typical: tuple[TypicalRow, ...]
    claims: tuple[ClaimRow, ...]
    found: tuple[FoundRow, ...]
    tradeoff: tuple[Curve, ...]
    explanation: Explanation | None = None
    payoff: Payoff | None = None


def plain(value: object) -> object:
    """`value` in the form of JSON: dataclasses and models as dicts, sequences as lists."""
    if dataclasses.is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, BaseModel):  # whole: a dump leaves some fields out at their defaults
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def flat(value: object) -> dict[str, object]:
    """A row's plain values in one level, for a CSV file, with names such as `val.rmse`."""

    def of(row: Mapping[str, object], place: str) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, one in row.items():
            name = f"{place}{key}"
            found |= of(one, f"{name}.") if isinstance(one, Mapping) else {name: one}
        return found

    row = plain(value)
    assert isinstance(row, Mapping)
    return of(row, "")
