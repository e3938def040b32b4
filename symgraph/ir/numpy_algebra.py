"""The scalar algebra on NumPy arrays: the meaning of an op, run on whole operands at once.

Every value is an ``ndarray``; elements of equal index belong together and shapes broadcast as NumPy's do. It is written
with NumPy's own functions only, so it is independent of the polynomials that the native targets evaluate; but for the
portable functions, which are those polynomials everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..dtypes import DType, as_dtype
from ..errors import BoundsError, InternalError
from .algebra import COMPARE, PORTABLE, TEST, Algebra
from .dims import Dim, evaluate

Array = np.ndarray[Any, Any]


def _div(a: Array, b: Array) -> Array:
    """True division of floats; of integers the quotient rounded towards zero, and 0 for a division by zero."""
    if a.dtype.kind == "f":
        return np.asarray(a / b)
    quotient = np.floor_divide(a, b)
    inexact = (np.remainder(a, b) != 0) & ((a < 0) != (b < 0))
    return np.asarray(quotient + inexact.astype(a.dtype))


def _floordiv(a: Array, b: Array) -> Array:
    return np.asarray(a // b)


def _mod(a: Array, b: Array) -> Array:
    return np.asarray(a % b)


def power(a: Array, b: Array) -> Array:
    """Powers of floats. For an exponent of 0.5 that it reads again and again NumPy takes the root, which is another
    number for -inf and -0.0."""
    with np.errstate(all="ignore"):
        found = np.asarray(np.power(a, b))
    roots = np.equal(b, 0.5)
    if not roots.any():
        return found
    return np.where(roots, np.where(a == -np.inf, np.inf, found + 0.0), found).astype(found.dtype)


def _pow(a: Array, b: Array) -> Array:
    """Powers; an integer base to a negative exponent gives the power rounded towards zero (0 for base 0)."""
    if a.dtype.kind != "i":
        return power(a, b)
    positive = np.power(a, np.maximum(b, 0).astype(b.dtype))
    odd = (b & 1) != 0
    inverse = np.where(a == 1, 1, np.where(a == -1, np.where(odd, -1, 1), 0)).astype(a.dtype)
    return np.where(b < 0, inverse, positive)


def _sign(x: Array) -> Array:
    return x if x.dtype.kind == "b" else np.asarray(np.sign(x))


def _sigmoid(x: Array) -> Array:
    small = np.exp(-np.abs(x))  # NaN stays NaN, in the denominator
    one = x.dtype.type(1)
    return np.asarray(np.where(x >= 0, one, small) / (one + small))


def _softplus(x: Array) -> Array:
    return np.asarray(np.maximum(x, x.dtype.type(0)) + np.log1p(np.exp(-np.abs(x))))


_erf_each = np.frompyfunc(math.erf, 1, 1)


def _erf(x: Array) -> Array:
    return np.asarray(_erf_each(x.astype(np.float64)), dtype=np.float64)


def _fma(a: Array, b: Array, c: Array) -> Array:
    return np.asarray(a * b + c)


def _mulhi(a: Array, b: Array) -> Array:
    """Upper half of the product of two uint32 or two uint64."""
    if a.dtype.itemsize == 4:
        return np.asarray((a.astype(np.uint64) * b.astype(np.uint64)) >> np.uint64(32)).astype(a.dtype)
    half, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    a1, a0, b1, b0 = a >> half, a & low, b >> half, b & low
    middle = a1 * b0 + ((a0 * b0) >> half)
    middle_low = (middle & low) + a0 * b1
    return np.asarray(a1 * b1 + (middle >> half) + (middle_low >> half))


def _portable(name: str) -> Callable[..., Array]:
    """A portable function, by its polynomial on whole arrays."""

    def evaluate(*args: Array) -> Array:
        from .elementary import EXPANSIONS  # not loaded before a random number is drawn

        result: Array = EXPANSIONS[name](NumpyAlgebra(), *(np.asarray(a) for a in args))
        return result

    return evaluate


#: Every intrinsic as a function of arrays. A floating result may be wider than the operands, for the algebra to round.
NUMPY_INTRINSICS: dict[str, Callable[..., Any]] = {
    "neg": np.negative, "abs": np.abs, "sign": _sign, "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc,
    "rint": np.rint, "sqrt": np.sqrt, "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p,
    "log2": np.log2, "log10": np.log10, "exp2": np.exp2, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "sigmoid": _sigmoid, "softplus": _softplus,
    "erf": _erf, "bit_not": np.invert, "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": _div,
    "floordiv": _floordiv, "mod": _mod, "minimum": np.minimum, "maximum": np.maximum, "pow": _pow,
    "atan2": np.arctan2, "copysign": np.copysign, "bit_and": np.bitwise_and, "bit_or": np.bitwise_or,
    "bit_xor": np.bitwise_xor, "shl": np.left_shift, "shr": np.right_shift, "eq": np.equal, "ne": np.not_equal,
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "isnan": np.isnan,
    "isinf": np.isinf, "isfinite": np.isfinite, "fma": _fma, "mulhi": _mulhi,
    **{name: _portable(name) for name in PORTABLE},
}  # fmt: skip

_TO_BOOL = frozenset(COMPARE) | frozenset(TEST)


class NumpyAlgebra(Algebra[Array]):
    """Arrays as scalars: ``sizes`` gives the values of the symbols that :meth:`size` may meet."""

    def __init__(self, sizes: Mapping[str, int] | None = None) -> None:
        self.sizes: Mapping[str, int] = {} if sizes is None else sizes

    def dtype(self, x: Array) -> DType:
        return as_dtype(x.dtype)

    def const(self, value: float, dtype: DType) -> Array:
        if dtype.is_integer:
            wrapped = int(value) & ((1 << dtype.bits) - 1)
            unsigned = np.array(wrapped, np.dtype(f"u{dtype.itemsize}"))
            return unsigned.view(dtype.np)
        with np.errstate(all="ignore"):
            return np.array(value, dtype.np)

    def size(self, dim: Dim) -> Array:
        return np.array(evaluate(dim, self.sizes), np.int64)

    def intrinsic(self, name: str, *args: Array) -> Array:
        function = NUMPY_INTRINSICS.get(name)
        if function is None:
            raise InternalError(f"no intrinsic is named {name}")
        first = args[0].dtype
        if any(a.dtype != first for a in args):
            raise InternalError(f"{name} got operands of dtypes " + ", ".join(str(a.dtype) for a in args))
        with np.errstate(all="ignore"):
            result = np.asarray(function(*args))
            wanted = np.dtype(np.bool_) if name in _TO_BOOL else first
            return result if result.dtype == wanted else result.astype(wanted)

    def select(self, condition: Array, if_true: Array, if_false: Array) -> Array:
        if if_true.dtype != if_false.dtype:
            raise InternalError(f"select got branches of dtypes {if_true.dtype} and {if_false.dtype}")
        return np.where(condition, if_true, if_false)

    def cast(self, x: Array, dtype: DType) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(x.astype(dtype.np, copy=False))

    def bitcast(self, x: Array, dtype: DType) -> Array:
        if x.dtype.itemsize != dtype.itemsize:
            raise InternalError(f"bitcast from {x.dtype} to {dtype}: the widths differ")
        return np.asarray(x).view(dtype.np)

    def bounds(self, index: Array, size: Array, axis: int) -> Array:
        """``index`` where all are inside.

        Raises:
            BoundsError: naming the first index outside ``0 <= index < size``.
        """
        outside = (index < 0) | (index >= size)
        if np.any(outside):
            where = np.unravel_index(int(np.argmax(outside)), np.shape(outside))
            bad = int(np.broadcast_to(index, np.shape(outside))[where])
            limit = int(np.broadcast_to(size, np.shape(outside))[where])
            raise BoundsError(f"index {bad} is out of bounds for axis {axis} with size {limit}")
        return index
