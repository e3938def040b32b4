"""bfloat16 as stored bits: the upper half of a float32."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import DType, float32, uint16, uint32
from ...errors import DTypeError
from ..algebra import Algebra, V
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Elementwise, Sample, record, register
from ..types import TensorType
from .arithmetic import Cotangents, given
from .sampling import SPECIAL, floats

#: Halfway between two neighbours, next to halfway, the largest, what rounds to infinity, subnormal ones.
_EDGES = np.array([
    0x3F808000, 0x3F818000, 0x3F808001, 0x3F807FFF, 0x7F7F7FFF, 0x7F7F8000, 0x00000001, 0x00018000, 0x807FFFFF,
    0x7FC00000, 0xFF800000,
], "uint32").view("float32")  # fmt: skip


def _wants(name: str, operands: Sequence[TensorType], dtype: DType) -> None:
    if operands[0].dtype is not dtype:
        raise DTypeError(f"{name} of {operands[0]}: {dtype} is needed")


def _nearest(x: Array) -> Array:
    """The bits of the nearest bfloat16, of two equally near the even one; by comparing both neighbours."""
    below = (x.view(np.uint32) >> np.uint32(16)).astype(np.int64)
    largest = np.float64(2.0**128)
    with np.errstate(invalid="ignore"):
        values = [_decoded(bits).astype(np.float64) for bits in (below, below + 1)]
        low, high = (np.where(np.isinf(v), np.copysign(largest, v), v) for v in values)
        to_low, to_high = np.abs(x - low), np.abs(high - x)
    up = (to_high < to_low) | ((to_high == to_low) & (below % 2 == 1))
    bits = np.where(up & np.isfinite(x), below + 1, below)
    return np.where(np.isnan(x), below | 0x40, bits).astype(np.uint16)


def _decoded(bits: Array) -> Array:
    return np.asarray((bits.astype(np.uint32) << np.uint32(16)).view(np.float32))


def _rounded_bits(s: Algebra[V], x: V) -> V:
    """The upper half of a float32, rounded to nearest even (NaN stays NaN), as uint32."""
    bits, half = s.bitcast(x, uint32), s.const(16, uint32)
    upper = s.intrinsic("shr", bits, half)
    odd = s.intrinsic("bit_and", upper, s.const(1, uint32))
    near = s.intrinsic("shr", s.add(bits, s.add(odd, s.const(0x7FFF, uint32))), half)
    return s.select(s.intrinsic("isnan", x), s.intrinsic("bit_or", upper, s.const(0x40, uint32)), near)


@register
@record
class ToBfloat16(Elementwise):
    """The bits (uint16) of the bfloat16 nearest to a float32, of two equally near the even one."""

    name = "to_bfloat16"
    equivalents = "ml_dtypes: x.astype(bfloat16).view(np.uint16)"

    def result_dtype(self, *operands: TensorType) -> Any:
        _wants(self.name, operands, float32)
        return uint16

    def scalar(self, s: Algebra[V], *elements: V) -> V:
        return s.cast(_rounded_bits(s, elements[0]), uint16)

    def reference(self, *arrays: Array) -> Array:
        return _nearest(arrays[0])

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (None,)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(), (floats(3, 40, dtype="float32"),), ((0, 0, "N"),), differentiable=()),
            Sample(cls(), (np.concatenate([SPECIAL.astype("float32"), _EDGES]),), differentiable=()),
            Sample(cls(), (floats(3),), error="float32 is needed"),
        ]


@register
@record
class FromBfloat16(Elementwise):
    """The float32 that bits (uint16) of a bfloat16 stand for; exact."""

    name = "from_bfloat16"
    equivalents = "ml_dtypes: x.view(bfloat16).astype(np.float32)"

    def result_dtype(self, *operands: TensorType) -> Any:
        _wants(self.name, operands, uint16)
        return float32

    def scalar(self, s: Algebra[V], *elements: V) -> V:
        return s.bitcast(s.intrinsic("shl", s.cast(elements[0], uint32), s.const(16, uint32)), float32)

    def reference(self, *arrays: Array) -> Array:
        return _decoded(arrays[0])

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (None,)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(), (_nearest(floats(3, 40, dtype="float32")),), ((0, 0, "N"),)),
            Sample(cls(), (np.array([0, 0x8000, 0x7F80, 0xFF80, 0x7FC0, 1, 0x7F7F], "uint16"),)),
            Sample(cls(), (floats(3),), error="uint16 is needed"),
        ]


@register
@record
class RoundBfloat16(Elementwise):
    """A float32 rounded to the nearest bfloat16; gradients pass as they are."""

    name = "round_to_bfloat16"
    equivalents = "ml_dtypes: x.astype(bfloat16).astype(np.float32)"

    def result_dtype(self, *operands: TensorType) -> Any:
        _wants(self.name, operands, float32)
        return float32

    def scalar(self, s: Algebra[V], *elements: V) -> V:
        return s.bitcast(s.intrinsic("shl", _rounded_bits(s, elements[0]), s.const(16, uint32)), float32)

    def reference(self, *arrays: Array) -> Array:
        return _decoded(_nearest(arrays[0]))

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (given(cotangents),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls(), (floats(3, 40, dtype="float32"),), ((0, 0, "N"),), differentiable=()),
            Sample(cls(), (np.concatenate([SPECIAL.astype("float32"), _EDGES]),), differentiable=()),
            Sample(cls(), (floats(3),), error="float32 is needed"),
        ]
