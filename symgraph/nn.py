"""Functions of neural networks on tensors."""

from __future__ import annotations

from .dtypes import float_for
from .ir.checks import normalize_axis
from .ir.graph import Value
from .ir.ops.composites import LogSoftmax, Softmax
from .ir.ops.elementary import Sigmoid, Softplus
from .numeric import abs, clip, expm1, minimum, multiply, where
from .tensor import Tensor, TensorLike, as_tensor, as_value
from .tracer import tracer


def _float(x: TensorLike) -> Value:
    value = as_value(x)
    return tracer.cast(value, float_for(value.dtype))


def sigmoid(x: TensorLike) -> Tensor:
    """``1 / (1 + exp(-x))``."""
    return Tensor(tracer.apply(Sigmoid(), _float(x)))


def softplus(x: TensorLike) -> Tensor:
    """``log(1 + exp(x))`` without overflow."""
    return Tensor(tracer.apply(Softplus(), _float(x)))


def softsign(x: TensorLike) -> Tensor:
    """``x / (1 + |x|)``."""
    t = as_tensor(x)
    return t / (1.0 + abs(t))


def relu(x: TensorLike) -> Tensor:
    """``max(x, 0)``; NaN stays, and the slope at 0 is 0."""
    t = as_tensor(x)
    return where(t <= 0, 0, t)


def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """``x`` above 0, ``alpha * (exp(x) - 1)`` below (Clevert et al. 2015)."""
    t = as_tensor(x)
    return where(t <= 0, multiply(expm1(minimum(t, 0)), alpha), t)


def hard_sigmoid(x: TensorLike) -> Tensor:
    """Keras 2's piecewise linear sigmoid: ``clip(0.2 x + 0.5, 0, 1)``."""
    return clip(as_tensor(x) * 0.2 + 0.5, 0.0, 1.0)


def leaky_relu(x: TensorLike, alpha: float = 0.2) -> Tensor:
    """``x`` above 0, ``alpha * x`` below."""
    t = as_tensor(x)
    return where(t <= 0, multiply(t, alpha), t)


def softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """``exp(x)`` normalised to sum 1 along ``axis``."""
    value = _float(x)
    return Tensor(tracer.apply(Softmax(normalize_axis(axis, value.type.ndim, "softmax")), value))


def log_softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """``log(softmax(x))`` without underflow."""
    value = _float(x)
    return Tensor(tracer.apply(LogSoftmax(normalize_axis(axis, value.type.ndim, "log_softmax")), value))


__all__ = [
    "elu", "hard_sigmoid", "leaky_relu", "log_softmax", "relu", "sigmoid", "softmax", "softplus", "softsign",
]  # fmt: skip
