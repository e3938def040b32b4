"""Casts between element types, as ``ndarray.astype`` does them; no cast has undefined behaviour.

A float outside an integer dtype's range gives what the machine's conversion gives (``freeze`` makes it a fixed
number), like NumPy. """

from __future__ import annotations

from typing import TYPE_CHECKING

from ....dtypes import DType, bool_, float16, float32, float64, int32, int64, uint16, uint32, uint64
from .vector import Value, as_vector, constant, level_of, ramp, type_text

if TYPE_CHECKING:
    from .emit import EmitAlgebra


def cast(s: EmitAlgebra, x: Value, dtype: DType) -> Value:
    """``x`` converted to ``dtype``."""
    source = x.dtype
    if source == dtype:
        return x
    if x.const is not None and not source.is_float:
        return constant(x.const, dtype)
    if dtype.is_bool:
        return s.ne(x, constant(0, source))
    if source.is_float and dtype.is_float:
        return _between_floats(s, x, dtype)
    if source.is_float:
        return _to_integer(s, x, dtype)
    if dtype.is_float:
        if dtype == float16:
            return cast(s, cast(s, x, float32 if source.bits <= 16 else float64), float16)
        return s.convert("sitofp" if source.kind == "i" else "uitofp", x, dtype)
    return _between_integers(s, x, dtype)


def bitcast(s: EmitAlgebra, x: Value, dtype: DType) -> Value:
    """The bits of ``x`` as ``dtype``."""
    if x.dtype == dtype:
        return x
    if type_text(x.dtype) == type_text(dtype):
        if x.const is not None:
            return constant(x.const, dtype)
        x = as_vector(s.w, x)
        return Value(x.text, dtype, x.lanes, x.level)
    return s.convert("bitcast", x, dtype)


def _between_integers(s: EmitAlgebra, x: Value, dtype: DType) -> Value:
    if x.base is not None and x.stride is not None and dtype.bits <= 64 and not x.text and dtype.bits <= x.dtype.bits:
        # Linear modulo the narrower width too, so no wide vector is needed.
        return as_vector(s.w, ramp(cast(s, x.base, dtype), cast(s, x.stride, dtype), x.lanes))
    if dtype.bits == x.dtype.bits and not x.dtype.is_bool:
        return bitcast(s, x, dtype)
    if dtype.bits < x.dtype.bits:
        return s.convert("trunc", x, dtype)
    return s.convert("sext" if x.dtype.kind == "i" else "zext", x, dtype)


def _to_integer(s: EmitAlgebra, x: Value, dtype: DType) -> Value:
    if x.dtype == float16:
        x = cast(s, x, float32)
    if dtype == uint64:
        # NumPy wraps negative numbers; numbers from 2**63 on lose that bit on the way.
        border = constant(2.0**63, x.dtype)
        low = s.bitcast(_signed(s, x, int64), uint64)
        high = s.bitcast(_signed(s, s.sub(x, border), int64), uint64)
        return s.select(s.ge(x, border), s.instruction("xor", high, constant(1 << 63, uint64)), low)
    if dtype == uint32:
        return cast(s, _signed(s, x, int64), uint32)
    if dtype.bits < 32:
        return cast(s, _signed(s, x, int32), dtype)
    return _signed(s, x, dtype)


def _signed(s: EmitAlgebra, x: Value, dtype: DType) -> Value:
    raw = s.convert("fptosi", x, dtype)
    return Value(s.w.pure(f"freeze {raw.type} {raw.text}", raw.level), dtype, raw.lanes, raw.level)


# -- floats -----------------------------------------------------------------------------------------------------


def _between_floats(s: EmitAlgebra, x: Value, dtype: DType) -> Value:
    if x.const is not None:
        return constant(x.const, dtype)
    if float16 not in (x.dtype, dtype):
        return s.convert("fpext" if dtype.bits > x.dtype.bits else "fptrunc", x, dtype)
    if dtype == float64:
        return cast(s, cast(s, x, float32), float64)
    if x.dtype == float64:
        x = _odd_float32(s, x)
    hardware = s.cpu.arch != "x86_64" or s.cpu.has("f16c")
    if dtype == float16:
        if not hardware:
            return _half_by_integers(s, x)
        # LLVM moves the conversion into a copysign before it, and then converts its sign, a double, by a library's
        # function, which is not there.
        return s.convert("fptrunc", s.call("arithmetic.fence", x), float16)
    return s.convert("fpext", x, float32) if hardware else _float_by_integers(s, x)


def _odd_float32(s: EmitAlgebra, x: Value) -> Value:
    """A float64 cut to float32 with the last bit set where bits were lost, so that rounding again is as good as
    rounding once."""
    near = s.convert("fptrunc", x, float32)
    back = s.convert("fpext", near, float64)
    bits = s.bitcast(near, uint32)
    one = constant(1, uint32)
    above = s.gt(s.intrinsic("abs", back), s.intrinsic("abs", x))
    cut = s.select(above, s.sub(bits, one), bits)
    lost = s.both(s.ne(back, x), s.eq(x, x))
    return s.bitcast(s.select(lost, s.instruction("or", cut, one), bits), float32)


def _shift(s: EmitAlgebra, op: str, x: Value, count: int) -> Value:
    return s.instruction(op, x, constant(count, x.dtype))


def _and(s: EmitAlgebra, x: Value, mask: int) -> Value:
    return s.instruction("and", x, constant(mask, x.dtype))


def _half_by_integers(s: EmitAlgebra, x: Value) -> Value:
    """float32 to float16 without the instruction: the exponent is moved in integer arithmetic, rounding to even;
    subnormal results are rounded by a float addition."""
    bits = s.bitcast(x, uint32)
    sign = _shift(s, "lshr", _and(s, bits, 0x80000000), 16)
    size = _and(s, bits, 0x7FFFFFFF)
    odd = _and(s, _shift(s, "lshr", size, 13), 1)
    moved = s.add(s.sub(size, constant((127 - 15) << 23, uint32)), s.add(odd, constant(0xFFF, uint32)))
    normal = _shift(s, "lshr", moved, 13)
    magic = constant(0.5, float32)
    small = s.sub(s.bitcast(s.add(s.bitcast(size, float32), magic), uint32), s.bitcast(constant(0.5, float32), uint32))
    result = s.select(s.lt(size, constant(113 << 23, uint32)), small, normal)
    result = s.select(s.ge(size, constant((127 + 16) << 23, uint32)), constant(0x7C00, uint32), result)
    nan = s.gt(size, constant(0x7F800000, uint32))
    quiet = s.instruction("or", constant(0x7E00, uint32), _and(s, _shift(s, "lshr", size, 13), 0x1FF))
    result = s.select(nan, quiet, result)
    return s.bitcast(s.cast(s.instruction("or", result, sign), uint16), float16)


def _float_by_integers(s: EmitAlgebra, x: Value) -> Value:
    """float16 to float32 without the instruction; exact."""
    bits = s.cast(s.bitcast(x, uint16), uint32)
    sign = _shift(s, "shl", _and(s, bits, 0x8000), 16)
    size = _shift(s, "shl", _and(s, bits, 0x7FFF), 13)
    normal = s.add(size, constant((127 - 15) << 23, uint32))
    top = constant(0x7C00 << 13, uint32)
    special = s.instruction("or", size, constant(0x7F800000, uint32))
    tiny = s.mul(s.convert("uitofp", _shift(s, "lshr", size, 13), float32), constant(2.0**-24, float32))
    result = s.select(s.ge(size, top), special, normal)
    result = s.select(s.lt(size, constant(0x0400 << 13, uint32)), s.bitcast(tiny, uint32), result)
    return s.bitcast(s.instruction("or", result, sign), float32)


__all__ = ["bitcast", "bool_", "cast", "level_of"]
