"""Functions that move, join and pick elements."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

import symgraph as sg

from .common import floatx, normalize_data_format
from .variables import Shape, Tensor, as_tensor, int_shape, is_size, is_sparse


def _known_product(shape: Sequence[Any]) -> Any:
    total: Any = 1
    for d in shape:
        total = total * d
    return total


def concatenate(tensors: Sequence[Any], axis: int = -1) -> Any:
    """Tensors joined along an axis; sparse ones give a sparse one, parts of ``K.shape`` and numbers a shape."""
    if builtins.all(isinstance(x, (tuple, list)) and builtins.all(map(is_size, x)) for x in tensors):
        return Shape(size for x in tensors for size in x)
    joined: Tensor = sg.concatenate(list(tensors), axis=axis)
    joined._is_sparse = builtins.all(is_sparse(x) for x in tensors)
    return joined


def reshape(x: Tensor, shape: Sequence[Any]) -> Tensor:
    """The same elements under another shape (-1 or None: what remains)."""
    return sg.reshape(x, tuple(-1 if d is None else int(d) if isinstance(d, np.integer) else d for d in shape))


def permute_dimensions(x: Tensor, pattern: Sequence[int]) -> Tensor:
    """Axes in another order."""
    return sg.transpose(x, tuple(pattern))


def transpose(x: Tensor) -> Tensor:
    """Axes in reverse order."""
    return sg.transpose(x)


def expand_dims(x: Tensor, axis: int = -1) -> Tensor:
    """A new axis of size one."""
    return sg.expand_dims(x, axis)


def squeeze(x: Tensor, axis: int) -> Tensor:
    """Without an axis of size one."""
    return sg.squeeze(x, axis)


def flatten(x: Tensor) -> Tensor:
    """One axis."""
    return sg.reshape(x, (-1,))


def batch_flatten(x: Tensor) -> Tensor:
    """All axes but the first made one."""
    return sg.reshape(x, (x.shape[0], _known_product(x.shape[1:])))


def repeat(x: Tensor, n: int) -> Tensor:
    """``(samples, dim)`` to ``(samples, n, dim)``."""
    if len(x.shape) != 2:
        raise ValueError(f"`K.repeat` takes a 2D tensor, got one of shape {int_shape(x)}")
    return sg.broadcast_to(sg.expand_dims(x, 1), (x.shape[0], n, x.shape[1]))


def repeat_elements(x: Tensor, rep: int, axis: int) -> Tensor:
    """Each slice along ``axis`` ``rep`` times in a row, as ``np.repeat``."""
    return sg.repeat(x, rep, axis)


def tile(x: Tensor, n: Any) -> Tensor:
    """``x`` laid side by side ``n[i]`` times along axis ``i``; a count may be a size of ``K.shape``."""
    counts = n if isinstance(n, (list, tuple)) else np.ravel(n).tolist()
    return sg.tile(x, [int(count) if isinstance(count, np.integer) else count for count in counts])


def stack(x: Sequence[Any], axis: int = 0) -> Any:
    """Tensors joined along a new axis; entries of ``K.shape`` and numbers give a shape."""
    if builtins.all(map(is_size, x)):
        return Shape(x)
    return sg.stack([as_tensor(t) for t in x], axis=axis)


def one_hot(indices: Tensor, num_classes: int) -> Tensor:
    """A new last axis of zeros with a one at each index."""
    return sg.one_hot(indices, num_classes, dtype=floatx())


def reverse(x: Tensor, axes: Any) -> Tensor:
    """Elements in reverse order along axes."""
    axes = [axes] if isinstance(axes, int) else [a % len(x.shape) for a in axes]
    return x[tuple(builtins.slice(None, None, -1) if i in axes else builtins.slice(None) for i in range(len(x.shape)))]


def slice(x: Tensor, start: Sequence[int], size: Sequence[int]) -> Tensor:
    """The block of ``size`` at ``start`` (size -1: to the end)."""
    if not len(x.shape) == len(start) == len(size):
        raise ValueError("The dimension and the size of indices should match.")
    return x[tuple(builtins.slice(a, None if n == -1 else a + n) for a, n in zip(start, size, strict=True))]


def gather(reference: Tensor, indices: Tensor) -> Tensor:
    """Rows of ``reference``."""
    return sg.take(reference, indices, 0)


def temporal_padding(x: Tensor, padding: tuple[int, int] = (1, 1)) -> Tensor:
    """Zeros before and after the middle axis of a 3D tensor."""
    return _pad(x, {1: padding})


def spatial_2d_padding(x: Tensor, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None) -> Tensor:
    """Zeros around the two spatial axes of a 4D tensor."""
    first = 2 if normalize_data_format(data_format) == "channels_first" else 1
    return _pad(x, {first + i: sides for i, sides in enumerate(padding)})


def spatial_3d_padding(x: Tensor, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None) -> Tensor:
    """Zeros around the three spatial axes of a 5D tensor."""
    first = 2 if normalize_data_format(data_format) == "channels_first" else 1
    return _pad(x, {first + i: sides for i, sides in enumerate(padding)})


def resize_volumes(x: Tensor, depth_factor: int, height_factor: int, width_factor: int, data_format: str) -> Tensor:
    """Every voxel repeated along the three spatial axes."""
    factors = (depth_factor, height_factor, width_factor)
    return sg.upsample(x, factors, data_format=normalize_data_format(data_format))


def pattern_broadcast(x: Tensor, broadcastable: Any) -> Tensor:
    """``x`` itself: axes of size one broadcast anyway."""
    return x


def _pad(x: Tensor, padding: dict[int, tuple[int, int]]) -> Tensor:
    for axis, sides in padding.items():
        parts = [x]
        for place, count in ((0, sides[0]), (len(parts) + 1, sides[1])):
            if count:
                zeros = sg.zeros((*x.shape[:axis], count, *x.shape[axis + 1 :]), dtype=str(x.dtype))
                parts.insert(place, zeros)
        x = sg.concatenate(parts, axis=axis) if len(parts) > 1 else x
    return x
