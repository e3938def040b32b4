"""Running sums, products and linear recurrences along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..algebra import Algebra, V
from ..checks import check_axes, float_dtype
from ..emitter import Emitter
from ..graph import Value
from ..op import Accumulation, Array, Sample, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given, numeric_dtype
from .sampling import booleans, floats, integers


def flipped(e: Emitter, x: Value, axis: int) -> Value:
    """``x`` backwards along an axis."""
    starts = [d - 1 if k == axis else 0 for k, d in enumerate(x.shape)]
    if x.shape[axis] == 0:
        return x
    return e.slice(x, starts, x.shape, [-1 if k == axis else 1 for k in range(x.type.ndim)])


def shifted(e: Emitter, x: Value, axis: int) -> Value:
    """``x`` moved on by one along an axis: 0 first, without the last. (An empty axis has no last: see callers.)"""
    whole = [d + 1 if k == axis else d for k, d in enumerate(x.shape)]
    padded = e.pad(x, [int(k == axis) for k in range(x.type.ndim)], whole)
    return e.slice(padded, [0] * x.type.ndim, x.shape)


@record
class _Running(Accumulation):
    """One operand of a number dtype."""

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        numeric_dtype(self.name, operands)
        check_axes(self.name, (self.axis,), operands[0])
        return operands[:1]

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        x = floats(3, 4, 5, seed=7)
        return [
            Sample(cls(1), (x,), ((0, 0, "N"), (0, 1, "M"))),
            Sample(cls(0), (x[:, :, 0],), ((0, 0, "N"),)),
            Sample(cls(2), (x.astype("float32"),), ((0, 1, "N"),)),
            Sample(cls(0), (x[0, 0],), ((0, 0, "N"),)),
            Sample(cls(0), (floats(40, 33, dtype="float32", low=0.5, high=1.2),)),
            Sample(cls(1), (integers(3, 6),)),
            Sample(cls(1), (floats(3, 1),)),
            Sample(cls(0), (floats(0, 3),)),
            Sample(cls(0), (floats(0),), ((0, 0, "N"),)),
            Sample(cls(1), (floats(0, 3),)),
            Sample(cls(2), (floats(3, 4),), error="axes"),
            Sample(cls(0), (booleans(3),), error="not defined for bool"),
        ]


@register
class CumSum(_Running):
    """The sum of all elements up to and with each, in order."""

    name = "cumsum"
    equivalents = "np.cumsum; theano.tensor.cumsum; K.cumsum"

    def init(self, s: Algebra[V], dtype: Any) -> V:
        return s.const(0, dtype)

    def step(self, s: Algebra[V], state: V, *elements: V) -> V:
        return s.add(state, elements[0])

    def reference(self, *arrays: Array) -> Array:
        return np.asarray(np.cumsum(arrays[0], self.axis, dtype=arrays[0].dtype))

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (flipped(e, e.apply(self, flipped(e, given(cotangents), self.axis)), self.axis),)


@register
class CumProd(_Running):
    """The product of all elements up to and with each, in order."""

    name = "cumprod"
    equivalents = "np.cumprod; theano.tensor.cumprod; K.cumprod"

    def init(self, s: Algebra[V], dtype: Any) -> V:
        return s.const(1, dtype)

    def step(self, s: Algebra[V], state: V, *elements: V) -> V:
        return s.mul(state, elements[0])

    def reference(self, *arrays: Array) -> Array:
        return np.asarray(np.cumprod(arrays[0], self.axis, dtype=arrays[0].dtype))

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        """Without division, so that zeros are no exception: the product before each element, times a recurrence
        from behind over the elements after it."""
        (x,), g = operands, given(cotangents)
        if x.shape[self.axis] == 0:
            return (g,)
        first = e.lt(_numbers(e, x, self.axis), 1.0)
        before = e.where(first, 1.0, shifted(e, results[0], self.axis))
        back = [flipped(e, v, self.axis) for v in (x, g)]
        after = e.apply(Recurrence(self.axis), shifted(e, back[0], self.axis), back[1])
        return (e.mul(before, flipped(e, after, self.axis)),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        zeros = floats(3, 4, seed=8)
        zeros[0, 1] = zeros[2, 0] = zeros[2, 3] = 0
        return [*super().samples(), Sample(cls(1), (zeros,))]


@register
class Recurrence(Accumulation):
    """``y[k] = a[k] * y[k-1] + b[k]`` along ``axis``, from 0: operands ``a`` and ``b``. (``a[0]`` does not matter as
    long as it is finite.)"""

    name = "recurrence"
    equivalents = "scipy.signal.lfilter of order one; jax.lax.associative_scan"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        a, b = operands
        float_dtype(self.name, operands)
        check_axes(self.name, (self.axis,), a)
        return (a.with_shape(facts.unify_shapes(a.shape, b.shape, "shapes of the operands of recurrence")),)

    def init(self, s: Algebra[V], dtype: Any) -> V:
        return s.const(0, dtype)

    def step(self, s: Algebra[V], state: V, *elements: V) -> V:
        a, b = elements
        return s.add(s.mul(a, state), b)

    def reference(self, *arrays: Array) -> Array:
        a, b = (np.moveaxis(x, self.axis, 0) for x in arrays)
        out, state = np.empty_like(b), np.zeros(b.shape[1:], b.dtype)
        for k in range(len(b)):
            state = a[k] * state + b[k]
            out[k] = state
        return np.array(np.moveaxis(out, 0, self.axis), order="C")

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        a, g = operands[0], given(cotangents)
        if a.shape[self.axis] == 0:
            return (g, g)
        back = [flipped(e, v, self.axis) for v in (a, g)]
        later = e.apply(self, shifted(e, back[0], self.axis), back[1])
        b_bar = flipped(e, later, self.axis)
        return (e.mul(b_bar, shifted(e, results[0], self.axis)), b_bar)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        a, b = floats(3, 4, seed=1), floats(3, 4, seed=2)
        return [
            Sample(cls(1), (a, b), ((0, 0, "N"), (1, 0, "N"))),
            Sample(cls(0), (a, b), ((0, 0, "N"), (1, 0, "M"))),
            Sample(cls(0), (a[0].astype("float32"), b[0].astype("float32"))),
            Sample(cls(1), (a[:0], b[:0])),
            Sample(cls(1), (a[:, :1], b[:, :1])),
            Sample(cls(1), (a, floats(3, 5)), error="shapes of the operands"),
            Sample(cls(1), (a, b.astype("float32")), error="one dtype"),
            Sample(cls(1), (integers(3, 4), integers(3, 4)), error="floating point"),
        ]


def _numbers(e: Emitter, x: Value, axis: int) -> Value:
    """0, 1, 2 ... along an axis of the shape of ``x``."""
    return e.broadcast(e.iota(x.shape[axis], x.dtype), x.shape, (axis,))
