"""Reading at positions that are data: take, take_along_axis, gather_nd. Their transposes are in :mod:`.scatter`.

Negative indices count from the end; every index is checked when run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import int64
from ...errors import BoundsError, DTypeError, ShapeError
from ..algebra import Algebra, V
from ..checks import normalize_axis
from ..dims import Dim
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Indexed, Reader, Sample, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given
from .sampling import floats, integers


class Gather(Indexed):
    """An element of the first operand for each result index, at a place that the second operand (integers) says."""

    def place(
        self, s: Algebra[V], index: Sequence[V], read: Reader[V], x: TensorType, indices: TensorType
    ) -> Sequence[V]:
        """Where the result's element at ``index`` comes from; ``read`` reads the indices."""
        raise NotImplementedError(f"{type(self).__name__}.place")

    def independent(self, x: TensorType, indices: TensorType) -> tuple[bool, ...]:
        """For each axis of the result, whether different places along it read different elements for certain."""
        raise NotImplementedError(f"{type(self).__name__}.independent")

    def scattered(self, e: Emitter, shape: Sequence[Dim], updates: Value, indices: Value) -> Value:
        """Zeros with the updates added where this op reads: the transpose."""
        raise NotImplementedError(f"{type(self).__name__}.scattered")

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        x, indices = operands
        place = self.place(s, index, readers[1], x, indices)
        value = readers[0](place)
        for at, size in zip(place, x.shape, strict=True):
            if size == 1:
                # An axis of length one is read at 0 whatever its index is; using the index keeps its check.
                value = s.select(s.eq(at, s.index(0)), value, s.like(0, value))
        return value

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        x, indices = operands
        return (self.scattered(e, x.shape, given(cotangents), indices), None)


def position(s: Algebra[V], index: V, size: Dim, axis: int) -> V:
    """A possibly negative index (of any integer dtype) into an axis, checked."""
    at, end = s.cast(index, int64), s.size(size)
    return s.bounds(s.select(s.lt(at, s.index(0)), s.add(at, end), at), end, axis)


def check_indices(name: str, indices: TensorType) -> None:
    if not indices.dtype.is_integer:
        raise DTypeError(f"{name} needs integer indices, got {indices}")


def checked(indices: Array, size: int, axis: int) -> Array:
    """NumPy indices, none negative.

    Raises:
        BoundsError: for one outside the axis.
    """
    wide = indices.astype(np.int64)
    outside = (wide < -size) | (wide >= size)
    if outside.any():
        raise BoundsError(f"index {wide[outside].flat[0]} is out of bounds for axis {axis} of size {size}")
    return np.where(wide < 0, wide + size, wide)


@register
@record
class Take(Gather):
    """Slices of the first operand at the indices of the second along ``axis``.

    Raises:
        BoundsError: when run, for an index outside the axis.
    """

    axis: int
    name = "take"
    equivalents = "np.take, x[indices]; theano.tensor.take; K.gather"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        x, indices = operands
        check_indices(self.name, indices)
        axis = normalize_axis(self.axis, x.ndim, self.name)
        if axis != self.axis:
            raise ShapeError(f"take needs a non-negative axis, got {self.axis}")
        return (x.with_shape((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])),)

    def place(
        self, s: Algebra[V], index: Sequence[V], read: Reader[V], x: TensorType, indices: TensorType
    ) -> Sequence[V]:
        end = self.axis + indices.ndim
        at = position(s, read(index[self.axis : end]), x.shape[self.axis], self.axis)
        return [*index[: self.axis], at, *index[end:]]

    def independent(self, x: TensorType, indices: TensorType) -> tuple[bool, ...]:
        return (True,) * self.axis + (False,) * indices.ndim + (True,) * (x.ndim - self.axis - 1)

    def scattered(self, e: Emitter, shape: Sequence[Dim], updates: Value, indices: Value) -> Value:
        from .scatter import ScatterAdd

        return e.apply(ScatterAdd("take", self.axis), e.full(tuple(shape), 0, updates.dtype), updates, indices)

    def reference(self, *arrays: Array) -> Array:
        x, indices = arrays
        return np.take(x, checked(indices, x.shape[self.axis], self.axis), self.axis)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(0), (floats(5, 3), np.array([4, 0, -1, 0])), ((1, 0, "N"),)),
            Sample(cls(1), (floats(2, 4, 3), np.array([[1, 3], [0, 0]], "int32")), ((0, 0, "N"),)),
            Sample(cls(0), (integers(6), np.array(2))),
            Sample(cls(0), (floats(4, 3), np.zeros(0, "int32")), ((0, 0, "N"), (1, 0, "M"))),
            Sample(cls(0), (floats(5), floats(2)), error="integer indices"),
            Sample(cls(3), (floats(5), integers(2)), error="out of range"),
        ]


@register
@record
class TakeAlong(Gather):
    """The element at the index along ``axis``, at the same place along all others (which have equal sizes)."""

    axis: int
    name = "take_along_axis"
    equivalents = "np.take_along_axis"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        x, indices = operands
        check_indices(self.name, indices)
        normalize_axis(self.axis, x.ndim, self.name)
        if x.ndim != indices.ndim:
            raise ShapeError(f"take_along_axis of {x} with indices {indices}: ranks differ")
        shape = list(indices.shape)
        for k in range(x.ndim):
            if k != self.axis:
                shape[k] = facts.unify(x.shape[k], indices.shape[k], f"sizes of axis {k} of take_along_axis")
        return (x.with_shape(shape),)

    def place(
        self, s: Algebra[V], index: Sequence[V], read: Reader[V], x: TensorType, indices: TensorType
    ) -> Sequence[V]:
        at = position(s, read(index), x.shape[self.axis], self.axis)
        return [*index[: self.axis], at, *index[self.axis + 1 :]]

    def independent(self, x: TensorType, indices: TensorType) -> tuple[bool, ...]:
        return tuple(k != self.axis for k in range(x.ndim))

    def scattered(self, e: Emitter, shape: Sequence[Dim], updates: Value, indices: Value) -> Value:
        from .scatter import ScatterAdd

        zeros = e.full(tuple(shape), 0, updates.dtype)
        return e.apply(ScatterAdd("take_along_axis", self.axis), zeros, updates, indices)

    def reference(self, *arrays: Array) -> Array:
        x, indices = arrays
        return np.take_along_axis(x, checked(indices, x.shape[self.axis], self.axis), self.axis)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        at = integers(3, 2, low=-4, high=4)
        return [
            Sample(cls(1), (floats(3, 4), at), ((0, 0, "N"), (1, 0, "N"))),
            Sample(cls(0), (floats(4, 3), at.T.copy()), ((0, 1, "N"), (1, 1, "N"))),
            Sample(cls(1), (floats(2, 3, 4, dtype="float32"), integers(2, 5, 4, low=0, high=3, dtype="int64"))),
            Sample(cls(0), (floats(5), integers(7, low=0, high=5)), ((0, 0, "N"), (1, 0, "M"))),
            Sample(cls(1), (floats(0, 4), integers(0, 2))),
            Sample(cls(1), (floats(1, 1), np.zeros((1, 1), "int32"))),
            Sample(cls(1), (floats(3, 4), integers(2, 2)), error="sizes of axis 0"),
            Sample(cls(1), (floats(3, 4), integers(3)), error="ranks differ"),
            Sample(cls(1), (floats(3, 4), floats(3, 4)), error="integer indices"),
        ]


@register
class GatherNd(Gather):
    """Slices of the first operand at the index vectors along the last axis of the second, which index its first
    axes."""

    name = "gather_nd"
    equivalents = "x[i, j, ...] with index arrays; theano AdvancedSubtensor; tf.gather_nd"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        x, indices = operands
        check_indices(self.name, indices)
        depth = indices.shape[-1] if indices.shape else None
        if not isinstance(depth, int) or depth > x.ndim:
            raise ShapeError(f"gather_nd of {x} needs index vectors of a known length up to {x.ndim}, got {indices}")
        return (x.with_shape((*indices.shape[:-1], *x.shape[depth:])),)

    def place(
        self, s: Algebra[V], index: Sequence[V], read: Reader[V], x: TensorType, indices: TensorType
    ) -> Sequence[V]:
        outer, depth = indices.ndim - 1, self._depth(indices)
        at = [position(s, read([*index[:outer], s.index(k)]), x.shape[k], k) for k in range(depth)]
        return [*at, *index[outer:]]

    @staticmethod
    def _depth(indices: TensorType) -> int:
        depth = indices.shape[-1]
        assert isinstance(depth, int)
        return depth

    def independent(self, x: TensorType, indices: TensorType) -> tuple[bool, ...]:
        return (False,) * (indices.ndim - 1) + (True,) * (x.ndim - self._depth(indices))

    def scattered(self, e: Emitter, shape: Sequence[Dim], updates: Value, indices: Value) -> Value:
        from .scatter import ScatterAdd

        return e.apply(ScatterAdd("gather_nd", 0), e.full(tuple(shape), 0, updates.dtype), updates, indices)

    def reference(self, *arrays: Array) -> Array:
        x, indices = arrays
        return np.array(x[nd_key(x.shape, indices)])

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        pairs = np.array([[0, 1], [2, -1], [0, 1], [-3, 0]])
        return [
            Sample(cls(), (floats(3, 4), pairs), ((1, 0, "N"),)),
            Sample(cls(), (floats(3, 4, 2), pairs.astype("int32")), ((0, 2, "N"), (1, 0, "M"))),
            Sample(cls(), (floats(3, 4), np.array([[[1]], [[2]]]))),
            Sample(cls(), (floats(3), np.array([2]))),
            Sample(cls(), (floats(3, 4), np.zeros((0, 2), "int64")), ((1, 0, "N"),)),
            Sample(cls(), (floats(3), integers(2, 2)), error="index vectors"),
            Sample(cls(), (floats(3), floats(2, 1)), error="integer indices"),
        ]


def nd_key(shape: Sequence[int], indices: Array) -> tuple[Any, ...]:
    """Index vectors as a NumPy key."""
    return tuple(checked(indices[..., k], shape[k], k) for k in range(indices.shape[-1]))
