"""log and its kin: log, log1p, log2, log10, softplus, asinh, acosh, atanh.

``x = 2**k (1 + f)`` with ``1 + f`` around 1, taken from the exponent bits; then ``log x = k log 2 + log(1 + f)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..algebra import Algebra
from . import tables
from .basics import (
    F32,
    F64,
    Format,
    V,
    elementary,
    format_of,
    horner,
    integer_bits,
    magnitude,
    square,
    twice,
    where_greater,
    where_less,
    widened,
    with_sign,
)
from .exponential import EXP_32, EXP_D, ExpTable, exp_nonpositive, tiny


@dataclass(frozen=True, slots=True)
class LogCore:
    """``rest(s, f)`` gives ``log(1+f)`` less ``f``; ``lowest`` holds the bits of the smallest ``1 + f``."""

    log_rest: Callable[[Algebra[Any], Any], Any]
    lowest: int

    def rest(self, s: Algebra[V], f: V) -> V:
        value: V = self.log_rest(s, f)
        return value


def _rest_f32(s: Algebra[V], f: V) -> V:
    return s.mul(square(s, f), s.fma(f, horner(s, f, tables.LOG_32), s.like(-0.5, f)))


def _rest_f64(s: Algebra[V], f: V, coefficients: tuple[float, ...]) -> V:
    """With ``t = f/(2+f)``: ``log(1+f) = f - (f*f/2 - t*(f*f/2 + z*L(z)))``, ``z = t*t``, as in fdlibm."""
    t = s.div(f, s.add(f, s.like(2.0, f)))
    half_square = s.mul(s.like(0.5, f), square(s, f))
    z = square(s, t)
    return s.sub(s.mul(t, s.fma(z, horner(s, z, coefficients), half_square)), half_square)


LOG_32 = LogCore(_rest_f32, 0x3F2AAAAB)
LOG_S = LogCore(lambda s, f: _rest_f64(s, f, tables.LOG_S), 0x3FE6A09E667F3BCD)
LOG_D = LogCore(lambda s, f: _rest_f64(s, f, tables.LOG_D), 0x3FE6A09E667F3BCD)


def split(s: Algebra[V], x: V, lowest: int) -> tuple[V, V]:
    """``k`` (float) and ``1 + f`` of a positive finite ``x``, subnormal ones included."""
    form = format_of(s, x)
    small = s.lt(x, s.like(form.smallest_normal, x))
    lift = form.mantissa + 2
    bits = integer_bits(s, s.select(small, s.mul(x, s.like(math.ldexp(1.0, lift), x)), x))
    exponent, m = split_bits(s, bits, lowest, form)
    return s.add(s.cast(exponent, form.dtype), s.select(small, s.like(-float(lift), x), s.like(0.0, x))), m


def split_bits(s: Algebra[V], bits: V, lowest: int, form: Format) -> tuple[V, V]:
    """``k`` (integer) and ``1 + f`` of a normal number given by its bits."""
    width = s.like(form.mantissa, bits)
    exponent = s.intrinsic("shr", s.sub(bits, s.like(lowest, bits)), width)
    return exponent, s.bitcast(s.sub(bits, s.intrinsic("shl", exponent, width)), form.dtype)


def join(s: Algebra[V], k: V, f: V, rest: V) -> V:
    """``k log 2 + f + rest``, small terms first."""
    form = format_of(s, f)
    small = s.add(s.fma(k, s.like(form.ln2_low, f), rest), f)
    return s.fma(k, s.like(form.ln2_high, f), small)


def log_domain(s: Algebra[V], x: V, value: V, pole: float = 0.0) -> V:
    """``value`` for ``x`` between ``pole`` and inf; -inf at the pole, NaN below, inf and NaN as they are."""
    value = where_less(s, x, math.inf, value, x)
    value = where_less(s, x, pole, s.like(math.nan, x), value)
    return s.select(s.eq(x, s.like(pole, x)), s.like(-math.inf, x), value)


def log_with(s: Algebra[V], x: V, core: LogCore) -> V:
    k, m = split(s, x, core.lowest)
    f = s.sub(m, s.like(1.0, x))
    return log_domain(s, x, join(s, k, f, core.rest(s, f)))


def log_inside(s: Algebra[V], x: V) -> V:
    """``log x`` of a positive float32 or float64 that is neither subnormal nor infinite."""
    form = format_of(s, x)
    core = LOG_32 if form is F32 else LOG_D
    exponent, m = split_bits(s, integer_bits(s, x), core.lowest, form)
    f = s.sub(m, s.like(1.0, x))
    return join(s, s.cast(exponent, form.dtype), f, core.rest(s, f))


def log1p_core(s: Algebra[V], x: V, core: LogCore, extra: V | None = None) -> V:
    """``log(1+x) + extra*log(2)`` for ``-1 < x < inf``. The exponent comes from the rounded ``1 + x``, the rest from
    ``x`` itself.
    """
    form = format_of(s, x)
    one = s.like(1.0, x)
    bits = integer_bits(s, s.add(one, x))
    exponent, _ = split_bits(s, bits, core.lowest, form)
    # 4 * 2**-k, which stays normal for every k.
    scale = s.bitcast(
        s.intrinsic("shl", s.sub(s.like(form.bias + 2, bits), exponent), s.like(form.mantissa, bits)), form.dtype
    )
    quarter = s.like(0.25, x)
    f = s.fma(s.mul(x, scale), quarter, s.fma(scale, quarter, s.like(-1.0, x)))
    k = s.cast(exponent, form.dtype)
    return join(s, k if extra is None else s.add(k, extra), f, core.rest(s, f))


def log1p_with(s: Algebra[V], x: V, core: LogCore) -> V:
    value = log_domain(s, x, log1p_core(s, x, core), -1.0)
    return where_less(s, magnitude(s, x), tiny(format_of(s, x), 1), x, value)


def log2_with(s: Algebra[V], x: V, core: LogCore) -> V:
    k, m = split(s, x, core.lowest)
    f = s.sub(m, s.like(1.0, x))
    part = s.add(f, core.rest(s, f))
    return log_domain(s, x, s.fma(part, s.like(1.0 / math.log(2.0), x), k))


_LOG10_2_HIGH, _LOG10_2_LOW = float.fromhex("0x1.34413509f6p-2"), float.fromhex("0x1.9fef311f12b36p-42")


def log10_with(s: Algebra[V], x: V, core: LogCore) -> V:
    k, m = split(s, x, core.lowest)
    f = s.sub(m, s.like(1.0, x))
    part = s.mul(s.add(f, core.rest(s, f)), s.like(1.0 / math.log(10.0), x))
    small = s.fma(k, s.like(_LOG10_2_LOW, x), part)
    return log_domain(s, x, s.fma(k, s.like(_LOG10_2_HIGH, x), small))


def softplus_with(s: Algebra[V], x: V, table: ExpTable, core: LogCore) -> V:
    """``max(x, 0) + log1p(exp(-|x|))``"""
    e = exp_nonpositive(s, s.neg(magnitude(s, x)), table)
    log = where_less(s, e, tiny(format_of(s, x), 1), e, log1p_core(s, e, core))
    return s.add(where_greater(s, x, 0.0, x, s.like(0.0, x)), log)


_HUGE = 2.0**60


def asinh_with(s: Algebra[V], x: V, core: LogCore) -> V:
    """``log1p(a + a*a/(1 + sqrt(1 + a*a)))``; ``log(2a)`` where ``a`` is huge."""
    a = magnitude(s, x)
    one = s.like(1.0, x)
    q = square(s, a)
    t = s.add(a, s.div(q, s.add(one, s.intrinsic("sqrt", s.add(one, q)))))
    value = _log1p_or_log_twice(s, a, t, core)
    return where_less(s, a, tiny(F64, 2), x, with_sign(s, value, x))


def acosh_with(s: Algebra[V], x: V, core: LogCore) -> V:
    """``log1p(t + sqrt(2t + t*t))`` with ``t = x - 1``; ``log(2x)`` where ``x`` is huge."""
    t = s.sub(x, s.like(1.0, x))
    u = s.add(t, s.intrinsic("sqrt", s.fma(t, t, twice(s, t))))
    return where_less(s, x, 1.0, s.like(math.nan, x), _log1p_or_log_twice(s, x, u, core))


def _log1p_or_log_twice(s: Algebra[V], a: V, t: V, core: LogCore) -> V:
    huge = s.gt(a, s.like(_HUGE, a))
    extra = s.select(huge, s.like(1.0, a), s.like(0.0, a))
    return where_less(s, a, math.inf, log1p_core(s, s.select(huge, a, t), core, extra), a)


def atanh_with(s: Algebra[V], x: V, core: LogCore) -> V:
    """``log1p(2a + 2a*a/(1-a)) / 2``"""
    a = magnitude(s, x)
    t = twice(s, a)
    u = s.fma(t, s.div(a, s.sub(s.like(1.0, x), a)), t)
    value = s.mul(s.like(0.5, x), where_less(s, u, math.inf, log1p_core(s, u, core), u))
    value = where_greater(s, a, 1.0, s.like(math.nan, x), value)
    return where_less(s, a, tiny(F64, 2), x, with_sign(s, value, x))


log = elementary(lambda s, x: log_with(s, x, LOG_32), lambda s, x: log_with(s, x, LOG_D))
log1p = elementary(lambda s, x: log1p_with(s, x, LOG_32), lambda s, x: log1p_with(s, x, LOG_D))
log2 = elementary(widened(lambda s, x: log2_with(s, x, LOG_S)), lambda s, x: log2_with(s, x, LOG_D))
log10 = elementary(widened(lambda s, x: log10_with(s, x, LOG_S)), lambda s, x: log10_with(s, x, LOG_D))
softplus = elementary(lambda s, x: softplus_with(s, x, EXP_32, LOG_32), lambda s, x: softplus_with(s, x, EXP_D, LOG_D))
asinh = elementary(widened(lambda s, x: asinh_with(s, x, LOG_S)), lambda s, x: asinh_with(s, x, LOG_D))
acosh = elementary(widened(lambda s, x: acosh_with(s, x, LOG_S)), lambda s, x: acosh_with(s, x, LOG_D))
atanh = elementary(widened(lambda s, x: atanh_with(s, x, LOG_S)), lambda s, x: atanh_with(s, x, LOG_D))

__all__ = [
    "F32",
    "LOG_D",
    "LOG_S",
    "LogCore",
    "acosh",
    "asinh",
    "atanh",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_inside",
    "softplus",
    "split",
]
