"""DenseNet with 121, 169 and 201 layers (Huang et al. 2017, https://arxiv.org/abs/1608.06993)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from .. import layers
from .building import Request, Weights, channel_axis, channels_of, network
from .imagenet_utils import decode_predictions, preparation
from .injection import keras_modules_injection

__all__ = [
    "DenseNet",
    "DenseNet121",
    "DenseNet169",
    "DenseNet201",
    "decode_predictions",
    "keras_modules_injection",
    "preprocess_input",
]

Tensor = Any
_FOLDER = "https://github.com/keras-team/keras-applications/releases/download/densenet/"
_GROWTH = 32
_PUBLISHED: dict[tuple[int, ...], tuple[str, str, str]] = {
    (6, 12, 24, 16): ("densenet121", "9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
    (6, 12, 32, 32): ("densenet169", "d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
    (6, 12, 48, 32): ("densenet201", "1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
}


@keras_modules_injection
def DenseNet(
    blocks: Sequence[int],
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Any:
    """Four dense blocks, of ``blocks`` pairs of convolutions each of which sees what all before it gave.

    The other arguments are those of :mod:`symgraph.keras.applications`.
    """
    return _densenet(Request(include_top, weights, input_tensor, input_shape, pooling, classes), blocks)


def _densenet(request: Request, blocks: Sequence[int]) -> Any:
    if len(blocks) != 4:
        raise ValueError(f"DenseNet has four blocks; `blocks` is {blocks!r}")
    image = request.image(request.shape(224, 32))
    x = layers.ZeroPadding2D(3)(image)
    x = layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1/conv")(x)
    x = _normalized(x, "conv1/bn", "conv1/relu")
    x = layers.ZeroPadding2D(1)(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for number, depth in enumerate(blocks, 2):
        if number > 2:
            x = _transition(x, f"pool{number - 1}")
        for i in range(1, depth + 1):
            x = _joined(x, f"conv{number}_block{i}")
    x = _normalized(x, "bn", "relu")
    x = request.head(x, "fc1000", pools={"avg": "avg_pool", "max": "max_pool"})
    published = _PUBLISHED.get(tuple(blocks))
    if published is None:
        return request.model(image, x, "densenet", None)
    name, md5_top, md5_no_top = published
    return request.model(image, x, name, Weights.tf_kernels(name, _FOLDER, md5_top, md5_no_top))


def _normalized(x: Tensor, name: str, relu: str) -> Tensor:
    x = layers.BatchNormalization(axis=channel_axis(), epsilon=1.001e-5, name=name)(x)
    return layers.Activation("relu", name=relu)(x)


def _joined(x: Tensor, name: str) -> Tensor:
    """``x`` with the channels of two convolutions behind it."""
    y = _normalized(x, name + "_0_bn", name + "_0_relu")
    y = layers.Conv2D(4 * _GROWTH, 1, use_bias=False, name=name + "_1_conv")(y)
    y = _normalized(y, name + "_1_bn", name + "_1_relu")
    y = layers.Conv2D(_GROWTH, 3, padding="same", use_bias=False, name=name + "_2_conv")(y)
    return layers.Concatenate(axis=channel_axis(), name=name + "_concat")([x, y])


def _transition(x: Tensor, name: str) -> Tensor:
    """Half the channels, rows and columns."""
    x = _normalized(x, name + "_bn", name + "_relu")
    x = layers.Conv2D(channels_of(x) // 2, 1, use_bias=False, name=name + "_conv")(x)
    return layers.AveragePooling2D(2, strides=2, name=name + "_pool")(x)


@network
def DenseNet121(request: Request) -> Any:
    """121 layers; images of 224 x 224, prepared by mode ``torch``."""
    return _densenet(request, (6, 12, 24, 16))


@network
def DenseNet169(request: Request) -> Any:
    """169 layers; images of 224 x 224, prepared by mode ``torch``."""
    return _densenet(request, (6, 12, 32, 32))


@network
def DenseNet201(request: Request) -> Any:
    """201 layers; images of 224 x 224, prepared by mode ``torch``."""
    return _densenet(request, (6, 12, 48, 32))


preprocess_input = preparation("torch", __name__)
densenet = sys.modules[__name__]  # in Keras, the module that this one took its code from
