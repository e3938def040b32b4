"""Ops whose result depends on positions: iota, one-hot, take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...dtypes import DType, float32, int32, int64
from ...errors import BoundsError, DTypeError, ShapeError
from ..algebra import Algebra, V
from ..checks import normalize_axis
from ..dims import Dim, static_size, symbol
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Indexed, Reader, Sample, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given
from .sampling import floats, integers

N = symbol("N")


@register
@dataclass(frozen=True)
class Iota(Indexed):
    """``0, 1, ..., length-1``."""

    length: Dim
    dtype: DType
    name = "iota"
    equivalents = "np.arange; theano.tensor.arange; K.arange"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        return (TensorType(self.dtype, (facts.resolve(self.length),)),)

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        return s.cast(index[0], self.dtype)

    def reference(self, *arrays: Array) -> Array:
        return np.arange(static_size(self.length)).astype(self.dtype.np)

    def vjp(self, e: Emitter, operands: Any, results: Any, cotangents: Any) -> Cotangents:
        return ()

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [Sample(cls(5, int32), ()), Sample(cls(0, float32), ()), Sample(cls(4, float32), ())]


@register
@dataclass(frozen=True)
class OneHot(Indexed):
    """A new last axis of size ``depth``: 1 where the index equals the position, else 0 (all 0 for an index outside)."""

    depth: Dim
    dtype: DType
    name = "one_hot"
    equivalents = "np.eye(n)[x]; theano.tensor.extra_ops.to_one_hot; K.one_hot"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        (x,) = operands
        if not x.dtype.is_integer:
            raise DTypeError(f"one_hot needs integer indices, got {x}")
        return (TensorType(self.dtype, (*x.shape, self.depth)),)

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        hit = s.eq(s.cast(readers[0](index[:-1]), int64), index[-1])
        return s.select(hit, s.const(1, self.dtype), s.const(0, self.dtype))

    def reference(self, *arrays: Array) -> Array:
        return np.asarray(arrays[0][..., None] == np.arange(static_size(self.depth)), self.dtype.np)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (None,)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(4, float32), (integers(5, low=0, high=4),), ((0, 0, "N"),)),
            Sample(cls(3, float32), (integers(2, 5, low=-1, high=5, dtype="int64"),)),
            Sample(cls(3, float32), (floats(2),), error="integer indices"),
        ]


@register
@dataclass(frozen=True)
class Take(Indexed):
    """Slices of the first operand at the indices of the second along ``axis``; negative indices count from the end.

    Raises:
        BoundsError: when run, for an index outside the axis.
    """

    axis: int
    name = "take"
    equivalents = "np.take, x[indices]; theano.tensor.take; K.gather"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        x, indices = operands
        if not indices.dtype.is_integer:
            raise DTypeError(f"take needs integer indices, got {indices}")
        axis = normalize_axis(self.axis, x.ndim, self.name)
        if axis != self.axis:
            raise ShapeError(f"take needs a non-negative axis, got {self.axis}")
        return (x.with_shape((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])),)

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        x, indices = operands
        end = self.axis + indices.ndim
        at = s.cast(readers[1](index[self.axis : end]), int64)
        size = s.size(x.shape[self.axis])
        wrapped = s.select(s.lt(at, s.index(0)), s.add(at, size), at)
        return readers[0]([*index[: self.axis], s.bounds(wrapped, size, self.axis), *index[end:]])

    def reference(self, *arrays: Array) -> Array:
        x, indices = arrays
        size = x.shape[self.axis]
        outside = (indices < -size) | (indices >= size)
        if outside.any():
            raise BoundsError(f"index {indices[outside].flat[0]} is out of bounds for axis {self.axis} of size {size}")
        return np.take(x, indices.astype(np.int64), self.axis)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        x, indices = operands
        g = given(cotangents)
        size, n = x.shape[self.axis], indices.type.ndim
        # Sum over the positions that read each slice: a contraction with the one-hot indices.
        wrapped = e.where(e.lt(indices, 0), e.add(indices, e.size(size, indices.dtype)), indices)
        hits = e.apply(OneHot(size, g.dtype), wrapped)
        letters = "abcdefghijklmnopqrstuvw"
        left, inner, right = letters[: self.axis], letters[10 : 10 + n], letters[self.axis : x.type.ndim - 1]
        return (e.contract(f"{left}{inner}{right},{inner}z->{left}z{right}", g, hits), None)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(0), (floats(5, 3), np.array([4, 0, -1, 0])), ((1, 0, "N"),)),
            Sample(cls(1), (floats(2, 4, 3), np.array([[1, 3], [0, 0]], "int32")), ((0, 0, "N"),)),
            Sample(cls(0), (integers(6), np.array(2))),
            Sample(cls(0), (floats(5), floats(2)), error="integer indices"),
            Sample(cls(3), (floats(5), integers(2)), error="out of range"),
        ]
