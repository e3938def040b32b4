"""Inception V3 (Szegedy et al. 2015, https://arxiv.org/abs/1512.00567)."""

from __future__ import annotations

import sys
from typing import Any

from .. import layers
from .building import Request, Weights, channel_axis, network
from .imagenet_utils import decode_predictions, preparation
from .injection import keras_modules_injection

__all__ = ["InceptionV3", "decode_predictions", "keras_modules_injection", "preprocess_input"]

Tensor = Any
Step = tuple[int, Any]  # filters and kernel size
_WEIGHTS = Weights.tf_kernels(
    "inception_v3",
    "https://github.com/fchollet/deep-learning-models/releases/download/v0.5/",
    "9a0d58056eeedaa3f26cb7ebd46da564",
    "bcbd6486424b2319ff4ef7d526e38f63",
)
_ROW, _COLUMN = (1, 7), (7, 1)


@network
def InceptionV3(request: Request) -> Any:
    """Modules of convolutions of several sizes; images of 299 x 299, prepared by mode ``tf``."""
    image = request.image(request.shape(299, 75))
    x = stem(image)
    for i, projected in enumerate((32, 64, 64)):
        branches = [_chain(x, (64, 1)), _chain(x, (48, 1), (64, 5)), _chain(x, (64, 1), (96, 3), (96, 3))]
        x = _joined([*branches, _averaged(x, projected)], f"mixed{i}")
    branches = [_halved(x, 384), _halved(_chain(x, (64, 1), (96, 3)), 96), layers.MaxPooling2D(3, strides=2)(x)]
    x = _joined(branches, "mixed3")
    for i, n in enumerate((128, 160, 160, 192), 4):
        branches = [
            _chain(x, (192, 1)),
            _chain(x, (n, 1), (n, _ROW), (192, _COLUMN)),
            _chain(x, (n, 1), (n, _COLUMN), (n, _ROW), (n, _COLUMN), (192, _ROW)),
            _averaged(x, 192),
        ]
        x = _joined(branches, f"mixed{i}")
    branches = [
        _halved(_chain(x, (192, 1)), 320),
        _halved(_chain(x, (192, 1), (192, _ROW), (192, _COLUMN)), 192),
        layers.MaxPooling2D(3, strides=2)(x),
    ]
    x = _joined(branches, "mixed8")
    for i in range(2):
        branches = [
            _chain(x, (320, 1)),
            _forked(_chain(x, (384, 1)), f"mixed9_{i}"),
            _forked(_chain(x, (448, 1), (384, 3)), None),
            _averaged(x, 192),
        ]
        x = _joined(branches, f"mixed{9 + i}")
    return request.model(image, request.head(x, "predictions"), "inception_v3", _WEIGHTS)


def stem(image: Tensor) -> Tensor:
    """An eighth of the rows and columns, and 192 channels."""
    x = convolved(image, 32, 3, strides=2, padding="valid")
    x = convolved(convolved(x, 32, 3, padding="valid"), 64, 3)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = convolved(convolved(x, 80, 1, padding="valid"), 192, 3, padding="valid")
    return layers.MaxPooling2D(3, strides=2)(x)


def convolved(x: Tensor, filters: int, size: Any, strides: int = 1, padding: str = "same") -> Tensor:
    """A convolution, batch normalization without scale, and a rectifier."""
    x = layers.Conv2D(filters, size, strides=strides, padding=padding, use_bias=False)(x)
    x = layers.BatchNormalization(axis=channel_axis(), scale=False)(x)
    return layers.Activation("relu")(x)


def _chain(x: Tensor, *steps: Step) -> Tensor:
    for filters, size in steps:
        x = convolved(x, filters, size)
    return x


def _halved(x: Tensor, filters: int) -> Tensor:
    return convolved(x, filters, 3, strides=2, padding="valid")


def _averaged(x: Tensor, filters: int) -> Tensor:
    return convolved(layers.AveragePooling2D(3, strides=1, padding="same")(x), filters, 1)


def _forked(x: Tensor, name: str | None) -> Tensor:
    """A convolution along rows beside one along columns."""
    return _joined([convolved(x, 384, (1, 3)), convolved(x, 384, (3, 1))], name)


def _joined(branches: list[Tensor], name: str | None) -> Tensor:
    return layers.concatenate(branches, axis=channel_axis(), name=name)


preprocess_input = preparation("tf", __name__)
inception_v3 = sys.modules[__name__]  # in Keras, the module that this one took its code from
