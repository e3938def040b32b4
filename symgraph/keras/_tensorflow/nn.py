"""Activations, convolutions, pooling and losses, under the names of ``tf.nn``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import symgraph as sg
from symgraph import Tensor

from .. import backend as K
from .arrays import tensor
from .image import depth_to_space, space_to_depth
from .math import l2_normalize, log_sigmoid, sigmoid, softplus, tanh, top_k

__all__ = [
    "avg_pool",
    "batch_normalization",
    "bias_add",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "depth_to_space",
    "depthwise_conv2d",
    "dropout",
    "elu",
    "embedding_lookup",
    "l2_loss",
    "l2_normalize",
    "leaky_relu",
    "local_response_normalization",
    "log_sigmoid",
    "log_softmax",
    "lrn",
    "max_pool",
    "moments",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "sigmoid_cross_entropy_with_logits",
    "softmax",
    "softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits_v2",
    "softplus",
    "softsign",
    "space_to_depth",
    "sparse_softmax_cross_entropy_with_logits",
    "swish",
    "tanh",
    "top_k",
]


def relu(features: Any, name: str | None = None) -> Tensor:
    """``max(x, 0)``."""
    return sg.relu(tensor(features))


def relu6(features: Any, name: str | None = None) -> Tensor:
    """``x`` between 0 and 6."""
    return sg.relu6(tensor(features))


def leaky_relu(features: Any, alpha: float = 0.2, name: str | None = None) -> Tensor:
    """``x`` above 0, ``alpha * x`` below."""
    return sg.leaky_relu(tensor(features), alpha)


def elu(features: Any, name: str | None = None) -> Tensor:
    """``x`` above 0, ``exp(x) - 1`` below."""
    return sg.elu(tensor(features))


def selu(features: Any, name: str | None = None) -> Tensor:
    """``elu`` scaled to keep mean and variance."""
    return sg.selu(tensor(features))


def swish(features: Any, name: str | None = None) -> Tensor:
    """``x * sigmoid(x)``."""
    return sg.swish(tensor(features))


def softsign(features: Any, name: str | None = None) -> Tensor:
    """``x / (1 + |x|)``."""
    return sg.softsign(tensor(features))


def softmax(logits: Any, axis: int | None = None, name: str | None = None, dim: int | None = None) -> Tensor:
    """``exp(x)`` by its sum along an axis (the last one)."""
    return sg.softmax(tensor(logits), _axis(axis, dim))


def log_softmax(logits: Any, axis: int | None = None, name: str | None = None, dim: int | None = None) -> Tensor:
    """The logarithm of ``softmax``."""
    return sg.log_softmax(tensor(logits), _axis(axis, dim))


def _axis(axis: int | None, dim: int | None) -> int:
    """``dim`` is TensorFlow 1's name of ``axis``."""
    return axis if axis is not None else dim if dim is not None else -1


def dropout(
    x: Tensor,
    keep_prob: float | None = None,
    noise_shape: Sequence[Any] | None = None,
    seed: int | None = None,
    name: str | None = None,
    rate: float | None = None,
) -> Tensor:
    """Zeros in place of random entries, and the others scaled up.

    Raises:
        TypeError: for an unnamed number: it is the part that stays in TensorFlow 1, and the part that goes in 2.
    """
    if rate is None:
        raise TypeError("tf.nn.dropout needs rate=..., the part of the entries to drop (TensorFlow 1's 1 - keep_prob)")
    return K.dropout(x, rate, noise_shape, seed)


def conv1d(input: Tensor, filters: Tensor, stride: Any, padding: str, name: str | None = None) -> Tensor:
    """A convolution along one axis, channels last."""
    return sg.conv(input, filters, _steps(stride, 1), _border(padding))


def conv2d(
    input: Tensor,
    filters: Any = None,
    strides: Any = 1,
    padding: str = "VALID",
    data_format: str = "NHWC",
    dilations: Any = 1,
    name: str | None = None,
    filter: Any = None,
) -> Tensor:
    """A convolution of images; ``filter`` is TensorFlow 1's name of ``filters``."""
    kernel = filters if filters is not None else filter
    layout = "channels_last" if data_format == "NHWC" else "channels_first"
    return sg.conv(input, kernel, _steps(strides, 2), _border(padding), _steps(dilations, 2), data_format=layout)


def depthwise_conv2d(input: Tensor, filter: Tensor, strides: Any, padding: str, name: str | None = None) -> Tensor:
    """A convolution of each channel by itself."""
    return K.depthwise_conv2d(input, filter, tuple(_steps(strides, 2)), padding.lower())


def conv2d_transpose(
    input: Tensor, filters: Tensor, output_shape: Any, strides: Any, padding: str = "SAME", name: str | None = None
) -> Tensor:
    """The gradient of a convolution, as an operation."""
    return K.conv2d_transpose(input, filters, tuple(output_shape), tuple(_steps(strides, 2)), padding.lower())


def max_pool(input: Tensor, ksize: Any, strides: Any, padding: str, name: str | None = None) -> Tensor:
    """The largest of each window, channels last."""
    axes = input.ndim - 2
    return sg.max_pool(input, _steps(ksize, axes), _steps(strides, axes), _border(padding))


def avg_pool(input: Tensor, ksize: Any, strides: Any, padding: str, name: str | None = None) -> Tensor:
    """The mean of each window, channels last."""
    axes = input.ndim - 2
    return sg.avg_pool(input, _steps(ksize, axes), _steps(strides, axes), _border(padding))


def _steps(numbers: Any, axes: int) -> list[int]:
    """One number for each axis of space, from one for all, one for each, or also one for samples and channels."""
    given = [int(numbers)] if not isinstance(numbers, (list, tuple)) else [int(number) for number in numbers]
    if len(given) == axes + 2:
        given = given[1:-1]
    return given * axes if len(given) == 1 else given


def _border(padding: str) -> Any:
    if padding.lower() not in ("same", "valid"):
        raise ValueError(f"padding must be 'SAME' or 'VALID', got {padding!r}")
    return padding.lower()


def bias_add(value: Tensor, bias: Tensor, name: str | None = None) -> Tensor:
    """``bias`` added to the last axis."""
    return value + bias


def moments(
    x: Any, axes: Any, name: str | None = None, keepdims: bool = False, keep_dims: bool = False
) -> tuple[Tensor, Tensor]:
    """Mean and variance over axes."""
    over = tuple(axes) if isinstance(axes, list) else axes
    t, keep = tensor(x), keepdims or keep_dims
    return sg.mean(t, over, keep), sg.var(t, over, keepdims=keep)


def batch_normalization(
    x: Tensor, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: float, name: str | None = None
) -> Tensor:
    """``x`` shifted and scaled to ``offset`` and ``scale``, either of which may be None."""
    factor = sg.rsqrt(variance + variance_epsilon)
    if scale is not None:
        factor = factor * scale
    done = (x - mean) * factor
    return done if offset is None else done + offset


def local_response_normalization(
    input: Tensor,
    depth_radius: int = 5,
    bias: float = 1.0,
    alpha: float = 1.0,
    beta: float = 0.5,
    name: str | None = None,
) -> Tensor:
    """``input`` by a power of the squares of its neighbouring channels (Krizhevsky et al. 2012)."""
    channels = input.shape[-1]
    near = sg.pad(sg.square(input), [*[(0, 0)] * (input.ndim - 1), (depth_radius, depth_radius)])
    total = near[..., :channels]
    for shift in range(1, 2 * depth_radius + 1):
        total = total + near[..., shift : shift + channels]
    return input / (bias + alpha * total) ** beta


lrn = local_response_normalization


def embedding_lookup(params: Any, ids: Any, name: str | None = None) -> Tensor:
    """The rows of ``params`` that ``ids`` name."""
    return sg.take(params, ids, 0)


def l2_loss(t: Any, name: str | None = None) -> Tensor:
    """Half the sum of squares."""
    return sg.sum(sg.square(tensor(t))) * 0.5


def softmax_cross_entropy_with_logits(labels: Any, logits: Any, axis: int = -1, name: str | None = None) -> Tensor:
    """Cross-entropy of distributions and the softmax of ``logits``, one number a sample."""
    return -sg.sum(tensor(labels) * sg.log_softmax(tensor(logits), axis), axis)


softmax_cross_entropy_with_logits_v2 = softmax_cross_entropy_with_logits


def sparse_softmax_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> Tensor:
    """The same for class numbers."""
    scores = sg.log_softmax(tensor(logits))
    return -sg.squeeze(sg.take_along_axis(scores, sg.expand_dims(sg.cast(labels, "int64"), -1), -1), -1)


def sigmoid_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> Tensor:
    """Cross-entropy of probabilities and the sigmoid of ``logits``, element by element."""
    score = tensor(logits)
    return sg.softplus(score) - score * tensor(labels)
