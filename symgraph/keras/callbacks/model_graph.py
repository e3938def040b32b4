"""A model as the graph that TensorBoard draws: a scope for each layer, with its weights and its calls."""

from __future__ import annotations

import re
from typing import Any

from .. import backend as K
from .event_messages import GraphNode


def model_graph(model: Any) -> list[GraphNode]:
    """The nodes of a model: inputs, weights, calls of layers (those of models inside a scope of their own), and, for a
    compiled model, the loss and the optimizer."""
    walk = _Walk()
    for x in model.inputs:
        layer = x._keras_history[0]
        walk.add(GraphNode(_clean(layer.name), "Placeholder", (), K.int_shape(x)))
        walk.makers[id(x)] = _clean(layer.name)
    outputs = walk.network(model, "", {})
    if getattr(model, "optimizer", None) is not None and outputs:
        losses = tuple(walk.loss(name, maker) for name, maker in zip(model.output_names, outputs, strict=True))
        walk.add(GraphNode("loss/total", "AddN", losses, ()))
        walk.add(GraphNode(f"training/{type(model.optimizer).__name__}", "Optimizer", ("loss/total",)))
    return walk.nodes


class _Walk:
    """Collects nodes; ``makers`` says which node makes a tensor of the model itself."""

    def __init__(self) -> None:
        self.nodes: list[GraphNode] = []
        self.names: set[str] = set()
        self.makers: dict[int, str] = {}

    def add(self, node: GraphNode) -> str:
        if node.name not in self.names:
            self.names.add(node.name)
            self.nodes.append(node)
        return node.name

    def loss(self, output: str, maker: str) -> str:
        target = self.add(GraphNode(f"{_clean(output)}_target", "Placeholder"))
        return self.add(GraphNode(f"loss/{_clean(output)}_loss", "Loss", (maker, target), ()))

    def network(self, network: Any, scope: str, given: dict[int, str]) -> list[str]:
        """The calls inside a network, whose input tensors are made by the nodes ``given``; gives those that make its
        outputs."""
        makers = self.makers if not scope else dict(given)
        for depth in sorted(network._nodes_by_depth, reverse=True):
            for node in network._nodes_by_depth[depth]:
                if node.inbound_layers:
                    self._call(node, scope, makers)
        return [makers.get(id(x), "") for x in network.outputs]

    def _call(self, node: Any, scope: str, makers: dict[int, str]) -> None:
        layer = node.outbound_layer
        name = scope + _clean(layer.name)
        inputs = tuple(makers[id(x)] for x in node.input_tensors if id(x) in makers)
        if hasattr(layer, "_nodes_by_depth"):
            inner = dict(zip(map(id, layer.inputs), inputs, strict=False))
            made = self.network(layer, name + "/", inner)
            makers.update(zip(map(id, node.output_tensors), made, strict=False))
            return
        weights = tuple(self._weight(w, name) for w in layer.weights)
        call, times = f"{name}/{type(layer).__name__}", 1
        while call in self.names:
            call, times = f"{name}/{type(layer).__name__}_{times}", times + 1
        shape = K.int_shape(node.output_tensors[0])
        self.add(GraphNode(call, type(layer).__name__, (*inputs, *weights), shape))
        makers.update((id(x), call) for x in node.output_tensors)

    def _weight(self, weight: Any, name: str) -> str:
        last = weight.name.rpartition("/")[2].partition(":")[0]
        return self.add(GraphNode(f"{name}/{_clean(last)}", "VariableV2", (), K.int_shape(weight)))


def _clean(name: str) -> str:
    """A name with the characters that a graph may have."""
    name = re.sub(r"[^A-Za-z0-9_.\\/-]", "_", name)
    return name if re.match(r"[A-Za-z0-9.]", name) else "x" + name
