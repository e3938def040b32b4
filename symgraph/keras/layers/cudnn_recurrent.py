"""LSTM and GRU with the weights of cuDNN's: the same numbers, on this engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import activations, constraints, initializers, regularizers
from .. import backend as K
from ..engine.arguments import Argument
from ..engine.base_layer import InputSpec
from ..engine.cudnn_weights import GRULayout, gru_weights, lstm_weights
from ..engine.old_weights import Arrays, Origin
from .recurrent import RNN
from .recurrent.cell import Cell, columns, forgetful_bias
from .recurrent.layer_of_cell import LayerOfCell
from .recurrent.lstm import lstm_states

__all__ = ["RNN", "CuDNNGRU", "CuDNNLSTM", "InputSpec", "K", "constraints", "initializers", "regularizers"]

Tensor = Any


class _CuDNNCell(Cell):
    """Base of both cells. A kernel's block of columns for a gate holds, row by row, the transposed matrix, as cuDNN
    reads it; the bias holds the inputs' biases of all gates, then the states'."""

    units = Argument()
    activation, use_bias = Argument(activations, written=False), Argument(written=False)
    dropout, recurrent_dropout = Argument(written=False), Argument(written=False)

    def __init__(
        self, units: int, kernel_initializer: Any, recurrent_initializer: Any, bias_initializer: Any,
        kernel_regularizer: Any, recurrent_regularizer: Any, bias_regularizer: Any, kernel_constraint: Any,
        recurrent_constraint: Any, bias_constraint: Any, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            "tanh", True, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, 0.0, 0.0, **kwargs,
        )  # fmt: skip
        self.units = units
        self.state_size: Any = units
        self.output_size = units

    def build(self, input_shape: Any) -> None:
        width = len(self.gates) * self.units
        self.make_weights((input_shape[-1], width), (self.units, width), (2 * width,), self._start_of_bias())
        self.name_blocks(kernel=self.kernel, recurrent_kernel=self.recurrent_kernel, bias=self.bias[width:])
        for letter, block in zip(self.gates, columns(self.bias[:width], len(self.gates)), strict=True):
            setattr(self, f"bias_{letter}_i", block)

    def _start_of_bias(self) -> Any:
        return self.bias_initializer

    def _matrix(self, kernel: Tensor) -> Tensor:
        """The matrix ``(inputs, gates * units)`` that a kernel stands for."""
        rows = K.int_shape(kernel)[0]
        blocks = columns(kernel, len(self.gates))
        return K.concatenate([K.transpose(K.reshape(block, (self.units, rows))) for block in blocks])

    def shares(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """The shares of the input and of the state in the gates, with their biases."""
        x_bias, h_bias = columns(self.bias, 2)
        x = K.bias_add(K.dot(inputs, self._matrix(self.kernel)), x_bias)
        return x, K.bias_add(K.dot(state, self._matrix(self.recurrent_kernel)), h_bias)


class _GRUCell(_CuDNNCell):
    gates = "zrh"

    def call(self, inputs: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        x, h = self.shares(inputs, states[0])
        (x_z, x_r, x_h), (h_z, h_r, h_h) = columns(x, 3), columns(h, 3)
        update = K.sigmoid(x_z + h_z)
        candidate = K.tanh(x_h + K.sigmoid(x_r + h_r) * h_h)
        output = update * states[0] + (1.0 - update) * candidate
        return output, [output]


class _LSTMCell(_CuDNNCell):
    gates = "ifco"
    unit_forget_bias = Argument()

    def __init__(self, units: int, unit_forget_bias: bool, *weights: Any, **kwargs: Any) -> None:
        super().__init__(units, *weights, **kwargs)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = (units, units)

    def _start_of_bias(self) -> Any:
        """Ones for the state's share of the forget gate."""
        if not self.unit_forget_bias:
            return self.bias_initializer
        return forgetful_bias(self.bias_initializer, 5 * self.units, self.units, 2 * self.units)

    def call(self, inputs: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        x, h = self.shares(inputs, states[0])
        output, memory = lstm_states(x + h, states[1], K.tanh, K.sigmoid)
        return output, [output, memory]


class _CuDNNRNN(LayerOfCell):
    """Base of both layers, which refuse masks, as cuDNN does."""

    cell: Any = None  # each layer has its own; Keras's classes have the attribute, too

    def __init__(self, cell: Cell, activity_regularizer: Any, **kwargs: Any) -> None:
        super().__init__(cell, activity_regularizer, **kwargs)
        self.supports_masking = False

    def call(self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None) -> Any:  # type: ignore[override]
        if self.mask_of_steps(mask) is not None:
            raise TypeError(
                f"Layer {self.name} does not support masking, but was passed an input_mask: {mask}. LSTM and GRU do."
            )
        return super().call(inputs, None, training, initial_state)

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "unroll"}


class CuDNNGRU(_CuDNNRNN, cell=_GRUCell):
    """:class:`GRU` with ``reset_after=True``, in cuDNN's layout of weights. Gates lie in the order z, r, h."""

    def __init__(
        self,
        units: int,
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
        return_sequences: bool = False,
        return_state: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        cell = _GRUCell(
            units, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint,
            dtype=kwargs.get("dtype"),
        )  # fmt: skip
        super().__init__(
            cell, activity_regularizer, return_sequences=return_sequences, return_state=return_state,
            stateful=stateful, **kwargs,
        )  # fmt: skip

    def weights_from(self, arrays: Arrays, origin: Origin) -> Arrays:
        return super().weights_from(gru_weights(arrays, GRULayout.CUDNN, self.name), origin)


class CuDNNLSTM(_CuDNNRNN, cell=_LSTMCell):
    """:class:`LSTM` in cuDNN's layout of weights. Gates lie in the order i, f, c, o."""

    def __init__(
        self,
        units: int,
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
        return_sequences: bool = False,
        return_state: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        cell = _LSTMCell(
            units, unit_forget_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint,
            dtype=kwargs.get("dtype"),
        )  # fmt: skip
        super().__init__(
            cell, activity_regularizer, return_sequences=return_sequences, return_state=return_state,
            stateful=stateful, **kwargs,
        )  # fmt: skip

    def weights_from(self, arrays: Arrays, origin: Origin) -> Arrays:
        return super().weights_from(lstm_weights(arrays, cudnn=True), origin)
