"""Drawing random programs: the values so far, and random choices among them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import symgraph as sg
from symgraph.dtypes import DType, float32
from symgraph.errors import ArgumentError, DTypeError, GradientError, ShapeError
from symgraph.ir.dims import Dim
from symgraph.tensor import Tensor
from symgraph.variable import Variable

Array = np.ndarray[Any, Any]
Fits = Callable[[Tensor], bool]
Pairs = list[tuple[Variable, Tensor]]
#: Sizes that are known while a program is built.
SIZES = (1, 2, 3, 4)
#: How operands that do not fit are refused; anything else is a fault.
REFUSED = (ShapeError, DTypeError, ArgumentError, GradientError)
#: Floats for which no product or sum of few of them leaves the range on the way, where multiply-adds do not round.
SPECIAL = (0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-40)
_TRIES = 12
_RANKS = (0, 1, 1, 2, 2, 2, 3, 3, 4)


@dataclass(frozen=True)
class Maker:
    """One kind of step: applies to a value that ``fits`` and gives new values; ``weight`` is how often."""

    make: Callable[[Drawer, Tensor], Tensor | Sequence[Tensor] | None]
    fits: Fits
    weight: int = 1


def random_array(rng: np.random.Generator, dtype: DType, shape: Sequence[int], special: bool = False) -> Array:
    """Normal floats, some of them 0 (``special``: infinite, NaN, subnormal); small integers, a few extreme ones; fair
    bools."""
    if dtype.is_float:
        data = rng.standard_normal(shape) * rng.choice([0.3, 1.0, 3.0])
        if special:
            data = np.where(rng.random(shape) < 0.15, rng.choice(SPECIAL, shape), data)
        with np.errstate(over="ignore"):
            return np.asarray(np.where(rng.random(shape) < 0.1, 0.0, data)).astype(dtype.np)
    if dtype.is_bool:
        return np.asarray(rng.random(shape) < 0.5)
    info = np.iinfo(dtype.np)
    data = rng.integers(0 if dtype.kind == "u" else -4, 5, shape, np.int64).astype(dtype.np)
    extreme = rng.choice(np.array([info.min, info.max], dtype.np), shape)
    return np.asarray(np.where(rng.random(shape) < 0.03, extreme, data), dtype.np)


class Drawer:
    """A program in the making: the values so far, and random choices among them."""

    def __init__(self, seed: int, dtypes: Sequence[DType]) -> None:
        self.rng = random.Random(seed)
        self.dtypes = dtypes
        self.steps: list[str] = []
        # The first input knows every unknown size.
        knowing = sg.placeholder((None, None), self.dtype(), name="sizes")
        self.symbols = list(knowing.shape)
        self.inputs = [knowing]
        self.inputs += [self._placeholder(f"x{i}") for i in range(self.rng.randint(1, 3))]
        self.variables = [self._variable(i) for i in range(self.rng.randint(0, 4))]
        self.values: list[Tensor] = [*self.inputs, *self.variables]
        self.given: list[tuple[Tensor, Tensor]] = []

    # -- choices ----------------------------------------------------------------------------------------------------
    def dtype(self) -> DType:
        floats = [d for d in self.dtypes if d.is_float] or list(self.dtypes)
        return self.rng.choice(floats if self.rng.random() < 0.7 else list(self.dtypes))

    def size(self) -> Dim:
        return self.rng.choice((*SIZES, *self.symbols, *self.symbols))

    def shape(self, rank: int | None = None) -> list[Dim]:
        return [self.size() for _ in range(self.rng.choice(_RANKS) if rank is None else rank)]

    def value(self, fits: Fits) -> Tensor | None:
        """One of the values, mostly a recent one."""
        found = [v for v in self.values if fits(v)]
        if not found:
            return None
        return self.rng.choice(found[-3:]) if self.rng.random() < 0.6 else self.rng.choice(found)

    def like(self, x: Tensor) -> Tensor:
        """A value that broadcasts with ``x``, of any dtype but mostly of its own; or a number."""
        fitting = [v for v in self.values if broadcasts(v.shape, x.shape)]
        same = [v for v in fitting if v.dtype is x.dtype]
        if same and self.rng.random() < 0.6:
            return self.rng.choice(same[-4:])
        if fitting and self.rng.random() < 0.3:
            return self.rng.choice(fitting[-4:])
        numbers = (0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 3.0, -4.0) if x.dtype.is_float else (0, 1, 2, 3)
        return sg.constant(self.rng.choice(numbers), x.dtype)

    def axis(self, x: Tensor) -> int:
        """An axis, counted from either end."""
        return self.rng.randrange(x.ndim) - self.rng.choice((0, x.ndim))

    def _placeholder(self, name: str) -> Tensor:
        return sg.placeholder(self.shape(), self.dtype(), name=name)

    def _variable(self, number: int) -> Variable:
        # Few types, so that variables can take each other's values.
        shape = self.rng.choice([(), (3,), (3, 3), (2, 3)])
        dtype = self.dtype() if self.rng.random() < 0.3 else next((d for d in self.dtypes if d.is_float), float32)
        array = random_array(np.random.default_rng(self.rng.randrange(1 << 30)), dtype, shape)
        return sg.variable(array, dtype, name=f"v{number}")

    # -- steps ------------------------------------------------------------------------------------------------------
    def step(self, seed: int, makers: Sequence[Maker]) -> None:
        """Apply one of the makers to one of the values."""
        self.rng = random.Random(seed)
        for _ in range(_TRIES):
            (maker,) = self.rng.choices(makers, [m.weight for m in makers])
            x = self.value(maker.fits)
            if x is None:
                continue
            try:
                made = maker.make(self, x)
            except REFUSED:
                continue  # operands that do not fit
            new = [made] if isinstance(made, Tensor) else list(made or ())
            if new:
                self.values += new
                self.steps.append(maker.make.__name__)
                return

    def results(self, seed: int) -> list[Tensor]:
        """The last values that nothing else reads."""
        self.rng = random.Random(seed)
        made = self.values[len(self.inputs) + len(self.variables) :] or self.values
        read = {id(x) for v in made for x in v.value.node.inputs}
        return ([v for v in made if id(v.value) not in read] or made)[-5:]

    def updates(self, ways: Sequence[Callable[[Drawer], Pairs]]) -> Pairs:
        """New values for some variables."""
        updates: dict[int, tuple[Variable, Tensor]] = {}
        for _ in range(self.rng.randint(0, 3) if self.variables else 0):
            try:
                found = self.rng.choice(ways)(self)
            except REFUSED:
                continue
            updates.update((id(v), (v, new)) for v, new in found)
        return list(updates.values())


def broadcasts(a: Sequence[Dim], b: Sequence[Dim]) -> bool:
    pairs = zip(tuple(a)[::-1], tuple(b)[::-1], strict=False)
    return all(x == y or x == 1 or y == 1 for x, y in pairs)


__all__ = ["Drawer", "Maker", "Pairs", "broadcasts", "random_array"]
