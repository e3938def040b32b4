"""What is known about the results of functions: their bounds, whether they are whole, even or odd, or settled."""

from __future__ import annotations

from collections.abc import Sequence

from ..emitter import Emitter
from ..graph import Value
from ..op import Op
from ..ops.arithmetic import Abs, Ceil, Floor, Maximum, Minimum, Mul, Neg, Rint, Sign, Trunc
from ..ops.elementary import (
    Asin,
    Asinh,
    Atan,
    Atanh,
    Cos,
    Cosh,
    Erf,
    Exp,
    Exp2,
    Sigmoid,
    Sin,
    Sinh,
    Softplus,
    Tan,
    Tanh,
)
from ..ops.logical import Cast
from ..ops.special import ErfInv
from ..pattern import operand_of, operands_of, scalar_of
from .rule import Sketch, rule

_INFINITY = float("inf")
_ROUNDING = (Floor, Ceil, Trunc, Rint)
_ODD = (Sin, Tan, Asin, Atan, Sinh, Tanh, Asinh, Atanh, Erf, ErfInv)
_NOT_NEGATIVE = (Exp, Exp2, Sigmoid, Softplus)


def bounds(value: Value) -> tuple[float, float]:
    """Limits that no element lies beyond (NaN apart); a limit that is 0 is never reached as -0.0."""
    op = value.op
    if (isinstance(op, Cast) and value.node.inputs[0].dtype.is_bool) or isinstance(op, Sigmoid):
        return 0.0, 1.0
    is_square = isinstance(op, Mul) and value.node.inputs[0] is value.node.inputs[1]
    if value.dtype.is_float and (isinstance(op, (*_NOT_NEGATIVE, Abs)) or is_square):
        return 0.0, _INFINITY
    return -_INFINITY, _INFINITY


@rule(Maximum, Minimum, exact=True, example=lambda s: s.maximum(s.exp(s.input("f32[N]")), 0.0))
def drop_limit_out_of_reach(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """max(exp(x), 0) = exp(x): a limit that the function cannot pass does nothing."""
    for x, limit in (operands, operands[::-1]):
        c = scalar_of(limit)
        if c is not None and x.dtype.is_float:
            low, high = bounds(x)
            if c <= low if isinstance(op, Maximum) else c >= high:
                return x
    return None


@rule(Abs, exact=True, example=lambda s: s.abs(s.exp(s.input("f32[N]"))))
def abs_of_not_negative(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """abs(x) = x where x is an exponential, a square, or another function without negative values."""
    (x,) = operands
    return x if bounds(x)[0] >= 0 else None


@rule(*_ROUNDING, exact=True, example=lambda s: s.apply(Ceil(), s.apply(Floor(), s.input("f32[N]"))))
def round_of_whole(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A rounded number is whole already, and so is an integer that became a float."""
    (x,) = operands
    whole = isinstance(x.op, (*_ROUNDING, Sign)) or (isinstance(x.op, Cast) and not x.node.inputs[0].dtype.is_float)
    return x if whole else None


@rule(Sign, exact=True, example=lambda s: s.sign(s.sign(s.input("f32[N]"))))
def sign_of_sign(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """sign(sign(x)) = sign(x)."""
    (x,) = operands
    return x if isinstance(x.op, Sign) else None


@rule(Maximum, Minimum, exact=True, example=lambda s: s.maximum(s.maximum(s.input("f32[N]"), 0.5), 1.0))
def merge_limits(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """max(max(x, c), d) = max(x, max(c, d)), and likewise for min; relu(relu(x)) = relu(x)."""
    inner, d = operands_of(operands[0], type(op)), scalar_of(operands[1])
    c = scalar_of(inner[1]) if inner else None
    if c is None or d is None or (c == d == 0 and str(c) != str(d)):  # of 0.0 and -0.0 any may be the larger
        return None
    return e.apply(op, inner[0], e.apply(op, inner[1], operands[1]))


@rule(Maximum, Minimum, exact=True, example=lambda s: _twice(s, s.input("i32[N]"), s.input("i32[N]")))
def choose_again(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """max(max(x, y), y) = max(x, y)."""
    for chosen, other in (operands, operands[::-1]):
        inner = operands_of(chosen, type(op))
        if inner and other in inner and not other.dtype.is_float:
            return chosen
    return None


def _twice(s: Sketch, x: Value, y: Value) -> Value:
    return s.maximum(s.maximum(x, y), y)


@rule(Mul, exact=True, sees=(Abs,), example=lambda s: _squared(s, s.abs(s.input("f32[N]"))))
def square_of_abs(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """abs(x) * abs(x) = x * x."""
    a, b = operands
    x = operand_of(a, Abs)
    return e.mul(x, x) if x is not None and a is b else None


def _squared(s: Sketch, x: Value) -> Value:
    return s.mul(x, x)


@rule(Mul, exact=False, sees=(Sign,), example=lambda s: _signed(s, s.input("f32[N]")))
def sign_times_value(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """sign(x) * abs(x) = x and sign(x) * x = abs(x); only the sign of a zero, and 0 * inf, differ."""
    for a, b in (operands, operands[::-1]):
        x = operand_of(a, Sign)
        if x is not None and operand_of(b, Abs) is x:
            return x
        if x is not None and b is x:
            return e.abs(x)
    return None


def _signed(s: Sketch, x: Value) -> Value:
    return s.mul(s.sign(x), s.abs(x))


@rule(Cos, Cosh, exact=False, example=lambda s: s.apply(Cos(), s.neg(s.input("f32[N]"))))
def even_of_negation(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """cos(-x) = cos(abs(x)) = cos(x), and likewise cosh; a target need not round both sides alike."""
    (x,) = operands
    return e.apply(op, x.node.inputs[0]) if isinstance(x.op, (Neg, Abs)) else None


@rule(*_ODD, exact=False, example=lambda s: s.apply(Tanh(), s.neg(s.input("f32[N]"))))
def odd_of_negation(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """tanh(-x) = -tanh(x), and likewise for all odd functions; a target need not round both sides alike."""
    x = operand_of(operands[0], Neg)
    return None if x is None else e.neg(e.apply(op, x))


EXACT = (
    drop_limit_out_of_reach, abs_of_not_negative, round_of_whole, sign_of_sign, merge_limits, choose_again,
    square_of_abs,
)  # fmt: skip
INEXACT = (sign_times_value, even_of_negation, odd_of_negation)
