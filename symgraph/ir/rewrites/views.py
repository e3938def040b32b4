"""Broadcasts, reshapes, transposes and slices: merged, pushed outward, and folded into products."""

from __future__ import annotations

from collections.abc import Sequence

from ..dims import Dim
from ..emitter import Emitter
from ..graph import Value
from ..op import REGISTRY, Elementwise, Op
from ..ops.blocks import Concatenate, Slice
from ..ops.views import Broadcast, Reshape, Transpose
from ..pattern import Spread, operand_of, scalar_of, spread_of
from .rule import rule

_ELEMENTWISE = tuple(cls for cls in REGISTRY.values() if issubclass(cls, Elementwise))


@rule(Broadcast, exact=True, example=lambda s: s.apply(Broadcast((2, 3), (0, 1)), s.input("f32[2,3]")))
def drop_identity_broadcast(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A broadcast to the operand's own shape is the operand."""
    assert isinstance(op, Broadcast)
    (x,) = operands
    return x if x.shape == op.shape and op.axes == tuple(range(x.type.ndim)) else None


@rule(
    Broadcast,
    exact=True,
    example=lambda s: s.broadcast(s.broadcast(s.input("f32[3]"), (2, 3), (1,)), (2, 4, 3), (0, 2)),
)
def merge_broadcasts(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A broadcast of a broadcast is one."""
    assert isinstance(op, Broadcast)
    (x,) = operands
    if not isinstance(x.op, Broadcast):
        return None
    return e.broadcast(x.node.inputs[0], op.shape, [op.axes[k] for k in x.op.axes])


@rule(
    Broadcast,
    exact=True,
    example=lambda s: s.broadcast_to(s.reshape(s.input("f32[7]"), (7, 1)), (7, 5)),
)
def broadcast_without_unit_axes(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A broadcast whose operand has axes of size 1 leaves them out; it stretches nothing."""
    assert isinstance(op, Broadcast)
    (x,) = operands
    kept = [k for k, d in enumerate(x.shape) if d != 1]
    if len(kept) == x.type.ndim:
        return None
    return e.broadcast(e.reshape(x, [x.shape[k] for k in kept]), op.shape, [op.axes[k] for k in kept])


@rule(Reshape, exact=True, example=lambda s: s.reshape(s.full((2, 3), 1.5, s.input("f32[1]").dtype), (3, 2)))
def reshape_of_broadcast(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A reshape of a repeated scalar repeats it to the new shape; one that only adds or drops axes of size 1 moves
    inside a broadcast."""
    assert isinstance(op, Reshape)
    spread = spread_of(operands[0])
    if spread is None:
        return None
    if not spread.axes:
        return e.broadcast(spread.inner, op.shape, ())
    old = [k for k, d in enumerate(spread.shape) if d != 1]
    new = [k for k, d in enumerate(op.shape) if d != 1]
    if [spread.shape[k] for k in old] != [op.shape[k] for k in new] or any(k not in old for k in spread.axes):
        return None
    place = dict(zip(old, new, strict=True))
    return e.broadcast(spread.inner, op.shape, [place[k] for k in spread.axes])


@rule(Transpose, exact=True, example=lambda s: s.transpose(s.broadcast(s.input("f32[3]"), (2, 3), (1,)), (1, 0)))
def transpose_of_broadcast(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A transposed broadcast is a broadcast of the transposed operand."""
    assert isinstance(op, Transpose)
    spread = spread_of(operands[0])
    if spread is None:
        return None
    to = [op.permutation.index(axis) for axis in spread.axes]
    order = sorted(range(len(to)), key=to.__getitem__)
    shape = tuple(spread.shape[k] for k in op.permutation)
    return e.broadcast(e.transpose(spread.inner, order), shape, sorted(to))


@rule(
    Slice,
    exact=True,
    example=lambda s: s.slice(s.broadcast(s.input("f32[3]"), (4, 3), (1,)), (1, 0), (2, 3)),
)
def slice_of_broadcast(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A slice of repeated elements repeats less; only the operand's own axes are sliced."""
    assert isinstance(op, Slice)
    spread = spread_of(operands[0])
    if spread is None:
        return None
    inner = spread.inner
    if spread.axes:
        chosen: list[tuple[Dim, ...]] = [tuple(part[k] for k in spread.axes) for part in (op.starts, op.sizes)]
        inner = e.slice(inner, chosen[0], chosen[1], [op.steps[k] for k in spread.axes])
    return e.broadcast(inner, op.sizes, spread.axes)


@rule(Slice, exact=True, example=lambda s: s.slice(s.slice(s.input("f32[9]"), (8,), (4,), (-2,)), (1,), (2,), (2,)))
def merge_slices(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A slice of a slice is one."""
    assert isinstance(op, Slice)
    inner = operands[0].op
    if not isinstance(inner, Slice):
        return None
    starts = [a + b * t for a, b, t in zip(inner.starts, op.starts, inner.steps, strict=True)]
    steps = [a * b for a, b in zip(inner.steps, op.steps, strict=True)]
    return e.slice(operands[0].node.inputs[0], starts, op.sizes, steps)


@rule(
    Slice,
    exact=True,
    example=lambda s: s.slice(s.concatenate([s.input("f32[2]"), s.input("f32[3]")], 0), (3,), (2,)),
)
def slice_of_concatenation(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A slice inside one of the concatenated operands is a slice of it."""
    assert isinstance(op, Slice)
    joined = operands[0]
    if not isinstance(joined.op, Concatenate):
        return None
    axis, start, size = joined.op.axis, op.starts[joined.op.axis], op.sizes[joined.op.axis]
    if op.steps[axis] != 1:
        return None
    begin: Dim = 0
    for part in joined.node.inputs:
        offset = start - begin
        room = part.shape[axis] - offset - size
        if isinstance(offset, int) and isinstance(room, int) and offset >= 0 and room >= 0:
            starts = [*op.starts[:axis], offset, *op.starts[axis + 1 :]]
            return e.slice(part, starts, op.sizes, op.steps)
        begin = begin + part.shape[axis]
    return None


@rule(
    *_ELEMENTWISE,
    exact=True,
    sees=(Broadcast,),
    example=lambda s: s.add(s.broadcast(s.input("f32[3]"), (4, 3), (1,)), s.broadcast(s.input("f32[3]"), (4, 3), (1,))),
)
def compute_before_broadcast(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """f(broadcast a, broadcast b) = broadcast f(a, b): each distinct element is computed once."""
    spreads = [spread_of(v) for v in operands]
    known = [s for s in spreads if s is not None]
    if not known or len(known) < len(spreads):
        return None
    widest = max(known, key=lambda s: len(s.axes))
    if any(not set(s.axes) <= set(widest.axes) for s in known):
        return None
    return e.broadcast(e.apply(op, *(_within(e, s, widest) for s in known)), widest.shape, widest.axes)


@rule(
    *_ELEMENTWISE,
    exact=True,
    sees=(Reshape,),
    example=lambda s: s.add(s.reshape(s.input("f32[N,3]"), (*s.arguments[0].shape, 1)), 2.0),
)
def compute_before_reshape(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """f(reshape a, c) = reshape f(a, c) for repeated scalars c: views move outward, where they merge."""
    inner = [None if scalar_of(v) is not None else operand_of(v, Reshape) for v in operands]
    shapes = {x.shape for x in inner if x is not None}
    if len(shapes) != 1:
        return None
    (shape,) = shapes
    moved: list[Value] = []
    for value, x in zip(operands, inner, strict=True):
        spread = spread_of(value)
        if x is None and (spread is None or spread.axes):
            return None
        moved.append(e.broadcast(spread.inner, shape, ()) if spread is not None and x is None else x)  # type: ignore[arg-type]
    return e.reshape(e.apply(op, *moved), operands[0].shape)


def _within(e: Emitter, narrow: Spread, wide: Spread) -> Value:
    """The inner value of ``narrow`` repeated to the inner shape of ``wide``."""
    return e.broadcast(narrow.inner, wide.inner.shape, [wide.axes.index(axis) for axis in narrow.axes])


RULES = (
    drop_identity_broadcast, merge_broadcasts, broadcast_without_unit_axes, reshape_of_broadcast,
    transpose_of_broadcast, slice_of_broadcast, merge_slices, slice_of_concatenation, compute_before_broadcast,
    compute_before_reshape,
)  # fmt: skip
