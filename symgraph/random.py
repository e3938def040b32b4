"""Random tensors. Each call of a function draws anew; :func:`set_random_seed` makes a whole run repeat bit for bit.

Numbers are counter-based (Philox): they depend on the seed, on which draw of the program it is, on how many calls came
before, and on the element's position; never on the target, threads or fusion.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .dtypes import DType, as_dtype, bool_, float32, uint32
from .errors import DTypeError
from .ir.graph import Value
from .ir.ops.elementary import Cos
from .ir.ops.indexing import Iota
from .ir.ops.logical import Less, ShiftRight
from .ir.ops.random import RandomBits
from .shaping import Sizes, as_shape
from .tensor import Tensor, TensorLike, as_value
from .tracer import tracer
from .variable import Variable


class Generator:
    """The key that all random ops read: uint32 ``(seed low, seed high, step low, step high)``, and the number of the
    next draw."""

    def __init__(self) -> None:
        self.key = Variable(np.zeros(4, np.uint32), name="random_key")
        self.draws = itertools.count()
        self._inside: list[tuple[Value, list[int]]] = []
        self.seed(int.from_bytes(os.urandom(8), "little"))

    def seed(self, seed: int) -> None:
        self.key.set_value(np.array([seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF, 0, 0], np.uint32))
        self.draws = itertools.count()

    @property
    def current(self) -> Value:
        """The key for the next draw: the variable's, or that of the step of a loop which is being built."""
        if not self._inside:
            return self.key.value
        key, draws = self._inside[-1]
        draws.append(1)
        return key

    @contextmanager
    def using(self, key: Value) -> Iterator[list[int]]:
        """Draws inside take ``key``; the list given is not empty afterwards where there were any."""
        draws: list[int] = []
        self._inside.append((key, draws))
        try:
            yield draws
        finally:
            self._inside.pop()

    def next_key(self) -> Value:
        """The key after one call: the 64-bit step plus 1."""
        key, e = self.key.value, tracer
        position = e.apply(Iota(4, uint32))
        low = e.reshape(e.slice(key, [2], [1]), [])
        carry = e.cast(e.eq(low, 0xFFFFFFFF), uint32)
        step = e.where(e.eq(position, 2), 1, e.where(e.eq(position, 3), e.broadcast_to(carry, (4,)), 0))
        return e.add(key, step)


generator = Generator()


def set_random_seed(seed: int) -> None:
    """Start the random numbers of all functions over, from ``seed`` (64 bits are used)."""
    generator.seed(int(seed))


def _bits(shape: Sizes, seed: int | None) -> Value:
    """Fresh uint32 bits; ops with the same explicit ``seed`` draw the same numbers."""
    draw = next(generator.draws) if seed is None else 0x80000000 | (int(seed) & 0x7FFFFFFF)
    return tracer.apply(RandomBits(as_shape(shape), draw), generator.current)


def _unit(shape: Sizes, dtype: DType, seed: int | None) -> Value:
    """Uniform in [0, 1): 24 bits in single, 53 bits in double precision."""
    if not dtype.is_float:
        raise DTypeError(f"random numbers of dtype {dtype}: a floating dtype is needed")
    e = tracer
    if dtype.itemsize == 8:
        shift5, shift6 = (e.constant(n, uint32) for n in (5, 6))
        high = e.cast(e.elementwise(ShiftRight(), _bits(shape, seed), shift5), dtype)
        low = e.cast(
            e.elementwise(ShiftRight(), _bits(shape, None if seed is None else seed + 0x2545F491), shift6), dtype
        )
        return e.mul(e.add(e.mul(high, 67108864.0), low), 2.0**-53)
    bits = e.elementwise(ShiftRight(), _bits(shape, seed), e.constant(8, uint32))
    return e.cast(e.mul(e.cast(bits, float32), 2.0**-24), dtype)


def uniform(
    shape: Sizes = (), low: float = 0.0, high: float = 1.0, dtype: Any = "float32", seed: int | None = None
) -> Tensor:
    """Uniform in ``[low, high)``, of ``shape`` and floating ``dtype``."""
    unit = _unit(shape, as_dtype(dtype), seed)
    if low == 0.0 and high == 1.0:
        return Tensor(unit)
    return Tensor(tracer.add(tracer.mul(unit, float(high) - float(low)), float(low)))


def normal(
    shape: Sizes = (), mean: float = 0.0, std: float = 1.0, dtype: Any = "float32", seed: int | None = None
) -> Tensor:
    """Normal with the given mean and standard deviation (Box and Muller 1958)."""
    kind, e = as_dtype(dtype), tracer
    # 1 - u lies in (0, 1], where the logarithm is finite.
    radius = e.sqrt(e.mul(e.log(e.sub(1.0, _unit(shape, kind, seed))), -2.0))
    angle = e.mul(_unit(shape, kind, None if seed is None else seed + 0x1F3D5B79), 2.0 * math.pi)
    z = e.mul(radius, e.apply(Cos(), angle))
    return Tensor(e.add(e.mul(z, float(std)), float(mean)))


def bernoulli(shape: Sizes = (), p: TensorLike = 0.5, dtype: Any = "bool", seed: int | None = None) -> Tensor:
    """True (or 1) with probability ``p`` (a number to 32 bits, a tensor to 24)."""
    e = tracer
    if isinstance(p, (int, float)):
        bits = _bits(shape, seed)
        threshold = round(float(p) * 2**32)
        if threshold >= 2**32:
            hit = e.full(bits.shape, True, bool_)
        else:
            hit = e.elementwise(Less(), bits, e.constant(max(threshold, 0), uint32))
    else:
        hit = e.lt(_unit(shape, float32, seed), as_value(p, float32))
    return Tensor(e.cast(hit, as_dtype(dtype)))
