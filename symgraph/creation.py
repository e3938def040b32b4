"""Tensors made from sizes and ranges, with NumPy's names and arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrangement import moveaxis
from .dtypes import as_dtype, int64
from .errors import ArgumentError, ShapeError
from .ir.dim_order import maximum
from .ir.dims import Dim, SymDim, floordiv
from .ir.ops.indexing import OneHot
from .ir.ops.moving import Diagonal
from .numeric import cast, greater_equal, power, where
from .reducing import sum as total
from .shaping import as_shape, broadcast_to, expand_dims, reshape
from .tensor import Tensor, TensorLike, as_tensor, constant
from .tracer import tracer


def arange(
    start: int | float | SymDim, stop: int | float | SymDim | None = None, step: int | float = 1, dtype: Any = None
) -> Tensor:
    """``start, start + step, ...`` before ``stop`` (``0, 1, ...`` before ``start`` where it is alone).

    Sizes may be symbolic (then ``step`` is an integer). The dtype is int64, or float64 where a number is floating.

    Raises:
        ArgumentError: for a step of 0, or of a fraction beside a symbolic size.
    """
    first, last = (0, start) if stop is None else (start, stop)
    if step == 0:
        raise ArgumentError("arange: the step is 0")
    if not isinstance(first, SymDim) and not isinstance(last, SymDim):
        count: Dim = max(0, int(np.ceil((last - first) / step)))
        floating = any(isinstance(v, (float, np.floating)) for v in (first, last, step))
    else:
        if not isinstance(step, (int, np.integer)) or isinstance(first, float) or isinstance(last, float):
            raise ArgumentError("arange: a symbolic size needs integers beside it")
        span = maximum(last - first if step > 0 else first - last, 0)
        count, floating = floordiv(span + (abs(int(step)) - 1), abs(int(step))), False
    wanted = as_dtype(dtype if dtype is not None else "float64" if floating else "int64")
    if first == 0 and step == 1:
        return Tensor(tracer.iota(count, wanted))
    numbers = Tensor(tracer.iota(count, as_dtype("float64") if floating else int64))
    begin = Tensor(tracer.size(first, int64)) if isinstance(first, SymDim) else first
    return cast(numbers * step + begin, wanted)


def linspace(
    start: TensorLike, stop: TensorLike, num: int | SymDim = 50, endpoint: bool = True, dtype: Any = None
) -> Tensor:
    """``num`` evenly spaced numbers from ``start`` to ``stop`` (which is the last one if ``endpoint``), as a new first
    axis."""
    a, b = as_tensor(start), as_tensor(stop)
    floating = next((t.dtype for t in (a, b) if t.dtype.is_float), as_dtype("float64"))
    wanted = as_dtype(dtype) if dtype is not None else floating
    work = wanted if wanted.is_float else floating
    a, b = cast(a, work), cast(b, work)
    if num == 1 or num == 0:
        return cast(broadcast_to(expand_dims(a + 0 * b, 0), (num, *(a + b).shape)), wanted)
    intervals = num - 1 if endpoint else num
    steps = Tensor(tracer.size(intervals, work))
    places = Tensor(tracer.iota(num, work))
    at = reshape(places, (num, *[1] * (a + b).ndim))
    values = a + at * ((b - a) / steps)
    if endpoint:
        values = where(greater_equal(at, steps), b, values)
    return cast(values, wanted)


def logspace(
    start: TensorLike, stop: TensorLike, num: int = 50, endpoint: bool = True, base: float = 10.0, dtype: Any = None
) -> Tensor:
    """``base`` to the powers of ``linspace(start, stop)``."""
    powers = linspace(start, stop, num, endpoint)
    return cast(power(base, powers), dtype if dtype is not None else powers.dtype)


def eye(n: int | SymDim, m: int | SymDim | None = None, k: int = 0, dtype: Any = "float32") -> Tensor:
    """Zeros of shape ``(n, m)`` (``m`` is ``n`` where not given) with ones on the diagonal ``k`` above the main one."""
    columns = n if m is None else m
    return Tensor(tracer.apply(OneHot(columns, as_dtype(dtype)), (arange(n) + k).value))


def identity(n: int | SymDim, dtype: Any = "float32") -> Tensor:
    """The identity matrix."""
    return eye(n, dtype=dtype)


def tri(n: int | SymDim, m: int | SymDim | None = None, k: int = 0, dtype: Any = "float32") -> Tensor:
    """Ones on and below the diagonal ``k``, zeros above."""
    return cast(_below((n, n if m is None else m), k), dtype)


def tril(x: TensorLike, k: int = 0) -> Tensor:
    """``x`` with zeros above the diagonal ``k`` of its last two axes."""
    t = _matrix(x, "tril")
    return where(_below((t.shape[-2], t.shape[-1]), k), t, 0)


def triu(x: TensorLike, k: int = 0) -> Tensor:
    """``x`` with zeros below the diagonal ``k`` of its last two axes."""
    t = _matrix(x, "triu")
    return where(_below((t.shape[-2], t.shape[-1]), k - 1), 0, t)


def _below(shape: tuple[Dim, Dim], k: int) -> Tensor:
    """Where the column is at most the row plus ``k``."""
    rows, columns = as_shape(shape)
    return greater_equal(expand_dims(arange(rows), 1) + k, expand_dims(arange(columns), 0))


def _matrix(x: TensorLike, name: str) -> Tensor:
    t = as_tensor(x)
    if t.ndim < 2:
        raise ShapeError(f"{name} of {t.type}, which is no matrix")
    return t


def diag(x: TensorLike, k: int = 0) -> Tensor:
    """A matrix with the vector ``x`` on its diagonal ``k``; of a matrix, its diagonal (:func:`diagonal`)."""
    t = as_tensor(x)
    if t.ndim == 2:
        return diagonal(t, k)
    if t.ndim != 1:
        raise ShapeError(f"diag of {t.type}, which is neither a vector nor a matrix")
    n = t.shape[0] + abs(k)
    padded = Tensor(tracer.pad(t.value, [max(0, k)], [n])) if k else t
    rows, columns = expand_dims(arange(n), 1), expand_dims(arange(n), 0)
    on = Tensor(tracer.eq((rows + k).value, columns.value))
    return where(on, expand_dims(padded, 0), constant(0, t.dtype))


def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonal of the matrices along two axes, as a new last axis."""
    moved = moveaxis(_matrix(x, "diagonal"), (axis1, axis2), (-2, -1))
    return Tensor(tracer.apply(Diagonal(offset), moved.value))


def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of the diagonal."""
    return total(diagonal(x, offset, axis1, axis2), -1)


def meshgrid(*xs: TensorLike, indexing: str = "xy") -> list[Tensor]:
    """Vectors as coordinates of a grid: one tensor for each, all of the grid's shape (``"xy"``: the first two axes
    exchanged)."""
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"meshgrid: indexing is {indexing!r}; it must be 'xy' or 'ij'")
    vectors = [reshape(x, (-1,)) for x in xs]
    order = list(range(len(vectors)))
    if indexing == "xy" and len(vectors) > 1:
        order[:2] = [1, 0]
    shape = tuple(vectors[k].shape[0] for k in order)
    places = [order.index(k) for k in range(len(vectors))]
    return [Tensor(tracer.broadcast(v.value, shape, (at,))) for v, at in zip(vectors, places, strict=True)]


__all__ = [
    "arange", "diag", "diagonal", "eye", "identity", "linspace", "logspace", "meshgrid", "trace", "tri", "tril", "triu",
]  # fmt: skip
