"""Layers around layers: a layer for every step; the others of Keras's module."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..engine.base_layer import InputSpec, Layer, disable_tracking
from ..utils.generic_utils import has_arg, object_list_uid
from . import recurrent
from .bidirectional import Bidirectional
from .wrapper import Wrapper

__all__ = [
    "Bidirectional",
    "InputSpec",
    "K",
    "Layer",
    "TimeDistributed",
    "Wrapper",
    "disable_tracking",
    "has_arg",
    "object_list_uid",
    "recurrent",
]

Tensor = Any


class TimeDistributed(Wrapper):
    """A layer (or model) applied to every step of ``(samples, steps, ...)``.

    A mask of ``(samples, steps)`` goes through. One with further axes is the layer's, step by step; where the layer
    makes none of it, a step counts where any of its elements does.
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True
        self._flat: dict[str, Tensor] = {}

    def build(self, input_shape: Any = None) -> None:
        if len(input_shape) < 3:
            raise ValueError(f"TimeDistributed takes inputs of 3 axes at least, got the shape {tuple(input_shape)}.")
        self.input_spec = InputSpec(shape=(None, None, *input_shape[2:]))
        if not self.layer.built:
            self.layer.build((None, *input_shape[2:]))
            self.layer.built = True
        super().build()

    def compute_output_shape(self, input_shape: Any) -> Any:
        inner = self.layer.compute_output_shape((None, *input_shape[2:]))
        if inner is None:
            return None
        return (input_shape[0], input_shape[1], *inner[1:])

    def _steps_as_samples(self, inputs: Tensor) -> Tensor:
        shape = K.shape(inputs)
        flat = K.reshape(inputs, (shape[0] * shape[1], *shape[2:]))
        flat._keras_shape = (None, *K.int_shape(inputs)[2:])
        return flat

    def call(self, inputs: Tensor, training: Any = None, mask: Any = None) -> Tensor:
        arguments = {"training": training} if has_arg(self.layer.call, "training") and training is not None else {}
        if mask is not None and K.ndim(mask) > 2 and has_arg(self.layer.call, "mask"):
            arguments["mask"] = self._steps_as_samples(mask)
        flat = self._flat[self.input_key(inputs)] = self._steps_as_samples(inputs)
        outputs = self.layer.call(flat, **arguments)
        self._take_over(flat, inputs)
        result = K.reshape(outputs, (*K.shape(inputs)[:2], *K.shape(outputs)[1:]))
        result._uses_learning_phase = getattr(outputs, "_uses_learning_phase", False)
        return result

    def _take_over(self, flat: Tensor, inputs: Tensor) -> None:
        """What the layer inside added for the steps depends on the inputs."""
        key = self.input_key(inputs)
        self._per_input_updates.setdefault(key, []).extend(self.layer.get_updates_for(flat))
        self._per_input_losses.setdefault(key, []).extend(self.layer.get_losses_for(flat))

    def compute_mask(self, inputs: Tensor, mask: Any = None) -> Any:
        flat = self._flat.pop(self.input_key(inputs), None)  # of the call just before
        deep = mask is not None and K.ndim(mask) > 2
        inner = self.layer.compute_mask(
            self._steps_as_samples(inputs) if flat is None else flat, self._steps_as_samples(mask) if deep else None
        )
        if inner is not None:
            return K.reshape(inner, (*K.shape(inputs)[:2], *K.shape(inner)[1:]))
        return K.any(mask, axis=list(range(2, K.ndim(mask)))) if deep else mask
