"""The two cells of NASNet-A (Zoph et al. 2018, figure 4). Both see the tensor before them and the one before that."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from .. import layers
from .building import correct_pad

Tensor = Any


def normalized(x: Tensor, name: str) -> Tensor:
    """Batch normalization with the moving averages of NASNet."""
    return layers.BatchNormalization(momentum=0.9997, epsilon=1e-3, name=name)(x)


def normal_cell(x: Tensor, before: Tensor, filters: int, name: str) -> tuple[Tensor, Tensor]:
    """Six times ``filters`` channels of the same rows and columns; also ``x``, for the next cell."""
    p = _adjusted(before, x, filters, name)
    h = _projected(x, filters, f"normal_conv_1_{name}", f"normal_bn_1_{name}")
    left = _separable(h, filters, 5, f"normal_left1_{name}")
    right = _separable(p, filters, 3, f"normal_right1_{name}")
    x1 = layers.add([left, right], name=f"normal_add_1_{name}")
    left = _separable(p, filters, 5, f"normal_left2_{name}")
    right = _separable(p, filters, 3, f"normal_right2_{name}")
    x2 = layers.add([left, right], name=f"normal_add_2_{name}")
    x3 = layers.add([_averaged(h, f"normal_left3_{name}"), p], name=f"normal_add_3_{name}")
    left, right = _averaged(p, f"normal_left4_{name}"), _averaged(p, f"normal_right4_{name}")
    x4 = layers.add([left, right], name=f"normal_add_4_{name}")
    x5 = layers.add([_separable(h, filters, 3, f"normal_left5_{name}"), h], name=f"normal_add_5_{name}")
    return layers.concatenate([p, x1, x2, x3, x4, x5], name=f"normal_concat_{name}"), x


def reduction_cell(x: Tensor, before: Tensor | None, filters: int, name: str) -> tuple[Tensor, Tensor]:
    """Four times ``filters`` channels of half the rows and columns; also ``x``, for the next cell."""
    p = _adjusted(before, x, filters, name)
    h = _projected(x, filters, f"reduction_conv_1_{name}", f"reduction_bn_1_{name}")
    padded = layers.ZeroPadding2D(correct_pad(h, 3), name=f"reduction_pad_1_{name}")(h)
    left = _separable(h, filters, 5, f"reduction_left1_{name}", stride=2)
    right = _separable(p, filters, 7, f"reduction_right1_{name}", stride=2)
    x1 = layers.add([left, right], name=f"reduction_add_1_{name}")
    left = layers.MaxPooling2D(3, strides=2, name=f"reduction_left2_{name}")(padded)
    right = _separable(p, filters, 7, f"reduction_right2_{name}", stride=2)
    x2 = layers.add([left, right], name=f"reduction_add_2_{name}")
    left = layers.AveragePooling2D(3, strides=2, name=f"reduction_left3_{name}")(padded)
    right = _separable(p, filters, 5, f"reduction_right3_{name}", stride=2)
    x3 = layers.add([left, right], name=f"reduction_add3_{name}")
    x4 = layers.add([x2, _averaged(x1, f"reduction_left4_{name}")])
    left = _separable(x1, filters, 3, f"reduction_left4_{name}")
    right = layers.MaxPooling2D(3, strides=2, name=f"reduction_right5_{name}")(padded)
    x5 = layers.add([left, right], name=f"reduction_add4_{name}")
    return layers.concatenate([x2, x3, x4, x5], name=f"reduction_concat_{name}"), x


def _adjusted(before: Tensor | None, x: Tensor, filters: int, name: str) -> Tensor:
    """``before`` with the rows and columns of ``x`` and, where it is changed, ``filters`` channels."""
    if before is None:
        return x
    shape, wanted = K.int_shape(before), K.int_shape(x)
    if shape[-2] != wanted[-2]:
        return _halved(before, filters, name)
    if shape[-1] != filters:
        return _projected(before, filters, f"adjust_conv_projection_{name}", f"adjust_bn_{name}")
    return before


def _halved(x: Tensor, filters: int, name: str) -> Tensor:
    """Every second row and column, once from the first and once from the second, with half of ``filters`` each."""
    x = layers.Activation("relu", name=f"adjust_relu_1_{name}")(x)
    shifted = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    shifted = layers.Cropping2D(((1, 0), (1, 0)))(shifted)
    parts = []
    for i, part in ((1, x), (2, shifted)):
        part = layers.AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_{i}_{name}")(part)
        parts.append(_pointwise(part, filters // 2, f"adjust_conv_{i}_{name}"))
    return normalized(layers.concatenate(parts), f"adjust_bn_{name}")


def _projected(x: Tensor, filters: int, conv: str, bn: str) -> Tensor:
    return normalized(_pointwise(layers.Activation("relu")(x), filters, conv), bn)


def _pointwise(x: Tensor, filters: int, name: str) -> Tensor:
    return layers.Conv2D(
        filters, 1, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )(x)  # fmt: skip


def _averaged(x: Tensor, name: str) -> Tensor:
    return layers.AveragePooling2D(3, strides=1, padding="same", name=name)(x)


def _separable(x: Tensor, filters: int, size: int, name: str, stride: int = 1) -> Tensor:
    """Twice a rectifier, a separable convolution and batch normalization; the first with the stride."""
    for i, step in ((1, stride), (2, 1)):
        x, padding = layers.Activation("relu")(x), "same"
        if step == 2:
            padding = "valid"
            x = layers.ZeroPadding2D(correct_pad(x, size), name=f"separable_conv_{i}_pad_{name}")(x)
        x = layers.SeparableConv2D(
            filters,
            size,
            strides=step,
            padding=padding,
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"separable_conv_{i}_{name}",
        )(x)
        x = normalized(x, f"separable_conv_{i}_bn_{name}")
    return x
