"""Reductions of reductions, of repeated elements, and over axes of size 1."""

from __future__ import annotations

from collections.abc import Sequence

from ..dims import product
from ..emitter import Emitter
from ..graph import Value
from ..op import Op, Reduction
from ..ops.arithmetic import Neg
from ..ops.reductions import All, Any_, Max, Min, Prod, Sum
from ..pattern import operand_of, spread_of
from .rule import rule


def _merge(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    inner = operands[0].op
    if type(inner) is not type(op):
        return None
    assert isinstance(op, Reduction) and isinstance(inner, Reduction)
    x = operands[0].node.inputs[0]
    left = [k for k in range(x.type.ndim) if k not in inner.axes]
    axes = sorted({*inner.axes, *(left[k] for k in op.axes)})
    return e.apply(type(op)(tuple(axes)), x)


@rule(Max, Min, Any_, All, exact=True, example=lambda s: s.max(s.max(s.input("f32[2,3,4]"), [1]), [0]))
def merge_choices(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """The largest of the largest is the largest of all; order does not matter."""
    return _merge(e, op, operands)


@rule(Sum, Prod, exact=False, example=lambda s: s.sum(s.sum(s.input("f32[2,3,4]"), [1]), [0, 1]))
def merge_sums(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A sum of sums is one sum, in one loop; the order of the terms changes."""
    return _merge(e, op, operands)


def _drop_units(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    assert isinstance(op, Reduction)
    (x,) = operands
    units = [k for k in op.axes if x.shape[k] == 1]
    if not units:
        return None
    smaller = e.reshape(x, [d for k, d in enumerate(x.shape) if k not in units])
    axes = tuple(k - sum(u < k for u in units) for k in op.axes if k not in units)
    return e.apply(type(op)(axes), smaller) if axes else smaller


@rule(Max, Min, Prod, Any_, All, exact=True, example=lambda s: s.max(s.input("f32[N,1]"), [1]))
def choose_from_one(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A reduction over an axis of size 1 is a reshape."""
    return _drop_units(e, op, operands)


@rule(Sum, exact=False, example=lambda s: s.sum(s.input("f32[N,1,4]"), [1, 2]))
def sum_of_one(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A sum over an axis of size 1 is a reshape; a sum starts at 0.0, so -0.0 may lose its sign."""
    return _drop_units(e, op, operands)


@rule(
    Sum,
    exact=False,
    example=lambda s: s.sum(s.broadcast(s.input("f32[3]"), (4, 3), (1,)), [0]),
)
def sum_of_repeats(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A sum of n equal terms is n times the term: no loop, one rounding."""
    assert isinstance(op, Sum)
    spread = spread_of(operands[0])
    repeated = [] if spread is None else [k for k in op.axes if k not in spread.axes]
    if spread is None or not repeated:
        return None
    shape = operands[0].shape
    # The repeated axes go first, then what is left of the sum.
    rest = [k for k in range(len(shape)) if k not in repeated]
    smaller = e.broadcast(spread.inner, [shape[k] for k in rest], [rest.index(k) for k in spread.axes])  # type: ignore[arg-type]
    scaled = e.mul(smaller, e.size(product(shape[k] for k in repeated), smaller.dtype))
    axes = tuple(rest.index(k) for k in op.axes if k in rest)
    return e.apply(Sum(axes), scaled) if axes else scaled


@rule(Sum, exact=False, example=lambda s: s.sum(s.neg(s.input("f32[N,3]")), [1]))
def sum_of_negation(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """The sum of -x is minus the sum of x; only the sign of a zero differs."""
    x = operand_of(operands[0], Neg)
    return None if x is None else e.neg(e.apply(op, x))


RULES = (merge_choices, merge_sums, choose_from_one, sum_of_one, sum_of_repeats, sum_of_negation)
