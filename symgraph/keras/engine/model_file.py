"""Whole models in HDF5 groups: architecture, weights, and how they are trained."""

from __future__ import annotations

import json
import warnings
from typing import Any

from .. import backend as K
from .. import losses, metrics, optimizers
from ..utils.generic_utils import CustomObjectScope
from ..utils.safe_mode import trusting, weight_budget
from . import hdf5_reading as reading
from . import weights_file
from .hdf5_writing import write_text
from .network_config import json_value, updated_config
from .optimizer_state import arranged_state

Group = Any
#: What malformed configs make constructors raise.
CONFIG_FAULTS = (TypeError, KeyError, IndexError, AttributeError, RecursionError, OverflowError, ArithmeticError)


def write_model(group: Group, model: Any, include_optimizer: bool = True) -> None:
    """A model, with its training configuration and the optimizer's state where it is compiled."""
    described = updated_config(model)
    write_text(group, "keras_version", described["keras_version"])
    write_text(group, "backend", described["backend"])
    architecture = {"class_name": described["class_name"], "config": described["config"]}
    write_text(group, "model_config", json.dumps(architecture, default=json_value))
    weights_file.write_layers(group.create_group("model_weights"), model.layers)
    if not (include_optimizer and model.optimizer):
        return
    write_text(group, "training_config", json.dumps(training_config(model), default=json_value))
    if model.optimizer.weights:
        weights_file.write_arrays(group.create_group("optimizer_weights"), model.optimizer.weights)


def training_config(model: Any) -> dict[str, Any]:
    """What ``compile`` was given, as plain values."""
    return {
        "optimizer_config": {
            "class_name": type(model.optimizer).__name__,
            "config": model.optimizer.get_config(),
        },
        "loss": model.loss,
        "metrics": model._compile_metrics,
        "weighted_metrics": model._compile_weighted_metrics,
        "sample_weight_mode": model.sample_weight_mode,
        "loss_weights": model.loss_weights,
    }


def read_model(group: Group, custom_objects: dict[str, Any] | None, compiled: bool, safe: bool) -> Any:
    """The model that :func:`write_model` wrote, or one of Keras's files.

    Raises:
        DamagedFileError: if the file is damaged or holds no model.
        ValueError: for configs that mean nothing here, and for code where ``safe``.
    """
    config = reading.json_attribute(group, "model_config")
    if config is None:
        raise reading.DamagedFileError(
            "No model config found in the file: it may hold weights alone (`load_weights` reads them)."
        )
    weights = reading.child(group, "model_weights")
    with weight_budget(weights_file.stored_sizes(weights)):
        model = build_model(config, custom_objects, safe)
    weights_file.load_in_order(weights_file.stored_weights(weights), model.layers)
    if not compiled:
        return model
    training = reading.json_attribute(group, "training_config")
    if training is None:
        warnings.warn(
            "No training configuration found in save file: the model was *not* compiled. Compile it manually.",
            stacklevel=4,
        )
        return model
    compile_model(model, training, custom_objects)
    if reading.has(group, "optimizer_weights"):
        _restore_optimizer(model, reading.child(group, "optimizer_weights"))
    return model


def build_model(config: Any, custom_objects: dict[str, Any] | None, safe: bool) -> Any:
    """The model of a ``{'class_name', 'config'}`` dictionary that comes from outside.

    Raises:
        ValueError: for whatever is wrong with it.
    """
    from ..layers import deserialize

    try:
        with trusting(not safe):
            model = deserialize(config, custom_objects=custom_objects)
        if not hasattr(model, "layers"):
            raise TypeError(f"it describes no model but a {type(model).__name__}")
    except CONFIG_FAULTS as error:
        raise ValueError(f"The model's config cannot be read: {type(error).__name__}: {error}") from error
    return model


def compile_model(model: Any, training: Any, custom_objects: dict[str, Any] | None) -> None:
    """Compile a model as a training configuration says."""
    try:
        with CustomObjectScope(custom_objects or {}):
            optimizer = _optimizer(training["optimizer_config"])
            model.compile(
                optimizer=optimizer,
                loss=_resolved(training["loss"], _loss),
                metrics=_resolved(training.get("metrics"), metrics.deserialize),
                loss_weights=training.get("loss_weights"),
                sample_weight_mode=training.get("sample_weight_mode"),
                weighted_metrics=_resolved(training.get("weighted_metrics"), metrics.deserialize),
            )
    except CONFIG_FAULTS as error:
        raise ValueError(f"The training config cannot be read: {type(error).__name__}: {error}") from error


def _restore_optimizer(model: Any, group: Group) -> None:
    """Set the optimizer's state; what does not fit leaves a fresh optimizer, with a warning."""
    if model._objective is None:
        return
    model.objective.prepare_optimizer()
    limit = 2 * sum(K.count_params(w) for w in model.optimizer.weights) + 64
    try:
        names, arrays = weights_file.read_named_arrays(group, limit)
        model.optimizer.set_weights(arranged_state(model.optimizer, names, arrays))
    except ValueError as error:
        warnings.warn(
            f"Error in loading the saved optimizer state. As a result, your model is starting with a freshly "
            f"initialized optimizer. ({error})",
            stacklevel=5,
        )


# -- what other versions wrote --------------------------------------------------------------------------------------
def _optimizer(described: dict[str, Any]) -> Any:
    """The optimizer of a config that another version may have written."""
    name, config = described["class_name"].removeprefix("Custom>"), described["config"]  # tf.keras 2.11 and later
    cls = optimizers.class_named(name)
    if cls is not None and issubclass(cls, optimizers.Optimizer):
        config = cls.compatible_config(config)
    return optimizers.deserialize({"class_name": name, "config": config})


def _resolved(value: Any, make: Any) -> Any:
    """``value`` with its ``{'class_name', 'config'}`` dictionaries made objects."""
    if isinstance(value, dict):
        if "class_name" in value:
            return make(value)
        return {k: _resolved(v, make) for k, v in value.items()}
    if isinstance(value, list):
        return [_resolved(v, make) for v in value]
    return value


def _loss(described: dict[str, Any]) -> Any:
    config = {k: v for k, v in described["config"].items() if (k, v) != ("axis", -1) and k != "fn"}
    if config.get("reduction") == "auto":
        config["reduction"] = "sum_over_batch_size"
    return losses.deserialize({**described, "config": config})
