"""Long short-term memory (Hochreiter & Schmidhuber, 1997; forget gates: Gers, Schmidhuber & Cummins, 2000)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ... import activations
from ... import backend as K
from ...engine.arguments import Argument
from ...engine.cudnn_weights import lstm_weights
from ...engine.old_weights import Arrays, Origin, joined_gates
from ...legacy import interfaces
from .cell import Cell, columns, forgetful_bias, known_implementation, product
from .layer_of_cell import LayerOfCell

Tensor = Any
OLD_ORDER = (0, 2, 1, 3)  # of today's gates i, f, c, o in Keras 1's order i, c, f, o


def lstm_states(
    z: Tensor, memory: Tensor, activation: Callable[[Tensor], Tensor], recurrent_activation: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """The new output and memory: ``c' = f c + i g`` and ``h' = o activation(c')``, of the sums ``z`` of the gates
    i, f, g (the candidate) and o."""
    i, f, candidate, o = columns(z, 4)
    new = recurrent_activation(f) * memory + recurrent_activation(i) * activation(candidate)
    return recurrent_activation(o) * activation(new), new


class LSTMCell(Cell):
    """A step of :class:`LSTM`; the states are the output and the memory. Gates lie in the order i, f, c, o.

    ``implementation``: 1 drops inputs and outputs by a mask for each gate, 2 by one for all.
    """

    gates = "ifco"
    units = Argument()
    recurrent_activation = Argument(activations)
    unit_forget_bias = Argument()
    implementation = Argument()

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, **kwargs,
        )  # fmt: skip
        self.units = units
        self.recurrent_activation = recurrent_activation
        self.unit_forget_bias = unit_forget_bias
        self.implementation = known_implementation(implementation)
        self.state_size = (units, units)
        self.output_size = units

    def build(self, input_shape: Any) -> None:
        width = 4 * self.units
        initial = None
        if self.unit_forget_bias:
            initial = forgetful_bias(self.bias_initializer, self.units, self.units, 2 * self.units)
        self.make_weights((input_shape[-1], width), (self.units, width), (width,), initial)
        self.name_blocks(kernel=self.kernel, recurrent_kernel=self.recurrent_kernel, bias=self.bias)

    def call(self, inputs: Tensor, states: Sequence[Tensor], training: Any = None) -> tuple[Tensor, list[Tensor]]:
        """The output, which is the first new state, and the two new states."""
        before, memory = states[0], states[1]
        count = 4 if self.implementation == 1 else 1
        z = product(inputs, self.kernel, self.input_masks(inputs, training, count))
        z = z + product(before, self.recurrent_kernel, self.state_masks(before, training, count))
        if self.use_bias:
            z = K.bias_add(z, self.bias)
        output, memory = lstm_states(z, memory, self.activation, self.recurrent_activation)
        self.mark_phase(output, training)
        return output, [output, memory]


class LSTM(LayerOfCell, cell=LSTMCell):
    """Long short-term memory over the steps of ``(samples, steps, features)``."""

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
        unit_forget_bias: bool = True,
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
        **kwargs: Any,
    ) -> None:
        cell = LSTMCell(
            units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, unit_forget_bias, kernel_regularizer, recurrent_regularizer, bias_regularizer,
            kernel_constraint, recurrent_constraint, bias_constraint, dropout, recurrent_dropout, implementation,
            dtype=kwargs.get("dtype"),
        )  # fmt: skip
        super().__init__(
            cell, activity_regularizer, return_sequences, return_state, go_backwards, stateful, unroll, **kwargs
        )

    def weights_from(self, arrays: Arrays, origin: Origin) -> Arrays:
        if origin.is_keras_1:
            arrays = joined_gates(arrays, OLD_ORDER)
        return super().weights_from(lstm_weights(arrays, cudnn=False), origin)
