"""Functions of random numbers, with the same bits on every target (:mod:`..ir.ops.portable`)."""

from __future__ import annotations

from ..ir.op import Op
from ..ir.ops import portable as ops
from ..tensor import Tensor, TensorLike, as_tensor
from ..tracer import tracer


def _apply(op: Op, *operands: TensorLike) -> Tensor:
    like = next(x for x in operands if isinstance(x, Tensor))
    return Tensor(tracer.elementwise(op, *(as_tensor(x, like.dtype).value for x in operands)))


def exp(x: Tensor) -> Tensor:
    return _apply(ops.PortableExp(), x)


def expm1(x: Tensor) -> Tensor:
    return _apply(ops.PortableExpm1(), x)


def log(x: Tensor) -> Tensor:
    return _apply(ops.PortableLog(), x)


def log1p(x: Tensor) -> Tensor:
    return _apply(ops.PortableLog1p(), x)


def tan(x: Tensor) -> Tensor:
    return _apply(ops.PortableTan(), x)


def divide(x: TensorLike, y: TensorLike) -> Tensor:
    return _apply(ops.PortableDiv(), x, y)


def log_inside(x: Tensor) -> Tensor:
    """The logarithm of positive numbers that are neither subnormal nor infinite: those of open intervals."""
    return _apply(ops.LogInside(), x)


def log_factorial(x: Tensor) -> Tensor:
    """``log x!`` in double precision, for ``0 <= x <= 1e40``."""
    return _apply(ops.LogFactorial(), x)


__all__ = ["divide", "exp", "expm1", "log", "log1p", "log_factorial", "log_inside", "tan"]
