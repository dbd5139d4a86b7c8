"""Blocked cross-validation: chooses the strength of a model from its training windows only."""

import itertools

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

FOLDS = 5
_DAY = 24


def blocked_folds(count: int, horizon: int, folds: int = FOLDS) -> list[tuple[IntArray, IntArray]]:
    """Split `count` consecutive windows into blocks. Each block is judged by a fit on the others.

    Neighbouring windows share hours. So the fit leaves out the windows next to the judged block: a
    day and the horizon on either side, or a tenth of the windows if that is less (the h-block
    cross-validation of Burman, Chow and Nolan, 1994).

    Args:
        count: number of windows, oldest first.
        horizon: target hours per window.
        folds: largest number of folds; fewer than twice as many windows make no fold.

    Returns:
        Pairs of positions to fit on and to judge.
    """
    if count < 2 * folds:
        return []
    gap = min(_DAY + horizon, count // 10)
    ends = np.linspace(0, count, folds + 1).astype(np.int64)
    positions = np.arange(count)
    found = []
    for first, last in itertools.pairwise(ends):
        fit = (positions < first - gap) | (positions >= last + gap)
        found.append((positions[fit], positions[first:last]))
    return found
