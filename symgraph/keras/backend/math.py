"""Elementwise functions, comparisons and reductions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import symgraph as sg

from .common import floatx
from .variables import Shape, Tensor, as_tensor, int_shape
from .variables import dtype as dtype_of

Axis = int | Sequence[int] | None


def _axis(axis: Axis) -> Any:
    return tuple(axis) if isinstance(axis, (list, tuple)) else axis


def _number(x: Any) -> Tensor:
    """``x`` as a tensor to calculate with: booleans become floatx."""
    x = as_tensor(x)
    return sg.cast(x, floatx()) if dtype_of(x) == "bool" else x


def _flag(x: Any) -> Tensor:
    x = as_tensor(x)
    return x if dtype_of(x) == "bool" else sg.not_equal(x, 0)


def cast(x: Any, dtype: Any) -> Tensor:
    """``x`` as another element type."""
    return sg.cast(as_tensor(x), str(dtype))


def abs(x: Tensor) -> Tensor:
    """Absolute value."""
    return sg.abs(x)


def square(x: Tensor) -> Tensor:
    """``x * x``."""
    return sg.square(x)


def sqrt(x: Tensor) -> Tensor:
    """Square root of ``max(x, 0)``."""
    return sg.sqrt(sg.maximum(x, 0.0))


def exp(x: Tensor) -> Tensor:
    """Exponential."""
    return sg.exp(x)


def log(x: Tensor) -> Tensor:
    """Natural logarithm."""
    return sg.log(x)


def round(x: Tensor) -> Tensor:
    """Nearest integer, halves to even."""
    return sg.round(x)


def sign(x: Tensor) -> Tensor:
    """-1, 0 or 1."""
    return sg.sign(x)


def pow(x: Tensor, a: Any) -> Tensor:
    """``x`` to the power ``a``."""
    return sg.power(x, a)


def sin(x: Tensor) -> Tensor:
    """Sine."""
    return sg.sin(x)


def cos(x: Tensor) -> Tensor:
    """Cosine."""
    return sg.cos(x)


def clip(x: Tensor, min_value: Any, max_value: Any) -> Tensor:
    """``x`` moved into ``[min_value, max_value]``; a maximum below the minimum is raised to it."""
    if isinstance(min_value, (int, float)) and isinstance(max_value, (int, float)) and max_value < min_value:
        max_value = min_value
    if max_value is None:
        return sg.maximum(x, min_value)
    return sg.minimum(x, max_value) if min_value is None else sg.clip(x, min_value, max_value)


def maximum(x: Any, y: Any) -> Tensor:
    """Elementwise larger one."""
    return sg.maximum(x, y)


def minimum(x: Any, y: Any) -> Tensor:
    """Elementwise smaller one."""
    return sg.minimum(x, y)


def equal(x: Any, y: Any) -> Tensor:
    """Elementwise ``x == y``."""
    return sg.equal(x, y)


def not_equal(x: Any, y: Any) -> Tensor:
    """Elementwise ``x != y``."""
    return sg.not_equal(x, y)


def greater(x: Any, y: Any) -> Tensor:
    """Elementwise ``x > y``."""
    return sg.greater(x, y)


def greater_equal(x: Any, y: Any) -> Tensor:
    """Elementwise ``x >= y``."""
    return sg.greater_equal(x, y)


def less(x: Any, y: Any) -> Tensor:
    """Elementwise ``x < y``."""
    return sg.less(x, y)


def less_equal(x: Any, y: Any) -> Tensor:
    """Elementwise ``x <= y``."""
    return sg.less_equal(x, y)


def sum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Sum over axes."""
    return sg.sum(_number(x), axis=_axis(axis), keepdims=keepdims)


def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Product over axes; of ``K.shape`` or a part of it, a size."""
    if isinstance(x, Shape):
        return math.prod(x)
    return sg.prod(_number(x), axis=_axis(axis), keepdims=keepdims)


def mean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Mean over axes; booleans count as floatx."""
    return sg.mean(_number(x), axis=_axis(axis), keepdims=keepdims)


def max(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Largest over axes."""
    return sg.max(x, axis=_axis(axis), keepdims=keepdims)


def min(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Smallest over axes."""
    return sg.min(x, axis=_axis(axis), keepdims=keepdims)


def var(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Variance over axes."""
    return sg.var(_number(x), axis=_axis(axis), keepdims=keepdims)


def std(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Standard deviation over axes."""
    return sg.sqrt(var(x, axis, keepdims))


def any(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Logical or over axes."""
    return sg.any(_flag(x), axis=_axis(axis), keepdims=keepdims)


def all(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Logical and over axes."""
    return sg.all(_flag(x), axis=_axis(axis), keepdims=keepdims)


def argmax(x: Tensor, axis: int = -1) -> Tensor:
    """Index of the largest along an axis."""
    return sg.argmax(x, axis=axis)


def argmin(x: Tensor, axis: int = -1) -> Tensor:
    """Index of the smallest along an axis."""
    return sg.argmin(x, axis=axis)


def logsumexp(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """``log(sum(exp(x)))`` without overflow."""
    return sg.logsumexp(x, axis=_axis(axis), keepdims=keepdims)


def print_tensor(x: Any, message: str = "") -> Any:
    """``x``, printed after ``message`` each time it is computed from; keep what this returns, or nothing is printed."""
    return sg.print_tensor(x, message)


def stop_gradient(variables: Any) -> Any:
    """The same values, constant for gradients; a list gives a list."""
    if isinstance(variables, (list, tuple)):
        return [sg.stop_gradient(v) for v in variables]
    return sg.stop_gradient(variables)


def dot(x: Tensor, y: Tensor) -> Tensor:
    """Matrix product; for more than two axes the last of ``x`` meets the last but one of ``y``."""
    return sg.dot(x, y)


def batch_dot(x: Tensor, y: Tensor, axes: Any = None) -> Tensor:
    """Products of the samples of two batches, over one axis of each; the result has at least two axes."""
    x_ndim, y_ndim = len(x.shape), len(y.shape)
    if x_ndim < 2 or y_ndim < 2:
        raise ValueError(
            f"Can not do batch_dot on inputs with rank < 2. Received inputs with shapes {x.shape} and {y.shape}."
        )
    if axes is None:
        axes = (x_ndim - 1, y_ndim - 1 if y_ndim == 2 else y_ndim - 2)
    if isinstance(axes, int):
        axes = (axes, axes)
    if len(axes) != 2 or np.any([not isinstance(a, (int, np.integer)) for a in axes]):
        raise ValueError(
            f"Multiple target dimensions are not supported. Expected: None, int, (int, int). Provided: {axes}"
        )
    a, b = axes[0] % x_ndim, axes[1] % y_ndim
    if a == 0 or b == 0:
        raise ValueError(
            "Can not perform batch_dot over axis 0. If your inputs are not batched, add a dummy batch dimension "
            "to your inputs using K.expand_dims(x, 0)"
        )
    x_shape, y_shape = int_shape(x), int_shape(y)
    if None not in (x_shape[a], y_shape[b]) and x_shape[a] != y_shape[b]:
        raise ValueError(
            f"Can not do batch_dot on inputs with shapes {x_shape} and {y_shape} with axes={(a, b)}: axis {a} of x has "
            f"{x_shape[a]} elements, axis {b} of y has {y_shape[b]}."
        )
    letters = iter("bcdefghijklmnopqrstuvw")
    left = ["a" if i == 0 else "z" if i == a else next(letters) for i in range(x_ndim)]
    right = ["a" if i == 0 else "z" if i == b else next(letters) for i in range(y_ndim)]
    out = [s for s in left if s != "z"] + [s for s in right[1:] if s != "z"]
    result = sg.einsum(f"{''.join(left)},{''.join(right)}->{''.join(out)}", x, y)
    return sg.expand_dims(result, 1) if len(out) == 1 else result


def cumsum(x: Tensor, axis: int = 0) -> Tensor:
    """Running sums along an axis."""
    return sg.cumsum(x, axis)


def cumprod(x: Tensor, axis: int = 0) -> Tensor:
    """Running products along an axis."""
    return sg.cumprod(x, axis)
