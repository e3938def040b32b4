"""Loads and stores: contiguous ones as vectors, the others lane by lane; under a mask no inactive lane touches
memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....dtypes import BY_NAME, DType, bool_, int64
from ....ir.dims import Dim, Shape
from .emit import EmitAlgebra, mangle
from .vector import Value, as_vector, constant, extract, memory_text, splat


@dataclass(frozen=True, slots=True)
class Memory:
    """A kernel's buffer in generated code: ``pointer`` is its address. ``written``: the kernel stores to it."""

    pointer: str
    dtype: DType
    shape: Shape
    written: bool


def flat_offset(s: EmitAlgebra, shape: Shape, index: Sequence[Value]) -> Value:
    """The position, in elements, of an index in a dense row-major buffer."""
    offset = constant(0, int64)
    stride: Dim = 1
    for size, i in zip(reversed(shape), reversed(index), strict=True):
        offset = s.add(s.mul(i, s.size(stride)), offset)
        stride = stride * size
    return offset


def load(s: EmitAlgebra, memory: Memory, offset: Value, mask: Value | None) -> Value:
    """The elements at ``offset``; inactive lanes give some defined number."""
    step = _step(offset)
    if offset.lanes == 1 or step == 0:
        one = offset if offset.lanes == 1 else extract(s.w, offset, 0)
        return _from_memory(s, memory.dtype, _load(s, memory, one, one.lanes, None))
    if step == 1:
        assert offset.base is not None
        return _from_memory(s, memory.dtype, _load(s, memory, offset.base, offset.lanes, mask))
    return _from_memory(s, memory.dtype, _gather(s, memory, offset, mask))


def store(s: EmitAlgebra, memory: Memory, offset: Value, value: Value, mask: Value | None) -> None:
    """Write the active lanes of ``value`` to the elements at ``offset``."""
    raw = _to_memory(s, value)
    kind = memory_text(memory.dtype)
    if offset.lanes == 1:
        one = extract(s.w, raw, 0)
        s.w.effect(f"store {kind} {one.text}, ptr {address(s, memory, offset)}, align {memory.dtype.itemsize}")
        return
    wide = splat(s.w, raw, offset.lanes)
    if _step(offset) == 1:
        assert offset.base is not None
        _store_vector(s, memory, offset.base, wide, mask)
        return
    if mask is not None:
        _scatter(s, memory, offset, wide, mask)
        return
    for lane in range(offset.lanes):
        one, at = extract(s.w, wide, lane), address(s, memory, extract(s.w, offset, lane))
        s.w.effect(f"store {kind} {one.text}, ptr {at}, align {memory.dtype.itemsize}")


def address(s: EmitAlgebra, memory: Memory, offset: Value) -> str:
    """A pointer to the element at a scalar offset."""
    if offset.const == 0:
        return memory.pointer
    kind = memory_text(memory.dtype)
    return s.w.pure(f"getelementptr inbounds {kind}, ptr {memory.pointer}, i64 {offset.text}", offset.level)


def first_lanes(s: EmitAlgebra, count: Value, lanes: int) -> Value:
    """The mask whose first ``count`` (int64, at least 0) lanes are active."""
    if isinstance(count.const, int):
        bits = ", ".join(f"i1 {'true' if i < count.const else 'false'}" for i in range(lanes))
        return Value(f"<{bits}>", bool_, lanes)
    # A 32-bit compare is one instruction; counts beyond the lanes are cut first so that they fit.
    few = s.minimum(count, constant(lanes, int64))
    wide = splat(s.w, s.cast(few, BY_NAME["int32"]), lanes)
    numbers = ", ".join(f"i32 {i}" for i in range(lanes))
    return Value(s.w.pure(f"icmp sgt {wide.type} {wide.text}, <{numbers}>", wide.level), bool_, lanes, wide.level)


# -- parts ------------------------------------------------------------------------------------------------------


def _step(offset: Value) -> int | None:
    """The distance between lanes, where it is a known number."""
    if offset.lanes > 1 and offset.stride is not None and isinstance(offset.stride.const, int):
        return offset.stride.const
    return None


def _raw_dtype(dtype: DType) -> DType:
    return BY_NAME["uint8"] if dtype.is_bool else dtype


def _from_memory(s: EmitAlgebra, dtype: DType, raw: Value) -> Value:
    return s.ne(raw, constant(0, raw.dtype)) if dtype.is_bool else raw


def _to_memory(s: EmitAlgebra, value: Value) -> Value:
    value = as_vector(s.w, value)
    return s.cast(value, BY_NAME["uint8"]) if value.dtype.is_bool else value


def _read(s: EmitAlgebra, memory: Memory, text: str, level: int) -> tuple[str, int]:
    """Place a reading instruction: never before a loop that may be empty, and where written buffers change, right
    here."""
    if memory.written:
        return s.w.here(text), s.w.level
    level = s.w.safe_level(level)
    return s.w.pure(text + ", !invariant.load !0", level), level


def _load(s: EmitAlgebra, memory: Memory, offset: Value, lanes: int, mask: Value | None) -> Value:
    kind, align = memory_text(memory.dtype, lanes), memory.dtype.itemsize
    pointer = address(s, memory, offset)
    if mask is None or lanes == 1:
        text, level = _read(s, memory, f"load {kind}, ptr {pointer}, align {align}", offset.level)
        return Value(text, _raw_dtype(memory.dtype), lanes, level)
    name = f"llvm.masked.load.{mangle(_raw_dtype(memory.dtype), lanes)}.p0"
    s.w.module.declare(name, f"declare {kind} @{name}(ptr, i32, {mask.type}, {kind})")
    call = f"call {kind} @{name}(ptr {pointer}, i32 {align}, {mask.type} {mask.text}, {kind} zeroinitializer)"
    text, level = _read(s, memory, call, max(offset.level, mask.level))
    return Value(text, _raw_dtype(memory.dtype), lanes, level)


def _gather(s: EmitAlgebra, memory: Memory, offset: Value, mask: Value | None) -> Value:
    """Lane by lane, which is as fast as a gather instruction on most machines. Inactive lanes read element 0, which
    exists because an active lane's element does."""
    if mask is not None:
        offset = s.select(mask, offset, constant(0, int64))
    raw = _raw_dtype(memory.dtype)
    kind = memory_text(memory.dtype)
    result, level = "poison", 0
    for lane in range(offset.lanes):
        one = _load(s, memory, extract(s.w, offset, lane), 1, None)
        level = max(level, one.level)
        result = s.w.pure(f"insertelement <{offset.lanes} x {kind}> {result}, {kind} {one.text}, i64 {lane}", level)
    return Value(result, raw, offset.lanes, level)


def _store_vector(s: EmitAlgebra, memory: Memory, offset: Value, value: Value, mask: Value | None) -> None:
    kind, align = value.type, memory.dtype.itemsize
    pointer = address(s, memory, offset)
    if mask is None:
        s.w.effect(f"store {kind} {value.text}, ptr {pointer}, align {align}")
        return
    name = f"llvm.masked.store.{mangle(value.dtype, value.lanes)}.p0"
    s.w.module.declare(name, f"declare void @{name}({kind}, ptr, i32, {mask.type})")
    s.w.effect(f"call void @{name}({kind} {value.text}, ptr {pointer}, i32 {align}, {mask.type} {mask.text})")


def _scatter(s: EmitAlgebra, memory: Memory, offset: Value, value: Value, mask: Value) -> None:
    lanes, kind = offset.lanes, memory_text(memory.dtype)
    where = as_vector(s.w, offset)
    level = where.level
    pointers = s.w.pure(f"getelementptr inbounds {kind}, ptr {memory.pointer}, {where.type} {where.text}", level)
    name = f"llvm.masked.scatter.{mangle(value.dtype, lanes)}.v{lanes}p0"
    s.w.module.declare(name, f"declare void @{name}({value.type}, <{lanes} x ptr>, i32, {mask.type})")
    s.w.effect(
        f"call void @{name}({value.type} {value.text}, <{lanes} x ptr> {pointers}, i32 {memory.dtype.itemsize}, "
        f"{mask.type} {mask.text})"
    )
