"""The layer: weights, a computation, and the record of its calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .. import backend as K
from .. import initializers
from ..legacy import interfaces
from ..utils.generic_utils import has_arg, is_all_none, object_list_uid, to_list, unpack_singleton
from ..utils.layer_utils import count_params
from ..utils.safe_mode import spend_weight
from .archive_parts import ArchivedPart
from .arguments import plain_arguments
from .nodes import InputSpec, Node, check_compatibility, collect_previous_mask, connect
from .old_weights import Arrays, Origin, reshaped
from .tracking import Tracking

__all__ = ["InputSpec", "Layer", "Node", "disable_tracking"]

Tensor = Any
ALLOWED_KEYWORDS = {
    "input_shape",
    "batch_input_shape",
    "batch_size",
    "dtype",
    "name",
    "trainable",
    "weights",
    "input_dtype",
}


class Layer(Tracking):
    """Base of all layers.

    A subclass gives ``build(input_shape)`` (make weights with ``add_weight``, then call ``super().build`` or set
    ``self.built``), ``call(inputs)``, ``compute_output_shape(input_shape)`` and ``get_config()``.
    Calling a layer on tensors builds it if needed, runs ``call`` and records a node.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        self.input_spec: Any = None
        self.supports_masking = False
        self.stateful = False
        self._built = False
        self._inbound_nodes: list[Node] = []
        self._outbound_nodes: list[Node] = []
        for key in kwargs:
            if key not in ALLOWED_KEYWORDS:
                raise TypeError("Keyword argument not understood:", key)
        self.name = kwargs.get("name") or _unique_name(type(self).__name__)
        self.trainable = kwargs.get("trainable", True)
        if "input_shape" in kwargs or "batch_input_shape" in kwargs:
            shape = kwargs.get("batch_input_shape")
            self.batch_input_shape = (
                tuple(shape) if shape else (kwargs.get("batch_size"), *_as_tuple(kwargs["input_shape"]))
            )
        self.dtype = kwargs.get("dtype") or kwargs.get("input_dtype") or K.floatx()
        self._initial_weights = kwargs.get("weights")

    # -- to be given by subclasses ----------------------------------------------------------------------------------
    def build(self, input_shape: Any) -> None:
        """Make the weights."""
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The computation, on tensors."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output(s) for the shape of the input(s)."""
        return input_shape

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the output(s)."""
        if self.supports_masking:
            return mask
        if mask is not None and not is_all_none(mask):
            raise TypeError(f"Layer {self.name} does not support masking, but was passed an input_mask: {mask}")
        return None

    def get_config(self) -> dict[str, Any]:
        """What ``from_config`` needs to make the layer again (without weights): all declared as ``Argument``."""
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        if hasattr(self, "batch_input_shape"):
            config["batch_input_shape"] = self.batch_input_shape
        if hasattr(self, "dtype"):
            config["dtype"] = self.dtype
        return {**config, **plain_arguments(self)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    # -- files of other versions ------------------------------------------------------------------------------------
    @classmethod
    def renewed_config(cls, config: dict[str, Any]) -> dict[str, Any]:
        """A config that another version wrote, in the words of this one; see ``config_compat``."""
        return config

    def weights_from(self, arrays: Arrays, origin: Origin) -> Arrays:
        """What a file of another version or backend has for this layer, as ``weights`` has it; see ``old_weights``."""
        return reshaped(self.weights, arrays, origin)

    def archived_parts(self, config: dict[str, Any]) -> Iterable[ArchivedPart]:
        """The layers inside of a layer made from ``config``, which archives of Keras 3 store apart."""
        return ()

    # -- calling ----------------------------------------------------------------------------------------------------
    @property
    def built(self) -> bool:
        """Whether the weights exist."""
        return self._built

    @built.setter
    def built(self, value: bool) -> None:
        self._built = value

    def assert_input_compatibility(self, inputs: Any) -> None:
        """Check tensors against ``input_spec``."""
        check_compatibility(self, inputs)

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Apply the layer to tensors.

        Raises:
            ValueError: for inputs that are not symbolic, or do not fit ``input_spec``.
        """
        inputs = list(inputs) if isinstance(inputs, tuple) else inputs
        with K.name_scope(self.name):
            self._build_for(inputs)
            self.assert_input_compatibility(inputs)
            arguments = dict(kwargs)
            previous_mask = collect_previous_mask(inputs)
            if not is_all_none(previous_mask) and "mask" not in kwargs and has_arg(self.call, "mask"):
                kwargs["mask"] = previous_mask
            outputs = self.call(inputs, **kwargs)
            self._check_outputs(inputs, outputs)
            output_mask = self.compute_mask(inputs, previous_mask)
            taken = {id(x) for x in to_list(inputs)}
            outputs_list = [K.identity(x) if id(x) in taken else x for x in to_list(outputs, allow_tuple=True)]
            shapes = self._output_shapes(inputs, outputs_list)
            masks = to_list(output_mask) if output_mask is not None else [None] * len(outputs_list)
            connect(self, to_list(inputs), outputs_list, to_list(previous_mask), masks, shapes, arguments)
            regularizer = getattr(self, "activity_regularizer", None)
            if regularizer is not None:
                self.add_loss([regularizer(x) for x in outputs_list], to_list(inputs))
        return unpack_singleton(outputs_list)

    def _check_outputs(self, inputs: Any, outputs: Any) -> None:
        """Refuse what no other layer could take: no tensor, or one without elements made of ones that have some."""
        shapes = [K.int_shape(x) for x in to_list(inputs)]
        for x in to_list(outputs, allow_tuple=True):
            if not K.is_tensor(x):
                raise TypeError(f"The call of layer {self.name} should give tensors. Found: {x!r}")
            if 0 in K.int_shape(x) and not any(0 in shape for shape in shapes):
                raise ValueError(
                    f"Layer {self.name} leaves nothing of its input: an input of shape {unpack_singleton(shapes)} "
                    f"gives an output of shape {K.int_shape(x)}. Is its window larger than the input?"
                )

    def _build_for(self, inputs: Any) -> None:
        if self.built:
            return
        self.assert_input_compatibility(inputs)
        shapes = [K.int_shape(x) for x in to_list(inputs)]
        self.build(shapes if isinstance(inputs, list) and len(shapes) > 1 else unpack_singleton(shapes))
        self.built = True
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)

    def _output_shapes(self, inputs: Any, outputs: list[Tensor]) -> list[Any]:
        shapes = unpack_singleton([K.int_shape(x) for x in to_list(inputs)])
        computed = self.compute_output_shape(shapes)
        if computed is None:
            return [K.int_shape(x) for x in outputs]
        listed = computed if isinstance(computed, list) and isinstance(computed[0], (tuple, list)) else [computed]
        if len(listed) != len(outputs):
            return [K.int_shape(x) for x in outputs]
        # What the tensor knows and the declaration leaves open is kept.
        return [tuple(d) if d is not None else K.int_shape(x) for d, x in zip(listed, outputs, strict=True)]

    # -- weights ----------------------------------------------------------------------------------------------------
    @interfaces.legacy_add_weight_support
    def add_weight(
        self,
        name: str | None = None,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Callable[[Tensor], Tensor] | None = None,
        trainable: bool = True,
        constraint: Any = None,
    ) -> Tensor:
        """Make a weight variable and register it with the layer."""
        shape = () if shape is None else tuple(shape)
        dtype = dtype or self.dtype
        spend_weight(shape, self.name)
        initial = initializers.get("glorot_uniform" if initializer is None else initializer)
        with K.name_scope(name or "weight") as path:  # a cell's weights are named after the layer that builds it
            label = path if "/" in path else f"{self.name}/{path}"
        weight = K.variable(initial(shape, dtype=dtype) if has_arg(initial, "dtype", True) else initial(shape),
                            dtype=dtype, name=label, constraint=constraint)  # fmt: skip
        if regularizer is not None:
            with K.name_scope("weight_regularizer"):
                self.add_loss(regularizer(weight))
        (self._trainable_weights if trainable else self._non_trainable_weights).append(weight)
        return weight

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """Copies of the weights' values."""
        return K.batch_get_value(self.weights)

    def set_weights(self, weights: Iterable[Any]) -> None:
        """Write the weights' values.

        Raises:
            ValueError: for another number of weights, or another shape.
        """
        params, given = self.weights, list(weights)
        if len(params) != len(given):
            raise ValueError(
                f'You called `set_weights(weights)` on layer "{self.name}" with a  weight list of length {len(given)}, '
                f"but the layer was expecting {len(params)} weights. Provided weights: {str(given)[:50]}..."
            )
        for param, array in zip(params, given, strict=True):
            if K.int_shape(param) != np.shape(array):
                raise ValueError(
                    f"Layer weight shape {K.int_shape(param)} not compatible with provided weight shape "
                    f"{np.shape(array)}, for {param.name}"
                )
        K.batch_set_value(zip(params, given, strict=True))

    def count_params(self) -> int:
        """The number of weight elements."""
        if not self.built:
            raise RuntimeError(
                f"You tried to call `count_params` on {self.name}, but the layer isn't built. "
                f"You can build it manually via: `{self.name}.build(batch_input_shape)`."
            )
        return count_params(self.weights)

    # -- losses, updates, metrics -----------------------------------------------------------------------------------
    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add terms to the loss of models that hold this layer; ``inputs`` are the tensors that they depend on."""
        losses = [x for x in to_list(losses) if K.is_tensor(x) or x]
        self._losses.extend(losses)
        self._per_input_losses.setdefault(_input_key(inputs), []).extend(losses)

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Add updates to run at each training step; ``inputs`` are the tensors that they depend on."""
        updates = updates if isinstance(updates, list) else [updates]
        updates = [u for u in updates if u is not None]
        self._updates.extend(updates)
        self._per_input_updates.setdefault(_input_key(inputs), []).extend(updates)

    def add_metric(self, value: Tensor, name: str | None = None) -> None:
        """Report a tensor (averaged over batches) as a metric of models that hold this layer."""
        from ..metrics import Mean

        metric = Mean(name=name)
        self._metrics.append(metric)
        metric(value)

    def get_losses_for(self, inputs: Any) -> list[Tensor]:
        """The losses that depend on ``inputs`` (None: on none)."""
        return self._per_input_losses.get(_input_key(inputs), [])

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """The updates that depend on ``inputs`` (None: on none)."""
        if not self.trainable and not self.stateful:
            return []
        return self._per_input_updates.get(_input_key(inputs), [])

    # -- nodes ------------------------------------------------------------------------------------------------------
    def _at_node(self, node_index: int, attribute: str, what: str) -> Any:
        if not self._inbound_nodes:
            raise RuntimeError(f"The layer has never been called and thus has no defined {what}.")
        if not len(self._inbound_nodes) > node_index:
            raise ValueError(
                f"Asked to get {what} at node {node_index}, but the layer has only {len(self._inbound_nodes)} "
                "inbound nodes."
            )
        return unpack_singleton(getattr(self._inbound_nodes[node_index], attribute))

    def get_input_shape_at(self, node_index: int) -> Any:
        return self._at_node(node_index, "input_shapes", "input shape")

    def get_output_shape_at(self, node_index: int) -> Any:
        return self._at_node(node_index, "output_shapes", "output shape")

    def get_input_at(self, node_index: int) -> Any:
        return self._at_node(node_index, "input_tensors", "input")

    def get_output_at(self, node_index: int) -> Any:
        return self._at_node(node_index, "output_tensors", "output")

    def get_input_mask_at(self, node_index: int) -> Any:
        return self._at_node(node_index, "input_masks", "input mask")

    def get_output_mask_at(self, node_index: int) -> Any:
        return self._at_node(node_index, "output_masks", "output mask")

    def _at_only_node(self, attribute: str, what: str, getter: str) -> Any:
        if not self._inbound_nodes:
            raise AttributeError(
                f'Layer {self.name} has no inbound nodes, hence the notion of "layer {what}" is undefined.'
            )
        if len(self._inbound_nodes) > 1:
            raise AttributeError(
                f'Layer {self.name} has multiple inbound nodes, hence the notion of "layer {what}" is ill-defined. '
                f"Use `{getter}(node_index)` instead."
            )
        return unpack_singleton(getattr(self._inbound_nodes[0], attribute))

    @property
    def input(self) -> Any:
        """The input tensor(s) of the layer's only call."""
        return self._at_only_node("input_tensors", "input", "get_input_at")

    @property
    def output(self) -> Any:
        """The output tensor(s) of the layer's only call."""
        return self._at_only_node("output_tensors", "output", "get_output_at")

    @property
    def input_mask(self) -> Any:
        """The mask(s) that came with the input of the layer's only call."""
        return self._at_only_node("input_masks", "input mask", "get_input_mask_at")

    @property
    def output_mask(self) -> Any:
        """The mask(s) of the output of the layer's only call."""
        return self._at_only_node("output_masks", "output mask", "get_output_mask_at")

    @property
    def input_shape(self) -> Any:
        """The input shape(s), where all calls had the same."""
        return self._shape_of_all("input_shapes", "input shape", "get_input_shape_at")

    @property
    def output_shape(self) -> Any:
        """The output shape(s), where all calls had the same."""
        return self._shape_of_all("output_shapes", "output shape", "get_output_shape_at")

    def _shape_of_all(self, attribute: str, what: str, getter: str) -> Any:
        if not self._inbound_nodes:
            raise AttributeError(f"The layer has never been called and thus has no defined {what}.")
        shapes = [getattr(node, attribute) for node in self._inbound_nodes]
        if len({str(s) for s in shapes}) > 1:
            raise AttributeError(
                f'The layer "{self.name}" has multiple inbound nodes, with different {what}s. Hence the notion of '
                f'"{what}" is ill-defined for the layer. Use `{getter}(node_index)` instead.'
            )
        return unpack_singleton(shapes[0])


def disable_tracking(func: Callable[..., Any]) -> Callable[..., Any]:
    """A method inside which attributes that are set are not tracked."""

    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        with self._untracked():
            return func(self, *args, **kwargs)

    return wrapped


def _as_tuple(shape: Any) -> tuple[Any, ...]:
    return tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)


def _input_key(inputs: Any) -> str | None:
    listed = to_list(inputs)
    return None if inputs is None or not listed else object_list_uid(listed)


def _unique_name(class_name: str) -> str:
    prefix = to_snake_case(class_name)
    return f"{prefix}_{K.get_uid(prefix)}"


def to_snake_case(name: str) -> str:
    """``BatchNormalization`` to ``batch_normalization``; a private class gets the prefix ``private``."""
    spaced = re.sub("(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    snake = re.sub("([a-z])([A-Z])", r"\1_\2", spaced).lower()
    return "private" + snake if snake.startswith("_") else snake
