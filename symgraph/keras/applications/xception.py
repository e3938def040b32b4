"""Xception (Chollet 2017, https://arxiv.org/abs/1610.02357)."""

from __future__ import annotations

import sys
from typing import Any

from .. import layers
from .building import Request, Weights, channels_last_only, network
from .imagenet_utils import decode_predictions, preparation
from .injection import keras_modules_injection

__all__ = ["Xception", "decode_predictions", "keras_modules_injection", "preprocess_input"]

Tensor = Any
_WEIGHTS = Weights.tf_kernels(
    "xception",
    "https://github.com/fchollet/deep-learning-models/releases/download/v0.4/",
    "0a58e3b7378bc2990ea3b43d5981f1f6",
    "b0042744bf5b25fce3cb969f33bebb97",
)


@network
def Xception(request: Request) -> Any:
    """36 convolutions, most of them separable; images of 299 x 299, prepared by mode ``tf``. ``channels_last`` only."""
    with channels_last_only("Xception"):
        image = request.image(request.shape(299, 71))
        x = layers.Conv2D(32, 3, strides=2, use_bias=False, name="block1_conv1")(image)
        x = _normalized(x, "block1_conv1")
        x = _rectified(x, "block1_conv1")
        x = layers.Conv2D(64, 3, use_bias=False, name="block1_conv2")(x)
        x = _normalized(x, "block1_conv2")
        x = _rectified(x, "block1_conv2")
        x = _halving_block(x, "block2", (128, 128), rectified_first=False)
        x = _halving_block(x, "block3", (256, 256))
        x = _halving_block(x, "block4", (728, 728))
        for number in range(5, 13):
            y = x
            for i in (1, 2, 3):
                name = f"block{number}_sepconv{i}"
                y = _separable(_rectified(y, name), 728, name)
            x = layers.add([y, x])
        x = _halving_block(x, "block13", (728, 1024))
        for i, filters in ((1, 1536), (2, 2048)):
            x = _separable(x, filters, f"block14_sepconv{i}")
            x = _rectified(x, f"block14_sepconv{i}")
        return request.model(image, request.head(x, "predictions"), "xception", _WEIGHTS)


def _halving_block(x: Tensor, block: str, filters: tuple[int, int], rectified_first: bool = True) -> Tensor:
    """Two separable convolutions and a pooling of stride 2, beside a convolution of stride 2."""
    shortcut = layers.Conv2D(filters[1], 1, strides=2, padding="same", use_bias=False)(x)
    shortcut = layers.BatchNormalization()(shortcut)
    for i, count in enumerate(filters, 1):
        name = f"{block}_sepconv{i}"
        x = _rectified(x, name) if i > 1 or rectified_first else x
        x = _separable(x, count, name)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=block + "_pool")(x)
    return layers.add([x, shortcut])


def _separable(x: Tensor, filters: int, name: str) -> Tensor:
    return _normalized(layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x), name)


def _normalized(x: Tensor, name: str) -> Tensor:
    return layers.BatchNormalization(name=name + "_bn")(x)


def _rectified(x: Tensor, name: str) -> Tensor:
    return layers.Activation("relu", name=name + "_act")(x)


preprocess_input = preparation("tf", __name__)
xception = sys.modules[__name__]  # in Keras, the module that this one took its code from
