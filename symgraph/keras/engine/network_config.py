"""Networks as dictionaries of plain values, and back."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np

from ..utils.generic_utils import unpack_singleton
from .network_graph import node_key

Tensor = Any
KERAS_VERSION = "2.3.1"
KERNEL_BACKEND = "tensorflow"  # whose layout of kernels files have: correlation, channels as the layer says


def network_to_config(network: Any) -> dict[str, Any]:
    """Layers with their configs and the nodes inside the network, and where inputs and outputs are."""
    numbers: dict[str, int] = {}  # node key -> index among the layer's nodes inside this network
    for layer in network.layers:
        kept = int(hasattr(layer, "layers"))  # number 0 of a network is what links its own inputs to its outputs
        for i in range(len(layer._inbound_nodes)):
            if node_key(layer, i) in network._network_nodes:
                numbers[node_key(layer, i)] = kept
                kept += 1
    layers = []
    for layer in network.layers:
        inbound = []
        for i, node in enumerate(layer._inbound_nodes):
            if node_key(layer, i) not in network._network_nodes or not node.inbound_layers:
                continue
            arguments = _plain(node.arguments)
            inbound.append(
                [
                    [source.name, numbers[node_key(source, index)], tensor_index, arguments]
                    for source, index, tensor_index in zip(
                        node.inbound_layers, node.node_indices, node.tensor_indices, strict=True
                    )
                ]
            )
        config = copy.deepcopy(layer.get_config()) if not hasattr(layer, "layers") else layer.get_config()
        layers.append(
            {"name": layer.name, "class_name": type(layer).__name__, "config": config, "inbound_nodes": inbound}
        )
    return {
        "name": network.name,
        "layers": layers,
        "input_layers": [[c[0].name, numbers[node_key(c[0], c[1])], c[2]] for c in network._input_coordinates],
        "output_layers": [[c[0].name, numbers[node_key(c[0], c[1])], c[2]] for c in network._output_coordinates],
    }


def _plain(arguments: dict[str, Any]) -> dict[str, Any]:
    """Call arguments that JSON can hold (others are left out, as Keras does, with a warning by the caller's tests)."""
    kept = {}
    for name, value in arguments.items():
        try:
            json.dumps(value)
        except TypeError:
            continue
        kept[name] = value
    return kept


def tensors_from_config(
    config: dict[str, Any], custom_objects: dict[str, Any] | None = None
) -> tuple[list[Tensor], list[Tensor], dict[str, Any]]:
    """Make the layers of a network's config and call them; gives inputs, outputs, and layers by name."""
    from ..layers import deserialize

    layers: dict[str, Any] = {}
    pending: list[tuple[Any, Any]] = []
    calls: dict[str, list[int]] = {}  # layer -> index of its k-th node in this network among all its nodes
    used = {(item[0], item[1]) for data in config["layers"] for node in data["inbound_nodes"] for item in node}
    used |= {(item[0], item[1]) for item in config["output_layers"]}
    for data in config["layers"]:
        layer = deserialize(data, custom_objects=custom_objects)
        layers[data["name"]] = layer
        # An input layer has a node before any call here; so has a network, which some versions do not count.
        counted = hasattr(layer, "layers") and (data["name"], 0) not in used
        calls[data["name"]] = [0] if counted or (layer._inbound_nodes and not data["inbound_nodes"]) else []
        pending += [(layer, node) for node in data["inbound_nodes"]]
    while pending:
        later = []
        for layer, node in pending:
            sources = [(item[0], item[1], item[2]) for item in node]
            if any(len(calls[name]) <= index for name, index, _ in sources):
                later.append((layer, node))
                continue
            tensors = [layers[n]._inbound_nodes[calls[n][i]].output_tensors[t] for n, i, t in sources]
            arguments = dict(node[0][3]) if len(node[0]) > 3 and node[0][3] else {}
            layer(unpack_singleton(tensors), **arguments)
            calls[layer.name].append(len(layer._inbound_nodes) - 1)
        if len(later) == len(pending):
            raise ValueError("The config of the network has nodes whose inputs no layer makes.")
        pending = later
    inputs = [layers[n]._inbound_nodes[calls[n][i]].output_tensors[t] for n, i, t in config["input_layers"]]
    outputs = [layers[n]._inbound_nodes[calls[n][i]].output_tensors[t] for n, i, t in config["output_layers"]]
    return inputs, outputs, layers


def updated_config(model: Any) -> dict[str, Any]:
    """The config with the class, the version and the backend, as ``to_json`` and saved files have it."""
    return {
        "class_name": type(model).__name__,
        "config": model.get_config(),
        "keras_version": KERAS_VERSION,
        "backend": KERNEL_BACKEND,
    }


def json_value(obj: Any) -> Any:
    """What JSON holds for values it does not know: NumPy's arrays and numbers, dtypes, functions and types by name."""
    if isinstance(obj, (np.ndarray, np.generic)):
        return obj.tolist()
    if hasattr(obj, "get_config"):
        return {"class_name": type(obj).__name__, "config": obj.get_config()}
    if hasattr(obj, "__name__"):
        return obj.__name__
    if isinstance(obj, np.dtype):
        return obj.name
    raise TypeError("Not JSON Serializable:", obj)


def to_json(model: Any, **kwargs: Any) -> str:
    """A model's architecture as JSON."""
    return json.dumps(updated_config(model), default=json_value, **kwargs)
