"""Models as plain values that pickle and deepcopy know: configs, arrays, and classes and functions by reference."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..utils.generic_utils import CustomObjectScope
from . import model_file
from .network_config import updated_config

State = dict[str, Any]


def pickle_model(model: Any) -> State:
    """A dictionary of plain values that :func:`unpickle_model` makes the model of."""
    custom: dict[str, Any] = {}
    described = updated_config(model)
    state: State = {key: described[key] for key in ("keras_version", "backend")}
    state["model_config"] = {"class_name": described["class_name"], "config": described["config"]}
    _collect(model, custom)
    state["model_weights"] = model.get_weights()
    if model.optimizer is not None:
        training = model_file.training_config(model)
        _collect(model.optimizer, custom)
        state["training_config"] = _portable(training, custom)
        state["optimizer_weights"] = K.batch_get_value(model.optimizer.weights)
    state["custom_objects"] = custom
    return state


def unpickle_model(state: State) -> Any:
    """The model of :func:`pickle_model`'s dictionary."""
    custom = state["custom_objects"]
    with CustomObjectScope(custom):
        model = model_file.build_model(state["model_config"], custom, safe=False)
        model.set_weights(state["model_weights"])
        if "training_config" in state:
            model_file.compile_model(model, state["training_config"], custom)
            saved = state["optimizer_weights"]
            if saved and model._objective is not None:
                model.objective.prepare_optimizer()
                model.optimizer.set_weights(saved)
    return model


def _collect(thing: Any, custom: dict[str, Any]) -> None:
    """The classes outside of this package that a layer, and all inside it, are of."""
    if not type(thing).__module__.startswith(__name__.split(".engine")[0]):
        custom[type(thing).__name__] = type(thing)
    for inner in getattr(thing, "layers", []) + getattr(thing, "_sublayers", []):
        _collect(inner, custom)


def _portable(value: Any, custom: dict[str, Any]) -> Any:
    """``value`` with objects that have a config as their dictionaries; their classes go to ``custom``."""
    if isinstance(value, dict):
        return {k: _portable(v, custom) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_portable(v, custom) for v in value]
    if hasattr(value, "get_config"):
        _collect(value, custom)
        return {"class_name": type(value).__name__, "config": value.get_config()}
    return value
