"""Recurrent layers whose products are convolutions (Shi et al., 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import activations
from .. import backend as K
from ..engine.arguments import Argument
from ..engine.base_layer import InputSpec, Layer
from ..engine.old_weights import Arrays, Origin, convolution_weights, joined_gates
from ..legacy import interfaces
from ..utils.conv_utils import conv_output_lengths, normalize_padding, normalize_tuple
from ..utils.generic_utils import has_arg, to_list, transpose_shape
from .recurrent import RNN, Recurrent
from .recurrent.cell import Cell, columns, forgetful_bias
from .recurrent.layer_of_cell import LayerOfCell
from .recurrent.legacy import ConvRecurrent2D
from .recurrent.lstm import OLD_ORDER

__all__ = [
    "RNN",
    "ConvLSTM2D",
    "ConvLSTM2DCell",
    "ConvRNN2D",
    "ConvRecurrent2D",
    "InputSpec",
    "K",
    "Layer",
    "Recurrent",
    "has_arg",
    "interfaces",
    "to_list",
    "transpose_shape",
]

Tensor = Any


class ConvRNN2D(RNN):
    """A cell over the steps of images ``(samples, steps, rows, columns, channels)``.

    The cell has ``input_conv``, which gives images of the size of the states, and ``filters``, ``kernel_size``,
    ``kernel_shape``, ``strides``, ``padding``, ``dilation_rate`` and ``data_format``.
    """

    ndim = 5

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
        if unroll:
            raise TypeError("Recurrent layers with convolutions cannot be unrolled.")
        if isinstance(cell, (list, tuple)):
            raise TypeError("Cells with convolutions cannot be stacked: stack layers instead.")
        super().__init__(cell, return_sequences, return_state, go_backwards, stateful, unroll, **kwargs)

    def state_shapes(self, input_shape: Any) -> list[tuple[Any, ...]]:
        """Images of the size of the output, with as many channels as the sizes of the states say."""
        cell = self.cell
        first = cell.data_format == "channels_first"
        sides = input_shape[3:5] if first else input_shape[2:4]
        out = conv_output_lengths(sides, cell.kernel_size, cell.padding, cell.strides, cell.dilation_rate)
        return [(size, *out) if first else (*out, size) for size in to_list(cell.state_size, allow_tuple=True)]

    def mask_of_steps(self, mask: Any) -> Tensor:
        """The mask of the images; one of pixels masks the images that have none."""
        mask = super().mask_of_steps(mask)
        return mask if mask is None or K.ndim(mask) == 2 else K.any(mask, axis=list(range(2, K.ndim(mask))))

    def zero_states(self, inputs: Tensor) -> list[Tensor]:
        """Zeros of the size of a convolution of one step."""
        made = []
        for size in to_list(self.cell.state_size, allow_tuple=True):
            kernel = K.filled((*self.cell.kernel_shape[:-1], size), 0.0, K.dtype(inputs))
            made.append(K.zeros_like(self.cell.input_conv(inputs[:, 0], kernel, padding=self.cell.padding)))
        return made


class ConvLSTM2DCell(Cell):
    """A step of :class:`ConvLSTM2D`; the states are the output and the memory. Gates lie in the order i, f, c, o."""

    gates = "ifco"
    filters = Argument()
    kernel_size = Argument()
    strides = Argument()
    padding = Argument()
    data_format = Argument()
    dilation_rate = Argument()
    recurrent_activation = Argument(activations)
    unit_forget_bias = Argument()

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
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
        **kwargs: Any,
    ) -> None:
        super().__init__(
            activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, **kwargs,
        )  # fmt: skip
        self.filters = filters
        self.kernel_size = normalize_tuple(kernel_size, 2, "kernel_size")
        self.strides = normalize_tuple(strides, 2, "strides")
        self.padding = normalize_padding(padding)
        self.data_format = K.normalize_data_format(data_format)
        self.dilation_rate = normalize_tuple(dilation_rate, 2, "dilation_rate")
        self.recurrent_activation = recurrent_activation
        self.unit_forget_bias = unit_forget_bias
        self.state_size = (filters, filters)
        self.kernel_shape: tuple[int, ...] = ()

    def build(self, input_shape: Any) -> None:
        channels = input_shape[1 if self.data_format == "channels_first" else -1]
        if channels is None:
            raise ValueError("The channel dimension of the inputs should be defined. Found `None`.")
        width = 4 * self.filters
        self.kernel_shape = (*self.kernel_size, channels, width)
        initial = None
        if self.unit_forget_bias:
            initial = forgetful_bias(self.bias_initializer, self.filters, self.filters, 2 * self.filters)
        self.make_weights(self.kernel_shape, (*self.kernel_size, self.filters, width), (width,), initial)
        self.name_blocks(kernel=self.kernel, recurrent_kernel=self.recurrent_kernel, bias=self.bias)

    def input_conv(self, x: Tensor, w: Tensor, b: Tensor = None, padding: str = "valid") -> Tensor:
        """The convolution of the input, plus a bias."""
        y = K.conv2d(x, w, self.strides, padding, self.data_format, self.dilation_rate)
        return y if b is None else K.bias_add(y, b, data_format=self.data_format)

    def recurrent_conv(self, x: Tensor, w: Tensor) -> Tensor:
        """The convolution of the state, which keeps its size."""
        return K.conv2d(x, w, (1, 1), "same", self.data_format)

    def call(self, inputs: Tensor, states: Sequence[Tensor], training: Any = None) -> tuple[Tensor, list[Tensor]]:
        """The output, which is the first new state, and the two new states."""
        before, memory = states[0], states[1]
        x = self._gates(self.input_masks(inputs, training, 4), inputs, self.kernel, self._padded_conv)
        h = self._gates(self.state_masks(before, training, 4), before, self.recurrent_kernel, self.recurrent_conv)
        biases = columns(self.bias, 4) if self.use_bias else [None] * 4
        i, f, candidate, o = (
            a + b if c is None else K.bias_add(a + b, c, data_format=self.data_format)
            for a, b, c in zip(x, h, biases, strict=True)
        )
        gate = self.recurrent_activation
        memory = gate(f) * memory + gate(i) * self.activation(candidate)
        output = gate(o) * self.activation(memory)
        self.mark_phase(output, training)
        return output, [output, memory]

    def _padded_conv(self, x: Tensor, w: Tensor) -> Tensor:
        return self.input_conv(x, w, padding=self.padding)

    def _gates(self, masks: list[Tensor] | None, x: Tensor, kernel: Tensor, convolve: Any) -> list[Tensor]:
        """The share of ``x`` in each gate: by one convolution, or under masks by one for each."""
        if masks is not None:
            return [convolve(x * mask, part) for mask, part in zip(masks, columns(kernel, 4), strict=True)]
        y = convolve(x, kernel)
        if self.data_format == "channels_first":
            return [y[:, k * self.filters : (k + 1) * self.filters] for k in range(4)]
        return columns(y, 4)


class ConvLSTM2D(LayerOfCell, ConvRNN2D, cell=ConvLSTM2DCell):
    """Long short-term memory over images: :class:`LSTM` with convolutions for products."""

    @interfaces.legacy_convlstm2d_support
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
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
        return_sequences: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        cell = ConvLSTM2DCell(
            filters, kernel_size, strides, padding, data_format, dilation_rate, activation, recurrent_activation,
            use_bias, kernel_initializer, recurrent_initializer, bias_initializer, unit_forget_bias, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, dtype=kwargs.get("dtype"),
        )  # fmt: skip
        super().__init__(
            cell, activity_regularizer, return_sequences=return_sequences, go_backwards=go_backwards,
            stateful=stateful, **kwargs,
        )  # fmt: skip

    def weights_from(self, arrays: Arrays, origin: Origin) -> Arrays:
        if origin.is_keras_1:
            if self.cell.data_format == "channels_first":
                arrays = [x.transpose(2, 3, 1, 0) if x.ndim == 4 else x for x in arrays]
            arrays = joined_gates(arrays, OLD_ORDER)
        return convolution_weights(self.weights, arrays, origin, kernels=2)
