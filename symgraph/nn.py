"""Functions of neural networks on tensors."""

from __future__ import annotations

import math

from .differentiation import custom_gradient
from .dtypes import float_for
from .ir.checks import normalize_axis
from .ir.graph import Value
from .ir.ops.composites import LogSoftmax, Softmax
from .ir.ops.elementary import Sigmoid, Softplus
from .numeric import abs, clip, erf, exp, expm1, logical_and, minimum, multiply, tanh, where
from .tensor import Tensor, TensorLike, as_tensor, as_value
from .tracer import tracer


def _float(x: TensorLike) -> Value:
    value = as_value(x)
    return tracer.cast(value, float_for(value.dtype))


def _with_slope(x: Tensor, y: Tensor, slope: Tensor) -> Tensor:
    """``y``, a function of each element of ``x``, and its derivative in one piece: what a training step keeps is then
    one array, or none where ``y`` tells the derivative, and not all that ``y`` is made of."""
    return custom_gradient(lambda t: (y, lambda g: g * slope))(x)  # type: ignore[no-any-return]


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
    t = Tensor(_float(x))
    y = where(t <= 0, multiply(expm1(minimum(t, 0)), alpha), t)
    return _with_slope(t, y, where(y <= 0, y + alpha, 1)) if _is_positive(alpha) else y


def _is_positive(number: object) -> bool:
    """Whether a parameter is a known number above 0; a tensor may want a gradient of its own."""
    return isinstance(number, (int, float)) and number > 0


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


def gelu(x: TensorLike, approximate: bool = False) -> Tensor:
    """``x`` times the normal distribution function of ``x`` (Hendrycks & Gimpel 2016), or its approximation by tanh."""
    t = Tensor(_float(x))
    if approximate:
        unit = math.sqrt(2 / math.pi)
        share = tanh((t + t * t * t * 0.044715) * unit)
        steep = 1 - share * share
        inner = (steep + steep * t * t * (3 * 0.044715)) * unit  # t * t alone may be infinite
    else:
        share = erf(t * math.sqrt(0.5))
        inner = exp(t * t * -0.5) * math.sqrt(2 / math.pi)
    return _with_slope(t, t * 0.5 * (1 + share), (1 + share + t * inner) * 0.5)


def selu(x: TensorLike) -> Tensor:
    """The self-normalising elu (Klambauer et al. 2017)."""
    return elu(x, 1.6732632423543772) * 1.0507009873554805


def celu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """``x`` above 0, ``alpha * (exp(x / alpha) - 1)`` below: an elu with a continuous slope."""
    t = Tensor(_float(x))
    y = where(t <= 0, multiply(expm1(minimum(t, 0) / alpha), alpha), t)
    return _with_slope(t, y, where(y <= 0, y / alpha + 1, 1)) if _is_positive(alpha) else y


def swish(x: TensorLike, beta: TensorLike = 1.0) -> Tensor:
    """``x * sigmoid(beta * x)`` (silu where ``beta`` is 1)."""
    t = Tensor(_float(x))
    if not isinstance(beta, (int, float)):
        return t * sigmoid(t * beta)
    share = sigmoid(t if beta == 1 else t * beta)
    return _with_slope(t, t * share, share + share * (1 - share) * t * beta)


def mish(x: TensorLike) -> Tensor:
    """``x * tanh(softplus(x))``."""
    t = Tensor(_float(x))
    share = tanh(softplus(t))
    return _with_slope(t, t * share, share + (1 - share * share) * t * sigmoid(t))


def relu6(x: TensorLike) -> Tensor:
    """``relu`` limited to 6; the slope at 0 and at 6 is 0."""
    y = minimum(relu(x), 6)
    rises = logical_and(y > 0, y < 6)
    return custom_gradient(lambda t: (y, lambda g: where(rises, g, 0)))(x)  # type: ignore[no-any-return]


def hard_tanh(x: TensorLike) -> Tensor:
    """``x`` limited to [-1, 1]."""
    return clip(x, -1, 1)


def hard_swish(x: TensorLike) -> Tensor:
    """``x * relu6(x + 3) / 6``."""
    t = as_tensor(x)
    return t * relu6(t + 3) / 6


def log_sigmoid(x: TensorLike) -> Tensor:
    """``log(sigmoid(x))`` without underflow."""
    return -softplus(-as_tensor(x))


__all__ = [
    "celu", "elu", "gelu", "hard_sigmoid", "hard_swish", "hard_tanh", "leaky_relu", "log_sigmoid", "log_softmax",
    "mish", "relu", "relu6", "selu", "sigmoid", "softmax", "softplus", "softsign", "swish",
]  # fmt: skip
