"""The plain recurrent network."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from ... import backend as K
from ...engine.arguments import Argument
from ...legacy import interfaces
from .cell import Cell, product
from .layer_of_cell import LayerOfCell

Tensor = Any


class SimpleRNNCell(Cell):
    """``h' = activation(x . kernel + h . recurrent_kernel + bias)``."""

    units = Argument()

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, **kwargs,
        )  # fmt: skip
        self.units = units
        self.state_size = self.output_size = units

    def build(self, input_shape: Any) -> None:
        self.make_weights((input_shape[-1], self.units), (self.units, self.units), (self.units,))

    def call(self, inputs: Tensor, states: Sequence[Tensor], training: Any = None) -> tuple[Tensor, list[Tensor]]:
        """The output, which is the new state."""
        before = states[0]
        x = product(inputs, self.kernel, self.input_masks(inputs, training))
        if self.use_bias:
            x = K.bias_add(x, self.bias)
        output = self.activation(
            x + product(before, self.recurrent_kernel, self.state_masks(before, training))
        )
        self.mark_phase(output, training)
        return output, [output]


class SimpleRNN(LayerOfCell, cell=SimpleRNNCell):
    """A fully connected recurrent network whose output is fed back: :class:`SimpleRNNCell` over all steps."""

    @interfaces.legacy_recurrent_support
    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("implementation", None) is not None:
            warnings.warn("`SimpleRNN` has one implementation only: leave the argument out.", stacklevel=3)
        cell = SimpleRNNCell(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, dtype=kwargs.get("dtype"),
        )  # fmt: skip
        super().__init__(
            cell, activity_regularizer, return_sequences, return_state, go_backwards, stateful, unroll, **kwargs
        )
