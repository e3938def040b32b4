"""Layers around layers."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..utils.generic_utils import has_arg

Tensor = Any


class Wrapper(Layer):
    """A layer that holds ``layer`` and what that owns."""

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        self.built = True

    @property
    def activity_regularizer(self) -> Any:
        """That of the layer inside."""
        return getattr(self.layer, "activity_regularizer", None)

    def get_losses_for(self, inputs: Any = None) -> list[Tensor]:
        """The losses that depend on ``inputs`` (None: on none), those of the layer inside among them."""
        inner = self.layer.get_losses_for(None) if inputs is None else []
        return super().get_losses_for(inputs) + inner

    def get_updates_for(self, inputs: Any = None) -> list[Any]:
        """The updates that depend on ``inputs`` (None: on none), those of the layer inside among them."""
        inner = self.layer.get_updates_for(None) if inputs is None else []
        return super().get_updates_for(inputs) + inner

    def get_weights(self) -> list[Any]:
        """Those of the layer inside."""
        return list(self.layer.get_weights())

    def set_weights(self, weights: Any) -> None:
        """Write those of the layer inside."""
        self.layer.set_weights(weights)

    def get_config(self) -> dict[str, Any]:
        inner = {"class_name": type(self.layer).__name__, "config": self.layer.get_config()}
        return {**super().get_config(), "layer": inner}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        from . import deserialize

        config = dict(config)
        return cls(deserialize(config.pop("layer"), custom_objects=custom_objects), **config)


class TimeDistributed(Wrapper):
    """A layer (or model) applied to every step of ``(samples, steps, ...)``."""

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        if len(input_shape) < 3:
            raise ValueError(f"TimeDistributed takes inputs of 3 axes at least, got the shape {tuple(input_shape)}.")
        self.input_spec = InputSpec(shape=input_shape)
        self.input_spec.shape = (None, None, *input_shape[2:])
        if not self.layer.built:
            self.layer.build((input_shape[0], *input_shape[2:]))
            self.layer.built = True
        super().build()

    def compute_output_shape(self, input_shape: Any) -> Any:
        inner = self.layer.compute_output_shape((input_shape[0], *input_shape[2:]))
        if inner is None:
            return None
        return (inner[0], input_shape[1], *inner[1:])

    def _steps_as_samples(self, inputs: Tensor) -> Tensor:
        shape = K.shape(inputs)
        return K.reshape(inputs, (shape[0] * shape[1], *shape[2:]))

    def call(self, inputs: Tensor, training: Any = None, mask: Any = None) -> Tensor:
        arguments = {"training": training} if has_arg(self.layer.call, "training") and training is not None else {}
        samples, steps = K.shape(inputs)[:2]
        flat = self._steps_as_samples(inputs)
        flat._keras_shape = (None, *K.int_shape(inputs)[2:])
        outputs = self.layer.call(flat, **arguments)
        self._take_over(flat, inputs)
        return K.reshape(outputs, (samples, steps, *K.shape(outputs)[1:]))

    def _take_over(self, flat: Tensor, inputs: Tensor) -> None:
        """What the layer inside added for the steps depends on the inputs."""
        self._per_input_updates.setdefault(_key(inputs), []).extend(self.layer.get_updates_for(flat))
        self._per_input_losses.setdefault(_key(inputs), []).extend(self.layer.get_losses_for(flat))

    def compute_mask(self, inputs: Tensor, mask: Any = None) -> Any:
        if mask is not None:
            return mask
        flat = self._steps_as_samples(inputs)
        inner = self.layer.compute_mask(flat, None)
        return None if inner is None else K.reshape(inner, (*K.shape(inputs)[:2], *K.shape(inner)[1:]))


def _key(inputs: Tensor) -> str:
    from ..utils.generic_utils import object_list_uid

    return object_list_uid(inputs)
