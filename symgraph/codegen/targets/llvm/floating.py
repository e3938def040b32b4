"""Floating point intrinsics that are instructions, or a few of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from ....dtypes import BY_NAME, DType, bool_, float32
from .vector import Value, constant

if TYPE_CHECKING:
    from .emit import EmitAlgebra

Intrinsic = Callable[..., Value]


def _instruction(op: str) -> Intrinsic:
    return lambda s, *args: s.instruction(op, *args)


def _call(name: str) -> Intrinsic:
    return lambda s, *args: s.call(name, *args)


def _sign(s: EmitAlgebra, x: Value) -> Value:
    """-1, 0 or 1; NaN stays, and -0.0 gives 0.0."""
    zero, one = constant(0.0, x.dtype), constant(1.0, x.dtype)
    signed = s.select(s.lt(x, zero), constant(-1.0, x.dtype), s.select(s.gt(x, zero), one, zero))
    return s.select(_isnan(s, x), x, signed)


def _minimum(s: EmitAlgebra, a: Value, b: Value) -> Value:
    # The inner select is one minps: it gives b where an operand is NaN.
    return s.select(_isnan(s, a), a, s.select(s.lt(a, b), a, b))


def _maximum(s: EmitAlgebra, a: Value, b: Value) -> Value:
    return s.select(_isnan(s, a), a, s.select(s.gt(a, b), a, b))


def _isnan(s: EmitAlgebra, x: Value) -> Value:
    return s.instruction("fcmp uno", x, x, dtype=bool_)


def _isinf(s: EmitAlgebra, x: Value) -> Value:
    return s.eq(s.call("fabs", x), constant(math.inf, x.dtype))


def _isfinite(s: EmitAlgebra, x: Value) -> Value:
    return s.lt(s.call("fabs", x), constant(math.inf, x.dtype))


def _fma(s: EmitAlgebra, a: Value, b: Value, c: Value) -> Value:
    return s.call("fma", a, b, c) if s.cpu.has_fma else s.add(s.mul(a, b), c)


# -- floor division, as NumPy defines it ------------------------------------------------------------------------


def _mod(s: EmitAlgebra, a: Value, b: Value) -> Value:
    """The remainder with the divisor's sign (a zero remainder too); NaN where ``b`` is 0."""
    zero = constant(0.0, a.dtype)
    rest = s.instruction("frem", a, b)
    wrong = s.instruction("xor", s.lt(b, zero), s.lt(rest, zero))
    fixed = s.select(wrong, s.add(rest, b), rest)
    return s.select(s.eq(rest, zero), s.call("copysign", zero, b), fixed)


def _floordiv(s: EmitAlgebra, a: Value, b: Value) -> Value:
    """``floor(a / b)`` from the exact remainder; the plain quotient where ``b`` is 0."""
    zero, one = constant(0.0, a.dtype), constant(1.0, a.dtype)
    ratio = s.div(a, b)
    rest = s.instruction("frem", a, b)
    whole = s.div(s.sub(a, rest), b)
    wrong = s.both(s.ne(rest, zero), s.instruction("xor", s.lt(b, zero), s.lt(rest, zero)))
    whole = s.select(wrong, s.sub(whole, one), whole)
    down = s.intrinsic("floor", whole)
    down = s.select(s.gt(s.sub(whole, down), constant(0.5, a.dtype)), s.add(down, one), down)
    down = s.select(s.ne(whole, zero), down, s.call("copysign", zero, ratio))
    return s.select(s.eq(b, zero), ratio, down)


# -- rounding ---------------------------------------------------------------------------------------------------


def _rounding(name: str, without: Callable[[EmitAlgebra, Value], Value]) -> Intrinsic:
    """The rounding instruction where the machine has one, else ``without``."""

    def emit(s: EmitAlgebra, x: Value) -> Value:
        if s.cpu.arch == "x86_64" and not s.cpu.has("sse4.1"):
            return without(s, x)
        return s.call(name, x)

    return emit


def _rint_by_adding(s: EmitAlgebra, x: Value) -> Value:
    """Adding and subtracting the number whose last bit is 1 rounds to an integer; large numbers are integers already."""
    big = constant(2.0**23 if x.dtype == float32 else 2.0**52, x.dtype)
    size = s.call("fabs", x)
    near = s.sub(s.add(size, big), big)
    return s.select(s.lt(size, big), s.call("copysign", near, x), x)


def _floor_by_rint(s: EmitAlgebra, x: Value) -> Value:
    near = _rint_by_adding(s, x)
    down = s.select(s.gt(near, x), s.sub(near, constant(1.0, x.dtype)), near)
    return s.call("copysign", down, x)


def _ceil_by_rint(s: EmitAlgebra, x: Value) -> Value:
    near = _rint_by_adding(s, x)
    up = s.select(s.lt(near, x), s.add(near, constant(1.0, x.dtype)), near)
    return s.call("copysign", up, x)


def _trunc_by_rint(s: EmitAlgebra, x: Value) -> Value:
    return s.call("copysign", _floor_by_rint(s, s.call("fabs", x)), x)


INTRINSICS: dict[str, Intrinsic] = {
    "neg": _instruction("fneg"), "abs": _call("fabs"), "sign": _sign, "sqrt": _call("sqrt"),
    "rint": _rounding("roundeven", _rint_by_adding), "floor": _rounding("floor", _floor_by_rint),
    "ceil": _rounding("ceil", _ceil_by_rint), "trunc": _rounding("trunc", _trunc_by_rint),
    "add": _instruction("fadd"), "sub": _instruction("fsub"), "mul": _instruction("fmul"), "div": _instruction("fdiv"),
    "floordiv": _floordiv, "mod": _mod, "minimum": _minimum, "maximum": _maximum, "copysign": _call("copysign"),
    "isnan": _isnan, "isinf": _isinf, "isfinite": _isfinite, "fma": _fma,
}  # fmt: skip


def bits_dtype(dtype: DType) -> DType:
    """The unsigned integer dtype of a float's width."""
    return BY_NAME[f"uint{dtype.bits}"]
