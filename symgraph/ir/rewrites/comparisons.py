"""Comparisons, masks and bits whose result is known, or is another mask. All exact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...dtypes import DType, bool_, float32
from ..emitter import Emitter
from ..graph import Value
from ..op import Op
from ..ops.arithmetic import Abs, Neg
from ..ops.logical import (
    BitAnd,
    BitNot,
    BitOr,
    BitXor,
    Cast,
    Equal,
    Greater,
    GreaterEqual,
    IsFinite,
    IsInf,
    IsNan,
    Less,
    LessEqual,
    NotEqual,
    ShiftLeft,
    ShiftRight,
    Where,
)
from ..pattern import CONSTANTS, is_number, operand_of, operands_of, scalar_of
from .rule import Sketch, rule

_OPPOSITE = {Less: GreaterEqual, GreaterEqual: Less, Greater: LessEqual, LessEqual: Greater}


@rule(
    Less, Greater, LessEqual, GreaterEqual, Equal, NotEqual, exact=True,
    example=lambda s: s.apply(NotEqual(), *[s.input("f32[N]")] * 2),
)  # fmt: skip
def compare_with_itself(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x < x is false and x == x is true; for floats x != x is isnan(x)."""
    x, y = operands
    if x is not y:
        return None
    if isinstance(op, (Less, Greater)) or not x.dtype.is_float:
        return e.full(x.shape, isinstance(op, (Equal, LessEqual, GreaterEqual)), bool_)
    unordered = e.apply(IsNan(), x)
    return unordered if isinstance(op, NotEqual) else e.apply(BitNot(), unordered)


@rule(BitNot, exact=True, example=lambda s: s.apply(BitNot(), s.lt(s.input("i32[N]", -2, 2), 1)))
def negate_order(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """not (a < b) is a >= b for integers; NaN forbids it for floats."""
    (x,) = operands
    opposite = _OPPOSITE.get(type(x.op))  # type: ignore[arg-type]
    return e.apply(opposite(), *x.node.inputs) if opposite and not x.node.inputs[0].dtype.is_float else None


@rule(
    Less, Greater, LessEqual, GreaterEqual, Equal, NotEqual, exact=True, sees=(Cast,),
    example=lambda s: s.gt(s.cast(s.input("bool[N]"), float32), 0.5),
)  # fmt: skip
def compare_mask(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A mask that became a number and is compared with a constant is the mask, its negation, or always the same."""
    mask, c = operand_of(operands[0], Cast), scalar_of(operands[1])
    if mask is None or c is None or not mask.dtype.is_bool:
        return None
    zero, one = (bool(op.reference(np.asarray(v, c.dtype), np.asarray(c))) for v in (0, 1))  # type: ignore[arg-type]
    if zero == one:
        return e.full(mask.shape, one, bool_)
    return mask if one else e.apply(BitNot(), mask)


@rule(
    Where,
    exact=True,
    sees=CONSTANTS,
    example=lambda s: s.where(s.input("bool[N]"), s.full(s.arguments[0].shape, 1, float32), 0.0),
)
def where_one_or_zero(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """where(c, 1, 0) is c as a number; where(c, 0, 1) is not c as a number."""
    c, a, b = operands
    if a.dtype.is_bool:
        return None
    if is_number(a, 1) and is_number(b, 0.0):
        return e.cast(c, a.dtype)
    return e.cast(e.apply(BitNot(), c), a.dtype) if is_number(a, 0.0) and is_number(b, 1) else None


@rule(Where, exact=True, sees=(Where,), example=lambda s: _alternatives(s, *(s.input("bool[N]"), s.input("bool[N]"))))
def merge_conditions(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """where(c, a, where(d, a, b)) = where(c or d, a, b); where(c, where(d, a, b), b) = where(c and d, a, b)."""
    c, a, b = operands
    inner = operands_of(b, Where)
    if inner and inner[1] is a:
        return e.where(e.apply(BitOr(), c, inner[0]), a, inner[2])
    inner = operands_of(a, Where)
    return e.where(e.apply(BitAnd(), c, inner[0]), inner[1], b) if inner and inner[2] is b else None


def _alternatives(s: Sketch, c: Value, d: Value) -> Value:
    a, b = s.input("f32[N]"), s.input("f32[N]")
    return s.where(c, a, s.where(d, a, b))


@rule(BitAnd, BitOr, BitXor, exact=True, example=lambda s: _with_opposite(s, s.input("bool[N]")))
def combine_with_opposite(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x and not x is false; x or not x is true, and so is x xor not x (0 and all bits for integers)."""
    a, b = operands
    if operand_of(b, BitNot) is not a and operand_of(a, BitNot) is not b:
        return None
    return e.full(a.shape, 0 if isinstance(op, BitAnd) else _all_bits(a.dtype), a.dtype)


def _with_opposite(s: Sketch, x: Value) -> Value:
    return s.apply(BitAnd(), x, s.apply(BitNot(), x))


def _all_bits(dtype: DType) -> int:
    return -1 if dtype.kind == "i" else 1 if dtype.is_bool else int(np.iinfo(dtype.np).max)


@rule(BitXor, exact=True, example=lambda s: s.apply(BitXor(), *[s.input("i32[N]")] * 2))
def xor_with_itself(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x xor x = 0."""
    a, b = operands
    return e.full(a.shape, 0, a.dtype) if a is b else None


@rule(
    BitAnd, BitOr, BitXor, ShiftLeft, ShiftRight, exact=True,
    example=lambda s: s.elementwise(BitOr(), s.input("i32[N]"), 0),
)  # fmt: skip
def drop_idle_bits(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x or 0, x xor 0, x shifted by 0, x and all bits are x; x and 0 is 0."""
    x, y = operands
    if is_number(y, 0):
        return y if isinstance(op, BitAnd) else x
    if isinstance(op, BitAnd) and is_number(y, _all_bits(y.dtype)):
        return x
    is_flip = isinstance(op, BitXor) and is_number(y, _all_bits(y.dtype))
    return e.apply(BitNot(), x) if is_flip else None


@rule(IsNan, IsInf, IsFinite, exact=True, example=lambda s: s.apply(IsNan(), s.neg(s.input("f32[N]"))))
def test_without_sign(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """Whether x is NaN, infinite or finite does not depend on its sign: -x and abs(x) are the same."""
    (x,) = operands
    return e.apply(op, x.node.inputs[0]) if isinstance(x.op, (Neg, Abs)) else None


RULES = (
    compare_with_itself, negate_order, compare_mask, where_one_or_zero, merge_conditions, combine_with_opposite,
    xor_with_itself, drop_idle_bits, test_without_sign,
)  # fmt: skip
