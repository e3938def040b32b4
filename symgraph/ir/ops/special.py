"""Special functions, written with other intrinsics: gamma functions, the inverse of erf; atan2 and copysign.

float16 and float32 are computed in float64: these functions are rare, and lose digits where terms cancel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from ...dtypes import float64
from ...errors import DTypeError
from ..algebra import Algebra, V
from ..checks import float_dtype
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Sample, record, register
from ..types import TensorType
from .arithmetic import Cotangents, Numeric, given
from .elementary import FloatFunction
from .sampling import SPECIAL, floats, integers

#: Lanczos' approximation for g = 7 with nine terms (Godfrey 2001).
_LANCZOS = (
    0.99999999999980993227684700473478, 676.520368121885098567009190444019, -1259.13921672240287047156078755283,
    771.3234287776530788486528258894, -176.61502916214059906584551354, 12.507343278686904814458936853,
    -0.13857109526572011689554707, 9.984369578019570859563e-6, 1.50563273514931155834e-7,
)  # fmt: skip
#: Bernoulli numbers B2, B4, ...
_BERNOULLI = tuple(Fraction(a, b) for a, b in (
    (1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510),
))  # fmt: skip
#: Arguments below are moved up by as many steps before an asymptotic series is used.
_STEPS = 10
#: erfinv(x) / x in w = -log(1 - x*x): about 5 from 0, and in its root above (Giles 2010, single precision).
_CENTRAL = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503, -0.00417768164,
    0.246640727, 1.50140941,
)  # fmt: skip
_TAIL = (
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
    1.00167406, 2.83297682,
)  # fmt: skip


def _horner(s: Algebra[V], x: V, coefficients: Sequence[float]) -> V:
    total = s.like(coefficients[0], x)
    for c in coefficients[1:]:
        total = s.add(s.mul(total, x), s.like(c, x))
    return total


class _Wide(FloatFunction):
    """A function computed in float64."""

    def scalar(self, s: Algebra[V], *elements: V) -> V:
        (x,) = elements
        return s.cast(self.compute(s, s.cast(x, float64)), s.dtype(x))

    def compute(self, s: Algebra[V], x: V) -> V:
        """The function of a float64."""
        raise NotImplementedError

    def exact(self, x: float) -> float:
        """The function of a Python number."""
        raise NotImplementedError

    def evaluate(self, x: Array) -> Array:
        return np.asarray([self._exact(float(v)) for v in x.reshape(-1)], np.float64).reshape(x.shape)

    def _exact(self, x: float) -> float:
        return math.nan if math.isnan(x) else self.exact(x)


def _either(s: Algebra[V], x: V, limit: float, below: Callable[[V], V], above: Callable[[V], V]) -> V:
    """``below`` where ``x < limit``, ``above`` elsewhere, each evaluated at harmless arguments only."""
    small = s.lt(x, s.like(limit, x))
    low, high = s.select(small, x, s.like(limit - 1, x)), s.select(small, s.like(limit + 1, x), x)
    return s.select(small, below(low), above(high))


@register
class LogGamma(_Wide):
    """``log(|gamma(x)|)``; infinite at 0, -1, -2 ..."""

    name = "lgamma"
    equivalents = "math.lgamma, scipy.special.gammaln; theano.tensor.gammaln"
    domain = (0.2, 6.0)

    def compute(self, s: Algebra[V], x: V) -> V:
        mirrored = s.lt(x, s.like(0.5, x))
        y = s.sub(s.select(mirrored, s.sub(s.like(1.0, x), x), x), s.like(1.0, x))
        total = s.like(_LANCZOS[0], x)
        for k, c in enumerate(_LANCZOS[1:], 1):
            total = s.add(total, s.div(s.like(c, x), s.add(y, s.like(float(k), x))))
        t = s.add(y, s.like(7.5, x))
        # (y + 1/2) log t - t, arranged so that a large y does not cancel.
        half = s.add(y, s.like(0.5, x))
        power = s.mul(half, s.sub(s.intrinsic("log", t), s.like(1.0, x)))
        rest = s.add(s.intrinsic("log", total), s.like(0.5 * math.log(2 * math.pi) - 7.0, x))
        value = s.add(power, rest)
        turn = s.sub(x, s.intrinsic("floor", x))
        sine = s.intrinsic("sin", s.mul(s.like(math.pi, x), turn))
        other = s.sub(s.like(math.log(math.pi), x), s.add(s.intrinsic("log", s.intrinsic("abs", sine)), value))
        whole = s.both(mirrored, s.eq(turn, s.like(0.0, x)))
        value = s.select(whole, s.like(math.inf, x), s.select(mirrored, other, value))
        return s.select(s.intrinsic("isinf", x), s.like(math.inf, x), value)

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.apply(Digamma(), x)

    def exact(self, x: float) -> float:
        try:
            return math.lgamma(x)
        except ValueError:  # a pole
            return math.inf


@register
class Digamma(_Wide):
    """The derivative of ``lgamma``; NaN at 0, -1, -2 ..."""

    name = "digamma"
    equivalents = "scipy.special.psi; theano.tensor.psi"
    domain = (0.2, 6.0)

    def compute(self, s: Algebra[V], x: V) -> V:
        mirrored = s.lt(x, s.like(0.5, x))
        y = s.select(mirrored, s.sub(s.like(1.0, x), x), x)
        value = _either(s, y, float(_STEPS), lambda v: self._small(s, v), lambda v: self._large(s, v))
        turn = s.sub(x, s.intrinsic("floor", x))
        angle = s.mul(s.like(math.pi, x), turn)
        other = s.sub(value, s.div(s.like(math.pi, x), s.intrinsic("tan", angle)))
        whole = s.both(mirrored, s.eq(turn, s.like(0.0, x)))
        value = s.select(whole, s.like(math.nan, x), s.select(mirrored, other, value))
        return s.select(s.eq(x, s.like(math.inf, x)), x, value)

    def _small(self, s: Algebra[V], x: V) -> V:
        # The sum of 1/(x+k), as the derivative of a product over the product.
        product, slope = x, s.like(1.0, x)
        for k in range(1, _STEPS):
            factor = s.add(x, s.like(float(k), x))
            slope = s.add(s.mul(slope, factor), product)
            product = s.mul(product, factor)
        return s.sub(self._large(s, s.add(x, s.like(float(_STEPS), x))), s.div(slope, product))

    def _large(self, s: Algebra[V], x: V) -> V:
        inverse = s.div(s.like(1.0, x), x)
        series = [float(-b / (2 * k)) for k, b in enumerate(_BERNOULLI, 1)]
        square = s.mul(inverse, inverse)
        tail = s.mul(square, _horner(s, square, series[::-1]))
        return s.add(s.sub(s.intrinsic("log", x), s.mul(s.like(0.5, x), inverse)), tail)

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.apply(Polygamma(1), x)

    def exact(self, x: float) -> float:
        if math.isinf(x):
            return x if x > 0 else math.nan
        if x <= 0 and x == math.floor(x):
            return math.nan
        if x < 0.5:
            return self.exact(1 - x) - math.pi / math.tan(math.pi * (x - math.floor(x)))
        shifted = math.fsum(-1 / (x + k) for k in range(40))
        z = x + 40
        return shifted + math.log(z) - 1 / (2 * z) - 1 / (12 * z**2) + 1 / (120 * z**4) - 1 / (252 * z**6)


@register
@record
class Polygamma(_Wide):
    """Derivative ``order`` (at least 1) of ``digamma`` for positive arguments; NaN for others."""

    order: int = 1
    name = "polygamma"
    equivalents = "scipy.special.polygamma; theano.tensor.tri_gamma"
    domain = (0.3, 6.0)

    def result_dtype(self, *operands: TensorType) -> Any:
        if self.order < 1:
            raise DTypeError(f"polygamma of order {self.order}; it must be at least 1")
        return float_dtype(self.name, operands)

    def compute(self, s: Algebra[V], x: V) -> V:
        value = _either(s, x, float(_STEPS), lambda v: self._small(s, v), lambda v: self._large(s, v))
        return s.select(s.gt(x, s.like(0.0, x)), value, s.like(math.nan, x))

    def _small(self, s: Algebra[V], x: V) -> V:
        total = self._large(s, s.add(x, s.like(float(_STEPS), x)))
        sign = float((-1) ** (self.order + 1) * math.factorial(self.order))
        for k in range(_STEPS):
            total = s.add(total, s.mul(s.like(sign, x), self._power(s, s.add(x, s.like(float(k), x)), self.order + 1)))
        return total

    def _large(self, s: Algebra[V], x: V) -> V:
        n, sign = self.order, float((-1) ** (self.order + 1))
        inverse = s.div(s.like(1.0, x), x)
        square = s.mul(inverse, inverse)
        rows = enumerate(_BERNOULLI, 1)
        series = [float(b * math.factorial(2 * k + n - 1) / math.factorial(2 * k)) for k, b in rows]
        tail = s.mul(square, _horner(s, square, series[::-1]))
        head = s.add(s.like(float(math.factorial(n - 1)), x), s.mul(s.like(math.factorial(n) / 2, x), inverse))
        return s.mul(s.mul(s.like(sign, x), self._power(s, x, n)), s.add(head, tail))

    def _power(self, s: Algebra[V], x: V, n: int) -> V:
        """``x ** -n``."""
        inverse = s.div(s.like(1.0, x), x)
        total = inverse
        for _ in range(n - 1):
            total = s.mul(total, inverse)
        return total

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.apply(Polygamma(self.order + 1), x)

    def exact(self, x: float) -> float:
        if x <= 0:
            return math.nan
        n = self.order
        if math.isinf(x):
            return 0.0
        z = x + 60
        inverse = 1 / z
        tail = math.factorial(n - 1) * inverse**n + math.factorial(n) / 2 * inverse ** (n + 1)
        for k, b in enumerate(_BERNOULLI[:5], 1):
            tail += float(b) * math.factorial(2 * k + n - 1) / math.factorial(2 * k) * inverse ** (2 * k + n)
        series = math.fsum(math.factorial(n) * (1 / (x + k)) ** (n + 1) for k in range(60))
        return (-1) ** (n + 1) * (series + tail)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        x = floats(3, 4, low=0.3, high=25.0, seed=5)
        return [
            Sample(cls(1), (x,), ((0, 0, "N"),)),
            Sample(cls(2), (x,)),
            Sample(cls(3), (x.astype("float32"),)),
            Sample(cls(1), (np.array([0.0, -1.5, np.nan, 1e10]),), differentiable=()),
            Sample(cls(1), (x[:0],), ((0, 0, "N"),)),
            Sample(cls(0), (x,), error="at least 1"),
            Sample(cls(1), (integers(3),), error="floating point"),
        ]


@register
class ErfInv(_Wide):
    """The inverse of ``erf``: NaN outside [-1, 1], infinite at its ends."""

    name = "erfinv"
    equivalents = "scipy.special.erfinv; theano.tensor.erfinv"
    domain = (-0.95, 0.95)

    def compute(self, s: Algebra[V], x: V) -> V:
        one = s.like(1.0, x)
        inside = s.lt(s.intrinsic("abs", x), one)
        x0 = s.select(inside, x, s.like(0.0, x))
        w = s.neg(s.add(s.intrinsic("log1p", s.neg(x0)), s.intrinsic("log1p", x0)))
        near = _horner(s, s.sub(w, s.like(2.5, x)), _CENTRAL)
        far = _horner(s, s.sub(s.intrinsic("sqrt", w), s.like(3.0, x)), _TAIL)
        y = s.mul(s.select(s.lt(w, s.like(5.0, x)), near, far), x0)
        for _ in range(2):  # Newton's method with the second derivative too (Halley)
            slope = s.mul(s.like(2 / math.sqrt(math.pi), x), s.intrinsic("exp", s.neg(s.mul(y, y))))
            step = s.div(s.sub(s.intrinsic("erf", y), x0), slope)
            y = s.sub(y, s.div(step, s.add(one, s.mul(y, step))))
        end = s.eq(s.intrinsic("abs", x), one)
        outside = s.select(end, s.mul(x, s.like(math.inf, x)), s.like(math.nan, x))
        return s.select(inside, y, outside)

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.mul(e.exp(e.square(y)), math.sqrt(math.pi) / 2)

    def exact(self, x: float) -> float:
        if abs(x) >= 1:
            return math.copysign(math.inf, x) if abs(x) == 1 else math.nan
        if abs(x) < 1e-9:
            return x * math.sqrt(math.pi) / 2
        low, high = 0.0, 6.0
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if math.erf(middle) < abs(x) else (low, middle)
        return math.copysign((low + high) / 2, x)


class _Pair(Numeric):
    """Two floats."""

    domain: ClassVar[tuple[float, float]] = (0.3, 2.0)

    def result_dtype(self, *operands: TensorType) -> Any:
        return float_dtype(self.name, operands)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        x, y = floats(3, 4, seed=1), floats(3, 4, seed=2)
        grid = [g.astype("float32") for g in np.meshgrid(SPECIAL, SPECIAL)]
        return [
            Sample(cls(), (x, y), ((0, 0, "N"), (1, 0, "N"))),
            Sample(cls(), (x[:, 0].astype("float32"), y[:, 0].astype("float32"))),
            Sample(cls(), (grid[0], grid[1]), differentiable=()),
            Sample(cls(), (x[:0], y[:0])),
            Sample(cls(), (x, floats(3, 5)), error="shapes of the operands"),
            Sample(cls(), (integers(3), integers(3)), error="floating point"),
        ]


@register
class Atan2(_Pair):
    """The angle of the point ``(b, a)``, in radians."""

    name = "atan2"
    equivalents = "np.arctan2; theano.tensor.arctan2"
    ufunc = np.arctan2

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        a, b = operands
        scaled = e.div(given(cotangents), e.add(e.square(a), e.square(b)))
        return (e.mul(scaled, b), e.neg(e.mul(scaled, a)))


@register
class CopySign(_Pair):
    """The size of ``a`` with the sign of ``b``."""

    name = "copysign"
    equivalents = "np.copysign"
    ufunc = np.copysign

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        a, b = operands
        turned = e.elementwise(self, e.sign(a), e.mul(e.sign(a), b))
        return (e.mul(given(cotangents), turned), None)
