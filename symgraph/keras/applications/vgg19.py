"""VGG19 (Simonyan and Zisserman 2015, https://arxiv.org/abs/1409.1556)."""

from __future__ import annotations

import sys
from typing import Any

from .building import Request, Weights, network
from .imagenet_utils import decode_predictions, preprocess_input
from .injection import keras_modules_injection
from .vgg16 import FOLDER, vgg

__all__ = ["VGG19", "decode_predictions", "keras_modules_injection", "preprocess_input"]

_WEIGHTS = Weights.tf_kernels(
    "vgg19", FOLDER, "cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"
)  # fmt: skip


@network
def VGG19(request: Request) -> Any:
    """16 convolutions and 3 dense layers; images of 224 x 224, prepared by mode ``caffe``."""
    return vgg(request, "vgg19", (2, 2, 4, 4, 4), _WEIGHTS)


vgg19 = sys.modules[__name__]  # in Keras, the module that this one took its code from
