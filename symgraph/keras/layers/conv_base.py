"""Convolutions whose kernel sees every channel of one to three spatial axes."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..engine.arguments import Argument
from ..engine.base_layer import InputSpec
from ..engine.old_weights import Arrays, Origin, convolution_weights
from ..legacy import interfaces
from ..utils.conv_utils import conv_output_lengths, normalize_padding, normalize_tuple
from .kernel_and_bias import KernelAndBias

Tensor = Any


class _Conv(KernelAndBias):
    """What convolutions of every rank share."""

    _rank = 0
    _old_kernels = 1  # how many weights are kernels that Keras 1 and Theano store in another way
    filters = Argument()
    kernel_size = Argument()
    strides = Argument()
    padding = Argument()
    data_format = Argument()
    dilation_rate = Argument()

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
        dilation_rate: Any = 1, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
        rank = self._rank
        self.rank = rank
        self.filters = filters
        self.kernel_size = normalize_tuple(kernel_size, rank, "kernel_size")
        self.strides = normalize_tuple(strides, rank, "strides")
        self.padding = normalize_padding(padding)
        if self.padding == "causal" and rank != 1:
            raise ValueError("Causal padding is only supported for `Conv1D`.")
        self.data_format = K.normalize_data_format(data_format)
        self.dilation_rate = normalize_tuple(dilation_rate, rank, "dilation_rate")
        self.input_spec = InputSpec(ndim=rank + 2)

    def _channels(self, input_shape: Any) -> int:
        """The number of channels of the input, kept as what later inputs have to have."""
        axis = 1 if self.data_format == "channels_first" else -1
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(
                f"The channel dimension of the inputs to `{type(self).__name__}` should be defined. Found `None`."
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return int(channels)

    def build(self, input_shape: Any) -> None:
        self._add_kernel((*self.kernel_size, self._channels(input_shape), self.filters))
        self._add_bias((self.filters,))
        self.built = True

    def weights_from(self, arrays: Arrays, origin: Origin) -> Arrays:
        count = self._old_kernels
        if origin.is_keras_1:
            arrays = [*map(self._kernel_of_keras_1, arrays[:count]), *arrays[count:]]
        return convolution_weights(self.weights, arrays, origin, count)

    def _kernel_of_keras_1(self, kernel: Any) -> Any:
        """``(out, in, *window)`` where channels come first."""
        if self.data_format != "channels_first":
            return kernel
        return kernel.transpose(*range(2, kernel.ndim), 1, 0)

    def call(self, inputs: Tensor) -> Tensor:
        convolve = (K.conv1d, K.conv2d, K.conv3d)[self.rank - 1]
        product = convolve(inputs, self.kernel, self.strides, self.padding, self.data_format, self.dilation_rate)
        return self._finish(product, self.data_format)

    def _space(self, shape: Any) -> Any:
        return shape[2:] if self.data_format == "channels_first" else shape[1:-1]

    def _shape(self, samples: Any, sizes: Any, channels: Any) -> tuple[Any, ...]:
        return (samples, channels, *sizes) if self.data_format == "channels_first" else (samples, *sizes, channels)

    def _lengths(self, space: Any) -> list[Any]:
        """The spatial sizes of the output for those of the input."""
        return conv_output_lengths(space, self.kernel_size, self.padding, self.strides, self.dilation_rate)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self._shape(input_shape[0], self._lengths(self._space(input_shape)), self.filters)


class Conv1D(_Conv):
    """Convolution over the steps of ``(samples, steps, channels)``; ``causal`` padding looks back only."""

    _rank = 1

    @interfaces.legacy_conv1d_support
    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        data_format: str | None = "channels_last", dilation_rate: Any = 1, activation: Any = None,
        use_bias: bool = True, kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
        if self.padding == "causal" and self.data_format != "channels_last":
            raise ValueError('When using causal padding in `Conv1D`, `data_format` must be "channels_last".')

    def _kernel_of_keras_1(self, kernel: Any) -> Any:
        """``(steps, 1, in, out)``, or ``(out, in, steps, 1)``."""
        if kernel.ndim != 4:
            return kernel
        if kernel.shape[:2] != (self.kernel_size[0], 1) or kernel.shape[3] != self.filters:
            kernel = kernel.transpose(2, 3, 1, 0)
        return kernel[:, 0]


class Conv2D(_Conv):
    """Convolution over images."""

    _rank = 2

    @interfaces.legacy_conv2d_support
    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
        data_format: str | None = None, dilation_rate: Any = (1, 1), activation: Any = None,
        use_bias: bool = True, kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip


class Conv3D(_Conv):
    """Convolution over volumes."""

    _rank = 3

    @interfaces.legacy_conv3d_support
    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1, 1), padding: str = "valid",
        data_format: str | None = None, dilation_rate: Any = (1, 1, 1), activation: Any = None,
        use_bias: bool = True, kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
