"""The order of a network's layers and nodes."""

from __future__ import annotations

from typing import Any

from .nodes import Node

Tensor = Any
ByDepth = dict[int, list[Any]]


def node_key(layer: Any, node_index: int) -> str:
    """The name of a node inside a network."""
    return f"{layer.name}_ib-{node_index}"


def sort_network(inputs: list[Tensor], outputs: list[Tensor]) -> tuple[set[str], ByDepth, list[Any], ByDepth]:
    """The nodes between inputs and outputs (as keys, and by depth) and the layers (in order, and by depth).

    A node's depth is its longest distance to an output. Layers are ordered by falling depth, equally deep ones in the
    order in which a walk from the outputs meets them first.

    Raises:
        ValueError: for a cycle, for a tensor that no input leads to, and for two layers of one name.
    """
    finished, met, keys = _walk(outputs)
    depths = _node_depths(finished)
    layer_depths: dict[Any, int] = {}
    for node in finished:
        layer = node.outbound_layer
        layer_depths[layer] = max(layer_depths.get(layer, 0), depths[id(node)])
    for x in inputs:
        layer = x._keras_history[0]
        if layer not in layer_depths:  # an input that no output depends on
            layer_depths[layer] = 0
            met.setdefault(layer, -1)
            node = layer._inbound_nodes[0]
            finished.append(node)
            depths[id(node)] = 0
            keys.add(node_key(layer, 0))
    nodes_by_depth: ByDepth = {}
    for node in finished:
        nodes_by_depth.setdefault(depths[id(node)], []).append(node)
    layers_by_depth: ByDepth = {}
    for layer, depth in layer_depths.items():
        layers_by_depth.setdefault(depth, []).append(layer)
    layers: list[Any] = []
    for depth in sorted(layers_by_depth, reverse=True):
        layers_by_depth[depth].sort(key=lambda layer: met[layer])
        layers += layers_by_depth[depth]
    _check_connected(inputs, nodes_by_depth)
    names = [layer.name for layer in layers]
    for name in names:
        if names.count(name) != 1:
            raise ValueError(
                f'The name "{name}" is used {names.count(name)} times in the model. All layer names should be unique.'
            )
    return keys, nodes_by_depth, layers, layers_by_depth


def _walk(outputs: list[Tensor]) -> tuple[list[Node], dict[Any, int], set[str]]:
    """Nodes with those that feed them first; layers by the order of first meeting; keys of nodes. Without recursion."""
    finished: list[Node] = []
    state: dict[int, bool] = {}  # False while a node's inputs are being walked, then True
    met: dict[Any, int] = {}
    keys: set[str] = set()
    for output in outputs:
        stack: list[tuple[Any, int, int]] = [(*output._keras_history[:2], 0)]
        while stack:
            layer, index, at = stack.pop()
            node = layer._inbound_nodes[index]
            if at == 0:
                if state.get(id(node)):
                    continue
                if id(node) in state:
                    raise ValueError(f'The tensor {output} at layer "{layer.name}" is part of a cycle.')
                state[id(node)] = False
                met.setdefault(layer, len(met))
                keys.add(node_key(layer, index))
            if at < len(node.inbound_layers):
                stack.append((layer, index, at + 1))
                source = node.inbound_layers[at]
                if source is None:
                    raise ValueError(
                        f"Output tensors to a Model must be the output of a Keras `Layer` (thus holding past layer "
                        f"metadata). Found: {node.input_tensors[at]}"
                    )
                stack.append((source, node.node_indices[at], 0))
            elif not state[id(node)]:
                state[id(node)] = True
                finished.append(node)
    return finished, met, keys


def _node_depths(finished: list[Node]) -> dict[int, int]:
    depths: dict[int, int] = {}
    layer_depths: dict[Any, int] = {}
    for node in reversed(finished):
        layer = node.outbound_layer
        depth = max(depths.get(id(node), 0), layer_depths.get(layer, 0))
        layer_depths[layer] = depths[id(node)] = depth
        for source, index in zip(node.inbound_layers, node.node_indices, strict=True):
            before = source._inbound_nodes[index]
            depths[id(before)] = max(depth + 1, depths.get(id(before), 0))
    return depths


def _check_connected(inputs: list[Tensor], nodes_by_depth: ByDepth) -> None:
    computable = {id(x) for x in inputs}
    complete: list[str] = []
    for depth in sorted(nodes_by_depth, reverse=True):
        for node in nodes_by_depth[depth]:
            layer = node.outbound_layer
            if not node.inbound_layers and any(id(x) not in computable for x in node.output_tensors):
                x = node.output_tensors[0]
                raise ValueError(
                    f'Graph disconnected: cannot obtain value for tensor {x} at layer "{layer.name}". The following '
                    f"previous layers were accessed without issue: {complete}"
                )
            for x in node.input_tensors if node.inbound_layers else ():
                if id(x) not in computable:
                    raise ValueError(
                        f'Graph disconnected: cannot obtain value for tensor {x} at layer "{layer.name}". The '
                        "following "
                        f"previous layers were accessed without issue: {complete}"
                    )
            computable.update(id(x) for x in node.output_tensors)
            complete.append(layer.name)


def check_ends(inputs: list[Tensor], outputs: list[Tensor], cls_name: str) -> None:
    """Check that the tensors given to a network come from layers, and its inputs from ``Input``.

    Raises:
        ValueError: in Keras's words.
    """
    if len({id(x) for x in inputs}) != len(inputs):
        raise ValueError(
            "The list of inputs passed to the model is redundant. All inputs should only appear once. Found: "
            + str(inputs)
        )
    for what, tensors in (("Input", inputs), ("Output", outputs)):
        for x in tensors:
            if not hasattr(x, "_keras_history"):
                raise ValueError(
                    f"{what} tensors to a {cls_name} must be "
                    + ("the output of a Keras `Layer`" if what == "Output" else "Keras tensors")
                    + f" (thus holding past layer metadata). Found: {x}"
                )
    for x in inputs:
        layer = x._keras_history[0]
        if len(layer._inbound_nodes) > 1 or (layer._inbound_nodes and layer._inbound_nodes[0].inbound_layers):
            raise ValueError(
                f"{cls_name} inputs must come from `keras.layers.Input` (thus holding past layer metadata), they "
                "cannot "
                "be the output of a previous non-Input layer. Here, a tensor specified as input to your model was "
                "not an "
                f"Input tensor, it was generated by layer {layer.name}. The tensor that caused the issue was: {x.name}"
            )


def output_names(layers: list[Any]) -> list[str]:
    """Names of output layers; a layer that gives several outputs is numbered."""
    names: list[str] = []
    for layer in layers:
        name, n = layer.name, 1
        while name in names:
            name, n = f"{layer.name}_{n}", n + 1
        names.append(name)
    return names
