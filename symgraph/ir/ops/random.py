"""Counter-based random bits: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers, as easy as 1, 2, 3;
SC 2011).

A value depends on the key, the draw and the element's position only, so it is the same on every target, for every
number of threads, and whatever is fused with it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...dtypes import uint32, uint64
from ...errors import DTypeError
from ..algebra import Algebra, V
from ..dims import Shape, static_shape, symbol
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Indexed, Reader, Sample, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents

_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
#: Elements are numbered in blocks of 64: element ``64 b + 16 w + l`` is word ``w`` of counter ``16 b + l``. A kernel
#: that walks counters writes each of the four words of 16 neighbouring counters to 16 neighbouring elements.
BLOCK, LANES, WORDS = 64, 16, 4


@register
@record
class RandomBits(Indexed):
    """uint32 bits of ``shape`` for a key: uint32 ``(seed low, seed high, step low, step high)``. ``draw`` tells apart
    the draws of a step."""

    shape: Shape
    draw: int
    name = "random_bits"
    equivalents = "np.random.Philox; theano.sandbox.rng_mrg; K.random_uniform"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        (key,) = operands
        if key.dtype != uint32 or key.shape != (4,):
            raise DTypeError(f"random_bits needs a key of type u32[4], got {key}")
        return (TensorType(uint32, facts.resolve_shape(self.shape)),)

    def words(self, s: Algebra[V], counter: V, key: Sequence[V], draw: V | None = None) -> tuple[V, V, V, V]:
        """The four words of ``counter`` (int64), for the four words of the key. ``draw`` (uint32) is the op's own where
        it is not given; code that gets it from memory serves all draws."""
        c = s.cast(counter, uint64)
        low = s.cast(s.intrinsic("bit_and", c, s.const(0xFFFFFFFF, uint64)), uint32)
        high = s.cast(s.intrinsic("shr", c, s.const(32, uint64)), uint32)
        high = s.intrinsic("bit_xor", high, key[3])
        x = (low, high, s.const(self.draw & 0xFFFFFFFF, uint32) if draw is None else draw, key[2])
        k0, k1 = key[0], key[1]
        m0, m1 = (s.const(m, uint32) for m in _MULTIPLIERS)
        for _ in range(_ROUNDS):
            high0, low0 = s.intrinsic("mulhi", x[0], m0), s.mul(x[0], m0)
            high1, low1 = s.intrinsic("mulhi", x[2], m1), s.mul(x[2], m1)
            left = s.intrinsic("bit_xor", s.intrinsic("bit_xor", high1, x[1]), k0)
            right = s.intrinsic("bit_xor", s.intrinsic("bit_xor", high0, x[3]), k1)
            x = (left, low1, right, low0)
            k0, k1 = s.add(k0, s.const(_WEYL[0], uint32)), s.add(k1, s.const(_WEYL[1], uint32))
        return x

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        flat = s.index(0)
        for position, dim in zip(index, result.shape, strict=True):
            flat = s.add(s.mul(flat, s.size(dim)), position)
        block = s.floordiv(flat, s.index(BLOCK))
        counter = s.add(s.mul(block, s.index(LANES)), s.mod(flat, s.index(LANES)))
        word = s.mod(s.floordiv(flat, s.index(LANES)), s.index(WORDS))
        words = self.words(s, counter, [readers[0]([s.index(i)]) for i in range(4)])
        out = words[3]
        for i in (2, 1, 0):
            out = s.select(s.eq(word, s.index(i)), words[i], out)
        return out

    def reference(self, *arrays: Array) -> Array:
        (key,) = arrays
        shape = static_shape(self.shape)
        count = math.prod(shape)
        counters = np.arange(-(-count // BLOCK) * LANES, dtype=np.uint64)
        mask = np.uint64(0xFFFFFFFF)
        x = [
            counters & mask,
            (counters >> np.uint64(32)) ^ np.uint64(key[3]),
            np.full_like(counters, self.draw & 0xFFFFFFFF),
            np.full_like(counters, int(key[2])),
        ]
        k = [int(key[0]), int(key[1])]
        for _ in range(_ROUNDS):
            p0, p1 = x[0] * np.uint64(_MULTIPLIERS[0]), x[2] * np.uint64(_MULTIPLIERS[1])
            x = [
                (p1 >> np.uint64(32)) ^ x[1] ^ np.uint64(k[0]), p1 & mask,
                (p0 >> np.uint64(32)) ^ x[3] ^ np.uint64(k[1]), p0 & mask,
            ]  # fmt: skip
            k = [(k[0] + _WEYL[0]) & 0xFFFFFFFF, (k[1] + _WEYL[1]) & 0xFFFFFFFF]
        words = np.stack(x).reshape(WORDS, -1, LANES).transpose(1, 0, 2)
        return np.asarray(words.reshape(-1)[:count].reshape(shape), np.uint32)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (None,)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        key = np.array([1, 2, 3, 4], "uint32")
        n = symbol("N")
        return [
            Sample(cls((5,), 0), (key,)),
            Sample(cls((7, 33), 3), (key,)),
            Sample(cls((n, 100), 1), (key,)),
            Sample(cls((3,), 1), (key[:2],), error="u32[4]"),
        ]


__all__ = ["BLOCK", "LANES", "WORDS", "RandomBits"]
