"""Arithmetic with known operands. Exact rules first: x*0 and x+0.0 are not among them, for NaN, infinities and -0.0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..emitter import Emitter
from ..graph import Value
from ..op import Op
from ..ops.arithmetic import Abs, Add, Div, Maximum, Minimum, Mul, Neg, Pow, Sub
from ..ops.elementary import Sqrt
from ..ops.views import Broadcast
from ..pattern import CONSTANTS, is_number, operand_of, operands_of, scalar_of, spread_of
from .rule import Sketch, rule


@rule(Mul, exact=True, sees=CONSTANTS, example=lambda s: s.mul(s.input("f32[N]"), 1.0))
def multiply_by_one(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x * 1 = x."""
    x, y = operands
    return x if is_number(y, 1) else None


@rule(Div, exact=True, sees=CONSTANTS, example=lambda s: s.div(s.input("f32[N]"), 1.0))
def divide_by_one(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x / 1 = x."""
    x, y = operands
    return x if is_number(y, 1) else None


@rule(Mul, Div, exact=True, sees=CONSTANTS, example=lambda s: s.mul(s.input("f32[N]"), -1.0))
def multiply_by_minus_one(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x * -1 = x / -1 = -x."""
    x, y = operands
    return e.neg(x) if is_number(y, -1) else None


@rule(Sub, exact=True, sees=CONSTANTS, example=lambda s: s.sub(s.input("f32[N]"), 0.0))
def subtract_zero(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x - 0 = x, also for x = -0.0 (where x - -0.0 is not)."""
    x, y = operands
    return x if is_number(y, 0.0) else None


@rule(Add, exact=True, sees=CONSTANTS, example=lambda s: s.add(s.input("f32[N]"), -0.0))
def add_negative_zero(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x + -0.0 = x for floats, and x + 0 = x for integers."""
    x, y = operands
    return x if is_number(y, -0.0 if x.dtype.is_float else 0) else None


@rule(Mul, exact=True, sees=CONSTANTS, example=lambda s: s.mul(s.input("i32[N]"), 0))
def multiply_integer_by_zero(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x * 0 = 0 for integers; NaN and infinities forbid it for floats."""
    x, y = operands
    return y if x.dtype.is_integer and is_number(y, 0) else None


@rule(Maximum, Minimum, exact=True, example=lambda s: s.maximum(*[s.input("f32[N]")] * 2))
def choose_between_equals(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """max(x, x) = min(x, x) = x."""
    a, b = operands
    return a if a is b else None


@rule(Pow, exact=True, example=lambda s: s.pow(s.input("f32[N]"), 1.0))
def power_of_one(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x ** 1 = x."""
    x, y = operands
    return x if is_number(y, 1) else None


@rule(Pow, exact=True, example=lambda s: s.pow(s.input("f32[N]"), 0.0))
def power_of_zero(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x ** 0 = 1, for NaN too (IEEE 754)."""
    x, y = operands
    return e.full(x.shape, 1, x.dtype) if scalar_of(y) == 0 else None


@rule(Abs, exact=True, example=lambda s: s.abs(s.neg(s.input("f32[N]"))))
def abs_of_negation(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """abs(-x) = abs(x), but not for unsigned x; abs(abs(x)) = abs(x)."""
    (x,) = operands
    inner = operand_of(x, Neg)
    if inner is not None and x.dtype.kind != "u":
        return e.abs(inner)
    return x if isinstance(x.op, Abs) else None


@rule(Mul, Div, exact=True, sees=(Neg,), example=lambda s: s.mul(*[s.neg(s.input("f32[N]")) for _ in range(2)]))
def cancel_two_negations(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """-a * -b = a * b; -a / -b = a / b. Rounding is symmetric."""
    a, b = (operand_of(x, Neg) for x in operands)
    return None if a is None or b is None else e.apply(op, a, b)


@rule(Mul, Div, exact=True, sees=(Neg,), example=lambda s: s.mul(s.neg(s.input("f32[N]")), 3.0))
def negate_constant_factor(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """-a * c = a * -c; -a / c = a / -c."""
    a, c = operand_of(operands[0], Neg), scalar_of(operands[1])
    if a is None or c is None or not a.dtype.is_float:
        return None
    return e.apply(op, a, e.full(a.shape, -c, a.dtype))


@rule(Neg, exact=True, example=lambda s: s.neg(s.mul(s.input("f32[N]"), 3.0)))
def absorb_negation_in_factor(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """-(x * c) = x * -c; -(x / c) = x / -c."""
    (y,) = operands
    if not isinstance(y.op, (Mul, Div)) or not y.dtype.is_float:
        return None
    x, factor = y.node.inputs
    c = scalar_of(factor)
    return None if c is None else e.apply(y.op, x, e.full(x.shape, -c, x.dtype))


@rule(Div, exact=True, sees=CONSTANTS, example=lambda s: s.div(s.input("f32[N]"), 8.0))
def divide_by_power_of_two(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x / 2**k = x * 2**-k: both only move the exponent."""
    x, y = operands
    c = scalar_of(y)
    if c is None or abs(float(np.frexp(c)[0])) != 0.5:
        return None
    inverse = _reciprocal(c)
    return None if inverse is None else e.mul(x, e.full(x.shape, inverse, x.dtype))


@rule(Div, exact=False, sees=CONSTANTS, example=lambda s: s.div(s.input("f32[N]"), 3.0))
def divide_by_constant(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x / c = x * (1/c): a multiplication is several times as fast; the result may differ in the last bit."""
    x, y = operands
    c = scalar_of(y)
    inverse = None if c is None else _reciprocal(c)
    return None if inverse is None else e.mul(x, e.full(x.shape, inverse, x.dtype))


@rule(Div, exact=False, sees=(Broadcast,), example=lambda s: _by_deviation(s, s.input("f32[N,5]")))
def divide_by_spread_root(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x / sqrt(y) = x * (1/sqrt(y)) where one root serves many x, as in all normalizations: the reciprocal of a root
    neither overflows nor underflows; the result may differ in the last bit."""
    x, y = operands
    spread = spread_of(y)
    if spread is None or not isinstance(spread.inner.op, Sqrt) or is_number(x, 1.0):
        return None
    inverse = e.div(e.full(spread.inner.shape, 1, x.dtype), spread.inner)
    return e.mul(x, e.broadcast(inverse, spread.shape, spread.axes))


def _by_deviation(s: Sketch, x: Value) -> Value:
    return s.div(x, s.broadcast(s.sqrt(s.sum(s.square(x), [1])), x.shape, (0,)))


def _reciprocal(c: np.floating) -> float | None:
    """``1/c`` in the precision of ``c`` where both are normal numbers."""
    with np.errstate(all="ignore"):
        inverse = type(c)(1) / c
    limits = np.finfo(c.dtype)
    normal = all(limits.tiny <= abs(v) <= limits.max for v in (c, inverse))
    return float(inverse) if normal else None


@rule(Pow, exact=False, sees=CONSTANTS, example=lambda s: s.pow(s.input("f32[N]"), 3.0))
def power_as_products(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x ** 2 = x * x, x ** 3, x ** 4, x ** -1 = 1 / x: one rounding a product, where pow has its own."""
    x, y = operands
    c = scalar_of(y)
    if c == 2:
        return e.square(x)
    if c == 3:
        return e.mul(e.square(x), x)
    if c == 4:
        return e.square(e.square(x))
    return e.div(e.full(x.shape, 1, x.dtype), x) if c == -1 else None


@rule(Pow, exact=False, example=lambda s: s.pow(s.input("f32[N]", 0.1, 3), 0.5))
def power_of_half(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x ** 0.5 = sqrt(x): rounded correctly; only -inf and the sign of -0.0 differ."""
    x, y = operands
    if is_number(y, 0.5):
        return e.sqrt(x)
    return e.div(e.full(x.shape, 1, x.dtype), e.sqrt(x)) if is_number(y, -0.5) else None


@rule(Add, exact=False, sees=CONSTANTS, example=lambda s: s.add(s.input("f32[N]"), 0.0))
def add_zero(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x + 0.0 = x: only x = -0.0 loses its sign otherwise."""
    x, y = operands
    return x if is_number(y, 0.0) else None


@rule(Sub, exact=False, sees=CONSTANTS, example=lambda s: s.sub(0.0, s.input("f32[N]")))
def subtract_from_zero(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """0 - x = -x: only the sign of a zero differs."""
    x, y = operands
    return e.neg(y) if scalar_of(x) == 0 else None


@rule(Neg, exact=False, example=lambda s: s.neg(s.sub(s.input("f32[N]"), s.input("f32[N]"))))
def negate_difference(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """-(a - b) = b - a: only the sign of a zero differs."""
    pair = operands_of(operands[0], Sub)
    return e.sub(pair[1], pair[0]) if pair else None


@rule(Mul, exact=False, sees=(Mul,), example=lambda s: s.mul(s.mul(s.input("f32[N]"), 3.0), 7.0))
def gather_constant_factors(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """(x * c) * d = x * (c*d) where c*d is a normal number: one rounding less."""
    pair, d = operands_of(operands[0], Mul), scalar_of(operands[1])
    c = scalar_of(pair[1]) if pair else None
    if c is None or d is None or not operands[0].dtype.is_float:
        return None
    with np.errstate(all="ignore"):
        both = c * d
    limits = np.finfo(both.dtype)
    normal = limits.tiny <= abs(both) <= limits.max
    return e.mul(pair[0], e.full(pair[0].shape, both, pair[0].dtype)) if normal else None


@rule(
    Mul,
    exact=False, sees=(Div,),
    example=lambda s: s.mul(s.input("f32[N]"), s.div(s.full(s.arguments[0].shape, 1.0, s.arguments[0].dtype),
                                                     s.input("f32[N]", 0.5, 3))),
)  # fmt: skip
def multiply_by_reciprocal(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x * (1 / y) = x / y: one rounding less, and 1 / y cannot overflow."""
    for x, other in (operands, operands[::-1]):
        pair = operands_of(other, Div)
        if pair and is_number(pair[0], 1):
            return e.div(x, pair[1])
    return None


@rule(
    Mul,
    exact=False,
    sees=(Div,),
    example=lambda s: _cancelling(s.input("f32[N]"), s.input("f32[N]", 0.5, 3), s.input("f32[N]"), s),
)
def cancel_division(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """(a / b) * b = a and (a / b) * (b * c) = a * c: no NaN from b = 0, two roundings less."""
    for x, other in (operands, operands[::-1]):
        pair = operands_of(x, Div)
        if not pair or scalar_of(pair[1]) is not None:
            continue
        if other is pair[1]:
            return pair[0]
        factors = operands_of(other, Mul)
        if factors and pair[1] in factors:
            return e.mul(pair[0], factors[1] if factors[0] is pair[1] else factors[0])
    return None


def _cancelling(a: Value, b: Value, c: Value, e: Emitter) -> Value:
    return e.mul(e.div(a, b), e.mul(b, c))


EXACT = (
    multiply_by_one, divide_by_one, multiply_by_minus_one, subtract_zero, add_negative_zero, multiply_integer_by_zero,
    choose_between_equals, power_of_one, power_of_zero, abs_of_negation, cancel_two_negations, negate_constant_factor,
    absorb_negation_in_factor, divide_by_power_of_two,
)  # fmt: skip
INEXACT = (
    divide_by_constant, divide_by_spread_root, power_as_products, power_of_half, add_zero, subtract_from_zero,
    negate_difference, gather_constant_factors, multiply_by_reciprocal, cancel_division,
)  # fmt: skip
RULES = EXACT + INEXACT
