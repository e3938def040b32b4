"""Affine maps of images, in NumPy: each pixel of the result is read where the map leads, between pixels and past edges.

The conventions are those of ``scipy.ndimage.affine_transform``, and so are the numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def warp(x: Array, matrix: Array, offset: Array, fill_mode: str, cval: float, order: int) -> Array:
    """An image ``(rows, columns, channels)`` whose pixel at ``p`` is that of ``x`` at ``matrix @ p + offset``.

    Args:
        fill_mode: what lies past the edges: ``'constant'`` (``cval``), ``'nearest'`` (the edge), ``'reflect'`` (the
            image mirrored) or ``'wrap'`` (the image again).
        order: 0 for the nearest pixel, 1 for linear interpolation; 2 to 5 are splines, for which SciPy is needed.

    Raises:
        ValueError: for another ``fill_mode`` or ``order``, or a map with numbers that are not finite.
        ImportError: for splines without SciPy.
    """
    if fill_mode not in _FOLDS:
        raise ValueError(f"`fill_mode` is {fill_mode!r}; it should be one of {', '.join(map(repr, _FOLDS))}")
    if order not in range(6):
        raise ValueError(f"`interpolation_order` is {order!r}; it should be an integer from 0 to 5")
    if not np.isfinite(matrix).all() or not np.isfinite(offset).all():
        raise ValueError(f"the affine map {matrix.tolist()} with offset {offset.tolist()} is not finite")
    if order > 1:
        return _warp_by_splines(x, matrix, offset, fill_mode, cval, order)
    height, width, channels = x.shape
    i, j = np.arange(height, dtype=np.float64)[:, None], np.arange(width, dtype=np.float64)
    rows = offset[0] + matrix[0, 0] * i + matrix[0, 1] * j
    columns = offset[1] + matrix[1, 0] * i + matrix[1, 1] * j
    outside = None
    if fill_mode == "constant":
        outside = (rows < 0) | (rows > height - 1) | (columns < 0) | (columns > width - 1)
    rows, columns = _FOLDS[fill_mode](rows, height), _FOLDS[fill_mode](columns, width)
    pixels = np.ascontiguousarray(x).reshape(height * width, channels)
    found = _between(pixels, rows, columns, height, width) if order else _nearest(pixels, rows, columns, height, width)
    if outside is not None:
        found[outside] = np.clip(cval, *_limits(found.dtype)) if x.dtype.kind in "iub" else cval
    return found


def _between(pixels: Array, rows: Array, columns: Array, height: int, width: int) -> Array:
    """Linear interpolation between four pixels."""
    dtype = pixels.dtype
    kind = np.float64 if dtype.kind in "iub" or dtype.itemsize > 4 else np.float32
    upper, left = np.floor(rows), np.floor(columns)
    down, right = (rows - upper).astype(kind)[..., None], (columns - left).astype(kind)[..., None]
    top, bottom = _places(upper, height) * width, _places(upper + 1, height) * width
    first, last = _places(left, width), _places(left + 1, width)
    values = pixels.astype(kind, copy=False)

    def mixed(row: Array) -> Array:
        before, after = values.take(row + first, axis=0), values.take(row + last, axis=0)
        after -= before
        after *= right
        after += before
        return after

    above, below = mixed(top), mixed(bottom)
    below -= above
    below *= down
    below += above
    if dtype.kind in "iub":
        below = np.trunc(below + np.copysign(0.5, below))  # halves away from zero
    return below.astype(dtype, copy=False)


def _nearest(pixels: Array, rows: Array, columns: Array, height: int, width: int) -> Array:
    row, column = _places(np.floor(rows + 0.5), height), _places(np.floor(columns + 0.5), width)
    return pixels.take(row * width + column, axis=0)


def _places(positions: Array, size: int) -> Array:
    """Whole positions as indices; those one past an edge are the edge in every mode."""
    return np.clip(positions, 0, size - 1).astype(np.intp)


def _limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    return (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)


def _clamp(positions: Array, size: int) -> Array:
    return np.clip(positions, 0, size - 1)


def _reflect(positions: Array, size: int) -> Array:
    """``d c b a | a b c d | d c b a``: half a pixel past the edge the mirror stands."""
    folded = np.mod(positions, 2 * size)
    return np.where(folded < size, folded, 2 * size - folded - 1)


def _wrap(positions: Array, size: int) -> Array:
    """SciPy's ``wrap``: the first and the last pixel lie on each other."""
    period = size - 1
    if not period:
        return np.zeros_like(positions)
    below = positions + period * (np.trunc(-positions / period) + 1)
    above = positions - period * np.trunc(positions / period)
    return np.where(positions < 0, below, np.where(positions > period, above, positions))


#: Positions anywhere to positions at which the image can be read.
_FOLDS: dict[str, Callable[[Array, int], Array]] = {
    "constant": _clamp,
    "nearest": _clamp,
    "reflect": _reflect,
    "wrap": _wrap,
}


def _warp_by_splines(x: Array, matrix: Array, offset: Array, fill_mode: str, cval: float, order: int) -> Array:
    try:
        from scipy.ndimage import affine_transform
    except ImportError as error:
        raise ImportError(f"interpolation of order {order} needs SciPy; orders 0 and 1 do not") from error
    channels = np.moveaxis(x, -1, 0)
    moved = [affine_transform(c, matrix, offset, order=order, mode=fill_mode, cval=cval) for c in channels]
    return np.stack(moved, axis=-1)
