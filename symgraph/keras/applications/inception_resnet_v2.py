"""Inception-ResNet V2 (Szegedy et al. 2016, https://arxiv.org/abs/1602.07261)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .. import backend as K
from .. import layers
from .building import Request, Weights, channel_axis, channels_of, network
from .imagenet_utils import decode_predictions, preparation
from .inception_v3 import convolved, stem
from .injection import keras_modules_injection

__all__ = ["InceptionResNetV2", "decode_predictions", "keras_modules_injection", "preprocess_input"]

Tensor = Any
Chain = tuple[tuple[int, Any], ...]  # filters and kernel size of each convolution
_WEIGHTS = Weights.tf_kernels(
    "inception_resnet_v2",
    "https://github.com/fchollet/deep-learning-models/releases/download/v0.7/",
    "e693bd0210a403b3192acc6073ad2e96",
    "d19885ff4a710c122648d3b5c3b684e4",
)


@dataclass(frozen=True)
class _Kind:
    """A kind of block: its convolutions side by side, and what their sum is multiplied with."""

    name: str
    chains: tuple[Chain, ...]
    scale: float


_A = _Kind("block35", (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3))), 0.17)
_B = _Kind("block17", (((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1)))), 0.1)
_C = _Kind("block8", (((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1)))), 0.2)


@network
def InceptionResNetV2(request: Request) -> Any:
    """40 Inception modules with shortcuts; images of 299 x 299, prepared by mode ``tf``."""
    image = request.image(request.shape(299, 75))
    x = stem(image)
    branches = [_chain(x, ((96, 1),)), _chain(x, ((48, 1), (64, 5))), _chain(x, ((64, 1), (96, 3), (96, 3)))]
    averaged = layers.AveragePooling2D(3, strides=1, padding="same")(x)
    x = _joined([*branches, convolved(averaged, 64, 1)], "mixed_5b")
    for i in range(1, 11):
        x = _block(x, _A, i)
    branches = [_halved(x, 384), _halved(_chain(x, ((256, 1), (256, 3))), 384)]
    x = _joined([*branches, layers.MaxPooling2D(3, strides=2)(x)], "mixed_6a")
    for i in range(1, 21):
        x = _block(x, _B, i)
    branches = [
        _halved(_chain(x, ((256, 1),)), 384),
        _halved(_chain(x, ((256, 1),)), 288),
        _halved(_chain(x, ((256, 1), (288, 3))), 320),
    ]
    x = _joined([*branches, layers.MaxPooling2D(3, strides=2)(x)], "mixed_7a")
    for i in range(1, 10):
        x = _block(x, _C, i)
    x = _added(x, _Kind(_C.name, _C.chains, 1.0), 10)
    x = layers.Conv2D(1536, 1, padding="same", use_bias=False, name="conv_7b")(x)
    x = layers.BatchNormalization(axis=channel_axis(), scale=False, name="conv_7b_bn")(x)
    x = layers.Activation("relu", name="conv_7b_ac")(x)
    return request.model(image, request.head(x, "predictions"), "inception_resnet_v2", _WEIGHTS)


def _block(x: Tensor, kind: _Kind, number: int) -> Tensor:
    return layers.Activation("relu", name=f"{kind.name}_{number}_ac")(_added(x, kind, number))


def _added(x: Tensor, kind: _Kind, number: int) -> Tensor:
    """``x`` and, scaled, what the convolutions of ``kind`` give."""
    name = f"{kind.name}_{number}"
    mixed = layers.Concatenate(axis=channel_axis(), name=name + "_mixed")([_chain(x, chain) for chain in kind.chains])
    up = layers.Conv2D(channels_of(x), 1, padding="same", name=name + "_conv")(mixed)
    return layers.Lambda(
        lambda inputs, scale: inputs[0] + inputs[1] * scale,
        output_shape=K.int_shape(x)[1:],
        arguments={"scale": kind.scale},
        name=name,
    )([x, up])


def _chain(x: Tensor, chain: Sequence[tuple[int, Any]]) -> Tensor:
    for filters, size in chain:
        x = convolved(x, filters, size)
    return x


def _halved(x: Tensor, filters: int) -> Tensor:
    return convolved(x, filters, 3, strides=2, padding="valid")


def _joined(branches: list[Tensor], name: str) -> Tensor:
    return layers.Concatenate(axis=channel_axis(), name=name)(branches)


preprocess_input = preparation("tf", __name__)
inception_resnet_v2 = sys.modules[__name__]  # in Keras, the module that this one took its code from
