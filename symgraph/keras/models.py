"""Models, and models from other models or from their configs."""

from __future__ import annotations

import json
from typing import Any

from . import backend as K
from .engine.input_layer import Input, InputLayer
from .engine.sequential import Sequential
from .engine.training import Model
from .utils.generic_utils import has_arg, to_list

__all__ = [
    "Input",
    "InputLayer",
    "Model",
    "Sequential",
    "clone_model",
    "has_arg",
    "model_from_config",
    "model_from_json",
    "to_list",
]


def model_from_config(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The model of a ``{'class_name', 'config'}`` dictionary."""
    if isinstance(config, list):
        raise TypeError(
            "`model_from_config` expects a dictionary, not a list. Maybe you meant to use "
            "`Sequential.from_config(config)`?"
        )
    from .layers import deserialize

    return deserialize(config, custom_objects=custom_objects)


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The model of what ``to_json`` gave."""
    return model_from_config(json.loads(json_string), custom_objects)


def clone_model(model: Any, input_tensors: Any = None) -> Any:
    """A model of the same layers with new weights, on new inputs or on given tensors.

    Raises:
        ValueError: for what is not a built model.
    """
    if not isinstance(model, Model):
        raise ValueError("Expected `model` argument to be a `Model` instance, got ", model)
    if isinstance(model, Sequential):
        copies = [type(layer).from_config(layer.get_config()) for layer in model.layers]
        if input_tensors is None:
            clone = Sequential(layers=copies, name=model.name)
            if not clone.inputs and model.inputs:
                clone.build(K.int_shape(model.inputs[0]))
            return clone
        (tensor,) = to_list(input_tensors)
        entry = (
            tensor if K.is_keras_tensor(tensor) else Input(tensor=tensor, name="input_wrapper_for_" + str(tensor.name))
        )
        return Sequential(layers=[entry._keras_history[0], *copies], name=model.name)
    copy = type(model).from_config(model.get_config())
    if input_tensors is None:
        return copy
    given = to_list(input_tensors, allow_tuple=True)
    entries = [x if K.is_keras_tensor(x) else Input(tensor=x) for x in given]
    return Model(entries, copy(entries if len(entries) > 1 else entries[0]), name=model.name)
