"""Nodes: one per call of a layer; they link the layers of a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import backend as K
from ..utils.generic_utils import to_list

Tensor = Any
Shape = Any


class InputSpec:
    """What a layer expects of an input: rank, dtype, and sizes of axes. None leaves a thing open."""

    def __init__(
        self,
        dtype: str | None = None,
        shape: Sequence[int | None] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
    ) -> None:
        self.dtype = dtype
        self.shape = shape
        self.ndim = len(shape) if shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = axes or {}

    def __repr__(self) -> str:
        shown = [f"{k}={v}" for k, v in vars(self).items() if v]
        return f"InputSpec({', '.join(shown)})"


class Node:
    """One call of ``outbound_layer``: tensors, masks and shapes on both sides, and where the inputs came from.

    Making a node appends it to the layers on both sides and writes ``_keras_history`` of the output tensors.
    """

    def __init__(
        self,
        outbound_layer: Any,
        inbound_layers: list[Any],
        node_indices: list[int],
        tensor_indices: list[int],
        input_tensors: list[Tensor],
        output_tensors: list[Tensor],
        input_masks: list[Tensor],
        output_masks: list[Tensor],
        input_shapes: list[Shape],
        output_shapes: list[Shape],
        arguments: dict[str, Any] | None = None,
    ) -> None:
        self.outbound_layer = outbound_layer
        self.inbound_layers = inbound_layers
        self.node_indices = node_indices
        self.tensor_indices = tensor_indices
        self.input_tensors = input_tensors
        self.output_tensors = output_tensors
        self.input_masks = input_masks
        self.output_masks = output_masks
        self.input_shapes = input_shapes
        self.output_shapes = output_shapes
        self.arguments = arguments or {}
        for layer in inbound_layers:
            if layer is not None:
                layer._outbound_nodes.append(self)
        outbound_layer._inbound_nodes.append(self)

    def get_config(self) -> dict[str, Any]:
        names = [layer.name if layer else None for layer in self.inbound_layers]
        return {
            "outbound_layer": self.outbound_layer.name if self.outbound_layer else None,
            "inbound_layers": names,
            "node_indices": self.node_indices,
            "tensor_indices": self.tensor_indices,
        }


def history(tensor: Tensor) -> tuple[Any, int, int] | None:
    """``(layer, node index, tensor index)`` of a tensor that a layer made, else None."""
    return getattr(tensor, "_keras_history", None)


def connect(
    layer: Any,
    inputs: list[Tensor],
    outputs: list[Tensor],
    input_masks: list[Tensor],
    output_masks: list[Tensor],
    output_shapes: list[Shape],
    arguments: dict[str, Any] | None = None,
) -> Node:
    """Record a call of ``layer`` as a node, and mark the outputs as Keras tensors."""
    sources = [history(x) or (None, None, None) for x in inputs]
    node = Node(
        layer,
        inbound_layers=[s[0] for s in sources],
        node_indices=[s[1] for s in sources],  # type: ignore[misc]
        tensor_indices=[s[2] for s in sources],  # type: ignore[misc]
        input_tensors=inputs,
        output_tensors=outputs,
        input_masks=input_masks,
        output_masks=output_masks,
        input_shapes=[K.int_shape(x) for x in inputs],
        output_shapes=output_shapes,
        arguments=arguments,
    )
    learning = any(getattr(x, "_uses_learning_phase", False) for x in inputs)
    for i, (x, shape) in enumerate(zip(outputs, output_shapes, strict=True)):
        x._keras_shape = tuple(shape)
        x._uses_learning_phase = getattr(x, "_uses_learning_phase", False) or learning
        x._keras_history = (layer, len(layer._inbound_nodes) - 1, i)
    return node


def collect_previous_mask(input_tensors: Any) -> Any:
    """The masks that came with tensors; one or a list, as the tensors."""
    masks: list[Tensor] = []
    for x in to_list(input_tensors):
        source = history(x)
        masks.append(None if source is None else source[0]._inbound_nodes[source[1]].output_masks[source[2]])
    return masks if isinstance(input_tensors, list) else masks[0]


def check_compatibility(layer: Any, inputs: Any) -> None:
    """Check the inputs of a layer against its ``input_spec``.

    Raises:
        ValueError: in Keras's words.
    """
    inputs = to_list(inputs)
    for x in inputs:
        if not K.is_tensor(x):
            raise ValueError(
                f"Layer {layer.name} was called with an input that isn't a symbolic tensor. Received type: {type(x)}. "
                f"Full input: {inputs}. All inputs to the layer should be tensors."
            )
    if not layer.input_spec:
        return
    specs = layer.input_spec if isinstance(layer.input_spec, (list, tuple)) else [layer.input_spec]
    if len(inputs) != len(specs):
        raise ValueError(
            f"Layer {layer.name} expects {len(specs)} inputs, but it received {len(inputs)} input tensors. "
            f"Input received: {inputs}"
        )
    for i, (x, spec) in enumerate(zip(inputs, specs, strict=True)):
        if spec is not None:
            problem = _mismatch(x, spec)
            if problem:
                raise ValueError(f"Input {i} is incompatible with layer {layer.name}: {problem}")


def _mismatch(x: Tensor, spec: InputSpec) -> str:
    shape = K.int_shape(x)
    rank = len(shape)
    if spec.ndim is not None and rank != spec.ndim:
        return f"expected ndim={spec.ndim}, found ndim={rank}"
    if spec.max_ndim is not None and rank > spec.max_ndim:
        return f"expected max_ndim={spec.max_ndim}, found ndim={rank}"
    if spec.min_ndim is not None and rank < spec.min_ndim:
        return f"expected min_ndim={spec.min_ndim}, found ndim={rank}"
    if spec.dtype is not None and K.dtype(x) != spec.dtype:
        return f"expected dtype={spec.dtype}, found dtype={K.dtype(x)}"
    for axis, value in spec.axes.items():
        if value is not None and shape[int(axis)] not in {value, None}:
            return f"expected axis {axis} of input shape to have value {value} but got shape {shape}"
    if spec.shape is not None and any(
        want is not None and got is not None and want != got for want, got in zip(spec.shape, shape, strict=True)
    ):
        return f"expected shape={spec.shape}, found shape={shape}"
    return ""
