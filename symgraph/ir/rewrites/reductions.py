"""Reductions of reductions, of repeated elements, and over axes of size 1."""

from __future__ import annotations

from collections.abc import Sequence

from ..dims import product
from ..emitter import Emitter
from ..graph import Value
from ..op import Op, Reduction
from ..ops.arithmetic import Add, Div, Maximum, Minimum, Mul, Neg, Sub
from ..ops.blocks import Concatenate, Embed
from ..ops.elementary import Exp, Log, Log1p, Sigmoid, Softplus, Sqrt, Tanh
from ..ops.reductions import All, Any_, Max, Min, Prod, Sum
from ..ops.views import Reshape, Transpose, reshape_groups
from ..pattern import operand_of, scalar_of, spread_of
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


def _kept_axes(x: Value, axes: Sequence[int]) -> list[int]:
    return [k for k in range(x.type.ndim) if k not in axes]


@rule(
    Sum,
    exact=False,
    example=lambda s: s.sum(s.mul(s.input("f32[4,3]"), s.broadcast(s.input("f32[3]"), (4, 3), (1,))), [0]),
)
def sum_of_scaled(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """sum(x * c) = sum(x) * c and sum(x / c) = sum(x) / c, where c repeats along the summed axes: one product a
    result."""
    assert isinstance(op, Sum)
    (y,) = operands
    if not isinstance(y.op, (Mul, Div)):
        return None
    a, b = y.node.inputs
    for x, c in ((a, b), (b, a))[: 1 if isinstance(y.op, Div) else 2]:
        spread = spread_of(c)
        if spread is not None and not set(spread.axes) & set(op.axes):
            kept = _kept_axes(y, op.axes)
            small = e.broadcast(spread.inner, [y.shape[k] for k in kept], [kept.index(k) for k in spread.axes])  # type: ignore[arg-type]
            return e.apply(y.op, e.apply(op, x), small)
    return None


def _without_transpose(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    assert isinstance(op, Reduction)
    (y,) = operands
    if not isinstance(y.op, Transpose):
        return None
    (x,), order = y.node.inputs, y.op.permutation
    axes = sorted(order[k] for k in op.axes)
    left = _kept_axes(x, axes)
    turned = [left.index(order[k]) for k in _kept_axes(y, op.axes)]
    return e.transpose(e.apply(type(op)(tuple(axes)), x), turned)


@rule(Max, Min, Any_, All, exact=True, example=lambda s: s.max(s.transpose(s.input("f32[2,3,4]"), (2, 0, 1)), [0]))
def choose_before_transpose(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """The largest element of a transposed operand is found in the operand as it lies; what is left is transposed."""
    return _without_transpose(e, op, operands)


@rule(Sum, Prod, exact=False, example=lambda s: s.sum(s.transpose(s.input("f32[2,3,4]"), (2, 0, 1)), [0]))
def sum_before_transpose(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A sum over axes of a transposed operand reads the operand as it lies; the order of the terms changes."""
    return _without_transpose(e, op, operands)


def _without_reshape(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    assert isinstance(op, Reduction)
    (y,) = operands
    if not isinstance(y.op, Reshape):
        return None
    (x,) = y.node.inputs
    axes: list[int] = []
    for source, target in reshape_groups(x.shape, y.shape):
        chosen = [k in op.axes for k in target if y.shape[k] != 1]
        if any(chosen) and not all(chosen):
            return None
        if any(chosen):
            axes += [k for k in source if x.shape[k] != 1]
    result = [y.shape[k] for k in _kept_axes(y, op.axes)]
    return e.reshape(e.apply(type(op)(tuple(axes)), x), result) if axes else None


@rule(Max, Min, Any_, All, exact=True, example=lambda s: s.max(s.reshape(s.input("f32[2,3,4]"), (6, 4)), [0]))
def choose_before_reshape(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """Whole groups of axes that a reshape made are chosen from where they come from."""
    return _without_reshape(e, op, operands)


@rule(Sum, Prod, exact=False, example=lambda s: s.sum(s.reshape(s.input("f32[2,3,4]"), (6, 4)), [0]))
def sum_before_reshape(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """Whole groups of axes that a reshape made are summed where they come from; the order of the terms may change."""
    return _without_reshape(e, op, operands)


@rule(Max, Min, Any_, All, exact=True, example=lambda s: s.max(s.broadcast(s.input("f32[3]"), (4, 3), (1,)), [0]))
def choose_from_repeats(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """The largest of equal elements is any of them, where there are some for certain."""
    assert isinstance(op, Reduction)
    (y,) = operands
    spread = spread_of(y)
    repeated = [] if spread is None else [k for k in op.axes if k not in spread.axes]
    if spread is None or not repeated or any(not isinstance(y.shape[k], int) or y.shape[k] == 0 for k in repeated):
        return None
    rest = [k for k in range(y.type.ndim) if k not in repeated]
    smaller = e.broadcast(spread.inner, tuple(y.shape[k] for k in rest), [rest.index(k) for k in spread.axes])
    axes = tuple(rest.index(k) for k in op.axes if k in rest)
    return e.apply(type(op)(axes), smaller) if axes else smaller


@rule(
    Sum,
    exact=False,
    example=lambda s: s.sum(s.concatenate([s.input("f32[2,N]"), s.input("f32[3,N]")], 0), [0]),
)
def sum_of_concatenation(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """The sum of operands side by side is the sum of their sums: nothing is copied, no loop asks where it is."""
    assert isinstance(op, Sum)
    (y,) = operands
    if not isinstance(y.op, Concatenate) or y.op.axis not in op.axes or len(y.node.inputs) > 4:
        return None
    first, *rest = (e.apply(op, x) for x in y.node.inputs)
    for other in rest:
        first = e.add(first, other)
    return first


@rule(Sum, exact=False, example=lambda s: s.sum(s.pad(s.input("f32[3,N]"), (1, 0), (6, s.arguments[0].shape[1])), [0]))
def sum_of_embedded(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """Zeros around an operand add nothing to its sum; the order of the terms may change."""
    assert isinstance(op, Sum)
    (y,) = operands
    x = operand_of(y, Embed)
    if x is None or any(x.shape[k] != y.shape[k] or y.op.steps[k] != 1 for k in _kept_axes(y, op.axes)):  # type: ignore[attr-defined]
        return None
    return e.apply(op, x)


_INCREASING = (Exp, Log, Log1p, Sqrt, Tanh, Sigmoid, Softplus)


def _is_filled(op: Reduction, x: Value) -> bool:
    """True where there is something to choose from for certain."""
    return all(isinstance(x.shape[k], int) and x.shape[k] != 0 for k in op.axes)


@rule(Max, Min, exact=False, example=lambda s: s.max(s.exp(s.input("f32[N,4]")), [1]))
def choose_before_monotone(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """max(exp(x)) = exp(max(x)), and likewise for other increasing functions: one call a result. A target's function
    need not be increasing in its last bit."""
    assert isinstance(op, Reduction)
    (y,) = operands
    if not isinstance(y.op, _INCREASING) or not _is_filled(op, y):
        return None
    return e.apply(y.op, e.apply(op, y.node.inputs[0]))


@rule(Max, Min, exact=False, example=lambda s: s.max(s.sub(1.0, s.input("f32[N,4]")), [1]))
def choose_before_scaling(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """max(x * c + d) = max(x) * c + d, min(x) * c + d where c is negative, and likewise for limits: one operation a
    result; rounding is monotonic, and only the sign of a zero may differ."""
    assert isinstance(op, Reduction)
    (y,) = operands
    if not _is_filled(op, y) or not y.dtype.is_float:
        return None
    other = Min if isinstance(op, Max) else Max
    if isinstance(y.op, Neg):
        return e.neg(e.apply(other(op.axes), y.node.inputs[0]))
    for place, c in enumerate(map(scalar_of, y.node.inputs)):
        if c is None or len(y.node.inputs) != 2 or c != c or abs(c) == float("inf"):
            continue
        x = y.node.inputs[1 - place]
        shape = [y.shape[k] for k in _kept_axes(y, op.axes)]
        constant = e.full(tuple(shape), c.item(), y.dtype)
        if isinstance(y.op, (Add, Maximum, Minimum)) or (isinstance(y.op, Sub) and place == 1):
            return e.apply(y.op, e.apply(op, x), constant)
        if isinstance(y.op, Sub):
            return e.sub(constant, e.apply(other(op.axes), x))
        if (isinstance(y.op, Mul) or (isinstance(y.op, Div) and place == 1)) and c != 0:
            return e.apply(y.op, e.apply(op if c > 0 else other(op.axes), x), constant)
    return None


RULES = (
    merge_choices, merge_sums, choose_from_one, sum_of_one, sum_of_repeats, sum_of_negation, sum_of_scaled,
    choose_before_transpose, sum_before_transpose, choose_before_reshape, sum_before_reshape, choose_from_repeats,
    sum_of_concatenation, sum_of_embedded, choose_before_monotone, choose_before_scaling,
)  # fmt: skip
