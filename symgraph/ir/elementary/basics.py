"""What every elementary function is written with: formats, constants, polynomials, exact splittings.

All code here works on any :class:`~symgraph.ir.algebra.Algebra` and uses primitive intrinsics only. ``fma`` may round
once or twice: error bounds hold for both, and no function relies on the exactness of a fused product.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ...dtypes import DType, float16, float32, float64, int32, int64
from ...errors import InternalError
from ..algebra import Algebra

V = TypeVar("V")
Expansion = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Format:
    """A binary floating format: ``mantissa`` stored bits, exponent ``bias``, the integer dtype of its width.

    ``ln2_high`` has so few bits that its product with any exponent is exact; ``ln2_low`` is the rest of log 2.
    """

    dtype: DType
    integer: DType
    mantissa: int
    bias: int
    ln2_high: float
    ln2_low: float

    @property
    def shifter(self) -> float:
        """Adding it rounds to an integer (ties to even) that then stands in the low bits."""
        return 1.5 * 2.0**self.mantissa

    @property
    def smallest_normal(self) -> float:
        return math.ldexp(1.0, 1 - self.bias)


F32 = Format(float32, int32, 23, 127, 0.693359375, -0.00021219444005469057)
F64 = Format(float64, int64, 52, 1023, float.fromhex("0x1.62e42feep-1"), float.fromhex("0x1.a39ef35793c76p-33"))
_FORMATS = {float32: F32, float64: F64}


def format_of(s: Algebra[V], x: V) -> Format:
    """The format of a float32 or float64 value."""
    return _FORMATS[s.dtype(x)]


def elementary(single: Expansion, double: Expansion) -> Expansion:
    """One function from its float32 and float64 versions; float16 computes in float32."""

    def expand(s: Algebra[Any], *args: Any) -> Any:
        dtype = s.dtype(args[0])
        if dtype == float64:
            return double(s, *args)
        if dtype == float32:
            return single(s, *args)
        if dtype == float16:
            return s.cast(single(s, *(s.cast(a, float32) for a in args)), float16)
        raise InternalError(f"elementary functions need floats, got {dtype}")

    return expand


def widened(function: Expansion) -> Expansion:
    """A float32 function from one that is evaluated in float64."""

    def single(s: Algebra[Any], *args: Any) -> Any:
        return s.cast(function(s, *(s.cast(a, float64) for a in args)), float32)

    return single


def horner(s: Algebra[V], x: V, coefficients: Sequence[float]) -> V:
    """``c0 + c1 x + c2 x^2 + ...``"""
    dtype = s.dtype(x)
    total = s.const(coefficients[-1], dtype)
    for c in reversed(coefficients[:-1]):
        total = s.fma(total, x, s.const(c, dtype))
    return total


def square(s: Algebra[V], x: V) -> V:
    return s.mul(x, x)


def twice(s: Algebra[V], x: V) -> V:
    return s.add(x, x)


def magnitude(s: Algebra[V], x: V) -> V:
    return s.intrinsic("abs", x)


def with_sign(s: Algebra[V], x: V, sign: V) -> V:
    return s.intrinsic("copysign", x, sign)


def where_less(s: Algebra[V], x: V, limit: float, then: V, otherwise: V) -> V:
    """``then`` where ``x < limit``; ``otherwise`` elsewhere, NaN included."""
    return s.select(s.lt(x, s.like(limit, x)), then, otherwise)


def where_greater(s: Algebra[V], x: V, limit: float, then: V, otherwise: V) -> V:
    """``then`` where ``x > limit``; ``otherwise`` elsewhere, NaN included."""
    return s.select(s.gt(x, s.like(limit, x)), then, otherwise)


def nearest(s: Algebra[V], x: V, scale: float, offset: int = 0) -> tuple[V, V]:
    """``n``, the integer nearest to ``scale * x``, as a float; and an integer whose low bits are those of ``n +
    offset``.

    For ``|scale * x|`` below a quarter of ``2**mantissa``. No rounding instruction is needed: baseline x86 has none.
    """
    form = format_of(s, x)
    shifter = s.like(form.shifter + offset, x)
    shifted = s.fma(x, s.like(scale, x), shifter)
    return s.sub(shifted, shifter), s.bitcast(shifted, form.integer)


def power_of_two(s: Algebra[V], bits: V, form: Format) -> V:
    """``2**(e - bias)`` for an integer whose low bits are ``e``, ``0 < e < 2 bias + 1``."""
    return s.bitcast(s.intrinsic("shl", bits, s.like(form.mantissa, bits)), form.dtype)


def integer_bits(s: Algebra[V], x: V) -> V:
    return s.bitcast(x, format_of(s, x).integer)


def high_part(s: Algebra[V], x: V) -> V:
    """A float64 cut to its upper 26 bits; the rest, ``x - high_part(x)``, has 27."""
    mask = s.const(-(1 << 27), int64)
    return s.bitcast(s.intrinsic("bit_and", s.bitcast(x, int64), mask), float64)


def exact_product(s: Algebra[V], a: V, b: V) -> tuple[V, V]:
    """``a * b`` of float64 as a rounded product and its error (Dekker 1971, by masks, so that nothing overflows on
    the way).
    """
    product = s.mul(a, b)
    a_high, b_high = high_part(s, a), high_part(s, b)
    a_low, b_low = s.sub(a, a_high), s.sub(b, b_high)
    error = s.sub(s.mul(a_high, b_high), product)
    error = s.add(error, s.mul(a_high, b_low))
    error = s.add(error, s.mul(a_low, b_high))
    return product, s.add(error, s.mul(a_low, b_low))


def exact_sum(s: Algebra[V], a: V, b: V) -> tuple[V, V]:
    """``a + b`` as a rounded sum and its error, for ``|a| >= |b|`` or ``a == 0``."""
    total = s.add(a, b)
    return total, s.sub(b, s.sub(total, a))
