"""Argument reduction of the trigonometric functions: ``x = (q + f) * pi/2`` with integer ``q`` and ``|f|`` at most
1/2 or so.
"""

from __future__ import annotations

import math
from itertools import pairwise

from ...dtypes import float64, int64, uint64
from ..algebra import Algebra
from .basics import F64, V, magnitude, nearest

#: 2/pi in binary: 1280 bits after the point, as an integer.
TWO_OVER_PI_BITS = 1280


def two_over_pi() -> int:
    """``floor(2/pi * 2**1280)``, by Machin's formula in integers."""
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


#: Up to here the product of ``n`` with a part of 33 bits is exact.
_EASY = 2.0**19


def reduce_f64(s: Algebra[V], x: V) -> tuple[V, V]:
    """``q`` (int64, low bits right) and ``f*pi/2``: Cody and Waite (1980) for small numbers, Payne and Hanek for the
    rest.
    """
    n, bits = nearest(s, x, 2.0 / math.pi)
    r = x
    for part in _HALF_PI:
        r = s.fma(n, s.like(-part, x), r)
    far_q, far_r = _reduce_far(s, x)
    far = s.ge(magnitude(s, x), s.like(_EASY, x))
    r = s.select(far, far_r, r)
    return s.select(far, far_q, bits), s.select(s.lt(magnitude(s, x), s.like(math.inf, x)), r, s.like(math.nan, x))


_WORDS = 20


def _word(index: int) -> int:
    """Word ``index`` of 64 zero bits followed by the bits of 2/pi."""
    return (TWO_OVER_PI >> (TWO_OVER_PI_BITS - 64 * index)) & (2**64 - 1) if index else 0


def _reduce_far(s: Algebra[V], x: V) -> tuple[V, V]:
    """The same for ``2**19 <= |x| < inf``, in integers.

    ``|x| = m * 2**e`` with an integer ``m`` of 53 bits. Bits of 2/pi whose product with it is a multiple of four
    turns drop out; the 192 that follow give all that is needed.
    """
    u = s.bitcast(x, uint64)

    def word(value: int) -> V:
        return s.const(value, uint64)

    def left(a: V, by: V) -> V:
        return s.intrinsic("shl", a, by)

    def right(a: V, by: V) -> V:
        return s.intrinsic("shr", a, by)

    exponent = s.intrinsic("bit_and", right(u, word(52)), word(0x7FF))
    m = s.intrinsic("bit_or", s.intrinsic("bit_and", u, word((1 << 52) - 1)), word(1 << 52))
    # e = exponent - 1075; the first bit that counts has the place e - 2, after the 64 zeros.
    start = s.sub(exponent, word(1075 + 2 - 64))
    window = _shifted_words(s, start, [word(_word(i)) for i in range(_WORDS)])
    offset = s.intrinsic("bit_and", start, word(63))
    back = s.sub(word(63), offset)
    high, middle, low = (
        s.intrinsic("bit_or", left(a, offset), right(right(b, word(1)), back)) for a, b in pairwise(window)
    )
    middle_product = s.mul(m, middle)
    second = s.add(middle_product, s.intrinsic("mulhi", m, low))
    carry = s.select(s.lt(second, middle_product), word(1), word(0))
    first = s.add(s.add(s.mul(m, high), s.intrinsic("mulhi", m, middle)), carry)
    # 2 bits of quarter turns, then their fraction, to be taken as signed.
    q = s.bitcast(right(s.add(first, word(1 << 61)), word(62)), int64)
    fraction = s.intrinsic("bit_or", left(first, word(2)), right(second, word(62)))
    f = s.mul(s.cast(s.bitcast(fraction, int64), float64), s.like(2.0**-64, x))
    rest = s.cast(s.bitcast(right(left(second, word(2)), word(1)), int64), float64)
    f = s.fma(rest, s.like(2.0**-127, x), f)
    r = s.mul(f, s.like(math.pi / 2, x))
    negative = s.lt(x, s.like(0.0, x))
    return s.select(negative, s.neg(q), q), s.select(negative, s.neg(r), r)


def _shifted_words(s: Algebra[V], start: V, words: list[V]) -> list[V]:
    """``words[k : k+4]`` with ``k = start // 64 < 17``: the list moved by 16, 8, 4, 2, 1 where ``k`` has that bit."""
    reach = len(words)
    for step in (16, 8, 4, 2, 1):
        bit = s.const(64 * step, uint64)
        is_set = s.ne(s.intrinsic("bit_and", start, bit), s.const(0, uint64))
        reach = min(reach, step + 3) if step < 16 else reach
        words = [
            s.select(is_set, words[i + step], words[i]) if i + step < len(words) else words[i] for i in range(reach)
        ]
    return words
