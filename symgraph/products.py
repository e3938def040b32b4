"""Products of tensors, with NumPy's names: dot, matmul, tensordot, outer; and Theano's batched_dot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .errors import ShapeError
from .ir.checks import normalize_axis
from .ir.graph import Value
from .tensor import Tensor, TensorLike, as_value, common_dtype
from .tracer import tracer

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _pair(a: TensorLike, b: TensorLike) -> tuple[Value, Value]:
    dtype = common_dtype(a, b)
    return as_value(a, dtype), as_value(b, dtype)


def dot(a: TensorLike, b: TensorLike) -> Tensor:
    """NumPy's ``dot``: the last axis of ``a`` with the last but one of ``b`` (its only one if it is a vector);
    scalars multiply."""
    x, y = _pair(a, b)
    if not x.shape or not y.shape:
        return Tensor(tracer.mul(x, y))
    return tensordot(Tensor(x), Tensor(y), ([x.type.ndim - 1], [max(y.type.ndim - 2, 0)]))


def matmul(a: TensorLike, b: TensorLike) -> Tensor:
    """NumPy's ``matmul``: matrix product over the last two axes, leading axes broadcast.

    Raises:
        ShapeError: for scalars, or sizes that do not fit.
    """
    x, y = _pair(a, b)
    if not x.shape or not y.shape:
        raise ShapeError("matmul: scalars have no matrix product; use multiply")
    if y.type.ndim == 1:
        return tensordot(Tensor(x), Tensor(y), ([x.type.ndim - 1], [0]))
    if x.type.ndim == 1:
        return tensordot(Tensor(x), Tensor(y), ([0], [y.type.ndim - 2]))
    batch = tracer.facts.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    n = len(batch)
    if n:
        # An operand without batch axes stays as it is; others are spread to the common ones.
        x = x if x.type.ndim == 2 else tracer.broadcast_to(x, (*batch, *x.shape[-2:]))
        y = y if y.type.ndim == 2 else tracer.broadcast_to(y, (*batch, *y.shape[-2:]))
    shared = _LETTERS[:n]
    left = (shared if x.type.ndim > 2 else "") + "YZ"
    right = (shared if y.type.ndim > 2 else "") + "ZX"
    return Tensor(tracer.contract(f"{left},{right}->{shared}YX", x, y))


def batched_dot(a: TensorLike, b: TensorLike) -> Tensor:
    """Theano's ``batched_dot``: for each position of the first axis, ``dot`` of the rest."""
    x, y = _pair(a, b)
    if x.type.ndim < 2 or y.type.ndim < 2:
        raise ShapeError(f"batched_dot needs operands of at least 2 dimensions, got {x.type} and {y.type}")
    left = "a" + _LETTERS[1 : x.type.ndim - 1] + "Z"
    at = max(y.type.ndim - 2, 1)
    rest = iter(_LETTERS[20:])
    right = "a" + "".join("Z" if i == at else next(rest) for i in range(1, y.type.ndim))
    return Tensor(tracer.contract(f"{left},{right}->{left[:-1]}{right[1:].replace('Z', '')}", x, y))


def tensordot(a: TensorLike, b: TensorLike, axes: Any = 2) -> Tensor:
    """NumPy's ``tensordot``: a sum over pairs of axes (a number of them, or two lists).

    Raises:
        ShapeError: where the axes do not fit.
    """
    x, y = _pair(a, b)
    if isinstance(axes, int):
        pairs = (list(range(x.type.ndim - axes, x.type.ndim)), list(range(axes)))
    else:
        pairs = tuple([p] if isinstance(p, int) else list(p) for p in axes)  # type: ignore[assignment]
    if len(pairs[0]) != len(pairs[1]):
        raise ShapeError(f"tensordot: {len(pairs[0])} axes of the first operand, {len(pairs[1])} of the second")
    left_axes = [normalize_axis(i, x.type.ndim, "tensordot") for i in pairs[0]]
    right_axes = [normalize_axis(i, y.type.ndim, "tensordot") for i in pairs[1]]
    left = list(_LETTERS[: x.type.ndim])
    right = list(_LETTERS[26 : 26 + y.type.ndim])
    for i, j in zip(left_axes, right_axes, strict=True):
        right[j] = left[i]
    out = [c for i, c in enumerate(left) if i not in left_axes] + [
        c for j, c in enumerate(right) if j not in right_axes
    ]
    return Tensor(tracer.contract(f"{''.join(left)},{''.join(right)}->{''.join(out)}", x, y))


def outer(a: TensorLike, b: TensorLike) -> Tensor:
    """The product of every element of ``a`` with every element of ``b``, both flattened."""
    x, y = _pair(a, b)
    return Tensor(tracer.contract("i,j->ij", tracer.reshape(x, [x.type.size]), tracer.reshape(y, [y.type.size])))


__all__: Sequence[str] = ["batched_dot", "dot", "matmul", "outer", "tensordot"]
