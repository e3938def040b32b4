"""Windows that slide over axes, and the resampling of axes that is their transpose: what convolutions read.

Neither computes; inside a kernel they are index arithmetic, and no array of windows ever exists.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from ...errors import ShapeError
from ..algebra import Algebra, V
from ..dims import Dim, static_shape, symbol
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Indexed, Reader, Sample, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given
from .sampling import floats

N = symbol("N")


@register
@record
class Windows(Indexed):
    """Along each of ``axes`` (rising), position ``o`` of ``sizes`` and position ``p`` of ``windows`` read operand
    position ``o*strides + p*dilations + starts``. The window axes follow the last of ``axes``. Everything read lies
    inside the operand."""

    axes: tuple[int, ...]
    starts: tuple[Dim, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    sizes: tuple[Dim, ...]
    windows: tuple[Dim, ...]
    name = "windows"
    reads_under_mask = True
    equivalents = "np.lib.stride_tricks.sliding_window_view; theano.tensor.nnet.neighbours.images2neibs"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        (x,) = operands
        fields = (self.starts, self.strides, self.dilations, self.sizes, self.windows)
        if any(len(f) != len(self.axes) for f in fields) or list(self.axes) != sorted(set(self.axes)):
            raise ShapeError(f"windows along axes {self.axes} of an operand of type {x}")
        if not all(0 <= axis < x.ndim for axis in self.axes) or not self.axes:
            raise ShapeError(f"windows along axes {self.axes} of an operand of type {x}")
        shape = list(x.shape)
        for axis, start, stride, dilation, size, window in zip(self.axes, *fields, strict=True):
            shape[axis] = size
            last = start + (size - 1) * stride + (window - 1) * dilation
            empty = any(isinstance(d, int) and d == 0 for d in (size, window))
            for position in (start, x.shape[axis] - 1 - start, last, x.shape[axis] - 1 - last):
                if not empty and isinstance(position, int) and position < 0:
                    raise ShapeError(f"windows read position {start} to {last} of axis {axis} of {x}")
        after = self.axes[-1] + 1
        return (x.with_shape([*shape[:after], *self.windows, *shape[after:]]),)

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        after = self.axes[-1] + 1
        inner = index[after : after + len(self.axes)]
        at = [*index[:after], *index[after + len(self.axes) :]]
        for k, axis in enumerate(self.axes):
            outer = s.mul(at[axis], s.index(self.strides[k]))
            at[axis] = s.add(s.add(outer, s.mul(inner[k], s.index(self.dilations[k]))), s.size(self.starts[k]))
        return readers[0](at)

    def reference(self, *arrays: Array) -> Array:
        (x,) = arrays
        sizes, windows, starts = (static_shape(f) for f in (self.sizes, self.windows, self.starts))
        parts = []
        for places in itertools.product(*(range(w) for w in windows)):
            grids = [np.arange(d) for d in x.shape]
            for axis, *numbers in zip(self.axes, starts, self.strides, self.dilations, sizes, places, strict=True):
                start, stride, dilation, size, place = numbers
                grids[axis] = start + place * dilation + stride * np.arange(size)
            parts.append(x[np.ix_(*grids)])
        after = self.axes[-1] + 1
        shape = [dict(zip(self.axes, sizes, strict=True)).get(k, d) for k, d in enumerate(x.shape)]
        stacked = np.stack(parts, after) if parts else np.zeros([*shape[:after], 0, *shape[after:]], x.dtype)
        return np.ascontiguousarray(stacked.reshape([*shape[:after], *windows, *shape[after:]]))

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        (x,), g = operands, given(cotangents)
        after, ones = self.axes[-1] + 1, (1,) * len(self.axes)
        beside = tuple(range(after, after + len(self.axes)))
        at = tuple(axis if axis < after else axis + len(self.axes) for axis in self.axes)
        slopes, offsets = tuple(-d for d in self.dilations), tuple(-d for d in self.starts)
        sizes = tuple(x.shape[axis] for axis in self.axes)
        spread = e.apply(Resample(at, beside, ones, slopes, offsets, self.strides, sizes), g)
        return (e.sum(spread, beside),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls((0,), (0,), (1,), (1,), (4,), (3,)), (floats(6),)),
            Sample(cls((0,), (1,), (2,), (1,), (2,), (3,)), (floats(6, 2),)),
            Sample(cls((1, 2), (0, 1), (1, 2), (2, 1), (3, 2), (2, 2)), (floats(2, 5, 5, 3),), ((0, 0, "N"),)),
            Sample(cls((0,), (0,), (1,), (1,), (N - 2,), (3,)), (floats(6),), ((0, 0, "N"),)),
            Sample(cls((0,), (0,), (1,), (1,), (4,), (3,)), (floats(5),), error="windows read"),
            Sample(cls((1,), (0,), (1,), (1,), (4,), (3,)), (floats(5),), error="windows along"),
        ]


@register
@record
class Resample(Indexed):
    """Along each of ``axes``, position ``i`` of ``sizes`` is operand position ``(i*scales + p*slopes + offsets) /
    spacings`` where that is whole and inside the operand, and 0 elsewhere; ``p`` is the position along the axis
    ``beside`` (-1: none, ``p`` is 0). Padding, cropping, dilation and decimation in one; closed under transposition."""

    axes: tuple[int, ...]
    beside: tuple[int, ...]
    scales: tuple[int, ...]
    slopes: tuple[int, ...]
    offsets: tuple[Dim, ...]
    spacings: tuple[int, ...]
    sizes: tuple[Dim, ...]
    name = "resample"
    reads_under_mask = True
    equivalents = "np.pad, x[::k]; K.temporal_padding, K.spatial_2d_padding, K.spatial_3d_padding"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        (x,) = operands
        fields = (self.beside, self.scales, self.slopes, self.offsets, self.spacings, self.sizes)
        if any(len(f) != len(self.axes) for f in fields) or not all(0 <= a < x.ndim for a in self.axes):
            raise ShapeError(f"resample along axes {self.axes} of an operand of type {x}")
        if set(self.axes) & set(self.beside) or any(n < 1 for n in (*self.scales, *self.spacings)):
            raise ShapeError(f"resample beside axes {self.beside} of an operand of type {x}, or by no natural number")
        sizes = dict(zip(self.axes, self.sizes, strict=True))
        return (x.with_shape([sizes.get(k, d) for k, d in enumerate(x.shape)]),)

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        (x,) = operands
        if any(isinstance(d, int) and d == 0 for d in x.shape):
            return s.const(0, result.dtype)
        at, inside = list(index), s.const(True, s.dtype(s.ge(s.index(0), s.index(0))))
        for k, axis in enumerate(self.axes):
            place = s.add(s.mul(index[axis], s.index(self.scales[k])), s.size(self.offsets[k]))
            if self.beside[k] >= 0:
                place = s.add(place, s.mul(index[self.beside[k]], s.index(self.slopes[k])))
            spacing = s.index(self.spacings[k])
            source = place if self.spacings[k] == 1 else s.floordiv(place, spacing)
            hit = s.both(s.ge(source, s.index(0)), s.lt(source, s.size(x.shape[axis])))
            if self.spacings[k] != 1:
                hit = s.both(hit, s.eq(s.mod(place, spacing), s.index(0)))
            at[axis] = s.select(hit, source, s.index(0))
            inside = s.both(inside, hit)
        value = readers[0](at)
        return s.select(inside, value, s.like(0, value))

    def reference(self, *arrays: Array) -> Array:
        (x,) = arrays
        offsets, sizes = static_shape(self.offsets), static_shape(self.sizes)
        out = x
        for k, axis in enumerate(self.axes):
            shape = [sizes[k] if a == axis else d for a, d in enumerate(out.shape)]
            step = np.zeros(shape, x.dtype)
            for i in range(sizes[k]):
                for p in range(out.shape[self.beside[k]] if self.beside[k] >= 0 else 1):
                    place = i * self.scales[k] + p * self.slopes[k] + offsets[k]
                    if place % self.spacings[k] == 0 and 0 <= place // self.spacings[k] < out.shape[axis]:
                        to: list[slice | int] = [slice(None)] * x.ndim
                        if self.beside[k] >= 0:
                            to[self.beside[k]] = p
                        source = list(to)
                        to[axis], source[axis] = i, place // self.spacings[k]
                        step[tuple(to)] = out[tuple(source)]
            out = step
        return np.array(out)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        (x,) = operands
        slopes, offsets = tuple(-n for n in self.slopes), tuple(-d for d in self.offsets)
        sizes = tuple(x.shape[axis] for axis in self.axes)
        back = Resample(self.axes, self.beside, self.spacings, slopes, offsets, self.scales, sizes)
        return (e.apply(back, given(cotangents)),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls((0,), (-1,), (1,), (0,), (-2,), (1,), (9,)), (floats(5, 2),)),
            Sample(cls((1,), (-1,), (1,), (0,), (1,), (1,), (3,)), (floats(2, 5),)),
            Sample(cls((0,), (-1,), (1,), (0,), (-1,), (2,), (10,)), (floats(4),)),
            Sample(cls((0,), (-1,), (3,), (0,), (-1,), (2,), (4,)), (floats(5),)),
            Sample(cls((0, 1), (2, 3), (1, 1), (-1, -2), (0, 0), (2, 1), (6, 5)), (floats(3, 3, 2, 2),)),
            Sample(cls((0,), (-1,), (1,), (0,), (-1,), (1,), (N + 2,)), (floats(4),), ((0, 0, "N"),)),
            Sample(cls((2,), (-1,), (1,), (0,), (-1,), (1,), (3,)), (floats(4),), error="resample along"),
            Sample(cls((0,), (0,), (1,), (0,), (-1,), (1,), (3,)), (floats(4),), error="resample beside"),
        ]
