"""Matrix products for processors with 16 vector registers; other files have those for 32.

A sum is ready some five cycles after a product was added to it, and two are added a cycle, so ten
sums have to be under way at once. Twelve fit 16 registers beside their factors; with eight, a step
took 1.14 to 1.18 times as long (AMD Zen 2, 16 to 128 units).
"""

from typing import Any

from models.kernels.compiling import part
from models.kernels.vectors import (
    GROUP,
    LANES,
    fma,
    four_totals,
    load,
    load_four,
    load_narrow,
    spread,
    store,
    zero,
    zero_narrow,
)


@part
def six_at_once(
    work: Any, weights: int, values: int, blocks: int, size: int, apart: int, rows: int, out: int
) -> None:
    """Write a matrix product, six rows of it at once.

    Args:
        work: all arrays.
        weights: the place of the one factor, (rows / 6, blocks, size, 6).
        values: of the other, (blocks, size, GROUP).
        blocks: of `size` vectors each, whose first ones lie `apart` numbers apart.
        size: of a block.
        apart: not read if there is one block.
        rows: of the product. Rows up to a multiple of six are written.
        out: where it goes, (rows, GROUP).
    """
    w = weights
    for _ in range(0, rows, 6):
        a, b, c, d, e, f = zero(), zero(), zero(), zero(), zero(), zero()
        for block in range(blocks):
            at = values + block * apart
            for _ in range(size):
                v = load(work, at)
                a = fma(spread(work, w), v, a)
                b = fma(spread(work, w + 1), v, b)
                c = fma(spread(work, w + 2), v, c)
                d = fma(spread(work, w + 3), v, d)
                e = fma(spread(work, w + 4), v, e)
                f = fma(spread(work, w + 5), v, f)
                w += 6
                at += GROUP
        store(work, out, a)
        store(work, out + GROUP, b)
        store(work, out + 2 * GROUP, c)
        store(work, out + 3 * GROUP, d)
        store(work, out + 4 * GROUP, e)
        store(work, out + 5 * GROUP, f)
        out += 6 * GROUP


@part
def three_by_four(work: Any, gradient: Any, layer: Any, t: int, kept: int) -> None:
    """Add the weights' gradient of the `kept` steps from `t` on, 3 rows by 4 columns at a time.

    `gates_gradient` holds these steps backwards, all steps of a unit together. It is read once,
    from one end to the other; what is read again and again is the smaller array, `inputs`. With all
    units of a time step together and `inputs` read once, a step took 1.05 to 1.13 times as long.
    """
    columns, rows = 4 * layer.units, layer.rows
    for j in range(0, columns, 4):
        for k in range(0, layer.used, 3):
            a0, a1, a2, a3 = zero_narrow(), zero_narrow(), zero_narrow(), zero_narrow()
            b0, b1, b2, b3 = zero_narrow(), zero_narrow(), zero_narrow(), zero_narrow()
            c0, c1, c2, c3 = zero_narrow(), zero_narrow(), zero_narrow(), zero_narrow()
            x = layer.inputs + ((t + kept - 1) * rows + k) * GROUP
            z = layer.gates_gradient + j * layer.chunk * GROUP
            for _ in range(kept):
                for lane in range(0, GROUP, LANES):
                    p = load_narrow(work, x + lane)
                    q = load_narrow(work, x + GROUP + lane)
                    r = load_narrow(work, x + 2 * GROUP + lane)
                    v = load_narrow(work, z + lane)
                    a0, b0, c0 = fma(p, v, a0), fma(q, v, b0), fma(r, v, c0)
                    v = load_narrow(work, z + GROUP + lane)
                    a1, b1, c1 = fma(p, v, a1), fma(q, v, b1), fma(r, v, c1)
                    v = load_narrow(work, z + 2 * GROUP + lane)
                    a2, b2, c2 = fma(p, v, a2), fma(q, v, b2), fma(r, v, c2)
                    v = load_narrow(work, z + 3 * GROUP + lane)
                    a3, b3, c3 = fma(p, v, a3), fma(q, v, b3), fma(r, v, c3)
                x -= rows * GROUP
                z += 4 * GROUP
            y = layer.weights + k * columns + j
            _add_totals(gradient, y, a0, a1, a2, a3)
            _add_totals(gradient, y + columns, b0, b1, b2, b3)
            _add_totals(gradient, y + 2 * columns, c0, c1, c2, c3)


@part
def _add_totals(gradient: Any, y: int, a: Any, b: Any, c: Any, d: Any) -> None:
    store(gradient, y, load_four(gradient, y) + four_totals(a, b, c, d))
