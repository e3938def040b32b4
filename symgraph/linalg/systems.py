"""Linear systems, inverses and determinants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..errors import ArgumentError, ShapeError
from ..ir.dims import Dim, product
from ..ir.graph import Value
from ..ir.ops.matrix_functions import Determinant, MatrixExp, SignLogDet
from ..ir.ops.solving import Inverse, PseudoInverse, Solve, TriangularSolve
from ..products import matmul
from ..reducing import sum as total
from ..shaping import reshape, transpose
from ..tensor import Tensor, TensorLike, as_tensor
from ..tracer import describe, tracer
from .factors import matrix_rank, svdvals
from .operands import common_stacks, matrices, pair


class SlogdetResult(NamedTuple):
    """The determinant is ``sign * exp(logabsdet)``."""

    sign: Tensor
    logabsdet: Tensor


class LstsqResult(NamedTuple):
    """A solution, the sums of squared residuals, the rank and the singular values of the matrix."""

    x: Tensor
    residuals: Tensor
    rank: Tensor
    s: Tensor


def _solved(op: Solve | TriangularSolve, a: TensorLike, b: TensorLike) -> Tensor:
    """A vector on the right is one column."""
    x, y = pair(a, b, op.name)
    is_vector = y.type.ndim == 1
    x, y = common_stacks(x, tracer.expand_dims(y, [1]) if is_vector else y)
    made = tracer.apply(op, x, y)
    return Tensor(tracer.reshape(made, made.shape[:-1]) if is_vector else made)


def solve(a: TensorLike, b: TensorLike) -> Tensor:
    """``x`` with ``a @ x = b``.

    Args:
        a: ``(..., n, n)``.
        b: ``(..., n, k)``, or one vector ``(n,)``; stacks broadcast.

    Raises:
        ShapeError: for matrices that are not square, or sizes that do not fit.
        LinAlgError: when run, for a singular matrix.

    Example:
        >>> import symgraph as sg
        >>> a, b = sg.placeholder((2, 2)), sg.placeholder((2,))
        >>> sg.function([a, b], sg.linalg.solve(a, b))([[2, 0], [1, 1]], [2, 4])
        array([1., 3.], dtype=float32)
    """
    return _solved(Solve(), a, b)


def solve_triangular(
    a: TensorLike, b: TensorLike, lower: bool = False, trans: int | str = 0, unit_diagonal: bool = False
) -> Tensor:
    """``x`` with ``a @ x = b`` for a triangular ``a`` (SciPy's ``solve_triangular``); the other triangle is not read.

    Args:
        lower: which triangle ``a`` is.
        trans: 1 or ``"T"`` solves ``a.T @ x = b``.
        unit_diagonal: take the diagonal of ``a`` as 1.
    """
    if trans not in (0, 1, "N", "T"):
        raise ArgumentError(f"solve_triangular: trans is {trans!r}; it must be 0, 1, 'N' or 'T'")
    return _solved(TriangularSolve(bool(lower), trans in (1, "T"), bool(unit_diagonal)), a, b)


def solve_lower_triangular(a: TensorLike, b: TensorLike) -> Tensor:
    """``x`` with ``a @ x = b`` for a lower triangular ``a`` (Theano)."""
    return solve_triangular(a, b, lower=True)


def solve_upper_triangular(a: TensorLike, b: TensorLike) -> Tensor:
    """``x`` with ``a @ x = b`` for an upper triangular ``a`` (Theano)."""
    return solve_triangular(a, b)


def cho_solve(c: TensorLike, b: TensorLike, lower: bool = True) -> Tensor:
    """``x`` with ``c @ c.T @ x = b`` for a factor ``c`` of :func:`cholesky`; for an upper one ``c.T @ c @ x = b``."""
    half = solve_triangular(c, b, lower=lower, trans=int(not lower))
    return solve_triangular(c, half, lower=lower, trans=int(lower))


def inv(x: TensorLike) -> Tensor:
    """The inverse of square matrices ``(..., n, n)``.

    Raises:
        ShapeError: for matrices that are not square.
        LinAlgError: when run, for a singular matrix.
    """
    return Tensor(tracer.apply(Inverse(), matrices(x, "inv")))


def matrix_inverse(x: TensorLike) -> Tensor:
    """:func:`inv` under Theano's name."""
    return inv(x)


def pinv(x: TensorLike, rcond: float | None = None) -> Tensor:
    """The Moore-Penrose inverse ``(..., n, m)`` of ``(..., m, n)``.

    Args:
        rcond: singular values up to this times the largest count as 0; by default the precision times the larger side.
    """
    return Tensor(tracer.apply(PseudoInverse(None if rcond is None else float(rcond)), matrices(x, "pinv")))


def det(x: TensorLike) -> Tensor:
    """The determinants ``(...)`` of ``(..., n, n)``. The first derivative exists for singular matrices too."""
    return Tensor(tracer.apply(Determinant(), matrices(x, "det")))


def slogdet(x: TensorLike) -> SlogdetResult:
    """The sign of the determinant and the logarithm of its absolute value: no overflow."""
    sign, logarithm = tracer.apply_all(SignLogDet(), matrices(x, "slogdet"))
    return SlogdetResult(Tensor(sign), Tensor(logarithm))


def expm(x: TensorLike) -> Tensor:
    """The matrix exponential of ``(..., n, n)``."""
    return Tensor(tracer.apply(MatrixExp(), matrices(x, "expm")))


def lstsq(a: TensorLike, b: TensorLike, rcond: float | None = None) -> LstsqResult:
    """The ``x`` of least norm among those that minimize ``|a @ x - b|``.

    Args:
        a: ``(..., m, n)``.
        b: ``(..., m, k)``, or one vector ``(m,)``.
        rcond: as of :func:`pinv`.

    ``residuals`` are there for any rank, other than NumPy's.
    """
    x, y = pair(a, b, "lstsq")
    inverse = pinv(Tensor(x), rcond)
    solution = matmul(inverse, Tensor(y))
    rest = Tensor(tracer.sub(matmul(Tensor(x), solution).value, y))
    residuals = total(Tensor(tracer.square(rest.value)), -1 if y.type.ndim == 1 else -2)
    return LstsqResult(solution, residuals, matrix_rank(Tensor(x), rcond), svdvals(Tensor(x)))


def tensorinv(a: TensorLike, ind: int = 2) -> Tensor:
    """The inverse of ``tensordot(a, ., ind)`` (NumPy's ``tensorinv``).

    Raises:
        ArgumentError: for an ``ind`` that is not positive.
        ShapeError: where the first ``ind`` axes have another size in all than the others.
    """
    if ind <= 0:
        raise ArgumentError(f"tensorinv: ind is {ind}, it must be positive")
    value = matrices(a, "tensorinv")
    first, rest = value.shape[:ind], value.shape[ind:]
    _same_size(value, product(first), product(rest), "tensorinv")
    return reshape(inv(reshape(Tensor(value), (product(first), product(rest)))), (*rest, *first))


def tensorsolve(a: TensorLike, b: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """``x`` with ``tensordot(a, x, x.ndim) = b`` (NumPy's ``tensorsolve``).

    Args:
        axes: axes of ``a`` that are moved to the end first.
    """
    x, y = matrices(a, "tensorsolve"), as_tensor(b)
    if axes is not None:
        moved = [k % x.type.ndim for k in axes]
        x = transpose(Tensor(x), [*(k for k in range(x.type.ndim) if k not in moved), *moved]).value
    rest = x.shape[y.ndim :]
    side = product(rest)
    rows = product(x.shape[: y.ndim])
    _same_size(x, rows, side, "tensorsolve")
    return reshape(solve(reshape(Tensor(x), (rows, side)), reshape(y, (rows,))), rest)


def _same_size(value: Value, a: Dim, b: Dim, name: str) -> None:
    try:
        tracer.facts.unify(a, b)
    except ShapeError:
        raise ShapeError(f"{name}: {describe(value)} is no square matrix: {a} rows, {b} columns") from None
