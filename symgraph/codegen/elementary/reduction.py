"""Argument reduction of the trigonometric functions: ``x = (q + f) * pi/2`` with integer ``q`` and ``|f|`` at most 1/2 or so."""

from __future__ import annotations

import math

from ...dtypes import int64
from ...ir.algebra import Algebra
from .basics import F64, V, magnitude, nearest

#: 2/pi in binary: 1200 bits after the point, as an integer.
TWO_OVER_PI_BITS = 1200


def two_over_pi() -> int:
    """``floor(2/pi * 2**1200)``, by Machin's formula in integers."""
    guard = TWO_OVER_PI_BITS + 64
    unit = 1 << guard

    def arctan_inverse(x: int) -> int:
        total = term = unit // x
        k, sign = 1, 1
        while term:
            term //= x * x
            k, sign = k + 2, -sign
            total += sign * (term // k)
        return total

    pi = 4 * (4 * arctan_inverse(5) - arctan_inverse(239))
    return (2 * unit * unit // pi) >> (guard - TWO_OVER_PI_BITS)


TWO_OVER_PI = two_over_pi()


def piece(first: int, count: int) -> float:
    """Bits ``first .. first+count`` after the point of 2/pi, at their place."""
    upto = TWO_OVER_PI >> (TWO_OVER_PI_BITS - first - count)
    return math.ldexp(float(upto & ((1 << count) - 1)), -(first + count))


def modulo_four(s: Algebra[V], p: V) -> V:
    """``p`` less the nearest multiple of 4, for ``|p| < 2**53``; exact."""
    n, _ = nearest(s, p, 0.25)
    return s.sub(p, s.mul(n, s.like(4.0, p)))


_PIECE = 28
#: From these magnitudes on the first, first two, ... pieces give multiples of 4 only.
_STEPS = (2.0**53, 2.0**81, 2.0**109)


def reduce_f32(s: Algebra[V], x: V) -> tuple[V, V]:
    """``q`` (int64, low bits right) and ``f*pi/2`` of a float64 that is a float32 number (24 bits)."""
    a = magnitude(s, x)
    beyond = [s.ge(a, s.like(limit, x)) for limit in _STEPS]

    def chosen(pieces: list[float]) -> V:
        value = s.like(pieces[0], x)
        for condition, other in zip(beyond, pieces[1:], strict=True):
            value = s.select(condition, s.like(other, x), value)
        return value

    places = [_PIECE * k for k in range(len(_STEPS) + 1)]
    first = modulo_four(s, s.mul(x, chosen([piece(p, _PIECE) for p in places])))
    second = modulo_four(s, s.mul(x, chosen([piece(p + _PIECE, _PIECE) for p in places])))
    third = s.mul(x, chosen([piece(p + 2 * _PIECE, 53) for p in places]))
    shifter = s.like(F64.shifter, x)
    shifted = s.add(s.add(first, s.add(second, third)), shifter)
    q = s.sub(shifted, shifter)
    f = s.add(s.add(s.sub(first, q), second), third)
    return s.bitcast(shifted, int64), s.mul(f, s.like(math.pi / 2, x))


#: pi/2 as three numbers of 33 bits and the rest.
_HALF_PI = (
    float.fromhex("0x1.921fb544p+0"), float.fromhex("0x1.0b4611a6p-34"), float.fromhex("0x1.3198a2e0p-69"),
    float.fromhex("0x1.b839a252049c1p-104"),
)  # fmt: skip


def reduce_f64(s: Algebra[V], x: V) -> tuple[V, V]:
    """``q`` (int64, low bits right) and ``f*pi/2`` (Cody and Waite 1980)."""
    n, bits = nearest(s, x, 2.0 / math.pi)
    r = x
    for part in _HALF_PI:
        r = s.fma(n, s.like(-part, x), r)
    return bits, r
