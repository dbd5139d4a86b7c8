"""One LSTM layer: its memory, and its forward pass over a whole sequence.

It runs `GROUP` windows at once. README.md draws the arrays' layout. A place is an index into a
flat array: it counts numbers.
"""

from typing import Any, NamedTuple

import numpy as np

from models.kernels.compiling import part
from models.kernels.gates import lstm_cell, lstm_output
from models.kernels.products import six_at_once
from models.kernels.vectors import (
    GROUP,
    LEVELS,
    TALL,
    TILE,
    dropped,
    fma,
    load,
    spread,
    store,
    zero,
)


class Layer(NamedTuple):
    """The sizes of one layer, and where its arrays begin.

    All arrays lie in one, `work`, but the weights and what there is one of for each weight, which
    lie in five of one length (`Parameters`): compiled functions that pass many arrays around take
    minutes to compile. G is `GROUP`, T the window's length.

    Attributes:
        units: of the layer. padded: the same rounded up to 4.
        features: columns of its input.
        used: rows of `inputs` that are not padding: padded + features + 1.
        rows: the same rounded up to `TILE`.
        chunk: time steps whose `gates_gradient` is kept.
        threshold: of 65536, how many of the layer's outputs are dropped while training.
        below_threshold: that of the layer below; 0 for the first layer.
        weights: (rows, 4 units), in `Parameters`: the order of the rows is that of `inputs`, a
            column is 4 * unit + gate.
        forward: the weights again, (4 units / TILE, used, TILE), in the order in which `forward`
            reads them.
        backward: and again, (rows / TILE, 4 units, TILE), in that of `backward`.
        inputs: (T + 1, rows, G): the output of the step before, the input, ones, padding.
        gates: (T, units, 5, G): i, f, g, o and the tanh of the cell state.
        cells: (T + 1, units, G): the cell states, the one before the first step first.
        outputs_gradient: (T, units, G): of the loss by what the layer gives on, before its dropout;
            at the last layer the last step alone is in use.
        gates_gradient: (chunk, 4 units, G): of the loss by the gates before their functions; where
            `TALL` is not, (units, chunk, 4, G), and `forward` has the gates of one step there.
        state_gradient: (rows, G): of the loss by the output, from the step after; where `TALL` is
            not, by the whole row of `inputs`.
        cell_gradient: (units, G): of the loss by the cell state, from the step after.
    """

    units: int
    padded: int
    features: int
    used: int
    rows: int
    chunk: int
    threshold: int
    below_threshold: int
    weights: int
    forward: int
    backward: int
    inputs: int
    gates: int
    cells: int
    outputs_gradient: int
    gates_gradient: int
    state_gradient: int
    cell_gradient: int


@part
def layer_at(layers: Any, k: int) -> Any:
    """Row `k` of an int64 array (layers, fields) as a `Layer`.

    As an array, a stack of any depth has one type, and the kernels are compiled once.
    """
    r = layers[k]
    sizes = (r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8])
    places = (r[9], r[10], r[11], r[12], r[13], r[14], r[15], r[16], r[17])
    return Layer(*(sizes + places))


@part
def kept_scale(threshold: int) -> Any:
    """What an output that dropout keeps is multiplied by, so that means are kept: float32."""
    return np.float32(LEVELS / (LEVELS - threshold))


@part
def forward(
    work: Any, layer: Any, steps: int, keep: int, out: int, out_rows: int, key: Any
) -> None:
    """Run the layer over its `inputs`.

    Args:
        work: with the input and the weights in their places.
        layer: the places.
        steps: of the window.
        keep: 1 to keep gates and cells of all steps for `backward`; 0 to use the room of the first
            step alone, which stays in the cache.
        out: where the outputs go after dropout: the first one's place in the `inputs` of the layer
            above, or, for the last layer, (units, GROUP), the last step alone.
        out_rows: rows of a step there, 0 for the last layer.
        key: of the random numbers of dropout; used if `keep` is 1 and the layer has a dropout.
    """
    drops = keep == 1 and layer.threshold > 0
    threshold, scale = np.uint32(layer.threshold), kept_scale(layer.threshold)
    units, used = layer.units, layer.used
    for u in range(units):
        store(work, layer.cells + u * GROUP, zero())
    for t in range(steps):
        row = layer.inputs + t * layer.rows * GROUP
        next_row = row + layer.rows * GROUP
        gate = layer.gates + t * units * 5 * GROUP * keep
        cell = layer.cells + t * units * GROUP * keep
        next_cell = cell + units * GROUP * keep
        gives = out_rows > 0 or t == steps - 1
        # Not divided as below: LLVM would fuse other products, and last digits would change.
        if TALL:
            w = layer.forward
            for u in range(units):
                i, f, g, o = zero(), zero(), zero(), zero()
                at = row
                for _ in range(used):
                    x = load(work, at)
                    i = fma(spread(work, w), x, i)
                    f = fma(spread(work, w + 1), x, f)
                    g = fma(spread(work, w + 2), x, g)
                    o = fma(spread(work, w + 3), x, o)
                    w += 4
                    at += GROUP
                i, f, g, o, c, tanh_c, h = lstm_cell(i, f, g, o, load(work, cell + u * GROUP))
                store(work, gate, i)
                store(work, gate + GROUP, f)
                store(work, gate + 2 * GROUP, g)
                store(work, gate + 3 * GROUP, o)
                store(work, gate + 4 * GROUP, tanh_c)
                gate += 5 * GROUP
                store(work, next_cell + u * GROUP, c)
                store(work, next_row + u * GROUP, h)
                if gives:
                    if drops:
                        h = dropped(h, np.uint32(t * units + u), key, threshold, scale)
                    store(work, out + u * GROUP, h)
        else:
            _all_cells(work, layer, row, gate, cell, next_cell)
            for u in range(units):
                o, c = load(work, gate + 3 * GROUP), load(work, next_cell + u * GROUP)
                tanh_c, h = lstm_output(o, c)
                store(work, gate + 4 * GROUP, tanh_c)
                gate += 5 * GROUP
                store(work, next_row + u * GROUP, h)
                if gives:
                    if drops:
                        h = dropped(h, np.uint32(t * units + u), key, threshold, scale)
                    store(work, out + u * GROUP, h)
        out += out_rows * GROUP


@part
def _all_cells(work: Any, layer: Any, row: int, gate: int, cell: int, next_cell: int) -> None:
    """The gates and cell states of all units, for 16 registers.

    The outputs follow in a loop of their own. A unit's numbers wait for each other all the way, and
    a processor sees some 200 instructions ahead: in short loops it begins with the next unit
    meanwhile. That takes 5 % off a step of 16 units, 1 % off one of 64 and 32.
    """
    z = layer.gates_gradient  # not in use yet
    six_at_once(work, layer.forward, row, 1, layer.used, 0, 4 * layer.units, z)
    for _ in range(layer.units):
        i, f = load(work, z), load(work, z + GROUP)
        g, o = load(work, z + 2 * GROUP), load(work, z + 3 * GROUP)
        # LLVM leaves out what is not used: the tanh and the output.
        i, f, g, o, c, _, _ = lstm_cell(i, f, g, o, load(work, cell))
        store(work, gate, i)
        store(work, gate + GROUP, f)
        store(work, gate + 2 * GROUP, g)
        store(work, gate + 3 * GROUP, o)
        store(work, next_cell, c)
        z += 4 * GROUP
        gate += 5 * GROUP
        cell += GROUP
        next_cell += GROUP


@part
def arrange_weights(work: Any, weights: Any, layer: Any) -> None:
    """Copy the weights to where `forward` and `backward` read them one after the other.

    A weight's neighbours are then those that are used next, in one line of the cache.
    """
    columns = 4 * layer.units
    for k in range(layer.used):
        for j in range(0, columns, TILE):
            w = layer.weights + k * columns + j
            at = layer.forward + j * layer.used + k * TILE
            for column in range(min(TILE, columns - j)):
                work[at + column] = weights[w + column]
    for k in range(0, layer.rows, TILE):
        for j in range(columns):
            w = layer.weights + k * columns + j
            at = layer.backward + k * columns + TILE * j
            for row in range(TILE):
                work[at + row] = weights[w + row * columns]
