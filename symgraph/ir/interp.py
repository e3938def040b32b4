"""The NumPy interpreter: what any graph means, through the ops' references. The truth of all tests; no speed intended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ShapeError
from .dims import Dim, Shape, Symbol, SymDim, evaluate, shape_text
from .graph import Graph, Node
from .ops.leaves import Input, State

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Results:
    """Outputs, and the new values of updated states by slot."""

    outputs: tuple[Array, ...]
    updates: dict[int, Array]


def interpret(graph: Graph, inputs: Sequence[Array], states: Sequence[Array] = ()) -> Results:
    """Evaluate ``graph`` for these arrays.

    Raises:
        ShapeError: where the inputs contradict the declared shapes or the graph's facts.
    """
    sizes = bind_sizes(graph, [np.shape(a) for a in inputs])
    replace: dict[Symbol, Dim] = {Symbol(name): size for name, size in sizes.items()}
    values: dict[int, Array] = {}
    for node in graph.nodes:
        for value, array in zip(node.outputs, _evaluate(node, values, inputs, states, replace), strict=True):
            values[id(value)] = array
    return Results(tuple(values[id(v)] for v in graph.outputs), {slot: values[id(v)] for slot, v in graph.updates})


def _evaluate(
    node: Node, values: Mapping[int, Array], inputs: Sequence[Array], states: Sequence[Array],
    replace: Mapping[Symbol, Dim],
) -> tuple[Array, ...]:  # fmt: skip
    op = node.op
    if isinstance(op, Input):
        return (np.asarray(inputs[op.slot], op.type.dtype.np),)
    if isinstance(op, State):
        return (np.array(states[op.slot], op.type.dtype.np),)
    result = op.map_dims(dict(replace)).reference(*(values[id(v)] for v in node.inputs))
    return result if isinstance(result, tuple) else (result,)


def bind_sizes(graph: Graph, shapes: Sequence[tuple[int, ...]]) -> dict[str, int]:
    """The sizes that the graph's symbols have for inputs of these shapes.

    Raises:
        ShapeError: where they contradict each other.
    """
    sizes: dict[str, int] = {}
    pending: list[tuple[Dim, int, Shape, tuple[int, ...]]] = []
    for value, shape in zip(graph.inputs, shapes, strict=True):
        if len(shape) != len(value.shape):
            raise ShapeError(f"an input has shape {shape}, expected {shape_text(value.shape)}")
        for dim, size in zip(value.shape, shape, strict=True):
            if isinstance(dim, SymDim) and str(dim).isidentifier():
                sizes.setdefault(str(dim), size)
            pending.append((dim, size, value.shape, shape))
    for dim, size, declared, given in pending:
        if evaluate(dim, sizes) != size:
            raise ShapeError(f"an input has shape {given}, expected {shape_text(declared)}")
    for a, b in graph.facts:
        if evaluate(a, sizes) != evaluate(b, sizes):
            raise ShapeError(f"{a} and {b} must be equal, but are {evaluate(a, sizes)} and {evaluate(b, sizes)}")
    return sizes
