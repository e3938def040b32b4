"""Integer and bool intrinsics. Nothing here traps: divisions by zero give 0 and ``INT_MIN / -1`` wraps, as in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ....dtypes import BY_NAME, DType, float64, int32, int64, uint32
from .vector import Value, by_lane, constant, level_of, splat, type_text

if TYPE_CHECKING:
    from .emit import EmitAlgebra

Intrinsic = Callable[..., Value]


def _instruction(op: str) -> Intrinsic:
    return lambda s, *args: s.instruction(op, *args)


def _same(s: EmitAlgebra, x: Value) -> Value:
    return x


def _neg(s: EmitAlgebra, x: Value) -> Value:
    return s.instruction("sub", constant(0, x.dtype), x)


def _abs(s: EmitAlgebra, x: Value) -> Value:
    return x if x.dtype.kind == "u" else s.call("abs", x, flags="i1 false")


def _sign(s: EmitAlgebra, x: Value) -> Value:
    zero, one = constant(0, x.dtype), constant(1, x.dtype)
    positive = s.select(s.gt(x, zero), one, zero)
    return positive if x.dtype.kind == "u" else s.select(s.lt(x, zero), constant(-1, x.dtype), positive)


def _bit_not(s: EmitAlgebra, x: Value) -> Value:
    return s.instruction("xor", x, constant(-1, x.dtype))


def _minimum(s: EmitAlgebra, a: Value, b: Value) -> Value:
    return s.call("smin" if a.dtype.kind == "i" else "umin", a, b)


def _maximum(s: EmitAlgebra, a: Value, b: Value) -> Value:
    return s.call("smax" if a.dtype.kind == "i" else "umax", a, b)


def _shl(s: EmitAlgebra, a: Value, b: Value) -> Value:
    inside, count = _shift_count(s, b)
    return s.select(inside, s.instruction("shl", a, count), constant(0, a.dtype))


def _shr(s: EmitAlgebra, a: Value, b: Value) -> Value:
    inside, count = _shift_count(s, b)
    if a.dtype.kind == "u":
        return s.select(inside, s.instruction("lshr", a, count), constant(0, a.dtype))
    fill = constant(a.dtype.bits - 1, a.dtype)
    return s.instruction("ashr", a, s.select(inside, b, fill))


def _shift_count(s: EmitAlgebra, b: Value) -> tuple[Value, Value]:
    """Whether the count is one the machine can shift by, and a count that is."""
    width = b.dtype.bits
    if isinstance(b.const, int):
        inside = 0 <= b.const < width
        return constant(inside, BY_NAME["bool"]), b if inside else constant(0, b.dtype)
    inside_now = s.instruction("icmp ult", b, constant(width, b.dtype), dtype=BY_NAME["bool"])
    return inside_now, s.instruction("and", b, constant(width - 1, b.dtype))


# -- division ---------------------------------------------------------------------------------------------------


def quotient(s: EmitAlgebra, a: Value, b: Value) -> Value:
    """``a / b`` rounded towards zero; 0 where ``b`` is 0, and wrapped where it overflows."""
    zero = constant(0, a.dtype)
    if isinstance(b.const, int):
        if b.const == 0:
            return zero
        if b.const == 1:
            return a
        if b.const == -1:
            return _neg(s, a)
        return s.instruction("sdiv" if a.dtype.kind == "i" else "udiv", a, b)
    is_zero = s.eq(b, zero)
    if a.dtype.kind == "u":
        safe = s.select(is_zero, constant(1, a.dtype), b)
        return s.select(is_zero, zero, _divide(s, "udiv", a, safe))
    minus = s.eq(b, constant(-1, a.dtype))
    safe = s.select(s.either(is_zero, minus), constant(1, a.dtype), b)
    divided = _divide(s, "sdiv", a, safe)
    return s.select(is_zero, zero, s.select(minus, _neg(s, a), divided))


def _divide(s: EmitAlgebra, op: str, a: Value, b: Value) -> Value:
    """A division that is known to be defined. Vectors have no instruction for it; up to 32 bits doubles give the
    exact result."""
    if max(a.lanes, b.lanes) == 1 or a.dtype.bits > 32:
        return s.instruction(op, a, b)
    ratio = s.div(s.cast(a, float64), s.cast(b, float64))
    wide = int64 if a.dtype == uint32 else int32
    return s.cast(s.cast(ratio, wide), a.dtype)


def _floordiv(s: EmitAlgebra, a: Value, b: Value) -> Value:
    q = quotient(s, a, b)
    if a.dtype.kind == "u":
        return q
    if isinstance(b.const, int) and b.const in (0, 1, -1):
        return q
    return s.select(_rounded_up(s, a, b, q), s.sub(q, constant(1, a.dtype)), q)


def _mod(s: EmitAlgebra, a: Value, b: Value) -> Value:
    """The remainder with the divisor's sign; 0 where ``b`` is 0."""
    zero = constant(0, a.dtype)
    if isinstance(b.const, int) and b.const in (0, 1, -1):
        return zero
    q = quotient(s, a, b)
    rest = s.sub(a, s.mul(q, b))
    rest = rest if isinstance(b.const, int) else s.select(s.eq(b, zero), zero, rest)
    if a.dtype.kind == "u":
        return rest
    return s.select(_rounded_up(s, a, b, q), s.add(rest, b), rest)


def _rounded_up(s: EmitAlgebra, a: Value, b: Value, q: Value) -> Value:
    """Whether the quotient rounded towards zero lies above the exact one."""
    zero = constant(0, a.dtype)
    differ = s.lt(s.instruction("xor", a, b), zero)
    inexact = s.ne(s.mul(q, b), a)
    wrong = s.both(differ, inexact)
    return wrong if isinstance(b.const, int) else s.both(wrong, s.ne(b, zero))


# -- the rest ---------------------------------------------------------------------------------------------------


def _pow(s: EmitAlgebra, a: Value, b: Value) -> Value:
    """Powers by repeated squaring, lane by lane; a negative exponent gives the power rounded towards zero."""
    name = f"sg_pow_{a.dtype.short}"
    kind = type_text(a.dtype)
    s.w.module.declare(name, _signed_power(name, kind) if a.dtype.kind == "i" else _unsigned_power(name, kind))
    return by_lane(s.w, name, a, b)


def _unsigned_power(name: str, t: str) -> str:
    return f"""define internal {t} @{name}({t} %x, {t} %n) #0 {{
entry:
  br label %loop
loop:
  %b = phi {t} [ %x, %entry ], [ %b2, %loop ]
  %e = phi {t} [ %n, %entry ], [ %e2, %loop ]
  %r = phi {t} [ 1, %entry ], [ %r2, %loop ]
  %bit = trunc {t} %e to i1
  %rb = mul {t} %r, %b
  %r2 = select i1 %bit, {t} %rb, {t} %r
  %b2 = mul {t} %b, %b
  %e2 = lshr {t} %e, 1
  %end = icmp eq {t} %e2, 0
  br i1 %end, label %out, label %loop
out:
  ret {t} %r2
}}"""


def _signed_power(name: str, t: str) -> str:
    return _unsigned_power(name + "_u", t) + f"""
define internal {t} @{name}({t} %x, {t} %n) #0 {{
entry:
  %negative = icmp slt {t} %n, 0
  br i1 %negative, label %small, label %usual
usual:
  %p = call {t} @{name}_u({t} %x, {t} %n)
  ret {t} %p
small:
  %one = icmp eq {t} %x, 1
  %minus = icmp eq {t} %x, -1
  %odd = trunc {t} %n to i1
  %sign = select i1 %odd, {t} -1, {t} 1
  %s1 = select i1 %minus, {t} %sign, {t} 0
  %s2 = select i1 %one, {t} 1, {t} %s1
  ret {t} %s2
}}"""


def _fma(s: EmitAlgebra, a: Value, b: Value, c: Value) -> Value:
    return s.add(s.mul(a, b), c)


def _mulhi(s: EmitAlgebra, a: Value, b: Value) -> Value:
    if a.dtype.bits == 64 and max(a.lanes, b.lanes) > 1:
        return _mulhi_halves(s, a, b)
    lanes = max(a.lanes, b.lanes)
    x, y = splat(s.w, a, lanes), splat(s.w, b, lanes)
    level = level_of((x, y))
    scalar = f"i{2 * a.dtype.bits}"
    wide = scalar if lanes == 1 else f"<{lanes} x {scalar}>"
    shift = str(a.dtype.bits) if lanes == 1 else f"splat ({scalar} {a.dtype.bits})"
    p = s.w.pure(f"zext {x.type} {x.text} to {wide}", level)
    q = s.w.pure(f"zext {y.type} {y.text} to {wide}", level)
    product = s.w.pure(f"mul {wide} {p}, {q}", level)
    upper = s.w.pure(f"lshr {wide} {product}, {shift}", level)
    return Value(s.w.pure(f"trunc {wide} {upper} to {x.type}", level), a.dtype, lanes, level)


def _mulhi_halves(s: EmitAlgebra, a: Value, b: Value) -> Value:
    low, half = constant(0xFFFFFFFF, a.dtype), constant(32, a.dtype)

    def split(x: Value) -> tuple[Value, Value]:
        return s.instruction("lshr", x, half), s.instruction("and", x, low)

    (a1, a0), (b1, b0) = split(a), split(b)
    middle = s.add(s.mul(a1, b0), s.instruction("lshr", s.mul(a0, b0), half))
    carry, rest = split(middle)
    second = s.add(rest, s.mul(a0, b1))
    return s.add(s.add(s.mul(a1, b1), carry), s.instruction("lshr", second, half))


INTRINSICS: dict[str, Intrinsic] = {
    "neg": _neg, "abs": _abs, "sign": _sign, "floor": _same, "ceil": _same, "trunc": _same, "rint": _same,
    "bit_not": _bit_not,
    "add": _instruction("add"), "sub": _instruction("sub"), "mul": _instruction("mul"), "div": quotient,
    "floordiv": _floordiv, "mod": _mod, "minimum": _minimum, "maximum": _maximum, "pow": _pow,
    "bit_and": _instruction("and"), "bit_or": _instruction("or"), "bit_xor": _instruction("xor"),
    "shl": _shl, "shr": _shr,
    "fma": _fma, "mulhi": _mulhi,
}  # fmt: skip


def _not(s: EmitAlgebra, x: Value) -> Value:
    return s.invert(x)


_AND, _OR = _instruction("and"), _instruction("or")

#: Bools add like ``or`` and multiply like ``and``, as NumPy's do.
BOOLEAN: dict[str, Intrinsic] = {
    "add": _OR, "mul": _AND, "maximum": _OR, "minimum": _AND, "bit_or": _OR, "bit_and": _AND,
    "bit_xor": _instruction("xor"),
    "sub": _instruction("xor"), "bit_not": _not, "abs": _same, "sign": _same, "floor": _same,
    "ceil": _same, "trunc": _same, "rint": _same,
}  # fmt: skip


def signed(dtype: DType) -> DType:
    """The signed integer dtype of a width."""
    return BY_NAME[f"int{dtype.bits}"]
