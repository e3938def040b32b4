"""A stack of layers."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from .. import backend as K
from ..utils.layer_utils import get_source_inputs
from .base_layer import Layer
from .input_layer import Input, InputLayer
from .training import Model

Tensor = Any
_ONE_OUTPUT = (
    "All layers in a Sequential model should have a single output tensor. For multi-output layers, use the functional "
    "API."
)


class Sequential(Model):
    """Layers one after the other. Without an input shape it is built by the first data (or by ``build``)."""

    def __init__(self, layers: Any = None, name: str | None = None) -> None:
        super().__init__(name=name)
        self._build_input_shape: Any = None
        self.built = False
        for layer in layers or []:
            self.add(layer)

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input layer."""
        if self._layers and isinstance(self._layers[0], InputLayer):
            return self._layers[1:]
        return self._layers

    @property
    def model(self) -> Sequential:
        """The model itself (Keras 1 kept another one inside)."""
        return self

    def add(self, layer: Layer) -> None:
        """Put a layer on top.

        Raises:
            TypeError: for what is not a layer.
            ValueError: for a layer with several outputs, or a first layer that has several nodes.
        """
        if not isinstance(layer, Layer):
            raise TypeError("The added layer must be an instance of class Layer. Found: " + str(layer))
        self.built = False
        if not self._layers:
            entry = self._entry_for(layer)
            if entry is not None:
                output = layer(entry)
                if isinstance(output, list):
                    raise ValueError(_ONE_OUTPUT)
                self._layers.append(entry._keras_history[0])
                self.outputs = [output]
                self.inputs = get_source_inputs(self.outputs[0])
            elif layer._inbound_nodes:
                if len(layer._inbound_nodes[-1].output_tensors) != 1:
                    raise ValueError(_ONE_OUTPUT)
                self.outputs = [layer._inbound_nodes[-1].output_tensors[0]]
                self.inputs = get_source_inputs(self.outputs[0])
        elif self.outputs:
            output = layer(self.outputs[0])
            if isinstance(output, list):
                raise TypeError(_ONE_OUTPUT)
            self.outputs = [output]
        self._layers.append(layer)
        if self.inputs:
            self.build()

    @staticmethod
    def _entry_for(layer: Layer) -> Tensor:
        """The input tensor that a first layer asks for by its ``batch_input_shape``, or None."""
        if isinstance(layer, InputLayer):
            return None
        first: Any = layer
        while isinstance(first, Model) and first.layers and not first.inputs:
            first = first.layers[0]
        if getattr(first, "inputs", None):
            shape, dtype = K.int_shape(first.inputs[0]), K.dtype(first.inputs[0])
        elif hasattr(first, "batch_input_shape"):
            shape, dtype = first.batch_input_shape, first.dtype
        else:
            return None
        return Input(batch_shape=shape, dtype=dtype, name=layer.name + "_input")

    def pop(self) -> None:
        """Take the top layer off."""
        if not self.layers:
            raise TypeError("There are no layers in the model.")
        removed = self._layers.pop()
        removed._inbound_nodes = removed._inbound_nodes[:-1]
        self.built = False
        if not self.layers:
            self._layers, self.inputs, self.outputs = [], [], []
            self._is_graph_network = False
            return
        if self.outputs:
            self._layers[-1]._outbound_nodes = []
            self.outputs = [self._layers[-1]._inbound_nodes[-1].output_tensors[0]]
            self.build()

    def build(self, input_shape: Any = None) -> None:
        """Make the weights, for inputs of ``input_shape`` (with the batch axis) where the layers do not say it."""
        if input_shape is not None and not self.inputs:
            if not self._layers:
                raise ValueError("Sequential model cannot be built: model is empty. Add some layers first.")
            self._build_input_shape = tuple(input_shape)
            x = Input(batch_shape=tuple(input_shape), dtype=self._layers[0].dtype, name=self._layers[0].name + "_input")
            self.inputs = [x]
            entry = x._keras_history[0]
            for layer in self._layers:
                x = layer(x)
            self.outputs = [x]
            self._layers = [entry, *self._layers]
        if self.inputs:
            first = self._layers
            self._inbound_nodes = [n for n in self._inbound_nodes if n.inbound_layers]
            self._init_graph_network(self.inputs, self.outputs)
            self._layers = first
        self.built = bool(self.inputs)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if not self._is_graph_network:
            raise ValueError("This model has not yet been built. Build the model first by calling build().")
        return super().call(inputs, mask)

    def _build_for(self, inputs: Any) -> None:
        if not self.inputs:
            self.build(K.int_shape(inputs))

    def predict_proba(self, x: Any, batch_size: int | None = 32, verbose: int = 0) -> Any:
        """Class probabilities: ``predict`` under another name."""
        return self.predict(x, batch_size, verbose)

    def predict_classes(self, x: Any, batch_size: int | None = 32, verbose: int = 0) -> np.ndarray[Any, Any]:
        """The most probable class of each sample (one output unit: whether it is over 0.5)."""
        proba = self.predict(x, batch_size=batch_size, verbose=verbose)
        if proba.shape[-1] > 1:
            return np.asarray(proba.argmax(axis=-1))
        return np.asarray((proba > 0.5).astype("int32"))

    def get_config(self) -> dict[str, Any]:
        layers = [
            {"class_name": type(layer).__name__, "config": copy.deepcopy(layer.get_config())} for layer in self.layers
        ]
        entry = self._layers[0] if self._layers else None
        if isinstance(entry, InputLayer) and self._build_input_shape is None and not _says_its_input(layers):
            layers.insert(0, {"class_name": "InputLayer", "config": entry.get_config()})
        config: dict[str, Any] = {"name": self.name, "layers": layers}
        if self._build_input_shape is not None:
            config["build_input_shape"] = self._build_input_shape
        return config

    @classmethod
    def from_config(cls, config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
        from ..layers import deserialize

        named = isinstance(config, dict)
        model = cls(name=config["name"] if named else None)
        for data in config["layers"] if named else config:
            model.add(deserialize(data, custom_objects=custom_objects))
        shape = config.get("build_input_shape") if named else None
        if not model.inputs and shape:
            model.build(shape)
        return model


def _says_its_input(layers: list[dict[str, Any]]) -> bool:
    """Whether a stack of configs begins with the shape of its input, be it inside a model."""
    while layers:
        config = layers[0]["config"]
        if "batch_input_shape" in config:
            return True
        layers = config.get("layers", []) if isinstance(config, dict) else config
    return False
