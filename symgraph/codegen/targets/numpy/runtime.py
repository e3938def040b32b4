"""What generated code calls besides NumPy: ``rt.<name>``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from ....ir.numpy_algebra import NUMPY_INTRINSICS

Array = np.ndarray[Any, Any]


class OutOfBounds(Exception):
    """Ends a kernel: check number ``check`` found ``index`` outside ``0 <= index < size``."""

    def __init__(self, check: int, index: int, size: int) -> None:
        super().__init__(check, index, size)
        self.failure = (check, index, size)


def span(start: int, step: int, count: int) -> slice:
    """The slice of the positions ``start + step*i`` for ``0 <= i < count``."""
    if count <= 0:
        return slice(0, 0)
    stop = start + step * (count - 1) + (1 if step > 0 else -1)
    return slice(start, stop if stop >= 0 else None, step)


def room(x: Array) -> Array:
    """``x``; zeros with one element along each empty axis where it is empty."""
    return x if x.size else np.zeros([max(d, 1) for d in x.shape], x.dtype)


def spread(x: Any, count: int) -> Array:
    """``x`` repeated along its last axis, which has length 1 or ``count`` (or is missing)."""
    array = np.asarray(x)
    return np.broadcast_to(array, (*array.shape[:-1], count))


def matrix(x: Any, rows: int, columns: int) -> Array:
    """``x`` repeated so that its last two axes are ``(rows, columns)``."""
    return np.broadcast_to(x, np.broadcast_shapes(np.shape(x), (rows, columns)))


def folded(x: Any, rows: tuple[int, ...], columns: tuple[int, ...]) -> Array:
    """``x`` repeated so that its last axes are ``rows`` and ``columns``, each of which then becomes one."""
    x = np.asarray(x)
    whole = np.broadcast_to(x, np.broadcast_shapes(x.shape, (*rows, *columns)))
    outer = whole.shape[: whole.ndim - len(rows) - len(columns)]
    return whole.reshape(*outer, math.prod(rows), math.prod(columns))


def cast(x: Any, dtype: Any) -> Any:
    """Value conversion."""
    return np.asarray(x).astype(dtype, copy=False)


def bits(x: Any, dtype: Any) -> Any:
    """The same bits, as another dtype of the same width."""
    return np.asarray(x).view(dtype)


def bounds(index: Any, size: Any, check: int) -> Any:
    """``index``, all of it within ``0 <= index < size``.

    Raises:
        OutOfBounds: with the first one that is not.
    """
    outside = (index < 0) | (index >= size)
    if not np.any(outside):
        return index
    shape = np.shape(outside)
    at = np.unravel_index(int(np.argmax(outside)), shape)
    bad, limit = np.broadcast_to(index, shape)[at], np.broadcast_to(size, shape)[at]
    raise OutOfBounds(check, int(bad), int(limit))


def tree(states: Sequence[Any], merge: Callable[..., Sequence[Any]]) -> list[Any]:
    """Merge the partial states along the last axis, in pairs, until one is left."""
    arrays = list(np.broadcast_arrays(*states))
    count = arrays[0].shape[-1]
    while count > 1:
        half = count // 2
        merged = merge(*(a[..., :half] for a in arrays), *(a[..., half : 2 * half] for a in arrays))
        if count % 2:
            merged = [
                np.concatenate([np.broadcast_to(m, (*a.shape[:-1], half)), a[..., -1:]], -1)
                for m, a in zip(merged, arrays, strict=True)
            ]
        arrays, count = list(np.broadcast_arrays(*merged)), half + count % 2
    return [a[..., 0] for a in arrays]


def sort(target: Array, keys: Array, check: int) -> None:
    """Writes the positions of the smallest elements of each row.

    Raises:
        OutOfBounds: where more are wanted than a row has.
    """
    columns, wanted = keys.shape[-1], target.shape[-1]
    if wanted > columns:
        raise OutOfBounds(check, wanted - 1, columns)
    target[...] = np.argsort(keys, axis=-1, kind="stable")[..., :wanted]


RUNTIME = SimpleNamespace(
    room=room, span=span, spread=spread, matrix=matrix, folded=folded, cast=cast, bits=bits, bounds=bounds, tree=tree,
    sort=sort,
    **{name: function for name, function in NUMPY_INTRINSICS.items() if not isinstance(function, np.ufunc)},
)  # fmt: skip
