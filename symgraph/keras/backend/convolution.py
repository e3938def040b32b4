"""Convolution, pooling and spatial resizing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import symgraph as sg

from .common import normalize_data_format

Tensor = Any


def conv1d(
    x: Tensor, kernel: Tensor, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:  # fmt: skip
    """Convolution over steps."""
    return sg.conv(x, kernel, strides, padding, dilation_rate, data_format=normalize_data_format(data_format))


def conv2d(
    x: Tensor, kernel: Tensor, strides: Any = (1, 1), padding: str = "valid", data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Tensor:  # fmt: skip
    """Convolution over images."""
    return sg.conv(x, kernel, strides, padding, dilation_rate, data_format=normalize_data_format(data_format))


def conv3d(
    x: Tensor, kernel: Tensor, strides: Any = (1, 1, 1), padding: str = "valid", data_format: str | None = None,
    dilation_rate: Any = (1, 1, 1),
) -> Tensor:  # fmt: skip
    """Convolution over volumes."""
    return sg.conv(x, kernel, strides, padding, dilation_rate, data_format=normalize_data_format(data_format))


def conv2d_transpose(
    x: Tensor, kernel: Tensor, output_shape: Sequence[Any], strides: Any = (1, 1), padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = (1, 1),
) -> Tensor:  # fmt: skip
    """The transpose of :func:`conv2d`; ``output_shape`` is of the whole result."""
    layout = normalize_data_format(data_format)
    sizes = output_shape[1:3] if layout == "channels_last" else output_shape[2:4]
    return sg.conv_transpose(x, kernel, sizes, strides, padding, dilation_rate, layout)


def conv3d_transpose(
    x: Tensor, kernel: Tensor, output_shape: Sequence[Any], strides: Any = (1, 1, 1), padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:  # fmt: skip
    """The transpose of :func:`conv3d`; ``output_shape`` is of the whole result."""
    layout = normalize_data_format(data_format)
    sizes = output_shape[1:4] if layout == "channels_last" else output_shape[2:5]
    return sg.conv_transpose(x, kernel, sizes, strides, padding, 1, layout)


def depthwise_conv2d(
    x: Tensor, depthwise_kernel: Tensor, strides: Any = (1, 1), padding: str = "valid", data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Tensor:  # fmt: skip
    """Each channel convolved by itself."""
    return sg.depthwise_conv(x, depthwise_kernel, strides, padding, dilation_rate, normalize_data_format(data_format))


def separable_conv1d(
    x: Tensor, depthwise_kernel: Tensor, pointwise_kernel: Tensor, strides: Any = 1, padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = 1,
) -> Tensor:  # fmt: skip
    """A depthwise convolution, then a mixing of channels."""
    layout = normalize_data_format(data_format)
    return sg.separable_conv(x, depthwise_kernel, pointwise_kernel, strides, padding, dilation_rate, layout)


def separable_conv2d(
    x: Tensor, depthwise_kernel: Tensor, pointwise_kernel: Tensor, strides: Any = (1, 1), padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = (1, 1),
) -> Tensor:  # fmt: skip
    """A depthwise convolution, then a mixing of channels."""
    layout = normalize_data_format(data_format)
    return sg.separable_conv(x, depthwise_kernel, pointwise_kernel, strides, padding, dilation_rate, layout)


def local_conv1d(
    inputs: Tensor, kernel: Tensor, kernel_size: Sequence[int], strides: Sequence[int], data_format: str | None = None
) -> Tensor:
    """Convolution over steps with a kernel of its own at each position: ``(positions, size * channels, filters)``."""
    (size,) = kernel_size
    weights = sg.reshape(kernel, (kernel.shape[0], size, inputs.shape[2], -1))
    return sg.local_conv(inputs, weights, strides)


def local_conv2d(
    inputs: Tensor, kernel: Tensor, kernel_size: Sequence[int], strides: Sequence[int], output_shape: Sequence[int],
    data_format: str | None = None,
) -> Tensor:  # fmt: skip
    """Convolution over images with a kernel of its own at each position.

    ``kernel``: ``(rows * columns, size, filters)`` for an output of ``output_shape`` rows and columns; a window is
    laid out as the input is: with its channels last or first.
    """
    layout = normalize_data_format(data_format)
    if layout == "channels_first":
        weights = sg.reshape(kernel, (*output_shape, inputs.shape[1], *kernel_size, -1))
        weights = sg.moveaxis(weights, 2, 4)
    else:
        weights = sg.reshape(kernel, (*output_shape, *kernel_size, inputs.shape[3], -1))
    return sg.local_conv(inputs, weights, strides, data_format=layout)


def resize_images(
    x: Tensor, height_factor: int, width_factor: int, data_format: str, interpolation: str = "nearest"
) -> Tensor:
    """Images enlarged by whole factors.

    ``nearest`` repeats pixels. ``bilinear`` puts each pixel at the first of its copies and goes straight to the next
    pixel (after the last one it stays), as TensorFlow 1 does.
    """
    if interpolation not in ("nearest", "bilinear"):
        raise ValueError('interpolation should be one of "nearest" or "bilinear".')
    return sg.upsample(x, (height_factor, width_factor), interpolation, normalize_data_format(data_format))


def pool2d(
    x: Tensor, pool_size: Any, strides: Any = (1, 1), padding: str = "valid", data_format: str | None = None,
    pool_mode: str = "max",
) -> Tensor:  # fmt: skip
    """The largest element (``max``) or the mean (``avg``) of windows."""
    return _pool(x, pool_size, strides, padding, data_format, pool_mode)


def pool3d(
    x: Tensor, pool_size: Any, strides: Any = (1, 1, 1), padding: str = "valid", data_format: str | None = None,
    pool_mode: str = "max",
) -> Tensor:  # fmt: skip
    """The largest element (``max``) or the mean (``avg``) of windows."""
    return _pool(x, pool_size, strides, padding, data_format, pool_mode)


def _pool(x: Tensor, size: Any, strides: Any, padding: str, data_format: str | None, mode: str) -> Tensor:
    if mode not in ("max", "avg"):
        raise ValueError("Invalid pooling mode: " + str(mode))
    pool = sg.max_pool if mode == "max" else sg.avg_pool
    return pool(x, size, strides, padding, normalize_data_format(data_format))


__all__ = [
    "conv1d", "conv2d", "conv2d_transpose", "conv3d", "conv3d_transpose", "depthwise_conv2d", "local_conv1d",
    "local_conv2d", "pool2d", "pool3d", "resize_images", "separable_conv1d", "separable_conv2d",
]  # fmt: skip
