"""VGG16 (Simonyan and Zisserman 2015, https://arxiv.org/abs/1409.1556)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from .. import layers
from .building import Request, Weights, network
from .imagenet_utils import decode_predictions, preprocess_input
from .injection import keras_modules_injection

__all__ = ["VGG16", "decode_predictions", "keras_modules_injection", "preprocess_input"]

FOLDER = "https://github.com/fchollet/deep-learning-models/releases/download/v0.1/"
_WEIGHTS = Weights.tf_kernels(
    "vgg16", FOLDER, "64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"
)  # fmt: skip


@network
def VGG16(request: Request) -> Any:
    """13 convolutions and 3 dense layers; images of 224 x 224, prepared by mode ``caffe``."""
    return vgg(request, "vgg16", (2, 2, 3, 3, 3), _WEIGHTS)


def vgg(request: Request, name: str, depths: Sequence[int], published: Weights) -> Any:
    """Blocks of ``depths`` convolutions with 64, 128, 256, 512, 512 filters, and the classifier."""
    image = x = request.image(request.shape(224, 32))
    for block, (filters, depth) in enumerate(zip((64, 128, 256, 512, 512), depths, strict=True), 1):
        for i in range(1, depth + 1):
            x = layers.Conv2D(filters, 3, activation="relu", padding="same", name=f"block{block}_conv{i}")(x)
        x = layers.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
    if request.include_top:
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(4096, activation="relu", name="fc1")(x)
        x = layers.Dense(4096, activation="relu", name="fc2")(x)
        x = layers.Dense(request.classes, activation="softmax", name="predictions")(x)
    else:
        x = request.pooled(x, {})
    return request.model(image, x, name, published)


vgg16 = sys.modules[__name__]  # in Keras, the module that this one took its code from
