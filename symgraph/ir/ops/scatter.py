"""Writing at positions that are data: the transposes of :mod:`.gathering`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...dtypes import int64
from ...errors import DTypeError, ShapeError
from ..algebra import Algebra, V
from ..checks import same_dtype
from ..dims import symbol
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Reader, Sample, Scatter, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given
from .gathering import Gather, GatherNd, Take, TakeAlong, checked, nd_key
from .indexing import Iota
from .sampling import booleans, floats, integers

N = symbol("N")

#: The ops whose places a scatter writes to, by name.
WAYS: dict[str, Callable[[int], Gather]] = {
    Take.name: Take, TakeAlong.name: TakeAlong, GatherNd.name: lambda axis: GatherNd(),
}  # fmt: skip


@record
class _At(Scatter):
    """Operands: an array, updates, indices. The update at an index goes to where the op ``way`` would read the element
    there."""

    way: str
    axis: int

    @property
    def gather(self) -> Gather:
        return WAYS[self.way](self.axis)

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        x, updates, indices = operands
        same_dtype(self.name, (x, updates))
        (read,) = self.gather.infer(facts, x, indices)
        facts.unify_shapes(read.shape, updates.shape, f"shapes of what is replaced by {self.name} and of the updates")
        moving = {k for k, _ in enumerate(x.shape)} if self.way == GatherNd.name else {self.axis}
        if any(x.shape[k] == 0 for k in moving) and indices.size != 0 and indices.is_static:
            raise ShapeError(f"{self.name} into an empty axis of {x}")
        return (x,)

    def target(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> Sequence[V]:  # fmt: skip
        return self.gather.place(s, index, readers[2], operands[0], operands[2])

    def independent(self, operands: Sequence[TensorType]) -> tuple[bool, ...]:
        return self.gather.independent(operands[0], operands[2])

    def key(self, x: Array, indices: Array) -> tuple[Any, ...]:
        """The NumPy key of the updates."""
        if self.way == GatherNd.name:
            return nd_key(x.shape, indices)
        at = checked(indices, x.shape[self.axis], self.axis)
        if self.way == Take.name:
            return (*(slice(None),) * self.axis, at)
        grid: list[Any] = list(np.indices(indices.shape, sparse=True))
        grid[self.axis] = at
        return tuple(grid)


@register
@record
class ScatterAdd(_At):
    """Updates are added to what is there; those that meet are all added, in row-major order."""

    name = "scatter_add"
    equivalents = "np.add.at; theano.tensor.inc_subtensor; tf.tensor_scatter_nd_add"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        if operands[0].dtype.is_bool:
            raise DTypeError("scatter_add is not defined for bool")
        return super().infer(facts, *operands)

    def combine(self, s: Algebra[V], old: V, update: V) -> V:
        return s.add(old, update)

    def reference(self, *arrays: Array) -> Array:
        x, updates, indices = arrays
        out = x.copy()
        np.add.at(out, self.key(x, indices), updates)
        return out

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        g = given(cotangents)
        return (g, e.apply(self.gather, g, operands[2]), None)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        pairs = np.array([[0, 1], [2, -1], [0, 1], [-3, 0]])
        rows = np.array([4, 0, -1, 0])
        large = integers(300, low=0, high=50)
        return [
            Sample(cls("take", 0), (floats(5, 3), floats(4, 3, seed=1), rows), ((1, 0, "N"), (2, 0, "N"))),
            Sample(cls("take", 0), (floats(5, 3), floats(4, 3, seed=1), rows), ((0, 0, "M"), (0, 1, "N"),
            (1, 1, "N"))),
            Sample(cls("take", 1), (floats(2, 4, 3), floats(2, 2, 2, 3, seed=1), np.array([[1, 3], [0, 0]], "int32")),
            ((0, 0, "N"), (1, 0, "N"))),
            Sample(cls("take", 0), (np.zeros(50, "float32"), floats(300, dtype="float32"), large), differentiable=()),
            Sample(cls("take", 0), (np.zeros((50, 40), "float32"), floats(300, 40, dtype="float32"), large)),
            Sample(cls("take", 0), (integers(6), integers(seed=1), np.array(2))),
            Sample(cls("take", 0), (floats(4, 3), floats(0, 3), np.zeros(0, "int32")), ((1, 0, "N"), (2, 0, "N"))),
            Sample(cls("take", 0), (floats(0, 3), floats(0, 3), np.zeros(0, "int32")), ((0, 0, "N"),)),
            Sample(cls("take_along_axis", 1), (floats(3, 4), floats(3, 2, seed=1), integers(3, 2, low=-4, high=4)),
            ((0, 0, "N"), (1, 0, "N"), (2, 0, "N"))),
            Sample(cls("take_along_axis", 0), (floats(4, 3), floats(2, 3, seed=1), integers(2, 3, low=-4, high=4))),
            Sample(cls("take_along_axis", 1), (floats(1, 1), floats(1, 1, seed=1), np.zeros((1, 1), "int32"))),
            Sample(cls("gather_nd", 0), (floats(3, 4), floats(4, seed=1), pairs), ((1, 0, "N"), (2, 0, "N"))),
            Sample(cls("gather_nd", 0), (floats(3, 4, 2), floats(4, 2, seed=1), pairs)),
            Sample(cls("take", 0), (floats(5, 3), floats(3, 3), rows), error="of the updates"),
            Sample(cls("take", 0), (floats(0, 3), floats(4, 3), rows), error="empty axis"),
            Sample(cls("take", 0), (floats(5), floats(4, dtype="float32"), rows), error="one dtype"),
            Sample(cls("take", 0), (booleans(5), booleans(4), rows), error="not defined for bool"),
        ]  # fmt: skip


@register
@record
class ScatterSet(_At):
    """Updates replace what is there; of those that meet, the last one stays."""

    name = "scatter_set"
    equivalents = "x[indices] = y; theano.tensor.set_subtensor; np.put_along_axis; tf.tensor_scatter_nd_update"

    def combine(self, s: Algebra[V], old: V, update: V) -> V:
        return update

    def reference(self, *arrays: Array) -> Array:
        x, updates, indices = arrays
        out = x.copy()
        key = self.key(x, indices)
        moved = np.broadcast_arrays(*(k for k in key if not isinstance(k, slice)))
        lead: tuple[Any, ...] = tuple(k for k in key if isinstance(k, slice))
        for at in np.ndindex(*moved[0].shape):
            there = (*lead, *(m[at] for m in moved))
            here = (*lead, *at)
            out[there] = updates[here]
        return out

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        x, updates, indices = operands
        g = given(cotangents)
        kept = e.apply(self, g, e.zeros_like(updates), indices)
        # Who stayed: number the updates, write the numbers the same way, and see who finds its own.
        numbers = e.reshape(e.apply(Iota(updates.type.size, int64)), updates.shape)
        written = e.apply(self, e.full(x.shape, -1, int64), numbers, indices)
        stayed = e.eq(e.apply(self.gather, written, indices), numbers)
        return (kept, e.where(stayed, e.apply(self.gather, g, indices), 0.0), None)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        pairs = np.array([[0, 1], [2, -1], [0, 1], [-3, 0]])
        rows = np.array([4, 0, -1, 0])
        return [
            Sample(cls("take", 0), (floats(5, 3), floats(4, 3, seed=1), rows), ((1, 0, "N"), (2, 0, "N"))),
            Sample(cls("take", 1), (floats(2, 4, 3), floats(2, 2, 2, 3, seed=1), np.array([[1, 3], [0, 0]], "int32")),
            ((0, 0, "N"), (1, 0, "N"))),
            Sample(cls("take", 0), (booleans(6), booleans(seed=1), np.array(2))),
            Sample(cls("take", 0), (floats(4, 3), floats(0, 3), np.zeros(0, "int32")), ((1, 0, "N"), (2, 0, "N"))),
            Sample(cls("take_along_axis", 1), (floats(3, 4), floats(3, 2, seed=1), integers(3, 2, low=-4, high=4)),
            ((0, 0, "N"), (1, 0, "N"), (2, 0, "N"))),
            Sample(cls("gather_nd", 0), (floats(3, 4), floats(4, seed=1), pairs), ((1, 0, "N"), (2, 0, "N"))),
            Sample(cls("take", 0), (floats(5, 3), floats(3, 3), rows), error="of the updates"),
        ]  # fmt: skip
