"""The backward pass of one LSTM layer, for `GROUP` windows at once.

`models/kernels/layer.py` has the layer's memory and its forward pass.
"""

from typing import Any

from models.kernels.compiling import part
from models.kernels.layer import kept_scale
from models.kernels.products import six_at_once, three_by_four
from models.kernels.vectors import (
    GROUP,
    LANES,
    TALL,
    fma,
    load,
    load_narrow,
    splat,
    spread,
    store,
    total,
    where_kept,
    zero,
    zero_narrow,
)


@part
def backward(work: Any, gradient: Any, layer: Any, steps: int, every: bool, below: int) -> None:
    """Run back through the layer.

    Args:
        work: after `forward` with `keep` 1, with the layer's `outputs_gradient`.
        gradient: of the loss by all weights; the layer's are added to.
        layer: the places.
        steps: of the window.
        every: True if `outputs_gradient` holds all steps, False for the last step alone.
        below: `outputs_gradient` of the layer below, which is filled in; negative if there is none,
            and so no need for the gradient of the input.
    """
    columns = 4 * layer.units
    for k in range(layer.padded):
        store(work, layer.state_gradient + k * GROUP, zero())
    for k in range(layer.units):
        store(work, layer.cell_gradient + k * GROUP, zero())
    kept = 0
    for t in range(steps - 1, -1, -1):
        z = layer.gates_gradient + kept * (columns if TALL else 4) * GROUP
        _gates_backward(work, layer, t, every or t == steps - 1, z)
        if TALL:
            if t > 0:
                _state_backward(work, layer, z)
            if below >= 0:
                _input_backward(work, layer, t, z, below)
        else:
            _row_backward(work, layer, t, z, below)
        kept += 1
        if kept == layer.chunk or t == 0:
            if TALL:
                _four_by_four(work, gradient, layer, t, kept)
            else:
                three_by_four(work, gradient, layer, t, kept)
            kept = 0


@part
def _gates_backward(work: Any, layer: Any, t: int, given: bool, z: int) -> None:
    """From the gradients of output and cell state to those of the gates, written from `z` on."""
    one = splat(1.0)
    gate = layer.gates + t * layer.units * 5 * GROUP
    for u in range(layer.units):
        here = (t * layer.units + u) * GROUP
        h = load(work, layer.state_gradient + u * GROUP)
        if given:
            h = h + load(work, layer.outputs_gradient + here)
        i, f, g = load(work, gate), load(work, gate + GROUP), load(work, gate + 2 * GROUP)
        o, tanh_c = load(work, gate + 3 * GROUP), load(work, gate + 4 * GROUP)
        before = load(work, layer.cells + here)
        store(work, z + 3 * GROUP, h * tanh_c * (o * (one - o)))
        from_later = load(work, layer.cell_gradient + u * GROUP)
        c = fma(h * o, one - tanh_c * tanh_c, from_later)
        store(work, z, c * g * (i * (one - i)))
        store(work, z + GROUP, c * before * (f * (one - f)))
        store(work, z + 2 * GROUP, c * i * (one - g * g))
        store(work, layer.cell_gradient + u * GROUP, c * f)
        gate += 5 * GROUP
        z += (4 if TALL else 4 * layer.chunk) * GROUP


@part
def _four_products(work: Any, w: int, z: int, columns: int) -> Any:
    """Four rows of the weights times the gates' gradient: what is loaded is used four times."""
    a, b, c, d = zero(), zero(), zero(), zero()
    for _ in range(columns):
        v = load(work, z)
        a = fma(spread(work, w), v, a)
        b = fma(spread(work, w + 1), v, b)
        c = fma(spread(work, w + 2), v, c)
        d = fma(spread(work, w + 3), v, d)
        w += 4
        z += GROUP
    return a, b, c, d


@part
def _state_backward(work: Any, layer: Any, z: int) -> None:
    """The gradient of the output of the step before."""
    columns = 4 * layer.units
    for k in range(0, layer.padded, 4):
        p, q, r, s = _four_products(work, layer.backward + k * columns, z, columns)
        at = layer.state_gradient + k * GROUP
        store(work, at, p)
        store(work, at + GROUP, q)
        store(work, at + 2 * GROUP, r)
        store(work, at + 3 * GROUP, s)


@part
def _input_backward(work: Any, layer: Any, t: int, z: int, below: int) -> None:
    """The gradient of the layer's input, through the dropout below: step `t` of `below`."""
    columns, features = 4 * layer.units, layer.features
    scale = splat(kept_scale(layer.below_threshold))
    for k in range(0, features, 4):
        row = layer.padded + k
        p, q, r, s = _four_products(work, layer.backward + row * columns, z, columns)
        if layer.below_threshold > 0:
            x = layer.inputs + (t * layer.rows + row) * GROUP
            p = where_kept(load(work, x), p * scale)
            q = where_kept(load(work, x + GROUP), q * scale)
            r = where_kept(load(work, x + 2 * GROUP), r * scale)
            s = where_kept(load(work, x + 3 * GROUP), s * scale)
        at = below + (t * features + k) * GROUP
        store(work, at, p)
        # A row past the features would be one of the step after, which is there already.
        if k + 1 < features:
            store(work, at + GROUP, q)
        if k + 2 < features:
            store(work, at + 2 * GROUP, r)
        if k + 3 < features:
            store(work, at + 3 * GROUP, s)


@part
def _row_backward(work: Any, layer: Any, t: int, z: int, below: int) -> None:
    """The gradients of the output of the step before and of the input, for 16 registers."""
    features, out, apart = layer.features, layer.state_gradient, 4 * layer.chunk * GROUP
    wanted = layer.padded + features if below >= 0 else layer.units
    six_at_once(work, layer.backward, z, layer.units, 4, apart, wanted, out)
    if below < 0:
        return
    scale = splat(kept_scale(layer.below_threshold))
    x = layer.inputs + (t * layer.rows + layer.padded) * GROUP
    out += layer.padded * GROUP
    below += t * features * GROUP
    for _ in range(features):
        value = load(work, out)
        if layer.below_threshold > 0:
            value = where_kept(load(work, x), value * scale)
        store(work, below, value)
        x += GROUP
        out += GROUP
        below += GROUP


@part
def _four_by_four(work: Any, gradient: Any, layer: Any, t: int, kept: int) -> None:
    """Add the weights' gradient of the `kept` steps from `t` on, 4 rows by 4 columns at a time.

    `gates_gradient` holds these steps backwards. Sixteen sums and five factors fill most of 32
    registers: each number that is loaded is used four times.
    """
    columns, rows = 4 * layer.units, layer.rows
    for k in range(0, rows, 4):
        for j in range(0, columns, 4):
            a0, a1, a2, a3 = zero_narrow(), zero_narrow(), zero_narrow(), zero_narrow()
            b0, b1, b2, b3 = zero_narrow(), zero_narrow(), zero_narrow(), zero_narrow()
            c0, c1, c2, c3 = zero_narrow(), zero_narrow(), zero_narrow(), zero_narrow()
            d0, d1, d2, d3 = zero_narrow(), zero_narrow(), zero_narrow(), zero_narrow()
            x = layer.inputs + ((t + kept - 1) * rows + k) * GROUP
            z = layer.gates_gradient + j * GROUP
            for _ in range(kept):
                for lane in range(0, GROUP, LANES):
                    p = load_narrow(work, x + lane)
                    q = load_narrow(work, x + GROUP + lane)
                    r = load_narrow(work, x + 2 * GROUP + lane)
                    s = load_narrow(work, x + 3 * GROUP + lane)
                    v = load_narrow(work, z + lane)
                    a0, b0, c0, d0 = fma(p, v, a0), fma(q, v, b0), fma(r, v, c0), fma(s, v, d0)
                    v = load_narrow(work, z + GROUP + lane)
                    a1, b1, c1, d1 = fma(p, v, a1), fma(q, v, b1), fma(r, v, c1), fma(s, v, d1)
                    v = load_narrow(work, z + 2 * GROUP + lane)
                    a2, b2, c2, d2 = fma(p, v, a2), fma(q, v, b2), fma(r, v, c2), fma(s, v, d2)
                    v = load_narrow(work, z + 3 * GROUP + lane)
                    a3, b3, c3, d3 = fma(p, v, a3), fma(q, v, b3), fma(r, v, c3), fma(s, v, d3)
                x -= rows * GROUP
                z += columns * GROUP
            y = layer.weights + k * columns + j
            _add_totals(gradient, y, a0, a1, a2, a3)
            _add_totals(gradient, y + columns, b0, b1, b2, b3)
            _add_totals(gradient, y + 2 * columns, c0, c1, c2, c3)
            _add_totals(gradient, y + 3 * columns, d0, d1, d2, d3)


@part
def _add_totals(gradient: Any, y: int, a: Any, b: Any, c: Any, d: Any) -> None:
    gradient[y] += total(a)
    gradient[y + 1] += total(b)
    gradient[y + 2] += total(c)
    gradient[y + 3] += total(d)
