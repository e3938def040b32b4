"""A network: layers linked by tensors, itself a layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .. import backend as K
from ..legacy import interfaces
from ..utils.generic_utils import has_arg, object_list_uid, to_list, unpack_singleton  # noqa: F401 - as Keras here
from ..utils.io_utils import ask_to_proceed_with_overwrite  # noqa: F401 - a name that Keras has here, too
from ..utils.layer_utils import (
    count_params,
    get_source_inputs,  # noqa: F401 - a name that Keras has here, too
)
from ..utils.layer_utils import print_summary as print_layer_summary
from . import network_config, network_running, saving
from .archive_parts import ArchivedPart, numbered
from .base_layer import Layer, to_snake_case
from .input_layer import InputLayer
from .network_graph import check_ends, node_key, output_names, sort_network
from .nodes import Node
from .old_weights import Arrays, Origin, weights_by_parts
from .tracking import _unique

Tensor = Any


class Network(Layer):
    """Layers between given input and output tensors, as one layer."""

    @interfaces.legacy_model_constructor_support
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        name = kwargs.get("name") or (args[2] if len(args) > 2 else None)
        prefix = to_snake_case(type(self).__name__)
        super().__init__(name=name or f"{prefix}_{K.get_uid(prefix)}", trainable=kwargs.pop("trainable", True))
        del self.dtype
        self.__dict__["_tracking"] = False
        self._is_graph_network = False
        self.optimizer: Any = None
        self._layers: list[Layer] = []
        self.inputs: list[Tensor] = []
        self.outputs: list[Tensor] = []
        self.supports_masking = False
        if len(args) >= 2 or "outputs" in kwargs:
            inputs = args[0] if args else kwargs["inputs"]
            outputs = args[1] if len(args) > 1 else kwargs["outputs"]
            self._init_graph_network(inputs, outputs)
        self.__dict__["_tracking"] = self._has_own_call()

    def _has_own_call(self) -> bool:
        """Whether this is a subclassed model: no graph of layers, but a ``call`` outside of this package."""
        return not self._is_graph_network and not type(self).call.__module__.startswith(__name__.rpartition(".")[0])

    def _track(self, value: Any) -> None:
        if isinstance(value, Layer) and not hasattr(value, "update_state"):
            if not any(value is layer for layer in self._layers):
                self._layers.append(value)
        elif not K.is_variable(value):
            super()._track(value)

    def _init_graph_network(self, inputs: Any, outputs: Any) -> None:
        self.inputs, self.outputs = to_list(inputs, allow_tuple=True), to_list(outputs, allow_tuple=True)
        check_ends(self.inputs, self.outputs, type(self).__name__)
        self._is_graph_network = True
        self.built = True
        self._network_nodes, self._nodes_by_depth, self._layers, self._layers_by_depth = sort_network(
            self.inputs, self.outputs
        )
        self._input_layers = [x._keras_history[0] for x in self.inputs]
        self._output_layers = [x._keras_history[0] for x in self.outputs]
        self._input_coordinates = [x._keras_history for x in self.inputs]
        self._output_coordinates = [x._keras_history for x in self.outputs]
        self.input_names = [layer.name for layer in self._input_layers]
        self.output_names = output_names(self._output_layers)
        self._feed_inputs, self._feed_input_names, self._feed_input_shapes = [], [], []
        for layer, x in zip(self._input_layers, self.inputs, strict=True):
            if not isinstance(layer, InputLayer):
                raise TypeError(
                    f"Input layers to a `Model` must be `InputLayer` objects. Received inputs: {inputs}. Input 0 "
                    "(0-based) "
                    f"originates from layer type `{type(layer).__name__}`."
                )
            if layer.is_placeholder:
                self._feed_inputs.append(x)
                self._feed_input_names.append(layer.name)
                self._feed_input_shapes.append(K.int_shape(x))
        self._last_run: tuple[list[Tensor], list[Any], list[Any]] = ([], [], [])
        masks = [h[0]._inbound_nodes[h[1]].output_masks[h[2]] for h in self._output_coordinates]
        shapes = [K.int_shape(x) for x in self.inputs]
        # The network as a layer: one call, from its inputs to its outputs.
        Node(self, [], [], [], self.inputs, self.outputs, [None] * len(self.inputs), masks, shapes,
             [K.int_shape(x) for x in self.outputs])  # fmt: skip

    # -- parts ------------------------------------------------------------------------------------------------------
    @property
    def layers(self) -> list[Layer]:
        """The layers, from inputs to outputs."""
        return self._layers

    def _owned_layers(self) -> list[Layer]:
        return self._layers

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of a name, or of an index into ``layers``."""
        if index is not None:
            if len(self.layers) <= index:
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(self.layers)} layers."
                )
            return self.layers[index]
        if not name:
            raise ValueError("Provide either a layer name or layer index.")
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}. The layers are: {[layer.name for layer in self.layers]}")

    @property
    def trainable_weights(self) -> list[Tensor]:
        if not self.trainable:
            return []
        return _unique([w for layer in self._layers for w in layer.trainable_weights])

    @trainable_weights.setter
    def trainable_weights(self, weights: list[Tensor]) -> None:
        self._trainable_weights = weights

    @property
    def non_trainable_weights(self) -> list[Tensor]:
        frozen = [w for layer in self._layers for w in layer.non_trainable_weights]
        if not self.trainable:
            return _unique([w for layer in self._layers for w in layer.trainable_weights] + frozen)
        return _unique(frozen)

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights: list[Tensor]) -> None:
        self._non_trainable_weights = weights

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """Copies of all weights, layer by layer."""
        return K.batch_get_value([w for layer in self.layers for w in layer.weights])

    def set_weights(self, weights: Iterable[Any]) -> None:
        """Write all weights, layer by layer.

        Raises:
            ValueError: for another number of weights, or another shape (no weight is written then).
        """
        given = list(weights)
        params = [w for layer in self.layers for w in layer.weights]
        if len(params) != len(given):
            raise ValueError(
                f'You called `set_weights(weights)` on model "{self.name}" with a  weight list of length {len(given)}, '
                f"but the model was expecting {len(params)} weights."
            )
        for w, value in zip(params, given, strict=True):
            if K.int_shape(w) != np.shape(value):
                raise ValueError(
                    f"Layer weight shape {K.int_shape(w)} not compatible with provided weight shape {np.shape(value)}"
                )
        K.batch_set_value(zip(params, given, strict=True))

    def weights_from(self, arrays: Arrays, origin: Origin) -> Arrays:
        """A model inside a model has what trains of all its layers, then what does not."""
        trainable = [(layer, len(layer.trainable_weights)) for layer in self.layers]
        frozen = [(layer, len(layer.non_trainable_weights)) for layer in self.layers]
        return weights_by_parts(trainable + frozen, arrays, origin)

    def archived_parts(self, config: dict[str, Any]) -> Iterable[ArchivedPart]:
        layers = {layer.name: layer for layer in self.layers}
        names = [c["config"]["name"] for c in config["layers"]]
        places = numbered("Functional" if c["class_name"] == "Model" else c["class_name"] for c in config["layers"])
        for name, place, described in zip(names, places, config["layers"], strict=True):
            if name in layers:  # all but the input of a Sequential
                yield ArchivedPart(f"layers/{place}", layers[name], described["config"])

    def count_params(self) -> int:
        return count_params(self.weights)

    @property
    def losses(self) -> list[Tensor]:
        """Loss terms that depend on no input or on inputs of this network."""
        return _unique(self._losses + [x for layer in self.layers for x in self._relevant(layer, "losses")])

    @property
    def updates(self) -> list[Any]:
        """Updates that depend on no input or on inputs of this network; none where neither trainable nor stateful."""
        if not self.trainable and not self.stateful:
            return []
        return _unique(self._updates + [x for layer in self.layers for x in self._relevant(layer, "updates")])

    def _relevant(self, layer: Layer, kind: str) -> list[Any]:
        """Losses or updates of a layer that belong to its calls inside this network, or to no call."""
        if not self._is_graph_network:
            return list(getattr(layer, kind))
        get = layer.get_losses_for if kind == "losses" else layer.get_updates_for
        found = list(get(None))
        if not isinstance(layer, Network) and (kind == "losses" or layer.trainable or layer.stateful):
            found += [x for inner in layer._sublayers for x in getattr(inner, kind)]
        for i, node in enumerate(layer._inbound_nodes):
            if node_key(layer, i) in self._network_nodes:
                found += get(node.input_tensors)
        return found

    def get_losses_for(self, inputs: Any) -> list[Tensor]:
        if inputs is None:
            return super().get_losses_for(None) + [x for layer in self.layers for x in layer.get_losses_for(None)]
        return super().get_losses_for(inputs)

    def get_updates_for(self, inputs: Any) -> list[Any]:
        if inputs is None and (self.trainable or self.stateful):
            return super().get_updates_for(None) + [x for layer in self.layers for x in layer.get_updates_for(None)]
        return super().get_updates_for(inputs)

    @property
    def uses_learning_phase(self) -> bool:
        """Whether the outputs differ between training and test."""
        return any(getattr(x, "_uses_learning_phase", False) for x in self.outputs)

    @property
    def stateful(self) -> bool:
        """Whether any layer keeps state between batches."""
        return any(getattr(layer, "stateful", False) for layer in self.__dict__.get("_layers", ()))

    @stateful.setter
    def stateful(self, value: bool) -> None:
        """Layers decide; the base class's initial value is not kept."""

    def reset_states(self) -> None:
        """Reset the layers that keep state."""
        for layer in self.layers:
            if hasattr(layer, "reset_states") and getattr(layer, "stateful", False):
                layer.reset_states()

    @property
    def state_updates(self) -> list[Any]:
        """Updates of layers that keep state, which also run in prediction."""
        stateful = [layer for layer in self.layers if getattr(layer, "stateful", False)]
        return _unique([u for layer in stateful for u in self._relevant(layer, "updates")])

    @property
    def input_spec(self) -> Any:
        """None: a network checks its inputs by running its layers."""
        return None

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        """The layers' specifications hold."""

    # -- running ----------------------------------------------------------------------------------------------------
    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The outputs for other input tensors."""
        inputs = to_list(inputs)
        masks = [None] * len(inputs) if mask is None else to_list(mask)
        outputs, _, _ = self.run_internal_graph(inputs, masks)
        return unpack_singleton(outputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if not self._is_graph_network:
            return None
        inputs = to_list(inputs)
        masks = [None] * len(inputs) if mask is None else to_list(mask)
        ran_on, with_masks, output_masks = self._last_run
        if not (_same(ran_on, inputs) and _same(with_masks, masks)):
            _, output_masks, _ = self.run_internal_graph(inputs, masks)
        return unpack_singleton(output_masks)

    def _output_shapes(self, inputs: Any, outputs: list[Tensor]) -> list[Any]:
        if self._has_own_call():
            return [K.int_shape(x) for x in outputs]
        return super()._output_shapes(inputs, outputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if not self._is_graph_network:
            raise NotImplementedError
        shapes = input_shape if isinstance(input_shape, list) else [input_shape]
        if len(shapes) != len(self._input_layers):
            raise ValueError(
                "Invalid input_shape argument "
                + str(input_shape)
                + ": model has "
                + str(len(self._input_layers))
                + " tensor inputs."
            )
        return unpack_singleton(network_running.output_shapes(self, shapes))

    def run_internal_graph(self, inputs: list[Tensor], masks: Any = None) -> tuple[list[Tensor], list[Any], list[Any]]:
        """Outputs, their masks and their shapes for other input tensors; layers are run, but record no nodes."""
        masks = [None] * len(inputs) if masks is None else masks
        outputs, output_masks = network_running.run(self, inputs, masks)
        self._last_run = (list(inputs), list(masks), output_masks)
        return outputs, output_masks, [K.int_shape(x) for x in outputs]

    # -- configuration ----------------------------------------------------------------------------------------------
    def get_config(self) -> dict[str, Any]:
        if not self._is_graph_network and self._has_own_call():
            raise NotImplementedError(
                f'The model "{self.name}" is defined by its own `call`, which no config can hold. Save its weights.'
            )
        return network_config.network_to_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        inputs, outputs, _ = network_config.tensors_from_config(config, custom_objects)
        return cls(inputs=inputs, outputs=outputs, name=config.get("name"))

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON; ``kwargs`` go to ``json.dumps``."""
        return network_config.to_json(self, **kwargs)

    def to_yaml(self, **kwargs: Any) -> str:
        """Not here: JSON is the form to use."""
        raise RuntimeError("Models are not written as YAML, whose full form can run code. Use `to_json`.")

    # -- files ------------------------------------------------------------------------------------------------------
    def save(self, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
        """Write architecture, weights and training state to an HDF5 file."""
        saving.save_model(self, filepath, overwrite, include_optimizer)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Write the weights to an HDF5 file."""
        saving.save_weights(self, filepath, overwrite)

    def load_weights(
        self, filepath: Any, by_name: bool = False, skip_mismatch: bool = False, reshape: bool = False
    ) -> None:
        """Set the weights from an HDF5 file: in order, or ``by_name``; all of them or, on an error, none."""
        saving.load_weights(self, filepath, by_name, skip_mismatch, reshape)

    def __reduce__(self) -> Any:
        return saving.unpickle_model, (saving.pickle_model(self),)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        copied = saving.unpickle_model(saving.pickle_model(self))
        memo[id(self)] = copied
        return copied

    def _repr_svg_(self) -> str | None:
        """The layers as a picture for notebooks; None before the model is built."""
        from ...plotting.svg import to_svg
        from ..utils.vis_utils import model_diagram

        return to_svg(model_diagram(self, show_shapes=True)) if self.built and self.layers else None

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
    ) -> None:
        """Print the table of layers."""
        if not self.built:
            raise ValueError(
                "This model has not yet been built. Build the model first by calling build() or calling fit() with "
                "some data. Or specify input_shape or batch_input_shape in the first layer for automatic build. "
            )
        print_layer_summary(self, line_length=line_length, positions=positions, print_fn=print_fn)


def _same(a: list[Any], b: list[Any]) -> bool:
    return len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True))
