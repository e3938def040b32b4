"""Terms and factors that meet again: cancelled, or gathered where they are constants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..emitter import Emitter
from ..graph import Value
from ..op import Op
from ..ops.arithmetic import Add, Div, Mul, Pow, Sub
from ..ops.bfloat import FromBfloat16, RoundBfloat16, ToBfloat16
from ..pattern import CONSTANTS, is_number, operands_of, scalar_of
from .rule import Sketch, rule


@rule(Sub, exact=True, example=lambda s: s.sub(*[s.input("i32[N]")] * 2))
def subtract_integer_from_itself(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x - x = 0 for integers; NaN and infinities forbid it for floats."""
    a, b = operands
    return e.full(a.shape, 0, a.dtype) if a is b and a.dtype.is_integer else None


@rule(Add, Sub, exact=True, sees=(Add, Sub), example=lambda s: _there_and_back(s, s.input("i32[N]"), s.input("i32[N]")))
def cancel_integer_terms(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """(a + b) - b = (a - b) + b = a; a - (a - b) = b; (a - b) - a = -b. Integers wrap; floats would round."""
    a, b = operands
    if not a.dtype.is_integer:
        return None
    if isinstance(op, Add):
        for x, y in (operands, operands[::-1]):
            pair = operands_of(x, Sub)
            if pair and pair[1] is y:
                return pair[0]
        return None
    pair = operands_of(a, Add)
    if pair and b in pair:
        return pair[1] if pair[0] is b else pair[0]
    pair = operands_of(b, Sub)
    if pair and pair[0] is a:
        return pair[1]
    pair = operands_of(a, Sub)
    return e.neg(pair[1]) if pair and pair[0] is b else None


def _there_and_back(s: Sketch, a: Value, b: Value) -> Value:
    return s.sub(s.add(a, b), b)


@rule(
    FromBfloat16, ToBfloat16, RoundBfloat16, exact=True, sees=(FromBfloat16, ToBfloat16, RoundBfloat16),
    example=lambda s: s.apply(FromBfloat16(), s.apply(ToBfloat16(), s.input("f32[N]"))),
)  # fmt: skip
def round_to_bfloat16_once(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """Bits of a number that are read at once only round it; what is rounded already stays."""
    (x,) = operands
    if isinstance(op, FromBfloat16):
        return e.apply(RoundBfloat16(), x.node.inputs[0]) if isinstance(x.op, ToBfloat16) else None
    if isinstance(op, RoundBfloat16):
        return x
    return e.apply(op, x.node.inputs[0]) if isinstance(x.op, RoundBfloat16) else None


@rule(Sub, exact=False, example=lambda s: s.sub(*[s.input("f32[N]")] * 2))
def subtract_from_itself(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x - x = 0: only NaN and infinities give NaN otherwise."""
    a, b = operands
    return e.full(a.shape, 0, a.dtype) if a is b else None


@rule(Div, exact=False, example=lambda s: s.div(*[s.input("f32[N]", 0.5, 3)] * 2))
def divide_by_itself(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x / x = 1: only 0, NaN and infinities give NaN otherwise."""
    a, b = operands
    return e.full(a.shape, 1, a.dtype) if a is b else None


@rule(Div, exact=False, sees=(Mul,), example=lambda s: _common(s, *(s.input("f32[N]", 0.5, 3) for _ in range(3))))
def cancel_common_factor(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """(a * b) / b = a and (a * c) / (b * c) = a / b: two roundings less, and no NaN from c = 0."""
    top, bottom = operands
    above, below = operands_of(top, Mul), operands_of(bottom, Mul)
    if above and bottom in above:
        return _other(above, bottom)
    if below and top in below:
        rest = _other(below, top)
        return e.div(e.full(rest.shape, 1, rest.dtype), rest)
    common = next((v for v in above if v in below and scalar_of(v) is None), None) if below else None
    return None if common is None else e.div(_other(above, common), _other(below, common))


def _other(pair: Sequence[Value], one: Value) -> Value:
    return pair[1] if pair[0] is one else pair[0]


def _common(s: Sketch, a: Value, b: Value, c: Value) -> Value:
    return s.div(s.mul(a, c), s.mul(b, c))


@rule(
    Div,
    exact=False,
    sees=(Div,),
    example=lambda s: s.div(s.input("f32[N]"), s.div(s.input("f32[N]"), s.input("f32[N]", 0.5, 3))),
)
def divide_by_quotient(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x / (y / z) = x * (z / y) and 1 / (y / z) = z / y: one division less. x / y / z stays as it is, for y * z could
    underflow."""
    x, quotient = operands
    pair = operands_of(quotient, Div)
    if not pair:
        return None
    return e.div(pair[1], pair[0]) if is_number(x, 1) else e.mul(x, e.div(pair[1], pair[0]))


def _normal(c: Any) -> bool:
    """True for a float that is neither 0, subnormal, infinite nor NaN."""
    limits = np.finfo(c.dtype)
    return bool(limits.tiny <= abs(c) <= limits.max)


@rule(Add, Sub, exact=True, sees=(Add, Sub), example=lambda s: s.sub(s.add(s.input("i32[N]"), 3), 5))
def gather_integer_terms(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """(x + c) + d = x + (c + d), and likewise with differences, for integers, which wrap."""
    return _gathered_terms(e, op, operands) if operands[0].dtype.is_integer else None


@rule(Add, Sub, exact=False, sees=(Add, Sub), example=lambda s: s.add(s.add(s.input("f32[N]"), 3.0), 5.0))
def gather_constant_terms(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """(x + c) + d = x + (c + d), and likewise with differences, where c and d have one sign: one rounding less. Terms
    of two signs may be there to round x."""
    return _gathered_terms(e, op, operands) if operands[0].dtype.is_float else None


def _gathered_terms(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    inner, d = operands[0], scalar_of(operands[1])
    if d is None or not isinstance(inner.op, (Add, Sub)):
        return None
    left, right = inner.node.inputs
    c, turned = scalar_of(right), scalar_of(left)
    with np.errstate(all="ignore"):
        signed = -d if isinstance(op, Sub) else d
        if c is not None:
            first = -c if isinstance(inner.op, Sub) else c
        elif turned is not None and isinstance(inner.op, Sub):
            first = turned
        else:
            return None
        both = first + signed
    if both.dtype.kind == "f" and (not np.isfinite(both) or np.signbit(first) != np.signbit(signed)):
        return None
    term = e.constant(both, inner.dtype)
    term = e.broadcast_to(term, inner.shape)
    return e.add(left, term) if c is not None else e.sub(term, right)


@rule(Mul, Div, exact=False, sees=CONSTANTS, example=lambda s: s.mul(s.div(3.0, s.input("f32[N]", 0.5, 3)), 2.0))
def gather_constants_of_quotient(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """(c / x) * d = (c*d) / x; c / (x * d) = (c/d) / x: one rounding less, where the new
    constant is a normal number."""
    a, b = operands
    with np.errstate(all="ignore"):
        if isinstance(op, Mul):
            pair, d = operands_of(a, Div), scalar_of(b)
            c = scalar_of(pair[0]) if pair else None
            if c is None or d is None or not _normal(c * d):
                return None
            return e.div(e.full(a.shape, float(c * d), a.dtype), pair[1])
        c, factors = scalar_of(a), operands_of(b, Mul)
        d = scalar_of(factors[1]) if factors else None
        if c is None or d is None or not _normal(c / d):
            return None
        return e.div(e.full(a.shape, float(c / d), a.dtype), factors[0])


@rule(
    Mul, exact=False, sees=(Mul,), example=lambda s: s.mul(s.mul(s.input("f32[N]"), 3.0), s.mul(s.input("f32[N]"), 7.0))
)
def gather_factors_of_products(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """(x * c) * (y * d) = (x * y) * (c*d), where c*d is a normal number: one rounding and one product less."""
    left, right = (operands_of(v, Mul) for v in operands)
    c, d = (scalar_of(pair[1]) if pair else None for pair in (left, right))
    if c is None or d is None or c.dtype.kind != "f":
        return None
    with np.errstate(all="ignore"):
        both = c * d
    return e.mul(e.mul(left[0], right[0]), e.full(left[0].shape, float(both), left[0].dtype)) if _normal(both) else None


@rule(Pow, exact=True, example=lambda s: s.pow(s.full((4,), 1.0, s.input("f32[4]").dtype), s.arguments[0]))
def power_of_base_one(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """1 ** x = 1, for NaN too (IEEE 754)."""
    return operands[0] if is_number(operands[0], 1) else None


EXACT = (
    subtract_integer_from_itself, cancel_integer_terms, gather_integer_terms, power_of_base_one, round_to_bfloat16_once,
)  # fmt: skip
INEXACT = (
    subtract_from_itself, divide_by_itself, cancel_common_factor, divide_by_quotient, gather_constant_terms,
    gather_constants_of_quotient, gather_factors_of_products,
)  # fmt: skip
