"""Element types of tensors and kernels.

A :class:`DType` is a small immutable value; the ones symgraph knows are the module constants below.
Promotion follows NumPy 2 (Python scalars are weak), so a result's dtype never depends on a value.

NumPy has no ``bfloat16``. Tensors have that dtype while a program is built; arrays of it, what functions take and give
and what variables hold, are uint16 arrays of its bits, and a closed graph knows these only (:mod:`.ir.stored`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .errors import DTypeError


@dataclass(frozen=True, slots=True, eq=False)
class DType:
    """An element type: ``name`` is NumPy's name, ``short`` the one used in printed IR; ``np`` is what NumPy computes
    with. It is equal to its name, and to NumPy's dtype, as NumPy's is."""

    name: str
    short: str
    kind: str  # 'b' bool, 'i' signed, 'u' unsigned, 'f' floating
    itemsize: int  # bytes in memory
    np: np.dtype[Any] = field(repr=False)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DType):
            return self.name == other.name
        try:
            return isinstance(other, (str, type, np.dtype)) and self.name == as_dtype(other).name
        except DTypeError:
            return False

    def __hash__(self) -> int:
        return hash(self.name)

    def __reduce__(self) -> tuple[Any, ...]:
        """There is one object of each: what is copied or unpickled is it."""
        return as_dtype, (self.name,)

    @property
    def is_float(self) -> bool:
        return self.kind == "f"

    @property
    def is_integer(self) -> bool:
        return self.kind in "iu"

    @property
    def is_bool(self) -> bool:
        return self.kind == "b"

    @property
    def bits(self) -> int:
        return 8 * self.itemsize

    @property
    def largest(self) -> float:
        """The largest number of a floating dtype."""
        return (2.0 - 2.0**-7) * 2.0**127 if self.name == "bfloat16" else float(np.finfo(self.np).max)

    def __str__(self) -> str:
        return self.name


def _dtype(name: str, short: str) -> DType:
    np_dtype = np.dtype(name)
    return DType(name, short, np_dtype.kind, np_dtype.itemsize, np_dtype)


bool_ = _dtype("bool", "bool")
int8 = _dtype("int8", "i8")
int16 = _dtype("int16", "i16")
int32 = _dtype("int32", "i32")
int64 = _dtype("int64", "i64")
uint8 = _dtype("uint8", "u8")
uint16 = _dtype("uint16", "u16")
uint32 = _dtype("uint32", "u32")
uint64 = _dtype("uint64", "u64")
float16 = _dtype("float16", "f16")
float32 = _dtype("float32", "f32")
float64 = _dtype("float64", "f64")
bfloat16 = DType("bfloat16", "bf16", "f", 2, np.dtype("float32"))

#: The element types of closed graphs and kernels.
ALL = (bool_, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float16, float32, float64)
BY_NAME = {d.name: d for d in (*ALL, bfloat16)}
BY_SHORT = {d.short: d for d in (*ALL, bfloat16)}
_BY_NP = {d.np: d for d in ALL}


def as_dtype(value: Any) -> DType:
    """The :class:`DType` named by a string, NumPy dtype, Python type or DType.

    Raises:
        DTypeError: if symgraph has no such element type.

    Example:
        >>> as_dtype("float32").short
        'f32'
    """
    if isinstance(value, DType):
        return value
    if isinstance(value, str) and value in BY_NAME:
        return BY_NAME[value]
    known = _BY_NP.get(value) if isinstance(value, np.dtype) else None
    if known is not None:
        return known
    try:
        dtype = np.dtype(value)
        return bfloat16 if dtype.name == bfloat16.name else _BY_NP[dtype.newbyteorder("=")]  # ml_dtypes has one
    except (TypeError, KeyError):
        raise DTypeError(f"no dtype {value!r} in symgraph; the dtypes are: {', '.join(BY_NAME)}") from None


def promote(*operands: DType | bool | int | float) -> DType:
    """The dtype of an arithmetic result (NumPy 2 promotion; Python scalars are weak). As in JAX and PyTorch, bfloat16
    stays what it is beside integers, and becomes float32 beside float16.

    Example:
        >>> promote(float32, 2.0).name, promote(int32, float32).name
        ('float32', 'float64')
        >>> promote(bfloat16, int64).name, promote(bfloat16, float16).name
        ('bfloat16', 'float32')
    """
    if bfloat16 in operands:
        floats = [d for d in operands if isinstance(d, DType) and d.is_float and d != bfloat16]
        return promote(float32, *floats) if floats else bfloat16
    args = [d.np if isinstance(d, DType) else d for d in operands]
    return as_dtype(np.result_type(*args))


def float_for(dtype: DType) -> DType:
    """The dtype in which NumPy computes a float function (sqrt, mean, ...) of ``dtype``.

    Floats stay; bool and 8-bit integers give float16, 16-bit float32, wider ones float64.
    """
    if dtype.is_float:
        return dtype
    return {1: float16, 2: float32}.get(dtype.itemsize, float64)


def bfloat16_bits(values: Any) -> np.ndarray[Any, Any]:
    """The bits (uint16) of bfloat16 numbers: uint16 arrays hold them already, so do arrays of ml_dtypes' bfloat16;
    other numbers are rounded to float32, and then to the nearest, of two equally near to the even one.

    Raises:
        DTypeError: for what is not numeric.
    """
    array = np.asarray(values)
    if array.dtype == np.uint16:
        return array
    if array.dtype.name == bfloat16.name:
        return array.view(np.uint16)
    if array.dtype == object or array.dtype.kind not in "biuf":
        raise DTypeError(f"{type(values).__name__} does not convert to bfloat16")
    with np.errstate(all="ignore"):  # a number too large is infinite
        single = np.asarray(array, np.float32)
    bits = single.view(np.uint32)
    upper = bits >> np.uint32(16)
    near = (bits + (np.uint32(0x7FFF) + (upper & np.uint32(1)))) >> np.uint32(16)
    return np.where(np.isnan(single), upper | np.uint32(0x40), near).astype(np.uint16)
