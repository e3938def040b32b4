"""The quantile function of the normal distribution, by which random bits become normal numbers (Wichura, Algorithm
AS 241: The percentage points of the normal distribution, 1988).

A probability ``p`` is given twice: as its distance from the middle, ``q = p - 1/2``, and from the nearer end,
``t = min(p, 1 - p)``, so that neither the numbers around 0 nor the tails lose digits. In the middle the quantile is
``q`` times a quotient of polynomials in ``0.180625 - q*q``; elsewhere it is one in ``sqrt(-log t)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...dtypes import float32, float64, int32
from ..algebra import Algebra
from ..numpy_algebra import NumpyAlgebra
from ..portable import Portable
from .basics import V, magnitude, square, where_greater, where_less, with_sign
from .error_function import erf
from .logarithm import log_inside

_MIDDLE, _MIDDLE_SQUARE = 0.425, 0.180625


@dataclass(frozen=True, slots=True)
class Region:
    """A quotient of polynomials in ``r - origin``, from the constant terms on."""

    above: tuple[float, ...]
    below: tuple[float, ...]
    origin: float = 0.0


#: The middle and the tail down to probabilities of exp(-25); errors of 1e-7.
SINGLE = (
    Region(
        (3.3871327179e0, 5.0434271938e1, 1.5929113202e2, 5.9109374720e1),
        (1.0, 1.7895169469e1, 7.8757757664e1, 6.7187563600e1),
    ),
    Region(
        (1.4234372777e0, 2.7568153900e0, 1.3067284816e0, 1.7023821103e-1),
        (1.0, 7.3700164250e-1, 1.2021132975e-1, 0.0), 1.6,
    ),
)  # fmt: skip
#: The same, and the far tail; errors of 1e-16.
DOUBLE = (
    Region(
        (
            3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
            4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
        ),
        (
            1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
            3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3,
        ),
    ),
    Region(
        (
            1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
            1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
        ),
        (
            1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
            1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
        ),
        1.6,
    ),
    Region(
        (
            6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
            2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
        ),
        (
            1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
            7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15,
        ),
        5.0,
    ),
)  # fmt: skip
_FAR = 5.0


def quantile(s: Algebra[V], q: V, t: V) -> V:
    """The number that a normal one is below with probability ``1/2 + q``, for ``t = 1/2 - |q|`` from ``exp(-25)`` in
    float32 and from ``exp(-729)`` in float64."""
    is_single = s.dtype(q) == float32
    r = s.intrinsic("sqrt", s.neg(log_inside(s, t)))
    in_middle = s.le(magnitude(s, q), s.like(_MIDDLE, q))
    choices = [in_middle] if is_single else [in_middle, s.le(r, s.like(_FAR, r))]
    regions = SINGLE if is_single else DOUBLE

    def chosen(values: Sequence[float]) -> V:
        out = s.like(values[-1], q)
        for condition, value in zip(choices[::-1], values[-2::-1], strict=True):
            out = s.select(condition, s.like(value, q), out)
        return out

    x = s.select(in_middle, s.sub(s.like(_MIDDLE_SQUARE, q), square(s, q)), r)
    x = s.sub(x, chosen([region.origin for region in regions]))
    above = _polynomial(s, x, [chosen(c) for c in zip(*(region.above for region in regions), strict=True)])
    below = _polynomial(s, x, [chosen(c) for c in zip(*(region.below for region in regions), strict=True)])
    factor = s.select(in_middle, q, with_sign(s, s.like(1.0, q), q))
    return s.div(s.mul(above, factor), below)


def _polynomial(s: Algebra[V], x: V, coefficients: Sequence[V]) -> V:
    total = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        total = s.fma(total, x, c)
    return total


def normal_of_bits(s: Algebra[V], high: V, low: V | None, bound: float) -> V:
    """A normal number of 32 random bits (float32) or of 64 (float64), kept between ``-bound`` and ``bound`` by the
    quantiles of what lies there. The bits are the two's complement of the distance from the middle."""
    middle = s.bitcast(high, int32)
    sign = s.intrinsic("shr", middle, s.like(31, middle))
    end = s.intrinsic("bit_xor", s.intrinsic("bit_xor", middle, sign), s.like(0x7FFFFFFF, middle))
    if low is None:
        q, t = (_narrow(s, v) for v in (middle, end))
    else:
        below = s.bitcast(low, int32)
        q, t = _wide(s, middle, below), _wide(s, end, s.intrinsic("bit_xor", below, s.intrinsic("bit_not", sign)))
    if bound == math.inf:
        return quantile(s, q, t)
    q = s.mul(q, s.like(_mass_within(bound), q))
    value = quantile(s, q, s.sub(s.like(0.5, q), magnitude(s, q)))
    value = where_greater(s, value, bound, s.like(bound, q), value)
    return where_less(s, value, -bound, s.like(-bound, q), value)


def _mass_within(bound: float) -> float:
    """The probability of ``-bound`` to ``bound``, by our own erf: those of libraries differ in the last bit."""
    return float(erf(Portable(NumpyAlgebra()), np.float64(bound / math.sqrt(2.0))))


def _narrow(s: Algebra[V], number: V) -> V:
    """An int32 and a half, times 2**-32."""
    return s.mul(s.add(s.cast(number, float32), s.const(0.5, float32)), s.const(2.0**-32, float32))


def _wide(s: Algebra[V], high: V, low: V) -> V:
    """The signed number of 64 bits (two int32) and a half, times 2**-64. The lower half counts without a sign, and no
    unsigned number is converted, for which processors lack the instruction."""
    shifted = s.cast(s.intrinsic("bit_xor", low, s.like(-(2**31), low)), float64)
    rest = s.add(shifted, s.const(2.0**31 + 0.5, float64))
    return s.mul(s.fma(s.cast(high, float64), s.const(2.0**32, float64), rest), s.const(2.0**-64, float64))


__all__ = ["normal_of_bits", "quantile"]
