"""sin, cos, tan.

The argument is reduced to quarter turns, ``x = (q + f) * pi/2`` with integer ``q`` and ``|f| <= 1/2``. For float32
the reduction is exact enough for every number: 2/pi is cut into pieces of 28 bits whose products with ``x`` are exact
in float64, and multiples of four turns drop out (Payne and Hanek 1983). For float64 see :func:`reduce_f64`.
"""

from __future__ import annotations

from ...dtypes import float32, float64
from ..algebra import Algebra
from . import tables
from .basics import V, elementary, horner, square
from .reduction import reduce_f32, reduce_f64


def sine_poly(s: Algebra[V], r: V, coefficients: tuple[float, ...]) -> V:
    z = square(s, r)
    return s.fma(s.mul(r, z), horner(s, z, coefficients), r)


def cosine_poly(s: Algebra[V], r: V, coefficients: tuple[float, ...]) -> V:
    """``1 - z/2 + z*z*C(z)``, with the rounding error of ``1 - z/2`` carried along."""
    z = square(s, r)
    one, half = s.like(1.0, r), s.mul(s.like(0.5, r), z)
    head = s.sub(one, half)
    lost = s.sub(s.sub(one, head), half)
    return s.add(head, s.fma(square(s, z), horner(s, z, coefficients), lost))


def bit(s: Algebra[V], q: V, which: int) -> V:
    """True where a bit of the integer ``q`` is set."""
    return s.ne(s.intrinsic("bit_and", q, s.like(1 << which, q)), s.like(0, q))


def sine(s: Algebra[V], q: V, r: V, sin_table: tuple[float, ...], cos_table: tuple[float, ...]) -> V:
    """``sin(q*pi/2 + r)``"""
    value = s.select(bit(s, q, 0), cosine_poly(s, r, cos_table), sine_poly(s, r, sin_table))
    return s.select(bit(s, q, 1), s.neg(value), value)


def tangent(s: Algebra[V], q: V, r: V, sin_table: tuple[float, ...], cos_table: tuple[float, ...]) -> V:
    """``tan(q*pi/2 + r)``"""
    up, down = sine_poly(s, r, sin_table), cosine_poly(s, r, cos_table)
    odd = bit(s, q, 0)
    return s.div(s.select(odd, s.neg(down), up), s.select(odd, up, down))


def keep_zero(s: Algebra[V], x: V, value: V) -> V:
    """``x`` itself where it is 0 of either sign."""
    return s.select(s.eq(x, s.like(0.0, x)), x, value)


def sin_f32(s: Algebra[V], x: V) -> V:
    q, r = reduce_f32(s, s.cast(x, float64))
    return keep_zero(s, x, s.cast(sine(s, q, r, tables.SIN_S, tables.COS_S), float32))


def cos_f32(s: Algebra[V], x: V) -> V:
    q, r = reduce_f32(s, s.cast(x, float64))
    return s.cast(sine(s, s.add(q, s.like(1, q)), r, tables.SIN_S, tables.COS_S), float32)


def tan_f32(s: Algebra[V], x: V) -> V:
    q, r = reduce_f32(s, s.cast(x, float64))
    return keep_zero(s, x, s.cast(tangent(s, q, r, tables.SIN_S, tables.COS_S), float32))


def sin_f64(s: Algebra[V], x: V) -> V:
    q, r = reduce_f64(s, x)
    return keep_zero(s, x, sine(s, q, r, tables.SIN_D, tables.COS_D))


def cos_f64(s: Algebra[V], x: V) -> V:
    q, r = reduce_f64(s, x)
    return sine(s, s.add(q, s.like(1, q)), r, tables.SIN_D, tables.COS_D)


def tan_f64(s: Algebra[V], x: V) -> V:
    q, r = reduce_f64(s, x)
    return keep_zero(s, x, tangent(s, q, r, tables.SIN_D, tables.COS_D))


sin = elementary(sin_f32, sin_f64)
cos = elementary(cos_f32, cos_f64)
tan = elementary(tan_f32, tan_f64)
