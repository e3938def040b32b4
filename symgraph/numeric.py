"""Elementwise functions on tensors, with NumPy's names, argument order, broadcasting and promotion."""

from __future__ import annotations

from typing import Any

import numpy as np

from .dtypes import DType, as_dtype, bool_, float_for
from .errors import DTypeError
from .ir.graph import Value
from .ir.op import Op
from .ir.ops import arithmetic as ar
from .ir.ops import elementary as el
from .ir.ops import logical as lo
from .tensor import Tensor, TensorLike, as_tensor, as_value, common_dtype
from .tracer import tracer


def _binary(op: Op, a: TensorLike, b: TensorLike, dtype: DType | None = None) -> Tensor:
    dtype = dtype if dtype is not None else common_dtype(a, b)
    return Tensor(tracer.elementwise(op, as_value(a, dtype), as_value(b, dtype)))


def _unary(op: Op, x: TensorLike) -> Tensor:
    return Tensor(tracer.apply(op, as_value(x)))


def _float(op: Op, x: TensorLike) -> Tensor:
    value = as_value(x)
    return Tensor(tracer.apply(op, tracer.cast(value, float_for(value.dtype))))


def add(a: TensorLike, b: TensorLike) -> Tensor:
    """``a + b``; logical or for two bools, as in NumPy."""
    return bitwise_or(a, b) if common_dtype(a, b).is_bool else _binary(ar.Add(), a, b)


def subtract(a: TensorLike, b: TensorLike) -> Tensor:
    """``a - b``."""
    return _binary(ar.Sub(), a, b)


def multiply(a: TensorLike, b: TensorLike) -> Tensor:
    """``a * b``; logical and for two bools, as in NumPy."""
    return bitwise_and(a, b) if common_dtype(a, b).is_bool else _binary(ar.Mul(), a, b)


def divide(a: TensorLike, b: TensorLike) -> Tensor:
    """``a / b``; integers are divided as floats."""
    return _binary(ar.Div(), a, b, float_for(common_dtype(a, b)))


def floor_divide(a: TensorLike, b: TensorLike) -> Tensor:
    """``a // b``; for integers 0 where ``b`` is 0."""
    return _binary(ar.FloorDiv(), a, b)


def mod(a: TensorLike, b: TensorLike) -> Tensor:
    """``a % b`` with the sign of ``b``; for integers 0 where ``b`` is 0."""
    return _binary(ar.Mod(), a, b)


def power(a: TensorLike, b: TensorLike) -> Tensor:
    """``a ** b``. Small constant integer exponents become products; an integer base needs a constant exponent >= 0.

    Raises:
        DTypeError: for an integer base with another exponent.
    """
    exponent = int(b) if isinstance(b, (int, np.integer)) and not isinstance(b, bool) else -1
    if isinstance(a, Tensor) and 0 <= exponent <= 16 and (exponent >= 1 or not a.dtype.is_float):
        return _product_power(a, exponent)
    dtype = common_dtype(a, b)
    if not dtype.is_float:
        raise DTypeError("power: an integer base needs a constant non-negative integer exponent up to 16")
    return _binary(ar.Pow(), a, b, dtype)


def _product_power(x: Tensor, exponent: int) -> Tensor:
    """Repeated squaring."""
    result: Tensor | None = None
    square: Tensor = x
    while exponent:
        if exponent & 1:
            result = square if result is None else multiply(result, square)
        exponent >>= 1
        if exponent:
            square = multiply(square, square)
    return Tensor(tracer.full(x.shape, 1, x.dtype)) if result is None else result


def maximum(a: TensorLike, b: TensorLike) -> Tensor:
    """The larger of two; NaN where one is NaN."""
    return _binary(ar.Maximum(), a, b)


def minimum(a: TensorLike, b: TensorLike) -> Tensor:
    """The smaller of two; NaN where one is NaN."""
    return _binary(ar.Minimum(), a, b)


def clip(x: TensorLike, low: TensorLike | None, high: TensorLike | None) -> Tensor:
    """``x`` limited to ``[low, high]``; None leaves a side open."""
    out = as_tensor(x)
    if low is not None:
        out = maximum(out, low)
    return out if high is None else minimum(out, high)


def negative(x: TensorLike) -> Tensor:
    """``-x``."""
    return _unary(ar.Neg(), x)


def abs(x: TensorLike) -> Tensor:
    """Absolute value."""
    return _unary(ar.Abs(), x)


def sign(x: TensorLike) -> Tensor:
    """-1, 0 or 1."""
    return _unary(ar.Sign(), x)


def square(x: TensorLike) -> Tensor:
    """``x * x``."""
    return multiply(x, x)


def reciprocal(x: TensorLike) -> Tensor:
    """``1 / x``."""
    return divide(1.0, x)


def sqrt(x: TensorLike) -> Tensor:
    """Square root; NaN below 0."""
    return _float(el.Sqrt(), x)


def rsqrt(x: TensorLike) -> Tensor:
    """``1 / sqrt(x)``."""
    return divide(1.0, sqrt(x))


def floor(x: TensorLike) -> Tensor:
    """Largest integer not above ``x``; integers stay."""
    return _rounded(ar.Floor(), x)


def ceil(x: TensorLike) -> Tensor:
    """Smallest integer not below ``x``; integers stay."""
    return _rounded(ar.Ceil(), x)


def trunc(x: TensorLike) -> Tensor:
    """Towards zero; integers stay."""
    return _rounded(ar.Trunc(), x)


def rint(x: TensorLike) -> Tensor:
    """To the nearest integer, halves to even; integers stay."""
    return _rounded(ar.Rint(), x)


def round(x: TensorLike) -> Tensor:
    """To the nearest integer, halves to even, as ``np.round``."""
    return rint(x)


def _rounded(op: Op, x: TensorLike) -> Tensor:
    value = as_value(x)
    return Tensor(tracer.apply(op, value) if value.dtype.is_float else value)


def exp(x: TensorLike) -> Tensor:
    """``e ** x``."""
    return _float(el.Exp(), x)


def exp2(x: TensorLike) -> Tensor:
    """``2 ** x``."""
    return _float(el.Exp2(), x)


def expm1(x: TensorLike) -> Tensor:
    """``exp(x) - 1``, accurate near 0."""
    return _float(el.Expm1(), x)


def log(x: TensorLike) -> Tensor:
    """Natural logarithm; NaN below 0, -inf at 0."""
    return _float(el.Log(), x)


def log2(x: TensorLike) -> Tensor:
    """Logarithm to base 2."""
    return _float(el.Log2(), x)


def log10(x: TensorLike) -> Tensor:
    """Logarithm to base 10."""
    return _float(el.Log10(), x)


def log1p(x: TensorLike) -> Tensor:
    """``log(1 + x)``, accurate near 0."""
    return _float(el.Log1p(), x)


def sin(x: TensorLike) -> Tensor:
    """Sine of radians."""
    return _float(el.Sin(), x)


def cos(x: TensorLike) -> Tensor:
    """Cosine of radians."""
    return _float(el.Cos(), x)


def tan(x: TensorLike) -> Tensor:
    """Tangent of radians."""
    return _float(el.Tan(), x)


def arcsin(x: TensorLike) -> Tensor:
    """Inverse sine in radians; NaN outside [-1, 1]."""
    return _float(el.Asin(), x)


def arccos(x: TensorLike) -> Tensor:
    """Inverse cosine in radians; NaN outside [-1, 1]."""
    return _float(el.Acos(), x)


def arctan(x: TensorLike) -> Tensor:
    """Inverse tangent in radians."""
    return _float(el.Atan(), x)


def sinh(x: TensorLike) -> Tensor:
    """Hyperbolic sine."""
    return _float(el.Sinh(), x)


def cosh(x: TensorLike) -> Tensor:
    """Hyperbolic cosine."""
    return _float(el.Cosh(), x)


def tanh(x: TensorLike) -> Tensor:
    """Hyperbolic tangent."""
    return _float(el.Tanh(), x)


def arcsinh(x: TensorLike) -> Tensor:
    """Inverse hyperbolic sine."""
    return _float(el.Asinh(), x)


def arccosh(x: TensorLike) -> Tensor:
    """Inverse hyperbolic cosine; NaN below 1."""
    return _float(el.Acosh(), x)


def arctanh(x: TensorLike) -> Tensor:
    """Inverse hyperbolic tangent; NaN outside [-1, 1]."""
    return _float(el.Atanh(), x)


def erf(x: TensorLike) -> Tensor:
    """The error function."""
    return _float(el.Erf(), x)


def _compare(op: Op, a: TensorLike, b: TensorLike) -> Tensor:
    return _binary(op, a, b)


def equal(a: TensorLike, b: TensorLike) -> Tensor:
    """``a == b``, elementwise."""
    return _compare(lo.Equal(), a, b)


def not_equal(a: TensorLike, b: TensorLike) -> Tensor:
    """``a != b``, elementwise."""
    return _compare(lo.NotEqual(), a, b)


def less(a: TensorLike, b: TensorLike) -> Tensor:
    """``a < b``."""
    return _compare(lo.Less(), a, b)


def less_equal(a: TensorLike, b: TensorLike) -> Tensor:
    """``a <= b``."""
    return _compare(lo.LessEqual(), a, b)


def greater(a: TensorLike, b: TensorLike) -> Tensor:
    """``a > b``."""
    return _compare(lo.Greater(), a, b)


def greater_equal(a: TensorLike, b: TensorLike) -> Tensor:
    """``a >= b``."""
    return _compare(lo.GreaterEqual(), a, b)


def isnan(x: TensorLike) -> Tensor:
    """Where ``x`` is NaN."""
    return _unary(lo.IsNan(), x)


def isinf(x: TensorLike) -> Tensor:
    """Where ``x`` is infinite."""
    return _unary(lo.IsInf(), x)


def isfinite(x: TensorLike) -> Tensor:
    """Where ``x`` is neither infinite nor NaN."""
    return _unary(lo.IsFinite(), x)


def bitwise_and(a: TensorLike, b: TensorLike) -> Tensor:
    """``a & b`` of integers or bools."""
    return _binary(lo.BitAnd(), a, b)


def bitwise_or(a: TensorLike, b: TensorLike) -> Tensor:
    """``a | b`` of integers or bools."""
    return _binary(lo.BitOr(), a, b)


def bitwise_xor(a: TensorLike, b: TensorLike) -> Tensor:
    """``a ^ b`` of integers or bools."""
    return _binary(lo.BitXor(), a, b)


def invert(x: TensorLike) -> Tensor:
    """``~x`` of an integer or bool."""
    return _unary(lo.BitNot(), x)


def left_shift(a: TensorLike, b: TensorLike) -> Tensor:
    """``a << b`` of integers."""
    return _binary(lo.ShiftLeft(), a, b)


def right_shift(a: TensorLike, b: TensorLike) -> Tensor:
    """``a >> b`` of integers."""
    return _binary(lo.ShiftRight(), a, b)


def truth(x: TensorLike) -> Value:
    """``x`` as bool: numbers are true where they are not 0."""
    return tracer.cast(as_value(x), bool_)


def logical_and(a: TensorLike, b: TensorLike) -> Tensor:
    """Where both are true (not 0)."""
    return Tensor(tracer.elementwise(lo.BitAnd(), truth(a), truth(b)))


def logical_or(a: TensorLike, b: TensorLike) -> Tensor:
    """Where at least one is true (not 0)."""
    return Tensor(tracer.elementwise(lo.BitOr(), truth(a), truth(b)))


def logical_xor(a: TensorLike, b: TensorLike) -> Tensor:
    """Where exactly one is true (not 0)."""
    return Tensor(tracer.elementwise(lo.BitXor(), truth(a), truth(b)))


def logical_not(x: TensorLike) -> Tensor:
    """Where ``x`` is false (0)."""
    return Tensor(tracer.apply(lo.BitNot(), truth(x)))


def where(condition: TensorLike, a: TensorLike, b: TensorLike) -> Tensor:
    """``a`` where ``condition`` is true (not 0), else ``b``; the three broadcast together."""
    dtype = common_dtype(a, b)
    return Tensor(tracer.where(truth(condition), as_value(a, dtype), as_value(b, dtype)))


def cast(x: TensorLike, dtype: Any) -> Tensor:
    """``x`` converted to ``dtype``, as ``ndarray.astype``."""
    return Tensor(tracer.cast(as_value(x), as_dtype(dtype)))
