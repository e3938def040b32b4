"""MobileNetV2 (Sandler et al. 2018, https://arxiv.org/abs/1801.04381)."""

from __future__ import annotations

import sys
from typing import Any

from .. import backend as K
from .. import layers
from .building import (
    Request,
    WeightFile,
    Weights,
    channel_axis,
    channels_of,
    correct_pad,
    default_rows,
    published_rows,
)
from .imagenet_utils import decode_predictions, preparation
from .injection import keras_modules_injection

__all__ = ["MobileNetV2", "decode_predictions", "keras_modules_injection", "preprocess_input"]

Tensor = Any
_FOLDER = "https://github.com/JonathanCMitchell/mobilenet_v2_keras/releases/download/v1.1/"
_SIZES = (96, 128, 160, 192, 224)
_ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
#: Filters, blocks and the stride of the first block.
_STAGES = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))
_EXPANSION = 6


@keras_modules_injection
def MobileNetV2(
    input_shape: Any = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Any:
    """17 blocks that widen, convolve and narrow; images of 224 x 224, prepared by mode ``tf``.

    The other arguments are those of :mod:`symgraph.keras.applications`.

    Args:
        alpha: what the numbers of filters are multiplied with. Weights are published for 0.35, 0.5, 0.75, 1, 1.3 and
            1.4, each for images of 96, 128, 160, 192 and 224 rows.

    Raises:
        ValueError: also where ``input_shape`` is not that of ``input_tensor``.
    """
    request = Request(include_top, weights, input_tensor, input_shape, pooling, classes)
    given = input_shape
    if input_tensor is not None and K.is_keras_tensor(input_tensor):
        given = K.int_shape(input_tensor)[1:]
        if input_shape is not None and tuple(input_shape) != given:
            raise ValueError(
                f"`input_shape` is {tuple(input_shape)}, but the shape of an image of `input_tensor` is {given}"
            )
    shape = request.shape(default_rows(given, _SIZES), 32)
    rows = shape[1 if channel_axis() == 1 else 0]
    published: Weights | None = None
    if request.published:
        if alpha not in _ALPHAS:
            raise ValueError(
                "If imagenet weights are being loaded, alpha can be one of `0.35`, `0.50`, `0.75`, `1.0`, `1.3` or "
                "`1.4` only."
            )
        rows = published_rows(shape, _SIZES)
        stem = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{rows}"
        published = Weights(*(WeightFile(stem + end, _FOLDER + stem + end) for end in (".h5", "_no_top.h5")))
    image = request.image(shape)
    x = layers.ZeroPadding2D(correct_pad(image, 3), name="Conv1_pad")(image)
    x = layers.Conv2D(_rounded(32 * alpha), 3, strides=2, use_bias=False, name="Conv1")(x)
    x = _normalized(x, "bn_Conv1", "Conv1_relu")
    number = 0
    for filters, depth, first_stride in _STAGES:
        for i in range(depth):
            x = _block(x, _rounded(int(filters * alpha)), first_stride if i == 0 else 1, number)
            number += 1
    x = layers.Conv2D(_rounded(1280 * max(alpha, 1.0)), 1, use_bias=False, name="Conv_1")(x)
    x = _normalized(x, "Conv_1_bn", "out_relu")
    x = request.head(x, "Logits", top_pool=None)
    return request.model(image, x, f"mobilenetv2_{alpha:0.2f}_{rows}", published)


def _rounded(filters: float) -> int:
    """The multiple of 8 next to ``filters``, but not less than nine tenths of it."""
    multiple = max(8, int(filters + 4) // 8 * 8)
    return multiple + 8 if multiple < 0.9 * filters else multiple


def _block(x: Tensor, filters: int, stride: int, number: int) -> Tensor:
    """Pointwise to more channels (but in the first block), depthwise, pointwise to ``filters``; added to ``x`` if it
    has their shape."""
    inputs, channels = x, channels_of(x)
    name = f"block_{number}_" if number else "expanded_conv_"
    if number:
        x = layers.Conv2D(_EXPANSION * channels, 1, padding="same", use_bias=False, name=name + "expand")(x)
        x = _normalized(x, name + "expand_BN", name + "expand_relu")
    if stride == 2:
        x = layers.ZeroPadding2D(correct_pad(x, 3), name=name + "pad")(x)
    padding = "same" if stride == 1 else "valid"
    x = layers.DepthwiseConv2D(3, strides=stride, padding=padding, use_bias=False, name=name + "depthwise")(x)
    x = _normalized(x, name + "depthwise_BN", name + "depthwise_relu")
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=name + "project")(x)
    x = _normalized(x, name + "project_BN", None)
    return layers.Add(name=name + "add")([inputs, x]) if channels == filters and stride == 1 else x


def _normalized(x: Tensor, name: str, relu: str | None) -> Tensor:
    x = layers.BatchNormalization(axis=channel_axis(), epsilon=1e-3, momentum=0.999, name=name)(x)
    return x if relu is None else layers.ReLU(6.0, name=relu)(x)


preprocess_input = preparation("tf", __name__)
mobilenet_v2 = sys.modules[__name__]  # in Keras, the module that this one took its code from
