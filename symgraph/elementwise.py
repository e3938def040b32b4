"""Elementwise functions made of those in :mod:`.numeric`, and the special functions; NumPy's and SciPy's names."""

from __future__ import annotations

import math

from .dtypes import float_for
from .errors import DTypeError
from .ir.op import Op
from .ir.ops import special as sp
from .numeric import (
    abs,
    bitwise_and,
    cast,
    divide,
    equal,
    exp2,
    floor_divide,
    isfinite,
    isinf,
    isnan,
    less,
    log,
    log1p,
    log2,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    mod,
    multiply,
    negative,
    power,
    right_shift,
    sin,
    sqrt,
    subtract,
    where,
)
from .numeric import exp as exponential
from .reducing import all as all_of
from .tensor import Tensor, TensorLike, as_tensor, as_value, common_dtype
from .tracer import tracer


def _special(op: Op, x: TensorLike) -> Tensor:
    value = as_value(x)
    return Tensor(tracer.apply(op, tracer.cast(value, float_for(value.dtype))))


def _floats(op: Op, a: TensorLike, b: TensorLike) -> Tensor:
    dtype = float_for(common_dtype(a, b))
    return Tensor(tracer.elementwise(op, as_value(a, dtype), as_value(b, dtype)))


def _both(a: TensorLike, b: TensorLike) -> tuple[Tensor, Tensor]:
    dtype = common_dtype(a, b)
    return as_tensor(a, dtype), as_tensor(b, dtype)


# -- special functions ------------------------------------------------------------------------------------------


def gammaln(x: TensorLike) -> Tensor:
    """``log(|gamma(x)|)``; infinite at 0, -1, -2 ..."""
    return _special(sp.LogGamma(), x)


def digamma(x: TensorLike) -> Tensor:
    """The derivative of :func:`gammaln`; NaN at 0, -1, -2 ..."""
    return _special(sp.Digamma(), x)


def polygamma(order: int, x: TensorLike) -> Tensor:
    """Derivative ``order`` of :func:`digamma` (``order`` 0: itself), for positive ``x``."""
    return digamma(x) if order == 0 else _special(sp.Polygamma(order), x)


def erfinv(x: TensorLike) -> Tensor:
    """The inverse of the error function; NaN outside [-1, 1]."""
    return _special(sp.ErfInv(), x)


def sinc(x: TensorLike) -> Tensor:
    """``sin(pi x) / (pi x)``, 1 at 0."""
    t = as_tensor(x)
    angle = multiply(where(equal(t, 0), 1.0, t), math.pi)
    return where(equal(t, 0), 1.0, divide(sin(angle), angle))


def logit(x: TensorLike) -> Tensor:
    """``log(x / (1 - x))``, the inverse of the sigmoid."""
    return subtract(log(x), log1p(negative(x)))


def xlogy(a: TensorLike, b: TensorLike) -> Tensor:
    """``a * log(b)``, 0 where ``a`` is 0."""
    zero = equal(a, 0)
    return where(zero, 0.0, multiply(a, log(where(zero, 1.0, b))))


# -- two numbers ------------------------------------------------------------------------------------------------


def arctan2(a: TensorLike, b: TensorLike) -> Tensor:
    """The angle of the point ``(b, a)`` in radians."""
    return _floats(sp.Atan2(), a, b)


def copysign(a: TensorLike, b: TensorLike) -> Tensor:
    """The size of ``a`` with the sign of ``b``."""
    return _floats(sp.CopySign(), a, b)


def hypot(a: TensorLike, b: TensorLike) -> Tensor:
    """``sqrt(a*a + b*b)`` without overflow."""
    x, y = (abs(t) for t in _both(a, b))
    large, small = maximum(x, y), minimum(x, y)
    usual = logical_and(isfinite(large), logical_not(equal(large, 0)))
    ratio = divide(small, where(usual, large, 1))
    return where(logical_or(isinf(x), isinf(y)), math.inf, large * sqrt(1 + ratio * ratio))


def logaddexp(a: TensorLike, b: TensorLike) -> Tensor:
    """``log(exp(a) + exp(b))`` without overflow."""
    dtype = float_for(common_dtype(a, b))
    x, y = as_tensor(a, dtype), as_tensor(b, dtype)
    same = equal(x, y)  # infinities too, whose difference is NaN
    distance = abs(where(same, 0, x - y))
    return maximum(x, y) + log1p(exponential(-distance))


def logaddexp2(a: TensorLike, b: TensorLike) -> Tensor:
    """``log2(2**a + 2**b)`` without overflow."""
    dtype = float_for(common_dtype(a, b))
    x, y = as_tensor(a, dtype), as_tensor(b, dtype)
    distance = abs(where(equal(x, y), 0, x - y))
    return maximum(x, y) + log2(1 + exp2(-distance))


def fmax(a: TensorLike, b: TensorLike) -> Tensor:
    """The larger of two; a NaN loses."""
    x, y = _both(a, b)
    if not x.dtype.is_float:
        return maximum(x, y)
    return where(isnan(x), y, where(isnan(y), x, maximum(x, y)))


def fmin(a: TensorLike, b: TensorLike) -> Tensor:
    """The smaller of two; a NaN loses."""
    x, y = _both(a, b)
    if not x.dtype.is_float:
        return minimum(x, y)
    return where(isnan(x), y, where(isnan(y), x, minimum(x, y)))


def fmod(a: TensorLike, b: TensorLike) -> Tensor:
    """The remainder with the sign of ``a``, as in C."""
    x, y = _both(a, b)
    rest = mod(abs(x), abs(y))
    return copysign(rest, x) if x.dtype.is_float else where(less(x, 0), negative(rest), rest)


def divmod(a: TensorLike, b: TensorLike) -> tuple[Tensor, Tensor]:
    """``(a // b, a % b)``."""
    return floor_divide(a, b), mod(a, b)


def float_power(a: TensorLike, b: TensorLike) -> Tensor:
    """``a ** b`` in float64."""
    return power(as_tensor(a, "float64"), as_tensor(b, "float64"))


def heaviside(x: TensorLike, middle: TensorLike) -> Tensor:
    """0 below 0, ``middle`` at 0, 1 above; NaN for NaN."""
    t = as_tensor(x)
    return where(isnan(t), t, where(equal(t, 0), middle, where(less(t, 0), 0.0, 1.0)))


def isclose(
    a: TensorLike, b: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:  # fmt: skip
    """Where ``|a - b| <= atol + rtol * |b|``; infinities are close to themselves only."""
    dtype = float_for(common_dtype(a, b))
    x, y = as_tensor(a, dtype), as_tensor(b, dtype)
    finite = logical_and(isfinite(x), isfinite(y))
    near = logical_and(finite, abs(x - y) <= atol + rtol * abs(y))
    close = logical_or(near, equal(x, y))
    return logical_or(close, logical_and(isnan(x), isnan(y))) if equal_nan else close


def allclose(
    a: TensorLike, b: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:  # fmt: skip
    """Whether all elements are close (:func:`isclose`)."""
    return all_of(isclose(a, b, rtol, atol, equal_nan))


# -- one number -------------------------------------------------------------------------------------------------


def positive(x: TensorLike) -> Tensor:
    """``x`` itself."""
    return as_tensor(x)


def signbit(x: TensorLike) -> Tensor:
    """Where the sign is negative, of zeros and NaN too."""
    t = as_tensor(x)
    return less(copysign(1.0, t), 0) if t.dtype.is_float else less(t, 0)


def isposinf(x: TensorLike) -> Tensor:
    """Where ``x`` is infinity."""
    return equal(x, math.inf)


def isneginf(x: TensorLike) -> Tensor:
    """Where ``x`` is minus infinity."""
    return equal(x, -math.inf)


def nan_to_num(
    x: TensorLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:  # fmt: skip
    """``x`` with numbers for NaN and infinities (by default the largest ones of its dtype)."""
    t = as_tensor(x)
    if not t.dtype.is_float:
        return t
    limit = t.dtype.largest
    high, low = (limit if posinf is None else posinf), (-limit if neginf is None else neginf)
    return where(isnan(t), nan, where(isposinf(t), high, where(isneginf(t), low, t)))


def deg2rad(x: TensorLike) -> Tensor:
    """Degrees as radians."""
    return multiply(x, math.pi / 180)


def rad2deg(x: TensorLike) -> Tensor:
    """Radians as degrees."""
    return multiply(x, 180 / math.pi)


def cbrt(x: TensorLike) -> Tensor:
    """The cubic root, of negative numbers too."""
    t = as_tensor(x)
    value = as_tensor(t, float_for(t.dtype))
    return where(equal(value, 0), value, copysign(power(abs(where(equal(value, 0), 1, value)), 1 / 3), value))


def bitwise_count(x: TensorLike) -> Tensor:
    """How many bits of an integer's absolute value are 1, as uint8."""
    t = as_tensor(x)
    if not t.dtype.is_integer:
        raise DTypeError(f"bitwise_count needs integers, got {t.dtype}")
    t = cast(abs(t) if t.dtype.kind == "i" else t, f"uint{t.dtype.bits}")
    for width in (1, 2, 4, 8, 16, 32):
        if width >= t.dtype.bits:
            break
        # Neighbouring counts of ``width`` bits each are added.
        mask = ((1 << t.dtype.bits) - 1) // ((1 << width) + 1)
        t = bitwise_and(t, mask) + bitwise_and(right_shift(t, width), mask)
    return cast(t, "uint8")


__all__ = [
    "allclose", "arctan2", "bitwise_count", "cbrt", "copysign", "deg2rad", "digamma", "divmod", "erfinv", "float_power",
    "fmax", "fmin", "fmod", "gammaln", "heaviside", "hypot", "isclose", "isneginf", "isposinf", "logaddexp",
    "logaddexp2", "logit", "nan_to_num", "polygamma", "positive", "rad2deg", "signbit", "sinc", "xlogy",
]  # fmt: skip
