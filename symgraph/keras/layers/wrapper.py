"""The base of layers around a layer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..engine.archive_parts import ArchivedPart
from ..engine.base_layer import Layer
from ..engine.old_weights import Arrays, Origin, weights_by_parts
from ..utils.generic_utils import object_list_uid

Tensor = Any


class Wrapper(Layer):
    """A layer that holds ``layer`` and what that owns."""

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = layer
        #: The inputs of the layer inside, by the key of the wrapper's; for wrappers of other packages, as in Keras.
        self._input_map: dict[str, Any] = {}

    def _inner_layers(self) -> list[Any]:
        return [self.layer] if "layer" in self.__dict__ else []

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it sets that of the layer inside."""
        return bool(self.__dict__["_trainable"])

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self.__dict__["_trainable"] = value
        for layer in self._inner_layers():
            layer.trainable = value

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

    def weights_from(self, arrays: Arrays, origin: Origin) -> Arrays:
        return weights_by_parts([(self.layer, len(arrays))], arrays, origin)

    def archived_parts(self, config: dict[str, Any]) -> Iterable[ArchivedPart]:
        return [ArchivedPart("layer", self.layer, config["layer"]["config"])]

    def input_key(self, inputs: Any) -> str:
        """What losses and updates of a call are kept under."""
        return object_list_uid(inputs)

    def get_config(self) -> dict[str, Any]:
        inner = {"class_name": type(self.layer).__name__, "config": self.layer.get_config()}
        return {**super().get_config(), "layer": inner}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        from . import deserialize

        config = dict(config)
        return cls(deserialize(config.pop("layer"), custom_objects=custom_objects), **config)
