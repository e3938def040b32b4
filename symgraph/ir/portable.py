"""The scalar algebra with the same bits on every target.

Elementary functions use ``fma`` where a processor has one, and NumPy has its own; so their last bits depend on where
they run. What random numbers are made of must not: ``portable_log`` and its kin are the same polynomials with every
product rounded before it is added. Sums, differences, products, quotients and roots are rounded correctly everywhere
(IEEE 754), comparisons, integers and bits are exact, and no target contracts a product and a sum by itself: LLVM gets
no fast-math flags, and NumPy computes one array after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..dtypes import DType
from .algebra import PORTABLE, Algebra, V
from .dims import Dim

#: Names of the functions that have a portable twin.
_TWINS = {function: name for name, function in PORTABLE.items()}


class Portable(Algebra[V]):
    """Another algebra, read so that every target gets the same bits: ``fma`` rounds twice, and elementary functions are
    their portable twins."""

    def __init__(self, inner: Algebra[V]) -> None:
        self.inner = inner

    def dtype(self, x: V) -> DType:
        return self.inner.dtype(x)

    def const(self, value: bool | int | float, dtype: DType) -> V:
        return self.inner.const(value, dtype)

    def size(self, dim: Dim) -> V:
        return self.inner.size(dim)

    def intrinsic(self, name: str, *args: V) -> V:
        if name == "fma":
            a, b, c = args
            return self.inner.intrinsic("add", self.inner.intrinsic("mul", a, b), c)
        return self.inner.intrinsic(_TWINS.get(name, name), *args)

    def select(self, condition: V, if_true: V, if_false: V) -> V:
        return self.inner.select(condition, if_true, if_false)

    def cast(self, x: V, dtype: DType) -> V:
        return self.inner.cast(x, dtype)

    def bitcast(self, x: V, dtype: DType) -> V:
        return self.inner.bitcast(x, dtype)

    def bounds(self, index: V, size: V, axis: int) -> V:
        return self.inner.bounds(index, size, axis)


def portable(expansion: Callable[..., Any]) -> Callable[..., Any]:
    """The portable twin of an expansion."""

    def expand(s: Algebra[Any], *args: Any) -> Any:
        return expansion(Portable(s), *args)

    return expand


__all__ = ["Portable", "portable"]
