"""Ops that move elements around an axis or onto a diagonal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...dtypes import int64
from ...errors import ShapeError
from ..algebra import Algebra, V
from ..checks import check_axes
from ..dim_order import maximum, minimum
from ..dims import Dim, symbol
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Indexed, Reader, Sample, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given
from .indexing import Iota
from .sampling import floats, integers

N = symbol("N")


@register
@record
class Roll(Indexed):
    """Elements moved on by ``shift`` places along ``axis``; those that leave come in at the other end."""

    shift: int
    axis: int
    name = "roll"
    equivalents = "np.roll; theano.tensor.roll"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        check_axes(self.name, (self.axis,), operands[0])
        return operands[:1]

    def fold(self, e: Emitter, operands: Sequence[Value]) -> Value | None:
        return operands[0] if self.shift == 0 else None

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        size = result.shape[self.axis]
        if isinstance(size, int):
            shift = self.shift % size if size else 0
            at = s.sub(index[self.axis], s.index(shift))
            at = s.select(s.lt(at, s.index(0)), s.add(at, s.index(size)), at)
        else:
            at = s.mod(s.sub(index[self.axis], s.index(self.shift)), s.size(size))
        return readers[0]([*index[: self.axis], at, *index[self.axis + 1 :]])

    def reference(self, *arrays: Array) -> Array:
        return np.roll(arrays[0], self.shift, self.axis)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (e.apply(Roll(-self.shift, self.axis), given(cotangents)),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(1, 0), (floats(5, 3),), ((0, 0, "N"),)),
            Sample(cls(-9, 1), (floats(2, 4),), ((0, 0, "N"), (0, 1, "M"))),
            Sample(cls(7, 1), (integers(2, 4, 3),)),
            Sample(cls(2, 0), (floats(0, 3),), ((0, 0, "N"),)),
            Sample(cls(2, 0), (floats(1),), ((0, 0, "N"),)),
            Sample(cls(1, 2), (floats(3, 4),), error="axes"),
        ]


@register
@record
class Diagonal(Indexed):
    """Elements ``x[..., i, i + offset]`` (``x[..., i - offset, i]`` below) of matrices, as a new last axis."""

    offset: int
    name = "diagonal"
    equivalents = "np.diagonal, np.diag, np.trace; theano.tensor.diagonal"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        (x,) = operands
        if x.ndim < 2:
            raise ShapeError(f"diagonal of {x}, which is no matrix")
        rows, columns = x.shape[-2:]
        down, right = max(0, -self.offset), max(0, self.offset)
        return (x.with_shape((*x.shape[:-2], maximum(minimum(rows - down, columns - right), 0))),)

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        *outer, at = index
        down, right = max(0, -self.offset), max(0, self.offset)
        return readers[0]([*outer, s.add(at, s.index(down)), s.add(at, s.index(right))])

    def reference(self, *arrays: Array) -> Array:
        return np.array(np.diagonal(arrays[0], self.offset, -2, -1))

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        (x,), g = operands, given(cotangents)
        rows, columns = x.shape[-2:]
        if g.shape[-1] == 0:
            return (e.zeros_like(x),)
        # Row i of the result holds g[i + min(offset, 0)] where the column is i + offset.
        lows: list[Dim] = [*[0] * (g.type.ndim - 1), max(0, -self.offset)]
        per_row = e.pad(g, lows, (*g.shape[:-1], rows)) if g.shape[-1] != rows else g
        last = x.type.ndim
        wide = e.broadcast(per_row, x.shape, tuple(range(last - 1)))
        row = e.broadcast(e.apply(Iota(rows, int64)), x.shape, (last - 2,))
        column = e.broadcast(e.apply(Iota(columns, int64)), x.shape, (last - 1,))
        return (e.where(e.eq(e.add(row, self.offset), column), wide, 0.0),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(0), (floats(4, 4),), ((0, 0, "N"), (0, 1, "N"))),
            Sample(cls(0), (floats(2, 3, 5),), ((0, 0, "N"),)),
            Sample(cls(1), (floats(3, 4),)),
            Sample(cls(-2), (floats(4, 3),)),
            Sample(cls(0), (floats(2, 5, 3),), ((0, 1, "N"), (0, 2, "M"))),
            Sample(cls(1), (floats(4, 3),), ((0, 0, "N"), (0, 1, "M"))),
            Sample(cls(-2), (floats(4, 3),), ((0, 0, "N"),)),
            Sample(cls(5), (floats(3, 4),), ((0, 1, "N"),)),
            Sample(cls(5), (floats(3, 4),)),
            Sample(cls(0), (integers(0, 4),)),
            Sample(cls(0), (floats(1, 1),)),
            Sample(cls(0), (floats(3),), error="no matrix"),
        ]
