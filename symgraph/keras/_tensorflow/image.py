"""Images, under the names of ``tf.image``, with the moves between space and channels."""

from __future__ import annotations

import math
from enum import Enum
from typing import Any

import numpy as np

import symgraph as sg
from symgraph import Tensor

from .. import backend as K

__all__ = [
    "ResizeMethod",
    "depth_to_space",
    "flip_left_right",
    "flip_up_down",
    "psnr",
    "resize",
    "resize_bilinear",
    "resize_images",
    "resize_nearest_neighbor",
    "rgb_to_grayscale",
    "space_to_depth",
    "ssim",
    "total_variation",
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


def rgb_to_grayscale(images: Tensor, name: str | None = None) -> Tensor:
    """One channel from three, weighted by how bright they look (ITU-R BT.601)."""
    return sg.sum(images * sg.constant(np.array([0.2989, 0.5870, 0.1140], str(images.dtype))), -1, keepdims=True)


def total_variation(images: Tensor, name: str | None = None) -> Tensor:
    """The sum of differences between neighbouring pixels, a number for each image."""
    down = sg.abs(images[..., 1:, :, :] - images[..., :-1, :, :])
    right = sg.abs(images[..., 1:, :] - images[..., :-1, :])
    return sg.sum(down, (-3, -2, -1)) + sg.sum(right, (-3, -2, -1))


def psnr(a: Tensor, b: Tensor, max_val: float, name: str | None = None) -> Tensor:
    """The ratio of the peak to the noise between images, in decibels, a number for each pair."""
    error = sg.mean(sg.square(a - b), (-3, -2, -1))
    return (2 * math.log(max_val) - sg.log(error)) * (10 / math.log(10))


def ssim(
    img1: Tensor, img2: Tensor, max_val: float, filter_size: int = 11, filter_sigma: float = 1.5, k1: float = 0.01,
    k2: float = 0.03,
) -> Tensor:  # fmt: skip
    """The structural similarity of images of shape ``(n, rows, columns, channels)``, a number for each pair: Wang,
    Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural similarity", 2004.

    Raises:
        ValueError: for images smaller than the window.
    """
    rows, columns = img1.shape[-3:-1]
    if any(isinstance(size, int) and size < filter_size for size in (rows, columns)):
        raise ValueError(f"tf.image.ssim: images of {rows} x {columns} pixels are smaller than {filter_size=}")
    bell = np.exp(-((np.arange(filter_size) - (filter_size - 1) / 2) ** 2) / (2 * filter_sigma**2))
    window = np.outer(bell, bell) / bell.sum() ** 2
    kernel = sg.constant(window[:, :, None, None].astype(str(img1.dtype)))

    def local_mean(x: Tensor) -> Tensor:
        """Of each channel; the channels come before the rows, and there may be any number of them."""
        count, _, _, channels = x.shape
        planes = sg.reshape(sg.transpose(x, (0, 3, 1, 2)), (count * channels, rows, columns, 1))
        means = K.conv2d(planes, kernel, (1, 1), "valid")
        return sg.reshape(means, (count, channels, *means.shape[1:3]))

    mean1, mean2 = local_mean(img1), local_mean(img2)
    product, squares = mean1 * mean2, sg.square(mean1) + sg.square(mean2)
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    luminance = (2 * product + c1) / (squares + c1)
    covariance = local_mean(img1 * img2) - product
    variances = local_mean(sg.square(img1) + sg.square(img2)) - squares
    return sg.mean(luminance * (2 * covariance + c2) / (variances + c2), (-3, -2, -1))


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
