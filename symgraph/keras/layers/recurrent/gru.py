"""Gated recurrent units (Cho et al., 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import activations
from ... import backend as K
from ...engine.arguments import Argument
from ...engine.cudnn_weights import GRULayout, gru_weights
from ...engine.old_weights import Arrays, Origin, joined_gates
from ...legacy import interfaces
from .cell import Cell, columns, known_implementation, product
from .layer_of_cell import LayerOfCell

Tensor = Any


class GRUCell(Cell):
    """A step of :class:`GRU`. Gates lie in the order z (update), r (reset), h (candidate).

    ``implementation``: 1 drops inputs and states by a mask for each gate, 2 by one for all; ``reset_after``: the reset
    gate works on the product with the recurrent kernel, as in cuDNN, and there are two biases.
    """

    gates = "zrh"
    units = Argument()
    recurrent_activation = Argument(activations)
    implementation = Argument()
    reset_after = Argument()

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        implementation: int = 2,
        reset_after: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, **kwargs,
        )  # fmt: skip
        self.units = units
        self.recurrent_activation = recurrent_activation
        self.implementation = known_implementation(implementation)
        self.reset_after = reset_after
        self.state_size = self.output_size = units
        self.input_bias: Tensor = None
        self.recurrent_bias: Tensor = None

    def build(self, input_shape: Any) -> None:
        width = 3 * self.units
        bias = (2, width) if self.reset_after else (width,)
        self.make_weights((input_shape[-1], width), (self.units, width), bias)
        if self.use_bias:
            self.input_bias = self.bias[0] if self.reset_after else K.identity(self.bias)
            self.recurrent_bias = self.bias[1] if self.reset_after else None
        self.name_blocks(
            kernel=self.kernel,
            recurrent_kernel=self.recurrent_kernel,
            input_bias=self.input_bias,
            recurrent_bias=self.recurrent_bias,
        )

    def call(self, inputs: Tensor, states: Sequence[Tensor], training: Any = None) -> tuple[Tensor, list[Tensor]]:
        """The output, which is the new state."""
        before = states[0]
        count = 3 if self.implementation == 1 else 1
        x = product(inputs, self.kernel, self.input_masks(inputs, training, count))
        if self.use_bias:
            x = K.bias_add(x, self.input_bias)
        masks = self.state_masks(before, training, count)
        if masks is not None and count == 1:  # Keras 2 mixes the masked state into the new one, too
            before, masks = before * masks[0], None
        output = self._mixed(x, before, masks)
        self.mark_phase(output, training)
        return output, [output]

    def _mixed(self, x: Tensor, before: Tensor, masks: list[Tensor] | None) -> Tensor:
        """The new state, of the inputs' share ``x`` of the gates."""
        x_z, x_r, x_h = columns(x, 3)
        if self.reset_after:
            inner = product(before, self.recurrent_kernel, masks)
            if self.use_bias:
                inner = K.bias_add(inner, self.recurrent_bias)
            h_z, h_r, h_h = columns(inner, 3)
            reset = self.recurrent_activation(x_r + h_r)
            candidate = x_h + reset * h_h
        else:
            gated, own = (None, None) if masks is None else (masks[:2], masks[2:])
            width = 2 * self.units
            h_z, h_r = columns(product(before, self.recurrent_kernel[:, :width], gated), 2)
            reset = self.recurrent_activation(x_r + h_r)
            candidate = x_h + product(reset * before, self.recurrent_kernel[:, width:], own)
        update = self.recurrent_activation(x_z + h_z)
        return update * before + (1.0 - update) * self.activation(candidate)


class GRU(LayerOfCell, cell=GRUCell):
    """Gated recurrent units over the steps of ``(samples, steps, features)``."""

    @interfaces.legacy_recurrent_support
    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        implementation: int = 2,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = False,
        **kwargs: Any,
    ) -> None:
        cell = GRUCell(
            units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint,
            recurrent_constraint, bias_constraint, dropout, recurrent_dropout, implementation, reset_after,
            dtype=kwargs.get("dtype"),
        )  # fmt: skip
        super().__init__(
            cell, activity_regularizer, return_sequences, return_state, go_backwards, stateful, unroll, **kwargs
        )

    def weights_from(self, arrays: Arrays, origin: Origin) -> Arrays:
        if origin.is_keras_1:
            arrays = joined_gates(arrays, (0, 1, 2))
        layout = GRULayout.AFTER if self.cell.reset_after else GRULayout.BEFORE
        return super().weights_from(gru_weights(arrays, layout, self.name), origin)
