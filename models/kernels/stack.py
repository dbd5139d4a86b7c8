"""A stack of LSTM layers, each with its dropout, and a dense layer: one batch."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.kernels.compiling import part
from models.kernels.layer import forward, kept_scale, layer_at
from models.kernels.layer_backward import backward
from models.kernels.vectors import GROUP, fma, load, splat, store, total, where_kept, zero

FloatArray = npt.NDArray[np.float32]


class Dense(NamedTuple):
    """The sizes of the dense layer, and where its arrays begin; G is `GROUP`.

    Attributes:
        units: of the last LSTM layer. horizon: forecasts a window.
        weights: (units + 1, horizon), in `Parameters`, the bias last.
        inputs: (units, G), in `work`: the last LSTM layer's last output, after its dropout.
        line: (G,), in `work`: one forecast of all windows, then the loss's gradient by it.
    """

    units: int
    horizon: int
    weights: int
    inputs: int
    line: int


class Stack(NamedTuple):
    """A whole network's sizes and places.

    Attributes:
        steps: of the window.
        layers: int64 (depth, fields), each row a `Layer`; see `layer_at`.
        dense: of the dense layer.
    """

    steps: int
    layers: npt.NDArray[np.int64]
    dense: Dense


class Parameters(NamedTuple):
    """The weights of all layers, and one number of each kind for each weight: float32, flat.

    Attributes:
        weights: where they are now.
        gradient: of the loss.
        mean, square: Adam's moving averages of the gradient and of its square.
        average: the moving average of the weights.
    """

    weights: FloatArray
    gradient: FloatArray
    mean: FloatArray
    square: FloatArray
    average: FloatArray


@part
def _gather(work: Any, layer: Any, steps: int, x: Any, order: Any, first: int, count: int) -> None:
    """Put `count` windows into the lanes of the first layer's input; other lanes become zero."""
    for lane in range(GROUP):
        for t in range(steps):
            at = layer.inputs + (t * layer.rows + layer.padded) * GROUP + lane
            if lane < count:
                window = order[first + lane]
                for f in range(layer.features):
                    work[at + f * GROUP] = x[window, t, f]
            else:
                for f in range(layer.features):
                    work[at + f * GROUP] = np.float32(0)


@part
def run_forward(
    work: Any, stack: Any, x: Any, order: Any, first: int, count: int, keep: int, keys: Any
) -> None:
    """Fill the dense layer's `inputs` from the windows `order[first : first + count]` of `x`.

    Args:
        work: with the weights arranged.
        stack: the places.
        x: float32 (n, window, features).
        order: int64, rows of `x`.
        first: place in `order`. count: at most `GROUP`.
        count: windows.
        keep: 1 while training, with dropout; 0 to forecast.
        keys: uint32 (layers,), of each layer's random numbers.
    """
    _gather(work, layer_at(stack.layers, 0), stack.steps, x, order, first, count)
    for k in range(len(stack.layers)):
        layer = layer_at(stack.layers, k)
        out, rows = stack.dense.inputs, 0
        if k + 1 < len(stack.layers):
            above = layer_at(stack.layers, k + 1)
            out, rows = above.inputs + above.padded * GROUP, above.rows
        forward(work, layer, stack.steps, keep, out, rows, keys[k])


@part
def _dense_line(work: Any, weights: Any, dense: Any, q: int) -> None:
    """Forecast `q` of each window, into the dense layer's `line`."""
    at = dense.weights + q
    value = splat(weights[at + dense.units * dense.horizon])
    for u in range(dense.units):
        weight = splat(weights[at + u * dense.horizon])
        value = fma(weight, load(work, dense.inputs + u * GROUP), value)
    store(work, dense.line, value)


@part
def dense_forward(work: Any, weights: Any, dense: Any, first: int, count: int, out: Any) -> None:
    """Write the forecasts of `count` windows to `out` (n, horizon) from row `first` on."""
    for q in range(dense.horizon):
        _dense_line(work, weights, dense, q)
        for lane in range(count):
            out[first + lane, q] = work[dense.line + lane]


@part
def _slope(
    work: Any, line: int, y: Any, order: Any, first: int, count: int, q: int, factor: Any
) -> float:
    """Replace the forecasts in `line` by the loss's gradient; return the sum of squared errors."""
    squares = 0.0
    for lane in range(GROUP):
        if lane < count:
            error = work[line + lane] - y[order[first + lane], q]
            squares += np.float64(error) * error
            work[line + lane] = error * factor
        else:
            work[line + lane] = np.float32(0)
    return squares


@part
def _dense_backward(
    work: Any,
    parameters: Any,
    stack: Any,
    y: Any,
    order: Any,
    first: int,
    count: int,
    batch: int,
) -> float:
    """Forecast, add the gradient of the mean squared error, and start the last LSTM layer's.

    Args:
        work: after `run_forward`.
        parameters: the gradient is added to.
        stack: the places.
        y: float32 (n, horizon), targets by row of `order`.
        order: as in `run_forward`, as are `first` and `count`.
        first: place in `order`.
        count: windows.
        batch: windows of the whole batch, over which the error is averaged.

    Returns:
        The sum of the squared errors of these windows, float64.
    """
    weights, gradient = parameters.weights, parameters.gradient
    dense, layer = stack.dense, layer_at(stack.layers, len(stack.layers) - 1)
    units, horizon = dense.units, dense.horizon
    top = layer.outputs_gradient + (stack.steps - 1) * units * GROUP
    for u in range(units):
        store(work, top + u * GROUP, zero())
    factor = np.float32(2.0 / (batch * horizon))
    squares = 0.0
    for q in range(horizon):
        _dense_line(work, weights, dense, q)
        squares += _slope(work, dense.line, y, order, first, count, q, factor)
        slope = load(work, dense.line)
        gradient[dense.weights + units * horizon + q] += total(slope)
        for u in range(units):
            w, at = dense.weights + u * horizon + q, top + u * GROUP
            gradient[w] += total(load(work, dense.inputs + u * GROUP) * slope)
            store(work, at, fma(splat(weights[w]), slope, load(work, at)))
    if layer.threshold > 0:
        scale = splat(kept_scale(layer.threshold))
        for u in range(units):
            at = top + u * GROUP
            given = load(work, dense.inputs + u * GROUP)
            store(work, at, where_kept(given, load(work, at) * scale))
    return squares


@part
def add_gradients(
    work: Any,
    parameters: Any,
    stack: Any,
    x: Any,
    y: Any,
    order: Any,
    first: int,
    batch: int,
    keys: Any,
) -> float:
    """Add the gradients of the mean squared error of one batch, in groups of `GROUP` windows.

    Args:
        work: as in `run_forward`, as are `stack`, `x`, `order` and `first`.
        parameters: the gradient is added to.
        stack: the places.
        x: the windows.
        y: float32 (n, horizon), the targets.
        order: rows of `x` and `y`.
        first: place in `order` where the batch begins.
        batch: windows in it, at least 1.
        keys: uint32 (groups, layers).

    Returns:
        The mean squared error, float64.
    """
    squares = 0.0
    for group, start in enumerate(range(0, batch, GROUP)):
        at, count = first + start, min(GROUP, batch - start)
        run_forward(work, stack, x, order, at, count, 1, keys[group])
        squares += _dense_backward(work, parameters, stack, y, order, at, count, batch)
        top = len(stack.layers) - 1
        for k in range(top, -1, -1):
            below = layer_at(stack.layers, k - 1).outputs_gradient if k > 0 else -1
            layer = layer_at(stack.layers, k)
            backward(work, parameters.gradient, layer, stack.steps, k < top, below)
    error: float = squares / (batch * stack.dense.horizon)
    return error
