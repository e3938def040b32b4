"""What compiling makes and does, counted: nodes, kernels, planned bytes, and calls. Never seconds."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

import symgraph as sg
from symgraph.closing import close
from symgraph.codegen.compile import make_plan
from symgraph.codegen.memory import layout
from symgraph.codegen.plan import Plan
from symgraph.ir.graph import Graph
from symgraph.ir.passes import optimize
from symgraph.options import Options

rng = np.random.default_rng(0)


class Model:
    """Collects weights, and closes a training step of momentum over them."""

    def __init__(self, *shape: int | None) -> None:
        self.x = sg.placeholder(shape, name="x")
        self.weights: list[sg.Variable] = []

    def weight(self, *shape: int) -> sg.Variable:
        self.weights.append(sg.variable(rng.normal(size=shape).astype("float32"), name=f"w{len(self.weights)}"))
        return self.weights[-1]

    def step(self, y: sg.Tensor) -> Graph:
        loss = sg.mean(sg.square(y))
        updates = []
        for w, g in zip(self.weights, sg.grad(loss, self.weights), strict=True):
            m = sg.variable(np.zeros_like(w.get_value()), name="m")
            new = 0.9 * m + g
            updates += [(m, new), (w, w - 0.01 * new)]
        return close("step", [self.x], [loss], updates, {}).graph


def mlp(blocks: int, width: int = 16) -> Graph:
    """Equal residual blocks of two dense layers."""
    model = Model(None, width)
    h = model.x
    for _ in range(blocks):
        inner = sg.relu(sg.dot(h, model.weight(width, width)) + model.weight(width))
        h = h + sg.dot(inner, model.weight(width, width)) + model.weight(width)
    return model.step(h)


def lstm(steps: int = 20, size: int = 32) -> Graph:
    model = Model(steps, None, 24)
    w, u, b = model.weight(24, 4 * size), model.weight(size, 4 * size), model.weight(4 * size)
    zeros = sg.zeros((model.x.shape[1], size))

    def cell(row: sg.Tensor, h: sg.Tensor, c: sg.Tensor) -> list[sg.Tensor]:
        z = sg.dot(row, w) + sg.dot(h, u) + b
        i, f, o = (sg.sigmoid(z[:, k * size : (k + 1) * size]) for k in range(3))
        c = f * c + i * sg.tanh(z[:, 3 * size :])
        return [o * sg.tanh(c), c]

    (h, _), _ = sg.scan(cell, model.x, [zeros, zeros])
    return model.step(h[-1])


def resnet(blocks: int = 3, filters: int = 8) -> Graph:
    model = Model(None, 16, 16, filters)
    h = model.x
    for _ in range(blocks):
        inner = sg.relu(sg.conv(h, model.weight(3, 3, filters, filters), padding="same") + model.weight(filters))
        h = sg.relu(h + sg.conv(inner, model.weight(3, 3, filters, filters), padding="same"))
    return model.step(sg.dot(sg.mean(h, axis=(1, 2)), model.weight(filters, 10)))


@dataclass(frozen=True)
class Budget:
    nodes: int
    kernels: int
    steps: int
    kilobytes: int


def planned(graph: Graph) -> tuple[Graph, Plan]:
    after, _ = optimize(graph, Options())
    return after, make_plan(after).plan


@pytest.mark.parametrize(
    ("model", "budget"),
    [
        (lambda: mlp(4), Budget(185, 8, 32, 20)),
        (lstm, Budget(49, 14, 13, 920)),
        (resnet, Budget(183, 13, 37, 3100)),
    ],
    ids=["mlp", "lstm", "resnet"],
)
def test_a_training_step_stays_within_its_budget(model: Callable[[], Graph], budget: Budget) -> None:
    graph, plan = planned(model())
    used = Budget(len(graph.nodes), len(plan.kernels), len(plan.steps), layout(plan, {"N": 32}).nbytes // 1024)
    assert used.nodes <= budget.nodes, used
    assert used.kernels <= budget.kernels, used
    assert used.steps <= budget.steps, used
    assert used.kilobytes <= budget.kilobytes, used


@pytest.mark.parametrize(
    "blocks", [(5, 15), pytest.param((100, 300), marks=pytest.mark.slow)], ids=lambda b: f"{b[1]} blocks"
)
def test_the_number_of_kernels_does_not_grow_with_equal_blocks(blocks: tuple[int, int]) -> None:
    few, many = (planned(mlp(n))[1] for n in blocks)
    assert many.kernels.keys() == few.kernels.keys()
    # Temporaries do: one activation a block waits for the backward pass.
    small, large = (layout(p, {"N": 8}).nbytes for p in (few, many))
    assert large <= small * blocks[1] / blocks[0] * 1.1


def calls(work: Callable[[], object]) -> int:
    """How many Python functions the work called, recursion apart."""
    profile = cProfile.Profile()
    profile.enable()
    work()
    profile.disable()
    return int(pstats.Stats(profile).prim_calls)  # type: ignore[attr-defined]


def test_compiling_takes_work_in_proportion_to_the_graph() -> None:
    planned(mlp(2))  # fills tables that are made once
    few, many = (calls(lambda n=n: planned(mlp(n))) for n in (3, 12))  # type: ignore[misc]
    assert many <= 3.1 * few
    assert many <= 470_000


def test_a_node_costs_few_calls_in_each_stage() -> None:
    planned(mlp(2))
    graph = mlp(12)
    after, _ = optimize(graph, Options())
    nodes = len(after.nodes)
    assert calls(lambda: mlp(12)) <= 310 * nodes  # built, differentiated, closed
    assert calls(lambda: optimize(graph, Options())) <= 205 * nodes
    assert calls(lambda: make_plan(after)) <= 410 * nodes


def test_a_pass_without_work_leaves_the_graph() -> None:
    """Not even equal nodes are made."""
    graph, report = optimize(mlp(3), Options())
    assert graph is report.passes[-2].graph
    again, _ = optimize(graph, Options())
    assert again is graph


def test_equal_rules_are_asked_in_proportion_to_the_nodes() -> None:
    """Few rules are tried on a node: those that an operand can make fire."""
    from symgraph.ir.builder import RuleTable
    from symgraph.ir.passes import PIPELINE

    graph = mlp(6)
    tried = nodes = 0
    for one in PIPELINE:
        table = RuleTable(one.rules)
        for node in graph.nodes:
            tried += len(table.on(node.op, node.inputs))
            nodes += 1
    assert tried <= 8 * nodes


def test_the_number_of_products_does_not_grow_with_the_stride_of_a_transposed_convolution() -> None:
    def kernels(stride: int) -> int:
        model = Model(None, 4, 4, 8)
        weight = model.weight(2 * stride, 2 * stride, 3, 8)
        y = sg.conv_transpose(model.x, weight, (4 * stride, 4 * stride), strides=stride, padding="same")
        return len(planned(close("up", [model.x], [y], [], {}).graph)[1].kernels)

    assert kernels(32) <= kernels(4) <= 20
