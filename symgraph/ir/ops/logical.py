"""Comparisons, tests, logic and bits, selection, and conversion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ...dtypes import DType, bool_, float32, int32, uint8
from ...dtypes import float64 as f64
from ...errors import DTypeError
from ..algebra import Algebra, V
from ..checks import float_dtype, same_dtype
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Elementwise, Sample, record, register
from ..pattern import operands_of, scalar_of
from ..types import TensorType
from .arithmetic import Cotangents, Mul, given
from .sampling import SPECIAL, booleans, floats, integers


class Comparison(Elementwise):
    """Two operands of one dtype, result bool; ``intrinsic`` names its scalar meaning."""

    intrinsic: ClassVar[str]
    ufunc: ClassVar[np.ufunc]

    def result_dtype(self, *operands: TensorType) -> Any:
        same_dtype(self.name, operands)
        return bool_

    def scalar(self, s: Algebra[V], *elements: V) -> V:
        return s.intrinsic(self.intrinsic, *elements)

    def reference(self, *arrays: Array) -> Array:
        return np.asarray(type(self).ufunc(*arrays))

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (None,) * len(operands)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        grid = np.meshgrid(SPECIAL, SPECIAL)
        return [
            Sample(cls(), (grid[0].astype("float32"), grid[1].astype("float32")), ((0, 0, "N"), (1, 0, "N"))),
            *(Sample(cls(), (integers(30, seed=1, dtype=d), integers(30, seed=2, dtype=d))) for d in ("int32",
            "uint8", "int64")),
            Sample(cls(), (booleans(9, seed=1), booleans(9, seed=2))),
            Sample(cls(), (floats(3), integers(3)), error="one dtype"),
        ]  # fmt: skip


@register
class Equal(Comparison):
    name = "equal"
    commutative = True
    equivalents = "np.equal, ==; theano.tensor.eq; K.equal"
    intrinsic = "eq"
    ufunc = np.equal


@register
class NotEqual(Comparison):
    name = "not_equal"
    commutative = True
    equivalents = "np.not_equal, !=; theano.tensor.neq; K.not_equal"
    intrinsic = "ne"
    ufunc = np.not_equal


@register
class Less(Comparison):
    name = "less"
    equivalents = "np.less, <; theano.tensor.lt; K.less"
    intrinsic = "lt"
    ufunc = np.less


@register
class LessEqual(Comparison):
    name = "less_equal"
    equivalents = "np.less_equal, <=; theano.tensor.le; K.less_equal"
    intrinsic = "le"
    ufunc = np.less_equal


@register
class Greater(Comparison):
    name = "greater"
    equivalents = "np.greater, >; theano.tensor.gt; K.greater"
    intrinsic = "gt"
    ufunc = np.greater


@register
class GreaterEqual(Comparison):
    name = "greater_equal"
    equivalents = "np.greater_equal, >=; theano.tensor.ge; K.greater_equal"
    intrinsic = "ge"
    ufunc = np.greater_equal


class FloatTest(Elementwise):
    """A property of one float, result bool."""

    ufunc: ClassVar[np.ufunc]

    def result_dtype(self, *operands: TensorType) -> Any:
        float_dtype(self.name, operands)
        return bool_

    def scalar(self, s: Algebra[V], *elements: V) -> V:
        return s.intrinsic(self.name, *elements)

    def reference(self, *arrays: Array) -> Array:
        return np.asarray(type(self).ufunc(*arrays))

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (None,)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(), (SPECIAL.astype("float32"),), ((0, 0, "N"),)),
            Sample(cls(), (SPECIAL,)),
            Sample(cls(), (integers(3),), error="floating point"),
        ]


@register
class IsNan(FloatTest):
    name = "isnan"
    equivalents = "np.isnan; theano.tensor.isnan"
    ufunc = np.isnan


@register
class IsInf(FloatTest):
    name = "isinf"
    equivalents = "np.isinf; theano.tensor.isinf"
    ufunc = np.isinf


@register
class IsFinite(FloatTest):
    name = "isfinite"
    equivalents = "np.isfinite"
    ufunc = np.isfinite


class Bits(Elementwise):
    """An operation on the bits of integers; on bools it is the logical one."""

    ufunc: ClassVar[np.ufunc]
    takes_bool: ClassVar[bool] = True

    def result_dtype(self, *operands: TensorType) -> Any:
        dtype = same_dtype(self.name, operands)
        if not (dtype.is_integer or (dtype.is_bool and self.takes_bool)):
            raise DTypeError(f"{self.name} needs integer operands, got {dtype}")
        return dtype

    def scalar(self, s: Algebra[V], *elements: V) -> V:
        return s.intrinsic(self.name, *elements)

    def reference(self, *arrays: Array) -> Array:
        return np.asarray(type(self).ufunc(*arrays))

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (None,) * len(operands)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        n = cls.ufunc.nin
        cases = [
            Sample(cls(), tuple(integers(33, seed=i, low=0 if not cls.takes_bool else -5, dtype=d) for i in range(n)))
            for d in ("int32", "int64", "int8")
        ]
        cases.append(
            Sample(cls(), tuple(integers(33, seed=i, low=0, dtype="uint32") for i in range(n)), ((0, 0, "N"),))
        )
        if cls.takes_bool:
            cases.append(Sample(cls(), tuple(booleans(9, seed=i) for i in range(n))))
        return [*cases, Sample(cls(), (floats(3),) * n, error="integer operands")]


@register
class BitAnd(Bits):
    """Logical and of bools, bitwise and of integers."""

    name = "bit_and"
    commutative = True
    equivalents = "np.bitwise_and, np.logical_and, &; theano.tensor.and_"
    ufunc = np.bitwise_and


@register
class BitOr(Bits):
    """Logical or of bools, bitwise or of integers."""

    name = "bit_or"
    commutative = True
    equivalents = "np.bitwise_or, np.logical_or, |; theano.tensor.or_"
    ufunc = np.bitwise_or


@register
class BitXor(Bits):
    name = "bit_xor"
    commutative = True
    equivalents = "np.bitwise_xor, np.logical_xor, ^; theano.tensor.xor"
    ufunc = np.bitwise_xor


@register
class BitNot(Bits):
    """Logical not of a bool, complement of an integer."""

    name = "bit_not"
    equivalents = "np.invert, np.logical_not, ~; theano.tensor.invert"
    ufunc = np.invert


@register
class ShiftLeft(Bits):
    name = "shl"
    equivalents = "np.left_shift, <<"
    ufunc = np.left_shift
    takes_bool = False


@register
class ShiftRight(Bits):
    """Arithmetic for signed, logical for unsigned integers."""

    name = "shr"
    equivalents = "np.right_shift, >>"
    ufunc = np.right_shift
    takes_bool = False


@register
class Where(Elementwise):
    """``a`` where the condition (bool) holds, else ``b``. Gradients go to the branch taken only.

    Where the result tells which one that was, as that of ``where(x <= 0, 0, x)`` does, the gradient asks the result: it
    is often kept for other reasons, while ``x`` and the condition need not be.
    """

    name = "where"
    equivalents = "np.where; theano.tensor.switch; K.switch"

    def result_dtype(self, *operands: TensorType) -> Any:
        condition, a, b = operands
        if not condition.dtype.is_bool:
            raise DTypeError(f"where needs a bool condition, got {condition.dtype}")
        return same_dtype("where", (a, b))

    def scalar(self, s: Algebra[V], *elements: V) -> V:
        return s.select(*elements)

    def reference(self, *arrays: Array) -> Array:
        condition, if_true, if_false = arrays
        return np.where(condition, if_true, if_false)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        c = operands[0]
        if _is_told_by_result(*operands):
            c = e.apply(c.op, results[0], c.node.inputs[1])
        g = given(cotangents)
        return (None, e.where(c, g, 0), e.where(c, 0, g))

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        c = booleans(3, 4)
        return [
            Sample(cls(), (c, floats(3, 4, seed=1), floats(3, 4, seed=2)), ((0, 0, "N"), (1, 0, "N"), (2, 0, "N"))),
            Sample(cls(), (c, integers(3, 4, seed=1), integers(3, 4, seed=2))),
            Sample(cls(), (c[0], np.full(4, np.nan, "float32"), floats(4, dtype="float32")), differentiable=()),
            Sample(cls(), (floats(3), floats(3), floats(3)), error="bool condition"),
            Sample(cls(), (c, floats(3, 4), integers(3, 4)), error="one dtype"),
        ]


def _is_told_by_result(condition: Value, a: Value, b: Value) -> bool:
    """Whether ``condition``, a comparison of ``x`` and a constant, holds for the result as it does for ``x``.

    One branch is ``x``; the other one is a constant for which the comparison comes out as it did where that was taken,
    or ``x`` times a positive number, and ``x`` is compared with 0 (by ``<=`` or ``>``, so that it may vanish).
    """
    if not isinstance(condition.op, Comparison):
        return False
    x, limit = condition.node.inputs
    other = a if b is x else b if a is x else None
    bound = scalar_of(limit)
    if other is None or bound is None:
        return False
    constant = scalar_of(other)
    if constant is not None:
        return bool(condition.op.reference(constant, bound)) is (other is a)
    takes_other = LessEqual if other is a else Greater
    factors = [scalar_of(f) for f in operands_of(other, Mul) if f is not x]
    return isinstance(condition.op, takes_other) and bound == 0 and len(factors) == 1 and (factors[0] or 0) > 0


@register
@record
class Cast(Elementwise):
    """Conversion to ``dtype``, as ``ndarray.astype``."""

    dtype: DType
    name = "cast"
    equivalents = "ndarray.astype; theano.tensor.cast; K.cast"

    def result_dtype(self, *operands: TensorType) -> Any:
        return self.dtype

    def scalar(self, s: Algebra[V], *elements: V) -> V:
        return s.cast(elements[0], self.dtype)

    def reference(self, *arrays: Array) -> Array:
        with np.errstate(all="ignore"):
            return arrays[0].astype(self.dtype.np)

    def fold(self, e: Emitter, operands: Sequence[Value]) -> Value | None:
        return operands[0] if operands[0].dtype == self.dtype else None

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        (x,) = operands
        g = given(cotangents)
        return (e.cast(g, x.dtype) if x.dtype.is_float and self.dtype.is_float else None,)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        x = floats(3, 4, low=0, high=100)
        return [
            Sample(cls(f64), (x.astype("float32"),), ((0, 0, "N"),), differentiable=()),
            Sample(cls(float32), (x,), ((0, 0, "N"),), differentiable=()),
            Sample(cls(f64), (x,)),
            Sample(cls(int32), (x.astype("float32"),)),
            Sample(cls(uint8), (integers(40, low=-300, high=300),)),
            Sample(cls(float32), (integers(40, dtype="int64"),)),
            Sample(cls(float32), (integers(40, low=0, high=255, dtype="uint8"),)),
            Sample(cls(float32), (booleans(40),)),
            Sample(cls(bool_), (floats(5),)),
            Sample(cls(bool_), (integers(20),)),
        ]
