"""asin, acos, atan, atan2."""

from __future__ import annotations

import math

from ...ir.algebra import Algebra
from . import tables
from .basics import V, elementary, high_part, horner, magnitude, square, twice, widened, with_sign

HALF_PI, HALF_PI_LOW = math.pi / 2, 6.123233995736766e-17
Table = tuple[float, ...]


def odd_poly(s: Algebra[V], w: V, z: V, table: Table) -> V:
    """What a function ``w + w**3 * P(w*w)`` adds to ``w``."""
    return s.mul(s.mul(w, z), horner(s, z, table))


def arc_parts(s: Algebra[V], x: V, table: Table) -> tuple[V, V, V, V]:
    """Of ``asin(w) = w + more``: whether ``|x| > 1/2``, and ``w``, its lost low part and ``more``; where so,
    ``w = sqrt((1-|x|)/2)``, else ``w = |x|``."""
    a = magnitude(s, x)
    big = s.gt(a, s.like(0.5, x))
    z = s.select(big, s.mul(s.sub(s.like(1.0, x), a), s.like(0.5, x)), square(s, a))
    root = s.intrinsic("sqrt", z)
    head = high_part(s, root)
    # The square root's error: (z - head^2) / (root + head) makes head + low exact to twice the precision (0 at 0).
    low = s.div(s.sub(z, square(s, head)), s.add(s.add(root, head), s.like(1e-300, x)))
    zero = s.like(0.0, x)
    w, low = s.select(big, head, a), s.select(big, low, zero)
    return big, w, low, odd_poly(s, s.select(big, root, a), z, table)


def asin_with(s: Algebra[V], x: V, table: Table) -> V:
    """``asin(w)``, or ``pi/2 - 2 asin(w)``."""
    big, w, low, more = arc_parts(s, x, table)
    quarter = s.like(HALF_PI / 2, x)
    # (pi/4 - 2 head) - (2 (low + more) - pi/2's low part) + pi/4: each sum small or exact.
    rest = s.sub(twice(s, s.add(low, more)), s.like(HALF_PI_LOW, x))
    upper = s.add(quarter, s.sub(s.sub(quarter, twice(s, w)), rest))
    value = s.select(big, upper, s.add(w, more))
    return with_sign(s, value, x)


def acos_with(s: Algebra[V], x: V, table: Table) -> V:
    """``pi/2 - asin(x)`` inside, ``2 asin(w)`` or ``pi - 2 asin(w)`` at the ends."""
    big, w, low, more = arc_parts(s, x, table)
    signed = s.lt(x, s.like(0.0, x))
    part = s.add(low, more)
    inner_more = s.select(signed, s.neg(more), more)
    inner = s.sub(s.like(HALF_PI, x), s.add(x, s.sub(inner_more, s.like(HALF_PI_LOW, x))))
    right = twice(s, s.add(w, part))
    left = twice(s, s.sub(s.like(HALF_PI, x), s.add(w, s.sub(part, s.like(HALF_PI_LOW, x)))))
    return s.select(big, s.select(signed, left, right), inner)


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


asin = elementary(widened(lambda s, x: asin_with(s, x, tables.ASIN_S)), lambda s, x: asin_with(s, x, tables.ASIN_D))
acos = elementary(widened(lambda s, x: acos_with(s, x, tables.ASIN_S)), lambda s, x: acos_with(s, x, tables.ASIN_D))
atan = elementary(widened(lambda s, x: atan_with(s, x, tables.ATAN_S)), lambda s, x: atan_with(s, x, tables.ATAN_D))
atan2 = elementary(
    widened(lambda s, y, x: atan2_with(s, y, x, tables.ATAN_S)), lambda s, y, x: atan2_with(s, y, x, tables.ATAN_D)
)

__all__ = ["acos", "asin", "atan", "atan2"]
