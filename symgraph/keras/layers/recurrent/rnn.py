"""The layer that walks a cell over sequences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ... import backend as K
from ...engine.archive_parts import ArchivedPart
from ...engine.base_layer import InputSpec, Layer
from ...utils.generic_utils import to_list
from .stacked import StackedRNNCells
from .stepping import call_with_more, check_takes_constants, reset_dropout, specs_of, split_inputs, step_of

Tensor = Any


class RNN(Layer):
    """A cell (or a list of them, stacked) over the steps of ``(samples, steps, ...)``.

    A cell has ``call(inputs, states)``, which gives an output and new states, and ``state_size``: the number of
    features of its state, or a list of such numbers. Cells may have ``output_size``, ``build`` and
    ``get_initial_state(inputs)``, and may take ``training`` and ``constants`` in ``call``.

    Args:
        return_sequences: give the outputs of all steps, not of the last one alone.
        return_state: give the last states, too, after the output.
        go_backwards: walk from the last step to the first; outputs come in that order.
        stateful: start where the last batch ended, row by row; the batch size must be known then.
        unroll: write the steps out instead of looping; their number must be known then.
    """

    ndim = 3  # of the input

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        for part in ("call", "state_size"):
            if not hasattr(cell, part):
                raise ValueError(f"A cell of `RNN` has `call` and `state_size`; {cell!r} has no `{part}`.")
        length, features = kwargs.pop("input_length", None), kwargs.pop("input_dim", None)
        if features is not None and not kwargs.keys() & {"input_shape", "batch_input_shape"}:
            kwargs["input_shape"] = (length, features)
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.supports_masking = True
        self.input_spec = [InputSpec(ndim=self.ndim)]
        self.state_spec: Any = None
        self.constants_spec: Any = None
        self._states: list[Tensor] | None = None
        self._num_constants: int | None = None

    # -- states -----------------------------------------------------------------------------------------------------
    @property
    def _state_sizes(self) -> list[Any]:
        size = self.cell.state_size
        return list(size) if isinstance(size, (list, tuple)) else [size]

    def state_shapes(self, input_shape: Any) -> list[tuple[Any, ...]]:
        """The shapes of the states for one sample."""
        return [tuple(size) if isinstance(size, (list, tuple)) else (size,) for size in self._state_sizes]

    @property
    def states(self) -> list[Tensor]:
        """The states that a stateful layer keeps; None for each where there are none."""
        return [None] * len(self._state_sizes) if self._states is None else self._states

    @states.setter
    def states(self, states: list[Tensor]) -> None:
        self._states = states

    def get_initial_state(self, inputs: Tensor) -> list[Tensor]:
        """The states before the first step: those that the cell gives, or zeros."""
        if hasattr(self.cell, "get_initial_state"):
            return to_list(self.cell.get_initial_state(inputs), allow_tuple=True)
        return self.zero_states(inputs)

    def zero_states(self, inputs: Tensor) -> list[Tensor]:
        shapes = self.state_shapes(K.int_shape(inputs))
        return [K.filled((inputs.shape[0], *shape), 0.0, K.dtype(inputs)) for shape in shapes]

    def reset_states(self, states: Any = None) -> None:
        """Set the states of a stateful layer to zeros, or to arrays.

        Raises:
            AttributeError: if the layer is not stateful.
            ValueError: if the batch size is not known, or for arrays of another number or shape.
        """
        if not self.stateful:
            raise AttributeError("Layer must be stateful.")
        shape = self.input_spec[0].shape
        if not shape or not shape[0]:
            raise ValueError(
                f"The layer {self.name} is stateful and needs to know the batch size: give the first layer of a "
                "Sequential model `batch_input_shape`, or give `Input` a `batch_shape`."
            )
        shapes = [(shape[0], *s) for s in self.state_shapes(shape)]
        if any(kept is None for kept in self.states):
            dtype = self.dtype
            self._states = [K.variable(np.zeros(s), dtype, f"{self.name}/state_{i}") for i, s in enumerate(shapes)]
        given = [np.zeros(s) for s in shapes] if states is None else to_list(states, allow_tuple=True)
        if len(given) != len(shapes):
            raise ValueError(f"Layer {self.name} expects {len(shapes)} states, but it received {len(given)}.")
        for value, wanted in zip(given, shapes, strict=True):
            if np.shape(value) != wanted:
                raise ValueError(
                    f"Layer {self.name}: expected a state of shape {wanted}, found one of shape {np.shape(value)}."
                )
        K.batch_set_value(zip(self.states, given, strict=True))

    # -- shapes and masks -------------------------------------------------------------------------------------------
    def compute_output_shape(self, input_shape: Any) -> Any:
        if isinstance(input_shape, list):
            input_shape = input_shape[0]
        states = self.state_shapes(input_shape)
        size = getattr(self.cell, "output_size", None)
        features = states[0] if size is None else tuple(size) if isinstance(size, (list, tuple)) else (size,)
        return self.with_steps(input_shape, features, states)

    def with_steps(self, input_shape: Any, features: tuple[Any, ...], states: list[tuple[Any, ...]]) -> Any:
        samples = input_shape[0]
        output = (samples, input_shape[1], *features) if self.return_sequences else (samples, *features)
        return [output, *((samples, *s) for s in states)] if self.return_state else output

    def mask_of_steps(self, mask: Any) -> Tensor:
        """The mask ``(samples, steps)`` of the sequence, of the masks of all inputs."""
        return mask[0] if isinstance(mask, list) else mask

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        kept = self.mask_of_steps(mask) if self.return_sequences else None
        return [kept, *([None] * len(self.states))] if self.return_state else kept

    def build(self, input_shape: Any) -> None:
        constants = []
        if isinstance(input_shape, list):
            constants = input_shape[len(input_shape) - (self._num_constants or 0) :]
            input_shape = input_shape[0]
        if isinstance(self.cell, Layer) and not self.cell.built:
            step = (input_shape[0], *input_shape[2:])
            self.cell.build([step, *constants] if constants else step)
            self.cell.built = True
        batch = input_shape[0] if self.stateful else None
        self.input_spec[0] = InputSpec(shape=(batch, None, *input_shape[2:]))
        shapes = self.state_shapes(input_shape)
        if self.state_spec is None:
            self.state_spec = [InputSpec(shape=(None, *s)) for s in shapes]
        self._check_states(shapes)
        if self.stateful:
            self.reset_states()
        self.built = True

    def _check_states(self, shapes: list[tuple[Any, ...]]) -> None:
        given = [tuple(spec.shape[1:]) for spec in self.state_spec]
        if len(given) != len(shapes) or any(
            len(g) != len(s) or any(None not in (a, b) and a != b for a, b in zip(g, s, strict=True))
            for g, s in zip(given, shapes, strict=True)
        ):
            self.state_spec = None
            raise ValueError(
                f"Layer {self.name} was given initial states of the shapes {given} (without samples), but its cell's "
                f"are {shapes}."
            )

    # -- calling ----------------------------------------------------------------------------------------------------
    def __call__(self, inputs: Any, initial_state: Any = None, constants: Any = None, **kwargs: Any) -> Any:
        """Apply the layer. ``initial_state`` and ``constants`` (a tensor, or a list) may also follow the sequence in
        ``inputs``; where layers made them, they become inputs of the layer."""
        inputs, initial_state, constants = split_inputs(inputs, initial_state, constants, self._num_constants)
        if initial_state:
            self.state_spec = specs_of(initial_state)
            if self.built:
                self._check_states(self.state_shapes(K.int_shape(inputs)))
        if constants:
            check_takes_constants(self.cell)
            self.constants_spec = specs_of(constants)
            self._num_constants = len(constants)
        return call_with_more(self, super().__call__, inputs, initial_state, constants, **kwargs)

    def call(
        self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None, constants: Any = None
    ) -> Any:
        inputs, initial_state, constants = split_inputs(inputs, initial_state, constants, self._num_constants)
        if not initial_state:
            initial_state = self.states if self.stateful else self.get_initial_state(inputs)
        if len(initial_state) != len(self.states):
            raise ValueError(
                f"Layer {self.name} expects {len(self.states)} states, but was given {len(initial_state)} initial ones."
            )
        steps = K.int_shape(inputs)[1]
        if self.unroll and steps in (None, 1):
            raise ValueError(
                f"Layer {self.name} cannot unroll {'an unknown number of steps' if steps is None else 'one step'}: "
                "say how many there are by `input_shape`, or leave out `unroll`."
            )
        reset_dropout(self.cell)
        last, outputs, states = K.rnn(
            step_of(self.cell, training, len(constants or [])),
            inputs,
            initial_state,
            constants=constants,
            go_backwards=self.go_backwards,
            mask=self.mask_of_steps(mask),
            unroll=self.unroll,
            input_length=steps,
        )
        reset_dropout(self.cell)
        if self.stateful:
            self.add_update(list(zip(self.states, states, strict=True)), inputs)
        output = outputs if self.return_sequences else last
        return [output, *states] if self.return_state else output

    # -- configuration ----------------------------------------------------------------------------------------------
    def archived_parts(self, config: dict[str, Any]) -> Iterable[ArchivedPart]:
        if isinstance(self.cell, Layer):
            yield ArchivedPart("cell", self.cell, config.get("cell", {}).get("config", {}))

    def get_losses_for(self, inputs: Any = None) -> list[Tensor]:
        """The losses that depend on ``inputs`` (None: on none, those of the cell among them)."""
        inner = self.cell.get_losses_for(None) if inputs is None and isinstance(self.cell, Layer) else []
        return super().get_losses_for(inputs) + inner

    def own_config(self) -> dict[str, Any]:
        flags: dict[str, Any] = {
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
        }
        if self._num_constants is not None:
            flags["num_constants"] = self._num_constants
        return {**super().get_config(), **flags}

    def get_config(self) -> dict[str, Any]:
        cell = {"class_name": type(self.cell).__name__, "config": self.cell.get_config()}
        return {**self.own_config(), "cell": cell}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        from .. import deserialize

        config = dict(config)
        count = config.pop("num_constants", None)
        layer = cls(deserialize(config.pop("cell"), custom_objects=custom_objects), **config)
        layer._num_constants = count
        return layer
