"""The logarithm of the factorial."""

from __future__ import annotations

from ..algebra import Algebra
from .basics import V, horner, square
from .logarithm import log_inside

_STEPS = 7
_HALF_LOG_TURN = 0.91893853320467274178  # log(2 pi) / 2
#: ``B(2k) / (2k (2k-1))`` of Stirling's series, with Bernoulli's numbers B.
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)


def log_factorial(s: Algebra[V], k: V) -> V:
    """``log k!`` of a float64 from 0 to 1e40: Stirling's series seven steps further on, less the logarithm of what
    these steps multiply."""
    z = s.add(k, s.like(1.0, k))
    steps = z
    for n in range(2, _STEPS + 1):
        steps = s.mul(steps, s.add(k, s.like(float(n), k)))
    z = s.add(k, s.like(_STEPS + 1.0, k))
    inverse = s.div(s.like(1.0, k), z)
    series = s.mul(inverse, horner(s, square(s, inverse), _STIRLING))
    # (z - 1/2) log z - z, arranged so that a large z does not cancel.
    power = s.mul(s.sub(z, s.like(0.5, k)), s.sub(log_inside(s, z), s.like(1.0, k)))
    rest = s.add(series, s.like(_HALF_LOG_TURN - 0.5, k))
    return s.add(power, s.sub(rest, log_inside(s, steps)))


__all__ = ["log_factorial"]
