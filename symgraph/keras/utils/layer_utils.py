"""Tables of layers, counts of parameters, sources of tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .. import backend as K
from .conv_utils import convert_kernel

Tensor = Any
Print = Callable[[str], Any]


def count_params(weights: Iterable[Tensor]) -> int:
    """The number of elements of some weights, each variable once."""
    distinct = {id(w): w for w in weights}
    return int(sum(K.count_params(w) for w in distinct.values()))


def print_summary(
    model: Any, line_length: int | None = None, positions: Sequence[float] | None = None, print_fn: Print | None = None
) -> None:
    """Print the table of a model's layers.

    Args:
        line_length: characters in a line.
        positions: where columns end, as fractions of a line or in characters.
        print_fn: called with each line (``print`` by default).
    """
    emit = print if print_fn is None else print_fn
    sequential = not model._is_graph_network or _is_sequential_like(model)
    line_length = line_length or (65 if sequential else 98)
    positions = list(positions or ([0.45, 0.85, 1.0] if sequential else [0.33, 0.55, 0.67, 1.0]))
    if positions[-1] <= 1:
        positions = [int(line_length * p) for p in positions]
    headers = ["Layer (type)", "Output Shape", "Param #"] + ([] if sequential else ["Connected to"])
    emit(f'Model: "{model.name}"')
    emit("_" * line_length)
    _row(emit, headers, positions)
    emit("=" * line_length)
    relevant = None if sequential else [n for nodes in model._nodes_by_depth.values() for n in nodes]
    for i, layer in enumerate(model.layers):
        for fields in _layer_rows(layer, relevant):
            _row(emit, fields, positions)
        emit(("=" if i == len(model.layers) - 1 else "_") * line_length)
    trainable, frozen = count_params(model.trainable_weights), count_params(model.non_trainable_weights)
    emit(f"Total params: {trainable + frozen:,}")
    emit(f"Trainable params: {trainable:,}")
    emit(f"Non-trainable params: {frozen:,}")
    emit("_" * line_length)


def _is_sequential_like(model: Any) -> bool:
    """Whether every layer has one input from one layer, one after the other."""
    from ..models import Sequential

    if isinstance(model, Sequential):
        return True
    if any(
        len(nodes) > 1 or (len(nodes) == 1 and len(nodes[0].inbound_layers) > 1)
        for nodes in model._nodes_by_depth.values()
    ):
        return False
    nodes = {id(n) for level in model._nodes_by_depth.values() for n in level}
    return all(sum(id(n) in nodes for n in layer._inbound_nodes) <= 1 for layer in model.layers)


def _row(emit: Print, fields: Sequence[Any], positions: Sequence[float]) -> None:
    line = ""
    for i, field in enumerate(fields):
        if i > 0:
            line = line[:-1] + " "
        line += str(field)
        line = line[: int(positions[i])]
        line += " " * (int(positions[i]) - len(line))
    emit(line)


def _layer_rows(layer: Any, relevant: list[Any] | None) -> list[list[Any]]:
    try:
        shape = layer.output_shape
    except AttributeError:
        shape = "multiple"
    first = [f"{layer.name} ({type(layer).__name__})", shape, layer.count_params() if layer.built else "0 (unused)"]
    if relevant is None:
        return [first]
    sources = [
        f"{source.name}[{node.node_indices[i]}][{node.tensor_indices[i]}]"
        for node in layer._inbound_nodes
        if any(node is n for n in relevant)
        for i, source in enumerate(node.inbound_layers)
    ]
    return [[*first, sources[0] if sources else ""]] + [["", "", "", s] for s in sources[1:]]


def get_source_inputs(tensor: Tensor, layer: Any = None, node_index: int | None = None) -> list[Tensor]:
    """The input tensors of the network that made ``tensor``."""
    source = getattr(tensor, "_keras_history", None)
    if source is None:
        return [tensor]
    if layer is None or node_index:
        layer, node_index = source[0], source[1]
    if not layer._inbound_nodes:
        return [tensor]
    node = layer._inbound_nodes[node_index]
    if not node.inbound_layers:
        return list(node.input_tensors)
    found: list[Tensor] = []
    for i, x in enumerate(node.input_tensors):
        for origin in get_source_inputs(x, node.inbound_layers[i], node.node_indices[i]):
            if not any(origin is f for f in found):
                found.append(origin)
    return found


def convert_all_kernels_in_model(model: Any) -> None:
    """Mirror the windows of all convolutions of a model: from weights of Theano's convolution to ours, and back."""
    from ..layers.conv_base import _Conv

    for layer in model.layers:
        if isinstance(layer, _Conv) and layer.kernel is not None:
            K.set_value(layer.kernel, convert_kernel(K.get_value(layer.kernel)))


def convert_dense_weights_data_format(
    dense: Any, previous_feature_map_shape: Sequence[int], target_data_format: str = "channels_first"
) -> None:
    """Put the rows of a dense layer's kernel in the order of another data format.

    Args:
        dense: the layer that follows ``Flatten``.
        previous_feature_map_shape: the shape of a sample before ``Flatten``, in the target's data format.
        target_data_format: ``channels_first`` or ``channels_last``.
    """
    if target_data_format not in ("channels_first", "channels_last"):
        raise ValueError(f"`target_data_format` of layer {dense.name}: {target_data_format!r} is no data format")
    kernel, *rest = dense.get_weights()
    shape = tuple(previous_feature_map_shape)
    if int(np.prod(shape)) != len(kernel):
        raise ValueError(f"Layer {dense.name} has {len(kernel)} rows, which a map of shape {shape} does not flatten to")
    if target_data_format == "channels_first":
        moved = np.moveaxis(kernel.reshape(*shape[1:], shape[0], -1), -2, 0)
    else:
        moved = np.moveaxis(kernel.reshape(shape[-1], *shape[:-1], -1), 0, -2)
    dense.set_weights([moved.reshape(kernel.shape), *rest])
