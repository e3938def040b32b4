"""What shares a kernel, counted and named; clusters never depend on each other in a circle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

import symgraph as sg
from symgraph.closing import close
from symgraph.codegen.cluster import Clusters, Form
from symgraph.codegen.compile import make_plan
from symgraph.codegen.storing import form_clusters
from symgraph.errors import InternalError
from symgraph.ir.graph import Graph, Value

from .models import expanded, mlp_step
from .random_graphs import graphs


def clusters_of(
    inputs: list[sg.Tensor], outputs: list[sg.Tensor], updates: list[tuple[sg.Variable, sg.Tensor]] | None = None
) -> Clusters:
    return form_clusters(expanded(close("f", inputs, outputs, updates or [], {}).graph))


def forms(clusters: Clusters) -> list[Form]:
    return [c.form for c in clusters.clusters]


@pytest.fixture
def x() -> sg.Tensor:
    return sg.placeholder((None, 8), name="x")


def test_chain_is_one_map(x: sg.Tensor) -> None:
    found = clusters_of([x], [sg.tanh(x * 2 + 1) - x])
    assert forms(found) == [Form.MAP]


def test_results_of_one_shape_share_a_map(x: sg.Tensor) -> None:
    e = sg.exp(x)
    found = clusters_of([x], [e + 1, e * 2, sg.log(e)])
    assert forms(found) == [Form.MAP]
    assert len(found.clusters[0].stored) == 3


def test_softmax_is_one_row_kernel(x: sg.Tensor) -> None:
    assert forms(clusters_of([x], [sg.softmax(x)])) == [Form.ROW]


def test_softmax_cross_entropy_with_gradient_is_one_row_kernel(x: sg.Tensor) -> None:
    y = sg.placeholder((None, 8))
    loss = -sg.sum(y * sg.log_softmax(x), axis=-1)
    found = clusters_of([x, y], [loss, sg.grad(sg.sum(loss), x)])
    assert forms(found) == [Form.ROW]


def test_bias_and_relu_join_the_product(x: sg.Tensor) -> None:
    w, b = sg.variable(np.ones((8, 5), "float32")), sg.variable(np.ones(5, "float32"))
    h = sg.relu(sg.dot(x, w) + b)
    found = clusters_of([x], [sg.sum(h, axis=0), sg.dot(h, sg.constant(np.ones((5, 3), "float32")))])
    assert forms(found)[0] is Form.CONTRACT
    assert len(found.clusters[0].stored) == 1


def test_mask_for_the_gradient_is_stored_as_bool(x: sg.Tensor) -> None:
    w, v = sg.variable(np.ones((8, 5), "float32")), sg.variable(np.ones((5, 3), "float32"))
    loss = sg.sum(sg.square(sg.dot(sg.relu(sg.dot(x, w)), v)))
    found = clusters_of([x], [loss], [(w, w - sg.grad(loss, w))])
    dtypes = sorted(v.dtype.name for v in found.clusters[0].stored)
    assert dtypes in (["bool", "float32"], ["float32"])


def test_update_is_the_epilogue_of_the_weight_gradient(x: sg.Tensor) -> None:
    w, a = sg.variable(np.ones((8, 5), "float32")), sg.variable(np.ones((8, 5), "float32"))
    g = sg.dot(x.T, sg.dot(x, w))
    new_a = a * 0.9 + sg.square(g)
    found = clusters_of([x], [], [(a, new_a), (w, w - g / sg.sqrt(new_a))])
    last = found.clusters[-1]
    assert last.form is Form.CONTRACT
    assert len(last.stored) == 2


def test_scalars_share_a_kernel() -> None:
    s = [sg.variable(np.float32(1)) for _ in range(4)]
    found = clusters_of([], [sg.exp(v) for v in s])
    assert forms(found) == [Form.MAP]


def test_moments_share_one_pass(x: sg.Tensor) -> None:
    found = clusters_of([x], [sg.sum(x, axis=0), sg.max(x, axis=0), sg.sum(x, axis=1), sg.min(x, axis=1)])
    assert sorted(f.value for f in forms(found)) == ["fold", "row"]


def test_expensive_value_of_a_broadcast_is_not_recomputed(x: sg.Tensor) -> None:
    gain = sg.variable(np.ones(8, "float32"))
    found = clusters_of([x], [x * sg.exp(gain)])
    assert [len(c.domain) for c in found.clusters] == [1, 2]


def test_fusion_that_would_make_a_circle_is_refused(x: sg.Tensor) -> None:
    # e feeds a sum over everything, which feeds the result that also reads e.
    e = sg.exp(x)
    found = clusters_of([x], [e, e / sg.sum(e)])
    assert "another operand depends on that kernel" in str(found)
    check_order(found)


def test_random_bits_are_computed_once(x: sg.Tensor) -> None:
    keep = sg.cast(sg.random.bernoulli(x.shape, 0.5), "float32")
    found = clusters_of([x], [x * keep, sg.sum(keep * 2, axis=0)])
    randoms = [c for c in found.clusters if c.form is Form.RANDOM]
    assert len(randoms) == 1
    assert [v.dtype.name for v in randoms[0].stored] == ["bool"]


def test_every_value_has_a_reason(x: sg.Tensor) -> None:
    found = clusters_of([x], [sg.softmax(sg.dot(x, x.T) + 1)])
    leaves = sum(not n.inputs for n in found.graph.nodes)
    assert len(found.decisions) >= len(found.graph.nodes) - leaves
    assert all(d.reason for d in found.decisions)


def test_composites_are_refused(x: sg.Tensor) -> None:
    graph = close("f", [x], [sg.softmax(x)], [], {}).graph
    with pytest.raises(InternalError, match="must be expanded"):
        form_clusters(graph)


def test_training_step_of_a_perceptron_needs_few_kernels() -> None:
    plan = make_plan(mlp_step(), check=True).plan
    assert len(plan.steps) <= 18
    assert len(plan.kernels) <= 16


def test_deep_perceptron_costs_a_fixed_number_of_steps_a_layer_and_no_new_kernels() -> None:
    plans = [make_plan(mlp_step((16, *([16] * depth), 4))).plan for depth in (8, 16, 32)]
    steps = [len(p.steps) for p in plans]
    assert steps[2] - steps[1] == 2 * (steps[1] - steps[0]) <= 16 * 5
    assert len({len(p.kernels) for p in plans}) == 1


def check_order(found: Clusters) -> None:
    """Clusters can run one after the other: what each reads is written by others before."""
    home = {id(v): c.number for c in found.clusters for v in c.stored}

    def base(value: Value) -> Value:
        while id(value) in found.aliases:
            value = found.aliases[id(value)]
        return value

    needs: dict[int, set[int]] = {}
    for cluster in found.clusters:
        inside = {id(v) for v in cluster.members}
        stack = [o for v in cluster.members for o in v.node.inputs]
        seen: set[int] = set()
        needs[cluster.number] = set()
        while stack:
            value = base(stack.pop())
            if id(value) in seen or id(value) in inside:
                continue
            seen.add(id(value))
            if id(value) in home:
                needs[cluster.number].add(home[id(value)])
            else:
                stack.extend(value.node.inputs)
    done: set[int] = set()
    while len(done) < len(needs):
        ready = [n for n, before in needs.items() if n not in done and before <= done]
        assert ready, found
        done.update(ready)


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_clusters_of_random_graphs_can_be_ordered(graph: Graph) -> None:
    check_order(form_clusters(graph))
