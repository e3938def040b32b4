"""Running plans and graphs slowly: the loop interpreter on a plan, the ops' references on a graph."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symgraph.codegen.host import BoundHost
from symgraph.codegen.loop.interp import interpret
from symgraph.codegen.plan import HostCall, Plan
from symgraph.ir.dims import evaluate
from symgraph.ir.graph import Graph
from symgraph.ir.ops.leaves import Constant, Input, Size, State

Array = np.ndarray[Any, Any]


def sizes_of_call(graph: Graph, inputs: Sequence[Array]) -> dict[str, int]:
    """The values of plain symbols, from the shapes of the arguments."""
    return {str(d): n for v, a in zip(graph.inputs, inputs, strict=True) for d, n in zip(v.shape, a.shape, strict=True)}


def run_graph(graph: Graph, inputs: Sequence[Array], states: Sequence[Array]) -> tuple[list[Array], list[Array]]:
    """Outputs and new states, by the references of the ops."""
    sizes = sizes_of_call(graph, inputs)
    values: dict[int, Array] = {}
    for node in graph.nodes:
        op = node.op
        if isinstance(op, Input):
            results: Any = inputs[op.slot]
        elif isinstance(op, State):
            results = states[op.slot]
        elif isinstance(op, Constant):
            results = op.literal.array
        elif isinstance(op, Size):
            results = np.asarray(evaluate(op.dim, sizes), np.int64)
        else:
            from symgraph.ir.dims import Symbol

            static = op.map_dims({Symbol(n): size for n, size in sizes.items()})
            results = static.reference(*(values[id(v)] for v in node.inputs))
        for value, array in zip(node.outputs, results if isinstance(results, tuple) else (results,), strict=True):
            values[id(value)] = array
    new = [np.array(s) for s in states]
    for slot, value in graph.updates:
        new[slot] = np.array(values[id(value)])
    return [values[id(v)] for v in graph.outputs], new


def run_plan(
    plan: Plan, inputs: Sequence[Array], states: Sequence[Array], sizes: Mapping[str, int]
) -> tuple[list[Array], list[Array]]:
    """Outputs and new states, by the loop interpreter; temporaries start as garbage."""
    memory: dict[str, Array] = {}
    for name, buffer in plan.buffers.items():
        if buffer.alias:
            continue
        shape = tuple(evaluate(d, sizes) for d in buffer.shape)
        if buffer.kind == "input":
            memory[name] = np.array(inputs[buffer.slot])
        elif buffer.kind == "state":
            memory[name] = np.array(states[buffer.slot])
        elif buffer.literal is not None:
            memory[name] = np.array(buffer.literal.array)
        else:
            memory[name] = np.full(shape, 77, buffer.dtype.np)
    before = [np.array(memory[n]) for n in plan.inputs]

    def array(name: str) -> Array:
        while plan.buffers[name].alias:
            name = plan.buffers[name].alias
        return memory[name]

    for step in plan.steps:
        if isinstance(step, HostCall):
            call = BoundHost(step, sizes, plan.name)
            places = zip(step.args, (*call.operands, *call.results), strict=True)
            seen = [array(name).reshape(-1)[: math.prod(shape)].reshape(shape) for name, (_, shape) in places]
            made = call.run([a.copy() for a in seen[: step.operands]])  # it may write to what it gets
            for target, value in zip(seen[step.operands :], made, strict=True):
                target[...] = value
            continue
        kernel = plan.kernels[step.kernel]
        here = {n: evaluate(d, sizes) for n, d in zip(kernel.sizes, step.sizes, strict=True)}
        arrays = {}
        for parameter, name in zip(kernel.buffers, step.args, strict=True):
            shape = tuple(evaluate(d, here) for d in parameter.shape)
            flat = array(name).reshape(-1)
            arrays[parameter.name] = flat[: int(np.prod(shape))].reshape(shape)
        assert interpret(kernel, arrays, here) is None
    for name, old in zip(plan.inputs, before, strict=True):
        np.testing.assert_array_equal(memory[name], old)

    def result(name: str) -> Array:
        shape = tuple(evaluate(d, sizes) for d in plan.buffers[name].shape)
        return array(name).reshape(shape)

    return [result(n) for n in plan.outputs], [result(n) for n in plan.states]
