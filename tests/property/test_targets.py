"""Random graphs on every target: the interpreter's values, for several sizes of one executable; the same code again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from symgraph.codegen.loop.text import print_kernel
from symgraph.dtypes import float64
from symgraph.ir.compare import is_close
from symgraph.ir.differential import random_arguments
from symgraph.ir.dims import evaluate
from symgraph.ir.graph import Graph
from symgraph.ir.interp import bind_sizes, interpret
from symgraph.ir.parser import parse_graph
from symgraph.ir.printer import print_graph
from symgraph.options import Options
from symgraph.stages import Stages, compile_stages
from tests.property.graphs import graphs

Array = np.ndarray[Any, Any]
few = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
#: Units of the precision; graphs are short, but cancellation happens.
TOLERANCE = 1e9 * np.finfo(np.float64).eps


def run(stages: Stages, inputs: list[Array], states: list[Array]) -> list[Array]:
    """Outputs, then states, of one run."""
    graph, executable = stages.optimized, stages.executable
    sizes = bind_sizes(graph, inputs)
    outputs = [np.empty([evaluate(d, sizes) for d in v.shape], v.dtype.np) for v in graph.outputs]
    states = [s.copy() for s in states]
    frame = executable.frame(tuple(sizes[s] for s in stages.plan.symbols))
    failure = executable.run(frame, inputs, tuple(states), outputs)
    assert failure is None
    return [*outputs, *states]


def check(graph: Graph, options: Options) -> None:
    stages = compile_stages(graph, options)
    for seed in range(3):
        inputs, states = random_arguments(graph, seed)
        wanted = interpret(graph, inputs, states).all
        for i, (got, want) in enumerate(zip(run(stages, inputs, states), wanted, strict=True)):
            assert is_close(want, got, TOLERANCE), f"result {i}: {want} became {got}\n{print_graph(graph)}"


@few
@given(graphs(dtypes=(float64,), smooth=True))
def test_the_numpy_target_agrees(graph: Graph) -> None:
    check(graph, Options(target="numpy", verify=True))


@pytest.mark.slow
@settings(few, max_examples=60)
@given(graphs(dtypes=(float64,), smooth=True))
def test_the_llvm_target_agrees(graph: Graph) -> None:
    check(graph, Options(target="llvm", verify=True))


@few
@given(graphs())
def test_compiling_twice_gives_the_same_kernels(graph: Graph) -> None:
    texts = []
    for one in (graph, parse_graph(print_graph(graph))):
        kernels = compile_stages(one, Options(target="numpy")).plan.kernels
        texts.append([(key, print_kernel(kernel)) for key, kernel in kernels.items()])
    assert texts[0] == texts[1]
