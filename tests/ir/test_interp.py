"""The interpreter binds sizes, checks arrays, and runs every op by its reference."""

from __future__ import annotations

import numpy as np
import pytest

from symgraph.closing import close
from symgraph.errors import ArgumentError, InternalError, ShapeError
from symgraph.ir.graph import Graph
from symgraph.ir.interp import bind_sizes, interpret
from symgraph.ir.op import Sample
from symgraph.ir.parser import parse_graph
from tests.contract.cases import apply, bound_op, cases, expected, placeholders

TWO = """
graph @two dims(N, M) facts(2*M = N+1) {
  %x = input[slot=0, label="x"] : f32[N]
  %y = input[slot=1, label="y"] : f32[M,2]
  %z = input[slot=2, label="z"] : f32[N+M]
  %v = state[slot=0, label="v"] : f32[2]
  %w = state[slot=1, label="w"] : i32[]
  %0 = size[3*N+M] : i64[]
  %1 = sum[[0]] %y : f32[2]
  %2 = add %v, %1 : f32[2]
  return %0, %v
  update state 0 = %2
}
"""


@pytest.fixture
def two() -> Graph:
    return parse_graph(TWO)


def arrays(n: int, m: int) -> list[np.ndarray]:
    return [np.zeros(n), np.ones((m, 2)), np.zeros(n + m)]


def test_sizes_come_from_inputs(two: Graph) -> None:
    assert bind_sizes(two, arrays(3, 2)) == {"N": 3, "M": 2}
    results = interpret(two, arrays(3, 2), [[10, 20], 7])
    assert results.outputs[0] == 11
    assert results.outputs[0].dtype == np.int64


def test_updates_read_old_states(two: Graph) -> None:
    results = interpret(two, arrays(3, 2), [[10, 20], 7])
    assert results.outputs[1].tolist() == [10, 20]
    assert [s.tolist() for s in results.states] == [[12, 22], 7]
    assert results.states[0].dtype == np.float32
    assert len(results.all) == 4


def test_arrays_that_do_not_fit_are_refused(two: Graph) -> None:
    with pytest.raises(ShapeError, match="2\\*M = N\\+1 does not hold"):
        interpret(two, arrays(3, 3), [[1, 2], 0])
    with pytest.raises(ShapeError, match="declared M\\+N has size 9"):
        interpret(two, [*arrays(3, 2)[:2], np.zeros(9)], [[1, 2], 0])
    with pytest.raises(ShapeError, match="declared 2 has size 3"):
        interpret(two, [np.zeros(3), np.zeros((2, 3)), np.zeros(5)], [[1, 2], 0])
    with pytest.raises(ShapeError, match="input 0 of type f32\\[N\\] got an array of shape \\(3, 1\\)"):
        interpret(two, [np.zeros((3, 1)), *arrays(3, 2)[1:]], [[1, 2], 0])
    with pytest.raises(ArgumentError, match="2 state\\(s\\), got 1"):
        interpret(two, arrays(3, 2), [[1, 2]])
    with pytest.raises(ShapeError, match="state 1"):
        interpret(two, arrays(3, 2), [[1, 2], [3]])


def test_a_reference_of_a_wrong_type_is_a_fault() -> None:
    graph = parse_graph(TWO.replace("graph @two", "graph @wrong"))
    node = graph.outputs[0].node
    object.__setattr__(node.outputs[0].type, "shape", (5,))
    with pytest.raises(InternalError, match="reference of Size"):
        interpret(graph, arrays(3, 2), [[1, 2], 0])


@pytest.mark.parametrize("sample", cases())
def test_every_op_runs_by_its_reference(sample: Sample) -> None:
    symbolic = bool(sample.symbolic)
    inputs = placeholders(sample, symbolic)
    graph = close("op", inputs, apply(sample.op if symbolic else bound_op(sample), inputs), [], {}).graph
    for got, want in zip(interpret(graph, sample.arrays).outputs, expected(sample), strict=True):
        np.testing.assert_array_equal(got, want)
