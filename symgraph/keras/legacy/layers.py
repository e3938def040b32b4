"""Layers of Keras 1 that Keras 2 kept apart."""

from __future__ import annotations

import warnings
from typing import Any

from .. import activations, constraints, initializers, regularizers
from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..layers.conv_base import Conv1D, Conv2D
from ..utils.generic_utils import to_list

Tensor = Any


class _OldDense(Layer):
    """What the two layers of vectors share: Keras 1's names for the parts of a dense layer."""

    def __init__(
        self, init: Any, weights: Any, W_regularizer: Any, b_regularizer: Any, activity_regularizer: Any,
        W_constraint: Any, b_constraint: Any, bias: bool, input_dim: int | None, **kwargs: Any,
    ) -> None:  # fmt: skip
        if input_dim is not None:
            kwargs["input_shape"] = (input_dim,)
        super().__init__(weights=weights, **kwargs)
        self.init = initializers.get(init)
        self.W_regularizer = regularizers.get(W_regularizer)
        self.b_regularizer = regularizers.get(b_regularizer)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.W_constraint = constraints.get(W_constraint)
        self.b_constraint = constraints.get(b_constraint)
        self.bias = bias
        self.initial_weights = weights
        self.input_dim = input_dim
        self.input_spec = InputSpec(ndim=2)

    def _weight(self, shape: Any, name: str) -> Tensor:
        return self.add_weight(
            shape=shape, initializer=self.init, name=f"{self.name}_{name}", regularizer=self.W_regularizer,
            constraint=self.W_constraint,
        )  # fmt: skip

    def _bias(self, shape: Any, name: str, initializer: str) -> Tensor:
        return self.add_weight(
            shape=shape, initializer=initializer, name=f"{self.name}_{name}", regularizer=self.b_regularizer,
            constraint=self.b_constraint,
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "init": initializers.serialize(self.init),
            "W_regularizer": regularizers.serialize(self.W_regularizer),
            "b_regularizer": regularizers.serialize(self.b_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "W_constraint": constraints.serialize(self.W_constraint),
            "b_constraint": constraints.serialize(self.b_constraint),
            "bias": self.bias,
            "input_dim": self.input_dim,
        }


class MaxoutDense(_OldDense):
    """The largest of ``nb_feature`` affine maps (Goodfellow et al., "Maxout Networks", 2013)."""

    def __init__(
        self, output_dim: int, nb_feature: int = 4, init: Any = "glorot_uniform", weights: Any = None,
        W_regularizer: Any = None, b_regularizer: Any = None, activity_regularizer: Any = None,
        W_constraint: Any = None, b_constraint: Any = None, bias: bool = True, input_dim: int | None = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            init, weights, W_regularizer, b_regularizer, activity_regularizer, W_constraint, b_constraint, bias,
            input_dim, **kwargs,
        )  # fmt: skip
        self.output_dim = output_dim
        self.nb_feature = nb_feature
        self.W: Tensor = None
        self.b: Tensor = None

    def build(self, input_shape: Any) -> None:
        size = input_shape[1]
        self.input_spec = InputSpec(ndim=2, axes={1: size})
        self.W = self._weight((self.nb_feature, size, self.output_dim), "W")
        if self.bias:
            self.b = self._bias((self.nb_feature, self.output_dim), "b", "zeros")
        self.built = True

    def call(self, x: Tensor) -> Tensor:
        output = K.dot(x, self.W)
        return K.max(output + self.b if self.bias else output, axis=1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], self.output_dim)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_dim": self.output_dim, "nb_feature": self.nb_feature}


class Highway(_OldDense):
    """A dense layer and a gate that says how much of the input goes past it (Srivastava et al., "Highway Networks",
    2015)."""

    def __init__(
        self, init: Any = "glorot_uniform", activation: Any = None, weights: Any = None, W_regularizer: Any = None,
        b_regularizer: Any = None, activity_regularizer: Any = None, W_constraint: Any = None,
        b_constraint: Any = None, bias: bool = True, input_dim: int | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            init, weights, W_regularizer, b_regularizer, activity_regularizer, W_constraint, b_constraint, bias,
            input_dim, **kwargs,
        )  # fmt: skip
        self.activation = activations.get(activation)
        self.W: Tensor = None
        self.W_carry: Tensor = None
        self.b: Tensor = None
        self.b_carry: Tensor = None

    def build(self, input_shape: Any) -> None:
        size = input_shape[1]
        self.input_spec = InputSpec(ndim=2, axes={1: size})
        self.W = self._weight((size, size), "W")
        self.W_carry = self._weight((size, size), "W_carry")
        if self.bias:
            self.b = self._bias((size,), "b", "zeros")
            self.b_carry = self._bias((size,), "b_carry", "ones")
        self.built = True

    def call(self, x: Tensor) -> Tensor:
        gate, inner = K.dot(x, self.W_carry), K.dot(x, self.W)
        if self.bias:
            gate, inner = gate + self.b_carry, inner + self.b
        gate = activations.sigmoid(gate)
        return self.activation(inner) * gate + (1 - gate) * x

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


def AtrousConvolution1D(*args: Any, **kwargs: Any) -> Conv1D:
    """A :class:`Conv1D` whose ``dilation_rate`` is ``atrous_rate``."""
    return Conv1D(*args, **_dilated("1D", kwargs))


def AtrousConvolution2D(*args: Any, **kwargs: Any) -> Conv2D:
    """A :class:`Conv2D` whose ``dilation_rate`` is ``atrous_rate``."""
    return Conv2D(*args, **_dilated("2D", kwargs))


def _dilated(rank: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    warnings.warn(
        f"The `AtrousConvolution{rank}` layer has been deprecated. Use instead the `Conv{rank}` layer with the "
        "`dilation_rate` argument.",
        stacklevel=3,
    )
    rate = kwargs.pop("atrous_rate", 1)
    return {**kwargs, "dilation_rate": rate}


def __getattr__(name: str) -> Any:
    """The recurrent ones, which build on layers that load after this module."""
    if name not in ("ConvRecurrent2D", "Recurrent"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ..layers.recurrent import legacy

    return getattr(legacy, name)


__all__ = [
    "AtrousConvolution1D", "AtrousConvolution2D", "Highway", "InputSpec", "Layer", "MaxoutDense", "to_list",
]  # fmt: skip
