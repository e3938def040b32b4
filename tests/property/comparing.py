"""Programs on several targets, call by call, against the interpreter of the graph as built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import symgraph as sg
from symgraph.errors import BoundsError, InternalError, LinAlgError, ShapeError
from symgraph.ir.dims import evaluate
from symgraph.ir.graph import Graph
from symgraph.ir.interp import bind_sizes, evaluate_nodes
from symgraph.ir.printer import print_graph
from tests.codegen.loop_executable import LoopExecutable
from tests.property.programs import Program
from tests.property.rounding import Expected, expanded

Array = np.ndarray[Any, Any]
#: What unknown sizes are, call by call: for what runs element by element, and for the others.
SMALL = ((3, 2), (1, 1), (0, 2), (2, 0))
LARGE = (*SMALL, (1, 7), (7, 33), (130, 5), (3, 2))
#: Calls with larger values are left out.
MOST = 1 << 18
#: What the interpreter says where sizes are too small: the largest of nothing, a row of what has none.
NOT_DEFINED = (ValueError, IndexError, ShapeError, BoundsError, InternalError, LinAlgError)


def on_numpy(program: Program, **options: Any) -> sg.Function:
    return program.function(target="numpy", verify=True, **options)


def on_llvm(program: Program, **options: Any) -> sg.Function:
    return program.function(target="llvm", verify=True, **options)


def from_disk(program: Program, **options: Any) -> sg.Function:
    """Native code whose plan an equal function has left behind."""
    program.function(target="llvm", **options)
    return program.function(target="llvm", **options)


def on_loops(program: Program, **options: Any) -> sg.Function:
    """The kernels of a function, interpreted element by element."""
    fn = program.function(target="numpy", verify=True, **options)
    fn._run = LoopExecutable(fn.stages.plan).run
    return fn


def compare(
    program: Program, targets: Sequence[Callable[..., sg.Function]], sizes: Sequence[tuple[int, int]] = LARGE,
    strict: bool = False,
) -> int:  # fmt: skip
    """Call a program's functions for each choice of sizes; how many calls had expected results to compare with.
    ``strict`` leaves out inexact rules and adds infinities and NaN.

    Raises:
        AssertionError: where a target's outputs, or variables after the call, are not the interpreter's.
    """
    functions = [target(program, inexact=not strict) for target in targets]
    graph, variables = functions[0].stages.imported, functions[0].variables
    parts = expanded(graph)
    compared = 0
    for seed, chosen in enumerate(sizes):
        arguments = program.arguments(chosen, seed, strict)
        before = [v.get_value() for v in variables]
        try:
            if most_elements(graph, arguments) > MOST:
                continue
            if 0 in chosen and not strict and has_lost_values(graph, arguments, before):
                continue
            expected = Expected(graph, parts, arguments, before, strict)
        except NOT_DEFINED:
            expected = None
        for fn in functions:
            for v, old in zip(variables, before, strict=True):
                v.set_value(old)
            try:
                got = [*fn(*arguments), *(v.get_value() for v in variables)]
            except (ShapeError, BoundsError, LinAlgError) as error:
                # Refused for these sizes, or a matrix with NaN, in plain words, and nothing has changed.
                is_nan = strict and isinstance(error, LinAlgError)
                assert min(chosen) < 3 or expected is None or is_nan, f"{fn} refuses sizes {chosen}"
                assert all(np.array_equal(v.get_value(), o, True) for v, o in zip(variables, before, strict=True))
                continue
            if expected is None:
                continue
            wrong = expected.difference(got)
            assert not wrong, f"{fn}, sizes {chosen}, {wrong}\n{program.steps}\n{print_graph(graph)}"
        compared += expected is not None
    return compared


def most_elements(graph: Graph, arguments: Sequence[Array]) -> int:
    """How large the largest value is."""
    sizes = bind_sizes(graph, arguments)
    return max(evaluate(v.type.size, sizes) for node in graph.nodes for v in node.outputs)


def has_lost_values(graph: Graph, arguments: Sequence[Array], states: Sequence[Array]) -> bool:
    """Whether some value is not finite. Inexact rules take a sum of no such values for 0 times one of them."""
    values = evaluate_nodes(graph, arguments, states).values()
    return any(a.dtype.kind == "f" and not np.isfinite(a).all() for a in values)


__all__ = ["LARGE", "SMALL", "compare", "from_disk", "on_llvm", "on_loops", "on_numpy"]
