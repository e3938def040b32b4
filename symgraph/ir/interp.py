"""The NumPy interpreter of graphs: every node through its op's ``reference``. Slow, simple, the truth of all tests.

Every array it hands on is C-contiguous: NumPy adds up in the order of memory, and the bits of a result must depend on
the values of the operands alone, not on how the node before laid them out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ArgumentError, InternalError, ShapeError
from .dims import Dim, Symbol, SymDim, evaluate
from .graph import Graph, Node, Value
from .op import Array
from .ops.leaves import Input, State


@dataclass(frozen=True)
class Results:
    """What one run gives: the outputs, and the states (all of them, by slot) after the updates."""

    outputs: tuple[Array, ...]
    states: tuple[Array, ...]

    @property
    def all(self) -> tuple[Array, ...]:
        return self.outputs + self.states


def interpret(graph: Graph, inputs: Sequence[Any] = (), states: Sequence[Any] = ()) -> Results:
    """Run ``graph`` once on arrays, one per input and per state, in the order of slots.

    Raises:
        ArgumentError: for a wrong number of arrays.
        ShapeError: for arrays whose shapes do not fit the types or the facts.
        InternalError: where a node's result is not of the recorded type.
    """
    values = evaluate_nodes(graph, inputs, states)
    after = [values[id(v)] for v in graph.states]
    for slot, new in graph.updates:
        after[slot] = values[id(new)]
    return Results(tuple(values[id(v)] for v in graph.outputs), tuple(after))


def evaluate_nodes(graph: Graph, inputs: Sequence[Any], states: Sequence[Any] = ()) -> dict[int, Array]:
    """The array of every value of ``graph``, by ``id``."""
    given = [*_as_arrays(graph.inputs, inputs, "input"), *_as_arrays(graph.states, states, "state")]
    sizes = bind_sizes(graph, given[: len(graph.inputs)])
    values = {id(v): a for v, a in zip((*graph.inputs, *graph.states), given, strict=True)}
    replace: dict[Symbol, Dim] = {Symbol(name): size for name, size in sizes.items()}
    for node in graph.nodes:
        if isinstance(node.op, (Input, State)):
            continue
        results = run_node(node, [values[id(v)] for v in node.inputs], replace)
        for value, array in zip(node.outputs, results, strict=True):
            expected = tuple(evaluate(d, sizes) for d in value.shape)
            if array.dtype != value.dtype.np or array.shape != expected:
                raise InternalError(
                    f"reference of {node.op!r} gave {array.dtype}{list(array.shape)}, its type is {value.type}"
                )
            values[id(value)] = array
    return values


def bind_sizes(graph: Graph, inputs: Sequence[Array]) -> dict[str, int]:
    """The value of every symbol, from the shapes of the inputs; facts are checked.

    Raises:
        ShapeError: where shapes contradict the types or the facts.
    """
    sizes: dict[str, int] = {}
    pairs = [(d, n) for v, a in zip(graph.inputs, inputs, strict=True) for d, n in zip(v.shape, a.shape, strict=True)]
    for dim, size in pairs:
        name = symbol_name(dim)
        if name is not None:
            sizes.setdefault(name, size)
    for dim, size in pairs:
        if evaluate(dim, sizes) != size:
            raise ShapeError(f"an axis declared {dim} has size {size}, where {_text(sizes)}")
    for a, b in graph.facts:
        if evaluate(a, sizes) != evaluate(b, sizes):
            raise ShapeError(f"{a} = {b} does not hold where {_text(sizes)}")
    return sizes


def symbol_name(dim: Dim) -> str | None:
    """The name of a size that is one symbol and nothing else."""
    if isinstance(dim, SymDim) and len(dim.terms) == 1:
        monomial, coefficient = dim.terms[0]
        if coefficient == 1 and len(monomial) == 1 and isinstance(monomial[0], Symbol):
            return monomial[0].name
    return None


def _text(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{k} = {v}" for k, v in sizes.items())


def _as_arrays(values: Sequence[Value], given: Sequence[Any], what: str) -> list[Array]:
    if len(values) != len(given):
        raise ArgumentError(f"the graph has {len(values)} {what}(s), got {len(given)} array(s)")
    arrays = [np.asarray(a, v.dtype.np, order="C") for v, a in zip(values, given, strict=True)]
    for slot, (value, array) in enumerate(zip(values, arrays, strict=True)):
        if array.ndim != value.type.ndim:
            raise ShapeError(f"{what} {slot} of type {value.type} got an array of shape {array.shape}")
    return arrays


def run_node(node: Node, operands: Sequence[Array], replace: dict[Symbol, Dim]) -> tuple[Array, ...]:
    """The results of one node; ``replace`` has the value of every symbol."""
    with np.errstate(all="ignore"):
        result = node.op.map_dims(replace).reference(*operands)
    results = result if isinstance(result, tuple) else (result,)
    return tuple(np.asarray(r, order="C") for r in results)
