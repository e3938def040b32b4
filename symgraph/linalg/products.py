"""Products of vectors and matrices, and their diagonals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from string import ascii_letters

from .. import creation
from ..arrangement import matrix_transpose
from ..errors import ArgumentError, ShapeError
from ..ir.checks import normalize_axis
from ..ir.contraction_order import contraction_order, multiply
from ..ir.dims import Dim, evaluate, symbols
from ..ir.graph import Value
from ..products import dot, matmul, outer, tensordot
from ..reducing import vecdot
from ..tensor import Tensor, TensorLike, as_value, common_dtype
from ..tracer import describe, tracer
from .operands import matrices
from .systems import inv

#: Stands for unknown sizes when orders of multiplication are compared.
_TYPICAL = 64
#: Where the letters begin that stand for axes when Latin ones are used up.
_MORE_LETTERS = 0x4E00


def diagonal(x: TensorLike, offset: int = 0) -> Tensor:
    """The diagonals of the matrices in the last two axes."""
    return creation.diagonal(x, offset, -2, -1)


def trace(x: TensorLike, offset: int = 0) -> Tensor:
    """The sums of the diagonals of the matrices in the last two axes."""
    return creation.trace(x, offset, -2, -1)


def cross(a: TensorLike, b: TensorLike, axis: int = -1) -> Tensor:
    """The cross products of vectors of 3 elements along ``axis``; other axes broadcast.

    Raises:
        ShapeError: for vectors of another size.
    """
    dtype = common_dtype(a, b)
    x, y = tracer.align([as_value(a, dtype), as_value(b, dtype)])
    at = normalize_axis(axis, x.type.ndim, "cross")
    try:
        tracer.facts.unify(x.shape[at], 3)
    except ShapeError:
        raise ShapeError(f"cross: vectors of 3 elements are needed along axis {axis}, got {describe(x)}") from None
    x, y = (tracer.reshape(v, (*v.shape[:at], 3, *v.shape[at + 1 :])) for v in (x, y))

    def element(value: Value, k: int) -> Value:
        starts = [k % 3 if i == at else 0 for i in range(value.type.ndim)]
        return tracer.slice(value, starts, [1 if i == at else d for i, d in enumerate(value.shape)])

    parts = [
        tracer.sub(
            tracer.mul(element(x, k + 1), element(y, k + 2)), tracer.mul(element(x, k + 2), element(y, k + 1))
        )
        for k in range(3)
    ]
    return Tensor(tracer.concatenate(parts, at))


def matrix_power(x: TensorLike, n: int) -> Tensor:
    """``x`` multiplied ``n`` times with itself; its inverse for negative ``n``, the identity for 0.

    Raises:
        ArgumentError: for an ``n`` that is no integer.
    """
    if isinstance(n, bool) or not isinstance(n, int):
        raise ArgumentError(f"matrix_power: the exponent is an integer, got {n!r}")
    base = Tensor(matrices(x, "matrix_power"))
    if n == 0:
        side = creation.eye(base.shape[-1], dtype=base.dtype)
        return Tensor(tracer.broadcast_to(side.value, base.shape))
    if n < 0:
        base, n = inv(base), -n
    result: Tensor | None = None
    while n:  # by squaring
        if n % 2:
            result = base if result is None else matmul(result, base)
        n //= 2
        base = matmul(base, base) if n else base
    assert result is not None
    return result


def multi_dot(arrays: Sequence[TensorLike]) -> Tensor:
    """The product of matrices in the order of multiplication that costs least (unknown sizes count as 64). The first
    and the last one may be vectors.

    Raises:
        ArgumentError: for fewer than two operands.
        ShapeError: where sizes do not fit.
    """
    dtype = common_dtype(*arrays)
    values = [as_value(a, dtype) for a in arrays]
    if len(values) < 2:
        raise ArgumentError("multi_dot needs two operands or more")
    ends = (1, *(2 for _ in values[1:-1]), 1)
    for k, (value, least) in enumerate(zip(values, ends, strict=True)):
        if not least <= value.type.ndim <= 2:
            raise ShapeError(f"multi_dot multiplies matrices; its operand {k} is {describe(value)}")
    letters = [*ascii_letters, *(chr(_MORE_LETTERS + k) for k in range(len(values)))][: len(values) + 1]
    labels = [a + b for a, b in pairwise(letters)]
    labels[0] = labels[0][-values[0].type.ndim :]
    labels[-1] = labels[-1][: values[-1].type.ndim]
    sizes = {c: _weight(d) for t, v in zip(labels, values, strict=True) for c, d in zip(t, v.shape, strict=True)}
    result = "".join(c for c in (letters[0], letters[-1]) if c in sizes)
    steps, _ = contraction_order(labels, result, sizes)
    return Tensor(multiply(tracer, list(zip(labels, values, strict=True)), steps)[1])


def _weight(size: Dim) -> int:
    return evaluate(size, {s.name: _TYPICAL for s in symbols([size])})


def matrix_dot(*arrays: TensorLike) -> Tensor:
    """The product of any number of matrices, from left to right (Theano); :func:`multi_dot` finds a better order."""
    if not arrays:
        raise ArgumentError("matrix_dot needs an operand")
    return reduce(dot, (Tensor(as_value(a)) for a in arrays))


def kron(a: TensorLike, b: TensorLike) -> Tensor:
    """NumPy's Kronecker product: blocks of ``b``, one for each element of ``a``."""
    dtype = common_dtype(a, b)
    x, y = as_value(a, dtype), as_value(b, dtype)
    n = max(x.type.ndim, y.type.ndim)
    rows = [1] * (n - x.type.ndim) + list(x.shape)
    columns = [1] * (n - y.type.ndim) + list(y.shape)
    apart = [d for r in rows for d in (r, 1)], [d for c in columns for d in (1, c)]
    product = tracer.mul(tracer.reshape(x, apart[0]), tracer.reshape(y, apart[1]))
    return Tensor(tracer.reshape(product, [r * c for r, c in zip(rows, columns, strict=True)]))


__all__ = [
    "cross", "diagonal", "kron", "matmul", "matrix_dot", "matrix_power", "matrix_transpose", "multi_dot", "outer",
    "tensordot", "trace", "vecdot",
]  # fmt: skip
