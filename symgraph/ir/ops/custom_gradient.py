"""A gradient given by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...dtypes import as_dtype
from ...errors import ShapeError
from ...provenance import as_gradient
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Sample, record, register
from ..region import Region, copy_graph, write_region
from ..types import Facts, TensorType
from .arithmetic import Cotangents
from .branching import check_inputs
from .markers import Marker
from .sampling import floats


@register
@record
class CustomGradient(Marker):
    """Its first ``results`` operands. Their gradient flows to the next ones, the arguments, as ``rule`` says, which
    takes the cotangents of the results and then all other operands, and gives cotangents of the arguments that are
    ``reached``."""

    results: int
    reached: tuple[bool, ...]
    rule: Region
    name = "custom_gradient"
    equivalents = "theano.OpFromGraph(grad_overrides=...); tf.custom_gradient; jax.custom_vjp"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        first = self.results + len(self.reached)
        if len(operands) < first:
            raise ShapeError(f"custom_gradient of {self.results} results needs {first} operands, got {len(operands)}")
        check_inputs(self.name, facts, self.rule, [*operands[: self.results], *operands[first:]])
        return operands[: self.results]

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        return tuple(np.array(a) for a in arrays[: self.results])

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        seeds = [e.zeros_like(y) if g is None else g for y, g in zip(results, cotangents, strict=True)]
        first = self.results + len(self.reached)
        found = iter(copy_graph(e, self.rule.graph, [*seeds, *operands[first:]], origins=as_gradient))
        arguments = [next(found) if yes else None for yes in self.reached]
        return [*(None for _ in results), *arguments, *(None for _ in operands[first:])]

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        y, x, factor = floats(3, 4, seed=1), floats(3, 4, seed=2), floats(4)
        types = [TensorType(as_dtype(a.dtype), a.shape) for a in (y, factor)]
        op = cls(1, (True, False), write_region(types, lambda b, v: [b.mul(*v)]))
        return [
            Sample(op, (y, x, x, factor), differentiable=()),
            Sample(op, (y, x), error="needs 3 operands, got 2"),
            Sample(op, (y, x, x, floats(3)), error="shapes of an operand"),
        ]


__all__ = ["CustomGradient"]
