"""Ops defined by others, kept whole until the stabilising rules have seen them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..checks import check_axes, float_dtype
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Composite, Sample, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given
from .sampling import floats, integers


def _cases(cls: Any) -> list[Sample]:
    large = np.array([[1e4, 0, -1e4], [-1e30, 5, 5]], "float32")
    return [
        Sample(cls(1), (floats(3, 5),), ((0, 0, "N"),)),
        Sample(cls(0), (floats(3, 5),), ((0, 0, "N"),)),
        Sample(cls(1), (floats(2, 3, 4, dtype="float32"),), ((0, 1, "N"),)),
        Sample(cls(1), (large,), differentiable=()),
        Sample(cls(2), (floats(3, 5),), error="axes"),
        Sample(cls(0), (integers(3),), error="floating point"),
    ]


@record
class _AxisFunction(Composite):
    """A float function along one axis, shape kept."""

    axis: int

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        float_dtype(self.name, operands)
        check_axes(self.name, (self.axis,), operands[0])
        return operands[:1]

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return _cases(cls)


@register
class Softmax(_AxisFunction):
    """``exp(x) / sum(exp(x))`` along ``axis``, shifted by the maximum."""

    name = "softmax"
    equivalents = "theano.tensor.nnet.softmax; K.softmax"

    def expand(self, e: Emitter, *operands: Value) -> Value:
        (x,) = operands
        if x.shape[self.axis] == 0:
            return x
        shifted = e.exp(e.sub(x, e.max(x, [self.axis], keepdims=True)))
        return e.mul(shifted, e.div(1, e.sum(shifted, [self.axis], keepdims=True)))  # the sum is at least 1

    def reference(self, *arrays: Array) -> Array:
        (x,) = arrays
        powers = np.exp(x - x.max(self.axis, keepdims=True, initial=-np.inf))
        return np.asarray(powers / powers.sum(self.axis, keepdims=True))

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        (y,) = results
        scaled = e.mul(given(cotangents), y)
        return (e.sub(scaled, e.mul(y, e.sum(scaled, [self.axis], keepdims=True))),)


@register
class LogSoftmax(_AxisFunction):
    """``x - log(sum(exp(x)))`` along ``axis``, shifted by the maximum."""

    name = "log_softmax"
    equivalents = "theano.tensor.nnet.logsoftmax"

    def expand(self, e: Emitter, *operands: Value) -> Value:
        (x,) = operands
        if x.shape[self.axis] == 0:
            return x
        shifted = e.sub(x, e.max(x, [self.axis], keepdims=True))
        return e.sub(shifted, e.log(e.sum(e.exp(shifted), [self.axis], keepdims=True)))

    def reference(self, *arrays: Array) -> Array:
        (x,) = arrays
        shifted = x - x.max(self.axis, keepdims=True, initial=-np.inf)
        return np.asarray(shifted - np.log(np.exp(shifted).sum(self.axis, keepdims=True)))

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        g = given(cotangents)
        return (e.sub(g, e.mul(e.exp(results[0]), e.sum(g, [self.axis], keepdims=True))),)


@register
@record
class LogSumExp(Composite):
    """``log(sum(exp(x)))`` over ``axes``, shifted by the maximum (0 where that is infinite)."""

    axes: tuple[int, ...]
    name = "logsumexp"
    equivalents = "scipy.special.logsumexp; K.logsumexp"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        float_dtype(self.name, operands)
        check_axes(self.name, self.axes, operands[0])
        kept = [d for i, d in enumerate(operands[0].shape) if i not in self.axes]
        return (operands[0].with_shape(kept),)

    def expand(self, e: Emitter, *operands: Value) -> Value:
        (x,) = operands
        kept = [i for i in range(x.type.ndim) if i not in self.axes]
        if any(x.shape[k] == 0 for k in self.axes):
            return e.full(tuple(x.shape[k] for k in kept), -np.inf, x.dtype)
        top = e.max(x, self.axes)
        infinite = e.eq(e.abs(top), float("inf"))
        shift = e.where(infinite, 0.0, top)
        powers = e.exp(e.sub(x, e.broadcast(shift, x.shape, kept)))
        return e.add(e.log(e.sum(powers, self.axes)), shift)

    def reference(self, *arrays: Array) -> Array:
        fold: Any = np.logaddexp.reduce  # typed for one axis only
        return np.asarray(fold(arrays[0], axis=self.axes), arrays[0].dtype)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        (x,) = operands
        kept = [i for i in range(x.type.ndim) if i not in self.axes]
        share = e.exp(e.sub(x, e.broadcast(results[0], x.shape, kept)))
        return (e.mul(share, e.broadcast(given(cotangents), x.shape, kept)),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls((1,)), (floats(3, 5),), ((0, 0, "N"),)),
            Sample(cls((0, 1)), (floats(3, 5, dtype="float32"),)),
            Sample(cls((1,)), (np.array([[1e4, 0], [-np.inf, -np.inf], [np.inf, 0]], "float32"),), differentiable=()),
            Sample(cls((2,)), (floats(3, 5),), error="axes"),
            Sample(cls((0,)), (integers(3),), error="floating point"),
        ]
