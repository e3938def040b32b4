"""Random graphs as the inside of a checkpoint: values and gradients are those without it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import symgraph as sg
from symgraph.closing import close
from symgraph.dtypes import float64
from symgraph.ir.compare import is_close
from symgraph.ir.differential import random_arguments
from symgraph.ir.graph import Graph
from symgraph.ir.interp import interpret
from symgraph.ir.op import Leaf
from symgraph.ir.ops.leaves import Constant, Size
from symgraph.ir.printer import print_graph
from symgraph.ir.replay import replay
from symgraph.options import Options
from symgraph.tensor import Tensor
from symgraph.tracer import tracer
from tests.property.graphs import graphs
from tests.property.test_targets import TOLERANCE, check

few = settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def differentiated(graph: Graph, wrap: Any, order: int = 1) -> Graph | None:
    """The results of a graph, and their gradients by its arguments; None where an op has none."""
    values = [*graph.inputs, *graph.states]
    arguments = [sg.placeholder(v.shape, v.dtype) for v in values]

    def inside(*tensors: Tensor) -> list[Tensor]:
        new = {id(v): t.value for v, t in zip(values, tensors, strict=True)}
        nodes = (n for n in graph.nodes if not isinstance(n.op, Leaf) or isinstance(n.op, (Constant, Size)))
        replay(tracer, nodes, new)
        return [Tensor(new[id(v)]) for v in graph.results]

    outputs = list(wrap(inside, *arguments))
    wrt = [a for a in arguments if a.dtype.is_float]
    seeds = {y: sg.ones_like(y) for y in outputs if y.dtype.is_float}
    for _ in range(order):
        if not seeds or not wrt:
            return None
        try:
            found = sg.grad(None, wrt, "none", known_grads=seeds)
        except sg.GradientError:
            return None
        slopes = [g for g in found if g is not None]
        outputs += slopes
        seeds = {g: sg.ones_like(g) for g in slopes}
    return close("program", arguments, outputs, [], {}).graph


def compare(graph: Graph, options: Options, order: int = 1) -> None:
    plain = differentiated(graph, lambda f, *x: f(*x), order)
    wrapped = differentiated(graph, sg.checkpoint, order)
    assert (plain is None) == (wrapped is None)
    if plain is None or wrapped is None:
        return
    inputs, _ = random_arguments(plain, 1)
    pairs = zip(interpret(wrapped, inputs).all, interpret(plain, inputs).all, strict=True)
    for k, (got, want) in enumerate(pairs):
        assert is_close(want, got, TOLERANCE), f"result {k}: {want} became {got}\n{print_graph(wrapped)}"
    check(wrapped, options)


@few
@given(graphs(steps=8, dtypes=(float64,), smooth=True))
def test_the_numpy_target(graph: Graph) -> None:
    compare(graph, Options(target="numpy", verify=True))


@pytest.mark.slow
@settings(few, max_examples=40)
@given(graphs(steps=8, dtypes=(float64,), smooth=True))
def test_the_llvm_target_to_second_order(graph: Graph) -> None:
    compare(graph, Options(target="llvm", verify=True), order=2)
