"""Keras 2.0's recurrent base classes, whose subclasses give the step themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import backend as K
from ...engine.base_layer import InputSpec
from ...utils.conv_utils import conv_output_lengths, normalize_padding, normalize_tuple
from .rnn import RNN

Tensor = Any


class _OwnStep:
    """A layer's ``step`` as a cell."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer

    @property
    def state_size(self) -> list[Any]:
        """The layer's units, for each of its states."""
        return [getattr(self._layer, "units", None)] * self._layer.count_of_states

    def call(self, inputs: Tensor, states: Sequence[Tensor], constants: Sequence[Tensor] = ()) -> Any:
        """The layer's step."""
        return self._layer.step(inputs, [*states, *constants])


class Recurrent(RNN):
    """Base of recurrent layers that have ``units`` and ``step(inputs, states)``, which gives an output and new states.

    ``build`` sets ``states`` to a list with None for each state. ``get_constants`` gives tensors that follow the states
    in each step, and ``preprocess_input`` what is done for all steps at once.
    """

    def __init__(
        self,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        implementation: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(_OwnStep(self), return_sequences, return_state, go_backwards, stateful, unroll, **kwargs)
        self.implementation = implementation
        self.dropout = self.recurrent_dropout = 0.0

    @property
    def count_of_states(self) -> int:
        """How many states there are; one, unless ``build`` says otherwise."""
        return len(getattr(self, "_states", None) or [None])

    def step(self, inputs: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """One step: the output, and the new states; to be given by subclasses."""
        raise NotImplementedError(f"{type(self).__name__} has no `step`.")

    def get_constants(self, inputs: Tensor, training: Any = None) -> list[Tensor]:
        """Tensors that every step takes after the states."""
        return []

    def preprocess_input(self, inputs: Tensor, training: Any = None) -> Tensor:
        """What the steps walk over."""
        return inputs

    def get_initial_state(self, inputs: Tensor) -> list[Tensor]:
        """Zeros."""
        return self.zero_states(inputs)

    def __call__(self, inputs: Any, initial_state: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]
        return super().__call__(inputs, initial_state=initial_state, **kwargs)

    def call(self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None) -> Any:  # type: ignore[override]
        if isinstance(inputs, list):
            inputs, initial_state = inputs[0], inputs[1:] or initial_state
        if initial_state is None and not self.stateful:
            initial_state = self.get_initial_state(inputs)
        constants = self.get_constants(inputs, training=training)
        walked = self.preprocess_input(inputs, training=training)
        return super().call(walked, mask, training, initial_state, constants or None)

    def get_config(self) -> dict[str, Any]:
        return {**self.own_config(), "implementation": self.implementation}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:  # type: ignore[override]
        return cls(**config)


class ConvRecurrent2D(Recurrent):
    """The same over images ``(samples, steps, rows, columns, channels)``, by a convolution."""

    ndim = 5

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        return_sequences: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(return_sequences, go_backwards=go_backwards, stateful=stateful, **kwargs)
        self.filters = filters
        self.kernel_size = normalize_tuple(kernel_size, 2, "kernel_size")
        self.strides = normalize_tuple(strides, 2, "strides")
        self.padding = normalize_padding(padding)
        self.data_format = K.normalize_data_format(data_format)
        self.dilation_rate = normalize_tuple(dilation_rate, 2, "dilation_rate")
        self.state_spec = [InputSpec(ndim=4), InputSpec(ndim=4)]

    @property
    def count_of_states(self) -> int:
        """How many states there are; an output and a memory, unless ``build`` says otherwise."""
        return len(getattr(self, "_states", None) or [None, None])

    def state_shapes(self, input_shape: Any) -> list[tuple[Any, ...]]:
        """Images of the output's size."""
        first = self.data_format == "channels_first"
        sides = input_shape[3:5] if first else input_shape[2:4]
        out = conv_output_lengths(sides, self.kernel_size, self.padding, self.strides, self.dilation_rate)
        return [(self.filters, *out) if first else (*out, self.filters)] * self.count_of_states

    def compute_output_shape(self, input_shape: Any) -> Any:
        if isinstance(input_shape, list):
            input_shape = input_shape[0]
        states = self.state_shapes(input_shape)
        return self.with_steps(input_shape, states[0], states)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
        }
