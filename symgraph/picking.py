"""Picking, counting and writing by index: choose, compress, bincount, fill_diagonal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .creation import eye
from .dtypes import int64
from .errors import ArgumentError, DTypeError, ShapeError
from .ir.checks import normalize_axis
from .ir.dims import SymDim
from .ir.ops.gathering import Take
from .ir.ops.scatter import ScatterAdd
from .numeric import where
from .shaping import reshape
from .subscripts import take, take_along_axis
from .tensor import Tensor, TensorLike, as_tensor, as_value, common_dtype
from .tracer import tracer


def choose(a: TensorLike, choices: Sequence[TensorLike]) -> Tensor:
    """NumPy's ``choose``: at each place the element of the choice whose number ``a`` (integers) has there; all
    broadcast.

    Raises:
        BoundsError: when run, for a number without a choice.
    """
    if not choices:
        raise ArgumentError("choose needs at least one choice")
    dtype = common_dtype(*choices)
    at, *values = tracer.align([as_value(a), *(as_value(c, dtype) for c in choices)])
    if not at.dtype.is_integer:
        raise DTypeError(f"choose needs integers to choose by, got {at.type}")
    stacked = tracer.concatenate([tracer.expand_dims(v, [0]) for v in values], 0)
    return Tensor(
        tracer.reshape(take_along_axis(Tensor(stacked), Tensor(tracer.expand_dims(at, [0])), 0).value, at.shape)
    )


def compress(condition: Any, x: TensorLike, axis: int | None = None) -> Tensor:
    """NumPy's ``compress``: the slices of ``x`` along ``axis`` (None: of all elements in a row) where ``condition``, a
    mask known when the graph is built, is true."""
    mask = None if isinstance(condition, Tensor) else np.asarray(condition)
    if mask is None or mask.ndim != 1:
        raise ArgumentError("compress: the condition is a vector known when the graph is built")
    t = as_tensor(x)
    if axis is None:
        t, axis = reshape(t, (-1,)), 0
    return take(t, np.flatnonzero(mask), normalize_axis(axis, t.ndim, "compress"))


def bincount(x: TensorLike, weights: TensorLike | None = None, minlength: int | SymDim = 0) -> Tensor:
    """How often each of the integers from 0 to ``minlength - 1`` occurs in the vector ``x``, as int64; with ``weights``
    their sums instead. (The result has a size that does not depend on values, so ``minlength`` has to be given.)

    Raises:
        BoundsError: when run, for a number of ``minlength`` or more.
    """
    t = as_tensor(x)
    if t.ndim != 1 or not t.dtype.is_integer:
        raise ShapeError(f"bincount counts a vector of integers, got {t.type}")
    if isinstance(minlength, int) and minlength < 1:
        raise ArgumentError("bincount: give minlength, one more than the largest number")
    amounts = tracer.full(t.shape, 1, int64) if weights is None else as_value(weights)
    zero = tracer.full((minlength,), 0, amounts.dtype)
    return Tensor(tracer.apply(ScatterAdd(Take.name, 0), zero, amounts, t.value))


def fill_diagonal(x: TensorLike, value: TensorLike, offset: int = 0) -> Tensor:
    """The matrix ``x`` with ``value`` on the diagonal ``offset`` above the main one (Theano's ``fill_diagonal`` and
    ``fill_diagonal_offset``)."""
    t = as_tensor(x)
    if t.ndim != 2:
        raise ShapeError(f"fill_diagonal of {t.type}, which is no matrix")
    on = eye(t.shape[0], t.shape[1], offset, "bool")
    return where(on, Tensor(as_value(value, t.dtype)), t)


__all__ = ["bincount", "choose", "compress", "fill_diagonal"]
