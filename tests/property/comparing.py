"""Programs on several targets, call by call, against the interpreter of the graph as built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import symgraph as sg
from symgraph.errors import BoundsError, InternalError, LinAlgError, ShapeError
from symgraph.ir.interp import interpret
from symgraph.ir.printer import print_graph
from tests.codegen.loop_executable import LoopExecutable
from tests.property.programs import Program
from tests.property.rounding import Expected, expanded

Array = np.ndarray[Any, Any]
#: What unknown sizes are, call by call: for what runs element by element, and for the others.
SMALL = ((3, 2), (1, 1), (0, 2), (2, 0))
LARGE = (*SMALL, (1, 7), (7, 33), (3, 2))
#: What the interpreter says where sizes are too small: the largest of nothing, a row of what has none.
NOT_DEFINED = (ValueError, IndexError, ShapeError, BoundsError, InternalError, LinAlgError)


def on_numpy(program: Program) -> sg.Function:
    return program.function(target="numpy", verify=True)


def on_llvm(program: Program) -> sg.Function:
    return program.function(target="llvm", verify=True)


def on_loops(program: Program) -> sg.Function:
    """The kernels of a function, interpreted element by element."""
    fn = program.function(target="numpy", verify=True)
    fn._run = LoopExecutable(fn.stages.plan).run
    return fn


def compare(program: Program, targets: Sequence[Any], sizes: Sequence[tuple[int, int]] = LARGE) -> int:
    """Call a program's functions for each choice of sizes; how many calls had expected results to compare with.

    Raises:
        AssertionError: where a target's outputs, or variables after the call, are not the interpreter's.
    """
    functions = [target(program) for target in targets]
    graph, variables = functions[0].stages.imported, functions[0].variables
    parts = expanded(graph)
    compared = 0
    for seed, chosen in enumerate(sizes):
        arguments = program.arguments(chosen, seed)
        before = [v.get_value() for v in variables]
        try:
            expected = Expected(graph, parts, arguments, before)
        except NOT_DEFINED:
            expected = None
        for fn in functions:
            for v, old in zip(variables, before, strict=True):
                v.set_value(old)
            try:
                got = [*fn(*arguments), *(v.get_value() for v in variables)]
            except (ShapeError, BoundsError, LinAlgError):
                # Refused for these sizes, in plain words, and nothing has changed.
                assert min(chosen) < 3 or expected is None, f"{fn} refuses sizes {chosen}"
                assert all(np.array_equal(v.get_value(), o, True) for v, o in zip(variables, before, strict=True))
                continue
            if expected is None:
                continue
            wrong = expected.difference(got)
            assert not wrong, f"{fn}, sizes {chosen}, {wrong}\n{program.steps}\n{print_graph(graph)}"
        compared += expected is not None
    return compared


__all__ = ["LARGE", "SMALL", "compare", "interpret", "on_llvm", "on_loops", "on_numpy"]
