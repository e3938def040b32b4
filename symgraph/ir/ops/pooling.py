"""Pooling: the extreme or the mean of windows that slide over some axes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from ...dtypes import int32, uint8
from ...errors import ShapeError
from ..checks import float_dtype
from ..dims import Dim, static_shape
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Composite, Sample, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given
from .reductions import ArgMax, Max
from .sampling import floats, integers
from .windows import Resample, Windows

#: Brings the gradient of blocks back to the operand.
Undo = Callable[[Value], Value]


@dataclass(frozen=True)
class Blocks:
    """Windows as an array with axes of their own, ``axes``; ``undo`` adds what belongs to each operand element."""

    value: Value
    axes: tuple[int, ...]
    undo: Undo


def cut_blocks(
    e: Emitter, x: Value, axes: Sequence[int], windows: Sequence[int], strides: Sequence[int], low: Sequence[Dim],
    sizes: Sequence[Dim], outside: float,
) -> Blocks:  # fmt: skip
    """The windows of ``x``: position ``o*stride + p - low`` along each of ``axes`` for ``p`` below ``windows``, ``o``
    below ``sizes``; ``outside`` where that is not inside. Windows that do not overlap are only a reshape."""
    spans = [_span(n, w, s) for n, w, s in zip(sizes, windows, strides, strict=True)]
    whole = all(p == 0 and x.shape[a] == n for a, p, n in zip(axes, low, spans, strict=True))
    framed = x if whole else _framed(e, x, axes, low, spans, outside)

    def unframe(g: Value) -> Value:
        return g if whole else e.apply(frame_of(axes, [-p for p in low], [x.shape[a] for a in axes]), g)

    if all(w == s for w, s in zip(windows, strides, strict=True)):
        shape: list[Dim] = []
        inner: list[int] = []
        for k, d in enumerate(x.shape):
            if k in axes:
                i = list(axes).index(k)
                shape += [sizes[i], windows[i]]
                inner.append(len(shape) - 1)
            else:
                shape.append(d)
        return Blocks(e.reshape(framed, shape), tuple(inner), lambda g: unframe(e.reshape(g, framed.shape)))
    ones, after = (1,) * len(axes), axes[-1] + 1
    op = Windows(tuple(axes), (0,) * len(axes), tuple(strides), ones, tuple(sizes), tuple(windows))
    blocks = e.apply(op, framed)

    def undo(g: Value) -> Value:
        (back,) = op.vjp(e, (framed,), (blocks,), (g,))
        assert back is not None
        return unframe(back)

    return Blocks(blocks, tuple(range(after, after + len(axes))), undo)


def _span(count: Dim, window: int, stride: int) -> Dim:
    """How many positions so many windows are spread over; not negative where there is none."""
    if window >= stride or (isinstance(count, int) and count > 0):
        return (count - 1) * stride + window
    return count * stride  # with positions behind the last window that nothing reads


def frame_of(axes: Sequence[int], low: Sequence[Dim], sizes: Sequence[Dim]) -> Resample:
    """Cuts positions ``-low .. sizes - low`` out of the operand, which is 0 outside."""
    count = len(axes)
    ones, zeros = (1,) * count, (0,) * count
    return Resample(tuple(axes), (-1,) * count, ones, zeros, tuple(-p for p in low), ones, tuple(sizes))


def _framed(
    e: Emitter, x: Value, axes: Sequence[int], low: Sequence[Dim], sizes: Sequence[Dim], outside: float
) -> Value:  # fmt: skip
    op = frame_of(axes, low, sizes)
    framed = e.apply(op, x)
    cut = all(isinstance(p, int) and p <= 0 for p in low) and all(
        isinstance(room := x.shape[a] + p - n, int) and room >= 0 for a, p, n in zip(axes, low, sizes, strict=True)
    )
    if outside == 0 or cut:
        return framed
    inside = e.apply(op, e.full(x.shape, 1, x.dtype))
    return e.where(e.eq(inside, 0.0), outside, framed)


@register
@record
class MaxPool(Composite):
    """The largest element of each window: along each of ``axes`` (rising) positions ``o*strides + p - low``, those
    inside the operand, for ``p`` below ``windows`` and ``o`` below ``sizes``. The gradient goes to the first element
    that attains the maximum, in row-major order of the window."""

    axes: tuple[int, ...]
    windows: tuple[int, ...]
    strides: tuple[int, ...]
    low: tuple[Dim, ...]
    sizes: tuple[Dim, ...]
    name = "max_pool"
    equivalents = "theano.tensor.signal.pool.pool_2d; K.pool2d, K.pool3d"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        (x,) = operands
        float_dtype(self.name, operands)
        fields = (self.windows, self.strides, self.low, self.sizes)
        bad = any(len(f) != len(self.axes) for f in fields) or list(self.axes) != sorted(set(self.axes))
        if bad or not self.axes or not all(0 <= a < x.ndim for a in self.axes):
            raise ShapeError(f"max_pool along axes {self.axes} of an operand of type {x}")
        if any(n < 1 for n in (*self.windows, *self.strides)):
            raise ShapeError("max_pool windows and strides are at least 1")
        sizes = dict(zip(self.axes, self.sizes, strict=True))
        return (x.with_shape([sizes.get(k, d) for k, d in enumerate(x.shape)]),)

    def _blocks(self, e: Emitter, x: Value) -> Blocks:
        return cut_blocks(e, x, self.axes, self.windows, self.strides, self.low, self.sizes, -np.inf)

    def expand(self, e: Emitter, *operands: Value) -> Value:
        blocks = self._blocks(e, operands[0])
        return e.apply(Max(blocks.axes), blocks.value)

    def reference(self, *arrays: Array) -> Array:
        (x,) = arrays
        low, sizes = static_shape(self.low), static_shape(self.sizes)
        out = np.empty([dict(zip(self.axes, sizes, strict=True)).get(k, d) for k, d in enumerate(x.shape)], x.dtype)
        for o in itertools.product(*(range(n) for n in sizes)):
            source: list[slice] = [slice(None)] * x.ndim
            target: list[slice | int] = [slice(None)] * x.ndim
            for k, axis in enumerate(self.axes):
                first = o[k] * self.strides[k] - low[k]
                source[axis], target[axis] = slice(max(first, 0), max(first + self.windows[k], 0)), o[k]
            out[tuple(target)] = x[tuple(source)].max(self.axes, initial=-np.inf)
        return out

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        blocks = self._blocks(e, operands[0])
        shape, inner = blocks.value.shape, blocks.axes
        kept = [k for k in range(len(shape)) if k not in inner]
        # Positions are kept from the forward to the backward pass, so they are narrow.
        narrow = uint8 if prod(self.windows) <= 256 else int32
        first = e.broadcast(e.cast(e.apply(ArgMax(inner), blocks.value), narrow), shape, kept)
        numbers = e.reshape(e.iota(prod(self.windows), narrow), self.windows)
        hit = e.eq(e.broadcast(numbers, shape, inner), first)
        return (blocks.undo(e.where(hit, e.broadcast(given(cotangents), shape, kept), 0.0)),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        image = floats(2, 6, 7, 3, seed=3)
        return [
            Sample(cls((1,), (2,), (2,), (0,), (3,)), (floats(2, 6, 3),), ((0, 0, "N"),)),
            Sample(cls((1, 2), (2, 2), (2, 2), (0, 0), (3, 3)), (image,), ((0, 0, "N"),)),
            Sample(cls((1, 2), (3, 2), (2, 1), (1, 0), (3, 6)), (image,), ((0, 0, "N"),)),
            Sample(cls((2, 3), (2, 3), (2, 3), (0, 1), (3, 3)), (floats(2, 3, 6, 7),)),
            Sample(cls((1,), (0,), (2,), (0,), (3,)), (floats(2, 6, 3),), error="at least 1"),
            Sample(cls((3,), (2,), (2,), (0,), (3,)), (floats(2, 6, 3),), error="max_pool along"),
            Sample(cls((1,), (2,), (2,), (0,), (3,)), (integers(2, 6, 3),), error="floating point"),
        ]
