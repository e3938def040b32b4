"""Random graphs with the gradients of their results: every pass keeps them, and the targets agree."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from symgraph.dtypes import float16, float32, float64
from symgraph.ir.differential import Differential
from symgraph.ir.graph import Graph
from symgraph.ir.printer import print_graph
from symgraph.options import Options
from tests.property.graphs import graphs, random_graph
from tests.property.structured import with_gradients
from tests.property.test_graphs import EXACT_PASSES
from tests.property.test_targets import check

few = settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@few
@given(graphs(steps=10, dtypes=(float64,), smooth=True))
def test_every_pass_keeps_gradients(graph: Graph) -> None:
    larger = with_gradients(graph) or graph
    found = Differential(runs=2, steps=1e9).find(larger)
    assert found is None, f"{found}\n{print_graph(larger)}"


@few
@given(graphs(steps=10, dtypes=(float64,), smooth=True))
def test_the_numpy_target_agrees_on_gradients(graph: Graph) -> None:
    check(with_gradients(graph) or graph, Options(target="numpy", verify=True))


@pytest.mark.slow
@settings(few, max_examples=60)
@given(graphs(steps=10, dtypes=(float64,), smooth=True))
def test_the_llvm_target_agrees_on_gradients(graph: Graph) -> None:
    check(with_gradients(graph) or graph, Options(target="llvm", verify=True))


@few
@given(graphs(dtypes=(float16, float32), smooth=True))
def test_exact_passes_keep_bits_of_half_precision(graph: Graph) -> None:
    found = Differential(runs=2).find(graph, EXACT_PASSES, inexact=False)
    assert found is None, f"{found}\n{print_graph(graph)}"


@pytest.mark.parametrize("seed", [12, 14, 18, 205])
def test_graphs_that_showed_a_fault(seed: int) -> None:
    """Scatters to a known place, and a running product in place."""
    graph = random_graph(seed, 12 if seed == 205 else 14, (float64,), smooth=True)
    check(graph, Options(target="numpy", verify=True))
