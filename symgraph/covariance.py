"""Covariances of observed variables."""

from __future__ import annotations

from .errors import ShapeError
from .products import dot
from .reducing import mean
from .shaping import concatenate, reshape, transpose
from .tensor import Tensor, TensorLike, as_tensor
from .tracer import tracer


def cov(x: TensorLike, y: TensorLike | None = None, rowvar: bool = True, ddof: int = 1) -> Tensor:
    """NumPy's ``cov``: the matrix of covariances of variables, the rows of ``x`` (``rowvar=False``: its columns), and
    of ``y`` after them."""
    parts = [_observed(v, rowvar) for v in ([x] if y is None else [x, y])]
    both = parts[0] if len(parts) == 1 else concatenate(parts, 0)
    centred = both - mean(both, axis=1, keepdims=True)
    count = Tensor(tracer.size(both.shape[1], both.dtype)) - ddof
    return dot(centred, transpose(centred)) / count


def _observed(x: TensorLike, rowvar: bool) -> Tensor:
    """A row for every variable."""
    t = as_tensor(x)
    if t.ndim > 2 or not t.dtype.is_float:
        raise ShapeError(f"cov of {t.type}; it takes a vector or matrix of floats")
    if t.ndim < 2:
        return reshape(t, (1, -1))
    return t if rowvar else transpose(t)


__all__ = ["cov"]
