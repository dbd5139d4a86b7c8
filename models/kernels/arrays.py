"""The memory of a network: made, and exchanged with Keras."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from models.kernels.layer import Layer
from models.kernels.stack import Dense, FloatArray, Parameters, Stack
from models.kernels.vectors import GROUP, LEVELS, TALL, TILE

# Numbers in a line of the cache, which is also the widest vector.
_LINE = 16
# Bytes of the gates' gradient kept at once. It is read once for every four rows of the weights,
# so it should stay in the second level of the cache.
_KEPT = 400_000
# Where there are 16 registers it is read once, but the input of as many steps again and again. It
# is odd, so that what lies so many times 256 bytes apart is not all in one place of the cache.
_STEPS = 25


class Memory(NamedTuple):
    """A network's arrays, and the places in them."""

    work: FloatArray
    parameters: Parameters
    stack: Stack


class _Places:
    """Gives out places in a flat array, one after the other, each where a line begins."""

    def __init__(self) -> None:
        self.size = 0

    def take(self, *shape: int) -> int:
        place = self.size
        self.size += -(-int(np.prod(shape)) // _LINE) * _LINE
        return place


def make_memory(
    window: int, features: int, units: Sequence[int], dropout: Sequence[float], horizon: int
) -> Memory:
    """The memory of a network whose weights are all zero.

    Args:
        window: time steps of one input window.
        features: columns of one time step.
        units: of each LSTM layer, one at least.
        dropout: rate after each layer. It is rounded to a multiple of 2**-16, and what is kept is
            scaled by the rounded rate, so that means are kept exactly.
        horizon: time steps forecast.

    Raises:
        MemoryError: there is too little of it.
    """
    work, each = _Places(), _Places()
    layers: list[Layer] = []
    columns, below = features, 0
    for size, rate in zip(units, dropout, strict=True):
        threshold = min(round(rate * LEVELS), LEVELS - 1)
        layers.append(_layer(work, each, window, columns, size, threshold, below))
        columns, below = size, threshold
    dense = Dense(
        units=columns,
        horizon=horizon,
        weights=each.take(columns + 1, horizon),
        inputs=work.take(columns, GROUP),
        line=work.take(GROUP),
    )
    memory = Memory(
        _aligned(work.size),
        Parameters(*(_aligned(each.size) for _ in Parameters._fields)),
        Stack(window, np.array(layers, np.int64), dense),
    )
    for layer in layers:
        inputs = memory.work[layer.inputs :][: (window + 1) * layer.rows * GROUP]
        inputs.reshape(window + 1, layer.rows, GROUP)[:, layer.used - 1] = 1.0
    return memory


def _layer(
    work: _Places,
    each: _Places,
    window: int,
    features: int,
    units: int,
    threshold: int,
    below_threshold: int,
) -> Layer:
    padded = _up_to(4, units)
    used = padded + features + 1
    rows, columns = _up_to(TILE, used), 4 * units
    chunk = max(4, min(window, _KEPT // (4 * columns * GROUP))) if TALL else _STEPS
    return Layer(
        units=units,
        padded=padded,
        features=features,
        used=used,
        rows=rows,
        chunk=chunk,
        threshold=threshold,
        below_threshold=below_threshold,
        weights=each.take(rows, columns),
        forward=work.take(_up_to(TILE, columns), used),
        backward=work.take(rows, columns),
        inputs=work.take(window + 1, rows, GROUP),
        gates=work.take(window, units, 5, GROUP),
        cells=work.take(window + 1, units, GROUP),
        outputs_gradient=work.take(window, units, GROUP),
        gates_gradient=work.take(chunk, columns, GROUP),
        state_gradient=work.take(rows, GROUP),
        cell_gradient=work.take(units, GROUP),
    )


def _aligned(count: int) -> FloatArray:
    """Zeros that begin with a line of the cache, so that no vector lies across two."""
    room = np.zeros(count + _LINE, np.float32)
    at = (-room.ctypes.data // 4) % _LINE
    return room[at : at + count]


def _up_to(multiple: int, count: int) -> int:
    return -(-count // multiple) * multiple


def read_keras(memory: Memory, weights: Sequence[FloatArray]) -> None:
    """Take weights as Keras has them.

    Args:
        memory: whose weights are set; `steps.arrange` must follow.
        weights: kernel (features, 4 units), recurrent kernel (units, 4 units) and bias (4 units,)
            of each layer, gates in the order i, f, g, o; then kernel (units, horizon) and bias
            (horizon,) of the dense layer.
    """
    stack, found = memory.stack, memory.parameters.weights
    for k, layer in enumerate(_layers(stack)):
        kernel, recurrent, bias = weights[3 * k : 3 * k + 3]
        whole = _rows(found, layer).reshape(layer.rows, layer.units, 4)
        for part, begin in (
            (recurrent, 0),
            (kernel, layer.padded),
            (bias[np.newaxis], layer.used - 1),
        ):
            by_gate = part.reshape(-1, 4, layer.units)
            whole[begin : begin + len(part)] = by_gate.transpose(0, 2, 1)
    last = np.concatenate([weights[-2].ravel(), weights[-1]])
    found[stack.dense.weights :][: last.size] = last


def as_keras(memory: Memory, values: FloatArray) -> list[FloatArray]:
    """Copies of `values`, one of `memory.parameters`, in the order of `read_keras`."""
    stack = memory.stack
    found = []
    for layer in _layers(stack):
        by_unit = _rows(values, layer).reshape(layer.rows, layer.units, 4)
        whole = by_unit.transpose(0, 2, 1).reshape(layer.rows, 4 * layer.units)
        kernel, recurrent = whole[layer.padded : layer.used - 1], whole[: layer.units]
        found += [kernel, recurrent, whole[layer.used - 1]]
    units, horizon = stack.dense.units, stack.dense.horizon
    dense = values[stack.dense.weights :][: (units + 1) * horizon]
    found += [dense[: units * horizon].reshape(units, horizon), dense[units * horizon :]]
    return [np.array(one) for one in found]


def _rows(values: FloatArray, layer: Layer) -> FloatArray:
    return values[layer.weights :][: layer.rows * 4 * layer.units]


def _layers(stack: Stack) -> list[Layer]:
    return [Layer(*map(int, row)) for row in stack.layers]
