"""Transposed convolutions: from the shape of a convolution's result back to that of its input."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..engine.arguments import Argument
from ..legacy import interfaces
from ..utils.conv_utils import deconv_length, normalize_tuple
from .conv_base import Conv2D, Conv3D

Tensor = Any
_PADDINGS = ("valid", "same")


class _Transposing:
    """What transposed convolutions have in place of a convolution's parts. Kernels: ``(*window, filters, channels)``.

    ``output_padding`` fixes which of the several sizes that a convolution with strides maps to the input's size is
    meant: the smallest plus so many positions, fewer than the stride. None: the input's size times the stride.
    """

    def _set_output_padding(self: Any, output_padding: Any) -> None:
        self.output_padding = output_padding
        if self.padding not in _PADDINGS:
            raise ValueError(f"`{type(self).__name__}` has no `padding` {self.padding!r}: only {_PADDINGS}.")
        if output_padding is None:
            return
        self.output_padding = normalize_tuple(output_padding, self.rank, "output_padding")
        for stride, extra in zip(self.strides, self.output_padding, strict=True):
            if extra >= stride:
                raise ValueError(
                    f"Stride {self.strides} must be greater than output padding {self.output_padding} "
                    f"(layer {self.name})."
                )

    def build(self: Any, input_shape: Any) -> None:
        self._add_kernel((*self.kernel_size, self.filters, self._channels(input_shape)))
        self._add_bias((self.filters,))
        self.built = True

    def _lengths(self: Any, space: Any) -> list[Any]:
        extra = self.output_padding or (None,) * self.rank
        axes = zip(space, self.strides, self.kernel_size, extra, self.dilation_rate, strict=True)
        return [deconv_length(size, step, span, self.padding, more, spread) for size, step, span, more, spread in axes]

    def call(self: Any, inputs: Tensor) -> Tensor:
        shape = K.shape(inputs)
        whole = self._shape(shape[0], self._lengths(self._space(shape)), self.filters)
        return self._finish(self._transpose(inputs, whole), self.data_format)


class Conv2DTranspose(_Transposing, Conv2D):
    """The transpose of a convolution over images ("deconvolution")."""

    output_padding = Argument()

    @interfaces.legacy_deconv2d_support
    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid", output_padding: Any = None,
        data_format: str | None = None, dilation_rate: Any = (1, 1), activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters=filters, kernel_size=kernel_size, strides=strides, padding=padding, data_format=data_format,
            dilation_rate=dilation_rate, activation=activation, use_bias=use_bias,
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip
        self._set_output_padding(output_padding)

    def _kernel_of_keras_1(self, kernel: Any) -> Any:
        """``(*window, in, out)``, or ``(in, out, *window)`` where channels come first."""
        return kernel.transpose((2, 3, 0, 1) if self.data_format == "channels_first" else (0, 1, 3, 2))

    def _transpose(self, inputs: Tensor, shape: Any) -> Tensor:
        return K.conv2d_transpose(
            inputs, self.kernel, shape, self.strides, self.padding, self.data_format, self.dilation_rate
        )


class Conv3DTranspose(_Transposing, Conv3D):
    """The transpose of a convolution over volumes."""

    output_padding = Argument()
    dilation_rate = Argument(written=False)

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1, 1), padding: str = "valid",
        output_padding: Any = None, data_format: str | None = None, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters=filters, kernel_size=kernel_size, strides=strides, padding=padding, data_format=data_format,
            activation=activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer, activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip
        self._set_output_padding(output_padding)

    def _transpose(self, inputs: Tensor, shape: Any) -> Tensor:
        return K.conv3d_transpose(inputs, self.kernel, shape, self.strides, self.padding, self.data_format)
