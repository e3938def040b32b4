"""Factorizations, eigenvalues and singular values."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..dtypes import int64
from ..errors import ArgumentError
from ..ir.ops.factorizations import Cholesky, Eigh, Eigvalsh, Qr, Svd, Svdvals
from ..ir.ops.matrices import mt
from ..reducing import sum as total
from ..tensor import Tensor, TensorLike
from ..tracer import tracer
from .operands import matrices


class EighResult(NamedTuple):
    """Eigenvalues, from the smallest, and eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QrResult(NamedTuple):
    """A factor with orthonormal columns, and an upper triangular one."""

    Q: Tensor
    R: Tensor


class SvdResult(NamedTuple):
    """``(U * S) @ Vh``, singular values from the largest."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def cholesky(x: TensorLike, upper: bool = False) -> Tensor:
    """The lower triangular ``l`` with ``l @ l.T = x``, or the upper one with ``u.T @ u = x``.

    Args:
        x: symmetric, positive definite matrices ``(..., n, n)``, of which only the lower triangle (the upper one for
            ``upper``) is read; so the gradient is in that triangle.

    Raises:
        ShapeError: for matrices that are not square.
        LinAlgError: when run, for a matrix that is not positive definite.

    Example:
        >>> import symgraph as sg
        >>> x = sg.placeholder((2, 2))
        >>> sg.function([x], sg.linalg.cholesky(x))([[4, 0], [2, 2]])
        array([[2., 0.],
               [1., 1.]], dtype=float32)
    """
    value = matrices(x, "cholesky")
    if not upper:
        return Tensor(tracer.apply(Cholesky(), value))
    return Tensor(mt(tracer, tracer.apply(Cholesky(), mt(tracer, value))))


def eigh(x: TensorLike, UPLO: str = "L") -> EighResult:
    """Eigenvalues ``(..., n)``, from the smallest, and eigenvectors ``(..., n, n)``, as columns, of symmetric matrices.

    Args:
        x: ``(..., n, n)``.
        UPLO: which triangle is read, ``"L"`` or ``"U"``.

    The sign of a vector is LAPACK's choice. Vectors of equal eigenvalues have no gradient (it is NaN).
    """
    values, vectors = tracer.apply_all(Eigh(_is_lower(UPLO)), matrices(x, "eigh"))
    return EighResult(Tensor(values), Tensor(vectors))


def eigvalsh(x: TensorLike, UPLO: str = "L") -> Tensor:
    """The eigenvalues of :func:`eigh` alone."""
    return Tensor(tracer.apply(Eigvalsh(_is_lower(UPLO)), matrices(x, "eigvalsh")))


def _is_lower(uplo: str) -> bool:
    if uplo not in ("L", "U"):
        raise ArgumentError(f"UPLO is {uplo!r}; it must be 'L' or 'U'")
    return uplo == "L"


def svd(x: TensorLike, full_matrices: bool = True, compute_uv: bool = True) -> SvdResult | Tensor:
    """Factors with ``(U * S) @ Vh = x``; only ``S`` without ``compute_uv``.

    Args:
        x: ``(..., m, n)``.
        full_matrices: give ``U`` as ``(..., m, m)`` and ``Vh`` as ``(..., n, n)``, else ``(..., m, k)`` and
            ``(..., k, n)`` with ``k = min(m, n)``.

    Raises:
        GradientError: for a gradient of full, not square factors.
    """
    if not compute_uv:
        return svdvals(x)
    u, s, vh = tracer.apply_all(Svd(bool(full_matrices)), matrices(x, "svd"))
    return SvdResult(Tensor(u), Tensor(s), Tensor(vh))


def svdvals(x: TensorLike) -> Tensor:
    """The singular values ``(..., min(m, n))``, from the largest."""
    return Tensor(tracer.apply(Svdvals(), matrices(x, "svdvals")))


def qr(x: TensorLike, mode: str = "reduced") -> QrResult | Tensor:
    """``Q`` with orthonormal columns and upper triangular ``R`` with ``Q @ R = x``.

    Args:
        x: ``(..., m, n)``.
        mode: ``"reduced"``, ``"complete"`` (``Q`` is ``(..., m, m)``), or ``"r"`` for ``R`` alone.
    """
    if mode not in ("reduced", "complete", "r"):
        raise ArgumentError(f"qr: mode is {mode!r}; it must be 'reduced', 'complete' or 'r'")
    q, r = tracer.apply_all(Qr(mode == "complete"), matrices(x, "qr"))
    return Tensor(r) if mode == "r" else QrResult(Tensor(q), Tensor(r))


def matrix_rank(x: TensorLike, rtol: float | None = None) -> Tensor:
    """How many singular values are greater than ``rtol`` times the largest (by default the precision times the larger
    side); int64."""
    value = matrices(x, "matrix_rank")
    s = tracer.apply(Svdvals(), value)
    top = tracer.max(s, [s.type.ndim - 1], keepdims=True)
    if rtol is None:
        side = tracer.maximum(*(tracer.size(d, s.dtype) for d in value.shape[-2:]))
        limit = tracer.mul(top, tracer.mul(side, float(np.finfo(s.dtype.np).eps)))
    else:
        limit = tracer.mul(top, float(rtol))
    return total(Tensor(tracer.cast(tracer.gt(s, limit), int64)), -1)


def cond(x: TensorLike) -> Tensor:
    """The condition number: the largest singular value over the smallest."""
    s = tracer.apply(Svdvals(), matrices(x, "cond"))
    over = [s.type.ndim - 1]
    return Tensor(tracer.div(tracer.max(s, over), tracer.neg(tracer.max(tracer.neg(s), over))))
