"""What Python calls: an epoch of gradient steps, and forecasts.

Each is compiled when this module is imported, or loaded if that was done before.
"""

from typing import Any

import numba as nb
import numpy as np

from models.kernels.adam import Optimiser, add_penalty, step_size, update
from models.kernels.arrays import make_memory
from models.kernels.compiling import compiled
from models.kernels.layer import arrange_weights, layer_at
from models.kernels.stack import add_gradients, dense_forward, run_forward
from models.kernels.vectors import GROUP, flush_denormals, restore_mode

_EXAMPLE = make_memory(1, 1, (1,), (0.0,), 1)
_WORK, _STACK = nb.typeof(_EXAMPLE.work), nb.typeof(_EXAMPLE.stack)
_PARAMETERS = nb.typeof(_EXAMPLE.parameters)
_OPTIMISER = nb.typeof(Optimiser(np.float32(0), np.float32(0), np.float32(0)))
# Any layout will do for what is only read, so that a view of overlapping windows is never copied.
_X = nb.types.Array(nb.float32, 3, "A", readonly=True)
_Y = nb.types.Array(nb.float32, 2, "A", readonly=True)
_ORDER, _KEYS, _OUT, _LOSSES = nb.int64[::1], nb.uint32[:, ::1], nb.float32[:, ::1], nb.float64[::1]
_INT = nb.int64


@compiled(
    _WORK, _PARAMETERS, _STACK, _OPTIMISER, _X, _Y, _ORDER, _INT, _KEYS, _INT, nb.boolean, _LOSSES
)
def train_epoch(
    work: Any,
    parameters: Any,
    stack: Any,
    optimiser: Any,
    x: Any,
    y: Any,
    order: Any,
    batch_size: int,
    keys: Any,
    done: int,
    learn: bool,
    losses: Any,
) -> None:
    """Take one gradient step for every batch.

    Args:
        work: with the weights arranged.
        parameters: trained in place.
        stack: the places.
        optimiser: its settings.
        x: float32 (n, window, features).
        y: float32 (n, horizon).
        order: int64 (m,), rows of `x` and `y`, cut into batches in turn; the last holds the rest.
        batch_size: windows of a batch.
        keys: uint32 (groups of all batches, layers), of the random numbers.
        done: gradient steps taken before.
        learn: False adds up the gradients of all batches, and changes no weight.
        losses: float64 (batches,), gets each batch's loss: mean squared error and penalty.
    """
    mode = flush_denormals()
    depth = len(stack.layers)
    group = 0
    for step in range(losses.size):
        first = step * batch_size
        batch = min(batch_size, order.size - first)
        loss = add_gradients(work, parameters, stack, x, y, order, first, batch, keys[group:])
        group += (batch + GROUP - 1) // GROUP
        for k in range(depth):
            one = layer_at(stack.layers, k)
            begin = one.weights + one.padded * 4 * one.units
            end = one.weights + (one.used - 1) * 4 * one.units
            loss += add_penalty(parameters.weights, parameters.gradient, optimiser.l2, begin, end)
        losses[step] = loss
        if not learn:
            continue
        done += 1
        # Keras' average starts as a copy of the weights after the first step.
        keep = np.float32(-1)
        if optimiser.momentum > 0:
            keep = optimiser.momentum if done > 1 else np.float32(0)
        update(parameters, step_size(optimiser.learning_rate, done), keep)
        for k in range(depth):
            arrange_weights(work, parameters.weights, layer_at(stack.layers, k))
    restore_mode(mode)


@compiled(_WORK, _PARAMETERS, _STACK, _X, _OUT)
def forecast(work: Any, parameters: Any, stack: Any, x: Any, out: Any) -> None:
    """Write the forecasts of `x` (n, window, features) to `out` (n, horizon)."""
    mode = flush_denormals()
    order = np.arange(len(x))
    keys = np.zeros(len(stack.layers), np.uint32)
    for first in range(0, len(x), GROUP):
        count = min(GROUP, len(x) - first)
        run_forward(work, stack, x, order, first, count, 0, keys)
        dense_forward(work, parameters.weights, stack.dense, first, count, out)
    restore_mode(mode)


@compiled(_WORK, _PARAMETERS, _STACK)
def arrange(work: Any, parameters: Any, stack: Any) -> None:
    """Have the kernels use weights that were changed from outside."""
    for k in range(len(stack.layers)):
        arrange_weights(work, parameters.weights, layer_at(stack.layers, k))
