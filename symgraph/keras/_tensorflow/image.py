"""Images, under the names of ``tf.image``, with the moves between space and channels."""

from __future__ import annotations

from enum import Enum
from typing import Any

import symgraph as sg
from symgraph import Tensor

__all__ = [
    "ResizeMethod",
    "depth_to_space",
    "flip_left_right",
    "flip_up_down",
    "resize",
    "resize_bilinear",
    "resize_images",
    "resize_nearest_neighbor",
    "space_to_depth",
]


class ResizeMethod(str, Enum):
    """How ``resize`` fills in between."""

    BILINEAR = "bilinear"
    NEAREST_NEIGHBOR = "nearest"


def resize(images: Tensor, size: Any, method: Any = ResizeMethod.BILINEAR, name: str | None = None) -> Tensor:
    """TensorFlow 2's resizing: pixels are areas, whose centers are half a pixel in."""
    return sg.resize_images(images, _size(size), ResizeMethod(method).value, half_pixel_centers=True)


def resize_images(
    images: Tensor, size: Any, method: Any = ResizeMethod.BILINEAR, align_corners: bool = False
) -> Tensor:
    """TensorFlow 1's resizing: pixel 0 stays where it is."""
    if align_corners:
        raise ValueError("align_corners=True is not computed here; K.resize_images and UpSampling2D do as Keras does")
    return sg.resize_images(images, _size(size), ResizeMethod(method).value)


def resize_bilinear(images: Tensor, size: Any, align_corners: bool = False, name: str | None = None) -> Tensor:
    """``resize_images`` between the four nearest pixels."""
    return resize_images(images, size, ResizeMethod.BILINEAR, align_corners)


def resize_nearest_neighbor(images: Tensor, size: Any, align_corners: bool = False, name: str | None = None) -> Tensor:
    """``resize_images`` with the nearest pixel."""
    return resize_images(images, size, ResizeMethod.NEAREST_NEIGHBOR, align_corners)


def _size(size: Any) -> tuple[Any, ...]:
    return tuple(size)


def flip_left_right(image: Tensor) -> Tensor:
    """Columns from right to left."""
    return sg.flip(image, -2)


def flip_up_down(image: Tensor) -> Tensor:
    """Rows from the bottom up."""
    return sg.flip(image, -3)


def space_to_depth(input: Tensor, block_size: int, name: str | None = None) -> Tensor:
    """Each block of pixels as the channels of one."""
    n, rows, columns, channels = input.shape
    high, wide = rows // block_size, columns // block_size
    blocks = sg.reshape(input, (n, high, block_size, wide, block_size, channels))
    return sg.reshape(sg.transpose(blocks, (0, 1, 3, 2, 4, 5)), (n, high, wide, channels * block_size**2))


def depth_to_space(input: Tensor, block_size: int, name: str | None = None) -> Tensor:
    """The channels of each pixel as a block of pixels; undoes ``space_to_depth``."""
    n, high, wide, channels = input.shape
    depth = channels // block_size**2
    blocks = sg.transpose(sg.reshape(input, (n, high, wide, block_size, block_size, depth)), (0, 1, 3, 2, 4, 5))
    return sg.reshape(blocks, (n, high * block_size, wide * block_size, depth))
