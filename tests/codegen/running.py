"""Running plans and graphs slowly: the loop interpreter on a plan, the ops' references on a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symgraph.codegen.plan import Plan
from symgraph.ir.dims import evaluate
from symgraph.ir.graph import Graph
from symgraph.ir.ops.leaves import Constant, Input, Size, State

from .loop_executable import LoopExecutable

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
    executable = LoopExecutable(plan)
    given, new = [np.array(a) for a in inputs], [np.array(s) for s in states]
    buffers = [plan.buffers[name] for name in plan.outputs]
    outputs = [np.full([evaluate(d, sizes) for d in b.shape], 77, b.dtype.np) for b in buffers]
    assert executable.run(executable.frame([sizes[s] for s in plan.symbols]), given, new, outputs) is None
    for ours, theirs in zip(given, inputs, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    return outputs, new
