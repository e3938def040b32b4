"""Floating point intrinsics that are instructions, or a few of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from ....dtypes import bool_, float32, float64
from .vector import Value, by_lane, constant

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


def _remainder(s: EmitAlgebra, a: Value, b: Value) -> Value:
    """The exact remainder with the dividend's sign, C's ``fmod``, lane by lane; that of float32 is exact in float64
    too.

    It is a function of ours, so that generated code calls nothing outside of itself.
    """
    if a.dtype != float64:
        return s.cast(_remainder(s, s.cast(a, float64), s.cast(b, float64)), a.dtype)
    for name in ("llvm.umax.i64", "llvm.umin.i64"):
        s.w.module.declare(name, f"declare i64 @{name}(i64, i64)")
    s.w.module.declare("sg_fmod", _FMOD)
    return by_lane(s.w, "sg_fmod", a, b)


_FMOD = """define internal double @sg_fmod(double %a, double %b) #0 {
entry:
  %ia = bitcast double %a to i64
  %ib = bitcast double %b to i64
  %xa = and i64 %ia, 9223372036854775807
  %xb = and i64 %ib, 9223372036854775807
  %zero = icmp eq i64 %xb, 0
  %nan = icmp ugt i64 %xb, 9218868437227405312
  %infinite = icmp uge i64 %xa, 9218868437227405312
  %bad1 = or i1 %zero, %nan
  %bad = or i1 %bad1, %infinite
  br i1 %bad, label %undefined, label %finite
undefined:
  %product = fmul double %a, %b
  %none = fdiv double %product, %product
  ret double %none
finite:
  %less = icmp ult i64 %xa, %xb
  br i1 %less, label %same, label %divide
same:
  ret double %a
divide:
  %fa = lshr i64 %xa, 52
  %fb = lshr i64 %xb, 52
  %ea = call i64 @llvm.umax.i64(i64 %fa, i64 1)
  %eb = call i64 @llvm.umax.i64(i64 %fb, i64 1)
  %ma0 = and i64 %xa, 4503599627370495
  %mb0 = and i64 %xb, 4503599627370495
  %na = icmp ne i64 %fa, 0
  %nb = icmp ne i64 %fb, 0
  %ta = select i1 %na, i64 4503599627370496, i64 0
  %tb = select i1 %nb, i64 4503599627370496, i64 0
  %ma = or i64 %ma0, %ta
  %mb = or i64 %mb0, %tb
  %r0 = urem i64 %ma, %mb
  %d0 = sub i64 %ea, %eb
  br label %head
head:
  %r = phi i64 [ %r0, %divide ], [ %r1, %shift ]
  %d = phi i64 [ %d0, %divide ], [ %d1, %shift ]
  %more = icmp sgt i64 %d, 0
  br i1 %more, label %shift, label %done
shift:
  %step = call i64 @llvm.umin.i64(i64 %d, i64 11)
  %up = shl i64 %r, %step
  %r1 = urem i64 %up, %mb
  %d1 = sub i64 %d, %step
  br label %head
done:
  %tiny = icmp ult i64 %eb, 53
  %low = sub i64 %eb, 1
  %lowbits = shl i64 1, %low
  %high = sub i64 %eb, 52
  %highbits = shl i64 %high, 52
  %bits = select i1 %tiny, i64 %lowbits, i64 %highbits
  %unit = bitcast i64 %bits to double
  %whole = uitofp i64 %r to double
  %size = fmul double %whole, %unit
  %is = bitcast double %size to i64
  %sign = and i64 %ia, -9223372036854775808
  %both = or i64 %is, %sign
  %result = bitcast i64 %both to double
  ret double %result
}"""


def _mod(s: EmitAlgebra, a: Value, b: Value) -> Value:
    """The remainder with the divisor's sign (a zero remainder too); NaN where ``b`` is 0."""
    zero = constant(0.0, a.dtype)
    rest = _remainder(s, a, b)
    wrong = s.instruction("xor", s.lt(b, zero), s.lt(rest, zero))
    fixed = s.select(wrong, s.add(rest, b), rest)
    return s.select(s.eq(rest, zero), s.call("copysign", zero, b), fixed)


def _floordiv(s: EmitAlgebra, a: Value, b: Value) -> Value:
    """``floor(a / b)`` from the exact remainder; the plain quotient where ``b`` is 0."""
    zero, one = constant(0.0, a.dtype), constant(1.0, a.dtype)
    ratio = s.div(a, b)
    rest = _remainder(s, a, b)
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
    """Adding and subtracting the number whose last bit is 1 rounds to an integer; large numbers are integers
    already."""
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
