"""Operands of linear algebra."""

from __future__ import annotations

from ..dtypes import float64
from ..errors import DTypeError, ShapeError
from ..ir.graph import Value
from ..tensor import TensorLike, as_value
from ..tracer import describe, tracer


def matrices(x: TensorLike, name: str, least: int = 2) -> Value:
    """``x`` in floating point (integers and bools as float64), with at least so many axes.

    Raises:
        DTypeError: for float16, which LAPACK does not know.
        ShapeError: for too few axes.
    """
    value = as_value(x)
    if not value.dtype.is_float:
        value = tracer.cast(value, float64)
    if value.dtype.itemsize < 4:
        raise DTypeError(f"{name} is there for float32 and float64, got {describe(value)}; cast it first")
    if value.type.ndim < least:
        raise ShapeError(f"{name} needs matrices, got {describe(value)}")
    return value


def pair(a: TensorLike, b: TensorLike, name: str) -> tuple[Value, Value]:
    """Two operands of the wider one's dtype."""
    x, y = matrices(a, name), matrices(b, name, 1)
    wide = x.dtype if x.dtype.itemsize >= y.dtype.itemsize else y.dtype
    return tracer.cast(x, wide), tracer.cast(y, wide)


def common_stacks(x: Value, y: Value) -> tuple[Value, Value]:
    """Both with the axes in front broadcast."""
    batch = tracer.facts.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    return (
        tracer.broadcast_to(x, (*batch, *x.shape[-2:])),
        tracer.broadcast_to(y, (*batch, *y.shape[-2:])),
    )
