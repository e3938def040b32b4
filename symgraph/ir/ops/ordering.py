"""Where numbers belong in a sorted row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...dtypes import int64
from ...errors import ShapeError
from ..algebra import Algebra, V
from ..checks import same_dtype
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Indexed, Reader, Sample, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents
from .sampling import floats, integers

#: Halvings that find a place in any row of unknown size.
_HALVINGS = 48


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
