"""Error against regularisation, one curve for each capacity and kind; pure functions."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from models.parameters import TrialParameters
from search.common.records import State, TrialRecord, TrialResult
from search.results.paired_tests import holm, paired_difference, t_interval

Kind = Literal["l2", "dropout"]
# One-sided, for each of the two arms of a curve.
ARM_ERROR = 0.05


@dataclass(frozen=True)
class Band:
    """A mean over seeds with its 95 % t interval; of a single seed both ends are the mean."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Level:
    """One strength of regularisation: RMSE in the data's unit over `seeds` seeds."""

    strength: float
    train: Band
    validation: Band
    seeds: int


@dataclass(frozen=True)
class Curve:
    """Error against strength for one capacity.

    Attributes:
        units: of the layers. kind: what is varied, the other being 0.
        levels: by rising strength.
        lowest: index of the level with the lowest mean validation RMSE.
        left, right: whether any weaker, or stronger, regularisation is worse than the lowest by
            the paired one-sided t test at 5 %, corrected for all on that side by Holm's method:
            whether that arm of the U is there.
    """

    units: tuple[int, ...]
    kind: Kind
    levels: tuple[Level, ...]
    lowest: int
    left: bool
    right: bool


def curves(records: Iterable[TrialRecord]) -> list[Curve]:
    """The curves of the completed trials of designs, by capacity (small first) and kind.

    The trials of a curve differ in its kind of regularisation alone. One with both penalties
    belongs to no curve, one with neither to both of its capacity. A curve needs three levels.
    """
    cells: dict[tuple[TrialParameters, Kind], dict[float, dict[int, TrialResult]]] = {}
    for record in records:
        if record.state is not State.COMPLETE or record.result is None or not record.design:
            continue
        assert record.parameters is not None
        none = (0.0,) * record.parameters.layers
        bare = record.parameters.model_copy(update={"l2": 0.0, "dropout": none})
        for kind, strength in _strengths(record.parameters):
            cell = cells.setdefault((bare, kind), {})
            cell.setdefault(strength, {})[record.seed] = record.result
    order = sorted(cells, key=lambda key: (sum(key[0].units), key[0].units, key[1] != "l2"))
    return [
        _curve(bare.units, kind, cells[bare, kind])
        for bare, kind in order
        if len(cells[bare, kind]) >= 3
    ]


def _strengths(parameters: TrialParameters) -> list[tuple[Kind, float]]:
    rates = set(parameters.dropout)
    if len(rates) > 1 or parameters.recurrent_dropout:
        return []
    (rate,) = rates
    found: list[tuple[Kind, float]] = []
    if rate == 0:
        found.append(("l2", parameters.l2))
    if parameters.l2 == 0:
        found.append(("dropout", rate))
    return found


def _curve(units: tuple[int, ...], kind: Kind, cell: dict[float, dict[int, TrialResult]]) -> Curve:
    strengths = sorted(cell)
    levels = tuple(
        Level(
            strength,
            _band([one.train["rmse"] for one in cell[strength].values()]),
            _band([one.held_out["rmse"] for one in cell[strength].values()]),
            len(cell[strength]),
        )
        for strength in strengths
    )
    lowest = min(range(len(levels)), key=lambda at: levels[at].validation.mean)
    best = cell[strengths[lowest]]
    weaker, stronger = strengths[:lowest], strengths[lowest + 1 :]
    return Curve(
        units,
        kind,
        levels,
        lowest,
        left=_any_worse({one: cell[one] for one in weaker}, best),
        right=_any_worse({one: cell[one] for one in stronger}, best),
    )


def _any_worse(side: dict[float, dict[int, TrialResult]], best: dict[int, TrialResult]) -> bool:
    found = {}
    for strength, results in side.items():
        seeds = sorted(results.keys() & best.keys())
        if seeds:
            found[f"{strength}"] = paired_difference(
                [results[seed].held_out["rmse"] for seed in seeds],
                [best[seed].held_out["rmse"] for seed in seeds],
            ).p_higher
    return any(p <= ARM_ERROR for p in holm(found).values())


def _band(values: list[float]) -> Band:
    mean = statistics.fmean(values)
    low, high = t_interval(values) if len(values) > 1 else (mean, mean)
    return Band(mean, low, high)
