"""Slices, paddings, joins, transposes and lookups of each other: fewer, smaller, or none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...dtypes import float32, float64, int64
from ..dim_order import is_nonnegative, least_sizes, raised
from ..dims import Dim
from ..emitter import Emitter
from ..graph import Value
from ..op import REGISTRY, Elementwise, Op
from ..ops.arithmetic import Add
from ..ops.blocks import Concatenate, Embed, Slice
from ..ops.gathering import Take
from ..ops.indexing import Iota, OneHot
from ..ops.logical import Cast
from ..ops.views import Transpose
from ..pattern import both_ways, constant_of, is_number, operand_of, operands_of, scalar_of, spread_of
from .rule import Sketch, rule

_ELEMENTWISE = tuple(cls for cls in REGISTRY.values() if issubclass(cls, Elementwise))


@rule(Slice, exact=True, example=lambda s: s.slice(s.transpose(s.input("f32[4,5]"), (1, 0)), (0, 1), (4, 2)))
def slice_before_transpose(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A slice of a transposed operand is a transposed slice: slices meet what they can cut."""
    assert isinstance(op, Slice)
    (y,) = operands
    if not isinstance(y.op, Transpose):
        return None
    order = y.op.permutation
    back = [order.index(k) for k in range(len(order))]
    starts, sizes, steps = ([part[k] for k in back] for part in (op.starts, op.sizes, op.steps))
    return e.transpose(e.slice(y.node.inputs[0], starts, sizes, steps), order)  # type: ignore[arg-type]


@rule(Slice, exact=True, example=lambda s: s.slice(s.pad(s.input("f32[3]"), (2,), (8,)), (3,), (2,)))
def slice_of_embedded(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A slice inside what was embedded into zeros is a slice of it; one beside it is zeros."""
    assert isinstance(op, Slice)
    (y,) = operands
    if not isinstance(y.op, Embed):
        return None
    (x,), outer = y.node.inputs, y.op
    starts: list[Dim] = []
    for k, (start, size, low) in enumerate(zip(op.starts, op.sizes, outer.low, strict=True)):
        if op.steps[k] != 1 or outer.steps[k] != 1:
            if (start, size, op.steps[k]) != (low, x.shape[k], outer.steps[k]):
                return None
            starts.append(0)
            continue
        offset = start - low
        room = x.shape[k] - offset - size
        before, behind = -offset - size, offset - x.shape[k]
        if is_nonnegative(before) or is_nonnegative(behind):
            return e.full(op.sizes, 0, y.dtype)
        if not (is_nonnegative(offset) and is_nonnegative(room)):
            return None
        starts.append(offset)
    steps = [1 if op.steps[k] == outer.steps[k] else op.steps[k] for k in range(len(starts))]
    return e.slice(x, starts, op.sizes, steps)


@rule(Embed, exact=True, example=lambda s: s.pad(s.pad(s.input("f32[3]"), (1,), (5,)), (2,), (12,), (2,)))
def merge_embeds(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """What was embedded into zeros twice is embedded once."""
    assert isinstance(op, Embed)
    (y,) = operands
    if not isinstance(y.op, Embed):
        return None
    low = [b + a * t for a, b, t in zip(y.op.low, op.low, op.steps, strict=True)]
    steps = [a * b for a, b in zip(y.op.steps, op.steps, strict=True)]
    return e.pad(y.node.inputs[0], low, op.shape, steps)


@rule(Embed, exact=True, example=lambda s: s.pad(s.input("f32[N]"), (0,), s.arguments[0].shape))
def drop_idle_embed(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """Without room for zeros, what is embedded stays as it is; and zeros in zeros are zeros."""
    assert isinstance(op, Embed)
    (x,) = operands
    if x.shape == op.shape and all(low == 0 and step == 1 for low, step in zip(op.low, op.steps, strict=True)):
        return x
    return e.full(op.shape, 0, x.dtype) if is_number(x, 0.0) else None


@rule(Add, exact=False, sees=(Embed, Add), example=lambda s: _beside(s, s.input("f32[2]"), s.input("f32[3]")))
def sum_of_neighbours(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A sum of operands embedded next to each other is both joined: the gradient of a split. Only the sign
    of a zero may differ."""
    a, b = operands
    joined = _joined(e, a, b)
    if joined is not None:
        return joined
    for total, last in ((a, b), (b, a)):
        for first, second in both_ways(operands_of(total, Add)):
            joined = _joined(e, first, last)
            if joined is not None:
                return e.add(joined, second)
    return None


def _joined(e: Emitter, a: Value, b: Value) -> Value | None:
    """``a + b`` where both embed neighbours."""
    if not isinstance(a.op, Embed) or not isinstance(b.op, Embed):
        return None
    (x,), (y,) = a.node.inputs, b.node.inputs
    if any(step != 1 for step in (*a.op.steps, *b.op.steps)):
        return None
    apart = [k for k in range(a.type.ndim) if (a.op.low[k], x.shape[k]) != (b.op.low[k], y.shape[k])]
    if len(apart) != 1:
        return None
    (k,) = apart
    if _meets(a.op.low[k] + x.shape[k], b.op.low[k], y.shape[k]):
        low, parts = a.op.low, (x, y)
    elif _meets(b.op.low[k] + y.shape[k], a.op.low[k], x.shape[k]):
        low, parts = b.op.low, (y, x)
    else:
        return None
    return e.pad(e.concatenate(parts, k), low, a.shape)


def _meets(end: Dim, start: Dim, size: Dim) -> bool:
    """Whether what ends at ``end`` goes on with ``size`` elements from ``start``, or with none."""
    return end == start or raised(end - start, least_sizes(size)) == 0


def _beside(s: Sketch, x: Value, y: Value) -> Value:
    return s.add(s.pad(x, (1,), (6,)), s.pad(y, (3,), (6,)))


@rule(
    Concatenate,
    exact=True,
    example=lambda s: s.concatenate([s.concatenate([s.input("f32[2]")] * 2, 0), s.arguments[0]], 0),
)
def merge_concatenations(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """Operands that are joins along the same axis give their parts; empty ones go."""
    assert isinstance(op, Concatenate)
    parts: list[Value] = []
    for x in operands:
        same = isinstance(x.op, Concatenate) and x.op.axis == op.axis
        parts += [p for p in (x.node.inputs if same else (x,)) if p.shape[op.axis] != 0]
    if len(parts) == len(operands) and all(a is b for a, b in zip(parts, operands, strict=True)) and len(parts) > 1:
        return None
    return e.concatenate(parts or operands[:1], op.axis)


@rule(Concatenate, exact=True, example=lambda s: _split_and_joined(s, s.input("f32[5,N]")))
def join_of_split(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """Slices of one value that follow each other are one slice."""
    assert isinstance(op, Concatenate)
    out: list[Value] = []
    for x in operands:
        merged = _one_slice(e, out[-1], x, op.axis) if out else None
        if merged is None:
            out.append(x)
        else:
            out[-1] = merged
    return e.concatenate(out, op.axis) if len(out) < len(operands) else None


def _one_slice(e: Emitter, a: Value, b: Value, axis: int) -> Value | None:
    if not isinstance(a.op, Slice) or not isinstance(b.op, Slice) or a.node.inputs[0] is not b.node.inputs[0]:
        return None
    one, two, step = a.op, b.op, a.op.steps[axis]
    follows = _meets(one.starts[axis] + one.sizes[axis] * step, two.starts[axis], two.sizes[axis])
    same = all(one.starts[k] == two.starts[k] and one.sizes[k] == two.sizes[k] for k in range(a.type.ndim) if k != axis)
    if not follows or not same or one.steps != two.steps:
        return None
    sizes = [d + two.sizes[k] if k == axis else d for k, d in enumerate(one.sizes)]
    return e.slice(a.node.inputs[0], one.starts, sizes, one.steps)


def _split_and_joined(s: Sketch, x: Value) -> Value:
    n = x.shape[1]
    return s.concatenate([s.slice(x, (1, 0), (2, n)), s.slice(x, (3, 0), (2, n))], 0)


@rule(Transpose, exact=True, example=lambda s: s.transpose(s.input("f32[N,1,3]"), (1, 0, 2)))
def transpose_of_unit_axes(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A transpose that only moves axes of size 1 is a reshape, which moves nothing."""
    assert isinstance(op, Transpose)
    (x,) = operands
    moved = [k for k in op.permutation if x.shape[k] != 1]
    return e.reshape(x, [x.shape[k] for k in op.permutation]) if moved == sorted(moved) else None


@rule(
    *_ELEMENTWISE,
    exact=True,
    sees=(Transpose,),
    example=lambda s: s.mul(s.transpose(s.input("f32[4,N]"), (1, 0)), 2.0),
)
def compute_before_transpose(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """f(transposed a, transposed b, c) = transposed f(a, b, c) for repeated scalars c: transposes move outward, where
    they meet their inverses and products."""
    orders = {v.op.permutation for v in operands if isinstance(v.op, Transpose)}
    if len(orders) != 1:
        return None
    (order,) = orders
    moved: list[Value] = []
    for value in operands:
        if isinstance(value.op, Transpose):
            moved.append(value.node.inputs[0])
            continue
        spread = spread_of(value)
        if spread is None or spread.axes:
            return None
        shape = [value.shape[order.index(k)] for k in range(len(order))]
        moved.append(e.broadcast(spread.inner, shape, ()))  # type: ignore[arg-type]
    return e.transpose(e.apply(op, *moved), order)


@rule(Take, exact=True, example=lambda s: s.apply(Take(0), s.input("f32[5,N]"), _indices(s, [1, 3])))
def take_of_regular(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """Lookups at known places that lie at equal distances are a slice, and need no check."""
    assert isinstance(op, Take)
    x, at = operands
    size, places = x.shape[op.axis], constant_of(at)
    if isinstance(at.op, Iota) and at.op.length == size:
        return x
    one = scalar_of(at)
    if places is None and one is not None and at.type.ndim == 0:
        places = np.asarray(one)
    if places is None or not isinstance(size, int) or places.ndim > 1 or not places.size:
        return None
    flat = places.reshape(-1).astype(np.int64)
    flat = np.where(flat < 0, flat + size, flat)
    step = int(flat[1] - flat[0]) if flat.size > 1 else 1
    if flat.min() < 0 or flat.max() >= size or step == 0 or np.any(np.diff(flat) != step):
        return None
    starts, sizes, steps = [0] * x.type.ndim, list(x.shape), [1] * x.type.ndim
    starts[op.axis], sizes[op.axis], steps[op.axis] = int(flat[0]), flat.size, step
    return e.reshape(e.slice(x, starts, sizes, steps), (*x.shape[: op.axis], *at.shape, *x.shape[op.axis + 1 :]))


def _indices(s: Sketch, places: list[int]) -> Value:
    return s.constant(places, int64)


@rule(Cast, exact=True, example=lambda s: s.cast(s.apply(OneHot(4, float64), s.input("i32[N]", -2, 4)), float32))
def cast_of_one_hot(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """Ones and zeros of one dtype are made in the other; and so are the numbers 0, 1, 2, ... where both hold them."""
    assert isinstance(op, Cast)
    (y,) = operands
    at = operand_of(y, OneHot)
    if at is not None:
        return e.apply(OneHot(y.shape[-1], op.dtype), at)
    if isinstance(y.op, Iota) and isinstance(y.op.length, int) and y.op.length <= 127:
        return e.iota(y.op.length, op.dtype) if not op.dtype.is_bool else None
    return None


RULES = (
    slice_before_transpose, slice_of_embedded, merge_embeds, drop_idle_embed, merge_concatenations,
    join_of_split, transpose_of_unit_axes, compute_before_transpose, take_of_regular, cast_of_one_hot,
)  # fmt: skip
INEXACT = (sum_of_neighbours,)
