"""erf."""

from __future__ import annotations

from ..algebra import Algebra
from . import tables
from .basics import V, elementary, horner, magnitude, square, where_greater, where_less, with_sign
from .exponential import EXP_32, EXP_D, exp_normal


def erf_f32(s: Algebra[V], x: V) -> V:
    """A polynomial below 1; above it ``1 - exp(log(erfc))`` with a polynomial for the logarithm."""
    a = magnitude(s, x)
    one = s.like(1.0, x)
    inner = s.fma(x, horner(s, square(s, x), tables.ERF_32), x)
    outer = s.sub(one, exp_normal(s, horner(s, a, tables.ERFC_32), EXP_32))
    outer = where_greater(s, a, 3.93, one, outer)
    return where_less(s, a, 1.0, inner, with_sign(s, outer, x))


def erf_f64(s: Algebra[V], x: V) -> V:
    """A polynomial below 1; above it ``1 - exp(-x*x) P(1/(2+x))``."""
    a = magnitude(s, x)
    one = s.like(1.0, x)
    inner = s.fma(x, horner(s, square(s, x), tables.ERF_D), x)
    t = s.sub(s.div(s.like(2.0, x), s.add(a, s.like(2.0, x))), s.like(0.4, x))
    tail = s.mul(exp_normal(s, s.neg(square(s, a)), EXP_D), horner(s, t, tables.ERFC_D))
    outer = where_greater(s, a, 6.0, one, s.sub(one, tail))
    return where_less(s, a, 1.0, inner, with_sign(s, outer, x))


erf = elementary(erf_f32, erf_f64)
