"""Exponentials, logarithms and roots of each other: cancelled before anything overflows or loses digits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..emitter import Emitter
from ..graph import Value
from ..op import Op
from ..ops.arithmetic import Add, Div, Minimum, Mul, Neg, Pow, Sub
from ..ops.elementary import (
    Asinh,
    Atan,
    Atanh,
    Exp,
    Exp2,
    Expm1,
    Log,
    Log1p,
    Log2,
    Sinh,
    Sqrt,
    Tan,
    Tanh,
)
from ..pattern import is_number, operand_of, operands_of, scalar_of
from .rule import Sketch, rule

#: Outer and inner function, of which together nothing remains, and the least argument that the inner one takes.
_INVERSES: dict[tuple[type[Op], type[Op]], float | None] = {
    (Log, Exp): None, (Exp, Log): 0.0, (Log1p, Expm1): None, (Expm1, Log1p): -1.0, (Log2, Exp2): None,
    (Exp2, Log2): 0.0, (Atanh, Tanh): None, (Asinh, Sinh): None, (Sinh, Asinh): None, (Tan, Atan): None,
}  # fmt: skip


def _from(e: Emitter, low: float, x: Value, result: Value) -> Value:
    """``result``, but NaN where ``x`` is below ``low``."""
    return e.where(e.ge(x, low), result, float("nan"))


@rule(*dict.fromkeys(outer for outer, _ in _INVERSES), exact=False, example=lambda s: s.log(s.exp(s.input("f32[N]"))))
def cancel_inverse(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """log(exp(x)) = x, and likewise for all functions with an inverse: nothing overflows, no digit is lost. Where the
    inner one gives NaN, NaN is kept."""
    (y,) = operands
    pair = (type(op), type(y.op))
    if pair not in _INVERSES:
        return None
    (x,), low = y.node.inputs, _INVERSES[pair]
    return x if low is None else _from(e, low, x, x)


@rule(Exp, Expm1, exact=False, example=lambda s: s.exp(s.apply(Log1p(), s.input("f32[N]", -0.5, 3))))
def cancel_shifted_inverse(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """exp(log1p(x)) = 1 + x; expm1(log(x)) = x - 1. NaN is kept."""
    (y,) = operands
    if isinstance(op, Exp) and isinstance(y.op, Log1p):
        (x,) = y.node.inputs
        return _from(e, -1.0, x, e.add(x, 1.0))
    if isinstance(op, Expm1) and isinstance(y.op, Log):
        (x,) = y.node.inputs
        return _from(e, 0.0, x, e.sub(x, 1.0))
    return None


@rule(Mul, exact=False, sees=(Sqrt,), example=lambda s: s.square(s.sqrt(s.input("f32[N]", 0.1, 3))))
def square_of_root(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """sqrt(x) * sqrt(x) = x, and NaN for negative x: no rounding."""
    a, b = operands
    x = operand_of(a, Sqrt)
    return _from(e, 0.0, x, x) if x is not None and a is b else None


@rule(Sqrt, exact=False, example=lambda s: s.sqrt(s.square(s.input("f32[N]"))))
def root_of_square(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """sqrt(x * x) = abs(x): the square neither overflows nor underflows."""
    pair = operands_of(operands[0], Mul)
    return e.abs(pair[0]) if pair and pair[0] is pair[1] else None


@rule(Mul, Div, exact=False, sees=(Exp,), example=lambda s: s.mul(s.exp(s.input("f32[N]")), s.exp(s.input("f32[N]"))))
def product_of_exponentials(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """exp(x) * exp(y) = exp(x + y); exp(x) / exp(y) = exp(x - y): neither factor can overflow by itself."""
    x, y = (operand_of(v, Exp) for v in operands)
    if x is None or y is None or x is y:
        return None
    return e.exp(e.add(x, y) if isinstance(op, Mul) else e.sub(x, y))


@rule(Div, exact=False, sees=(Exp,), example=lambda s: s.div(1.0, s.exp(s.input("f32[N]"))))
def reciprocal_of_exponential(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """1 / exp(x) = exp(-x): no division."""
    x = operand_of(operands[1], Exp)
    return e.exp(e.neg(x)) if x is not None and is_number(operands[0], 1) else None


@rule(Pow, exact=False, example=lambda s: s.pow(s.exp(s.input("f32[N]")), 3.0))
def power_of_exponential(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """exp(x) ** c = exp(c * x): exp(x) cannot overflow by itself."""
    x, c = operand_of(operands[0], Exp), scalar_of(operands[1])
    return e.exp(e.mul(x, operands[1])) if x is not None and c is not None and c != 0 else None


@rule(Log, exact=False, example=lambda s: s.log(s.mul(s.input("f32[N]", 0.1, 3), s.exp(s.input("f32[N]")))))
def log_of_scaled_exponential(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """log(a * exp(x)) = log(a) + x, and likewise for quotients: exp cannot overflow or underflow."""
    (y,) = operands
    if not isinstance(y.op, (Mul, Div)):
        return None
    a, b = y.node.inputs
    x = operand_of(b, Exp)
    if x is not None:
        return e.add(e.log(a), x) if isinstance(y.op, Mul) else e.sub(e.log(a), x)
    x = operand_of(a, Exp)
    if x is None:
        return None
    return e.add(x, e.log(b)) if isinstance(y.op, Mul) else e.sub(x, e.log(b))


@rule(Log, exact=False, example=lambda s: s.log(s.div(1.0, s.input("f32[N]", 0.1, 3))))
def log_of_reciprocal(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """log(1 / x) = -log(x): no division, and 1 / x cannot overflow."""
    pair = operands_of(operands[0], Div)
    return e.neg(e.log(pair[1])) if pair and is_number(pair[0], 1) else None


@rule(Log, exact=False, example=lambda s: s.log(s.sqrt(s.input("f32[N]", 0.1, 3))))
def log_of_power(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """log(sqrt(x)) = log(x) / 2; log(x * x) = 2 * log(abs(x)); log(x ** c) = c * log(x) where c is not whole: powers
    overflow and underflow early."""
    (y,) = operands
    if isinstance(y.op, Sqrt):
        return e.mul(e.log(y.node.inputs[0]), 0.5)
    pair = y.node.inputs
    if isinstance(y.op, Mul) and pair[0] is pair[1]:
        return e.mul(e.log(e.abs(pair[0])), 2.0)
    c = scalar_of(pair[1]) if isinstance(y.op, Pow) else None
    return None if c is None or not np.isfinite(c) or c == np.rint(c) else e.mul(e.log(pair[0]), pair[1])


#: Below minus this, ``log1p(-exp(x))`` is the better formula for ``log(1 - exp(x))``, above it ``log(-expm1(x))``.
_HALF = 0.6931472


@rule(Log1p, exact=False, example=lambda s: s.apply(Log1p(), s.neg(s.exp(s.input("f32[N]", -3, -0.05)))))
def log_of_one_minus_exp(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """log(1 - exp(x)) = log(-expm1(x)) for x near 0: digits are kept (Maechler, Accurately computing
    log(1 - exp(-a)))."""
    inner = operand_of(operands[0], Neg)
    x = None if inner is None else operand_of(inner, Exp)
    if x is None:
        return None
    limit = operands_of(x, Minimum)
    if limit and (c := scalar_of(limit[1])) is not None and c <= -0.6:
        return None  # what this rule wrote, or as good
    far = e.apply(Log1p(), e.neg(e.exp(e.minimum(x, -_HALF))))
    return e.where(e.gt(x, -_HALF), e.log(e.neg(e.apply(Expm1(), x))), far)


@rule(Div, exact=False, sees=(Sub, Expm1), example=lambda s: _tanh(s, s.input("f32[N]")))
def tanh_by_hand(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x)) = tanh(x), and (exp(2x) - 1) / (exp(2x) + 1): exp cannot overflow."""
    top, bottom = operands
    difference, total = operands_of(top, Sub), operands_of(bottom, Add)
    if difference and total and {*difference} == {*total}:
        x, y = (operand_of(v, Exp) for v in difference)
        if x is not None and y is not None:
            if operand_of(y, Neg) is x:
                return e.apply(Tanh(), x)
            if operand_of(x, Neg) is y:
                return e.neg(e.apply(Tanh(), y))
    z = operand_of(top, Expm1)
    if z is not None and total and operand_of(total[0], Exp) is z and is_number(total[1], 1):
        return e.apply(Tanh(), e.mul(z, 0.5))
    return None


def _tanh(s: Sketch, x: Value) -> Value:
    up, down = s.exp(x), s.exp(s.neg(x))
    return s.div(s.sub(up, down), s.add(up, down))


RULES = (
    cancel_inverse, cancel_shifted_inverse, square_of_root, root_of_square, product_of_exponentials,
    reciprocal_of_exponential, power_of_exponential, log_of_scaled_exponential, log_of_reciprocal, log_of_power,
    log_of_one_minus_exp, tanh_by_hand,
)  # fmt: skip
