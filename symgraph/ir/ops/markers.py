"""Ops that matter to gradients only: each is its first operand, and closing a graph drops it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ShapeError
from ..algebra import Algebra, V
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Indexed, Reader, Sample, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents
from .sampling import floats


class Marker(Indexed):
    """The first operand, element by element; where it has several results, the first operands."""

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        if not operands:
            raise ShapeError(f"{self.name} needs an operand")
        return operands[:1]

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        return readers[0](index)

    def reference(self, *arrays: Array) -> Array | tuple[Array, ...]:
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
