"""What is computed again in the backward pass instead of kept: a part of a graph, and the values it begins at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...dtypes import as_dtype
from ...errors import ShapeError
from ...provenance import as_gradient
from ..algebra import Algebra, V
from ..builder import Builder
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Indexed, Reader, Sample, record, register
from ..region import Region, copy_graph, write_region
from ..reverse import cotangents_in
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given
from .branching import check_inputs
from .elementary import Tanh
from .leaves import Constant
from .markers import Marker
from .sampling import booleans, floats


@register
class Barrier(Indexed):
    """The first operand, read only once all others are computed. What is computed behind it is not the same as what is
    computed in front of it, so both are computed. In compiled code it is another name of the same array."""

    name = "barrier"
    equivalents = "jax.lax.optimization_barrier"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        if not operands:
            raise ShapeError("barrier needs an operand")
        return operands[:1]

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        return readers[0](index)

    def reference(self, *arrays: Array) -> Array:
        return np.array(arrays[0])

    def fold(self, e: Emitter, operands: Sequence[Value]) -> Value | None:
        return operands[0] if isinstance(operands[0].op, Constant) else None

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (given(cotangents), *(None for _ in operands[1:]))

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(), (floats(3, 4), floats(2, seed=1)), ((0, 0, "N"),), differentiable=(0,)),
            Sample(cls(), (floats(0, 3), booleans()), ((0, 0, "N"),)),
            Sample(cls(), (floats(3), floats(3, seed=1), floats(seed=2)), differentiable=(0,)),
        ]


@register
@record
class Checkpoint(Marker):
    """Its first operands, the outputs of ``body``; the others are the inputs of ``body`` that they were computed from.

    The gradient keeps only those: it runs ``body`` again, once the cotangents are there.
    """

    body: Region
    name = "checkpoint"
    equivalents = "jax.checkpoint; torch.utils.checkpoint.checkpoint; tf.recompute_grad"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        count = len(self.body.outputs)
        if len(operands) < count:
            raise ShapeError(f"checkpoint of {count} outputs has {len(operands)} operand(s)")
        check_inputs(self.name, facts, self.body, operands[count:])
        what = "shapes of an output of a checkpoint and of what its body gives"
        for output, inner in zip(operands, self.body.outputs, strict=False):
            facts.unify_shapes(output.shape, inner.shape, what)
        return operands[:count]

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        return tuple(np.array(a) for a in arrays[: len(self.body.outputs)])

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        count = len(results)
        seeds = {k: g for k, g in enumerate(cotangents) if g is not None and results[k].dtype.is_float}
        found: list[Value | None] = [None] * len(operands)
        if not seeds:
            return found
        body, wanted = _backward(self.body, list(seeds))
        inputs = [e.apply(Barrier(), v, *seeds.values()) for v in operands[count:]] + list(seeds.values())
        made = copy_graph(e, body.graph, inputs)
        # The gradient's own gradient computes anew what is in here, too.
        for k, value in zip(wanted, e.apply_all(Checkpoint(body), *made, *inputs), strict=True) if made else ():
            found[count + k] = value
        return found

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        x, w = floats(3, 4, seed=1), floats(4, 2, seed=2)
        types = [TensorType(as_dtype(a.dtype), a.shape) for a in (x, w)]
        body = write_region(types, lambda b, v: [b.apply(Tanh(), b.contract("ik,kj->ij", *v))])
        y = np.tanh(x @ w)
        return [
            Sample(cls(body), (y, x, w), differentiable=()),
            Sample(cls(body), (y, x), error="a body of 2 inputs"),
            Sample(cls(write_region(types, lambda b, v: v)), (x,), error="of 2 outputs has 1 operand(s)"),
        ]


def _backward(body: Region, given: Sequence[int]) -> tuple[Region, list[int]]:
    """The region from the inputs of ``body`` and the cotangents of its ``given`` outputs to the cotangents of those
    inputs that have any, by number."""
    wanted: list[int] = []

    def write(b: Builder, values: list[Value]) -> list[Value]:
        inputs = values[: len(body.inputs)]
        outputs = copy_graph(b, body.graph, inputs, origins=as_gradient)
        seeds = [(outputs[k], g) for k, g in zip(given, values[len(inputs) :], strict=True)]
        found = cotangents_in(b, seeds, inputs)
        wanted[:] = [k for k, g in enumerate(found) if g is not None and inputs[k].dtype.is_float]
        return [g for k, g in enumerate(found) if g is not None and k in wanted]

    facts = Facts(body.graph.facts)
    return write_region([*body.inputs, *(body.outputs[k] for k in given)], write, facts), wanted


__all__ = ["Barrier", "Checkpoint"]
