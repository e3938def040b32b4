"""pow: floats to float powers with the special cases of C, integers by repeated squaring."""

from __future__ import annotations

import math
from typing import Any

from ..algebra import Algebra
from . import tables
from .basics import (
    F64,
    V,
    elementary,
    exact_product,
    exact_sum,
    horner,
    magnitude,
    power_of_two,
    square,
    twice,
    where_greater,
    where_less,
    widened,
)
from .exponential import EXP2_S, EXP_D, exp2_parts, exp_of_sum
from .logarithm import LOG_S, split


def is_whole(s: Algebra[V], v: V) -> V:
    """True where a float64 is an integer or infinite. Adding 2**52 rounds to integers."""
    a, unit = magnitude(s, v), s.like(2.0**52, v)
    return s.either(s.ge(a, unit), s.eq(s.sub(s.add(a, unit), unit), a))


def with_cases(s: Algebra[V], x: V, y: V, value: V) -> V:
    """``x**y`` from ``value = |x|**y`` (right also for 0, inf and NaN, but not for ``1**inf`` and ``x**0``)."""
    one, zero = s.like(1.0, x), s.like(0.0, x)
    whole = is_whole(s, y)
    odd = s.both(whole, s.intrinsic("bit_not", is_whole(s, s.mul(y, s.like(0.5, y)))))
    negative = s.lt(s.intrinsic("copysign", one, x), zero)
    value = s.select(s.both(odd, negative), s.neg(value), value)
    finite_below = s.both(s.lt(x, zero), s.gt(x, s.like(-math.inf, x)))
    broken = s.both(finite_below, s.intrinsic("bit_not", whole))
    value = s.select(broken, s.like(math.nan, x), value)
    unit = s.both(s.eq(magnitude(s, x), one), s.eq(magnitude(s, y), s.like(math.inf, y)))
    certain = s.either(unit, s.either(s.eq(x, one), s.eq(y, zero)))
    return s.select(certain, one, value)


def log_cases(s: Algebra[V], a: V, value: V) -> V:
    """``value`` with the logarithm's limits at 0 and inf (and NaN for NaN)."""
    value = where_less(s, a, math.inf, value, a)
    return s.select(s.eq(a, s.like(0.0, a)), s.like(-math.inf, a), value)


def pow_narrow(s: Algebra[V], x: V, y: V) -> V:
    """``2**(y log2|x|)`` in float64, enough for a float32 result."""
    a = magnitude(s, x)
    k, m = split(s, a, LOG_S.lowest)
    f = s.sub(m, s.like(1.0, x))
    part = s.add(f, LOG_S.rest(s, f))
    power = s.mul(y, log_cases(s, a, s.fma(part, s.like(1.0 / math.log(2.0), x), k)))
    limit = 300.0  # far out of float32's range, well inside float64's
    power = where_greater(s, power, limit, s.like(limit, x), where_less(s, power, -limit, s.like(-limit, x), power))
    value, bits = exp2_parts(s, power, EXP2_S)
    return with_cases(s, x, y, s.mul(value, power_of_two(s, bits, F64)))


def log_pair(s: Algebra[V], a: V) -> tuple[V, V]:
    """``log a`` as a sum of two float64, right to about 2**-67 of itself.

    ``log(1+f) = 2t + 2/3 t^3 + t^5 T(t*t)`` with ``t = f/(2+f)``; the first two terms in twice the precision.
    """
    k, m = split(s, a, LOG_S.lowest)
    one = s.like(1.0, a)
    f = s.sub(m, one)
    down, down_low = exact_sum(s, s.select(s.gt(m, one), m, one), s.select(s.gt(m, one), one, m))
    t = s.div(f, down)
    product, lost = exact_product(s, t, down)
    t_low = s.div(s.sub(s.sub(s.sub(f, product), lost), s.mul(t, down_low)), down)
    z, z_low = exact_product(s, t, t)
    z_low = s.add(z_low, s.mul(twice(s, t), t_low))
    cube, cube_low = exact_product(s, t, z)
    cube_low = s.add(cube_low, s.add(s.mul(t, z_low), s.mul(t_low, z)))
    third, third_low = exact_product(s, cube, s.like(2.0 / 3.0, a))
    third_low = s.add(third_low, s.fma(cube_low, s.like(2.0 / 3.0, a), s.mul(cube, s.like(3.700743415417188e-17, a))))
    tail = s.mul(s.mul(t, square(s, z)), horner(s, z, tables.LOG_DD))
    high, low = exact_sum(s, twice(s, t), third)
    low = s.add(low, s.add(s.add(third_low, twice(s, t_low)), tail))
    # k log 2 is 0 or larger than the rest.
    total, error = exact_sum(s, s.mul(k, s.like(F64.ln2_high, a)), high)
    error = s.add(error, s.fma(k, s.like(F64.ln2_low, a), low))
    return exact_sum(s, total, error)


def pow_wide(s: Algebra[V], x: V, y: V) -> V:
    """``exp(y log|x|)`` with the exponent in twice the precision."""
    a = magnitude(s, x)
    high, low = log_pair(s, a)
    power, lost = exact_product(s, y, high)
    rest = s.fma(y, low, lost)
    limited = s.lt(magnitude(s, power), s.like(800.0, x))
    power = s.mul(y, log_cases(s, a, high))
    value = exp_of_sum(s, power, s.select(limited, rest, s.like(0.0, x)), EXP_D)
    return with_cases(s, x, y, value)


def pow_integer(s: Algebra[V], x: V, y: V) -> V:
    """Wraps; a negative power is rounded towards zero, and 0 for base 0."""
    dtype = s.dtype(x)
    one, zero = s.like(1, x), s.like(0, x)
    result, base, left = one, x, y
    for _ in range(dtype.bits - (dtype.kind == "i")):
        odd = s.ne(s.intrinsic("bit_and", left, one), zero)
        result = s.select(odd, s.mul(result, base), result)
        base, left = s.mul(base, base), s.intrinsic("shr", left, one)
    if dtype.kind == "u":
        return result
    minus = s.like(-1, x)
    odd = s.ne(s.intrinsic("bit_and", y, one), zero)
    inverse = s.select(s.eq(x, minus), s.select(odd, minus, one), s.select(s.eq(x, one), one, zero))
    return s.select(s.lt(y, zero), inverse, result)


_pow_float = elementary(widened(pow_narrow), pow_wide)


def pow(s: Algebra[Any], x: Any, y: Any) -> Any:
    """``x**y`` of two values of one dtype."""
    return _pow_float(s, x, y) if s.dtype(x).is_float else pow_integer(s, x, y)
