"""Activation functions, by name or as they are."""

from __future__ import annotations

import warnings
from typing import Any

from . import backend as K
from .engine.base_layer import Layer
from .utils.generic_utils import deserialize_keras_object

Tensor = Any


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Normalised exponentials along ``axis``.

    Raises:
        ValueError: for a tensor of one axis.
    """
    if K.ndim(x) < 2:
        raise ValueError(f"Cannot apply softmax to a tensor that is 1D. Received input: {x}")
    return K.softmax(x, axis=axis)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """``x`` where positive, else ``alpha * (exp(x) - 1)``."""
    return K.elu(x, alpha)


def selu(x: Tensor) -> Tensor:
    """Scaled ELU with the constants of Klambauer et al. (2017)."""
    return 1.0507009873554804934193349852946 * K.elu(x, 1.6732632423543772848170429916717)


def softplus(x: Tensor) -> Tensor:
    """``log(1 + exp(x))``."""
    return K.softplus(x)


def softsign(x: Tensor) -> Tensor:
    """``x / (1 + |x|)``."""
    return K.softsign(x)


def relu(x: Tensor, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """Rectifier; see ``K.relu``."""
    return K.relu(x, alpha=alpha, max_value=max_value, threshold=threshold)


def tanh(x: Tensor) -> Tensor:
    """Hyperbolic tangent."""
    return K.tanh(x)


def sigmoid(x: Tensor) -> Tensor:
    """``1 / (1 + exp(-x))``."""
    return K.sigmoid(x)


def hard_sigmoid(x: Tensor) -> Tensor:
    """``0.2 * x + 0.5`` between 0 and 1."""
    return K.hard_sigmoid(x)


def exponential(x: Tensor) -> Tensor:
    """``exp(x)``."""
    return K.exp(x)


def linear(x: Tensor) -> Tensor:
    """``x``."""
    return x


def serialize(activation: Any) -> str:
    """The name of an activation function."""
    return str(activation.__name__)


def deserialize(name: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The activation function of a name."""
    return deserialize_keras_object(
        name, module_objects=globals(), custom_objects=custom_objects, printable_module_name="activation function"
    )


def get(identifier: Any) -> Any:
    """An activation function from None (linear), a name, or a callable."""
    if identifier is None:
        return linear
    if isinstance(identifier, str):
        return deserialize(identifier)
    if callable(identifier):
        if isinstance(identifier, Layer):
            warnings.warn(
                f"Do not pass a layer instance (such as {type(identifier).__name__}) as the activation argument of "
                "another layer. Instead, advanced activation layers should be used just like any other layer in a "
                "model.",
                stacklevel=2,
            )
        return identifier
    raise ValueError(f"Could not interpret activation function identifier: {identifier}")
