"""What ops on stacks of matrices share: checks, a few products and masks, and errors of LAPACK.

A stack of matrices is a tensor whose last two axes are rows and columns; the axes before are walked over.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_letters
from typing import Any

import numpy as np

from ...dtypes import float32, float64, int64
from ...errors import DTypeError, LinAlgError, ShapeError
from ..checks import same_dtype
from ..dims import Dim
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Host
from ..types import Facts, TensorType

_BATCH = ascii_letters[:22]


class MatrixOp(Host):
    """An op on stacks of matrices, computed by NumPy's LAPACK."""

    def explain(self, error: Exception, place: str) -> Exception:
        if isinstance(error, np.linalg.LinAlgError):
            return LinAlgError(f"{error} in {place}")
        return super().explain(error, place)

    def flops(self, operands: Sequence[TensorType], results: Sequence[TensorType]) -> Dim:
        x = operands[0]
        return 2 * x.size * x.shape[-1]

    def matrices(self, operands: Sequence[TensorType]) -> None:
        """Operands are float32 or float64, of one dtype, and have rows and columns."""
        dtype = same_dtype(self.name, operands)
        if dtype not in (float32, float64):
            raise DTypeError(f"{self.name} is there for float32 and float64, got {dtype}; cast it first")
        for operand in operands:
            if operand.ndim < 2:
                raise ShapeError(f"{self.name} needs matrices, got {operand}")

    def square(self, facts: Facts, operand: TensorType) -> TensorType:
        """The type of square matrices, with the size of a side joined."""
        self.matrices((operand,))
        *batch, rows, columns = operand.shape
        try:
            side = facts.unify(rows, columns)
        except ShapeError:
            raise ShapeError(f"{self.name} needs square matrices, got {operand}") from None
        return operand.with_shape([*batch, side, side])


# -- products and masks -------------------------------------------------------------------------------------------


def mm(e: Emitter, a: Value, b: Value) -> Value:
    """The products of two stacks of matrices of one shape of batch."""
    batch = _BATCH[: a.type.ndim - 2]
    return e.contract(f"{batch}xy,{batch}yz->{batch}xz", a, b)


def mt(e: Emitter, a: Value) -> Value:
    """Every matrix transposed."""
    n = a.type.ndim
    return e.transpose(a, [*range(n - 2), n - 1, n - 2])


def rows_and_columns(e: Emitter, a: Value) -> tuple[Value, Value]:
    """The number of the row, and of the column, of each element."""
    n = a.type.ndim
    row = e.broadcast(e.iota(a.shape[-2], int64), a.shape, [n - 2])
    return row, e.broadcast(e.iota(a.shape[-1], int64), a.shape, [n - 1])


def triangle(e: Emitter, a: Value, lower: bool = True, strict: bool = False) -> Value:
    """The elements of one triangle of each matrix, zeros elsewhere."""
    row, column = rows_and_columns(e, a)
    if not lower:
        row, column = column, row
    return e.where(e.gt(row, column) if strict else e.ge(row, column), a, 0)


def diagonal(e: Emitter, d: Value) -> Value:
    """Diagonal matrices of the vectors along the last axis."""
    n = d.shape[-1]
    wide = e.broadcast(d, (*d.shape, n), range(d.type.ndim))
    row, column = rows_and_columns(e, wide)
    return e.where(e.eq(row, column), wide, 0)


def scale_columns(e: Emitter, a: Value, d: Value) -> Value:
    """Column ``j`` of each matrix times ``d[..., j]``."""
    n = a.type.ndim
    return e.mul(a, e.broadcast(d, a.shape, [*range(n - 2), n - 1]))


def scale_rows(e: Emitter, a: Value, d: Value) -> Value:
    """Row ``i`` of each matrix times ``d[..., i]``."""
    return e.mul(a, e.broadcast(d, a.shape, range(a.type.ndim - 1)))


def over_matrices(e: Emitter, d: Value, like: Value) -> Value:
    """A number a matrix, repeated over its elements."""
    return e.broadcast(d, like.shape, range(d.type.ndim))


def inverse_gaps(e: Emitter, d: Value) -> Value:
    """``1 / (d[j] - d[i])`` at row ``i`` and column ``j``, 0 on the diagonal."""
    n = d.type.ndim
    shape = (*d.shape, d.shape[-1])
    gaps = e.sub(e.broadcast(d, shape, [*range(n - 1), n]), e.broadcast(d, shape, range(n)))
    row, column = rows_and_columns(e, gaps)
    same = e.eq(row, column)
    return e.where(same, 0, e.div(e.full(shape, 1, d.dtype), e.where(same, 1, gaps)))


def folded(e: Emitter, gradient: Value, lower: bool) -> Value:
    """The gradient with respect to matrices of which one triangle is read, from that with respect to symmetric ones."""
    both = e.add(gradient, mt(e, gradient))
    row, column = rows_and_columns(e, both)
    return triangle(e, e.where(e.eq(row, column), e.mul(both, 0.5), both), lower)


def from_identity(e: Emitter, a: Value) -> Value:
    """``I - a`` for square matrices."""
    row, column = rows_and_columns(e, a)
    return e.sub(e.where(e.eq(row, column), e.full(a.shape, 1, a.dtype), 0), a)


def solve_triangular(a: Array, b: Array, lower: bool) -> Array:
    """``x`` with ``a @ x = b`` for stacks of triangular matrices: halves, and in the end LAPACK's general solver, which
    does not fill in triangular matrices.

    Raises:
        numpy.linalg.LinAlgError: where a diagonal element is 0.
    """
    n = a.shape[-1]
    if n <= 64:
        part: Any = np.tril if lower else np.triu
        return np.linalg.solve(part(a), b)
    h = n // 2
    one, two = (slice(None, h), slice(h, None)) if lower else (slice(h, None), slice(None, h))
    first = solve_triangular(a[..., one, one], b[..., one, :], lower)
    second = solve_triangular(a[..., two, two], b[..., two, :] - a[..., two, one] @ first, lower)
    return np.concatenate([first, second] if lower else [second, first], -2)


def stacked(*shape: int, seed: int = 0, dtype: str = "float64", definite: bool = False, shift: float = 0.0) -> Array:
    """Matrices for samples: random, ``shift`` added to the diagonal; or symmetric and positive definite."""
    x = np.random.default_rng(seed).normal(size=shape)
    if definite:
        x = x @ x.swapaxes(-1, -2) + np.eye(shape[-1])
    return np.asarray(x + shift * np.eye(shape[-2], shape[-1])).astype(dtype)
