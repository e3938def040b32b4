"""asin, acos, atan, atan2."""

from __future__ import annotations

import math

from ..algebra import Algebra
from . import tables
from .basics import V, elementary, high_part, horner, magnitude, square, twice, widened, with_sign

HALF_PI, HALF_PI_LOW = math.pi / 2, 6.123233995736766e-17
Table = tuple[float, ...]


def odd_poly(s: Algebra[V], w: V, z: V, table: Table) -> V:
    """What a function ``w + w**3 * P(w*w)`` adds to ``w``."""
    return s.mul(s.mul(w, z), horner(s, z, table))


def arc_parts(s: Algebra[V], x: V) -> tuple[V, V, V]:
    """Whether ``|x| > 1/2``; ``w``, whose arc sine is taken: ``sqrt((1-|x|)/2)`` where so, else ``|x|``; ``w*w``."""
    a = magnitude(s, x)
    big = s.gt(a, s.like(0.5, x))
    z = s.select(big, s.mul(s.sub(s.like(1.0, x), a), s.like(0.5, x)), square(s, a))
    return big, s.select(big, s.intrinsic("sqrt", z), a), z


def refined(s: Algebra[V], big: V, w: V, z: V) -> tuple[V, V]:
    """``w`` as a head of few bits and a rest, together the root of ``z`` to twice the precision where ``big``."""
    head = high_part(s, w)
    rest = s.div(s.sub(z, square(s, head)), s.add(s.add(w, head), s.like(1e-300, w)))
    return s.select(big, head, w), s.select(big, rest, s.like(0.0, w))


def asin_narrow(s: Algebra[V], x: V) -> V:
    """``asin(w)``, or ``pi/2 - 2 asin(w)``."""
    big, w, z = arc_parts(s, x)
    inner = s.add(w, odd_poly(s, w, z, tables.ASIN_S))
    return with_sign(s, s.select(big, s.fma(inner, s.like(-2.0, x), s.like(HALF_PI, x)), inner), x)


def acos_narrow(s: Algebra[V], x: V) -> V:
    """``pi/2 - asin(x)`` inside, ``2 asin(w)`` or ``pi - 2 asin(w)`` at the ends."""
    big, w, z = arc_parts(s, x)
    inner = s.add(w, odd_poly(s, w, z, tables.ASIN_S))
    positive = s.gt(x, s.like(0.0, x))
    outer = twice(s, inner)
    outer = s.select(positive, outer, s.sub(s.like(math.pi, x), outer))
    return s.select(big, outer, s.sub(s.like(HALF_PI, x), s.select(positive, inner, s.neg(inner))))


def asin_wide(s: Algebra[V], x: V) -> V:
    """As ``asin_narrow``, with what rounding the root and pi/2 lost."""
    big, w, z = arc_parts(s, x)
    more = odd_poly(s, w, z, tables.ASIN_D)
    head, low = refined(s, big, w, z)
    quarter = s.like(HALF_PI / 2, x)
    # (pi/4 - 2 head) - (2 (low + more) - pi/2's low part) + pi/4: each sum small or exact.
    rest = s.sub(twice(s, s.add(low, more)), s.like(HALF_PI_LOW, x))
    upper = s.add(quarter, s.sub(s.sub(quarter, twice(s, head)), rest))
    return with_sign(s, s.select(big, upper, s.add(w, more)), x)


def acos_wide(s: Algebra[V], x: V) -> V:
    """As ``acos_narrow``, with what rounding the root and pi/2 lost."""
    big, w, z = arc_parts(s, x)
    more = odd_poly(s, w, z, tables.ASIN_D)
    head, low = refined(s, big, w, z)
    negative = s.lt(x, s.like(0.0, x))
    part = s.add(low, more)
    inner_more = s.select(negative, s.neg(more), more)
    inner = s.sub(s.like(HALF_PI, x), s.add(x, s.sub(inner_more, s.like(HALF_PI_LOW, x))))
    right = twice(s, s.add(head, part))
    left = twice(s, s.sub(s.like(HALF_PI, x), s.add(head, s.sub(part, s.like(HALF_PI_LOW, x)))))
    return s.select(big, s.select(negative, left, right), inner)


_TAN_8, _TAN_38 = math.sqrt(2.0) - 1.0, math.sqrt(2.0) + 1.0


def angle(s: Algebra[V], a: V, b: V, table: Table) -> tuple[V, V]:
    """The angle of the point ``(b, a)`` in the first quadrant, as ``base + rest``: one division, ``base`` of 0, pi/4,
    pi/2.
    """
    steep = s.gt(a, s.mul(b, s.like(_TAN_38, b)))
    middle = s.gt(a, s.mul(b, s.like(_TAN_8, b)))
    up = s.select(steep, s.neg(b), s.select(middle, s.sub(a, b), a))
    down = s.select(steep, a, s.select(middle, s.add(a, b), b))
    t = s.div(up, down)
    zero = s.like(0.0, a)
    low = s.select(steep, s.like(HALF_PI_LOW, a), s.select(middle, s.like(HALF_PI_LOW / 2, a), zero))
    base = s.select(steep, s.like(HALF_PI, a), s.select(middle, s.like(HALF_PI / 2, a), zero))
    return base, s.add(t, s.add(odd_poly(s, t, square(s, t), table), low))


def atan_with(s: Algebra[V], x: V, table: Table) -> V:
    base, rest = angle(s, magnitude(s, x), s.like(1.0, x), table)
    return with_sign(s, s.add(base, rest), x)


def atan2_with(s: Algebra[V], y: V, x: V, table: Table) -> V:
    """The angle of the point ``(x, y)``, with the signs of zeros and the infinities as in C."""
    a, b = magnitude(s, y), magnitude(s, x)
    # Both infinite is the diagonal; a common factor keeps sums from overflowing.
    inf, one = s.like(math.inf, x), s.like(1.0, x)
    infinite = s.both(s.eq(a, inf), s.eq(b, inf))
    large = s.either(s.gt(a, s.like(2.0**1000, x)), s.gt(b, s.like(2.0**1000, x)))
    factor = s.select(large, s.like(0.25, x), one)
    a, b = (s.select(infinite, one, s.mul(v, factor)) for v in (a, b))
    base, rest = angle(s, a, b, table)
    left = s.lt(with_sign(s, one, x), s.like(0.0, x))
    value = s.add(base, rest)
    mirrored = s.sub(s.like(math.pi, x), s.add(value, s.like(-2 * HALF_PI_LOW, x)))
    origin = s.both(s.eq(a, s.like(0.0, a)), s.eq(b, s.like(0.0, b)))
    value = s.select(origin, s.like(0.0, x), s.select(left, mirrored, value))
    value = s.select(s.both(origin, left), s.like(math.pi, x), value)
    return with_sign(s, value, y)


asin = elementary(widened(asin_narrow), asin_wide)
acos = elementary(widened(acos_narrow), acos_wide)
atan = elementary(widened(lambda s, x: atan_with(s, x, tables.ATAN_S)), lambda s, x: atan_with(s, x, tables.ATAN_D))
atan2 = elementary(
    widened(lambda s, y, x: atan2_with(s, y, x, tables.ATAN_S)), lambda s, y, x: atan2_with(s, y, x, tables.ATAN_D)
)

__all__ = ["acos", "asin", "atan", "atan2"]
