"""Penalties on weights and activities."""

from __future__ import annotations

from typing import Any

from . import backend as K
from .utils.generic_utils import deserialize_keras_object, serialize_keras_object

Tensor = Any


class Regularizer:
    """A callable from a tensor to its penalty, a scalar."""

    def __call__(self, x: Tensor) -> Any:
        return 0.0

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        return cls(**config)


class L1L2(Regularizer):
    """``l1 * sum(|x|) + l2 * sum(x * x)``."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = K.cast_to_floatx(l1)
        self.l2 = K.cast_to_floatx(l2)

    def __call__(self, x: Tensor) -> Any:
        penalty: Any = 0.0
        if self.l1:
            penalty = penalty + K.sum(float(self.l1) * K.abs(x))
        if self.l2:
            penalty = penalty + K.sum(float(self.l2) * K.square(x))
        return penalty

    def get_config(self) -> dict[str, float]:
        return {"l1": float(self.l1), "l2": float(self.l2)}


def l1(l: float = 0.01) -> L1L2:
    """An L1 penalty."""
    return L1L2(l1=l)


def l2(l: float = 0.01) -> L1L2:
    """An L2 penalty."""
    return L1L2(l2=l)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """Both penalties."""
    return L1L2(l1=l1, l2=l2)


def serialize(regularizer: Any) -> Any:
    """``{'class_name', 'config'}`` of a regularizer."""
    return serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The regularizer of a name or a dictionary."""
    if isinstance(config, dict) and config.get("class_name") in ("L1", "L2"):  # tf.keras's classes
        config = {**config, "class_name": "L1L2"}
    return deserialize_keras_object(
        config, module_objects=globals(), custom_objects=custom_objects, printable_module_name="regularizer"
    )


def get(identifier: Any) -> Any:
    """A regularizer from None, a name, a dictionary or a callable."""
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        found = deserialize(identifier)
        return found() if found in (l1, l2, l1_l2) else found
    if callable(identifier):
        return identifier
    raise ValueError("Could not interpret regularizer identifier: " + str(identifier))
