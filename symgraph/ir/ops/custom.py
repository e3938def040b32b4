"""Ops that a user defines in Python: the graph holds the object, and asks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ...errors import ShapeError
from ..emitter import Emitter
from ..graph import Value
from ..literal import Foreign
from ..op import Array, Host, Sample, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given
from .sampling import floats


class Kind(Protocol):
    """What the object behind a :class:`Custom` op can do."""

    def result_types(self, operands: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The types of the results; ShapeError or DTypeError for operands that do not fit."""

    def perform(self, *arrays: Any) -> Any:
        """The results, one array or several."""

    def cotangents(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        """As :meth:`symgraph.ir.op.Op.vjp`."""


@register
@record
class Custom(Host):
    """A user's own op; ``kind`` holds a :class:`Kind`. Equal ones on equal operands are computed once."""

    kind: Foreign
    name = "custom"
    equivalents = "theano.Op, theano.as_op; tf.py_function; jax.pure_callback"

    @property
    def title(self) -> str:
        return self.kind.name

    @property
    def _kind(self) -> Kind:
        kind: Kind = self.kind.object
        return kind

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        return self._kind.result_types(operands)

    def perform(self, *arrays: Array) -> Any:
        return self._kind.perform(*arrays)

    def reference(self, *arrays: Array) -> Any:
        made = self._kind.perform(*(a.copy() for a in arrays))
        return tuple(made) if isinstance(made, list) else made

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return self._kind.cotangents(e, operands, results, cotangents)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        cube = cls(Foreign(_Cube(), "cube"))
        return [
            Sample(cube, (floats(3, 4),), ((0, 0, "N"),)),
            Sample(cube, (floats(0, 4, dtype="float32"),), ((0, 0, "N"),)),
            Sample(cube, (floats(),)),
            Sample(cube, (floats(2), floats(2)), error="cube takes one array"),
        ]


class _Cube:
    """The third power, for the samples."""

    def result_types(self, operands: Sequence[TensorType]) -> tuple[TensorType, ...]:
        if len(operands) != 1:
            raise ShapeError("cube takes one array")
        return tuple(operands)

    def perform(self, *arrays: Any) -> Any:
        return arrays[0] ** 3

    def cotangents(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (e.mul(given(cotangents), e.mul(e.square(operands[0]), 3)),)
