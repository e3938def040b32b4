"""Norms of vectors and of matrices."""

from __future__ import annotations

from typing import Any

from ..arrangement import moveaxis
from ..errors import ArgumentError
from ..ir.checks import normalize_axis
from ..reducing import max as largest
from ..reducing import min as smallest
from ..reducing import norm as vector_norm_of
from ..reducing import sum as total
from ..shaping import expand_dims
from ..tensor import Tensor, TensorLike
from ..tracer import tracer
from .factors import svdvals
from .operands import matrices

_INFINITY = float("inf")


def vector_norm(
    x: TensorLike, axis: int | tuple[int, ...] | None = None, keepdims: bool = False, ord: float = 2
) -> Tensor:
    """The norm of the elements along ``axis`` (all where None): ``sum(abs(x)**ord)**(1/ord)``; infinity gives the
    largest, minus infinity the smallest absolute value, 0 counts elements that are not 0."""
    return vector_norm_of(x, ord, axis, keepdims)


def matrix_norm(x: TensorLike, keepdims: bool = False, ord: float | str | None = "fro") -> Tensor:
    """The norm of each matrix.

    Args:
        x: ``(..., m, n)``.
        ord: ``"fro"`` (the root of the sum of squares), ``"nuc"`` (the sum of singular values), 2 and -2 (the largest
            and smallest one), 1 and -1 (of the sums of absolute values of columns), infinity and minus infinity (rows).

    Raises:
        ArgumentError: for another ``ord``.
    """
    value = matrices(x, "matrix_norm")
    if ord is None or ord == "fro":
        return vector_norm_of(Tensor(value), 2, (-2, -1), keepdims)
    if ord == "nuc" or ord in (2, -2):
        s = svdvals(Tensor(value))
        made = total(s, -1) if ord == "nuc" else largest(s, -1) if ord == 2 else smallest(s, -1)
    elif ord in (1, -1, _INFINITY, -_INFINITY):
        sums = total(Tensor(tracer.abs(value)), -2 if ord in (1, -1) else -1)
        made = largest(sums, -1) if ord in (1, _INFINITY) else smallest(sums, -1)
    else:
        raise ArgumentError(f"matrix_norm: ord is {ord!r}; it must be 'fro', 'nuc', 1, -1, 2, -2, inf or -inf")
    return expand_dims(expand_dims(made, -1), -1) if keepdims else made


def norm(x: TensorLike, ord: float | str | None = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """NumPy's ``linalg.norm``: of vectors along one axis, of matrices along two; without ``axis`` of the only vector or
    matrix, or, where ``ord`` is None too, the root of the sum of all squares."""
    value = matrices(x, "norm", 0)
    n = value.type.ndim
    if axis is None and (ord is None or n == 1):
        if isinstance(ord, str):
            raise ArgumentError(f"norm: {ord!r} is a norm of matrices")
        return vector_norm_of(Tensor(value), ord, None, keepdims)
    axes = list(range(n)) if axis is None else [axis] if isinstance(axis, int) else list(axis)
    axes = [normalize_axis(k, n, "norm") for k in axes]
    if len(axes) == 1:
        if isinstance(ord, str):
            raise ArgumentError(f"norm: {ord!r} is a norm of matrices")
        return vector_norm_of(Tensor(value), ord, axes[0], keepdims)
    if len(axes) != 2 or axes[0] == axes[1]:
        raise ArgumentError(f"norm: axis {axis} of {n} dimension(s); a norm is of vectors or of matrices")
    made = matrix_norm(moveaxis(Tensor(value), axes, (-2, -1)), False, ord)
    if keepdims:
        for k in sorted(axes):
            made = expand_dims(made, k)
    return made
