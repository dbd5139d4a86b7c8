"""Boosted trees of the change since the last known hour, as plain numbers."""

from typing import Any

import numpy as np

from models.blocks import blocked_folds
from models.forecasters import FloatArray, IntArray, Rows, Trees, change_inputs

# Largest number of training pairs (window, step); of more, this many evenly spaced ones.
PAIRS = 20_000
# Small trees and small steps; cross-validation chooses the number of trees.
_LEAVES = 15
_RATE = 0.1
_MOST_TREES = 200
_FOLDS = 3
_TREES = 50


def fit_boosting_on_change(rows: Rows, origins: IntArray, window: int, horizon: int) -> Trees:
    """Fit one model for all steps. Blocked cross-validation chooses the number of trees.

    Args:
        rows: see `Rows`; only rows of the windows and of their target hours are read.
        origins: int64 (n,), first target rows of the training windows.
        window: number of rows seen.
        horizon: hours forecast.
    """
    pairs = len(origins) * horizon
    kept = np.linspace(0, pairs - 1, min(pairs, PAIRS)).astype(np.int64)
    position, steps = kept // horizon, kept % horizon
    chosen = origins[position]
    inputs = change_inputs(rows, chosen, steps, window)
    change = rows.target[chosen + steps] - rows.target[chosen - 1]
    trees = _choose(inputs, change, position, len(origins), horizon)
    model = _model(trees).fit(inputs, change)
    return _plain(model, window, horizon)


def _choose(
    inputs: FloatArray, change: FloatArray, position: IntArray, windows: int, horizon: int
) -> int:
    """The number of trees with the lowest squared error in blocked cross-validation."""
    squares = np.zeros(_MOST_TREES)
    for fit, judged in blocked_folds(windows, horizon, _FOLDS):
        own, others = np.isin(position, fit), np.isin(position, judged)
        model = _model(_MOST_TREES).fit(inputs[own], change[own])
        for trees, found in enumerate(model.staged_predict(inputs[others])):
            squares[trees] += np.square(found - change[others]).sum()
    return int(np.argmin(squares)) + 1 if squares.any() else _TREES


def _model(trees: int) -> Any:
    # No early stopping: it would hold out random hours next to the training hours.
    # Slow to import; commands that fit nothing do not need it.
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(
        learning_rate=_RATE,
        max_iter=trees,
        max_leaf_nodes=_LEAVES,
        early_stopping=False,
        random_state=0,
    )


def _plain(model: Any, window: int, horizon: int) -> Trees:
    """The model's numbers. A test compares their forecasts with the model's own.

    These parts of scikit-learn are private, but its version is pinned. The alternative would be a
    pickle, which may run any code when it is read.
    """
    nodes = [predictor.nodes for (predictor,) in model._predictors]
    first = np.cumsum([0, *(len(tree) for tree in nodes)])
    whole = np.concatenate(nodes)
    offset = np.repeat(first[:-1], np.diff(first))
    itself, leaf = np.arange(len(whole)), whole["is_leaf"].astype(bool)
    return Trees(
        window=window,
        horizon=horizon,
        start=float(np.ravel(model._baseline_prediction)[0]),
        roots=first[:-1].astype(np.int64),
        depth=int(whole["depth"].max()),
        feature=np.where(leaf, 0, whole["feature_idx"]).astype(np.int64),
        threshold=np.where(leaf, 0.0, whole["num_threshold"]).astype(np.float64),
        left=np.where(leaf, itself, whole["left"] + offset).astype(np.int64),
        right=np.where(leaf, itself, whole["right"] + offset).astype(np.int64),
        value=np.where(leaf, whole["value"], 0.0).astype(np.float64),
    )
