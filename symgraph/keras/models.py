"""Models, and models from other models or from their configs."""

from __future__ import annotations

from typing import Any

from . import backend as K
from .engine.input_layer import Input, InputLayer
from .engine.saving import load_model, model_from_config, model_from_json, model_from_yaml, save_model
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
    "load_model",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
    "save_model",
    "to_list",
]


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
