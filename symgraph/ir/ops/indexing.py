"""Ops whose result depends on positions: iota, one-hot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import DType, float32, int32, int64
from ...errors import DTypeError
from ..algebra import Algebra, V
from ..dims import Dim, static_size, symbol
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Indexed, Reader, Sample, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents
from .sampling import floats, integers

N = symbol("N")


@register
@record
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
@record
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
