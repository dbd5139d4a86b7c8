"""How much each parameter decides the validation error of a study, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.inspection import permutation_importance

from experiments.space import Choice, FlatParameters, Space
from search.common.records import State, TrialRecord

FEWEST_TRIALS = 20
RESAMPLES = 40
# Below every value of a dimension that a trial has.
_ABSENT = -1.0


@dataclass(frozen=True)
class Importance:
    """A parameter's share of what the parameters decide: mean and 95 % bootstrap interval."""

    name: str
    mean: float
    low: float
    high: float


def importances(
    records: Sequence[TrialRecord], space: Space, seed: int = 0, resamples: int = RESAMPLES
) -> list[Importance]:
    """Rank the parameters, most important first; empty below 20 completed trials.

    In each bootstrap resample extremely randomised trees learn the logarithm of the objective; a
    parameter's importance is how much the squared error on the trials left out rises when its
    column is shuffled (permutation importance: Breiman, 2001), as a share of all such rises. The
    interval holds the middle 95 % of the resamples.

    Args:
        records: attempts of one study; the completed ones count, fixed designs included.
        space: of the study; dimensions of a single value are left out.
        seed: of resampling, trees and shuffling.
        resamples: bootstrap resamples.
    """
    complete = [
        (record.flat, record.result.objective)
        for record in records
        if record.state is State.COMPLETE and record.result is not None
    ]
    names = [d.name for d in space.dimensions if isinstance(d, Choice) or d.low < d.high]
    if len(complete) < FEWEST_TRIALS or not names:
        return []
    x = np.array([_places(flat, space, names) for flat, _ in complete])
    y = np.log([objective for _, objective in complete])
    generator = np.random.default_rng(seed)
    shares = [share for _ in range(resamples) if (share := _shares(x, y, generator)) is not None]
    if not shares:
        return []
    low, high = np.percentile(shares, [2.5, 97.5], axis=0)
    means = np.mean(shares, axis=0)
    order = np.argsort(-means, kind="stable")
    return [
        Importance(names[at], float(means[at]), float(low[at]), float(high[at])) for at in order
    ]


def _shares(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], generator: np.random.Generator
) -> npt.NDArray[np.float64] | None:
    """Shares in one resample; None where nothing that was left out could be told apart."""
    drawn = generator.integers(len(y), size=len(y))
    left_out = np.setdiff1d(np.arange(len(y)), drawn)
    if len(left_out) < 2:
        return None
    state = int(generator.integers(2**31))
    trees = ExtraTreesRegressor(n_estimators=40, min_samples_leaf=2, random_state=state)
    trees.fit(x[drawn], y[drawn])
    rises = permutation_importance(
        trees,
        x[left_out],
        y[left_out],
        scoring="neg_mean_squared_error",
        n_repeats=3,
        random_state=state,
    ).importances_mean.clip(min=0.0)
    total = float(rises.sum())
    return None if total == 0 else rises / total


def _places(flat: FlatParameters, space: Space, names: Sequence[str]) -> list[float]:
    """Where a point lies, one number a dimension: on a log scale where the dimension is."""
    places = []
    for dimension in space.dimensions:
        if dimension.name not in names:
            continue
        value = flat.get(dimension.name)
        if value is None:
            places.append(_ABSENT)
        elif isinstance(dimension, Choice):
            places.append(float(dimension.values.index(value)))
        elif dimension.log:
            places.append(float(np.log(float(value) / dimension.low)))
        else:
            places.append(float(value) - dimension.low)
    return places
