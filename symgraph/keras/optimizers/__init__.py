"""Optimizers, by name or as they are."""

from __future__ import annotations

from typing import Any

from ..legacy import interfaces
from ..utils.generic_utils import deserialize_keras_object, look_up, serialize_keras_object
from .base import Optimizer, clip_norm
from .follow_the_leader import Ftrl
from .gradient_descent import SGD
from .moments import Adam, Adamax, Nadam
from .scaled import Adadelta, Adagrad, RMSprop
from .wrapped import TFOptimizer

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "Adamax",
    "Ftrl",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "TFOptimizer",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "clip_norm",
    "deserialize",
    "ftrl",
    "get",
    "interfaces",
    "nadam",
    "rmsprop",
    "serialize",
    "sgd",
]

sgd = SGD
rmsprop = RMSprop
adagrad = Adagrad
adadelta = Adadelta
adam = Adam
adamax = Adamax
nadam = Nadam
ftrl = Ftrl
_BY_NAME = {cls.__name__.lower(): cls for cls in (SGD, RMSprop, Adagrad, Adadelta, Adam, Adamax, Nadam, Ftrl)}


def serialize(optimizer: Any) -> Any:
    """``{'class_name', 'config'}`` of an optimizer."""
    return serialize_keras_object(optimizer)


def class_named(name: str) -> type | None:
    """The class of an optimizer, custom or Keras's (whose names count in any letter case); None of unknown ones."""
    found = look_up(name, None, None) or _BY_NAME.get(name.lower())
    return found if isinstance(found, type) else None


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The optimizer of a dictionary; names count in any letter case."""
    if config["class_name"].lower() in _BY_NAME:
        config = {**config, "class_name": config["class_name"].lower()}
    return deserialize_keras_object(
        config, module_objects=_BY_NAME, custom_objects=custom_objects, printable_module_name="optimizer"
    )


def get(identifier: Any) -> Any:
    """An optimizer from a name, a dictionary or an optimizer."""
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return deserialize({"class_name": identifier, "config": {}})
    if hasattr(identifier, "get_updates"):
        return identifier
    raise ValueError("Could not interpret optimizer identifier: " + str(identifier))
