"""Arithmetic, comparisons and reductions, under TensorFlow's names: ``tf`` and ``tf.math``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import symgraph as sg
from symgraph import Tensor

from .arrays import tensor

__all__ = [
    "abs",
    "acos",
    "acosh",
    "add",
    "add_n",
    "argmax",
    "argmin",
    "argsort",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "ceil",
    "clip_by_norm",
    "clip_by_value",
    "cos",
    "cosh",
    "cumprod",
    "cumsum",
    "digamma",
    "div",
    "div_no_nan",
    "divide",
    "divide_no_nan",
    "einsum",
    "equal",
    "erf",
    "exp",
    "expm1",
    "floor",
    "floordiv",
    "floormod",
    "greater",
    "greater_equal",
    "is_finite",
    "is_inf",
    "is_nan",
    "l2_normalize",
    "less",
    "less_equal",
    "lgamma",
    "log",
    "log1p",
    "log_sigmoid",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "matmul",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "negative",
    "norm",
    "not_equal",
    "pow",
    "reciprocal",
    "reduce_all",
    "reduce_any",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_std",
    "reduce_sum",
    "reduce_variance",
    "round",
    "rsqrt",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "softplus",
    "sort",
    "sqrt",
    "square",
    "squared_difference",
    "subtract",
    "tan",
    "tanh",
    "tensordot",
    "top_k",
    "truediv",
    "xlogy",
]


def _unary(function: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    def call(x: Any, name: str | None = None) -> Tensor:
        return function(tensor(x))

    call.__doc__ = function.__doc__
    return call


def _binary(function: Callable[[Any, Any], Tensor]) -> Callable[..., Tensor]:
    def call(x: Any, y: Any, name: str | None = None) -> Tensor:
        return function(*_alike(x, y))

    call.__doc__ = function.__doc__
    return call


def _alike(x: Any, y: Any) -> tuple[Any, Any]:
    """What is no tensor takes the dtype of the other one."""
    if isinstance(x, Tensor) and isinstance(y, (list, tuple, np.ndarray)):
        return x, tensor(y, x.dtype)
    if isinstance(y, Tensor) and isinstance(x, (list, tuple, np.ndarray)):
        return tensor(x, y.dtype), y
    return (x, y) if isinstance(x, Tensor) or isinstance(y, Tensor) else (tensor(x), tensor(y))


def _reduction(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def call(
        input_tensor: Any,
        axis: Any = None,
        keepdims: bool = False,
        name: str | None = None,
        reduction_indices: Any = None,
        keep_dims: bool = False,
    ) -> Tensor:
        over = axis if axis is not None else reduction_indices
        return function(tensor(input_tensor), tuple(over) if isinstance(over, list) else over, keepdims or keep_dims)

    call.__doc__ = function.__doc__
    return call


def _index(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def call(
        input: Any,
        axis: int | None = None,
        output_type: Any = "int64",
        name: str | None = None,
        dimension: int | None = None,
    ) -> Tensor:
        over = axis if axis is not None else dimension
        return sg.cast(function(tensor(input), 0 if over is None else over), output_type)

    call.__doc__ = function.__doc__
    return call


abs = _unary(sg.abs)
acos, asin, atan = _unary(sg.arccos), _unary(sg.arcsin), _unary(sg.arctan)
acosh, asinh, atanh = _unary(sg.arccosh), _unary(sg.arcsinh), _unary(sg.arctanh)
ceil, floor, round, sign = _unary(sg.ceil), _unary(sg.floor), _unary(sg.rint), _unary(sg.sign)
cos, sin, tan = _unary(sg.cos), _unary(sg.sin), _unary(sg.tan)
cosh, sinh, tanh = _unary(sg.cosh), _unary(sg.sinh), _unary(sg.tanh)
digamma, erf, lgamma = _unary(sg.digamma), _unary(sg.erf), _unary(sg.gammaln)
exp, expm1, log, log1p = _unary(sg.exp), _unary(sg.expm1), _unary(sg.log), _unary(sg.log1p)
is_finite, is_inf, is_nan = _unary(sg.isfinite), _unary(sg.isinf), _unary(sg.isnan)
log_sigmoid, sigmoid, softplus = _unary(sg.log_sigmoid), _unary(sg.sigmoid), _unary(sg.softplus)
logical_not, negative, reciprocal = _unary(sg.logical_not), _unary(sg.negative), _unary(sg.reciprocal)
rsqrt, sqrt, square = _unary(sg.rsqrt), _unary(sg.sqrt), _unary(sg.square)

add, subtract, multiply = _binary(sg.add), _binary(sg.subtract), _binary(sg.multiply)
divide = truediv = div = _binary(sg.divide)
floordiv, floormod, mod, pow = _binary(sg.floor_divide), _binary(sg.mod), _binary(sg.mod), _binary(sg.power)
atan2, maximum, minimum = _binary(sg.arctan2), _binary(sg.maximum), _binary(sg.minimum)
equal, not_equal = _binary(sg.equal), _binary(sg.not_equal)
greater, greater_equal = _binary(sg.greater), _binary(sg.greater_equal)
less, less_equal = _binary(sg.less), _binary(sg.less_equal)
logical_and, logical_or, logical_xor = _binary(sg.logical_and), _binary(sg.logical_or), _binary(sg.logical_xor)
xlogy = _binary(sg.xlogy)

reduce_sum, reduce_mean, reduce_prod = _reduction(sg.sum), _reduction(sg.mean), _reduction(sg.prod)
reduce_max, reduce_min = _reduction(sg.max), _reduction(sg.min)
reduce_all, reduce_any = _reduction(sg.all), _reduction(sg.any)
reduce_logsumexp = _reduction(sg.logsumexp)
reduce_std = _reduction(lambda x, axis, keepdims: sg.std(x, axis, keepdims=keepdims))
reduce_variance = _reduction(lambda x, axis, keepdims: sg.var(x, axis, keepdims=keepdims))
argmax, argmin = _index(sg.argmax), _index(sg.argmin)


def squared_difference(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``(x - y) ** 2``."""
    return sg.square(sg.subtract(x, y))


def divide_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x / y``, and 0 where ``y`` is 0."""
    zero = sg.equal(y, 0)
    return sg.where(zero, 0, sg.divide(x, sg.where(zero, 1, y)))


div_no_nan = divide_no_nan


def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """The sum of tensors."""
    first, *others = inputs
    total = tensor(first)
    for other in others:
        total = total + other
    return total


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Tensor:
    """``t`` between two bounds."""
    return sg.clip(tensor(t), clip_value_min, clip_value_max)


def cumsum(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
    """Running sums along an axis; ``exclusive`` leaves each entry out of its own sum, ``reverse`` runs backwards."""
    run = sg.flip(x, axis) if reverse else tensor(x)
    total = sg.cumsum(run, axis)
    if exclusive:
        total = total - run
    return sg.flip(total, axis) if reverse else total


def cumprod(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
    """Running products along an axis; ``exclusive`` and ``reverse`` as in ``cumsum``."""
    run = sg.moveaxis(sg.flip(x, axis) if reverse else tensor(x), axis, 0)
    if exclusive:
        run = sg.concatenate([sg.ones_like(run[:1]), run[:-1]], 0)
    total = sg.moveaxis(sg.cumprod(run, 0), 0, axis)
    return sg.flip(total, axis) if reverse else total


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """``t`` scaled to the length ``clip_norm`` (over ``axes``) where it is longer."""
    values = tensor(t)
    squares = sg.sum(sg.square(values), axes, keepdims=True)
    some = sg.greater(squares, 0)  # the square root has no slope at 0
    length = sg.where(some, sg.sqrt(sg.where(some, squares, 1)), 0)
    return values * clip_norm / sg.maximum(length, clip_norm)


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None) -> Tensor:
    """``x`` by its length along an axis."""
    t = tensor(x)
    return t * sg.rsqrt(sg.maximum(sg.sum(sg.square(t), axis, keepdims=True), epsilon))


def top_k(input: Any, k: int = 1, sorted: bool = True, name: str | None = None) -> tuple[Tensor, Tensor]:
    """The largest along the last axis, and where they are."""
    values, places = sg.top_k(input, k)
    return values, sg.cast(places, "int32")


def sort(values: Any, axis: int = -1, direction: str = "ASCENDING", name: str | None = None) -> Tensor:
    """Entries in order along an axis."""
    return sg.sort(values, axis, descending=direction == "DESCENDING")


def argsort(values: Any, axis: int = -1, direction: str = "ASCENDING", name: str | None = None) -> Tensor:
    """The places of the entries in order."""
    return sg.cast(sg.argsort(values, axis, descending=direction == "DESCENDING"), "int32")


def matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, name: str | None = None) -> Tensor:
    """Products of the last two axes."""
    left, right = tensor(a), tensor(b)
    return sg.matmul(
        sg.swapaxes(left, -1, -2) if transpose_a else left, sg.swapaxes(right, -1, -2) if transpose_b else right
    )


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """The sum of products over axes."""
    return sg.tensordot(a, b, axes)


def einsum(equation: str, *inputs: Any, name: str | None = None) -> Tensor:
    """Products summed as ``equation`` says."""
    return sg.einsum(equation, *inputs)


def norm(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The length along axes."""
    return sg.norm(
        tensor, None if ord == "euclidean" else ord, tuple(axis) if isinstance(axis, list) else axis, keepdims
    )
