"""A count of arithmetic: the scalar algebra whose values are only dtypes."""

from __future__ import annotations

from ..dtypes import DType, bool_, int64
from ..ir.algebra import COMPARE, TEST, Algebra
from ..ir.dims import Dim

#: Rough cost in additions of the intrinsics that are no single instruction.
WEIGHTS: dict[str, int] = {
    "div": 4, "floordiv": 12, "mod": 12, "sqrt": 6, "exp": 12, "expm1": 16, "log": 14, "log1p": 18, "log2": 14,
    "log10": 14, "exp2": 12, "sin": 20, "cos": 20, "tan": 28, "asin": 20, "acos": 20, "atan": 20, "atan2": 28,
    "sinh": 20, "cosh": 20, "tanh": 18, "asinh": 24, "acosh": 24, "atanh": 24, "sigmoid": 18, "softplus": 32, "erf": 20,
    "pow": 40, "mulhi": 2,
}  # fmt: skip
_TO_BOOL = frozenset(COMPARE) | frozenset(TEST)


class CountAlgebra(Algebra[DType]):
    """Evaluating an op with it adds the op's cost per element to ``flops``."""

    def __init__(self) -> None:
        self.flops = 0

    def dtype(self, x: DType) -> DType:
        return x

    def const(self, value: bool | int | float, dtype: DType) -> DType:
        return dtype

    def size(self, dim: Dim) -> DType:
        return int64

    def intrinsic(self, name: str, *args: DType) -> DType:
        self.flops += 2 if name == "fma" else WEIGHTS.get(name, 1)
        return bool_ if name in _TO_BOOL else args[0]

    def select(self, condition: DType, if_true: DType, if_false: DType) -> DType:
        self.flops += 1
        return if_true

    def cast(self, x: DType, dtype: DType) -> DType:
        self.flops += x is not dtype
        return dtype

    def bitcast(self, x: DType, dtype: DType) -> DType:
        return dtype

    def bounds(self, index: DType, size: DType, axis: int) -> DType:
        self.flops += 2
        return index
