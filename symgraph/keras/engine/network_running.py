"""Running a network's layers on other tensors, and on shapes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .. import backend as K
from ..utils.generic_utils import has_arg, object_list_uid, to_list, unpack_singleton
from .nodes import Node

Tensor = Any


def run(network: Any, inputs: list[Tensor], masks: Sequence[Any]) -> tuple[list[Tensor], list[Any]]:
    """The outputs for other input tensors, and their masks; layers are run, but record no nodes."""
    values = {id(x): (y, m) for x, y, m in zip(network.inputs, inputs, masks, strict=True)}
    for node, _ in _nodes_in_order(network):
        if not all(id(x) in values for x in node.input_tensors):
            continue
        if all(id(x) in values for x in node.output_tensors):
            continue
        got = [values[id(x)] for x in node.input_tensors]
        tensors = [g[0] for g in got]
        results, result_masks = _run_layer(node, tensors, [g[1] for g in got])
        # What the layers add for these tensors belongs to this call of the network.
        _extend(network._per_input_losses, inputs, node.outbound_layer.get_losses_for(tensors))
        _extend(network._per_input_updates, inputs, node.outbound_layer.get_updates_for(tensors))
        for x, y, m in zip(node.output_tensors, results, result_masks, strict=True):
            y._uses_learning_phase = getattr(x, "_uses_learning_phase", False) or getattr(
                y, "_uses_learning_phase", False
            )
            values[id(x)] = (y, m)
    for x in network.outputs:
        if id(x) not in values:
            raise ValueError(f"Could not compute output {x}")
    outputs = [values[id(x)][0] for x in network.outputs]
    output_masks = [values[id(x)][1] for x in network.outputs]
    return outputs, output_masks


def output_shapes(network: Any, shapes: Sequence[Any]) -> list[Any]:
    """The shapes of the outputs for other shapes of the inputs."""
    known = {tuple(c): s for c, s in zip(network._input_coordinates, shapes, strict=True)}
    for node, index in _nodes_in_order(network):
        layer = node.outbound_layer
        if layer in network._input_layers:
            continue
        given = [
            known[source] for source in zip(node.inbound_layers, node.node_indices, node.tensor_indices, strict=True)
        ]
        result = layer.compute_output_shape(unpack_singleton(given))
        listed = result if isinstance(result, list) else [result]
        for j, shape in enumerate(listed):
            known[(layer, index, j)] = shape if shape is not None else node.output_shapes[j]
    return [known[c] for c in network._output_coordinates]


def _nodes_in_order(network: Any) -> Iterator[tuple[Node, int]]:
    for depth in sorted(network._nodes_by_depth, reverse=True):
        for node in network._nodes_by_depth[depth]:
            yield node, next(i for i, n in enumerate(node.outbound_layer._inbound_nodes) if n is node)


def _extend(by_input: dict[str | None, list[Any]], inputs: list[Tensor], found: list[Any]) -> None:
    if found:
        kept = by_input.setdefault(object_list_uid(inputs), [])
        kept += [x for x in found if not any(x is k for k in kept)]


def _run_layer(node: Node, tensors: list[Tensor], masks: list[Any]) -> tuple[list[Tensor], list[Any]]:
    layer = node.outbound_layer
    arguments = dict(node.arguments)
    argument, mask = (tensors[0], masks[0]) if len(tensors) == 1 else (tensors, masks)
    if has_arg(layer.call, "mask") and "mask" not in arguments:
        arguments["mask"] = mask
    with K.name_scope(layer.name):
        results = to_list(layer.call(argument, **arguments), allow_tuple=True)
        result_masks = layer.compute_mask(argument, mask)
        regularizer = getattr(layer, "activity_regularizer", None)
        if regularizer is not None:
            layer.add_loss([regularizer(x) for x in results], tensors)
    return results, [None] * len(results) if result_masks is None else to_list(result_masks)
