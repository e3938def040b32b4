"""Reductions of tensors, with NumPy's names and arguments (``axis`` an int, a tuple of ints or None for all)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, Union

from .dtypes import bool_, float_for, int64, uint64
from .ir.checks import normalize_axis
from .ir.dim_order import maximum
from .ir.dims import Dim, product
from .ir.graph import Value
from .ir.op import Reduction
from .ir.ops import reductions as re
from .ir.ops.arithmetic import Sub
from .ir.ops.composites import LogSumExp
from .ir.ops.cumulative import CumProd, CumSum, Recurrence
from .ir.ops.logical import NotEqual
from .tensor import Tensor, TensorLike, as_value, common_dtype
from .tracer import tracer

Axis: TypeAlias = Union[int, Sequence[int], None]


def axes_of(axis: Axis, value: Value, name: str) -> tuple[int, ...]:
    """The axes that an argument ``axis`` means, rising."""
    if axis is None:
        return tuple(range(value.type.ndim))
    wanted = [axis] if isinstance(axis, int) else list(axis)
    return tuple(sorted({normalize_axis(int(a), value.type.ndim, name) for a in wanted}))


def _reduce(kind: type[Reduction], x: Value, axis: Axis, keepdims: bool) -> Tensor:
    return Tensor(tracer.reduce(kind, x, axes_of(axis, x, kind.name), keepdims))


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
    return Tensor(tracer.mean(tracer.cast(value, dtype), axes_of(axis, value, "mean"), keepdims))


def var(x: TensorLike, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
    """Variance over ``axis``: the mean of squared distances from the mean, with ``n - ddof`` in the denominator."""
    value = as_value(x)
    value = tracer.cast(value, value.dtype if value.dtype.is_float else float_for(int64))
    over = axes_of(axis, value, "var")
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
    over = axes_of(axis, value, "logsumexp")
    result = tracer.apply(LogSumExp(over), value)
    return Tensor(tracer.expand_dims(result, over) if keepdims else result)


def cumsum(x: TensorLike, axis: int | None = None) -> Tensor:
    """Sums of all elements up to and with each along ``axis`` (None: all elements in a row); bools and narrow integers
    are summed as 64-bit integers."""
    return _running(CumSum, x, axis)


def cumprod(x: TensorLike, axis: int | None = None) -> Tensor:
    """Products of all elements up to and with each along ``axis`` (None: all elements in a row)."""
    return _running(CumProd, x, axis)


def _running(kind: type[CumSum] | type[CumProd], x: TensorLike, axis: int | None) -> Tensor:
    value = _number(x)
    if axis is None:
        value, axis = tracer.reshape(value, [value.type.size]), 0
    return Tensor(tracer.apply(kind(normalize_axis(axis, value.type.ndim, kind.name)), value))


def linear_recurrence(a: TensorLike, b: TensorLike, axis: int = -1) -> Tensor:
    """``y[k] = a[k] * y[k-1] + b[k]`` along ``axis``, starting from ``y[0] = b[0]``; floats of one shape."""
    dtype = float_for(common_dtype(a, b))
    first, second = tracer.align([as_value(a, dtype), as_value(b, dtype)])
    return Tensor(tracer.apply(Recurrence(normalize_axis(axis, first.type.ndim, "linear_recurrence")), first, second))


def diff(x: TensorLike, n: int = 1, axis: int = -1) -> Tensor:
    """Differences of neighbours along ``axis``, ``n`` times over; of bools, where they differ."""
    value = as_value(x)
    at = normalize_axis(axis, value.type.ndim, "diff")
    for _ in range(n):
        sizes = [maximum(d - 1, 0) if k == at else d for k, d in enumerate(value.shape)]
        later = tracer.slice(value, [int(k == at) for k in range(value.type.ndim)], sizes)
        earlier = tracer.slice(value, [0] * value.type.ndim, sizes)
        value = tracer.elementwise(NotEqual() if value.dtype.is_bool else Sub(), later, earlier)
    return Tensor(value)


def ptp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest element less the smallest."""
    return max(x, axis, keepdims) - min(x, axis, keepdims)


def count_nonzero(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """How many elements are not 0 (int64)."""
    return sum(Tensor(tracer.cast(as_value(x), bool_)), axis, keepdims)


def average(x: TensorLike, axis: Axis = None, weights: TensorLike | None = None, keepdims: bool = False) -> Tensor:
    """The mean, or with ``weights`` (which broadcast against ``x``) the weighted mean."""
    if weights is None:
        return mean(x, axis, keepdims)
    value, weight = tracer.align([as_value(x), as_value(weights, common_dtype(x, weights))])
    return sum(Tensor(value) * Tensor(weight), axis, keepdims) / sum(Tensor(weight), axis, keepdims)


def norm(x: TensorLike, ord: float | None = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The norm of vectors over ``axis`` (all axes where None): 2 unless ``ord`` says 0 (elements that are not 0), 1,
    infinity, minus infinity or another power. The gradient of the 2-norm at 0 is 0."""
    value = as_value(x)
    value = tracer.cast(value, float_for(value.dtype))
    size = Tensor(tracer.abs(value))
    if ord == 0:
        return Tensor(tracer.cast(count_nonzero(Tensor(value), axis, keepdims).value, value.dtype))
    if ord == 1:
        return sum(size, axis, keepdims)
    if ord in (float("inf"), float("-inf")):
        return max(size, axis, keepdims) if ord == float("inf") else min(size, axis, keepdims)
    if ord is None or ord == 2:
        squares = sum(Tensor(tracer.square(value)), axis, keepdims).value
        zero = tracer.eq(squares, 0.0)
        return Tensor(tracer.where(zero, 0.0, tracer.sqrt(tracer.where(zero, 1.0, squares))))
    return Tensor(tracer.pow(sum(Tensor(tracer.pow(size.value, float(ord))), axis, keepdims).value, 1.0 / ord))


def vecdot(a: TensorLike, b: TensorLike, axis: int = -1) -> Tensor:
    """The dot products of the vectors along ``axis``; the others broadcast."""
    dtype = common_dtype(a, b)
    x, y = tracer.align([as_value(a, dtype), as_value(b, dtype)])
    return sum(Tensor(tracer.mul(x, y)), axis)
