"""Random typed graphs for property tests.

:func:`graphs` draws a closed graph over the registry's ops. A step picks an op, and operands of fitting types among the
values made so far, broadcasting where shapes differ. Sizes are small or unknown. Hypothesis draws a seed and the number
of steps, so that graphs are rich, and shrink by dropping their last steps.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from hypothesis import strategies as st

import symgraph.ir.ops  # noqa: F401 - fills the registry
from symgraph.dtypes import DType, bool_, float32, float64, int32, int64, uint8, uint32
from symgraph.errors import SymgraphError
from symgraph.ir.builder import Builder
from symgraph.ir.dims import Dim, Shape, symbol
from symgraph.ir.graph import Graph, Value
from symgraph.ir.literal import Literal
from symgraph.ir.op import REGISTRY, Composite, Elementwise, Op, Reduction
from symgraph.ir.ops.contraction import Contraction
from symgraph.ir.ops.indexing import Iota, OneHot
from symgraph.ir.ops.leaves import Constant, Input, Size, State
from symgraph.ir.ops.logical import Where
from symgraph.ir.ops.random import RandomBits
from symgraph.ir.ops.reductions import ArgMax, ArgMin
from symgraph.ir.types import Facts, TensorType
from tests.property.structured import MAKERS, RANKS

SIZES: tuple[Dim, ...] = (1, 2, 3, symbol("N"), symbol("M"))
DTYPES = (float32, float64, int32, int64, uint8, bool_)
CONSTANTS = (0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 3.0, -4.0, 1e-7, 100.0)
_UNIFORM: list[type[Op]] = [
    cls for cls in REGISTRY.values() if issubclass(cls, Elementwise) and not fields(cls) and cls is not Where
]
_REDUCTIONS: list[type[Reduction]] = [cls for cls in REGISTRY.values() if issubclass(cls, Reduction)]
_COMPOSITES: list[type[Composite]] = [
    cls for cls in REGISTRY.values() if issubclass(cls, Composite) and {f.name for f in fields(cls)} <= {"axis", "axes"}
]
_ARITY = {cls: len(cls.samples()[0].arrays) for cls in _UNIFORM}
#: Not drawn: what a shift by more bits than there are gives is not defined.
_LEFT_OUT = {"shl", "shr"}

_JUMPING = set("floordiv mod sign floor ceil trunc rint argmax argmin equal not_equal less less_equal greater".split())
_JUMPING |= {"greater_equal", "isnan", "isinf", "isfinite", "tan"}
#: Ops that rules look for, drawn more often.
_FREQUENT = "add sub mul div neg exp log maximum minimum pow sigmoid abs sqrt bit_not bit_and bit_or equal".split()
_TRIES = 8
T = TypeVar("T")


@st.composite
def graphs(draw: Any, steps: int = 16, dtypes: Sequence[DType] = DTYPES, smooth: bool = False) -> Graph:
    """A closed graph of about ``steps`` ops at most beside leaves and broadcasts, with up to four results and perhaps
    updates. ``smooth`` leaves out ops that jump, where a rounding error could become a large one."""
    return random_graph(draw(st.integers(0, 2**32)), draw(st.integers(1, steps)), dtypes, smooth)


def random_graph(seed: int, steps: int, dtypes: Sequence[DType] = DTYPES, smooth: bool = False) -> Graph:
    """The graph of ``seed``. One of fewer steps is a part of it."""
    drawer = _Drawer(seed, dtypes, smooth)
    for number in range(steps):
        drawer.step(seed + 7919 * (number + 1))
    return drawer.finish(seed)


class _Drawer:
    def __init__(self, seed: int, dtypes: Sequence[DType], smooth: bool) -> None:
        self.rng = random.Random(seed)
        left_out = _LEFT_OUT | (_JUMPING if smooth else set())
        self.names = [c.name for c in _UNIFORM if c.name not in left_out]
        self.frequent = [name for name in _FREQUENT if name not in left_out]
        self.reductions = [c for c in _REDUCTIONS if c.name not in left_out]
        self.b = Builder(Facts(), fold=False)
        self.dtypes = dtypes
        # The first input knows every symbol, so that all sizes are bound.
        self.inputs = [self.b.apply(Input(0, "sizes", TensorType(dtypes[0], (symbol("N"), symbol("M")))))]
        count = self.rng.randint(1, 3)
        self.inputs += [self.b.apply(Input(i + 1, f"x{i}", self._type())) for i in range(count)]
        self.states = [self.b.apply(State(i, f"v{i}", self._type(True))) for i in range(self.rng.randint(0, 2))]
        self.values = [*self.inputs, *self.states]
        self.makers: list[Callable[[], Value | None]] = [
            *[self._elementwise] * 14, self._where, self._cast, self._reduction, self._constant, self._broadcast,
            self._reshape, self._transpose, self._slice, self._pad, self._concatenate, self._contraction,
            self._composite, self._positions, *[self._structured] * 3,
        ]  # fmt: skip

    def step(self, seed: int) -> None:
        self.rng = random.Random(seed)
        for _ in range(_TRIES):
            try:
                value = self.rng.choice(self.makers)()
            except SymgraphError:
                continue  # operands that do not fit: nothing was written
            if value is not None:
                self.values.append(value)
                return

    def finish(self, seed: int) -> Graph:
        self.rng = random.Random(seed + 1)
        made = self.values[len(self.inputs) + len(self.states) :] or self.values
        read = {id(x) for v in made for x in v.node.inputs}
        outputs = [v for v in made if id(v) not in read][-4:] or made[-1:]
        updates = [
            (slot, new)
            for slot, state in enumerate(self.states)
            for new in [v for v in self.values if v.type == state.type][-1:]
            if self.rng.random() < 0.7
        ]
        return self.b.finish("random", self.inputs, self.states, outputs, updates)

    # -- choices ----------------------------------------------------------------------------------------------------
    def _dtype(self) -> DType:
        return self.rng.choice(self.dtypes) if self.rng.random() < 0.4 else self.dtypes[0]

    def _type(self, static: bool = False) -> TensorType:
        sizes = [d for d in SIZES if isinstance(d, int)] if static else SIZES
        shape = [self.rng.choice(sizes) for _ in range(self.rng.choice((0, 1, 2, 2, 3)))]
        return TensorType(self._dtype(), tuple(shape))

    def _value(self, fits: Callable[[Value], bool] = lambda v: True) -> Value | None:
        """One of the values, mostly a recent one."""
        found = [v for v in self.values if fits(v)]
        if not found:
            return None
        return self.rng.choice(found[-3:]) if self.rng.random() < 0.6 else self.rng.choice(found)

    def _float(self, ndim: int = 0) -> Value | None:
        return self._value(lambda v: v.dtype.is_float and v.type.ndim >= ndim)

    def _axis(self, v: Value) -> int:
        return self.rng.randrange(v.type.ndim)

    # -- ops --------------------------------------------------------------------------------------------------------
    def _elementwise(self) -> Value | None:
        cls = REGISTRY[self.rng.choice(self.frequent if self.rng.random() < 0.7 else self.names)]
        first = self._value()
        if first is None:
            return None
        operands = [first, *(self._matching(first) for _ in range(_ARITY[cls] - 1))]
        self.rng.shuffle(operands)
        return self.b.elementwise(cls(), *operands)

    def _matching(self, like: Value) -> Value:
        """A value that broadcasts with ``like``: one of the values, or a scalar constant."""
        fitting = [v for v in self.values if v.dtype == like.dtype and _broadcasts(v.shape, like.shape)]
        if fitting and self.rng.random() < 0.5:
            return self.rng.choice(fitting[-4:])
        return self.b.constant(self.rng.choice(CONSTANTS if like.dtype.is_float else (0, 1, 2, 5)), like.dtype)

    def _where(self) -> Value | None:
        c, a = self._value(lambda v: v.dtype.is_bool), self._value()
        if c is None or a is None or not _broadcasts(c.shape, a.shape):
            return None
        b = self._matching(a)
        return self.b.where(c, a, b if _broadcasts(c.shape, b.shape) else a)

    def _cast(self) -> Value | None:
        v = self._value()
        # Floats out of the range of an integer convert to anything; not drawn.
        targets = [d for d in self.dtypes if v is not None and (d.is_float or d.is_bool or not v.dtype.is_float)]
        return self.b.cast(v, self.rng.choice(targets)) if v is not None and targets else None

    def _constant(self) -> Value | None:
        dtype = self._dtype()
        shape = self.rng.choice([(), (3,), (2, 3), (1,)])
        array = np.random.default_rng(self.rng.randrange(9)).choice(CONSTANTS, shape)
        signed = array if dtype.is_float else np.abs(array)
        return self.b.apply(Constant(Literal(signed.astype(dtype.np))))

    def _reduction(self) -> Value | None:
        cls, v = self.rng.choice(self.reductions), self._value(lambda v: v.type.ndim > 0)
        if v is None:
            return None
        axes = self.rng.sample(range(v.type.ndim), self.rng.randint(1, v.type.ndim))
        return self.b.apply(cls(tuple(sorted(axes))[: 1 if cls in (ArgMax, ArgMin) else None]), v)

    def _broadcast(self) -> Value | None:
        v = self._value()
        if v is None or v.type.ndim > 2:
            return None
        at = self.rng.randint(0, v.type.ndim)
        size = self.rng.choice(SIZES)
        shape = (*v.shape[:at], size, *v.shape[at:])
        return self.b.broadcast(v, shape, [k + (k >= at) for k in range(v.type.ndim)])

    def _reshape(self) -> Value | None:
        v = self._value()
        if v is None:
            return None
        shapes: list[Shape] = [(v.type.size,), (1, *v.shape), (*v.shape, 1), tuple(d for d in v.shape if d != 1)]
        if v.type.ndim > 1:
            shapes.append((v.shape[0] * v.shape[1], *v.shape[2:]))
        return self.b.reshape(v, self.rng.choice([s for s in shapes if len(s) <= 4]))

    def _transpose(self) -> Value | None:
        v = self._value(lambda v: v.type.ndim > 1)
        return None if v is None else self.b.transpose(v, self.rng.sample(range(v.type.ndim), v.type.ndim))

    def _slice(self) -> Value | None:
        v = self._value(lambda v: v.type.ndim > 0 and v.shape[0] not in (0, 1))
        if v is None:
            return None
        axis = next(k for k, d in enumerate(v.shape) if d != 1)
        starts: list[Dim] = [0] * v.type.ndim
        sizes, steps = list(v.shape), [1] * v.type.ndim
        if self.rng.random() < 0.5:
            starts[axis], steps[axis] = v.shape[axis] - 1, -1
        else:
            sizes[axis] = 1
        return self.b.slice(v, starts, sizes, steps)

    def _pad(self) -> Value | None:
        v = self._value(lambda v: v.type.ndim > 0)
        if v is None:
            return None
        low = [self.rng.randint(0, 2) for _ in v.shape]
        return self.b.pad(v, low, [d + n + 1 for d, n in zip(v.shape, low, strict=True)])

    def _concatenate(self) -> Value | None:
        v = self._value(lambda v: v.type.ndim > 0)
        if v is None:
            return None
        axis = self._axis(v)
        others = [
            w for w in self.values
            if w.dtype == v.dtype and w.type.ndim == v.type.ndim
            and all(a == b for k, (a, b) in enumerate(zip(v.shape, w.shape, strict=True)) if k != axis)
        ]  # fmt: skip
        return self.b.concatenate([v, self.rng.choice(others)], axis)

    def _contraction(self) -> Value | None:
        a = self._value(lambda v: not v.dtype.is_bool and 0 < v.type.ndim < 3)
        if a is None:
            return None
        b = self._value(lambda v: v.dtype == a.dtype and 0 < v.type.ndim < 3 and v.shape[0] == a.shape[-1])
        if b is None:
            return None
        left, right = ("" if a.type.ndim == 1 else "i"), ("" if b.type.ndim == 1 else "j")
        out = left + right if self.rng.random() < 0.5 else right + left
        return self.b.apply(Contraction(f"{left}k,k{right}->{out}"), a, b)

    def _composite(self) -> Value | None:
        cls, v = self.rng.choice(_COMPOSITES), self._float(1)
        if v is None:
            return None
        axis = self._axis(v)
        return self.b.apply(cls((axis,) if "axes" in cls.__dataclass_fields__ else axis), v)  # type: ignore[call-arg]

    def _structured(self) -> Value | None:
        make = self.rng.choice(MAKERS)
        low, high = RANKS[make]
        v = self._value(lambda v: v.dtype.is_float and low <= v.type.ndim <= high)
        return None if v is None else make(self.rng, self.b, v)

    def _positions(self) -> Value | None:
        size, dtype = self.rng.choice(SIZES), self._dtype()
        kind = self.rng.randint(0, 3)
        if kind == 0 and not dtype.is_bool:
            return self.b.apply(Iota(size, dtype))
        if kind == 1 and not isinstance(size, int):
            return self.b.apply(Size(size))
        if kind == 2:
            key = self.b.constant([1, 2, 3, self.rng.randint(0, 3)], uint32)
            return self.b.apply(RandomBits((size,), 5), key)
        v = self._value(lambda v: v.dtype.is_integer and v.type.ndim < 3)
        return None if v is None else self.b.apply(OneHot(3, float32), v)


def _broadcasts(a: Shape, b: Shape) -> bool:
    pairs = zip(a[::-1], b[::-1], strict=False)
    return all(x == y or x == 1 or y == 1 for x, y in pairs)
