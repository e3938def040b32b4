"""Sorting and what is defined by it.

What is sorted are unsigned keys that rise as the elements do, and the result of that are positions: it is stable, and
rows run in parallel. Elements are then taken from where the positions say, and gradients go back there.
"""

from __future__ import annotations

from .dtypes import float_for
from .errors import ArgumentError
from .ir.checks import normalize_axis
from .ir.dims import Dim
from .ir.graph import Value
from .ir.ops.gathering import TakeAlong
from .ir.ops.logical import BitNot
from .ir.ops.ordering import ArgSort, SearchSorted, SortKey
from .numeric import floor, isnan, maximum, minimum, where
from .reducing import Axis, axes_of
from .reducing import any as any_of
from .shaping import expand_dims, reshape
from .subscripts import take
from .tensor import Tensor, TensorLike, as_tensor, as_value, common_dtype
from .tracer import tracer


def argsort(x: TensorLike, axis: int | None = -1, descending: bool = False) -> Tensor:
    """Positions (int64) that sort ``x`` along ``axis`` (None: all elements in a row), equal elements in their order.
    NaN comes last."""
    value, at = _row(x, axis, "argsort")
    return Tensor(_first(tracer.elementwise(SortKey(descending), value), value.shape[at], at))


def sort(x: TensorLike, axis: int | None = -1, descending: bool = False) -> Tensor:
    """``x`` in rising order along ``axis`` (None: all elements in a row); NaN comes last."""
    value, at = _row(x, axis, "sort")
    order = argsort(Tensor(value), at, descending)
    return Tensor(tracer.apply(TakeAlong(at), value, order.value))


def _row(x: TensorLike, axis: int | None, name: str) -> tuple[Value, int]:
    value = as_value(x)
    if axis is None:
        value, axis = tracer.reshape(value, [value.type.size]), 0
    return value, normalize_axis(axis, value.type.ndim, name)


def _first(keys: Value, count: Dim, axis: int) -> Value:
    """The positions of the ``count`` smallest keys along an axis."""
    last = keys.type.ndim - 1
    order = [k for k in range(last + 1) if k != axis] + [axis]
    places = tracer.apply(ArgSort(count), tracer.transpose(keys, order))
    return tracer.transpose(places, [order.index(k) for k in range(last + 1)])


def top_k(x: TensorLike, k: int, axis: int = -1) -> tuple[Tensor, Tensor]:
    """The ``k`` largest elements along ``axis``, falling, and their positions (int64), equal elements by position. NaN
    counts as largest. The rest is not sorted: the work grows with the length of the axis, and with ``k``.

    Raises:
        ArgumentError: for ``k`` below 1 or above a known size.
        BoundsError: in a call, for ``k`` above an unknown size.
    """
    t = as_tensor(x)
    axis = normalize_axis(axis, t.ndim, "top_k")
    size = t.shape[axis]
    if k < 1 or (isinstance(size, int) and k > size):
        raise ArgumentError(f"top_k: k is {k} for an axis of {size} in {t.type}")
    rising = tracer.elementwise(SortKey(False), t.value)
    order = _first(tracer.elementwise(BitNot(), rising), k, axis)
    return Tensor(tracer.apply(TakeAlong(axis), t.value, order)), Tensor(order)


def quantile(x: TensorLike, q: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Quantiles ``q`` (in [0, 1]; a scalar, or a vector for a new first axis) over ``axis``, between neighbours in
    proportion. NaN where an element is NaN."""
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
    first = take(ordered, low.astype("int64"), -1)
    second = take(ordered, minimum(low + 1, last).astype("int64"), -1)
    blend = first + (second - first) * weight
    result = where(expand_dims(any_of(isnan(rows), -1), -1), float("nan"), blend)
    result = Tensor(tracer.transpose(result.value, [result.ndim - 1, *range(result.ndim - 1)]))
    if keepdims:
        shape = [1 if k in over else d for k, d in enumerate(value.shape)]
        result = reshape(result, (result.shape[0], *shape))
    return reshape(result, (*parts.shape, *result.shape[1:]))


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
