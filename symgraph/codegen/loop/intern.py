"""Hash-consing of loop expressions: inside one interner, equal expressions are one object."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from ...dtypes import DType, int64
from ...ir.dims import Dim
from .grammar import Bitcast, Bounds, Call, Cast, Const, Expr, Load, Select, Size, Var


class Interner:
    """Makes expressions without simplifying them; asked twice for the same one, it gives the same object.

    Operands must come from the same interner. Constants are told apart by their bits (0.0 is not -0.0, all NaN are
    one).
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[Hashable, Expr] = {}

    def const(self, value: bool | int | float, dtype: DType) -> Const:
        value = normal_constant(value, dtype)
        key = ("const", repr(value), dtype)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Const(value, dtype)
        assert isinstance(found, Const)
        return found

    def size(self, dim: Dim) -> Expr:
        return self._known.setdefault(("size", dim), Size(dim))

    def var(self, name: str, dtype: DType = int64) -> Var:
        found = self._known.setdefault(("var", name, dtype), Var(name, dtype))
        assert isinstance(found, Var)
        return found

    def load(self, buffer: str, index: Sequence[Expr], dtype: DType) -> Load:
        key = ("load", buffer, dtype, *map(id, index))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Load(buffer, tuple(index), dtype)
        assert isinstance(found, Load)
        return found

    def call(self, name: str, args: Sequence[Expr], dtype: DType) -> Expr:
        key = ("call", name, dtype, *map(id, args))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Call(name, tuple(args), dtype)
        return found

    def select(self, condition: Expr, if_true: Expr, if_false: Expr) -> Expr:
        key = ("select", id(condition), id(if_true), id(if_false))
        return self._known.setdefault(key, Select(condition, if_true, if_false))

    def cast(self, value: Expr, dtype: DType) -> Expr:
        return self._known.setdefault(("cast", id(value), dtype), Cast(value, dtype))

    def bitcast(self, value: Expr, dtype: DType) -> Expr:
        return self._known.setdefault(("bitcast", id(value), dtype), Bitcast(value, dtype))

    def bounds(self, index: Expr, size: Expr, check: int) -> Expr:
        return self._known.setdefault(("bounds", id(index), id(size), check), Bounds(index, size, check))


def normal_constant(value: bool | int | float, dtype: DType) -> bool | int | float:
    """The Python value a constant of ``dtype`` holds exactly: integers wrap, floats round, overflow gives inf."""
    if dtype.is_integer:
        wrapped = int(value) & ((1 << dtype.bits) - 1)
        signed = dtype.kind == "i" and wrapped >= 1 << (dtype.bits - 1)
        return wrapped - (1 << dtype.bits) if signed else wrapped
    if dtype.is_bool:
        return bool(value)
    with np.errstate(all="ignore"):
        return float(np.asarray(value, np.float64).astype(dtype.np))
