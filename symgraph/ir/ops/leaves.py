"""Leaves: inputs, states, constants, and sizes as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Any

import numpy as np

from ...dtypes import as_dtype, int64
from ..algebra import Algebra, V
from ..dims import Dim, symbol
from ..emitter import Emitter
from ..graph import Value
from ..literal import Literal
from ..op import Array, Indexed, Leaf, Reader, Sample, record, register
from ..types import Facts, TensorType


@register
@record
class Input(Leaf):
    """Argument ``slot`` of the function. Not interned across slots: the slot is part of the op."""

    slot: int
    label: str
    type: TensorType
    name = "input"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        return (self.type,)

    def map_dims(self, replace: dict[Any, Dim]) -> Input:
        from ..dims import substitute

        return Input(self.slot, self.label, self.type.with_shape([substitute(d, replace) for d in self.type.shape]))


@register
@record
class State(Leaf):
    """The value of variable ``slot`` when the call begins; its shape is static.

    ``owner`` is the front's variable while the graph is being built, and None in a closed graph.
    """

    slot: int
    label: str
    type: TensorType
    owner: Any = field(default=None, compare=False, repr=False)
    name = "state"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        return (self.type,)


@register
@record
class Constant(Leaf):
    """An array known while compiling."""

    literal: Literal
    name = "constant"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        array = self.literal.array
        return (TensorType(as_dtype(array.dtype), array.shape),)

    def reference(self, *arrays: Array) -> Array:
        return self.literal.array


@register
@record
class Size(Indexed):
    """A symbolic size as an int64 scalar. The interpreter gives ``reference`` its value."""

    dim: Dim
    name = "size"
    equivalents = "x.shape[i]; theano x.shape[i]; K.shape(x)[i]"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        return (TensorType(int64, ()),)

    def fold(self, e: Emitter, operands: Sequence[Value]) -> Value | None:
        known = e.facts.resolve(self.dim)
        return e.constant(known, int64) if isinstance(known, int) else None

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        return s.size(self.dim)

    def reference(self, *arrays: Array) -> Array:
        if not isinstance(self.dim, int):
            raise NotImplementedError("the value of a symbolic size comes from the interpreter")
        return np.asarray(self.dim, np.int64)

    def vjp(self, e: Emitter, operands: Any, results: Any, cotangents: Any) -> Sequence[Value | None]:
        return ()

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return (Sample(cls(7), ()), Sample(cls(symbol("N") * 2), ()))
