"""Elementary functions of one float, each with its derivative."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..algebra import Algebra, V
from ..checks import float_dtype
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Elementwise, Sample, register
from ..types import TensorType
from .arithmetic import Cotangents, given
from .sampling import SPECIAL, floats


class FloatFunction(Elementwise):
    """``f(x)`` for floating ``x``. The scalar meaning is the intrinsic of the same name; ``domain`` bounds the
    samples."""

    domain: ClassVar[tuple[float, float]] = (-2.0, 2.0)

    def result_dtype(self, *operands: TensorType) -> Any:
        return float_dtype(self.name, operands)

    def scalar(self, s: Algebra[V], *elements: V) -> V:
        return s.intrinsic(self.name, *elements)

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        """``f'(x)`` in terms of ``x`` and ``y = f(x)``."""
        raise NotImplementedError

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (e.mul(given(cotangents), self.derivative(e, operands[0], results[0])),)

    def evaluate(self, x: Array) -> Array:
        """The function by plain NumPy, in the precision of ``x``."""
        raise NotImplementedError

    def reference(self, *arrays: Array) -> Array:
        (x,) = arrays
        # Half precision is computed in single, as every target does.
        wide = x.astype(np.float32) if x.dtype == np.float16 else x
        with np.errstate(all="ignore"):
            return np.asarray(self.evaluate(wide)).astype(x.dtype)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        low, high = cls.domain
        x = floats(3, 4, low=low, high=high, seed=5)
        return [
            Sample(cls(), (x,), ((0, 0, "N"),)),
            Sample(cls(), (x.astype("float32")[:, 1],), ((0, 0, "N"),)),
            Sample(cls(), (floats(100, low=low, high=high, seed=6, dtype="float32"),), differentiable=()),
            Sample(cls(), (SPECIAL.astype("float32"),), differentiable=()),
            Sample(cls(), (SPECIAL,), differentiable=()),
            Sample(cls(), (x[:0],), ((0, 0, "N"),)),
            Sample(cls(), (np.arange(3),), error="floating point"),
        ]


@register
class Sqrt(FloatFunction):
    name = "sqrt"
    equivalents = "np.sqrt; theano.tensor.sqrt"
    domain = (0.1, 4.0)

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.div(e.full(y.shape, 0.5, y.dtype), y)

    def evaluate(self, x: Array) -> Array:
        return np.sqrt(x)


@register
class Exp(FloatFunction):
    name = "exp"
    equivalents = "np.exp; theano.tensor.exp; K.exp"

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return y

    def evaluate(self, x: Array) -> Array:
        return np.exp(x)


@register
class Exp2(FloatFunction):
    name = "exp2"
    equivalents = "np.exp2; theano.tensor.exp2"

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.mul(y, math.log(2.0))

    def evaluate(self, x: Array) -> Array:
        return np.exp2(x)


@register
class Expm1(FloatFunction):
    name = "expm1"
    equivalents = "np.expm1; theano.tensor.expm1"

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.add(y, 1.0)

    def evaluate(self, x: Array) -> Array:
        return np.expm1(x)


@register
class Log(FloatFunction):
    name = "log"
    equivalents = "np.log; theano.tensor.log; K.log"
    domain = (0.1, 4.0)

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.div(e.full(x.shape, 1.0, x.dtype), x)

    def evaluate(self, x: Array) -> Array:
        return np.log(x)


@register
class Log2(FloatFunction):
    name = "log2"
    equivalents = "np.log2; theano.tensor.log2"
    domain = (0.1, 4.0)

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.div(e.full(x.shape, 1.0 / math.log(2.0), x.dtype), x)

    def evaluate(self, x: Array) -> Array:
        return np.log2(x)


@register
class Log10(FloatFunction):
    name = "log10"
    equivalents = "np.log10; theano.tensor.log10"
    domain = (0.1, 4.0)

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.div(e.full(x.shape, 1.0 / math.log(10.0), x.dtype), x)

    def evaluate(self, x: Array) -> Array:
        return np.log10(x)


@register
class Log1p(FloatFunction):
    name = "log1p"
    equivalents = "np.log1p; theano.tensor.log1p"
    domain = (-0.9, 4.0)

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.div(e.full(x.shape, 1.0, x.dtype), e.add(x, 1.0))

    def evaluate(self, x: Array) -> Array:
        return np.log1p(x)


@register
class Sin(FloatFunction):
    name = "sin"
    equivalents = "np.sin; theano.tensor.sin; K.sin"

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.apply(Cos(), x)

    def evaluate(self, x: Array) -> Array:
        return np.sin(x)


@register
class Cos(FloatFunction):
    name = "cos"
    equivalents = "np.cos; theano.tensor.cos; K.cos"

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.neg(e.apply(Sin(), x))

    def evaluate(self, x: Array) -> Array:
        return np.cos(x)


@register
class Tan(FloatFunction):
    name = "tan"
    equivalents = "np.tan; theano.tensor.tan"
    domain = (-1.2, 1.2)

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.add(e.square(y), 1.0)

    def evaluate(self, x: Array) -> Array:
        return np.tan(x)


@register
class Asin(FloatFunction):
    name = "asin"
    equivalents = "np.arcsin; theano.tensor.arcsin"
    domain = (-0.9, 0.9)

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.div(e.full(x.shape, 1.0, x.dtype), e.sqrt(e.sub(1.0, e.square(x))))

    def evaluate(self, x: Array) -> Array:
        return np.arcsin(x)


@register
class Acos(FloatFunction):
    name = "acos"
    equivalents = "np.arccos; theano.tensor.arccos"
    domain = (-0.9, 0.9)

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.div(e.full(x.shape, -1.0, x.dtype), e.sqrt(e.sub(1.0, e.square(x))))

    def evaluate(self, x: Array) -> Array:
        return np.arccos(x)


@register
class Atan(FloatFunction):
    name = "atan"
    equivalents = "np.arctan; theano.tensor.arctan"

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.div(e.full(x.shape, 1.0, x.dtype), e.add(e.square(x), 1.0))

    def evaluate(self, x: Array) -> Array:
        return np.arctan(x)


@register
class Sinh(FloatFunction):
    name = "sinh"
    equivalents = "np.sinh; theano.tensor.sinh"

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.apply(Cosh(), x)

    def evaluate(self, x: Array) -> Array:
        return np.sinh(x)


@register
class Cosh(FloatFunction):
    name = "cosh"
    equivalents = "np.cosh; theano.tensor.cosh"

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.apply(Sinh(), x)

    def evaluate(self, x: Array) -> Array:
        return np.cosh(x)


@register
class Tanh(FloatFunction):
    name = "tanh"
    equivalents = "np.tanh; theano.tensor.tanh; K.tanh"

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.sub(1.0, e.square(y))

    def evaluate(self, x: Array) -> Array:
        return np.tanh(x)


@register
class Asinh(FloatFunction):
    name = "asinh"
    equivalents = "np.arcsinh; theano.tensor.arcsinh"

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.div(e.full(x.shape, 1.0, x.dtype), e.sqrt(e.add(e.square(x), 1.0)))

    def evaluate(self, x: Array) -> Array:
        return np.arcsinh(x)


@register
class Acosh(FloatFunction):
    name = "acosh"
    equivalents = "np.arccosh; theano.tensor.arccosh"
    domain = (1.2, 4.0)

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.div(e.full(x.shape, 1.0, x.dtype), e.sqrt(e.sub(e.square(x), 1.0)))

    def evaluate(self, x: Array) -> Array:
        return np.arccosh(x)


@register
class Atanh(FloatFunction):
    name = "atanh"
    equivalents = "np.arctanh; theano.tensor.arctanh"
    domain = (-0.9, 0.9)

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.div(e.full(x.shape, 1.0, x.dtype), e.sub(1.0, e.square(x)))

    def evaluate(self, x: Array) -> Array:
        return np.arctanh(x)


@register
class Sigmoid(FloatFunction):
    """``1 / (1 + exp(-x))``."""

    name = "sigmoid"
    equivalents = "theano.tensor.nnet.sigmoid; K.sigmoid"

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.mul(y, e.sub(1.0, y))

    def evaluate(self, x: Array) -> Array:
        small = np.exp(-np.abs(x))
        return np.asarray(np.where(x >= 0, 1 / (1 + small), small / (1 + small)) + np.where(np.isnan(x), x, 0))


@register
class Softplus(FloatFunction):
    """``log(1 + exp(x))``."""

    name = "softplus"
    equivalents = "theano.tensor.nnet.softplus; K.softplus"

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.sigmoid(x)

    def evaluate(self, x: Array) -> Array:
        return np.asarray(np.logaddexp(x, x.dtype.type(0)))


@register
class Erf(FloatFunction):
    """The error function."""

    name = "erf"
    equivalents = "theano.tensor.erf; scipy.special.erf"

    def derivative(self, e: Emitter, x: Value, y: Value) -> Value:
        return e.mul(e.exp(e.neg(e.square(x))), 2.0 / math.sqrt(math.pi))

    def evaluate(self, x: Array) -> Array:
        return np.asarray(np.vectorize(math.erf, otypes=[np.float64])(x.astype(np.float64)))
