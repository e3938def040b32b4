"""Text of graphs reads back; text that is no graph is refused with the line."""

from __future__ import annotations

import pytest

from symgraph.closing import close
from symgraph.errors import GraphError
from symgraph.ir.compare import equal_graphs
from symgraph.ir.interp import interpret
from symgraph.ir.literal import Foreign
from symgraph.ir.op import REGISTRY, Sample
from symgraph.ir.parser import parse_graph
from symgraph.ir.printer import print_graph
from symgraph.ir.rewrites.rule import Sketch
from symgraph.ir.verify import verify
from tests.contract.cases import apply, bound_op, cases, placeholders

TEXT = """
graph @step dims(N, M) facts(2*M = N+1) {
  %x = input[slot=0, label="x : f32[3] %y @1"] : f32[N,3]
  %y = input[slot=1, label="y"] : f32[M]
  %w = state[slot=0, label="dense_1/kernel"] : f32[3,2]
  %0 = contract["ik,kj->ij"] %x, %w : f32[N,2]  @1 @2
  %1 = constant[f32[3,2]{0.0, -0.0, nan, inf, -inf, 0.1}] : f32[3,2]
  %2 = add %w, %1 : f32[3,2]  @3
  return %0, %y
  update state 0 = %2
} where
  @1 = dense_1 (mnist.py:12)
  @2 = grad of mnist.py:3
  @3 = ?
"""


def test_text_reads_back() -> None:
    graph = parse_graph(TEXT)
    verify(graph, "parse")
    again = parse_graph(print_graph(graph))
    assert equal_graphs(graph, again)
    assert print_graph(again) == print_graph(graph)
    assert [str(o) for o in graph.outputs[0].node.origins] == ["dense_1 (mnist.py:12)", "grad of mnist.py:3"]
    assert graph.updates[0][1].node.origins[0].layer == ""


def test_facts_are_read() -> None:
    graph = parse_graph(TEXT)
    assert [f"{a} = {b}" for a, b in graph.facts] == ["2*M = N+1"]


def has_text(sample: Sample) -> bool:
    return not any(isinstance(v, Foreign) for v in sample.op.attributes().values())


@pytest.mark.parametrize("sample", [c for c in cases() if has_text(c.values[0])])
def test_every_op_reads_back(sample: Sample) -> None:
    inputs = placeholders(sample, symbolic=False)
    graph = close("op", inputs, apply(bound_op(sample), inputs), [], {}).graph
    assert equal_graphs(parse_graph(print_graph(graph)), graph)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("graph @step", "grph @step", "line 1 .*starts with"),
        ("add %w, %1", "plus %w, %1", "line 7 .*no op 'plus'"),
        ("add %w, %1", "add %w, %7", "line 7 .*%7 is not defined"),
        ("%2 = add", "%1 = add", "line 7 .*defined twice"),
        ("add %w, %1 : f32[3,2]", "add %w, %1 : f32[2,3]", "line 7 .*gives f32"),
        ("add %w, %1 : f32[3,2]", "add %w, %1", "line 7 .*a node is written"),
        ("{0.0, -0.0, nan, inf, -inf, 0.1}", "{0.0}", "line 6 .*1 elements"),
        ('contract["ik,kj->ij"]', "contract", "line 5 .*spec"),
        ('contract["ik,kj->ij"]', 'contract["ik,kj->ij"', "line 5 .*no bracket"),
        ('"ik,kj->ij"', '"ik,jk->ij"', "line 5 .*axis 1"),
        ("@3 = ?", "3: here", "line 13 .*note"),
        ("} where", "", "line 14 .*closing }"),
    ],
)
def test_bad_text_is_refused_with_its_line(old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(GraphError, match=f"(?s){message}"):
        parse_graph(TEXT.replace(old, new).strip())


def test_equality_sees_every_part() -> None:
    graph = parse_graph(TEXT)
    for old, new in [
        ("@step", "@other"), ("facts(2*M = N+1)", "facts(2*M = N+3)"), ("add %w, %1", "add %1, %w"),
        ("return %0, %y", "return %0"), ("update state 0 = %2", "update state 0 = %w"), ("-0.0", "0.0"),
    ]:  # fmt: skip
        assert not equal_graphs(graph, parse_graph(TEXT.replace(old, new))), new


def test_a_folding_builder_is_not_used() -> None:
    s = Sketch()
    x = s.input("f32[3]")
    graph = s.graph_of(s.apply(REGISTRY["reshape"]((3,)), x))
    assert len(parse_graph(print_graph(graph)).nodes) == 2


def test_a_parsed_graph_runs() -> None:
    results = interpret(parse_graph(TEXT), [[[1, 2, 3]] * 3, [5, 6]], [[[1, 0], [0, 1], [1, 1]]])
    assert results.outputs[0].tolist() == [[4, 5]] * 3

