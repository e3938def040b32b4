"""exp and its kin: exp, exp2, expm1, sigmoid, tanh, sinh, cosh.

``x = n log 2 + r`` with integer ``n``; ``exp(r)`` is a polynomial and ``2**n`` is made in the exponent bits. The
power is carried as ``2**(n-1)`` so that it does not overflow before the result does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..algebra import Algebra
from . import tables
from .basics import (
    F64,
    Format,
    V,
    elementary,
    format_of,
    horner,
    magnitude,
    nearest,
    power_of_two,
    square,
    twice,
    where_greater,
    where_less,
    widened,
    with_sign,
)

LOG2_E = 1.4426950408889634  # a literal: mathematical libraries may differ in the last bit


@dataclass(frozen=True, slots=True)
class ExpTable:
    """Constants of one precision: the polynomial of ``exp(r)``, and the limits between which exp is neither 0 nor inf.

    Below ``subnormal`` the result may be subnormal; ``lift`` is the power of two it is then computed with. ``flat``
    is where expm1 has become -1.
    """

    coefficients: tuple[float, ...]
    overflow: float
    underflow: float
    subnormal: float
    lift: int
    flat: float


EXP_32 = ExpTable((1.0, 1.0, *tables.EXP_32), 88.72283935546875, -104.0, -86.0, 64, -17.5)
EXPM1_32 = ExpTable((1.0, 1.0, *tables.EXPM1_32), 88.72283935546875, -104.0, -86.0, 64, -17.5)
EXP_S = ExpTable((1.0, 1.0, *tables.EXP_S), 709.782712893384, -746.0, -707.0, 128, -38.0)
EXP_D = ExpTable((1.0, 1.0, 0.5, *tables.EXP_D), 709.782712893384, -746.0, -707.0, 128, -38.0)
EXP2_32 = (1.0, *tables.EXP2_32)
EXP2_S = (1.0, *tables.EXP2_S)
EXP2_D = (1.0, *tables.EXP2_D)


def reduce_exp(s: Algebra[V], x: V, down: int = 0) -> tuple[V, V]:
    """Of ``x = n log 2 + r``: the low bits of ``n - 1 - down + bias``, and ``r``."""
    form = format_of(s, x)
    n, bits = nearest(s, x, LOG2_E, form.bias - 1 - down)
    r = s.fma(n, s.like(-form.ln2_high, x), x)
    return bits, s.fma(n, s.like(-form.ln2_low, x), r)


def scale(s: Algebra[V], x: V, doubled: V, bits: V, subnormal: float, lift: int) -> V:
    """``doubled * 2**(n-1)``, rounded once also where it is subnormal, which needs ``x < subnormal``."""
    form = format_of(s, x)
    low = s.lt(x, s.like(subnormal, x))
    lifted = s.add(bits, s.select(low, s.like(lift, bits), s.like(0, bits)))
    value = s.mul(doubled, power_of_two(s, lifted, form))
    return s.select(low, s.mul(value, s.like(math.ldexp(1.0, -lift), x)), value)


def saturate(s: Algebra[V], x: V, value: V, underflow: float, overflow: float) -> V:
    """``value`` with 0 below and inf above the limits; NaN passes."""
    value = where_less(s, x, underflow, s.like(0.0, x), value)
    return where_greater(s, x, overflow, s.like(math.inf, x), value)


def doubled(coefficients: Sequence[float]) -> tuple[float, ...]:
    return tuple(2.0 * c for c in coefficients)


def exp_of_sum(s: Algebra[V], x: V, rest: V | None, table: ExpTable) -> V:
    """``exp(x + rest)``, where ``rest`` is below an ulp of ``x`` or so (None: 0)."""
    bits, r = reduce_exp(s, x)
    r = r if rest is None else s.add(r, rest)
    value = scale(s, x, horner(s, r, doubled(table.coefficients)), bits, table.subnormal, table.lift)
    return saturate(s, x, value, table.underflow, table.overflow)


def exp_nonpositive(s: Algebra[V], x: V, table: ExpTable) -> V:
    """``exp(x)`` for ``x <= 0``."""
    bits, r = reduce_exp(s, x)
    value = scale(s, x, horner(s, r, doubled(table.coefficients)), bits, table.subnormal, table.lift)
    return where_less(s, x, table.underflow, s.like(0.0, x), value)


def exp_normal(s: Algebra[V], x: V, table: ExpTable) -> V:
    """``exp(x)`` where it is surely neither subnormal nor out of range; anything (NaN for NaN) elsewhere."""
    bits, r = reduce_exp(s, x)
    return s.mul(horner(s, r, doubled(table.coefficients)), power_of_two(s, bits, format_of(s, x)))


def half_expm1(s: Algebra[V], x: V, table: ExpTable, down: int = 0) -> V:
    """``(exp(x) - 1) / 2**(1+down)`` for ``table.flat <= x <= table.overflow + down*log(2)``; no subnormal bits are
    kept.
    """
    bits, r = reduce_exp(s, x, down)
    p = s.fma(square(s, r), horner(s, r, table.coefficients[2:]), r)
    power = power_of_two(s, bits, format_of(s, x))
    return s.fma(p, power, s.sub(power, s.like(math.ldexp(0.5, -down), x)))


def expm1_with(s: Algebra[V], x: V, table: ExpTable) -> V:
    value = twice(s, half_expm1(s, x, table))
    value = where_less(s, x, table.flat, s.like(-1.0, x), value)
    value = where_greater(s, x, table.overflow, s.like(math.inf, x), value)
    return where_less(s, magnitude(s, x), tiny(format_of(s, x), 1), x, value)


def tiny(form: Format, order: int) -> float:
    """Below it ``x + O(x**(order+1))`` rounds to ``x``."""
    return math.ldexp(1.0, -((form.mantissa + 2 + order) // order))


def sigmoid_with(s: Algebra[V], x: V, table: ExpTable) -> V:
    """``1 / (1 + e)`` or ``e / (1 + e)`` with ``e = exp(-|x|)``, less most of what rounding ``1 + e`` did to it."""
    one = s.like(1.0, x)
    e = exp_nonpositive(s, s.neg(magnitude(s, x)), table)
    down = s.add(one, e)
    gained = s.sub(s.sub(down, one), e)
    value = s.div(where_less(s, x, 0.0, e, one), down)
    # Rightly gained/down; where down is not near 1, an ulp of it is small beside it.
    return s.fma(value, gained, value)


def tanh_f32(s: Algebra[V], x: V) -> V:
    """A polynomial below 5/8; above it ``1 - 2/(exp(2|x|) + 1)``."""
    a = magnitude(s, x)
    z = square(s, x)
    inner = s.fma(s.mul(x, z), horner(s, z, tables.TANH_32), x)
    one = s.like(1.0, x)
    outer = s.sub(one, s.div(s.like(2.0, x), s.add(exp_normal(s, twice(s, a), EXP_32), one)))
    outer = where_greater(s, a, 9.02, one, outer)
    # -0 + 0 would be 0: there, too, the sign comes from x.
    return with_sign(s, where_less(s, a, 0.625, inner, outer), x)


def tanh_f64(s: Algebra[V], x: V) -> V:
    """``u / (u + 2)`` with ``u = expm1(2|x|)``."""
    a = magnitude(s, x)
    one = s.like(1.0, x)
    half = half_expm1(s, twice(s, a), EXP_D)
    value = where_greater(s, a, 19.1, one, s.div(half, s.add(half, one)))
    return where_less(s, a, tiny(F64, 2), x, with_sign(s, value, x))


def sinh_with(s: Algebra[V], x: V, table: ExpTable) -> V:
    """``(u + u/(u+1)) / 2`` with ``u = expm1(|x|)``, carried as ``u/4``."""
    a = magnitude(s, x)
    quarter = half_expm1(s, a, table, 1)
    whole = s.fma(quarter, s.like(4.0, x), s.like(1.0, x))
    value = twice(s, s.add(quarter, s.div(quarter, whole)))
    value = where_greater(s, a, 710.4758600739439, s.like(math.inf, x), value)
    return where_less(s, a, tiny(F64, 2), x, with_sign(s, value, x))


def cosh_with(s: Algebra[V], x: V, table: ExpTable) -> V:
    """``w + 1/(4w)`` with ``w = exp(|x|)/2``, carried as ``w/2``."""
    a = magnitude(s, x)
    half = s.add(half_expm1(s, a, table, 1), s.like(0.25, x))
    value = twice(s, s.add(half, s.div(s.like(0.0625, x), half)))
    return where_greater(s, a, 710.4758600739439, s.like(math.inf, x), value)


def exp2_parts(s: Algebra[V], x: V, coefficients: Sequence[float]) -> tuple[V, V]:
    """``2 * 2**r`` and the low bits of ``n - 1 + bias``."""
    n, bits = nearest(s, x, 1.0, format_of(s, x).bias - 1)
    return horner(s, s.sub(x, n), doubled(coefficients)), bits


def exp2_f32(s: Algebra[V], x: V) -> V:
    value, bits = exp2_parts(s, x, EXP2_32)
    return saturate(s, x, scale(s, x, value, bits, -124.0, 64), -151.0, 127.99999237060547)


def exp2_f64(s: Algebra[V], x: V) -> V:
    value, bits = exp2_parts(s, x, EXP2_D)
    return saturate(s, x, scale(s, x, value, bits, -1020.0, 128), -1076.0, 1023.9999999999999)


exp = elementary(lambda s, x: exp_of_sum(s, x, None, EXP_32), lambda s, x: exp_of_sum(s, x, None, EXP_D))
exp2 = elementary(exp2_f32, exp2_f64)
expm1 = elementary(lambda s, x: expm1_with(s, x, EXPM1_32), lambda s, x: expm1_with(s, x, EXP_D))
sigmoid = elementary(lambda s, x: sigmoid_with(s, x, EXP_32), lambda s, x: sigmoid_with(s, x, EXP_D))
tanh = elementary(tanh_f32, tanh_f64)
sinh = elementary(widened(lambda s, x: sinh_with(s, x, EXP_S)), lambda s, x: sinh_with(s, x, EXP_D))
cosh = elementary(widened(lambda s, x: cosh_with(s, x, EXP_S)), lambda s, x: cosh_with(s, x, EXP_D))
