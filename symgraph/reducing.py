"""Reductions of tensors, with NumPy's names and arguments (``axis`` an int, a tuple of ints or None for all)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, Union

from .dtypes import bool_, float_for, int64, uint64
from .ir.checks import normalize_axis
from .ir.dims import Dim, product
from .ir.graph import Value
from .ir.op import Reduction
from .ir.ops import reductions as re
from .ir.ops.composites import LogSumExp
from .tensor import Tensor, TensorLike, as_value
from .tracer import tracer

Axis: TypeAlias = Union[int, Sequence[int], None]


def _axes(axis: Axis, value: Value, name: str) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(value.type.ndim))
    wanted = [axis] if isinstance(axis, int) else list(axis)
    return tuple(sorted({normalize_axis(int(a), value.type.ndim, name) for a in wanted}))


def _reduce(kind: type[Reduction], x: Value, axis: Axis, keepdims: bool) -> Tensor:
    return Tensor(tracer.reduce(kind, x, _axes(axis, x, kind.name), keepdims))


def _number(x: TensorLike) -> Value:
    """Narrow integers and bools widen to 64 bits, as NumPy's sum and prod do."""
    value = as_value(x)
    if value.dtype.is_float or value.dtype.itemsize == 8:
        return value
    return tracer.cast(value, uint64 if value.dtype.kind == "u" else int64)


def sum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Sum over ``axis``; bools and narrow integers are summed as 64-bit integers."""
    return _reduce(re.Sum, _number(x), axis, keepdims)


def prod(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Product over ``axis``; bools and narrow integers are multiplied as 64-bit integers."""
    return _reduce(re.Prod, _number(x), axis, keepdims)


def max(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Largest element over ``axis``; NaN if one is NaN."""
    return _reduce(re.Max, as_value(x), axis, keepdims)


def min(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Smallest element over ``axis``; NaN if one is NaN."""
    return _reduce(re.Min, as_value(x), axis, keepdims)


def any(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether some element is true (not 0)."""
    return _reduce(re.Any_, tracer.cast(as_value(x), bool_), axis, keepdims)


def all(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether all elements are true (not 0)."""
    return _reduce(re.All, tracer.cast(as_value(x), bool_), axis, keepdims)


def mean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Average over ``axis``; integers and bools are averaged in float64."""
    value = as_value(x)
    dtype = value.dtype if value.dtype.is_float else float_for(int64)
    return Tensor(tracer.mean(tracer.cast(value, dtype), _axes(axis, value, "mean"), keepdims))


def var(x: TensorLike, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
    """Variance over ``axis``: the mean of squared distances from the mean, with ``n - ddof`` in the denominator."""
    value = as_value(x)
    value = tracer.cast(value, value.dtype if value.dtype.is_float else float_for(int64))
    over = _axes(axis, value, "var")
    distance = tracer.sub(value, tracer.mean(value, over, keepdims=True))
    count: Dim = product(value.shape[a] for a in over) - ddof
    total = tracer.sum(tracer.square(distance), over, keepdims)
    return Tensor(tracer.div(total, tracer.size(count, value.dtype)))


def std(x: TensorLike, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
    """Square root of the variance."""
    return Tensor(tracer.sqrt(var(x, axis, ddof, keepdims).value))


def argmax(x: TensorLike, axis: int | None = None) -> Tensor:
    """Position (int64) of the first largest element along ``axis``, or in the flattened tensor."""
    return _reduce(re.ArgMax, as_value(x), axis, False)


def argmin(x: TensorLike, axis: int | None = None) -> Tensor:
    """Position (int64) of the first smallest element along ``axis``, or in the flattened tensor."""
    return _reduce(re.ArgMin, as_value(x), axis, False)


def logsumexp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """``log(sum(exp(x)))`` without overflow."""
    value = as_value(x)
    over = _axes(axis, value, "logsumexp")
    result = tracer.apply(LogSumExp(over), value)
    return Tensor(tracer.expand_dims(result, over) if keepdims else result)
