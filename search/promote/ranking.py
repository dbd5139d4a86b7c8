"""What the re-test says: means, intervals, who is out, how lucky the search was; pure functions."""

import math
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from search.promote.candidates import Candidate
from search.results.bootstrap import block_length
from search.results.paired_tests import holm, paired_difference, t_interval

FloatArray = npt.NDArray[np.float64]

# One-sided error at which a candidate is given up after a round of seeds.
GIVEN_UP = 0.05
_FEWEST_PAIRS = 3


@dataclass(frozen=True)
class Cell:
    """One training of the re-test; `fold` counts from 1, `repeat` (the seed) from 0.

    `rmse` is that of the fold's validation windows, in the data's unit; `best_epoch` that whose
    weights were kept.
    """

    candidate: str
    fold: int
    repeat: int
    rmse: float
    best_epoch: int


@dataclass(frozen=True)
class Ranked:
    """A candidate after the re-test; errors are validation RMSE in the data's unit.

    Attributes:
        candidate: who.
        mean: over folds and seeds. low, high: its 95 % t interval over seeds, each seed the mean of
            its folds; None of a single seed.
        seeds: those with a result on every fold; fewer than asked for if it was given up, 0 of a
            reference that was given up after the last fold: then all numbers are of that fold.
        epochs: median of the best epochs.
        luck: the search's error minus the re-test's on the same windows, the last fold: below 0
            where the search's score was flattered. None without either.
    """

    candidate: Candidate
    mean: float
    low: float | None
    high: float | None
    seeds: int
    epochs: int
    luck: float | None


def rank(candidates: Sequence[Candidate], cells: Sequence[Cell], folds: int) -> list[Ranked]:
    """Finalists and references, those of most seeds first, the lowest mean first among them.

    A seed counts if all its folds came to a result; a finalist without such a seed is left out.
    """
    ranked = []
    for candidate in candidates:
        own = [one for one in cells if one.candidate == candidate.name]
        by_seed: dict[int, list[Cell]] = {}
        for one in own:
            by_seed.setdefault(one.repeat, []).append(one)
        whole = [found for found in by_seed.values() if len(found) == folds]
        seeds = len(whole)
        if not whole and candidate.reference:
            whole = [[one] for one in own if one.fold == folds]
        if not whole:
            continue
        means = [statistics.fmean(one.rmse for one in found) for found in whole]
        low, high = t_interval(means) if len(means) > 1 else (None, None)
        last = [one.rmse for found in whole for one in found if one.fold == folds]
        luck = None if candidate.searched is None else candidate.searched - statistics.fmean(last)
        epochs = round(statistics.median(one.best_epoch for found in whole for one in found))
        ranked.append(Ranked(candidate, statistics.fmean(means), low, high, seeds, epochs, luck))
    return sorted(ranked, key=lambda one: (-one.seeds, one.mean))


def hopeless(cells: Sequence[Cell], finalists: Collection[str]) -> set[str]:
    """Candidates that are significantly worse than the leading finalist, so that seeds are saved.

    By the paired t test over the cells (fold and seed) that both have, three at least, one-sided at
    5 % for all candidates together by Holm's method: the racing of Maron and Moore (1994).

    Args:
        cells: of all rounds so far.
        finalists: names of those that may win.
    """
    errors: dict[str, dict[tuple[int, int], float]] = {}
    for one in cells:
        errors.setdefault(one.candidate, {})[one.fold, one.repeat] = one.rmse
    racing = {name: found for name, found in errors.items() if name in finalists}
    most = max(map(len, racing.values()), default=0)
    leading = [name for name, found in racing.items() if len(found) == most]
    if not leading:
        return set()
    best = racing[min(leading, key=lambda name: statistics.fmean(racing[name].values()))]
    pairs = {
        name: [(own[at], best[at]) for at in sorted(own.keys() & best.keys())]
        for name, own in errors.items()
        if own is not best
    }
    # Who has too few is not tested, and makes the test of the others no stricter.
    found = {name: _p_worse(own) for name, own in pairs.items() if len(own) >= _FEWEST_PAIRS}
    return {name for name, p in holm(found).items() if p <= GIVEN_UP}


def outclassed(
    references: Mapping[str, FloatArray], finalists: Mapping[str, FloatArray]
) -> set[str]:
    """References significantly worse on the same windows than every one of the finalists.

    One network of each has to do, so a reference must lose to all of them: no single lucky seed
    decides. For each pair the paired t test over the RMSE of blocks of windows, three at least; the
    largest p of a reference's pairs is its own, one-sided at 5 % for all references together by
    Holm's method.

    Args:
        references: forecast minus actual by name, float64 (n, horizon), windows oldest first.
        finalists: the same of those that may win.
    """
    if not finalists:
        return set()
    rivals = [_blocks(errors) for errors in finalists.values()]
    found = {
        name: max(_p_worse(list(zip(_blocks(errors), rival, strict=True))) for rival in rivals)
        for name, errors in references.items()
        if len(_blocks(errors)) >= _FEWEST_PAIRS
    }
    return {name for name, p in holm(found).items() if p <= GIVEN_UP}


def _blocks(errors: FloatArray) -> list[float]:
    """RMSE of each whole block of the gate's bootstrap, the oldest first."""
    block = block_length(errors.shape[1])
    count = len(errors) // block
    squares = np.square(errors[: count * block]).reshape(count, -1)
    return [float(value) for value in np.sqrt(squares.mean(axis=1))]


def _p_worse(pairs: Sequence[tuple[float, float]]) -> float:
    """Of the paired one-sided t test that the first of each pair is higher."""
    return paired_difference([one for one, _ in pairs], [other for _, other in pairs]).p_higher


def rank_correlation(ranked: Sequence[Ranked]) -> float | None:
    """Spearman's correlation of the search's errors and the re-test's; None below three pairs.

    Of those with a seed on every fold: the errors of a fold are no mean over all.
    """
    pairs = [
        (one.candidate.searched, one.mean)
        for one in ranked
        if one.candidate.searched is not None and one.seeds
    ]
    if len(pairs) < _FEWEST_PAIRS:
        return None
    value = float(stats.spearmanr(*zip(*pairs, strict=True)).statistic)
    return value if math.isfinite(value) else None


def winner(ranked: Sequence[Ranked]) -> Ranked | None:
    """The finalist with the lowest mean among those that no round gave up; None without any."""
    return next((one for one in ranked if not one.candidate.reference), None)
