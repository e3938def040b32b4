"""Elementwise arithmetic of two (or one) numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ...errors import DTypeError
from ..algebra import Algebra, V
from ..checks import float_dtype, same_dtype
from ..emitter import Emitter
from ..graph import Value
from ..numpy_algebra import power
from ..op import Array, Elementwise, Sample, register
from ..types import TensorType
from .sampling import SPECIAL, floats, integers

Cotangents = Sequence[Value | None]


def numeric_dtype(name: str, operands: Sequence[TensorType]) -> Any:
    """The dtype all operands share, which must not be bool."""
    dtype = same_dtype(name, operands)
    if dtype.is_bool:
        raise DTypeError(f"{name} is not defined for bool")
    return dtype


class Numeric(Elementwise):
    """An elementwise op on numbers whose scalar meaning is the intrinsic of the same name and whose reference is a
    ufunc."""

    ufunc: ClassVar[np.ufunc]

    def result_dtype(self, *operands: TensorType) -> Any:
        return numeric_dtype(self.name, operands)

    def scalar(self, s: Algebra[V], *elements: V) -> V:
        return s.intrinsic(self.name, *elements)

    def reference(self, *arrays: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(type(self).ufunc(*arrays), arrays[0].dtype)


def _pairs(cls: Any, low: float = -2.0, high: float = 2.0) -> list[Sample]:
    x, y = floats(3, 4, seed=1, low=low, high=high), floats(3, 4, seed=2, low=low, high=high)
    grid = np.meshgrid(SPECIAL, SPECIAL)
    return [
        Sample(cls(), (x, y), ((0, 0, "N"), (1, 0, "N"))),
        Sample(cls(), (x.astype("float32")[:, 0], y.astype("float32")[:, 0]), ((0, 0, "N"), (1, 0, "M"))),
        Sample(cls(), (np.float32(2.5) * np.ones(()), np.float32(1.5) * np.ones(()))),
        Sample(cls(), (grid[0].astype("float32"), grid[1].astype("float32")), differentiable=()),
        Sample(cls(), (x[:0], y[:0]), ((0, 0, "N"), (1, 0, "N"))),
        Sample(cls(), (x, floats(3, 5)), error="shapes of the operands"),
        Sample(cls(), (x, y.astype("float32")), error="one dtype"),
    ]


def _integer_pairs(cls: Any) -> list[Sample]:
    return [
        Sample(cls(), (integers(4, 5, seed=1, dtype=d), integers(4, 5, seed=2, dtype=d)))
        for d in ("int32", "int64", "int8", "uint8", "uint32")
    ]


@register
class Add(Numeric):
    name = "add"
    commutative = True
    equivalents = "np.add, +; theano.tensor.add; K.+"
    ufunc = np.add

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        (g,) = cotangents
        return (g, g)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return _pairs(cls) + _integer_pairs(cls)


@register
class Sub(Numeric):
    name = "sub"
    equivalents = "np.subtract, -; theano.tensor.sub"
    ufunc = np.subtract

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        g = given(cotangents)
        return (g, e.neg(g))

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return _pairs(cls) + _integer_pairs(cls)


@register
class Mul(Numeric):
    name = "mul"
    commutative = True
    equivalents = "np.multiply, *; theano.tensor.mul"
    ufunc = np.multiply

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        a, b = operands
        g = given(cotangents)
        return (e.mul(g, b), e.mul(g, a))

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return _pairs(cls) + _integer_pairs(cls)


@register
class Div(Numeric):
    """True division of floats."""

    name = "div"
    equivalents = "np.true_divide, /; theano.tensor.true_div"
    ufunc = np.true_divide

    def result_dtype(self, *operands: TensorType) -> Any:
        return float_dtype(self.name, operands)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        _, b = operands
        scaled = e.div(given(cotangents), b)
        return (scaled, e.neg(e.mul(scaled, results[0])))

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [*_pairs(cls, low=0.5, high=3.0), Sample(cls(), (integers(3), integers(3)), error="floating point")]


class _Stepwise(Numeric):
    """Constant almost everywhere in both operands."""

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (None,) * len(operands)


@register
class FloorDiv(_Stepwise):
    """``floor(a / b)``; for integers, 0 where ``b`` is 0."""

    name = "floordiv"
    equivalents = "np.floor_divide, //; theano.tensor.int_div"
    ufunc = np.floor_divide

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(), (floats(4, 5, seed=1), floats(4, 5, seed=2, low=0.5)), differentiable=()),
            *_integer_pairs(cls),
        ]


@register
class Mod(Numeric):
    """The remainder with the divisor's sign; for integers, 0 where ``b`` is 0."""

    name = "mod"
    equivalents = "np.mod, %; theano.tensor.mod"
    ufunc = np.mod

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        a, b = operands
        g = given(cotangents)
        return (g, e.neg(e.mul(g, e.elementwise(FloorDiv(), a, b))))

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        x, y = floats(4, 5, seed=1, low=0.1, high=4), floats(4, 5, seed=2, low=0.6, high=3)
        return [Sample(cls(), (x, y)), Sample(cls(), (-x.astype("float32"), y.astype("float32"))), *_integer_pairs(cls)]


@register
class Pow(Numeric):
    """``a ** b``; floats only (integer powers are products)."""

    name = "pow"
    equivalents = "np.power, **; theano.tensor.pow; K.pow"
    ufunc = np.power

    def reference(self, *arrays: Array) -> Array:
        return power(*arrays)

    def result_dtype(self, *operands: TensorType) -> Any:
        return float_dtype(self.name, operands)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        a, b = operands
        g = given(cotangents)
        slope = e.mul(b, e.pow(a, e.sub(b, 1.0)))
        # The derivative by the exponent is 0 at a = 0, where log(a) is not finite.
        safe = e.where(e.gt(a, 0.0), a, 1.0)
        return (e.mul(g, slope), e.mul(g, e.mul(results[0], e.log(safe))))

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [*_pairs(cls, low=0.5, high=3.0), Sample(cls(), (integers(3), integers(3)), error="floating point")]


class _Choice(Numeric):
    """The larger or smaller operand; at a tie the gradient goes half to each."""

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        a, b = operands
        g = given(cotangents)
        half = e.mul(g, 0.5)
        tie = e.where(e.eq(a, b), half, 0.0)
        return (e.where(self.wins(e, a, b), g, tie), e.where(self.wins(e, b, a), g, tie))

    def wins(self, e: Emitter, a: Value, b: Value) -> Value:
        raise NotImplementedError

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return _pairs(cls) + _integer_pairs(cls)


@register
class Maximum(_Choice):
    """NaN where an operand is NaN."""

    name = "maximum"
    equivalents = "np.maximum; theano.tensor.maximum; K.maximum"
    ufunc = np.maximum

    def wins(self, e: Emitter, a: Value, b: Value) -> Value:
        return e.gt(a, b)


@register
class Minimum(_Choice):
    """NaN where an operand is NaN."""

    name = "minimum"
    equivalents = "np.minimum; theano.tensor.minimum; K.minimum"
    ufunc = np.minimum

    def wins(self, e: Emitter, a: Value, b: Value) -> Value:
        return e.lt(a, b)


@register
class Neg(Numeric):
    name = "neg"
    equivalents = "np.negative, -x; theano.tensor.neg"
    ufunc = np.negative

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (e.neg(given(cotangents)),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return _singles(cls) + [Sample(cls(), (integers(4, 5, dtype=d),)) for d in ("int32", "uint8")]


@register
class Abs(Numeric):
    name = "abs"
    equivalents = "np.abs; theano.tensor.abs_; K.abs"
    ufunc = np.absolute

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (e.mul(given(cotangents), e.sign(operands[0])),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return _singles(cls) + [Sample(cls(), (integers(4, 5, dtype=d),)) for d in ("int32", "uint8")]


class _Step(Numeric):
    """One operand, constant almost everywhere."""

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (None,)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return _singles(cls)


@register
class Sign(_Step):
    """-1, 0 or 1; NaN for NaN."""

    name = "sign"
    equivalents = "np.sign; theano.tensor.sgn; K.sign"
    ufunc = np.sign


class _Rounding(_Step):
    """A float to one of its neighbouring integers."""

    def result_dtype(self, *operands: TensorType) -> Any:
        return float_dtype(self.name, operands)


@register
class Floor(_Rounding):
    name = "floor"
    equivalents = "np.floor; theano.tensor.floor"
    ufunc = np.floor


@register
class Ceil(_Rounding):
    name = "ceil"
    equivalents = "np.ceil; theano.tensor.ceil"
    ufunc = np.ceil


@register
class Trunc(_Rounding):
    name = "trunc"
    equivalents = "np.trunc; theano.tensor.trunc"
    ufunc = np.trunc


@register
class Rint(_Rounding):
    """To the nearest integer, halves to even."""

    name = "rint"
    equivalents = "np.rint, np.round; theano.tensor.round; K.round"
    ufunc = np.rint


def _singles(cls: Any) -> list[Sample]:
    x = floats(3, 4, seed=3)
    return [
        Sample(cls(), (x,), ((0, 0, "N"),)),
        Sample(cls(), (SPECIAL.astype("float32"),), differentiable=()),
        Sample(cls(), (x.astype("float32")[:0],), ((0, 0, "N"),)),
        Sample(cls(), (np.array([True]),), error=cls.name),
    ]


def given(cotangents: Sequence[Value | None]) -> Value:
    """The cotangent of an op with one result."""
    (g,) = cotangents
    assert g is not None
    return g
