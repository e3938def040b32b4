"""Properties of random graphs: they verify, read back, keep their values in every pass, and optimize one way."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from symgraph.dtypes import float64
from symgraph.ir.compare import equal_graphs
from symgraph.ir.differential import Differential, random_arguments
from symgraph.ir.graph import Graph
from symgraph.ir.interp import interpret
from symgraph.ir.op import Composite
from symgraph.ir.parser import parse_graph
from symgraph.ir.passes import PIPELINE, optimize
from symgraph.ir.printer import print_graph
from symgraph.ir.verify import broken_invariants, has_same_signature
from symgraph.options import Options
from tests.property.graphs import graphs

#: Expansion is no promise of bits.
EXACT_PASSES = tuple(p for p in PIPELINE if p.name != "expand")
few = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@few
@given(graphs())
def test_graphs_are_well_formed_and_run(graph: Graph) -> None:
    assert broken_invariants(graph) == []
    interpret(graph, *random_arguments(graph, 0))


@few
@given(graphs())
def test_text_reads_back(graph: Graph) -> None:
    text = print_graph(graph)
    again = parse_graph(text)
    assert equal_graphs(again, graph)
    assert print_graph(again) == text


@few
@given(graphs(dtypes=(float64,), smooth=True))
def test_every_pass_keeps_values(graph: Graph) -> None:
    found = Differential(runs=2, steps=1e9).find(graph)
    assert found is None, f"{found}\n{print_graph(graph)}"


@few
@given(graphs())
def test_exact_passes_keep_bits(graph: Graph) -> None:
    found = Differential(runs=2).find(graph, EXACT_PASSES, inexact=False)
    assert found is None, f"{found}\n{print_graph(graph)}"


@few
@given(graphs())
def test_passes_settle_and_are_deterministic(graph: Graph) -> None:
    options = Options(verify=True)
    first, _ = optimize(graph, options)
    second, _ = optimize(parse_graph(print_graph(graph)), options)
    assert has_same_signature(graph, first)
    assert equal_graphs(first, second)
    assert not any(isinstance(node.op, Composite) for node in first.nodes)
