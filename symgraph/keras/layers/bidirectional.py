"""A recurrent layer that walks in both directions."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

from .. import backend as K
from ..engine.archive_parts import ArchivedPart
from ..engine.old_weights import Arrays, Origin, weights_by_parts
from ..utils.generic_utils import has_arg, to_list
from .recurrent.stepping import call_with_more, check_takes_constants, specs_of, split_inputs
from .wrapper import Wrapper

Tensor = Any
#: How the outputs of both directions become one; without a way they are two outputs.
_MERGES: dict[str | None, Callable[[Tensor, Tensor], Any]] = {
    "sum": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "ave": lambda a, b: (a + b) / 2.0,
    "concat": lambda a, b: K.concatenate([a, b]),
    None: lambda a, b: [a, b],
}


class Bidirectional(Wrapper):
    """Two copies of a recurrent layer, of which one walks backwards; outputs of the same step are merged.

    Args:
        layer: has ``go_backwards``, ``return_sequences``, ``return_state`` and ``stateful``, as :class:`RNN`.
        merge_mode: ``'sum'``, ``'mul'``, ``'concat'``, ``'ave'``, or None for a list of both outputs.
        weights: of the layer that walks forwards, then of the other.
    """

    def __init__(self, layer: Any, merge_mode: str | None = "concat", weights: Any = None, **kwargs: Any) -> None:
        if merge_mode not in _MERGES:
            raise ValueError(f"`merge_mode` is 'sum', 'mul', 'ave', 'concat' or None, got {merge_mode!r}.")
        for name in ("go_backwards", "return_sequences", "return_state", "stateful"):
            if not hasattr(layer, name):
                raise ValueError(f"`Bidirectional` takes a recurrent layer; {layer!r} has no `{name}`.")
        super().__init__(layer, weights=weights, **kwargs)
        self._sublayers.clear()  # the layer is a pattern: its copies do the work
        self.forward_layer = _copy(layer, "forward_", layer.go_backwards)
        self.backward_layer = _copy(layer, "backward_", not layer.go_backwards)
        self.merge_mode = merge_mode
        self.stateful = layer.stateful
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.supports_masking = True
        self.input_spec = to_list(layer.input_spec)[:1]
        self._num_constants: int | None = None

    @property
    def _both(self) -> list[Any]:
        return [self.__dict__[name] for name in ("forward_layer", "backward_layer") if name in self.__dict__]

    def _inner_layers(self) -> list[Any]:
        return self._both

    @property
    def constraints(self) -> dict[Any, Any]:
        """Those of both layers, as far as they list any."""
        return {k: v for layer in self._both for k, v in getattr(layer, "constraints", {}).items()}

    # -- weights, losses, updates, states ---------------------------------------------------------------------------
    def get_weights(self) -> list[Any]:
        """Those of the forward layer, then those of the backward one."""
        return [w for layer in self._both for w in layer.get_weights()]

    def set_weights(self, weights: Any) -> None:
        """Write the weights of both layers."""
        given = list(weights)
        half = len(given) // 2
        self.forward_layer.set_weights(given[:half])
        self.backward_layer.set_weights(given[half:])

    def weights_from(self, arrays: Arrays, origin: Origin) -> Arrays:
        half = len(arrays) // 2
        return weights_by_parts(zip(self._both, (half, len(arrays) - half), strict=True), arrays, origin)

    def archived_parts(self, config: dict[str, Any]) -> Iterable[ArchivedPart]:
        inner = config["layer"]["config"]
        forward, backward = self._both
        return [ArchivedPart("forward_layer", forward, inner), ArchivedPart("backward_layer", backward, inner)]

    def get_losses_for(self, inputs: Any = None) -> list[Tensor]:
        """The losses that depend on ``inputs`` (None: on none), those of both layers among them."""
        own = self._per_input_losses.get(None if inputs is None else self.input_key(inputs), [])
        return [*own, *(x for layer in self._both for x in layer.get_losses_for(inputs))]

    def get_updates_for(self, inputs: Any = None) -> list[Any]:
        """The updates that depend on ``inputs`` (None: on none), those of both layers among them."""
        own = self._per_input_updates.get(None if inputs is None else self.input_key(inputs), [])
        return [*own, *(x for layer in self._both for x in layer.get_updates_for(inputs))]

    def reset_states(self) -> None:
        """Set the states of both layers to zeros."""
        for layer in self._both:
            layer.reset_states()

    # -- shapes and masks -------------------------------------------------------------------------------------------
    def build(self, input_shape: Any = None) -> None:
        for layer in self._both:
            with K.name_scope(layer.name):
                layer.build(input_shape)
            layer.built = True
        self.input_spec[0] = self.forward_layer.input_spec[0]
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = self.forward_layer.compute_output_shape(input_shape)
        states: list[Any] = []
        if self.return_state:
            shape, *states = shape
        if self.merge_mode is None:
            return [shape, shape, *states, *states]
        if self.merge_mode == "concat":
            shape = (*shape[:-1], None if shape[-1] is None else 2 * shape[-1])
        return [shape, *states, *states] if self.return_state else shape

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = mask[0] if isinstance(mask, list) else mask
        kept = mask if self.return_sequences else None
        masks = [kept] if self.merge_mode else [kept, kept]
        if self.return_state:
            return masks + [None] * (2 * len(self.forward_layer.states))
        return masks[0] if self.merge_mode else masks

    # -- calling ----------------------------------------------------------------------------------------------------
    def __call__(self, inputs: Any, initial_state: Any = None, constants: Any = None, **kwargs: Any) -> Any:
        """Apply the layer. ``initial_state`` is a list: the states of the forward layer, then of the backward one."""
        inputs, initial_state, constants = split_inputs(inputs, initial_state, constants, self._num_constants)
        if initial_state:
            half = len(initial_state) // 2
            if len(initial_state) % 2:
                raise ValueError(
                    f"Layer {self.name} takes initial states of both directions, an even number; got "
                    f"{len(initial_state)}."
                )
            self.forward_layer.state_spec = specs_of(initial_state[:half])
            self.backward_layer.state_spec = specs_of(initial_state[half:])
        if constants:
            for layer in self._both:
                check_takes_constants(layer.cell)
                layer._num_constants = len(constants)
            self._num_constants = len(constants)
        return call_with_more(self, super().__call__, inputs, initial_state, constants, **kwargs)

    def call(
        self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None, constants: Any = None
    ) -> Any:
        x, initial_state, constants = split_inputs(inputs, initial_state, constants, self._num_constants)
        arguments = {"mask": mask, "training": training, "constants": constants}
        arguments = {k: v for k, v in arguments.items() if v is not None and has_arg(self.layer.call, k)}
        half = len(initial_state or []) // 2
        made = []
        for layer, states in zip(self._both, ((initial_state or [])[:half], (initial_state or [])[half:]), strict=True):
            given = {"initial_state": states} if states else {}
            made.append(to_list(layer.call(x, **given, **arguments)))
        (there, *states), (back, *more) = made
        if self.return_sequences:
            back = K.reverse(back, 1)
        merged = to_list(_MERGES[self.merge_mode](there, back))
        for output in merged:
            output._uses_learning_phase = getattr(there, "_uses_learning_phase", False)
        outputs = [*merged, *states, *more]
        return outputs if len(outputs) > 1 else outputs[0]

    # -- configuration ----------------------------------------------------------------------------------------------
    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "merge_mode": self.merge_mode}
        if self._num_constants is not None:
            config["num_constants"] = self._num_constants
        return config

    @classmethod
    def renewed_config(cls, config: dict[str, Any]) -> dict[str, Any]:
        """Keras 3, and tf.keras where it was given one, write the layer that walks back.

        Raises:
            ValueError: where it is another than the one that walks forth.
        """
        config = {k: _without_zeros(v) for k, v in config.items()}
        back = config.pop("backward_layer", None)
        same = dict.fromkeys(("name", "go_backwards", "dtype"))
        if back is not None and {**back["config"], **same} != {**config["layer"]["config"], **same}:
            raise ValueError(
                f'Layer "{config.get("name")}": its way back is another layer than its way forth, which Keras 2 has '
                "not."
            )
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        config = dict(config)
        count = config.pop("num_constants", None)
        layer = super().from_config(config, custom_objects)
        layer._num_constants = layer.forward_layer._num_constants = layer.backward_layer._num_constants = count
        return layer


def _without_zeros(part: Any) -> Any:
    """A direction, which Keras 3 makes give zeros at masked steps."""
    if not isinstance(part, dict) or not isinstance(part.get("config"), dict):
        return part
    config = dict(part["config"])
    if config.pop("zero_output_for_mask", False):
        warnings.warn(
            f'Layer "{config.get("name")}" gives zeros at masked steps in Keras 3; here, as in Keras 2, the last '
            "output before them.",
            stacklevel=2,
        )
    return {**part, "config": config}


def _copy(layer: Any, prefix: str, go_backwards: bool) -> Any:
    """A new layer of the same config, named after the first one."""
    config = {**layer.get_config(), "name": prefix + layer.name, "go_backwards": go_backwards}
    if not has_arg(type(layer).from_config, "custom_objects"):
        return type(layer).from_config(config)
    return type(layer).from_config(config, custom_objects={c.__name__: c for c in _classes(layer)})


def _classes(layer: Any) -> list[type]:
    """The classes of the layers and cells inside."""
    inner = [*getattr(layer, "_sublayers", ()), *([layer.cell] if hasattr(layer, "cell") else [])]
    inner += getattr(layer, "cells", [])
    return [type(x) for x in inner] + [c for x in inner if x is not layer for c in _classes(x)]
