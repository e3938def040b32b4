"""Single images transformed: moved, turned, brightened; by given amounts or by random ones.

Images are arrays of rank 3. Where axes are not arguments, the last one holds the channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .random_source import random_source
from .warping import warp

Array = np.ndarray[Any, Any]


def transform_matrix_offset_center(matrix: Array, x: float, y: float) -> Array:
    """The affine map (3 x 3) that does about the middle of an image of ``x`` rows and ``y`` columns what ``matrix``
    does about its first pixel."""
    to_middle, from_middle = np.eye(3), np.eye(3)
    from_middle[:2, 2] = float(x) / 2 - 0.5, float(y) / 2 - 0.5
    to_middle[:2, 2] = -from_middle[:2, 2]
    return np.asarray(from_middle @ matrix @ to_middle)


def apply_affine_transform(
    x: Any,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 0,
    col_axis: int = 1,
    channel_axis: int = 2,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> Array:
    """An image turned by ``theta`` degrees, moved, sheared by ``shear`` degrees and zoomed, about its middle.

    Args:
        tx, ty: pixels by which it is moved up (along ``row_axis``) and to the left (along ``col_axis``).
        zx, zy: factors by which its height and width are divided.
        fill_mode, cval, order: as in ``warping.warp``.

    Raises:
        ValueError: if ``x`` is not of rank 3, or for axes, modes or orders that do not exist.
    """
    x = np.asarray(x)
    if x.ndim != 3 or sorted(axis % 3 for axis in (row_axis, col_axis, channel_axis)) != [0, 1, 2]:
        raise ValueError(
            f"an image has three different axes for rows, columns and channels; got shape {x.shape} with axes "
            f"{row_axis}, {col_axis} and {channel_axis}"
        )
    matrix = np.eye(3)
    turn, slant = np.deg2rad(theta), np.deg2rad(shear)
    if theta != 0:
        matrix = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    if tx != 0 or ty != 0:
        matrix = matrix @ np.array([[1, 0, tx], [0, 1, ty], [0, 0, 1]])
    if shear != 0:
        matrix = matrix @ np.array([[1, -np.sin(slant), 0], [0, np.cos(slant), 0], [0, 0, 1]])
    if zx != 1 or zy != 1:
        matrix = matrix @ np.diag([zx, zy, 1])
    if np.array_equal(matrix, np.eye(3)):
        return x
    matrix = transform_matrix_offset_center(matrix, x.shape[row_axis], x.shape[col_axis])
    axes = (row_axis, col_axis, channel_axis)
    moved = warp(np.moveaxis(x, axes, (0, 1, 2)), matrix[:2, :2], matrix[:2, 2], fill_mode, cval, order)
    return np.moveaxis(moved, (0, 1, 2), axes)


def flip_axis(x: Any, axis: int) -> Array:
    """An image mirrored along an axis (a view)."""
    return np.flip(np.asarray(x), axis)


def apply_channel_shift(x: Any, intensity: float, channel_axis: int = 0) -> Array:
    """``x + intensity``, kept between the smallest and the largest value of ``x``."""
    x = np.asarray(x)
    return np.clip(x + intensity, x.min(), x.max())


def apply_brightness_shift(x: Any, brightness: float) -> Array:
    """An image in 0..255 with all colours multiplied by ``brightness``, whole numbers in float32.

    As in Keras, the image is first scaled so that its largest value is 255 (and moved, if it has negative ones). A
    fourth channel, the opacity, stays.
    """
    x = as_bytes(np.asarray(x, dtype=np.float32)).astype(np.float32)
    colours = x[..., :3] if x.shape[-1] == 4 else x
    np.clip(colours * np.float32(brightness), 0, 255, out=colours)
    return np.floor(x)


def as_bytes(x: Array, scale: bool = True) -> Array:
    """Floats as uint8; with ``scale``, so that the largest becomes 255 and none is negative."""
    if scale:
        x = x + max(-np.min(x), 0)
        largest = np.max(x)
        x = (x / largest if largest != 0 else x) * 255
    return np.clip(x, 0, 255).astype(np.uint8)


def random_rotation(
    x: Any,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Array:
    """An image turned by up to ``rg`` degrees either way."""
    theta = random_source().uniform(-rg, rg)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, theta, 0, 0, 0, 1, 1, *axes, fill_mode, cval, interpolation_order)


def random_shift(
    x: Any,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Array:
    """An image moved by up to the shares ``wrg`` of its width and ``hrg`` of its height."""
    x = np.asarray(x)
    tx = random_source().uniform(-hrg, hrg) * x.shape[row_axis]
    ty = random_source().uniform(-wrg, wrg) * x.shape[col_axis]
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, tx, ty, 0, 1, 1, *axes, fill_mode, cval, interpolation_order)


def random_shear(
    x: Any,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Array:
    """An image sheared by up to ``intensity`` degrees either way."""
    shear = random_source().uniform(-intensity, intensity)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, 0, 0, shear, 1, 1, *axes, fill_mode, cval, interpolation_order)


def random_zoom(
    x: Any,
    zoom_range: Sequence[float],
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Array:
    """An image with height and width each divided by a factor from ``zoom_range``.

    Raises:
        ValueError: if the range is not two numbers.
    """
    zx, zy = random_zoom_factors(pair(zoom_range, "zoom_range"))
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(x, 0, 0, 0, 0, zx, zy, *axes, fill_mode, cval, interpolation_order)


def random_zoom_factors(zoom_range: Sequence[float], source: Any = None) -> tuple[float, float]:
    """A factor for each axis."""
    if zoom_range[0] == 1 and zoom_range[1] == 1:
        return 1, 1
    zx, zy = (source or random_source()).uniform(zoom_range[0], zoom_range[1], 2)
    return float(zx), float(zy)


def random_channel_shift(x: Any, intensity_range: float, channel_axis: int = 0) -> Array:
    """All values moved by up to ``intensity_range`` either way; see :func:`apply_channel_shift`."""
    return apply_channel_shift(x, random_source().uniform(-intensity_range, intensity_range), channel_axis)


def random_brightness(x: Any, brightness_range: Sequence[float]) -> Array:
    """All colours multiplied by a factor from ``brightness_range``; see :func:`apply_brightness_shift`.

    Raises:
        ValueError: if the range is not two numbers.
    """
    low, high = pair(brightness_range, "brightness_range")
    return apply_brightness_shift(x, random_source().uniform(low, high))


def pair(values: Any, name: str) -> tuple[float, float]:
    """Two numbers.

    Raises:
        ValueError: if ``values`` is anything else.
    """
    if not isinstance(values, (tuple, list, np.ndarray)) or len(values) != 2:
        raise ValueError(f"`{name}` should be a tuple or list of two floats. Received: {values}")
    return values[0], values[1]
