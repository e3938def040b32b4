"""Where random bits come from: keys, the draws of a program, and what a seed means.

Bits are counter-based (Philox): they depend on the seed, on which draw of the program it is, on how many calls came
before, and on the element's position; never on the target, threads or fusion. Nor do the numbers made of them.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .dtypes import DType, float32, uint32, uint64
from .errors import DTypeError
from .ir.graph import Value
from .ir.ops.indexing import Iota
from .ir.ops.leaves import Input
from .ir.ops.logical import BitOr, ShiftLeft, ShiftRight
from .ir.ops.portable import NormalOfBits
from .ir.ops.random import RandomBits
from .ir.types import TensorType
from .shaping import Sizes, as_shape
from .tracer import tracer
from .variable import Variable

#: Between the seeds of the draws that one random tensor needs.
_NEXT_SEED = 0x1F3D5B79


class Source(Protocol):
    """What random ops draw from: the key for the next draw, and the numbers of draws."""

    draws: Iterator[int]

    @property
    def current(self) -> Value: ...


class Key(Variable):
    """The state of a :class:`Generator`: uint32 ``(seed low, seed high, step low, step high)``."""


class Generator:
    """A stream of random numbers: the key that its ops read, and the number of the next draw."""

    def __init__(self, seed: int | None = None) -> None:
        self.key = Key(np.zeros(4, np.uint32), name="random_key")
        self.draws: Iterator[int] = itertools.count()
        self.is_chosen = False  # whether a user has said where it starts
        self.seed(int.from_bytes(os.urandom(8), "little") if seed is None else seed)

    def seed(self, seed: int) -> None:
        """Start over; 64 bits of ``seed`` are used."""
        self.key.set_value(np.array([seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF, 0, 0], np.uint32))
        self.draws = itertools.count()

    @property
    def current(self) -> Value:
        """The key for the next draw: the variable's, or that of the step of a loop which is being built."""
        keys = _keys_of_step.get()
        if keys is None:
            return self.key.value
        if self not in keys:
            keys[self] = tracer.apply(Input(-1, "random key of a step", TensorType(uint32, (4,))))
        return keys[self]


@dataclass
class Round:
    """One round of a method that draws until it is content: a key of its own, and draws of the source around it."""

    current: Value
    draws: Iterator[int]


default = Generator()
#: What ops with a seed of their own draw from. Before set_random_seed it is the same in every process.
_seeded = Generator(0)
#: What is drawn from now; and, for the loop that is being built (innermost), the keys of its steps. Each thread has its
#: own.
_source: ContextVar[Source] = ContextVar("symgraph_source", default=default)
_keys_of_step: ContextVar[dict[Generator, Value] | None] = ContextVar("symgraph_keys_of_step", default=None)


def set_random_seed(seed: int) -> None:
    """Start the random numbers of all functions over, from ``seed`` (64 bits are used).

    Ops with seeds of their own start over, too; before, they begin alike in every process.
    """
    for generator in (default, _seeded):
        generator.seed(int(seed))
        generator.is_chosen = True


def begin_with(seed: int) -> None:
    """Start ops without a seed of their own over from ``seed``, unless :func:`set_random_seed` has said where."""
    if not default.is_chosen:
        default.seed(int(seed))


@contextmanager
def drawing_from(source: Source) -> Iterator[None]:
    """Random ops inside draw from ``source``."""
    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)


@contextmanager
def building_loop() -> Iterator[dict[Generator, Value]]:
    """Draws inside take a key of the step, a placeholder for each generator drawn from: what is given, afterwards."""
    keys: dict[Generator, Value] = {}
    token = _keys_of_step.set(keys)
    try:
        yield keys
    finally:
        _keys_of_step.reset(token)


def source(seed: int | None) -> Source:
    """What an op with this seed draws from now."""
    found = _source.get()
    return _seeded if found is default and seed is not None else found


def next_key(key: Value) -> Value:
    """The key after one call: the 64-bit step plus 1."""
    e = tracer
    position = e.apply(Iota(4, uint32))
    low = e.reshape(e.slice(key, [2], [1]), [])
    carry = e.cast(e.eq(low, 0xFFFFFFFF), uint32)
    step = e.where(e.eq(position, 2), 1, e.where(e.eq(position, 3), e.broadcast_to(carry, (4,)), 0))
    return e.add(key, step)


def another(seed: int | None, number: int = 1) -> int | None:
    """The seed of a further draw for the same random tensor."""
    return None if seed is None else seed + number * _NEXT_SEED


def bits(shape: Sizes, seed: int | None) -> Value:
    """Fresh uint32 bits; ops with the same explicit ``seed`` draw the same numbers, in every process."""
    drawn_from = source(seed)
    draw = next(drawn_from.draws) if seed is None else 0x80000000 | (int(seed) & 0x7FFFFFFF)
    return tracer.apply(RandomBits(as_shape(shape), draw), drawn_from.current)


def long_bits(shape: Sizes, seed: int | None) -> Value:
    """Fresh uint64 bits."""
    high, low = (tracer.cast(bits(shape, s), uint64) for s in (seed, another(seed, 5)))
    return tracer.elementwise(BitOr(), tracer.elementwise(ShiftLeft(), high, tracer.constant(32, uint64)), low)


def unit(shape: Sizes, dtype: DType, seed: int | None) -> Value:
    """Uniform in [0, 1): 24 bits in single, 53 bits in double precision."""
    if not dtype.is_float:
        raise DTypeError(f"random numbers of dtype {dtype}: a floating dtype is needed")
    e = tracer
    if dtype.itemsize == 8:
        shift5, shift6 = (e.constant(n, uint32) for n in (5, 6))
        high = e.cast(e.elementwise(ShiftRight(), bits(shape, seed), shift5), dtype)
        low = e.cast(
            e.elementwise(ShiftRight(), bits(shape, None if seed is None else seed + 0x2545F491), shift6), dtype
        )
        return e.mul(e.add(e.mul(high, 67108864.0), low), 2.0**-53)
    kept = 24 if dtype.itemsize == 4 else 11
    drawn = e.elementwise(ShiftRight(), bits(shape, seed), e.constant(32 - kept, uint32))
    return e.cast(e.mul(e.cast(drawn, float32), 2.0**-kept), dtype)


def open_unit(shape: Sizes, dtype: DType, seed: int | None) -> Value:
    """Uniform in (0, 1)."""
    least = 2.0 ** -{8: 54, 4: 25}.get(dtype.itemsize, 12)
    return tracer.maximum(unit(shape, dtype, seed), least)


def normal_unit(shape: Sizes, dtype: DType, seed: int | None, bound: float = math.inf) -> Value:
    """Normal with mean 0 and deviation 1, of 32 bits in single, 64 bits in double precision; those within ``bound``
    of the mean only."""
    if not dtype.is_float:
        raise DTypeError(f"random numbers of dtype {dtype}: a floating dtype is needed")
    seeds = (seed, another(seed, 5))[: 2 if dtype.itemsize == 8 else 1]
    return tracer.cast(tracer.apply(NormalOfBits(bound), *(bits(shape, s) for s in seeds)), dtype)
