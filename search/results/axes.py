"""The error along one setting while all others are equal; pure functions.

There is one curve for each varied setting and each combination of the others, including the
framing. A curve shows the trade-off: on one side networks underfit, on the other they overfit.
"""

import itertools
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from data_pipeline.framing import Framing
from data_pipeline.lengths import HOURS_A_WEEK
from data_pipeline.windows import split_origins
from models.parameters import TrialParameters
from models.target import Target
from search.common.records import State, TrialRecord, TrialResult
from search.results.paired_tests import Expected, holm, paired_difference, t_interval

Axis = Literal["l2", "dropout", "epochs", "units", "weeks"]
AXES: tuple[Axis, ...] = ("l2", "dropout", "epochs", "units", "weeks")
# On these axes, low values of the setting overfit.
OVERFIT_WHERE_LOW = frozenset({"l2", "dropout", "weeks"})
FEWEST_LEVELS = 3
# One-sided error rate for each of the two arms of a curve.
ARM_ERROR = 0.05


@dataclass(frozen=True)
class Trial:
    """An attempt and its study."""

    study: str
    record: TrialRecord


@dataclass(frozen=True)
class Band:
    """A mean over seeds with its 95 % t interval; for a single seed both ends are the mean."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Level:
    """One value of the setting.

    Attributes:
        value: the setting's value. seeds: number of trained seeds.
        train, validation: RMSE, in the data's unit.
        bias: peak bias on the validation windows, in the data's unit; None if not defined.
        study, trial, design: those of the seed with the median validation RMSE.
    """

    value: float
    train: Band
    validation: Band
    bias: float | None
    seeds: int
    study: str
    trial: int
    design: str


@dataclass(frozen=True)
class Curve:
    """The error along one setting.

    Attributes:
        axis: the varied setting.
        units: units of the layers; empty if they are varied.
        weeks: weeks of training windows; None if they are varied or not known.
        epochs: trained epochs; None if they are varied.
        target: what the networks learn, "level" or "change".
        levels: by rising value. lowest: index of the level with the lowest mean validation RMSE.
        overfit: index of the level that proves overfitting, or None. Such a level has a higher
            validation error and a lower train error than the lowest one. Of several, it is the one
            with the highest validation error.
        underfit: index of the level that proves underfitting, or None. Both errors are higher there
            than at the lowest level.
    """

    axis: Axis
    units: tuple[int, ...]
    weeks: float | None
    epochs: int | None
    target: Target
    levels: tuple[Level, ...]
    lowest: int
    overfit: int | None
    underfit: int | None


def weeks_of(rows: int, framing: Framing) -> float:
    """Weeks of training windows that `framing` leaves of a series of `rows` hours.

    Raises:
        data_pipeline.errors.DataError: the series is too short.
    """
    every = len(split_origins(rows, framing)[0]) / HOURS_A_WEEK
    return every if framing.train_weeks is None else min(every, framing.train_weeks)


def curves(trials: Iterable[Trial], framing: Framing, rows: int | None) -> list[Curve]:
    """The curves of completed trials of designs, with three or more levels on common seeds.

    Args:
        trials: trials of studies on the same data.
        framing: the framing of trials that do not have their own.
        rows: hours of the series; None if they were not kept. Then weeks are not known.

    Returns:
        By axis, then by what is learned, then by the amount of data, then small networks first.
    """
    cells: dict[tuple[Axis, TrialParameters, Framing], dict[float, dict[int, Trial]]] = {}
    for trial in trials:
        record = trial.record
        if record.state is not State.COMPLETE or record.result is None or not record.design:
            continue
        assert record.parameters is not None
        seen = record.framing or framing
        for axis, value, parameters, rest in _places(record.parameters, seen, rows):
            levels = cells.setdefault((axis, parameters, rest), {})
            levels.setdefault(value, {}).setdefault(record.seed, trial)
    found = [
        _curve(axis, parameters, rest, levels, rows)
        for (axis, parameters, rest), levels in cells.items()
        if len(levels) >= FEWEST_LEVELS and set.intersection(*map(set, levels.values()))
    ]
    return sorted(found, key=_order)


def _order(curve: Curve) -> tuple[int, bool, float, int, tuple[int, ...]]:
    level = curve.target == "level"
    return AXES.index(curve.axis), level, curve.weeks or 0.0, sum(curve.units), curve.units


def _places(
    parameters: TrialParameters, framing: Framing, rows: int | None
) -> list[tuple[Axis, float, TrialParameters, Framing]]:
    """The curves of a network: axis, value on it, and the other settings.

    A network with both kinds of regularisation is on neither of their axes.
    """
    found: list[tuple[Axis, float, TrialParameters, Framing]] = []
    rates = set(parameters.dropout)
    bare = parameters.model_copy(update={"l2": 0.0, "dropout": (0.0,) * parameters.layers})
    if not parameters.recurrent_dropout and len(rates) == 1:
        (rate,) = rates
        if rate == 0:
            found.append(("l2", parameters.l2, bare, framing))
        if parameters.l2 == 0:
            found.append(("dropout", rate, bare, framing))
    # Without early stopping and with the last weights, training has the requested length.
    if parameters.weights == "last" and parameters.patience >= parameters.epochs:
        rest = parameters.model_copy(update={"epochs": 1, "patience": 1})
        found.append(("epochs", float(parameters.epochs), rest, framing))
    if parameters.layers == 1:
        rest = parameters.model_copy(update={"units": (1,)})
        found.append(("units", float(parameters.units[0]), rest, framing))
    if rows is not None:
        every = framing.model_copy(update={"train_weeks": None})
        found.append(("weeks", weeks_of(rows, framing), parameters, every))
    return found


def _curve(
    axis: Axis,
    parameters: TrialParameters,
    framing: Framing,
    cell: dict[float, dict[int, Trial]],
    rows: int | None,
) -> Curve:
    values = sorted(cell)
    levels = tuple(_level(value, list(cell[value].values())) for value in values)
    lowest = min(range(len(levels)), key=lambda at: levels[at].validation.mean)
    results = [_results(cell[value]) for value in values]
    rising = list(itertools.combinations(range(len(levels)), 2))
    falling = [(other, one) for one, other in rising]
    if axis not in OVERFIT_WHERE_LOW:
        rising, falling = falling, rising
    by_heart = _worse(results, rising, "lower")
    too_little = _worse(results, falling, "higher")
    return Curve(
        axis,
        () if axis == "units" else parameters.units,
        None if axis == "weeks" or rows is None else weeks_of(rows, framing),
        None if axis == "epochs" else parameters.epochs,
        parameters.target,
        levels,
        lowest,
        overfit=_highest([at for at, best in by_heart if best == lowest], levels),
        underfit=_highest([at for at, best in too_little if best == lowest], levels),
    )


def _worse(
    levels: Sequence[dict[int, TrialResult]], pairs: Iterable[tuple[int, int]], train: Expected
) -> set[tuple[int, int]]:
    """The pairs whose first level has a significantly higher validation error.

    Its train error must also be significantly lower or higher, as `train` says. Both tests are
    paired one-sided t tests; the larger p counts. Chance also affects which level is the lowest, so
    Holm's method corrects for all pairs.
    """
    p_values = {}
    for one, other in pairs:
        ours, theirs = levels[one], levels[other]
        seeds = sorted(ours.keys() & theirs.keys())
        if seeds:
            validation, trained = (
                paired_difference(
                    [getattr(ours[seed], period)["rmse"] for seed in seeds],
                    [getattr(theirs[seed], period)["rmse"] for seed in seeds],
                )
                for period in ("held_out", "train")
            )
            p_values[one, other] = max(validation.p_higher, trained.p(train))
    named = {f"{one} {other}": p for (one, other), p in p_values.items()}
    return {at for at, p in zip(p_values, holm(named).values(), strict=True) if p <= ARM_ERROR}


def _highest(places: Sequence[int], levels: Sequence[Level]) -> int | None:
    return max(places, key=lambda at: levels[at].validation.mean, default=None)


def _results(trials: dict[int, Trial]) -> dict[int, TrialResult]:
    return {seed: one.record.result for seed, one in trials.items() if one.record.result}


def _level(value: float, trials: Sequence[Trial]) -> Level:
    pairs = [(one, one.record.result) for one in trials if one.record.result is not None]
    ordered = sorted(
        pairs, key=lambda pair: (pair[1].held_out["rmse"], pair[0].study, pair[0].record.number)
    )
    middle = ordered[len(ordered) // 2][0]
    biases = [result.held_out.get("peak_bias") for _, result in pairs]
    return Level(
        value,
        _band([result.train["rmse"] for _, result in pairs]),
        _band([result.held_out["rmse"] for _, result in pairs]),
        statistics.fmean(b for b in biases if b is not None) if None not in biases else None,
        len(pairs),
        middle.study,
        middle.record.number,
        middle.record.design,
    )


def _band(values: Sequence[float]) -> Band:
    mean = statistics.fmean(values)
    low, high = t_interval(values) if len(values) > 1 else (mean, mean)
    return Band(mean, low, high)
