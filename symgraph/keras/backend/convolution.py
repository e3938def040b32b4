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
    "conv1d", "conv2d", "conv2d_transpose", "conv3d", "depthwise_conv2d", "pool2d", "pool3d", "separable_conv1d",
    "separable_conv2d",
]  # fmt: skip
