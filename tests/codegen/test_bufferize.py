"""Where arrays live: updates see old values, results do not share memory, temporaries are written before they are
read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import symgraph as sg
from symgraph.closing import close
from symgraph.codegen.bufferize import reads_where_it_writes
from symgraph.codegen.compile import Lowering, make_plan
from symgraph.codegen.loop.parse import parse_kernel
from symgraph.ir.graph import Graph

from .models import expanded, mlp_step
from .random_graphs import graphs
from .running import run_graph, run_plan, sizes_of_call


def lower(inputs: list[Any], outputs: list[Any], updates: list[Any]) -> tuple[Graph, Lowering]:
    graph = expanded(close("f", inputs, outputs, updates, {}).graph)
    return graph, make_plan(graph, check=True)


def check(graph: Graph, lowering: Lowering, inputs: list[Any]) -> None:
    rng = np.random.default_rng(1)
    states = [rng.normal(size=v.shape).astype(v.dtype.np) for v in graph.states]  # type: ignore[arg-type]
    want = run_graph(graph, inputs, states)
    got = run_plan(lowering.plan, inputs, states, sizes_of_call(graph, inputs))
    for a, b in zip(got[0] + got[1], want[0] + want[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def variables(count: int, *shape: int) -> list[sg.Variable]:
    return [sg.variable(np.zeros(shape, "float32"), name=f"v{k}") for k in range(count)]


def test_update_in_place() -> None:
    (v,) = variables(1, 5)
    graph, lowering = lower([], [], [(v, v * 2 + 1)])
    assert [s.args for s in lowering.plan.steps] == [("state0",)]
    assert [b.mode for k in lowering.plan.kernels.values() for b in k.buffers] == ["inout"]
    check(graph, lowering, [])


def test_swap() -> None:
    a, b = variables(2, 20)
    graph, lowering = lower([], [], [(a, b), (b, a)])
    check(graph, lowering, [])


def test_rotation_of_three() -> None:
    a, b, c = variables(3, 20)
    graph, lowering = lower([], [a + b], [(a, b), (b, c), (c, a)])
    check(graph, lowering, [])


def test_updates_see_old_values() -> None:
    a, b = variables(2, 20)
    graph, lowering = lower([], [a * b], [(a, a + b), (b, a * b)])
    check(graph, lowering, [])


def test_update_that_reads_other_elements_goes_through_a_copy() -> None:
    (v,) = variables(1, 4, 4)
    graph, lowering = lower([], [], [(v, v.T + 1)])
    assert any("other elements" in r for r in lowering.memory)
    check(graph, lowering, [])


def test_tiny_update_may_read_any_element() -> None:
    (v,) = variables(1, 4)
    graph, lowering = lower([], [], [(v, v[::-1] + 1)])
    assert len(lowering.plan.steps) == 1
    check(graph, lowering, [])


def test_readers_of_the_old_value_run_before_the_update() -> None:
    x = sg.placeholder((None, 4))
    (w,) = variables(1, 4, 4)
    h = sg.dot(x, w)
    graph, lowering = lower([x], [sg.dot(sg.tanh(h), w.T)], [(w, w - sg.dot(x.T, h))])
    assert lowering.memory == ()
    check(graph, lowering, [np.ones((3, 4), "float32")])


def test_old_value_as_output() -> None:
    (v,) = variables(1, 20)
    graph, lowering = lower([], [v, v + 1, v + 1], [(v, v + 1)])
    check(graph, lowering, [])


def test_inputs_and_constants_as_outputs() -> None:
    x = sg.placeholder((None, 4))
    outputs = [x, x, sg.reshape(x, (-1,)), sg.zeros((3,)), sg.constant(np.arange(20.0)), sg.reshape(x, (-1, 2)) * 2]
    graph, lowering = lower([x], outputs, [])
    check(graph, lowering, [np.ones((3, 4), "float32")])


def test_reshape_of_an_output_is_a_view_or_a_copy() -> None:
    x = sg.placeholder((None, 4))
    y = sg.exp(x)
    graph, lowering = lower([x], [sg.reshape(y, (-1,)), y, sg.sum(sg.reshape(y, (-1, 2)), axis=0)], [])
    check(graph, lowering, [np.ones((3, 4), "float32")])


def test_reshaped_update() -> None:
    a, b = variables(2, 4, 5)
    new_a = sg.reshape(sg.exp(sg.reshape(a, (5, 4))), (4, 5))
    graph, lowering = lower([], [], [(a, new_a), (b, sg.reshape(sg.reshape(a, (20,)), (4, 5)))])
    check(graph, lowering, [])


def test_unchanged_state_needs_nothing() -> None:
    (v,) = variables(1, 4)
    _, lowering = lower([], [v.sum()], [(v, v)])
    assert len(lowering.plan.steps) == 1


def test_random_masks_end_at_whole_blocks() -> None:
    x = sg.placeholder((None, 5))
    keep = sg.random.bernoulli(x.shape, 0.5)
    graph, lowering = lower([x], [sg.where(keep, x, 0.0), keep], [])
    inputs = [np.ones((7, 5), "float32")]
    states = [np.array([1, 2, 3, 4], "uint32")]
    want, got = run_graph(graph, inputs, states), run_plan(lowering.plan, inputs, states, {"N": 7})
    for a, b in zip(got[0] + got[1], want[0] + want[1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_training_step_updates_in_place() -> None:
    lowering = make_plan(mlp_step(), check=True)
    assert lowering.memory == ()


def test_gradients_do_not_all_live_at_once() -> None:
    plan = make_plan(mlp_step((16, *([16] * 12), 4), dropout=0.0)).plan
    overlap = max(sum(a <= n <= b for a, b in plan.live.values()) for n in range(len(plan.steps)))
    # Activations and masks of all layers are needed in backward; of gradients only the current ones.
    assert overlap <= 2 * 12 + 6


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs())
def test_plans_of_random_graphs(graph: Graph) -> None:
    make_plan(graph, check=True)


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        ("let a = x[0]\nlet b = x[1]\nstore y[0] = b\nstore y[1] = a", True),
        ("let b = x[1]\nstore y[0] = b\nlet a = x[0]\nstore y[1] = a", False),
        ("store y[0] = x[1]\nstore y[1] = x[0]", False),
    ],
)
def test_a_new_value_takes_the_place_of_the_old_one_where_that_is_read_before(body: str, fits: bool) -> None:
    kernel = parse_kernel(f"kernel k(x: in f32[2], y: out f32[2]) {{\n{body}\n}}")
    assert reads_where_it_writes(kernel, "x", "y") == fits
