"""Locally connected layers: convolutions that do not share their kernel among positions."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..engine.arguments import Argument
from ..engine.base_layer import InputSpec, Layer  # noqa: F401 - a name that Keras has here, too
from ..legacy import interfaces
from ..utils.conv_utils import conv_output_lengths, normalize_padding, normalize_tuple
from .kernel_and_bias import KernelAndBias

Tensor = Any


class _LocallyConnected(KernelAndBias):
    """What locally connected layers of both ranks share. Spatial sizes must be known; no padding is added.

    ``implementation`` names ways to compute the same and is accepted for scripts that pass it.
    """

    _rank = 1
    filters = Argument()
    kernel_size = Argument()
    strides = Argument()
    padding = Argument()
    data_format = Argument()

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any, padding: str, data_format: str | None, activation: Any,
        use_bias: bool, kernel_initializer: Any, bias_initializer: Any, kernel_regularizer: Any, bias_regularizer: Any,
        activity_regularizer: Any, kernel_constraint: Any, bias_constraint: Any, implementation: int = 1, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
        if implementation not in (1, 2, 3):
            raise ValueError(f"`implementation` of layer {self.name} is 1, 2 or 3, got {implementation!r}.")
        rank = self._rank
        self.filters = filters
        self.kernel_size = normalize_tuple(kernel_size, rank, "kernel_size")
        self.strides = normalize_tuple(strides, rank, "strides")
        self.padding = normalize_padding(padding)
        if self.padding != "valid":
            raise ValueError(f'Invalid border mode for {type(self).__name__} (only "valid" is supported): {padding}')
        self.data_format = K.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=rank + 2)
        self.kernel_shape: tuple[int, ...] = ()

    def _lengths(self, input_shape: Any) -> list[Any]:
        space = input_shape[2:] if self.data_format == "channels_first" else input_shape[1:-1]
        return conv_output_lengths(space, self.kernel_size, self.padding, self.strides)

    def build(self, input_shape: Any) -> None:
        axis = 1 if self.data_format == "channels_first" else -1
        if None in input_shape[1:]:
            raise ValueError(
                f"The spatial dimensions of the inputs to a {type(self).__name__} layer should be fully-defined, but "
                f"layer received the inputs shape {tuple(input_shape)}"
            )
        sizes, window = self._lengths(input_shape), input_shape[axis]
        if min(sizes) < 1:
            raise ValueError(f"Layer {self.name}: a window of {self.kernel_size} does not fit {tuple(input_shape)}.")
        positions = 1
        for count, span in zip(sizes, self.kernel_size, strict=True):
            positions, window = positions * count, window * span
        self.kernel_shape = (positions, window, self.filters)
        self._add_kernel(self.kernel_shape)
        self._add_bias((*sizes, self.filters))
        self.input_spec = InputSpec(ndim=self._rank + 2, axes={i: d for i, d in enumerate(input_shape) if i})
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes = self._lengths(input_shape)
        if self.data_format == "channels_first":
            return (input_shape[0], self.filters, *sizes)
        return (input_shape[0], *sizes, self.filters)


class LocallyConnected1D(_LocallyConnected):
    """A convolution over steps with a kernel of its own at each position; steps come before channels."""

    data_format = Argument(written=False)

    @interfaces.legacy_conv1d_support
    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
        activation: Any = None, use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, kernel_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        if K.normalize_data_format(data_format or "channels_last") != "channels_last":
            raise ValueError(f"`LocallyConnected1D` takes channels last only. Found data_format: {data_format}")
        super().__init__(
            filters, kernel_size, strides, padding, "channels_last", activation, use_bias, kernel_initializer,
            bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint,
            bias_constraint, **kwargs,
        )  # fmt: skip

    def call(self, inputs: Tensor) -> Tensor:
        product = K.local_conv1d(inputs, self.kernel, self.kernel_size, self.strides, self.data_format)
        return self._finish(product, self.data_format)


class LocallyConnected2D(_LocallyConnected):
    """A convolution over images with a kernel of its own at each position."""

    _rank = 2

    @interfaces.legacy_conv2d_support
    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
        data_format: str | None = None, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, activation, use_bias, kernel_initializer,
            bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint,
            bias_constraint, **kwargs,
        )  # fmt: skip
        self.output_row: int | None = None
        self.output_col: int | None = None

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.output_row, self.output_col = self._lengths(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        sizes = self._lengths(K.int_shape(inputs))
        product = K.local_conv2d(inputs, self.kernel, self.kernel_size, self.strides, sizes, self.data_format)
        return self._finish(product, self.data_format)
