"""The order of numbers, and where they belong in a sorted row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...dtypes import BY_NAME, DType, bool_, int64
from ...errors import DTypeError, ShapeError
from ..algebra import Algebra, V
from ..checks import same_dtype
from ..dims import Dim, symbol
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Elementwise, Indexed, Op, Reader, Sample, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents
from .sampling import SPECIAL, booleans, floats, integers

#: Halvings that find a place in any row of unknown size.
_HALVINGS = 48


@register
@record
class SortKey(Elementwise):
    """An unsigned number of the operand's width that rises (``descending``: falls) as the operand rises. Both zeros
    have the same, and NaN has the largest one in either direction."""

    descending: bool
    name = "sort_key"
    equivalents = "none (the bits of a number as one compares them)"

    def result_dtype(self, *operands: TensorType) -> DType:
        return BY_NAME[f"uint{operands[0].dtype.bits}"]

    def scalar(self, s: Algebra[V], *elements: V) -> V:
        (x,) = elements
        dtype = s.dtype(x)
        key_dtype = self.result_dtype(TensorType(dtype, ()))
        if dtype is bool_ or dtype.kind == "u":
            key = x if dtype is key_dtype else s.cast(x, key_dtype)
        else:
            top = s.const(1 << (dtype.bits - 1), key_dtype)
            if dtype.is_float:
                bits = s.bitcast(s.select(s.eq(x, s.like(0, x)), s.like(0, x), x), key_dtype)
                negative = s.ge(bits, top)
                key = s.select(negative, s.intrinsic("bit_not", bits), s.intrinsic("bit_or", bits, top))
            else:
                key = s.intrinsic("bit_xor", s.bitcast(x, key_dtype), top)
        if self.descending:
            key = s.intrinsic("bit_not", key)
        if dtype.is_float:
            key = s.select(s.intrinsic("isnan", x), s.const((1 << dtype.bits) - 1, key_dtype), key)
        return key

    def reference(self, *arrays: Array) -> Array:
        x = arrays[0].reshape(-1)  # arithmetic on objects without axes gives no arrays
        bits = 8 * x.dtype.itemsize
        unsigned = np.dtype(f"u{x.dtype.itemsize}")
        if x.dtype.kind in "bu":
            key = x.astype(unsigned)
        elif x.dtype.kind == "i":
            key = (x.astype(object) + (1 << (bits - 1))).astype(unsigned)
        else:
            number = (x + x.dtype.type(0)).view(f"i{x.dtype.itemsize}").astype(object)
            places = np.where(number < 0, -1 - (number + (1 << (bits - 1))), number)
            key = np.asarray(places + (1 << (bits - 1))).astype(unsigned)
        if self.descending:
            key = ~key
        if x.dtype.kind == "f":
            key = np.where(np.isnan(x), np.iinfo(unsigned).max, key)
        return np.asarray(key, unsigned).reshape(arrays[0].shape)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (None,)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(descending), (x,), differentiable=())
            for descending in (False, True)
            for x in (
                floats(3, 4), floats(), SPECIAL.astype("float32"), SPECIAL, SPECIAL.clip(-6e4, 6e4).astype("float16"),
                integers(5), integers(5, dtype="int8"), integers(5, dtype="int64"), integers(),
                integers(5, low=0, dtype="uint16"), booleans(6),
            )
        ]  # fmt: skip


@register
@record
class ArgSort(Op):
    """The positions (int64) of the ``count`` smallest elements of each row (the last axis) of unsigned numbers, rising,
    equal ones by position. More than there are is a bounds error of the call."""

    count: Dim
    name = "argsort"
    equivalents = "np.argsort(kind='stable'); theano.tensor.argsort; tf.math.top_k"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        (keys,) = operands
        if keys.dtype.kind != "u":
            raise DTypeError(f"argsort of {keys}: keys are unsigned integers")
        if not keys.ndim:
            raise ShapeError(f"argsort of {keys}, which has no axis")
        size = keys.shape[-1]
        if isinstance(size, int) and size >= 1 << 32:
            raise ShapeError(f"argsort of {keys}: a row has at most 2**32 - 1 elements")
        if isinstance(size, int) and isinstance(self.count, int) and not 0 <= self.count <= size:
            raise ShapeError(f"the first {self.count} of {size} elements of {keys}")
        return (TensorType(int64, (*keys.shape[:-1], self.count)),)

    def reference(self, *arrays: Array) -> Array:
        assert isinstance(self.count, int)
        return np.argsort(arrays[0], axis=-1, kind="stable")[..., : self.count].astype(np.int64)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (None,)

    def flops(self, operands: Sequence[TensorType], results: Sequence[TensorType]) -> Dim:
        return operands[0].size * operands[0].dtype.itemsize

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        n = symbol("N")
        wide = integers(3, 100, low=0, high=1 << 31, dtype="uint32")
        return [
            *(
                Sample(cls(n), (integers(2, size, low=0, high=200, dtype=dtype),), ((0, 0, "M"), (0, 1, "N")))
                for dtype in ("uint8", "uint16", "uint32", "uint64") for size in (0, 1, 33, 300)
            ),
            Sample(cls(100), (wide,)), Sample(cls(5), (wide,), ((0, 1, "N"),)), Sample(cls(50), (wide,)),
            Sample(cls(40), (wide.astype("uint64") << np.uint64(20),)),
            Sample(cls(100), (wide.astype("uint64") << np.uint64(20) | wide,), ((0, 0, "M"),)),
            Sample(cls(0), (wide,)), Sample(cls(4), (integers(9, low=0, dtype="uint8"),)),
            Sample(cls(101), (wide,), error="the first 101 of 100"),
            Sample(cls(1), (integers(3),), error="unsigned"),
            Sample(cls(1), (np.array(3, "uint8"),), error="no axis"),
        ]  # fmt: skip


@register
@record
class SearchSorted(Indexed):
    """How many elements of the first operand, a sorted vector, come before each of the second: those smaller, or with
    ``right`` those not larger (int64). By halving; NaN is larger than all numbers."""

    right: bool
    name = "searchsorted"
    reads_under_mask = True
    equivalents = "np.searchsorted; np.digitize; theano.tensor.searchsorted"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        row, x = operands
        same_dtype(self.name, operands)
        if row.ndim != 1:
            raise ShapeError(f"searchsorted in {row}, which is no vector")
        return (TensorType(int64, x.shape),)

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        (size,) = operands[0].shape
        zero, one = s.index(0), s.index(1)
        if size == 0:
            return zero
        x = readers[1](index)
        low, high = zero, s.size(size)
        last = s.maximum(s.sub(high, one), zero)
        for _ in range(size.bit_length() if isinstance(size, int) else _HALVINGS):
            middle = s.floordiv(s.add(low, high), s.index(2))
            before = self._comes_before(s, readers[0]([s.minimum(middle, last)]), x)
            searching = s.lt(low, high)
            low, high = (
                s.select(s.both(searching, before), s.add(middle, one), low),
                s.select(s.both(searching, s.intrinsic("bit_not", before)), middle, high),
            )
        return low

    def _comes_before(self, s: Algebra[V], element: V, x: V) -> V:
        if not s.dtype(x).is_float:
            return s.le(element, x) if self.right else s.lt(element, x)
        x_nan, e_nan = s.intrinsic("isnan", x), s.intrinsic("isnan", element)
        if self.right:
            return s.either(s.le(element, x), x_nan)
        return s.either(s.lt(element, x), s.both(x_nan, s.intrinsic("bit_not", e_nan)))

    def reference(self, *arrays: Array) -> Array:
        row, x = arrays
        return np.asarray(np.searchsorted(row, x, "right" if self.right else "left"), np.int64)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (None, None)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        row = np.array([-2.0, -0.5, -0.5, 0.0, 0.25, 3.0, np.inf])
        x = np.array([[-3.0, -2.0, -0.5], [0.1, 3.0, np.inf], [np.nan, -np.inf, 9.0]])
        sorted_integers = np.sort(integers(10))
        return [
            *(Sample(cls(right), (row, x), ((0, 0, "N"), (1, 0, "M")), differentiable=()) for right in (False, True)),
            Sample(cls(True), (np.array([0.0, np.nan], "float32"), x.astype("float32"))),
            Sample(cls(False), (np.array([0.0, np.nan], "float32"), x.astype("float32"))),
            *(Sample(cls(right), (sorted_integers, integers(4, 5, seed=2)), ((1, 0, "N"),)) for right in (False, True)),
            Sample(cls(False), (floats(0), x), ((0, 0, "N"),), differentiable=()),
            Sample(cls(True), (floats(1), floats(0)), differentiable=()),
            Sample(cls(False), (floats(2, 3), floats(2)), error="no vector"),
            Sample(cls(False), (floats(2), integers(2)), error="one dtype"),
        ]  # fmt: skip
