"""SIMD vectors as values of compiled code: the one file that uses numba's semi-public parts.

numba compiles loops over arrays but leaves it to LLVM whether they become vector instructions, and
for the loops of an LSTM it mostly does not. Here a vector is a type of its own, which becomes
LLVM's `<n x float>`; LLVM turns that into whatever the processor has (AVX-512, AVX2, SSE, NEON).

`numba.extending` is documented; the code that each function emits, by llvmlite, is not promised to
stay as it is. So numba's version is pinned, and a check against Keras stands before the first use
(`models/kernel_check.py`).
"""

import functools
import operator
import platform
from collections.abc import Callable
from typing import Any

import numba as nb
from llvmlite import ir
from numba.core import cgutils
from numba.core.codegen import get_host_cpu_features
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, models, register_model

_X86 = platform.machine().lower() in ("x86_64", "amd64", "i386", "i686")
# LANES: numbers in one register. GROUP: windows computed at once, two registers or more, so that
# each weight that is loaded is used more than once. TALL: there are 32 registers, not 16.
if _X86 and "+avx512f" in (nb.config.CPU_FEATURES or get_host_cpu_features()):
    LANES, GROUP, TALL = 16, 32, True
elif _X86:
    LANES, GROUP, TALL = 8, 16, False
else:
    LANES, GROUP, TALL = 4, 16, True
# Rows of a matrix product that are computed at once.
TILE = 4 if TALL else 6

# Values of the random bits that decide whether a number is dropped.
LEVELS = 2**16

_FLOAT, _I32 = ir.FloatType(), ir.IntType(32)
# A product and a sum may become one fused instruction; the sign of a zero may change.
_FUSED = ("contract", "nsz")
# Flush-to-zero and denormals-are-zero of x86's control register (MXCSR).
_FLUSH = 0x8040


def _intrinsic(function: Callable[..., Any]) -> Any:
    """A function of compiled code, by the code that it emits."""
    return intrinsic(function)


class Vector(nb.types.Type):  # type: ignore[misc]  # numba is untyped
    """numba's type of a vector of `lanes` float32."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(name=f"Vector({lanes})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, ir.VectorType(_FLOAT, fe_type.lanes))


WIDE, NARROW = Vector(GROUP), Vector(LANES)


# Memory


def _element(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [index])


def _loader(vector: Vector) -> Any:
    @_intrinsic
    def load_vector(typing: Any, array: Any, index: Any) -> Any:
        def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            at = _element(context, builder, sig.args[0], *args)
            kind = ir.VectorType(_FLOAT, vector.lanes)
            return builder.load(builder.bitcast(at, kind.as_pointer()), align=4)

        return vector(array, nb.types.intp), emit

    return load_vector


# Of (array, index): GROUP, LANES and 4 numbers of a flat float32 array from `index` on.
load, load_narrow, load_four = _loader(WIDE), _loader(NARROW), _loader(Vector(4))


@_intrinsic
def store(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Write all lanes of `value` to a flat float32 array from `index` on."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        at = _element(context, builder, sig.args[0], *args[:2])
        builder.store(args[2], builder.bitcast(at, args[2].type.as_pointer()), align=4)
        return context.get_dummy_value()

    return nb.types.void(array, nb.types.intp, value), emit


# Constants


def _all_lanes(builder: Any, scalar: Any, lanes: int) -> Any:
    kind = ir.VectorType(scalar.type, lanes)
    nothing = ir.Constant(kind, ir.Undefined)
    one = builder.insert_element(nothing, scalar, ir.Constant(_I32, 0))
    return builder.shuffle_vector(one, nothing, _whole(0, lanes))


def _whole(value: int, lanes: int) -> Any:
    return ir.Constant(ir.VectorType(_I32, lanes), [value] * lanes)


def _real(value: float, lanes: int) -> Any:
    return ir.Constant(ir.VectorType(_FLOAT, lanes), [value] * lanes)


@_intrinsic
def spread(typing: Any, array: Any, index: Any) -> Any:
    """The array's number at `index` in every lane."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        at = _element(context, builder, sig.args[0], *args)
        return _all_lanes(builder, builder.load(at, align=4), GROUP)

    return WIDE(array, nb.types.intp), emit


@_intrinsic
def splat(typing: Any, value: Any) -> Any:
    """A number, rounded to float32, in every lane."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        scalar = context.cast(builder, args[0], sig.args[0], nb.types.float32)
        return _all_lanes(builder, scalar, GROUP)

    return WIDE(value), emit


def _zero_maker(vector: Vector) -> Any:
    @_intrinsic
    def zero_vector(typing: Any) -> Any:
        return vector(), lambda context, builder, sig, args: _real(0.0, vector.lanes)

    return zero_vector


zero, zero_narrow = _zero_maker(WIDE), _zero_maker(NARROW)


# Arithmetic


def _arithmetic(operation: Any, name: str) -> None:
    class _BothVectors(AbstractTemplate):  # type: ignore[misc]
        def generic(self, args: Any, kws: Any) -> Any:
            if len(args) == 2 and isinstance(args[0], Vector) and args[0] == args[1]:
                return signature(args[0], *args)
            return None

    infer_global(operation)(_BothVectors)

    @lower_builtin(operation, Vector, Vector)  # type: ignore[untyped-decorator]
    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return getattr(builder, name)(*args, flags=_FUSED)


_arithmetic(operator.add, "fadd")
_arithmetic(operator.sub, "fsub")
_arithmetic(operator.mul, "fmul")
_arithmetic(operator.truediv, "fdiv")


@_intrinsic
def fma(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """`a * b + c`, one fused instruction where the processor has it."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.fadd(builder.fmul(*args[:2], flags=_FUSED), args[2], flags=_FUSED)

    return c(a, b, c), emit


@_intrinsic
def clamp(typing: Any, value: Any, low: Any, high: Any) -> Any:
    """`value` between two vectors; NaN stays NaN."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        value, low, high = args
        value = builder.select(builder.fcmp_ordered(">", value, high), high, value)
        return builder.select(builder.fcmp_ordered("<", value, low), low, value)

    return value(value, low, high), emit


@_intrinsic
def times_power_of_two(typing: Any, value: Any, exponent: Any) -> Any:
    """`value * 2**n`, n being the whole number in the lowest nine bits of `exponent`."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        lanes = sig.args[0].lanes
        bits = ir.VectorType(_I32, lanes)
        value, exponent = (builder.bitcast(one, bits) for one in args)
        moved = builder.add(value, builder.shl(exponent, _whole(23, lanes)))
        return builder.bitcast(moved, args[0].type)

    return value(value, exponent), emit


def _add_shuffled(builder: Any, left: Any, right: Any, *orders: list[int]) -> Any:
    """The sum of two choices of the lanes of two vectors."""
    kinds = [ir.VectorType(_I32, len(order)) for order in orders]
    chosen = [ir.Constant(*one) for one in zip(kinds, orders, strict=True)]
    return builder.fadd(*(builder.shuffle_vector(left, right, one) for one in chosen))


@_intrinsic
def total(typing: Any, value: Any) -> Any:
    """The sum of the lanes, float32."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        value, lanes = args[0], sig.args[0].lanes
        while lanes > 1:
            lanes //= 2
            halves = (list(range(at, at + lanes)) for at in (0, lanes))
            value = _add_shuffled(builder, value, ir.Constant(value.type, ir.Undefined), *halves)
        return builder.extract_element(value, ir.Constant(_I32, 0))

    return nb.types.float32(value), emit


@_intrinsic
def four_totals(typing: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """The sums of the lanes of four vectors of eight lanes, as a vector of four.

    A third of the instructions of four times `total`.
    """

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        add, (a, b, c, d) = functools.partial(_add_shuffled, builder), args
        # In each half of a register: a b a b, c d c d, then a b c d.
        ab = add(a, b, [0, 8, 1, 9, 4, 12, 5, 13], [2, 10, 3, 11, 6, 14, 7, 15])
        cd = add(c, d, [0, 8, 1, 9, 4, 12, 5, 13], [2, 10, 3, 11, 6, 14, 7, 15])
        abcd = add(ab, cd, [0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15])
        return add(abcd, abcd, [0, 1, 2, 3], [4, 5, 6, 7])

    return Vector(4)(a, b, c, d), emit


# Dropout


@_intrinsic
def dropped(typing: Any, value: Any, place: Any, key: Any, threshold: Any, scale: Any) -> Any:
    """Minus zero in lanes whose 16 random bits are below `threshold`; the others times `scale`.

    The bits are a hash of lane, `place` and `key` (uint32 each): the multiply-and-shift rounds of
    C. Wellons' "lowbias32", https://nullprogram.com/blog/2018/07/31/, with the key added between
    them. One hash of 32 bits serves two lanes: drawing random numbers costs as much as an LSTM's
    gates. A lane that is kept is never minus zero, so what was dropped can be told from a zero.
    """

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        value, place, key, threshold, scale = args
        half = GROUP // 2
        lanes = [(lane * 0x9E3779B9) & 0xFFFFFFFF for lane in range(1, half + 1)]
        x = builder.add(
            _all_lanes(builder, place, half), ir.Constant(ir.VectorType(_I32, half), lanes)
        )
        x = _round(builder, x, 16, 0x7FEB352D, half)
        x = builder.add(x, _all_lanes(builder, key, half))
        x = _round(builder, x, 15, 0x846CA68B, half)
        x = builder.xor(x, builder.lshr(x, _whole(16, half)))
        low, high = builder.and_(x, _whole(0xFFFF, half)), builder.lshr(x, _whole(16, half))
        order = ir.Constant(ir.VectorType(_I32, GROUP), list(range(GROUP)))
        bits = builder.shuffle_vector(low, high, order)
        keep = builder.icmp_unsigned(">=", bits, _all_lanes(builder, threshold, GROUP))
        scaled = builder.fmul(value, _all_lanes(builder, scale, GROUP))
        kept = builder.fadd(scaled, _real(0.0, GROUP))  # minus zero becomes zero
        return builder.select(keep, kept, _real(-0.0, GROUP))

    u32 = nb.types.uint32
    return WIDE(WIDE, u32, u32, u32, nb.types.float32), emit


def _round(builder: Any, x: Any, shift: int, factor: int, lanes: int) -> Any:
    return builder.mul(builder.xor(x, builder.lshr(x, _whole(shift, lanes))), _whole(factor, lanes))


@_intrinsic
def where_kept(typing: Any, output: Any, value: Any) -> Any:
    """`value` in the lanes that `dropped` kept when it gave `output`, zero in the others."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], ir.VectorType(_I32, GROUP))
        keep = builder.icmp_unsigned("!=", bits, _whole(0x80000000, GROUP))
        return builder.select(keep, args[1], _real(0.0, GROUP))

    return WIDE(WIDE, WIDE), emit


# The processor's mode


def _mode_register(builder: Any, slot: Any, instruction: str) -> None:
    byte = ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte])
    call = cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.sse.{instruction}")
    builder.call(call, [builder.bitcast(slot, byte)])


@_intrinsic
def flush_denormals(typing: Any) -> Any:
    """Take numbers below 1e-38 for zero in this thread; return the mode before.

    Arithmetic on them takes a hundred times as long; TensorFlow flushes them, too. Elsewhere than
    on x86 nothing is done.
    """

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        if not _X86:
            return ir.Constant(_I32, 0)
        slot = cgutils.alloca_once(builder, _I32)
        _mode_register(builder, slot, "stmxcsr")
        before = builder.load(slot)
        builder.store(builder.or_(before, ir.Constant(_I32, _FLUSH)), slot)
        _mode_register(builder, slot, "ldmxcsr")
        return before

    return nb.types.int32(), emit


@_intrinsic
def restore_mode(typing: Any, before: Any) -> Any:
    """Set the mode that `flush_denormals` returned."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        if _X86:
            slot = cgutils.alloca_once(builder, _I32)
            builder.store(args[0], slot)
            _mode_register(builder, slot, "ldmxcsr")
        return context.get_dummy_value()

    return nb.types.void(nb.types.int32), emit
