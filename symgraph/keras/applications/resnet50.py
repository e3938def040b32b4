"""ResNet50 (He et al. 2015, https://arxiv.org/abs/1512.03385), with the layer names it has had since Keras 1.

``keras.applications.resnet`` has the same network under later names; their files of weights differ.
"""

from __future__ import annotations

import sys
from typing import Any

from .. import layers
from .building import Request, Weights, channel_axis, network
from .imagenet_utils import decode_predictions, preprocess_input
from .injection import keras_modules_injection

__all__ = ["ResNet50", "decode_predictions", "keras_modules_injection", "preprocess_input"]

Tensor = Any
_WEIGHTS = Weights.tf_kernels(
    "resnet50",
    "https://github.com/fchollet/deep-learning-models/releases/download/v0.2/",
    "a7b3fe01876f51b976af0dea6bc144eb",
    "a268eb855778b3df3c7506639542a6af",
)
_STAGES = {2: "abc", 3: "abcd", 4: "abcdef", 5: "abc"}


@network
def ResNet50(request: Request) -> Any:
    """50 layers with shortcuts; images of 224 x 224, prepared by mode ``caffe``."""
    image = request.image(request.shape(224, 32))
    x = layers.ZeroPadding2D(3, name="conv1_pad")(image)
    x = layers.Conv2D(64, 7, strides=2, kernel_initializer="he_normal", name="conv1")(x)
    x = layers.BatchNormalization(axis=channel_axis(), name="bn_conv1")(x)
    x = layers.Activation("relu")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2)(x)
    for stage, blocks in _STAGES.items():
        filters = 64 << stage - 2
        for block in blocks:
            stride = 2 if block == "a" and stage > 2 else 1
            x = _block(x, filters, f"{stage}{block}_branch", stride, projected=block == "a")
    return request.model(image, request.head(x, "fc1000"), "resnet50", _WEIGHTS)


def _block(x: Tensor, filters: int, name: str, stride: int, projected: bool) -> Tensor:
    """Three convolutions beside a shortcut, which is a fourth one where ``projected``."""
    y = layers.Activation("relu")(_convolved(x, filters, 1, name + "2a", strides=stride))
    y = layers.Activation("relu")(_convolved(y, filters, 3, name + "2b", padding="same"))
    y = _convolved(y, 4 * filters, 1, name + "2c")
    shortcut = _convolved(x, 4 * filters, 1, name + "1", strides=stride) if projected else x
    return layers.Activation("relu")(layers.add([y, shortcut]))


def _convolved(x: Tensor, filters: int, size: int, name: str, **options: Any) -> Tensor:
    x = layers.Conv2D(filters, size, kernel_initializer="he_normal", name="res" + name, **options)(x)
    return layers.BatchNormalization(axis=channel_axis(), name="bn" + name)(x)


resnet50 = sys.modules[__name__]  # in Keras, the module that this one took its code from
