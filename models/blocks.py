"""Blocked cross-validation: how strong a model should be, asked of its training windows alone."""

import itertools

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

FOLDS = 5
_DAY = 24


def blocked_folds(count: int, horizon: int, folds: int = FOLDS) -> list[tuple[IntArray, IntArray]]:
    """Split `count` windows in a row into blocks, each judged by a fit on the others.

    Neighbouring windows share hours, so those around the judged block are left out of the fit: a
    day and the horizon on either side, or a tenth of the windows where that is less (the h-block
    cross-validation of Burman, Chow and Nolan, 1994).

    Args:
        count: windows, oldest first.
        horizon: target hours a window.
        folds: at most; fewer windows than twice that make no fold.

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
