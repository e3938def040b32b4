"""ResNetV2: blocks that start with batch normalization (He et al. 2016, https://arxiv.org/abs/1603.05027)."""

from __future__ import annotations

import sys
from typing import Any

from .. import layers
from .building import Request, Weights, network
from .imagenet_utils import decode_predictions, preparation
from .injection import keras_modules_injection
from .residual import FOLDER, Version, normalized, residual_network

__all__ = [
    "ResNet50V2",
    "ResNet101V2",
    "ResNet152V2",
    "decode_predictions",
    "keras_modules_injection",
    "preprocess_input",
]

Tensor = Any
_RESNET50 = Weights.tf_kernels(
    "resnet50v2", FOLDER, "3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917"
)  # fmt: skip
_RESNET101 = Weights.tf_kernels(
    "resnet101v2", FOLDER, "6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5"
)  # fmt: skip
_RESNET152 = Weights.tf_kernels(
    "resnet152v2", FOLDER, "a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33"
)  # fmt: skip


def _stack(x: Tensor, number: int, depth: int, filters: int) -> Tensor:
    """Blocks of which the first has a convolution on its shortcut, and the last, but in the last stack, halves the
    image."""
    for i in range(1, depth + 1):
        x = _block(x, filters, 2 if i == depth and number < 5 else 1, i == 1, f"conv{number}_block{i}")
    return x


def _block(x: Tensor, filters: int, stride: int, projected: bool, name: str) -> Tensor:
    first = normalized(x, name + "_preact_bn", name + "_preact_relu")
    if projected:
        shortcut = layers.Conv2D(4 * filters, 1, strides=stride, name=name + "_0_conv")(first)
    else:
        shortcut = layers.MaxPooling2D(1, strides=stride)(x) if stride > 1 else x
    x = layers.Conv2D(filters, 1, use_bias=False, name=name + "_1_conv")(first)
    x = normalized(x, name + "_1_bn", name + "_1_relu")
    x = layers.ZeroPadding2D(1, name=name + "_2_pad")(x)
    x = layers.Conv2D(filters, 3, strides=stride, use_bias=False, name=name + "_2_conv")(x)
    x = normalized(x, name + "_2_bn", name + "_2_relu")
    x = layers.Conv2D(4 * filters, 1, name=name + "_3_conv")(x)
    return layers.Add(name=name + "_out")([shortcut, x])


_VERSION = Version(_stack, normalized_first=True)


@network
def ResNet50V2(request: Request) -> Any:
    """50 layers with shortcuts; images of 224 x 224, prepared by mode ``tf``."""
    return residual_network(request, "resnet50v2", _VERSION, (3, 4, 6, 3), _RESNET50)


@network
def ResNet101V2(request: Request) -> Any:
    """101 layers with shortcuts; images of 224 x 224, prepared by mode ``tf``."""
    return residual_network(request, "resnet101v2", _VERSION, (3, 4, 23, 3), _RESNET101)


@network
def ResNet152V2(request: Request) -> Any:
    """152 layers with shortcuts; images of 224 x 224, prepared by mode ``tf``."""
    return residual_network(request, "resnet152v2", _VERSION, (3, 8, 36, 3), _RESNET152)


preprocess_input = preparation("tf", __name__)
resnet_v2 = sys.modules[__name__]  # in Keras, the module that this one took its code from
