"""What ResNet and ResNetV2 share: the stem, four stacks of blocks, the head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .. import layers
from .building import Request, Weights, channel_axis

Tensor = Any
FOLDER = "https://github.com/keras-team/keras-applications/releases/download/resnet/"
EPSILON = 1.001e-5


@dataclass(frozen=True)
class Version:
    """How the versions differ: ``stack`` adds one of the four stacks, given its number, depth and filters."""

    stack: Callable[[Tensor, int, int, int], Tensor]
    normalized_first: bool


def residual_network(request: Request, name: str, version: Version, depths: Sequence[int], published: Weights) -> Any:
    """A network of four stacks of ``depths`` blocks."""
    image = request.image(request.shape(224, 32))
    x = layers.ZeroPadding2D(3, name="conv1_pad")(image)
    x = layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    if not version.normalized_first:
        x = normalized(x, "conv1_bn", "conv1_relu")
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for number, depth in enumerate(depths, 2):
        x = version.stack(x, number, depth, 64 << number - 2)
    if version.normalized_first:
        x = normalized(x, "post_bn", "post_relu")
    x = request.head(x, "probs", pools={"avg": "avg_pool", "max": "max_pool"})
    return request.model(image, x, name, published)


def normalized(x: Tensor, name: str, relu: str | None = None) -> Tensor:
    """Batch normalization, and a rectifier where it has a name."""
    x = layers.BatchNormalization(axis=channel_axis(), epsilon=EPSILON, name=name)(x)
    return x if relu is None else layers.Activation("relu", name=relu)(x)
