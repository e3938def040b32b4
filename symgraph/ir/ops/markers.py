"""Ops that matter to gradients only: each is its first operand, and closing a graph drops it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field

import numpy as np

from ...errors import GradientError, ShapeError
from ..algebra import Algebra, V
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Indexed, Reader, Sample, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given
from .sampling import floats

#: The cotangents of the arguments of a function with a gradient of its own, from that of its output.
Rule = Callable[[Value], Sequence["Value | None"]]


class Marker(Indexed):
    """The first operand, element by element."""

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        if not operands:
            raise ShapeError(f"{self.name} needs an operand")
        return operands[:1]

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        return readers[0](index)

    def reference(self, *arrays: Array) -> Array:
        return np.array(arrays[0])


@register
class StopGradient(Marker):
    """The operand itself, through which no gradient flows."""

    name = "stop_gradient"
    equivalents = "theano.gradient.disconnected_grad; K.stop_gradient"

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (None,)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [Sample(cls(), (floats(3, 4),), ((0, 0, "N"),), differentiable=())]


@register
@record
class CustomGradient(Marker):
    """The first operand, whose gradient ``rule`` sends to the others instead. Rules live while graphs are built."""

    rule: Rule | None = field(default=None, compare=False, repr=False)
    name = "custom_gradient"
    equivalents = "theano.OpFromGraph(grad_overrides=...); tf.custom_gradient; jax.custom_vjp"

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        if self.rule is None:
            raise GradientError("the gradient of custom_gradient was given by hand, in a graph that is closed")
        return (None, *self.rule(given(cotangents)))

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [Sample(cls(), (floats(3, 4), floats(2)), ((0, 0, "N"),), differentiable=())]
