"""Ops that show the same elements under other indices: broadcast, reshape, transpose.

None of them computes; inside a kernel they are index arithmetic, and a reshape of a buffer is the buffer itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ShapeError
from ..algebra import Algebra, V
from ..dims import Dim, Shape, divide_exact, product, shape_text, static_shape, symbol
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Indexed, Reader, Sample, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given
from .sampling import floats, integers

N = symbol("N")


@register
@record
class Broadcast(Indexed):
    """Operand axis ``k`` becomes axis ``axes[k]`` of ``shape``; other axes repeat, and so do operand axes of size 1."""

    shape: Shape
    axes: tuple[int, ...]
    name = "broadcast"
    equivalents = "np.broadcast_to; theano.tensor.broadcast_to"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        (x,) = operands
        if len(self.axes) != x.ndim or list(self.axes) != sorted(set(self.axes)):
            raise ShapeError(f"broadcast maps axes {self.axes} of an operand of type {x}")
        shape = list(self.shape)
        for k, axis in enumerate(self.axes):
            if not 0 <= axis < len(shape):
                raise ShapeError(f"broadcast maps axes {self.axes} into shape {shape_text(self.shape)}")
            if x.shape[k] != 1:
                try:
                    shape[axis] = facts.unify(shape[axis], x.shape[k])
                except ShapeError:
                    raise ShapeError(f"{x} does not broadcast to {shape_text(self.shape)}") from None
        return (x.with_shape(shape),)

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        (x,) = operands
        return readers[0]([s.index(0) if x.shape[k] == 1 else index[axis] for k, axis in enumerate(self.axes)])

    def reference(self, *arrays: Array) -> Array:
        (x,) = arrays
        sizes = [1] * len(self.shape)
        for k, axis in enumerate(self.axes):
            sizes[axis] = x.shape[k]
        return np.array(np.broadcast_to(x.reshape(sizes), static_shape(self.shape)))

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        (x,) = operands
        repeated = set(range(len(self.shape))) - {a for k, a in enumerate(self.axes) if x.shape[k] != 1}
        return (e.reshape(e.sum(given(cotangents), repeated), x.shape),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls((2, 3, 4), (0, 2)), (floats(2, 4),)),
            Sample(cls((3, 4), ()), (floats(),)),
            Sample(cls((3, 4), (0, 1)), (floats(3, 1),)),
            Sample(cls((N, 4), (1,)), (floats(4),)),
            Sample(cls((5, N), (1,)), (floats(6),), ((0, 0, "N"),)),
            Sample(cls((2, 3), (1,)), (floats(2),), error="does not broadcast"),
            Sample(cls((2, 3), (0,)), (floats(2, 3),), error="maps axes"),
        ]


@register
@record
class Reshape(Indexed):
    """The same elements in row-major order under another shape."""

    shape: Shape
    name = "reshape"
    equivalents = "np.reshape, np.expand_dims, np.squeeze; theano.tensor.reshape; K.reshape"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        (x,) = operands
        try:
            facts.unify(x.size, product(self.shape))
        except ShapeError:
            raise ShapeError(
                f"cannot reshape {x} to {shape_text(self.shape)}: the numbers of elements differ"
            ) from None
        return (x.with_shape(facts.resolve_shape(self.shape)),)

    def fold(self, e: Emitter, operands: Sequence[Value]) -> Value | None:
        (x,) = operands
        if x.shape == self.shape:
            return x
        if isinstance(x.op, Reshape):
            return e.reshape(x.node.inputs[0], self.shape)
        return None

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        (x,) = operands
        out: list[V] = []
        for source, target in reshape_groups(x.shape, result.shape):
            flat = s.index(0)
            for axis in target:
                flat = s.add(s.mul(flat, s.size(result.shape[axis])), index[axis])
            parts: list[V] = []
            for i, axis in reversed(list(enumerate(source))):
                if x.shape[axis] == 1:
                    parts.append(s.index(0))
                elif all(x.shape[a] == 1 for a in source[:i]):
                    parts.append(flat)
                else:
                    size = s.size(x.shape[axis])
                    parts.append(s.mod(flat, size))
                    flat = s.floordiv(flat, size)
            out.extend(reversed(parts))
        return readers[0](out)

    def reference(self, *arrays: Array) -> Array:
        return np.array(arrays[0].reshape(static_shape(self.shape)))

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (e.reshape(given(cotangents), operands[0].shape),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls((6, 4)), (floats(2, 3, 4),)),
            Sample(cls((4, 6)), (floats(3, 8),)),
            Sample(cls((1, 3, 1, 4)), (floats(3, 4),)),
            Sample(cls((12,)), (floats(3, 1, 4),)),
            Sample(cls((N, 12)), (floats(5, 3, 4),), ((0, 0, "N"),)),
            Sample(cls((N * 4, 3)), (floats(5, 3, 4),), ((0, 0, "N"),)),
            Sample(cls(()), (floats(1, 1),)),
            Sample(cls((5,)), (floats(2, 3),), error="numbers of elements differ"),
        ]


def reshape_groups(source: Shape, target: Shape) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Split a reshape into independent ones: axis groups of equal size, in order, as small as can be told. Where a
    size is 0, any groups with it are of equal size, and nothing can be told."""
    if 0 in source or 0 in target:
        return [(tuple(range(len(source))), tuple(range(len(target))))]
    groups: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    i = j = 0
    while i < len(source) or j < len(target):
        a, b = i, j
        left: Dim = 1
        right: Dim = 1
        while True:
            if i > a and j > b and left == right:
                break
            # Take from the side that is behind; where neither divides the other, take everything.
            behind_left = j > b and (i == a or (left != right and divide_exact(right, left) is not None))
            if i < len(source) and (behind_left or i == a or j >= len(target)):
                left, i = left * source[i], i + 1
            elif j < len(target):
                right, j = right * target[j], j + 1
            elif i < len(source):
                left, i = left * source[i], i + 1
            else:
                break
        # Axes of size 1 that follow belong to no one else.
        while i < len(source) and source[i] == 1 and (j >= len(target) or target[j] != 1):
            i += 1
        while j < len(target) and target[j] == 1 and (i >= len(source) or source[i] != 1):
            j += 1
        groups.append((tuple(range(a, i)), tuple(range(b, j))))
    return groups


@register
@record
class Transpose(Indexed):
    """Result axis ``k`` is operand axis ``permutation[k]``."""

    permutation: tuple[int, ...]
    name = "transpose"
    equivalents = "np.transpose; theano.tensor.transpose, dimshuffle; K.permute_dimensions"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        (x,) = operands
        if sorted(self.permutation) != list(range(x.ndim)):
            raise ShapeError(f"transpose by {self.permutation} of an operand of type {x}")
        return (x.with_shape([x.shape[k] for k in self.permutation]),)

    def fold(self, e: Emitter, operands: Sequence[Value]) -> Value | None:
        (x,) = operands
        if self.permutation == tuple(range(x.type.ndim)):
            return x
        if isinstance(x.op, Transpose):
            return e.transpose(x.node.inputs[0], [x.op.permutation[k] for k in self.permutation])
        return None

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        return readers[0]([index[self.permutation.index(k)] for k in range(len(index))])

    def reference(self, *arrays: Array) -> Array:
        return np.array(np.transpose(arrays[0], self.permutation), order="C")

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        inverse = [self.permutation.index(k) for k in range(len(self.permutation))]
        return (e.transpose(given(cotangents), inverse),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls((1, 0)), (floats(3, 4),), ((0, 0, "N"),)),
            Sample(cls((2, 0, 1)), (floats(2, 3, 4),), ((0, 1, "N"),)),
            Sample(cls((0,)), (integers(3),)),
            Sample(cls((0, 0)), (floats(3, 4),), error="transpose by"),
        ]
