"""Ops that run graphs of their own as data says: one of two, or one as long as a condition holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...dtypes import as_dtype, bool_
from ...errors import DTypeError, GradientError, ShapeError
from ..builder import Builder
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Control, Sample, record, register
from ..region import Region, copy_graph, write_region
from ..reverse import cotangents_in
from ..types import Facts, TensorType
from .arithmetic import Cotangents
from .sampling import floats


def check_condition(name: str, condition: TensorType) -> None:
    """A condition is one bool."""
    if condition.dtype is not bool_ or condition.shape:
        raise DTypeError(f"the condition of {name} is a bool scalar, got {condition}")


def check_inputs(name: str, facts: Facts, region: Region, operands: Sequence[TensorType]) -> None:
    """Operands fit the inputs of a region, whose facts hold."""
    for a, b in region.graph.facts:
        facts.unify(a, b)
    if len(region.inputs) != len(operands):
        raise ShapeError(f"{name} of {len(operands)} operands with a body of {len(region.inputs)} inputs")
    for inner, operand in zip(region.inputs, operands, strict=True):
        if inner.dtype != operand.dtype:
            raise DTypeError(f"operand of {name} has dtype {operand.dtype}, its body takes {inner.dtype}")
        facts.unify_shapes(inner.shape, operand.shape, f"shapes of an operand and of what the body of {name} takes")


@register
@record
class Cond(Control):
    """The results of ``then`` where the first operand, a bool scalar, is true, else of ``otherwise``; the other one
    does not run. Both take all other operands."""

    then: Region
    otherwise: Region
    name = "cond"
    equivalents = "theano.ifelse.ifelse; jax.lax.cond; K.switch"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        check_condition(self.name, operands[0])
        for region in (self.then, self.otherwise):
            check_inputs(self.name, facts, region, operands[1:])
        ours, theirs = self.then.outputs, self.otherwise.outputs
        if [t.dtype for t in ours] != [t.dtype for t in theirs]:
            raise DTypeError(f"the branches of cond give {_listed(ours)} and {_listed(theirs)}")
        what = "shapes of the results of the branches of cond"
        pairs = zip(ours, theirs, strict=True)
        return tuple(a.with_shape(facts.unify_shapes(a.shape, b.shape, what)) for a, b in pairs)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        from ..interp import interpret

        region = self.then if bool(arrays[0]) else self.otherwise
        return interpret(region.graph, arrays[1:]).outputs

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        given = [k for k, g in enumerate(cotangents) if g is not None and results[k].dtype.is_float]
        seeds = [g for g in (cotangents[k] for k in given) if g is not None]
        branches = (self.then, self.otherwise)
        found = [_backward(region, given, None)[1] for region in branches]
        wanted = [k for k in range(len(operands) - 1) if any(f[k] is not None for f in found)]
        if not wanted:
            return [None] * len(operands)
        op = Cond(*(_backward(region, given, wanted)[0] for region in branches))
        made = dict(zip(wanted, e.apply_all(op, *operands, *seeds), strict=True))
        return [None, *(made.get(k) for k in range(len(operands) - 1))]

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        x, y = floats(3, 4, seed=1), floats(3, 4, seed=2)
        types = [TensorType(as_dtype(a.dtype), a.shape) for a in (x, y)]
        op = cls(
            write_region(types, lambda b, v: [b.mul(v[0], v[1]), v[0]]),
            write_region(types, lambda b, v: [b.exp(v[0]), b.sum(b.contract("ik,jk->ij", *v), [0])]),
        )
        ragged = cls(op.then, write_region(types, lambda b, v: [b.exp(v[0]), b.mul(v[0], v[1])]))
        return [
            Sample(ragged, (np.array(True), x, y)),
            Sample(ragged, (np.array(False), x, y)),
            Sample(op, (np.array(True), x, y), error="results of the branches"),
            Sample(ragged, (np.array(1), x, y), error="is a bool scalar"),
        ]


def _listed(types: Sequence[TensorType]) -> str:
    return ", ".join(map(str, types))


def _backward(region: Region, given: Sequence[int], wanted: Sequence[int] | None) -> tuple[Region, list[Value | None]]:
    """The branch that gives the cotangents of the ``wanted`` inputs (None: of none), and what it finds for all."""
    found: list[Value | None] = []

    def write(b: Builder, values: list[Value]) -> list[Value]:
        inputs = values[: len(region.inputs)]
        outputs = copy_graph(b, region.graph, inputs)
        seeds = [(outputs[k], g) for k, g in zip(given, values[len(inputs) :], strict=True)]
        cotangents = cotangents_in(b, seeds, inputs)
        found[:] = [g if v.dtype.is_float else None for v, g in zip(inputs, cotangents, strict=True)]
        return [found[k] or b.zeros_like(inputs[k]) for k in wanted or ()]

    facts = Facts(region.graph.facts)
    return write_region([*region.inputs, *(region.outputs[k] for k in given)], write, facts), found


@register
@record
class While(Control):
    """Runs ``body`` as long as a condition holds. Operands: the condition at first, a bool scalar; ``carries`` initial
    values; constants. The body takes carries and constants, and gives new carries and then the next condition. Results:
    the last carries."""

    body: Region
    carries: int
    name = "while"
    equivalents = "theano.scan with until; jax.lax.while_loop; tf.while_loop"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        check_condition(self.name, operands[0])
        check_inputs(self.name, facts, self.body, operands[1:])
        *new, condition = self.body.outputs
        check_condition(self.name, condition)
        for k, (old, now) in enumerate(zip(self.body.inputs[: self.carries], new, strict=True)):
            if old.dtype != now.dtype:
                raise DTypeError(f"carry {k} of a while loop is {old} and becomes {now}")
            facts.unify_shapes(old.shape, now.shape, f"shapes of carry {k} of a while loop before and after a step")
        return tuple(t.with_shape(facts.resolve_shape(t.shape)) for t in self.body.inputs[: self.carries])

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        from ..interp import interpret

        go, *rest = arrays
        carried, constants = rest[: self.carries], rest[self.carries :]
        while bool(go):
            *carried, go = interpret(self.body.graph, [*carried, *constants]).outputs
        return tuple(carried)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        raise GradientError(
            "a while loop has no gradient, as nobody knows how many steps to keep; give while_loop max_steps"
        )

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        x, y = floats(3, low=1.0, high=1.5), floats(3, low=1.1, high=1.4, seed=1)
        types = [TensorType(as_dtype(x.dtype), x.shape)] * 2

        def grow(b: Builder, v: list[Value]) -> list[Value]:
            new = b.mul(v[0], v[1])
            return [new, b.lt(b.sum(new), 100.0)]

        def swap(b: Builder, v: list[Value]) -> list[Value]:
            return [v[1], b.add(v[0], v[1]), b.lt(b.max(v[1]), 50.0)]

        op = cls(write_region(types, grow), 1)
        return [
            Sample(op, (np.array(True), x, y), differentiable=()),
            Sample(op, (np.array(False), x, y), differentiable=()),
            Sample(cls(write_region(types, swap), 2), (np.array(True), x, y), differentiable=()),
            Sample(op, (np.array(True), x, floats(4)), error="shapes of an operand"),
        ]


__all__ = ["Cond", "While"]
