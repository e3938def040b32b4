"""Shapes, joining, indexing and filling, with NumPy's names and arguments. Sizes may be symbolic (``x.shape[0]``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, Union

import numpy as np

from .dtypes import as_dtype, int64
from .errors import ArgumentError, ShapeError
from .ir.checks import normalize_axis
from .ir.dim_order import is_one_if_any
from .ir.dims import Dim, Shape, SymDim, divide_exact, product, shape_text
from .ir.ops.indexing import OneHot
from .ir.ops.markers import StopGradient
from .tensor import Tensor, TensorLike, as_tensor, as_value, common_dtype
from .tracer import tracer

Sizes: TypeAlias = Union[int, SymDim, Sequence[Union[int, SymDim]]]


def as_shape(shape: Sizes) -> Shape:
    """A tuple of sizes from an int, a size or a sequence of them.

    Raises:
        ShapeError: for what is not a size.
    """
    items = shape if isinstance(shape, (tuple, list)) else (shape,)
    out: list[Dim] = []
    for item in items:
        if isinstance(item, SymDim):
            out.append(item)
        elif isinstance(item, (int, np.integer)) and not isinstance(item, bool):
            out.append(int(item))
        else:
            raise ShapeError(f"{item!r} in shape {shape!r} is not a size")
    return tuple(out)


def reshape(x: TensorLike, shape: Sizes) -> Tensor:
    """The same elements under another shape; one size may be -1.

    Raises:
        ShapeError: where the numbers of elements differ for certain.
    """
    value = as_value(x)
    wanted = list(as_shape(shape))
    open_axes = [i for i, d in enumerate(wanted) if isinstance(d, int) and d == -1]
    if len(open_axes) > 1 or any(isinstance(d, int) and d < -1 for d in wanted):
        raise ShapeError(f"reshape to {shape_text(wanted)}: at most one size may be -1")
    if open_axes:
        rest = product(d for i, d in enumerate(wanted) if i != open_axes[0])
        if isinstance(rest, int) and rest == 0:
            raise ShapeError(f"reshape {value.type} to {shape_text(wanted)}: -1 beside a size 0 is ambiguous")
        size = divide_exact(value.type.size, rest)
        if size is None and isinstance(rest, int) and isinstance(value.type.size, int):
            raise ShapeError(
                f"cannot reshape {value.type} to {shape_text(wanted)}: {value.type.size} is no multiple of {rest}"
            )
        wanted[open_axes[0]] = size if size is not None else value.type.size // rest
    return Tensor(tracer.reshape(value, wanted))


def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """Axes in another order (default: reversed)."""
    value = as_value(x)
    n = value.type.ndim
    order = tuple(reversed(range(n))) if axes is None else tuple(normalize_axis(a, n, "transpose") for a in axes)
    if sorted(order) != list(range(n)):
        raise ShapeError(f"transpose: {tuple(axes or ())} is not an order of the {n} axes of {value.type}")
    return Tensor(tracer.transpose(value, order))


def dimshuffle(x: TensorLike, *pattern: int | str) -> Tensor:
    """Theano's ``dimshuffle``: axes in a new order, ``"x"`` for a new axis of size 1; axes left out must have size
    1."""
    value = as_value(x)
    order = [normalize_axis(p, value.type.ndim, "dimshuffle") for p in pattern if not isinstance(p, str)]
    dropped = [i for i in range(value.type.ndim) if i not in order]
    if any(value.shape[i] != 1 for i in dropped):
        raise ShapeError(f"dimshuffle {pattern} drops an axis of {value.type} that is not of size 1")
    moved = tracer.transpose(squeeze(Tensor(value), dropped).value, [sorted(order).index(i) for i in order])
    return Tensor(tracer.expand_dims(moved, [i for i, p in enumerate(pattern) if isinstance(p, str)]))


def expand_dims(x: TensorLike, axis: int | Sequence[int]) -> Tensor:
    """New axes of size 1 at these positions of the result."""
    value = as_value(x)
    wanted = [axis] if isinstance(axis, int) else list(axis)
    n = value.type.ndim + len(wanted)
    return Tensor(tracer.expand_dims(value, [normalize_axis(a, n, "expand_dims") for a in wanted]))


def squeeze(x: TensorLike, axis: int | Sequence[int] | None = None) -> Tensor:
    """Without axes of size 1 (all of them, or those given).

    Raises:
        ShapeError: for an axis of another size.
    """
    value = as_value(x)
    if axis is None:
        gone = [i for i, d in enumerate(value.shape) if d == 1]
    else:
        gone = [normalize_axis(a, value.type.ndim, "squeeze") for a in ([axis] if isinstance(axis, int) else axis)]
    value = tracer.with_ones(value, [i for i in gone if is_one_if_any(value.shape[i])])
    if any(value.shape[i] != 1 for i in gone):
        raise ShapeError(f"squeeze: axis {gone} of {value.type} is not of size 1")
    return Tensor(tracer.reshape(value, [d for i, d in enumerate(value.shape) if i not in gone]))


def broadcast_to(x: TensorLike, shape: Sizes) -> Tensor:
    """``x`` repeated to ``shape`` by NumPy's rules."""
    value = as_value(x)
    wanted = as_shape(shape)
    if value.type.ndim > len(wanted):
        raise ShapeError(f"cannot broadcast {value.type} to {shape_text(wanted)}")
    return Tensor(tracer.broadcast_to(value, wanted))


def concatenate(tensors: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Tensors one after the other along ``axis``."""
    if not tensors:
        raise ArgumentError("concatenate needs at least one tensor")
    dtype = common_dtype(*tensors)
    values = [as_value(t, dtype) for t in tensors]
    return Tensor(tracer.concatenate(values, normalize_axis(axis, values[0].type.ndim, "concatenate")))


def stack(tensors: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Tensors of one shape along a new axis."""
    if not tensors:
        raise ArgumentError("stack needs at least one tensor")
    return concatenate([expand_dims(t, axis) for t in tensors], axis)


def one_hot(indices: TensorLike, depth: int, dtype: Any = "float32") -> Tensor:
    """A new last axis of size ``depth`` that is 1 at the index and 0 elsewhere."""
    return Tensor(tracer.apply(OneHot(depth, as_dtype(dtype)), as_value(indices)))


def size(x: TensorLike, axis: int | None = None) -> Tensor:
    """The number of elements, or the size of one axis, as an int64 scalar tensor."""
    value = as_value(x)
    dim = value.type.size if axis is None else value.shape[normalize_axis(axis, value.type.ndim, "size")]
    return Tensor(tracer.size(dim, int64))


def shape(x: TensorLike) -> Tensor:
    """The sizes of all axes as an int64 vector."""
    value = as_value(x)
    if not value.shape:
        return Tensor(tracer.constant(np.zeros(0, np.int64), int64))
    return stack([Tensor(tracer.size(d, int64)) for d in value.shape])


def full(shape: Sizes, value: TensorLike, dtype: Any = "float32") -> Tensor:
    """A tensor of one value."""
    return Tensor(tracer.broadcast_to(as_value(value, as_dtype(dtype)), as_shape(shape)))


def zeros(shape: Sizes, dtype: Any = "float32") -> Tensor:
    """A tensor of zeros."""
    return full(shape, 0, dtype)


def ones(shape: Sizes, dtype: Any = "float32") -> Tensor:
    """A tensor of ones."""
    return full(shape, 1, dtype)


def zeros_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """Zeros of the shape (and dtype, unless given) of ``x``."""
    like = as_tensor(x)
    return full(like.shape, 0, dtype if dtype is not None else like.dtype)


def ones_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """Ones of the shape (and dtype, unless given) of ``x``."""
    like = as_tensor(x)
    return full(like.shape, 1, dtype if dtype is not None else like.dtype)


def full_like(x: TensorLike, value: TensorLike, dtype: Any = None) -> Tensor:
    """One value in the shape (and dtype, unless given) of ``x``."""
    like = as_tensor(x)
    return full(like.shape, value, dtype if dtype is not None else like.dtype)


def stop_gradient(x: TensorLike) -> Tensor:
    """``x``, treated as a constant by :func:`symgraph.grad`."""
    return Tensor(tracer.apply(StopGradient(), as_value(x)))
