"""Graphs inside ops: equality, text, sizes, what breaks them."""

from __future__ import annotations

import numpy as np
import pytest

from symgraph.dtypes import float32
from symgraph.errors import GraphError, InternalError
from symgraph.ir.builder import Builder
from symgraph.ir.compare import equal_graphs
from symgraph.ir.dims import Symbol, symbol
from symgraph.ir.graph import Graph, Value
from symgraph.ir.interp import interpret
from symgraph.ir.ops.control import Scan
from symgraph.ir.parser import parse_graph
from symgraph.ir.printer import print_graph
from symgraph.ir.region import Region, capture, write_region
from symgraph.ir.rewrites.rule import Sketch
from symgraph.ir.types import TensorType
from symgraph.ir.verify import verify

N, M = symbol("N"), symbol("M")
ROW = TensorType(float32, (M,))


def add_up(b: Builder, v: list[Value]) -> list[Value]:
    return [b.add(v[0], v[1])]


def scan_of(region: Region) -> Scan:
    return Scan(region, N, (0,), (False,), (True,), ())


def sums() -> Graph:
    """Running sums of the rows of a matrix."""
    s = Sketch()
    x, start = s.input("f32[N,M]"), s.input("f32[M]")
    return s.graph_of(*s.apply_all(scan_of(write_region([ROW, ROW], add_up)), x, start))


def test_regions_are_compared_by_structure() -> None:
    a, b = write_region([ROW, ROW], add_up), write_region([ROW, ROW], add_up)
    other = write_region([ROW, ROW], lambda b, v: [b.sub(v[0], v[1])])
    assert a == b
    assert hash(a) == hash(b)
    assert a != other
    builder = Builder()
    s = Sketch()
    x, start = s.input("f32[N,M]"), s.input("f32[M]")
    assert builder.apply_all(scan_of(a), x, start) == builder.apply_all(scan_of(b), x, start)


def test_text_reads_back() -> None:
    graph = sums()
    text = print_graph(graph)
    assert "scan[body={\n" in text
    assert equal_graphs(parse_graph(text), graph)


def test_errors_of_text_after_a_body_name_the_line() -> None:
    text = print_graph(sums()).replace("return", "retour")
    with pytest.raises(GraphError, match="line"):
        parse_graph(text)


def test_sizes_are_replaced_inside() -> None:
    region = write_region([ROW, ROW], add_up)
    assert region.symbols == {Symbol("M")}
    assert region.map_dims({Symbol("K"): 3}) is region
    assert region.map_dims({Symbol("M"): 3}).inputs[0].shape == (3,)
    bound = scan_of(region).map_dims({Symbol("M"): 3, Symbol("N"): 4})
    assert isinstance(bound, Scan)
    assert (bound.length, bound.body.outputs[0].shape) == (4, (3,))


def test_what_does_not_depend_on_the_inputs_comes_from_outside() -> None:
    s = Sketch()
    x, w = s.input("f32[M]"), s.input("f32[M]")
    outside = s.exp(w)
    region, captured = capture([x], [s.add(s.mul(x, outside), 2.0)])
    assert captured == [outside]
    assert [n.op.name for n in region.graph.nodes].count("exp") == 0
    got = interpret(region.graph, [np.ones(3), np.full(3, 5.0)]).outputs[0]
    np.testing.assert_array_equal(got, np.full(3, 7.0, np.float32))


def test_the_verifier_looks_inside() -> None:
    graph = sums()
    verify(graph, "test")
    inner = graph.nodes[-1].op.body.graph  # type: ignore[attr-defined]
    object.__setattr__(inner, "nodes", inner.nodes[::-1])
    with pytest.raises(InternalError, match="has_sound_regions.*in the body of <scan"):
        verify(graph, "test")
