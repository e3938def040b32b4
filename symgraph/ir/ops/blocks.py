"""Ops that cut out, put in and join blocks of elements: slice, embed, concatenate.

None of them computes; inside a kernel they are index arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ShapeError
from ..algebra import Algebra, V
from ..checks import normalize_axis, same_dtype
from ..dim_order import is_nonnegative
from ..dims import Dim, Shape, shape_text, static_shape, symbol
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Indexed, Reader, Sample, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given
from .sampling import floats, integers

N = symbol("N")


def first_outside(start: Dim, count: Dim, step: int, size: Dim) -> Dim | None:
    """Which of the positions ``start + i*step`` for ``i < count`` surely is outside an axis, if one is."""
    if not isinstance(count, int) or count == 0:
        return None
    ends = (start, start + (count - 1) * step)
    return next((p for p in ends if is_nonnegative(-1 - p) or is_nonnegative(p - size)), None)


@register
@record
class Slice(Indexed):
    """Elements ``starts + i*steps`` for ``i < sizes``; steps may be negative. The positions lie inside the operand: a
    start may be outside where there are none."""

    starts: tuple[Dim, ...]
    sizes: tuple[Dim, ...]
    steps: tuple[int, ...]
    name = "slice"
    equivalents = "x[a:b:c]; theano x[a:b:c]"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        (x,) = operands
        if not len(self.starts) == len(self.sizes) == len(self.steps) == x.ndim:
            raise ShapeError(f"slice of {len(self.starts)} axes of an operand of type {x}")
        for axis, (start, size, step) in enumerate(zip(self.starts, self.sizes, self.steps, strict=True)):
            if step == 0:
                raise ShapeError("slice step is zero")
            if isinstance(size, int) and size < 0:
                raise ShapeError(f"slice of {size} positions of axis {axis} of {x}")
            outside = first_outside(start, size, step, x.shape[axis])
            if outside is not None:
                raise ShapeError(f"slice reads position {outside} of axis {axis} of {x}")
        return (x.with_shape(self.sizes),)

    def fold(self, e: Emitter, operands: Sequence[Value]) -> Value | None:
        (x,) = operands
        whole = all(start == 0 and step == 1 for start, step in zip(self.starts, self.steps, strict=True))
        return x if whole and self.sizes == x.shape else None

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        triples = zip(index, self.starts, self.steps, strict=True)
        return readers[0]([s.add(s.mul(i, s.index(step)), s.size(start)) for i, start, step in triples])

    def reference(self, *arrays: Array) -> Array:
        (x,) = arrays
        starts, sizes = static_shape(self.starts), static_shape(self.sizes)
        grids = [a + step * np.arange(n) for a, n, step in zip(starts, sizes, self.steps, strict=True)]
        return np.array(x[np.ix_(*grids)] if grids else x)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (e.pad(given(cotangents), self.starts, operands[0].shape, self.steps),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls((1, 0), (2, 4), (1, 1)), (floats(3, 4),)),
            Sample(cls((0, 3), (2, 4), (2, -1)), (floats(3, 4),)),
            Sample(cls((N - 1,), (N,), (-1,)), (floats(6),), ((0, 0, "N"),)),
            Sample(cls((1,), (N - 1,), (1,)), (floats(6),), ((0, 0, "N"),)),
            Sample(cls((3,), (0,), (1,)), (floats(3),)),
            Sample(cls((0,), (4,), (1,)), (floats(3),), error="slice reads"),
            Sample(cls((0,), (3,), (0,)), (floats(3),), error="step is zero"),
        ]


@register
@record
class Embed(Indexed):
    """Zeros of ``shape`` with the operand written at ``low + i*steps``: the transpose of ``slice``, and zero
    padding."""

    low: tuple[Dim, ...]
    shape: Shape
    steps: tuple[int, ...]
    name = "embed"
    reads_under_mask = True
    equivalents = "np.pad(mode='constant'); theano.tensor.set_subtensor(zeros(shape)[a:b:c], x); K.spatial_2d_padding"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        (x,) = operands
        if not len(self.low) == len(self.shape) == len(self.steps) == x.ndim:
            raise ShapeError(f"embed of {len(self.low)} axes of an operand of type {x}")
        for axis, (low, size, step) in enumerate(zip(self.low, self.shape, self.steps, strict=True)):
            outside = low if step == 0 else first_outside(low, x.shape[axis], step, size)
            if outside is not None:
                raise ShapeError(f"embed writes position {outside} of axis {axis} of shape {shape_text(self.shape)}")
        return (x.with_shape(self.shape),)

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        (x,) = operands
        inside: V | None = None
        where: list[V] = []
        for axis, i in enumerate(index):
            step, low, size = self.steps[axis], self.low[axis], x.shape[axis]
            if low == 0 and step == 1 and size == self.shape[axis]:
                where.append(i)
                continue
            offset = s.sub(i, s.size(low))
            if step < 0:
                offset = s.neg(offset)
            stride = s.index(abs(step))
            at = offset if abs(step) == 1 else s.floordiv(offset, stride)
            hit = s.both(s.ge(at, s.index(0)), s.lt(at, s.size(size)))
            if abs(step) != 1:
                hit = s.both(hit, s.eq(s.mod(offset, stride), s.index(0)))
            where.append(s.select(hit, at, s.index(0)))
            inside = hit if inside is None else s.both(inside, hit)
        if any(d == 0 for d in x.shape):
            return s.const(0, result.dtype)
        value = readers[0](where)
        return value if inside is None else s.select(inside, value, s.like(0, value))

    def reference(self, *arrays: Array) -> Array:
        (x,) = arrays
        out = np.zeros(static_shape(self.shape), x.dtype)
        lows = static_shape(self.low)
        grids = [a + step * np.arange(n) for a, n, step in zip(lows, x.shape, self.steps, strict=True)]
        out[np.ix_(*grids) if grids else ()] = x
        return out

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (e.slice(given(cotangents), self.low, operands[0].shape, self.steps),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls((1, 0), (4, 4), (1, 1)), (floats(3, 4),)),
            Sample(cls((0, 3), (5, 4), (2, -1)), (floats(3, 4),)),
            Sample(cls((2,), (N + 3,), (1,)), (floats(6),), ((0, 0, "N"),)),
            Sample(cls((1,), (3,), (1,)), (floats(3),), error="embed writes"),
        ]


@register
@record
class Concatenate(Indexed):
    """Operands one after the other along ``axis``."""

    axis: int
    name = "concatenate"
    reads_under_mask = True
    equivalents = "np.concatenate, np.stack; theano.tensor.concatenate; K.concatenate"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        if not operands:
            raise ShapeError("concatenate needs at least one operand")
        first = operands[0]
        dtype = same_dtype(self.name, operands)
        axis = normalize_axis(self.axis, first.ndim, self.name)
        shape = list(first.shape)
        for other in operands[1:]:
            if other.ndim != first.ndim:
                raise ShapeError(f"concatenate of {first} and {other}: ranks differ")
            for k in range(first.ndim):
                if k != axis:
                    try:
                        shape[k] = facts.unify(shape[k], other.shape[k])
                    except ShapeError:
                        raise ShapeError(
                            f"concatenate of {first} and {other} along axis {axis}: axis {k} differs"
                        ) from None
            shape[axis] = shape[axis] + other.shape[axis]
        return (TensorType(dtype, tuple(shape)),)

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        at = index[self.axis]
        start: Dim = 0
        out: V | None = None
        for reader, operand in zip(readers, operands, strict=True):
            if operand.shape[self.axis] == 0:
                continue
            inside = s.both(s.ge(at, s.size(start)), s.lt(at, s.size(start + operand.shape[self.axis])))
            local = s.select(inside, s.sub(at, s.size(start)), s.index(0))
            value = reader([*index[: self.axis], local, *index[self.axis + 1 :]])
            out = s.select(inside, value, s.like(0, value) if out is None else out)
            start = start + operand.shape[self.axis]
        return s.const(0, result.dtype) if out is None else out

    def reference(self, *arrays: Array) -> Array:
        return np.asarray(np.concatenate(arrays, self.axis))

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        g = given(cotangents)
        out: list[Value | None] = []
        start: Dim = 0
        for x in operands:
            starts: list[Dim] = [0] * x.type.ndim
            starts[self.axis] = start
            out.append(e.slice(g, starts, x.shape))
            start = start + x.shape[self.axis]
        return out

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(0), (floats(2, 3, seed=1), floats(4, 3, seed=2))),
            Sample(cls(1), (floats(5, 3, seed=1), floats(5, 1, seed=2), floats(5, 2, seed=3)), tuple((i, 0, "N") for i
            in range(3))),
            Sample(cls(0), (floats(3, seed=1), floats(4, seed=2)), ((0, 0, "N"), (1, 0, "M"))),
            Sample(cls(0), (floats(2, 3), floats(2, 4)), error="axis 1 differs"),
            Sample(cls(2), (floats(2, 3), floats(2, 3)), error="out of range"),
            Sample(cls(0), (floats(2), integers(2)), error="one dtype"),
        ]  # fmt: skip
