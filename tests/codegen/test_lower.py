"""Plans mean what their graphs mean: every op's samples, random graphs, a training step, run by the loop
interpreter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import symgraph as sg
from symgraph.closing import close
from symgraph.codegen.compile import Lowering, make_plan
from symgraph.codegen.loop.grammar import Contract, Fold, Loop
from symgraph.codegen.loop.text import print_kernel
from symgraph.codegen.loop.walk import statements
from symgraph.ir.graph import Graph
from symgraph.ir.interp import interpret
from symgraph.ir.op import Leaf, Sample
from symgraph.ir.parser import parse_graph
from symgraph.options import Options
from symgraph.stages import compile_stages
from tests.contract.cases import apply, bound_op, cases, expected, placeholders

from .models import expanded, mlp_step
from .random_graphs import arrays_for, graphs
from .running import run_graph, run_plan, sizes_of_call


def _is_quick(sample: Sample) -> bool:
    """The interpreter runs in Python: arrays of some size are the targets' matter."""
    return not isinstance(sample.op, Leaf) and sum(a.size for a in sample.arrays) < 10_000


SAMPLES = [c for c in cases() if _is_quick(c.values[0])]


def lower(inputs: list[sg.Tensor], outputs: list[sg.Tensor]) -> tuple[Graph, Lowering]:
    graph = expanded(close("f", inputs, outputs, [], {}).graph)
    return graph, make_plan(graph, check=True)


def texts(lowering: Lowering) -> list[str]:
    return [print_kernel(k) for k in lowering.plan.kernels.values()]


def check(graph: Graph, lowering: Lowering, inputs: list[Any], states: list[Any], **tolerance: float) -> None:
    want = run_graph(graph, inputs, states)
    got = run_plan(lowering.plan, inputs, states, sizes_of_call(graph, inputs))
    for a, b in zip(got[0] + got[1], want[0] + want[1], strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, **tolerance)


def check_random(inputs: list[sg.Tensor], outputs: list[sg.Tensor], *shapes: tuple[int, ...]) -> Lowering:
    graph, lowering = lower(inputs, outputs)
    rng = np.random.default_rng(0)
    check(graph, lowering, [rng.normal(size=s).astype("float32") for s in shapes], [], rtol=1e-4, atol=1e-5)
    return lowering


@pytest.mark.parametrize("symbolic", [False, True])
@pytest.mark.parametrize("sample", SAMPLES)
def test_samples(sample: Sample, symbolic: bool) -> None:
    inputs = placeholders(sample, symbolic)
    graph, lowering = lower(inputs, apply(sample.op if symbolic and sample.symbolic else bound_op(sample), inputs))
    arrays = list(sample.arrays)
    got, _ = run_plan(lowering.plan, arrays, [], sizes_of_call(graph, arrays))
    for a, b in zip(got, expected(sample), strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=sample.rtol, atol=sample.atol)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs())
def test_random_graphs(graph: Graph) -> None:
    lowering = make_plan(graph, check=True)
    for n in (1, 3):
        inputs, states = arrays_for(graph, n)
        check(graph, lowering, inputs, states, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n", [1, 2, 7, 33])
def test_training_step(n: int) -> None:
    graph = mlp_step((8, 6, 6, 10))
    lowering = make_plan(graph, check=True)
    rng = np.random.default_rng(n)
    x = rng.normal(size=(n, 8)).astype("float32")
    y = np.eye(10, dtype="float32")[rng.integers(0, 10, n)]
    states = [np.abs(rng.normal(size=v.shape)).astype(v.dtype.np) for v in graph.states]  # type: ignore[arg-type]
    check(graph, lowering, [x, y], states, rtol=1e-4, atol=1e-5)


def test_lowering_twice_gives_the_same_plan() -> None:
    one, two = (make_plan(mlp_step((8, 6, 6, 10))).plan for _ in range(2))
    assert list(one.kernels) == list(two.kernels)
    assert [(s.kernel, s.args, s.sizes) for s in one.steps] == [(s.kernel, s.args, s.sizes) for s in two.steps]
    assert one.live == two.live


def test_elementwise_is_one_flat_loop() -> None:
    x, y = sg.placeholder((None, 4, 5)), sg.placeholder((None, 4, 5))
    (text,) = texts(check_random([x, y], [x * y + 1], (3, 4, 5), (3, 4, 5)))
    assert "par i0 in 0..20*n0 {" in text
    assert "vec" not in text


def test_broadcast_keeps_the_axis_that_differs() -> None:
    x, b = sg.placeholder((2, None, 5)), sg.placeholder((5,))
    (text,) = texts(check_random([x, b], [x + b], (2, 3, 5), (5,)))
    assert "par i0 in 0..2*n0 {" in text
    assert "vec i1 in 0..5 {" in text


def test_columns_are_summed_in_lanes() -> None:
    x = sg.placeholder((None, 5))
    lowering = check_random([x], [sg.sum(x, axis=0)], (7, 5))
    (kernel,) = lowering.plan.kernels.values()
    (loop,) = kernel.body
    assert isinstance(loop, Loop)
    assert [s.kind for s in statements(loop.body) if isinstance(s, Fold)] == ["seq"]


def test_outer_and_inner_axes_are_summed_in_nested_folds() -> None:
    x = sg.placeholder((3, None, 5))
    lowering = check_random([x], [sg.sum(x, axis=(0, 2)), sg.argmax(x.reshape((3, -1)), axis=1)], (3, 4, 5))
    kinds = [[s.kind for s in statements(k.body) if isinstance(s, Fold)] for k in lowering.plan.kernels.values()]
    assert ["seq", "vec"] in kinds


def test_large_totals_take_two_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symgraph.codegen.lower.LARGE", 60)
    x = sg.placeholder((10, 7))
    lowering = check_random([x], [sg.sum(x) * 2, sg.max(x), sg.argmax(x)], (10, 7))
    assert len(lowering.plan.steps) == 2
    assert check_random([x], [sg.var(x)], (10, 7)).plan.steps


def test_transposed_operands_are_read_in_place() -> None:
    x = sg.placeholder((None, 4))
    lowering = check_random([x], [sg.dot(x.T, x)], (6, 4))
    (kernel,) = lowering.plan.kernels.values()
    assert isinstance(kernel.body[0], Contract)
    assert len(lowering.plan.steps) == 1


@pytest.mark.parametrize(
    ("spec", "a", "b"),
    [
        ("ilk,klj->ij", (3, 4, 5), (5, 4, 6)),
        ("ikl,klj->ij", (3, 5, 4), (5, 4, 6)),
        ("bnqk,bkqij->bjinq", (2, 7, 3, 4), (2, 4, 3, 5, 6)),
        ("bnqk,mk->bnqm", (2, 7, 3, 4), (3, 4)),
        ("ik,kj->ji", (3, 1), (1, 5)),
    ],
)
def test_products_of_any_axes(spec: str, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    x, y = sg.placeholder(a), sg.placeholder(b)
    check_random([x, y], [sg.tanh(sg.einsum(spec, x, y))], a, b)


def test_products_with_constants_of_one_value() -> None:
    x = sg.placeholder((None, 4, 5))
    check_random([x], [sg.dot(sg.reshape(x, (-1, 20)), sg.ones((20, 3)))], (3, 4, 5))


def test_a_long_chain_does_not_recurse() -> None:
    x = sg.placeholder((None,))
    y = x
    for _ in range(1200):
        y = y * 1.0001 + 0.5
    graph = close("f", [x], [y], [], {}).graph
    lowering = make_plan(graph)
    assert len(lowering.plan.steps) < 100


def test_bounds_checks_name_their_op() -> None:
    table, at = sg.placeholder((None, 4)), sg.placeholder((None,), dtype="int32")
    _, lowering = lower([table, at], [sg.take(table, at, axis=0)])
    (step,) = lowering.plan.steps
    (check_,) = step.checks
    assert (check_.op, check_.axis) == ("take", 0)


def test_a_fold_over_one_element_beside_folds_over_rows() -> None:
    text = """
graph @g {
  %v = input[slot=0, label="v"] : u8[1,2]
  %1 = one_hot[depth=3, dtype=f32] %v : f32[1,2,3]
  %4 = softmax[0] %1 : f32[1,2,3]
  %5 = softmax[2] %4 : f32[1,2,3]
  %6 = log %4 : f32[1,2,3]
  return %5, %6
}
"""
    graph = parse_graph(text)
    labels = np.array([[0, 2]], np.uint8)
    wanted = interpret(graph, [labels]).outputs
    executable = compile_stages(graph, Options(target="numpy", inexact=False)).executable
    results = [np.empty(w.shape, w.dtype) for w in wanted]
    executable.run(executable.frame(()), [labels], [], results)
    for got, want in zip(results, wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)
