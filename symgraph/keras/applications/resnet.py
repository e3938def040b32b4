"""ResNet with 50, 101 and 152 layers (He et al. 2015, https://arxiv.org/abs/1512.03385)."""

from __future__ import annotations

import sys
from typing import Any

from .. import layers
from .building import Request, Weights, network
from .imagenet_utils import decode_predictions, preparation
from .injection import keras_modules_injection
from .residual import FOLDER, Version, normalized, residual_network

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "keras_modules_injection", "preprocess_input"]

Tensor = Any
_RESNET50 = Weights.tf_kernels(
    "resnet50", FOLDER, "2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"
)  # fmt: skip
_RESNET101 = Weights.tf_kernels(
    "resnet101", FOLDER, "f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"
)  # fmt: skip
_RESNET152 = Weights.tf_kernels(
    "resnet152", FOLDER, "100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"
)  # fmt: skip


def _stack(x: Tensor, number: int, depth: int, filters: int) -> Tensor:
    """Blocks of which the first has a convolution on its shortcut and, in later stacks, halves the image."""
    for i in range(1, depth + 1):
        x = _block(x, filters, 2 if i == 1 and number > 2 else 1, i == 1, f"conv{number}_block{i}")
    return x


def _block(x: Tensor, filters: int, stride: int, projected: bool, name: str) -> Tensor:
    shortcut = x
    if projected:
        shortcut = layers.Conv2D(4 * filters, 1, strides=stride, name=name + "_0_conv")(x)
        shortcut = normalized(shortcut, name + "_0_bn")
    x = layers.Conv2D(filters, 1, strides=stride, name=name + "_1_conv")(x)
    x = normalized(x, name + "_1_bn", name + "_1_relu")
    x = layers.Conv2D(filters, 3, padding="same", name=name + "_2_conv")(x)
    x = normalized(x, name + "_2_bn", name + "_2_relu")
    x = layers.Conv2D(4 * filters, 1, name=name + "_3_conv")(x)
    x = normalized(x, name + "_3_bn")
    x = layers.Add(name=name + "_add")([shortcut, x])
    return layers.Activation("relu", name=name + "_out")(x)


_VERSION = Version(_stack, normalized_first=False)


@network
def ResNet50(request: Request) -> Any:
    """50 layers with shortcuts; images of 224 x 224, prepared by mode ``caffe``."""
    return residual_network(request, "resnet50", _VERSION, (3, 4, 6, 3), _RESNET50)


@network
def ResNet101(request: Request) -> Any:
    """101 layers with shortcuts; images of 224 x 224, prepared by mode ``caffe``."""
    return residual_network(request, "resnet101", _VERSION, (3, 4, 23, 3), _RESNET101)


@network
def ResNet152(request: Request) -> Any:
    """152 layers with shortcuts; images of 224 x 224, prepared by mode ``caffe``."""
    return residual_network(request, "resnet152", _VERSION, (3, 8, 36, 3), _RESNET152)


preprocess_input = preparation("caffe", __name__)
resnet = sys.modules[__name__]  # in Keras, the module that this one took its code from
