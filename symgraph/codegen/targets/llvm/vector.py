"""Values of generated code: scalars that are the same in all lanes, vectors, and ramps.

An index that advances by a fixed step from lane to lane stays a *ramp* (a scalar base and a scalar stride) as long as
it can, so that the loads and stores it addresses are known to be contiguous or strided. """

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

from ....dtypes import DType, float16, float32
from .writer import FunctionWriter

Number = bool | int | float


class Value:
    """A value of ``lanes`` lanes (1: the same in all). ``level`` is the writer's level it lives at.

    A ramp has ``base`` and ``stride`` (scalars of the same dtype) and gets a ``text`` only when it is needed as a
    vector. ``const`` is the number of a literal (a scalar). """

    __slots__ = ("base", "const", "dtype", "lanes", "level", "stride", "text")

    def __init__(
        self, text: str, dtype: DType, lanes: int = 1, level: int = 0, const: Number | None = None,
        base: Value | None = None, stride: Value | None = None,
    ) -> None:  # fmt: skip
        self.text = text
        self.dtype = dtype
        self.lanes = lanes
        self.level = level
        self.const = const
        self.base = base
        self.stride = stride

    @property
    def type(self) -> str:
        return type_text(self.dtype, self.lanes)


_SCALAR = {
    "bool": "i1", "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64",
    "uint8": "i8", "uint16": "i16", "uint32": "i32", "uint64": "i64",
    "float16": "half", "float32": "float", "float64": "double",
}  # fmt: skip


def type_text(dtype: DType, lanes: int = 1) -> str:
    """The LLVM type in registers; bool is ``i1``."""
    scalar = _SCALAR[dtype.name]
    return scalar if lanes == 1 else f"<{lanes} x {scalar}>"


def memory_text(dtype: DType, lanes: int = 1) -> str:
    """The LLVM type in memory; bool is ``i8``."""
    scalar = "i8" if dtype.is_bool else _SCALAR[dtype.name]
    return scalar if lanes == 1 else f"<{lanes} x {scalar}>"


def literal_text(value: Number, dtype: DType) -> tuple[Number, str]:
    """A number as the dtype holds it (integers wrap, floats round), and LLVM's text for it."""
    if dtype.is_bool:
        return bool(value), "true" if value else "false"
    if dtype.is_integer:
        whole = int(value) & ((1 << dtype.bits) - 1)
        if dtype.kind == "i" and whole >> (dtype.bits - 1):
            whole -= 1 << dtype.bits
        return whole, str(whole)
    number = _rounded(float(value), dtype)
    if dtype == float16:
        return number, f"0xH{struct.unpack('<H', struct.pack('<e', number))[0]:04X}"
    return number, f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"


def _rounded(value: float, dtype: DType) -> float:
    if math.isnan(value):
        return math.nan
    code = {float16: "<e", float32: "<f"}.get(dtype)
    if code is None:
        return value
    try:
        return float(struct.unpack(code, struct.pack(code, value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def constant(value: Number, dtype: DType) -> Value:
    """A literal."""
    number, text = literal_text(value, dtype)
    return Value(text, dtype, const=number)


def level_of(values: Sequence[Value]) -> int:
    return max((v.level for v in values), default=0)


def lanes_of(values: Sequence[Value]) -> int:
    return max((v.lanes for v in values), default=1)


def splat(w: FunctionWriter, x: Value, lanes: int) -> Value:
    """``x`` with ``lanes`` lanes: itself if it has them, else its one value in every lane."""
    if x.lanes == lanes:
        return x if x.text else as_vector(w, x)
    kind = type_text(x.dtype)
    if x.const is not None:
        return Value(f"splat ({kind} {x.text})", x.dtype, lanes, x.level)
    one = w.pure(f"insertelement <{lanes} x {kind}> poison, {kind} {x.text}, i64 0", x.level)
    wide = w.pure(
        f"shufflevector <{lanes} x {kind}> {one}, <{lanes} x {kind}> poison, <{lanes} x i32> zeroinitializer", x.level
    )
    return Value(wide, x.dtype, lanes, x.level)


def ramp(base: Value, stride: Value, lanes: int) -> Value:
    """``base + lane * stride``."""
    return Value("", base.dtype, lanes, max(base.level, stride.level), base=base, stride=stride)


def steps(dtype: DType, lanes: int, stride: int = 1) -> Value:
    """The literal vector ``0, stride, 2*stride, ...``."""
    kind = type_text(dtype)
    items = ", ".join(f"{kind} {literal_text(i * stride, dtype)[1]}" for i in range(lanes))
    return Value(f"<{items}>", dtype, lanes)


def as_vector(w: FunctionWriter, x: Value) -> Value:
    """A ramp written out as a vector (kept, so that it is done once); other values as they are."""
    if x.text or x.base is None or x.stride is None:
        return x
    base = splat(w, x.base, x.lanes)
    if isinstance(x.stride.const, int):
        offsets = steps(x.dtype, x.lanes, x.stride.const)
    else:
        wide = splat(w, x.stride, x.lanes)
        product = w.pure(f"mul {x.type} {wide.text}, {steps(x.dtype, x.lanes).text}", x.stride.level)
        offsets = Value(product, x.dtype, x.lanes, x.stride.level)
    x.text = w.pure(f"add {x.type} {base.text}, {offsets.text}", x.level)
    return x


def low_half(w: FunctionWriter, x: Value) -> Value:
    """The first half of the lanes."""
    return _half(w, x, 0)


def high_half(w: FunctionWriter, x: Value) -> Value:
    """The second half of the lanes."""
    return _half(w, x, x.lanes // 2)


def _half(w: FunctionWriter, x: Value, first: int) -> Value:
    lanes = x.lanes // 2
    if lanes == 1:
        return extract(w, x, first)
    mask = ", ".join(f"i32 {first + i}" for i in range(lanes))
    text = w.pure(f"shufflevector {x.type} {x.text}, {x.type} poison, <{lanes} x i32> <{mask}>", x.level)
    return Value(text, x.dtype, lanes, x.level)


def extract(w: FunctionWriter, x: Value, lane: int) -> Value:
    """One lane as a scalar."""
    if x.lanes == 1:
        return x
    if not x.text and x.base is not None and x.stride is not None and isinstance(x.stride.const, int):
        offset = constant(lane * x.stride.const, x.dtype)
        if offset.const == 0:
            return x.base
        return Value(w.pure(f"add {x.base.type} {x.base.text}, {offset.text}", x.level), x.dtype, 1, x.level)
    x = as_vector(w, x)
    return Value(w.pure(f"extractelement {x.type} {x.text}, i64 {lane}", x.level), x.dtype, 1, x.level)


def by_lane(w: FunctionWriter, function: str, *args: Value) -> Value:
    """A scalar function of the module, free of effects, applied to every lane."""
    lanes, level = lanes_of(args), level_of(args)
    dtype, kind = args[0].dtype, type_text(args[0].dtype)
    wide = [splat(w, a, lanes) for a in args]

    def once(lane: int) -> str:
        operands = ", ".join(f"{kind} {extract(w, a, lane).text}" for a in wide)
        return w.pure(f"call {kind} @{function}({operands})", level)

    if lanes == 1:
        return Value(once(0), dtype, 1, level)
    result = "poison"
    for lane in range(lanes):
        result = w.pure(f"insertelement <{lanes} x {kind}> {result}, {kind} {once(lane)}, i64 {lane}", level)
    return Value(result, dtype, lanes, level)
