"""One way to write the same thing: constants on the right, views of views merged, comparisons turned around."""

from __future__ import annotations

from collections.abc import Sequence

from ...dtypes import DType, bool_, float32, float64
from ..emitter import Emitter
from ..graph import Value
from ..op import Op
from ..ops.arithmetic import Add, Mul, Neg, Sub
from ..ops.logical import (
    BitAnd,
    BitNot,
    BitOr,
    BitXor,
    Cast,
    Equal,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    NotEqual,
    Where,
)
from ..pattern import CONSTANTS, is_number, operand_of, operands_of, scalar_of
from .rule import rule

_MIRRORED = {Less: Greater, LessEqual: GreaterEqual, Greater: Less, GreaterEqual: LessEqual}


@rule(
    Add,
    Mul,
    Equal,
    NotEqual,
    BitAnd,
    BitOr,
    BitXor,
    exact=True,
    sees=CONSTANTS,
    example=lambda s: s.mul(2.5, s.input("f32[N,3]")),
)
def put_constant_right(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """c + x = x + c."""
    a, b = operands
    return e.apply(op, b, a) if scalar_of(a) is not None and scalar_of(b) is None else None


@rule(*_MIRRORED, exact=True, sees=CONSTANTS, example=lambda s: s.lt(0.5, s.input("f32[N,3]")))
def mirror_comparison(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """c < x is x > c."""
    a, b = operands
    if scalar_of(a) is None or scalar_of(b) is not None:
        return None
    return e.apply(_MIRRORED[type(op)](), b, a)  # type: ignore[index]


@rule(Cast, exact=True, example=lambda s: s.cast(s.cast(s.input("f32[N]"), float64), float32))
def merge_casts(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A conversion through a dtype that holds all values of the first is the direct conversion."""
    assert isinstance(op, Cast)
    x = operand_of(operands[0], Cast)
    if x is None:
        return None
    return e.cast(x, op.dtype) if can_skip_cast(x.dtype, operands[0].dtype, op.dtype) else None


def can_skip_cast(first: DType, middle: DType, last: DType) -> bool:
    """True where converting ``first`` to ``last`` through ``middle`` gives the same as converting it directly."""
    if first == last:
        return _holds(middle, first)
    # Integers wrap where floats saturate: a float in the middle may only lead to a float.
    return _holds(middle, first) and (not middle.is_float or last.is_float or first.is_float) and not last.is_bool


def _holds(wide: DType, narrow: DType) -> bool:
    """True where every value of ``narrow`` is one of ``wide``."""
    if narrow.is_bool:
        return True
    if wide.is_float:
        digits = {2: 11, 4: 24, 8: 53}[wide.itemsize]
        return narrow.itemsize <= wide.itemsize if narrow.is_float else narrow.bits <= digits
    if narrow.is_float or wide.is_bool:
        return False
    room = wide.bits - (wide.kind == "i") - (narrow.bits - (narrow.kind == "i"))
    return room >= 0 and (wide.kind == "i" or narrow.kind == "u")


@rule(BitNot, exact=True, example=lambda s: s.apply(BitNot(), s.eq(s.input("i32[N]", -2, 2), 1)))
def negate_equality(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """not (a == b) is a != b, and the other way round; NaN differs from everything on both sides."""
    for kind, opposite in ((Equal, NotEqual), (NotEqual, Equal)):
        pair = operands_of(operands[0], kind)
        if pair:
            return e.apply(opposite(), *pair)
    return None


@rule(BitNot, exact=True, example=lambda s: s.apply(BitNot(), s.apply(BitNot(), s.input("i32[N]"))))
def cancel_double_not(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """not not x = x."""
    return operand_of(operands[0], BitNot)


@rule(BitAnd, BitOr, exact=True, example=lambda s: s.apply(BitAnd(), *[s.input("bool[N]")] * 2))
def drop_repeated_operand(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x and x = x; x or x = x."""
    a, b = operands
    return a if a is b else None


@rule(BitAnd, BitOr, exact=True, example=lambda s: s.elementwise(BitAnd(), s.input("bool[N]"), s.constant(True, bool_)))
def drop_logical_constant(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x and True = x, x and False = False; x or True = True, x or False = x."""
    a, b = operands
    if not a.dtype.is_bool or scalar_of(b) is None:
        return None
    return a if bool(scalar_of(b)) == isinstance(op, BitAnd) else b


@rule(
    Where,
    exact=True,
    sees=CONSTANTS,
    example=lambda s: s.where(s.constant(True, bool_), s.input("f32[N]"), s.input("f32[N]")),
)
def choose_known_branch(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """where(True, a, b) = a; where(False, a, b) = b."""
    c, a, b = operands
    known = scalar_of(c)
    return None if known is None else a if known else b


@rule(Where, exact=True, example=lambda s: _same_branches(s.input("bool[N]"), s.input("f32[N]"), s))
def drop_equal_branches(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """where(c, a, a) = a."""
    _, a, b = operands
    return a if a is b else None


def _same_branches(c: Value, x: Value, e: Emitter) -> Value:
    return e.where(c, x, x)


@rule(
    Where,
    exact=True,
    sees=(BitNot,),
    example=lambda s: s.where(s.apply(BitNot(), s.input("bool[N]")), s.input("f32[N]"), s.input("f32[N]")),
)
def swap_branches(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """where(not c, a, b) = where(c, b, a)."""
    c, a, b = operands
    inner = operand_of(c, BitNot)
    return None if inner is None else e.where(inner, b, a)


@rule(
    Where,
    exact=True,
    sees=CONSTANTS,
    example=lambda s: s.where(s.input("bool[N]"), *(s.full(s.arguments[0].shape, x, bool_) for x in (True, False))),
)
def where_is_condition(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """where(c, True, False) = c; where(c, False, True) = not c."""
    c, a, b = operands
    if not a.dtype.is_bool:
        return None
    if is_number(a, True) and is_number(b, False):
        return c
    return e.apply(BitNot(), c) if is_number(a, False) and is_number(b, True) else None


@rule(
    Where,
    exact=True,
    sees=(Where,),
    example=lambda s: _nested_where(s.input("bool[N]"), s.input("f32[N]"), s.input("f32[N]"), s),
)
def merge_nested_where(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """where(c, where(c, a, _), b) = where(c, a, b), and likewise in the other branch."""
    c, a, b = operands
    inner = operands_of(a, Where)
    if inner and inner[0] is c:
        return e.where(c, inner[1], b)
    inner = operands_of(b, Where)
    return e.where(c, a, inner[2]) if inner and inner[0] is c else None


def _nested_where(c: Value, x: Value, y: Value, e: Emitter) -> Value:
    return e.where(c, e.where(c, x, 7.0), y)


@rule(Neg, exact=True, example=lambda s: s.neg(s.neg(s.input("f32[N]"))))
def cancel_double_negation(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """--x = x."""
    return operand_of(operands[0], Neg)


@rule(Add, Sub, exact=True, sees=(Neg,), example=lambda s: s.add(s.input("f32[N]"), s.neg(s.input("f32[N]"))))
def absorb_negation(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """a + -b = a - b; -a + b = b - a; a - -b = a + b. Negation rounds nothing."""
    a, b = operands
    right = operand_of(b, Neg)
    if right is not None:
        return e.sub(a, right) if isinstance(op, Add) else e.add(a, right)
    left = operand_of(a, Neg)
    return e.sub(b, left) if left is not None and isinstance(op, Add) else None


RULES = (
    put_constant_right, mirror_comparison, merge_casts, negate_equality, cancel_double_not, drop_repeated_operand,
    drop_logical_constant, choose_known_branch, drop_equal_branches, swap_branches, where_is_condition,
    merge_nested_where, cancel_double_negation, absorb_negation,
)  # fmt: skip
