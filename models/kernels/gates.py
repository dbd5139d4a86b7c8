"""The functions of an LSTM's gates on vectors: five exponentials and two divisions a unit."""

from typing import Any

from models.kernels.compiling import part
from models.kernels.vectors import clamp, fma, splat, times_power_of_two

_LOG2_E = 1.4426950408889634
# Adding it rounds a small float32 to a whole number, which then stands in its lowest bits.
_ROUNDING = 12582912.0
# A sigmoid beyond is 0 or 1 to nine digits, and products of two denominators stay finite.
_LARGEST_EXPONENT = 30.0
# 2**r on [-0.5, 0.5], highest power first: minimax of degree 5, relative error 7.5e-8.
_E5, _E4, _E3 = 0.0013276481716, 0.0096755463324, 0.055507132897
_E2, _E1, _E0 = 0.24022119633, 0.69314696703, 1.0000000717
# tanh as an odd over an even polynomial: the approximation that Eigen and so TensorFlow uses
# (Eigen/src/Core/MathFunctionsImpl.h), good to a few units in the last place.
_TANH_BOUND = 7.90531110763549805
_P13, _P11, _P9 = -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11
_P7, _P5, _P3 = 5.12229709037114e-08, 1.48572235717979e-05, 6.37261928875436e-04
_P1 = 4.89352455891786e-03
_Q6, _Q4 = 1.19825839466702e-06, 1.18534705686654e-04
_Q2, _Q0 = 2.26843463243900e-03, 4.89352518554385e-03


@part
def _sigmoid_denominator(x: Any) -> Any:
    """`1 + exp(-x)`."""
    power = x * splat(-_LOG2_E)
    power = clamp(power, splat(-_LARGEST_EXPONENT), splat(_LARGEST_EXPONENT))
    whole = power + splat(_ROUNDING)
    rest = power - (whole - splat(_ROUNDING))
    p = fma(splat(_E5), rest, splat(_E4))
    p = fma(p, rest, splat(_E3))
    p = fma(p, rest, splat(_E2))
    p = fma(p, rest, splat(_E1))
    p = fma(p, rest, splat(_E0))
    return times_power_of_two(p, whole) + splat(1.0)


@part
def _tanh_fraction(x: Any) -> Any:
    """Numerator and denominator of `tanh(x)`."""
    x = clamp(x, splat(-_TANH_BOUND), splat(_TANH_BOUND))
    s = x * x
    p = fma(splat(_P13), s, splat(_P11))
    p = fma(p, s, splat(_P9))
    p = fma(p, s, splat(_P7))
    p = fma(p, s, splat(_P5))
    p = fma(p, s, splat(_P3))
    p = fma(p, s, splat(_P1))
    q = fma(splat(_Q6), s, splat(_Q4))
    q = fma(q, s, splat(_Q2))
    q = fma(q, s, splat(_Q0))
    return x * p, q


@part
def lstm_cell(i: Any, f: Any, g: Any, o: Any, cell: Any) -> Any:
    """One step of one unit in `GROUP` windows.

    Hochreiter & Schmidhuber (1997), with the forget gate of Gers et al. (2000).

    A division takes as long as some ten products, so the four gates share one: `1 / (a b c d)`
    times the other three.

    Args:
        i: input gate before its sigmoid.
        f: forget gate before its sigmoid.
        g: candidate before its tanh.
        o: output gate before its sigmoid.
        cell: cell state before the step.

    Returns:
        i, f, g and o after their functions, the new cell state, its tanh, and the output.
    """
    i_below, f_below, o_below = (
        _sigmoid_denominator(i),
        _sigmoid_denominator(f),
        _sigmoid_denominator(o),
    )
    g_above, g_below = _tanh_fraction(g)
    left, right = i_below * f_below, o_below * g_below
    inverse = splat(1.0) / (left * right)
    of_left, of_right = inverse * right, inverse * left
    i, f = of_left * f_below, of_left * i_below
    o, g = of_right * g_below, of_right * o_below * g_above
    cell = fma(f, cell, i * g)
    above, below = _tanh_fraction(cell)
    tanh_cell = above / below
    return i, f, g, o, cell, tanh_cell, o * tanh_cell


@part
def lstm_output(o: Any, cell: Any) -> Any:
    """The last two of `lstm_cell`, from its output gate and new cell state."""
    above, below = _tanh_fraction(cell)
    tanh_cell = above / below
    return tanh_cell, o * tanh_cell
