"""Arguments and sizes of convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def normalize_tuple(value: Any, n: int, name: str) -> tuple[int, ...]:
    """``n`` integers from one, or from that many.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(value, int):
        return (value,) * n
    try:
        numbers = tuple(int(v) for v in value)
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != n:
        raise ValueError(f"The `{name}` argument must be a tuple of {n} integers. Received: {value}")
    return numbers


def normalize_padding(value: str) -> str:
    """A known padding, in lower case."""
    padding = str(value).lower()
    if padding not in {"valid", "same", "causal"}:
        raise ValueError(
            'The `padding` argument must be one of "valid", "same" (or "causal" for Conv1D). '
            f"Received: {padding}"
        )  # fmt: skip
    return padding


def conv_output_length(input_length: Any, filter_size: int, padding: str, stride: int, dilation: int = 1) -> Any:
    """The number of windows along an axis, None where its size is."""
    if input_length is None:
        return None
    span = (filter_size - 1) * dilation + 1
    length = input_length if padding in ("same", "causal") else input_length - span + 1
    return (length + stride - 1) // stride


def conv_output_lengths(
    space: Sequence[Any], window: Sequence[int], padding: str, strides: Sequence[int],
    dilation: Sequence[int] | None = None,
) -> list[Any]:  # fmt: skip
    """The same for every axis of ``space``."""
    axes = zip(space, window, strides, dilation or (1,) * len(window), strict=True)
    return [conv_output_length(size, span, padding, step, spread) for size, span, step, spread in axes]


def conv_input_length(output_length: Any, filter_size: int, padding: str, stride: int) -> Any:
    """The smallest size of an axis on which there are ``output_length`` windows, None where that is."""
    if output_length is None:
        return None
    if padding not in ("same", "valid", "full"):
        raise ValueError(f'`padding` must be "same", "valid" or "full". Received: {padding}')
    pad = {"same": filter_size // 2, "valid": 0, "full": filter_size - 1}[padding]
    return (output_length - 1) * stride - 2 * pad + filter_size


def convert_kernel(kernel: Any) -> Any:
    """The kernel of a convolution (an array) with its window mirrored: from correlation to convolution, and back."""
    array = np.asarray(kernel)
    if not 3 <= array.ndim <= 5:
        raise ValueError("Invalid kernel shape:", array.shape)
    return np.copy(np.flip(array, tuple(range(array.ndim - 2))))


def deconv_length(
    dim_size: Any, stride_size: int, kernel_size: int, padding: str, output_padding: int | None, dilation: int = 1
) -> Any:
    """The size that a transposed convolution makes of an axis."""
    if dim_size is None:
        return None
    span = kernel_size + (kernel_size - 1) * (dilation - 1)
    if output_padding is None:
        return dim_size * stride_size + (max(span - stride_size, 0) if padding == "valid" else 0)
    pad = span // 2 if padding == "same" else 0
    return (dim_size - 1) * stride_size + span - 2 * pad + output_padding


__all__ = [
    "conv_input_length", "conv_output_length", "conv_output_lengths", "convert_kernel", "deconv_length",
    "normalize_padding", "normalize_tuple",
]  # fmt: skip
