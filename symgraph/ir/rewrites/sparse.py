"""Gradients that are zero but in a few rows: they go where they belong without an array of zeros."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from ...dtypes import float32, int64
from ..emitter import Emitter
from ..graph import Value
from ..op import Leaf, Op
from ..ops.arithmetic import Add, Div, Mul, Neg, Sub
from ..ops.leaves import Constant
from ..ops.scatter import ScatterAdd
from ..pattern import both_ways, is_number, spread_of
from .rule import Sketch, rule

#: One scatter into zeros: its op, updates and indices.
Piece: TypeAlias = tuple[ScatterAdd, Value, Value]
#: Sums of so many scatters are looked at.
_MOST = 8


def _scattered(e: Emitter, value: Value, room: int = _MOST) -> list[Piece] | None:
    """``value`` as a sum of scatters into zeros: each one's op, updates and indices."""
    op, inputs = value.op, value.node.inputs
    if isinstance(op, ScatterAdd):
        return [(op, inputs[1], inputs[2])] if is_number(inputs[0], 0.0) else None
    if isinstance(op, Neg):
        return _mapped(_scattered(e, inputs[0], room), e.neg)
    if isinstance(op, Div):
        return _scaled(e, op, inputs[0], inputs[1], room)
    if isinstance(op, Mul):
        for x, by in both_ways(inputs):
            found = _scaled(e, op, x, by, room)
            if found:
                return found
    if isinstance(op, Add) and room > 1:
        left = _scattered(e, inputs[0], room - 1)
        right = _scattered(e, inputs[1], room - len(left)) if left else None
        return left + right if left and right else None
    return None


def _scaled(
    e: Emitter, op: Op, value: Value, by: Value, room: int
) -> list[Piece] | None:  # fmt: skip
    spread = spread_of(by)
    if spread is None or spread.inner.shape:
        return None
    scalar = spread.inner
    return _mapped(_scattered(e, value, room), lambda u: e.apply(op, u, e.broadcast_to(scalar, u.shape)))


def _mapped(found: list[Piece] | None, change: Callable[[Value], Value]) -> list[Piece] | None:
    return None if found is None else [(op, change(u), at) for op, u, at in found]


def _example(s: Sketch) -> Value:
    rows = s.constant([0, 2, 2, 4], int64)
    gradient = s.apply(ScatterAdd("take", 0), s.full((5, 3), 0.0, float32), s.input("f32[4,3]"), rows)
    return s.sub(s.input("f32[5,3]"), s.mul(gradient, 0.5))


@rule(Add, Sub, exact=False, example=_example)
def scatter_into_operand(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """x - c * scatter(zeros, u) puts -c * u into x: no array of zeros and no pass over all of x. Where updates meet,
    they are added to x one by one instead of to each other."""
    sides = [tuple(operands)] if isinstance(op, Sub) else both_ways(operands)
    for x, change in sides:
        if not isinstance(x.op, Leaf) or isinstance(x.op, Constant):
            continue
        found = _scattered(e, change)
        if found:
            for scatter, updates, at in found:
                x = e.apply(scatter, x, e.neg(updates) if isinstance(op, Sub) else updates, at)
            return x
    return None


RULES = (scatter_into_operand,)
