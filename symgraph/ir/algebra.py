"""The scalar algebra: what one element of a tensor can be computed with.

An op states its scalar or index meaning once, against :class:`Algebra`; each implementation reads it differently:
arrays (:class:`symgraph.ir.numpy_algebra.NumpyAlgebra`), expressions of the loop IR, LLVM vectors, a flop count. A
value of an algebra is opaque to the op; only the algebra looks inside.

All operands of one call have the same dtype unless stated. Integer arithmetic wraps. ``minimum``/``maximum`` give
NaN if an operand is NaN, like NumPy's. Shifts of unsigned integers are logical, of signed ones arithmetic.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from ..dtypes import DType, int64
from .dims import Dim

V = TypeVar("V")

#: Intrinsics with the same bits on every target, by the functions they compute (:mod:`.portable`).
PORTABLE = {f"portable_{name}": name for name in "exp expm1 log log1p tan".split()}
#: Intrinsics with one operand and a result of the same dtype.
UNARY = (
    "neg abs sign floor ceil trunc rint sqrt "
    "exp expm1 log log1p log2 log10 exp2 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh "
    "sigmoid softplus erf bit_not"
).split() + list(PORTABLE)
#: Intrinsics with two operands of one dtype and a result of that dtype.
BINARY = "add sub mul div floordiv mod minimum maximum pow atan2 copysign bit_and bit_or bit_xor shl shr".split()
#: Two operands of one dtype, result bool.
COMPARE = "eq ne lt le gt ge".split()
#: One float operand, result bool.
TEST = "isnan isinf isfinite".split()


class Algebra(Generic[V]):
    """Operations on scalar values of type ``V``. Subclasses implement the methods below ``primitives``."""

    # -- primitives ---------------------------------------------------------------------------------------------
    def dtype(self, x: V) -> DType:
        raise NotImplementedError

    def const(self, value: bool | int | float, dtype: DType) -> V:
        raise NotImplementedError

    def size(self, dim: Dim) -> V:
        """The value (int64) of a possibly symbolic size."""
        raise NotImplementedError

    def intrinsic(self, name: str, *args: V) -> V:
        """Apply an intrinsic of ``UNARY``, ``BINARY``, ``COMPARE`` or ``TEST``, or ``fma`` (a*b + c, one rounding where
        the machine has it) or ``mulhi`` (upper half of the product of two uint32 or uint64)."""
        raise NotImplementedError

    def select(self, condition: V, if_true: V, if_false: V) -> V:
        raise NotImplementedError

    def cast(self, x: V, dtype: DType) -> V:
        """Value conversion, as ``ndarray.astype``; float to bool is ``x != 0``."""
        raise NotImplementedError

    def bitcast(self, x: V, dtype: DType) -> V:
        """Same bits, other dtype of the same width."""
        raise NotImplementedError

    def bounds(self, index: V, size: V, axis: int) -> V:
        """``index`` (int64) if ``0 <= index < size``; otherwise 0, and the run ends with a BoundsError naming the op's
        layer, the index, the size and ``axis``."""
        raise NotImplementedError

    # -- shorthands ---------------------------------------------------------------------------------------------
    def index(self, value: int) -> V:
        return self.const(value, int64)

    def like(self, value: bool | int | float, x: V) -> V:
        return self.const(value, self.dtype(x))

    def add(self, a: V, b: V) -> V:
        return self.intrinsic("add", a, b)

    def sub(self, a: V, b: V) -> V:
        return self.intrinsic("sub", a, b)

    def mul(self, a: V, b: V) -> V:
        return self.intrinsic("mul", a, b)

    def div(self, a: V, b: V) -> V:
        return self.intrinsic("div", a, b)

    def floordiv(self, a: V, b: V) -> V:
        return self.intrinsic("floordiv", a, b)

    def mod(self, a: V, b: V) -> V:
        return self.intrinsic("mod", a, b)

    def neg(self, a: V) -> V:
        return self.intrinsic("neg", a)

    def fma(self, a: V, b: V, c: V) -> V:
        return self.intrinsic("fma", a, b, c)

    def minimum(self, a: V, b: V) -> V:
        return self.intrinsic("minimum", a, b)

    def maximum(self, a: V, b: V) -> V:
        return self.intrinsic("maximum", a, b)

    def eq(self, a: V, b: V) -> V:
        return self.intrinsic("eq", a, b)

    def ne(self, a: V, b: V) -> V:
        return self.intrinsic("ne", a, b)

    def lt(self, a: V, b: V) -> V:
        return self.intrinsic("lt", a, b)

    def le(self, a: V, b: V) -> V:
        return self.intrinsic("le", a, b)

    def gt(self, a: V, b: V) -> V:
        return self.intrinsic("gt", a, b)

    def ge(self, a: V, b: V) -> V:
        return self.intrinsic("ge", a, b)

    def both(self, a: V, b: V) -> V:
        """Logical and of two bools (no branch)."""
        return self.intrinsic("bit_and", a, b)

    def either(self, a: V, b: V) -> V:
        """Logical or of two bools (no branch)."""
        return self.intrinsic("bit_or", a, b)
