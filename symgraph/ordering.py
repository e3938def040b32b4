"""Sorting and what is defined by it.

Native code sorts by ranks: the place of an element is the number of those that come before it, all of them compared in
vector lanes. That is exact, stable and deterministic, but the work grows with the square of the length, so known
lengths above ``LONGEST`` are refused rather than slow. :func:`top_k` is linear in it.
"""

from __future__ import annotations

from .dtypes import bool_, float_for, int32, int64
from .errors import ArgumentError, ShapeError
from .ir.checks import normalize_axis
from .ir.dims import Dim
from .ir.graph import Value
from .ir.ops.gathering import TakeAlong
from .ir.ops.logical import Less
from .ir.ops.ordering import SearchSorted
from .ir.ops.scatter import ScatterSet
from .numeric import floor, isnan, maximum, minimum, where
from .reducing import Axis, argmax, axes_of
from .reducing import any as any_of
from .shaping import concatenate, expand_dims, one_hot, reshape
from .tensor import Tensor, TensorLike, as_tensor, as_value, common_dtype
from .tracer import tracer

#: The longest axis of known size that is sorted.
LONGEST = 1 << 12


def argsort(x: TensorLike, axis: int | None = -1, descending: bool = False) -> Tensor:
    """Positions (int64) that sort ``x`` along ``axis`` (None: all elements in a row), equal elements in their order.
    NaN comes last.

    Raises:
        ShapeError: for an axis longer than 4096.
    """
    value, at = _row(x, axis, "argsort")
    rank = _ranks(value, at, descending)
    places = tracer.broadcast(tracer.iota(value.shape[at], int64), value.shape, (at,))
    zeros = tracer.full(value.shape, 0, int64)
    return Tensor(tracer.apply(ScatterSet(TakeAlong.name, at), zeros, places, rank))


def sort(x: TensorLike, axis: int | None = -1, descending: bool = False) -> Tensor:
    """``x`` in rising order along ``axis`` (None: all elements in a row); NaN comes last.

    Raises:
        ShapeError: for an axis longer than 4096.
    """
    value, at = _row(x, axis, "sort")
    order = argsort(Tensor(value), at, descending)
    return Tensor(tracer.apply(TakeAlong(at), value, order.value))


def _row(x: TensorLike, axis: int | None, name: str) -> tuple[Value, int]:
    value = as_value(x)
    if axis is None:
        value, axis = tracer.reshape(value, [value.type.size]), 0
    axis = normalize_axis(axis, value.type.ndim, name)
    size = value.shape[axis]
    if isinstance(size, int) and size > LONGEST:
        raise ShapeError(f"{name} along axis {axis} of {value.type}: at most {LONGEST} elements are sorted; see top_k")
    return value, axis


def _ranks(x: Value, axis: int, descending: bool) -> Value:
    """How many elements along the axis come before each."""
    n = x.shape[axis]
    axes = range(x.type.ndim)
    shape = (*x.shape[: axis + 1], n, *x.shape[axis + 1 :])
    if x.dtype == bool_:
        x = tracer.cast(x, int32)

    def along(v: Value) -> tuple[Value, Value]:
        """``v`` at the element to be placed, and at the one it is compared with."""
        kept = [k if k <= axis else k + 1 for k in axes], [k if k < axis else k + 1 for k in axes]
        return tracer.broadcast(v, shape, kept[0]), tracer.broadcast(v, shape, kept[1])

    one, other = along(x)
    here = tracer.broadcast(tracer.iota(n, int32), shape, (axis,))
    there = tracer.broadcast(tracer.iota(n, int32), shape, (axis + 1,))
    first, second = (other, one) if not descending else (one, other)
    smaller = Tensor(tracer.elementwise(Less(), first, second))
    larger = Tensor(tracer.elementwise(Less(), second, first))
    tied = Tensor(tracer.elementwise(Less(), there, here)) & ~larger
    if x.dtype.is_float:  # a comparison with NaN is false
        b, a = (Tensor(v) for v in along(isnan(Tensor(x)).value))
        tied = (tied & ~(a & ~b)) | (b & ~a)
    return tracer.sum(tracer.cast((smaller | tied).value, int32), [axis + 1])


def top_k(x: TensorLike, k: int, axis: int = -1) -> tuple[Tensor, Tensor]:
    """The ``k`` largest elements along ``axis``, falling, and their positions (int64): ``k`` searches for a maximum, or
    a sort where ``k`` is large and the axis short. NaN counts as largest.

    Raises:
        ArgumentError: for ``k`` below 1 or above a known size.
    """
    t = as_tensor(x)
    axis = normalize_axis(axis, t.ndim, "top_k")
    size = t.shape[axis]
    if k < 1 or (isinstance(size, int) and k > size):
        raise ArgumentError(f"top_k: k is {k} for an axis of {size} in {t.type}")
    places: list[Tensor] = []
    taken: Tensor | None = None
    for _ in range(k):
        left = t if taken is None else where(taken, _lowest(t), t)
        best = argmax(left, axis)
        if taken is not None:  # where only the lowest is left, the first of those not taken
            free = argmax(where(taken, False, True), axis)
            picked = tracer.apply(TakeAlong(axis), taken.value, tracer.expand_dims(best.value, [axis]))
            best = where(reshape(Tensor(picked), best.shape), free, best)
        places.append(expand_dims(best, axis))
        hit = _one_hot_along(best, size, axis)
        taken = hit if taken is None else where(hit, True, taken)
    order = concatenate(places, axis)
    return Tensor(tracer.apply(TakeAlong(axis), t.value, order.value)), order


def _lowest(t: Tensor) -> Tensor:
    import numpy as np

    if t.dtype.is_float:
        return as_tensor(np.array(-np.inf, t.dtype.np))
    return as_tensor(np.array(False if t.dtype.is_bool else np.iinfo(t.dtype.np).min, t.dtype.np))


def _one_hot_along(position: Tensor, size: Dim, axis: int) -> Tensor:
    hits = one_hot(position, size, "bool")  # type: ignore[arg-type]
    order = list(range(position.ndim))
    order.insert(axis, position.ndim)
    return Tensor(tracer.transpose(hits.value, order))


def quantile(x: TensorLike, q: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Quantiles ``q`` (in [0, 1]; a scalar, or a vector for a new first axis) over ``axis``, between neighbours in
    proportion. NaN where an element is NaN.

    Raises:
        ShapeError: for more than 4096 elements a quantile.
    """
    value = as_value(x)
    value = tracer.cast(value, float_for(value.dtype))
    over = axes_of(axis, value, "quantile")
    kept = [k for k in range(value.type.ndim) if k not in over]
    moved = tracer.transpose(value, [*kept, *over])
    count: Dim = 1
    for k in over:
        count = count * value.shape[k]
    rows = Tensor(tracer.reshape(moved, [*(value.shape[k] for k in kept), count]))
    ordered = sort(rows)
    parts = as_tensor(q, value.dtype)
    flat = reshape(parts, (-1,))
    last = Tensor(tracer.size(count - 1, value.dtype))
    place = flat * last
    low = minimum(maximum(floor(place), 0), last)
    weight = place - low
    first = _at(ordered, low.astype("int64"))
    second = _at(ordered, minimum(low + 1, last).astype("int64"))
    blend = first + (second - first) * weight
    result = where(expand_dims(any_of(isnan(rows), -1), -1), float("nan"), blend)
    result = Tensor(tracer.transpose(result.value, [result.ndim - 1, *range(result.ndim - 1)]))
    if keepdims:
        shape = [1 if k in over else d for k, d in enumerate(value.shape)]
        result = reshape(result, (result.shape[0], *shape))
    return reshape(result, (*parts.shape, *result.shape[1:]))


def _at(rows: Tensor, places: Tensor) -> Tensor:
    from .subscripts import take

    return take(rows, places, rows.ndim - 1)


def percentile(x: TensorLike, q: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """:func:`quantile` with ``q`` in percent."""
    return quantile(x, as_tensor(q, float_for(common_dtype(q))) / 100, axis, keepdims)


def median(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The middle element over ``axis``, or the mean of the two in the middle; NaN where an element is NaN."""
    return quantile(x, 0.5, axis, keepdims)


def searchsorted(row: TensorLike, x: TensorLike, side: str = "left") -> Tensor:
    """Where in the sorted vector ``row`` each element of ``x`` belongs (int64): before (``"left"``) or after those that
    are equal."""
    if side not in ("left", "right"):
        raise ArgumentError(f"searchsorted: side is {side!r}; it must be 'left' or 'right'")
    dtype = common_dtype(row, x)
    return Tensor(tracer.apply(SearchSorted(side == "right"), as_value(row, dtype), as_value(x, dtype)))


def digitize(x: TensorLike, bins: TensorLike, right: bool = False) -> Tensor:
    """The number of the interval between rising ``bins`` that each element is in."""
    return searchsorted(bins, x, "left" if right else "right")


__all__ = [
    "argsort", "digitize", "median", "percentile", "quantile", "searchsorted", "sort", "top_k",
]  # fmt: skip
