"""Graphs to lower: a multilayer perceptron's training step, built with the public front."""

from __future__ import annotations

import numpy as np

import symgraph as sg
from symgraph.closing import close
from symgraph.ir.builder import Builder, copy_node, rebuild
from symgraph.ir.graph import Graph, Node, Value
from symgraph.ir.op import Composite


def expanded(graph: Graph) -> Graph:
    """The graph with composites replaced by what they stand for."""

    def expand(builder: Builder, node: Node, operands: tuple[Value, ...]) -> tuple[Value, ...]:
        if isinstance(node.op, Composite):
            return (node.op.expand(builder, *operands),)
        return copy_node(builder, node, operands)

    for _ in range(4):
        graph = rebuild(graph, Builder(), expand)
    return graph


def mlp_step(widths: tuple[int, ...] = (784, 512, 512, 10), dropout: float = 0.2) -> Graph:
    """One training step of a classifier: relu layers with dropout, cross-entropy, accuracy, RMSprop."""
    rng = np.random.default_rng(0)
    x = sg.placeholder((None, widths[0]), name="x")
    y = sg.placeholder((None, widths[-1]), name="y")
    weights = []
    h = x
    for k, (fan_in, fan_out) in enumerate(zip(widths, widths[1:], strict=False)):
        w = sg.variable((rng.normal(size=(fan_in, fan_out)) / np.sqrt(fan_in)).astype("float32"), name=f"w{k}")
        b = sg.variable(np.zeros(fan_out, "float32"), name=f"b{k}")
        weights += [w, b]
        h = sg.dot(h, w) + b
        if k < len(widths) - 2:
            h = sg.relu(h)
            if dropout:
                keep = sg.random.bernoulli(h.shape, 1 - dropout)
                h = sg.where(keep, h / np.float32(1 - dropout), np.float32(0))
    logp = sg.log_softmax(h)
    loss = sg.mean(-sg.sum(y * logp, axis=-1))
    accuracy = sg.mean(sg.cast(sg.equal(sg.argmax(y, axis=-1), sg.argmax(h, axis=-1)), "float32"))
    lr = sg.variable(np.float32(0.001), name="lr")
    updates = []
    for w, g in zip(weights, sg.grad(loss, weights), strict=True):
        a = sg.variable(np.zeros_like(w.get_value()), name="a")
        new_a = 0.9 * a + 0.1 * sg.square(g)
        updates += [(a, new_a), (w, w - lr * g / (sg.sqrt(new_a) + 1e-7))]
    return expanded(close("train", [x, y], [loss, accuracy], updates, {}).graph)
