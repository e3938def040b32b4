"""Locally connected layers: convolutions that do not share their kernel among positions."""

from __future__ import annotations

from typing import Any

from .. import activations, constraints, initializers, regularizers
from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..legacy import interfaces
from ..utils.conv_utils import conv_output_lengths, normalize_padding, normalize_tuple

Tensor = Any


class _LocallyConnected(Layer):
    """What locally connected layers of both ranks share. Spatial sizes must be known; no padding is added.

    ``implementation`` names ways to compute the same and is accepted for scripts that pass it.
    """

    _rank = 1

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any, padding: str, data_format: str | None, activation: Any,
        use_bias: bool, kernel_initializer: Any, bias_initializer: Any, kernel_regularizer: Any, bias_regularizer: Any,
        activity_regularizer: Any, kernel_constraint: Any, bias_constraint: Any, implementation: int = 1, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
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
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=rank + 2)
        self.kernel_shape: tuple[int, ...] = ()
        self.kernel: Tensor = None
        self.bias: Tensor = None

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
        self.kernel = self.add_weight(
            shape=self.kernel_shape,
            initializer=self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(*sizes, self.filters),
                initializer=self.bias_initializer,
                name="bias",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(ndim=self._rank + 2, axes={i: d for i, d in enumerate(input_shape) if i})
        self.built = True

    def _finish(self, output: Tensor) -> Tensor:
        if self.use_bias:
            output = K.bias_add(output, self.bias, data_format=self.data_format)
        return self.activation(output)

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes = self._lengths(input_shape)
        if self.data_format == "channels_first":
            return (input_shape[0], self.filters, *sizes)
        return (input_shape[0], *sizes, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            **({} if self._rank == 1 else {"data_format": self.data_format}),
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


class LocallyConnected1D(_LocallyConnected):
    """A convolution over steps with a kernel of its own at each position; steps come before channels."""

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
        return self._finish(K.local_conv1d(inputs, self.kernel, self.kernel_size, self.strides, self.data_format))


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
        return self._finish(
            K.local_conv2d(inputs, self.kernel, self.kernel_size, self.strides, sizes, self.data_format)
        )
