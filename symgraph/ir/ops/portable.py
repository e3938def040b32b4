"""What random numbers are made of: ops with the same bits on every target.

Each computes the function of another op, by one polynomial that is evaluated without contraction
(:mod:`..portable`). Rewrites do not know them, so the bits do not depend on what is around them either.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ...dtypes import float16, float32, float64, uint32
from ...errors import DTypeError
from ..algebra import Algebra, V
from ..emitter import Emitter
from ..graph import Value
from ..numpy_algebra import NumpyAlgebra
from ..op import Array, Elementwise, Sample, record, register
from ..types import TensorType
from .arithmetic import Cotangents, Div
from .elementary import Exp, Expm1, FloatFunction, Log, Log1p, Tan
from .sampling import floats
from .special import Digamma


def _portable(s: Algebra[V]) -> Algebra[V]:
    from ..portable import Portable  # not loaded before a random number is drawn

    return Portable(s)


class PortableFunction(Elementwise):
    """The same function as ``of``."""

    of: ClassVar[Elementwise]

    def result_dtype(self, *operands: TensorType) -> Any:
        return self.of.result_dtype(*operands)

    def scalar(self, s: Algebra[V], *elements: V) -> V:
        return self.of.scalar(_portable(s), *elements)

    def reference(self, *arrays: Array) -> Array:
        # The definition itself: these bits are what every target must give.
        return np.asarray(self.scalar(NumpyAlgebra(), *arrays))

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return self.of.vjp(e, operands, results, cotangents)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [dataclasses.replace(sample, op=cls()) for sample in cls.of.samples()]


@register
class PortableExp(PortableFunction):
    name = "portable_exp"
    equivalents = "np.exp"
    of = Exp()


@register
class PortableExpm1(PortableFunction):
    name = "portable_expm1"
    equivalents = "np.expm1"
    of = Expm1()


@register
class PortableLog(PortableFunction):
    name = "portable_log"
    equivalents = "np.log"
    of = Log()


@register
class PortableLog1p(PortableFunction):
    name = "portable_log1p"
    equivalents = "np.log1p"
    of = Log1p()


@register
class PortableTan(PortableFunction):
    name = "portable_tan"
    equivalents = "np.tan"
    of = Tan()


@register
class PortableDiv(PortableFunction):
    """A quotient that no rewrite makes a product with the reciprocal."""

    name = "portable_div"
    equivalents = "np.true_divide"
    of = Div()


class _Direct(FloatFunction):
    """A function without a twin, written with the portable algebra."""

    def scalar(self, s: Algebra[V], *elements: V) -> V:
        (x,) = elements
        if s.dtype(x) is float16:
            return s.cast(self.scalar(s, s.cast(x, float32)), float16)
        return self.compute(_portable(s), x)

    def compute(self, s: Algebra[V], x: V) -> V:
        """The function of a float32 or float64."""
        raise NotImplementedError

    def reference(self, *arrays: Array) -> Array:
        return np.asarray(self.scalar(NumpyAlgebra(), *arrays))


@register
class LogInside(_Direct):
    """The logarithm of positive numbers that are neither subnormal nor infinite; anything for others."""

    name = "portable_log_inside"
    equivalents = "np.log"

    def compute(self, s: Algebra[V], x: V) -> V:
        from ..elementary.logarithm import log_inside

        return log_inside(s, x)

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.div(e.full(x.shape, 1.0, x.dtype), x)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        x = np.concatenate([floats(40, low=0.1, high=4.0), 10.0 ** np.arange(-30.0, 31.0, 4.0)])
        return [
            Sample(cls(), (x[:40],), ((0, 0, "N"),)),
            Sample(cls(), (x,), differentiable=()),
            Sample(cls(), (x.astype("float32").reshape(7, 8),), ((0, 0, "N"),), differentiable=()),
            Sample(cls(), (x[:40].astype("float16"),), differentiable=()),
            Sample(cls(), (x[:0],), ((0, 0, "N"),)),
            Sample(cls(), (np.arange(3),), error="floating point"),
        ]


@register
class LogFactorial(_Direct):
    """The logarithm of the factorial of float64 from 0 to 1e40."""

    name = "portable_log_factorial"
    equivalents = "scipy.special.gammaln of one more"

    def result_dtype(self, *operands: TensorType) -> Any:
        if operands[0].dtype is not float64:
            raise DTypeError(f"{self.name} needs a float64, got {operands[0].dtype}")
        return float64

    def compute(self, s: Algebra[V], x: V) -> V:
        from ..elementary.factorial import log_factorial

        return log_factorial(s, x)

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.apply(Digamma(), e.add(x, 1.0))

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        x = np.concatenate([np.arange(33.0), 10.0 ** np.arange(2, 16)])
        return [
            Sample(cls(), (x,), ((0, 0, "N"),), differentiable=()),
            Sample(cls(), (floats(3, 4, low=0.1, high=9.0),), ((0, 0, "N"),)),
            Sample(cls(), (x[:0],), ((0, 0, "N"),)),
            Sample(cls(), (x.astype("float32"),), error="float64"),
        ]


@register
@record
class NormalOfBits(Elementwise):
    """Normal numbers of random bits: float32 of one operand of uint32, float64 of two (:mod:`..elementary.normal`);
    those between ``-bound`` and ``bound`` only."""

    bound: float = math.inf
    name = "normal_of_bits"
    equivalents = "scipy.special.ndtri of uniform numbers; K.random_normal, K.truncated_normal"

    def result_dtype(self, *operands: TensorType) -> Any:
        if len(operands) > 2 or any(t.dtype != uint32 for t in operands):
            got = ", ".join(map(str, operands))
            raise DTypeError(f"{self.name} needs one or two operands of dtype uint32, got {got}")
        return float32 if len(operands) == 1 else float64

    def scalar(self, s: Algebra[V], *elements: V) -> V:
        from ..elementary.normal import normal_of_bits

        high, *low = elements
        return normal_of_bits(_portable(s), high, low[0] if low else None, self.bound)

    def reference(self, *arrays: Array) -> Array:
        return np.asarray(self.scalar(NumpyAlgebra(), *arrays))

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (None,) * len(operands)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        edges = [0, 1, 2**31 - 1, 2**31, 2**31 + 1, 2**32 - 1]
        high = np.concatenate([np.array(edges), np.random.default_rng(3).integers(0, 2**32, 60)]).astype("uint32")
        low = high[::-1].copy()
        return [
            Sample(cls(), (high,), ((0, 0, "N"),)),
            Sample(cls(), (high.reshape(6, 11), low.reshape(6, 11)), ((0, 0, "N"), (1, 0, "N"))),
            Sample(cls(2.0), (high,)),
            Sample(cls(0.5), (high, low)),
            Sample(cls(), (high[:0],), ((0, 0, "N"),)),
            Sample(cls(), (high.astype("int32"),), error="of dtype uint32"),
            Sample(cls(), (high, low[:9]), error="shapes of the operands"),
        ]


__all__ = [
    "LogFactorial", "LogInside", "NormalOfBits", "PortableDiv", "PortableExp", "PortableExpm1", "PortableFunction",
    "PortableLog", "PortableLog1p", "PortableTan",
]  # fmt: skip
