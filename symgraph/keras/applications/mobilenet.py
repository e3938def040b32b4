"""MobileNet (Howard et al. 2017, https://arxiv.org/abs/1704.04861)."""

from __future__ import annotations

import sys
from typing import Any

from .. import layers
from .building import (
    Request,
    WeightFile,
    Weights,
    channel_axis,
    default_rows,
    published_rows,
)
from .imagenet_utils import decode_predictions, preparation
from .injection import keras_modules_injection

__all__ = ["MobileNet", "decode_predictions", "keras_modules_injection", "preprocess_input"]

Tensor = Any
_FOLDER = "https://github.com/fchollet/deep-learning-models/releases/download/v0.6/"
_SIZES = (128, 160, 192, 224)
_ALPHAS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}
_FILTERS = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
_HALVING = frozenset({2, 4, 6, 12})


@keras_modules_injection
def MobileNet(
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Any:
    """13 pairs of a depthwise and a pointwise convolution; images of 224 x 224, prepared by mode ``tf``.

    The other arguments are those of :mod:`symgraph.keras.applications`.

    Args:
        alpha: what the numbers of filters are multiplied with. Weights are published for 0.25, 0.5, 0.75 and 1, each
            for images of 128, 160, 192 and 224 rows.
        depth_multiplier: depthwise filters per channel; published for 1.
        dropout: the rate before the classifier.
    """
    request = Request(include_top, weights, input_tensor, input_shape, pooling, classes)
    shape = request.shape(default_rows(input_shape, _SIZES), 32)
    rows = shape[1 if channel_axis() == 1 else 0]
    published: Weights | None = None
    if request.published:
        if depth_multiplier != 1:
            raise ValueError("If imagenet weights are being loaded, depth multiplier must be 1")
        if alpha not in _ALPHAS:
            raise ValueError(
                "If imagenet weights are being loaded, alpha can be one of `0.25`, `0.50`, `0.75` or `1.0` only."
            )
        rows = published_rows(shape, _SIZES)
        names = [f"mobilenet_{_ALPHAS[alpha]}_{rows}_tf{end}.h5" for end in ("", "_no_top")]
        published = Weights(*(WeightFile(name, _FOLDER + name) for name in names))
    image = request.image(shape)
    x = layers.ZeroPadding2D(((0, 1), (0, 1)), name="conv1_pad")(image)
    x = layers.Conv2D(int(32 * alpha), 3, strides=2, use_bias=False, name="conv1")(x)
    x = _normalized(x, "conv1")
    for i, filters in enumerate(_FILTERS, 1):
        x = _pair(x, int(filters * alpha), depth_multiplier, i)
    x = _classified(x, request, int(1024 * alpha), dropout) if include_top else request.pooled(x, {})
    return request.model(image, x, f"mobilenet_{alpha:0.2f}_{rows}", published)


def _pair(x: Tensor, filters: int, depth_multiplier: int, number: int) -> Tensor:
    stride, padding = (2, "valid") if number in _HALVING else (1, "same")
    if stride == 2:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    x = layers.DepthwiseConv2D(
        3,
        strides=stride,
        padding=padding,
        depth_multiplier=depth_multiplier,
        use_bias=False,
        name=f"conv_dw_{number}",
    )(x)
    x = _normalized(x, f"conv_dw_{number}")
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"conv_pw_{number}")(x)
    return _normalized(x, f"conv_pw_{number}")


def _normalized(x: Tensor, name: str) -> Tensor:
    x = layers.BatchNormalization(axis=channel_axis(), name=name + "_bn")(x)
    return layers.ReLU(6.0, name=name + "_relu")(x)


def _classified(x: Tensor, request: Request, channels: int, dropout: float) -> Tensor:
    """The classifier is a convolution, as which its weights are published."""
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Reshape((channels, 1, 1) if channel_axis() == 1 else (1, 1, channels), name="reshape_1")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Conv2D(request.classes, 1, padding="same", name="conv_preds")(x)
    x = layers.Reshape((request.classes,), name="reshape_2")(x)
    return layers.Activation("softmax", name="act_softmax")(x)


preprocess_input = preparation("tf", __name__)
mobilenet = sys.modules[__name__]  # in Keras, the module that this one took its code from
