"""Folds over axes: sum, product, extremes and their positions, any, all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import bool_, int64
from ...errors import DTypeError, ShapeError
from ..algebra import Algebra, V
from ..dims import symbol
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Reduction, Sample, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given
from .sampling import booleans, floats, integers

N = symbol("N")


def _keep(e: Emitter, reduced: Value, op: Reduction, x: Value) -> Value:
    """A reduced value spread over the shape of the operand again."""
    kept = [i for i in range(x.type.ndim) if i not in op.axes]
    return e.broadcast(reduced, x.shape, kept)


def _cases(cls: Any, empty: bool = True) -> list[Sample]:
    x = floats(3, 4, 5, seed=7)
    cases = [
        Sample(cls((1,)), (x,), ((0, 0, "N"),)),
        Sample(cls((0,)), (x[:, :, 0],), ((0, 0, "N"),)),
        Sample(cls((0, 2)), (x,), ((0, 0, "N"), (0, 2, "M"))),
        Sample(cls((0, 1, 2)), (x.astype("float32"),), ((0, 1, "N"),)),
        Sample(cls((1,)), (integers(3, 40),)),
        Sample(cls((1,)), (floats(3, 300, dtype="float32"),), differentiable=()),
        Sample(cls((0,)), (floats(300, 3, dtype="float32"),), differentiable=()),
        Sample(cls((0,)), (floats(3, 0),)),
        Sample(cls((2,)), (floats(3, 4),), error="axes"),
    ]
    if empty:
        cases.append(Sample(cls((0,)), (floats(0, 3),)))
    return cases


class _Monoid(Reduction):
    """A fold by one associative operation, ``combine``."""

    def combine(self, s: Algebra[V], a: V, b: V) -> V:
        raise NotImplementedError

    def step(self, s: Algebra[V], state: tuple[V, ...], element: V, position: V) -> tuple[V, ...]:
        return (self.combine(s, state[0], element),)

    def merge(self, s: Algebra[V], a: tuple[V, ...], b: tuple[V, ...]) -> tuple[V, ...]:
        return (self.combine(s, a[0], b[0]),)


@register
class Sum(_Monoid):
    """The sum, in the operand's dtype (integers wrap). Partial sums are kept in lanes, not one after the other."""

    name = "sum"
    equivalents = "np.sum; theano.tensor.sum; K.sum"

    def result_dtype(self, operand: TensorType) -> Any:
        if operand.dtype.is_bool:
            raise DTypeError("sum of bool: cast it to a number first")
        return operand.dtype

    def init(self, s: Algebra[V], dtype: Any) -> tuple[V, ...]:
        return (s.const(0, dtype),)

    def combine(self, s: Algebra[V], a: V, b: V) -> V:
        return s.add(a, b)

    def reference(self, *arrays: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(arrays[0].sum(self.axes, dtype=arrays[0].dtype))

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (_keep(e, given(cotangents), self, operands[0]),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [*_cases(cls), Sample(cls((0,)), (booleans(3),), error="sum of bool")]


@register
class Prod(_Monoid):
    name = "prod"
    equivalents = "np.prod; theano.tensor.prod; K.prod"

    def init(self, s: Algebra[V], dtype: Any) -> tuple[V, ...]:
        return (s.const(1, dtype),)

    def combine(self, s: Algebra[V], a: V, b: V) -> V:
        return s.mul(a, b)

    def reference(self, *arrays: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(arrays[0].prod(self.axes, dtype=arrays[0].dtype))

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        """The product of all others: by division where no factor is 0; with one 0, only that factor has a slope."""
        (x,) = operands
        zero = e.eq(x, 0.0)
        zeros = e.sum(e.cast(zero, x.dtype), self.axes)
        others = e.apply(Prod(self.axes), e.where(zero, 1.0, x))
        without = _keep(e, others, self, x)
        only = e.where(zero, without, 0.0)
        count = _keep(e, zeros, self, x)
        none = e.div(without, e.where(zero, 1.0, x))
        slope = e.where(e.eq(count, 0.0), none, e.where(e.eq(count, 1.0), only, 0.0))
        return (e.mul(_keep(e, given(cotangents), self, x), slope),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        one_zero = floats(3, 4, seed=8)
        one_zero[0, 1] = one_zero[2, 0] = one_zero[2, 3] = 0
        return [
            *_cases(cls)[:3],
            *_cases(cls)[4:5],
            *_cases(cls)[7:],
            Sample(cls((1,)), (one_zero,), differentiable=()),
        ]


class _Extreme(_Monoid):
    """Largest or smallest element; NaN if one is NaN; the gradient is shared evenly by all that attain it."""

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        types = super().infer(facts, *operands)
        empty = any(operands[0].shape[a] == 0 for a in self.axes)
        if empty:
            raise ShapeError(f"{self.name} over an empty axis of {operands[0]}")
        return types

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        (x,) = operands
        hit = e.cast(e.eq(x, _keep(e, results[0], self, x)), x.dtype)
        share = e.div(given(cotangents), e.sum(hit, self.axes))
        return (e.mul(hit, _keep(e, share, self, x)),)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        nan = floats(3, 4, dtype="float32")
        nan[1, 2] = np.nan
        return [
            *_cases(cls, empty=False), Sample(cls((1,)), (nan,), differentiable=()),
            Sample(cls((0,)), (floats(0, 3),), error="empty axis"), Sample(cls((1,)), (integers(3, 20, dtype="uint8",
            low=0),)),
        ]  # fmt: skip


def _lowest(dtype: Any) -> float | int | bool:
    if dtype.is_float:
        return float("-inf")
    return False if dtype.is_bool else int(np.iinfo(dtype.np).min)


def _highest(dtype: Any) -> float | int | bool:
    if dtype.is_float:
        return float("inf")
    return True if dtype.is_bool else int(np.iinfo(dtype.np).max)


@register
class Max(_Extreme):
    name = "max"
    equivalents = "np.max; theano.tensor.max; K.max"

    def init(self, s: Algebra[V], dtype: Any) -> tuple[V, ...]:
        return (s.const(_lowest(dtype), dtype),)

    def combine(self, s: Algebra[V], a: V, b: V) -> V:
        return s.maximum(a, b)

    def reference(self, *arrays: Array) -> Array:
        return np.asarray(arrays[0].max(self.axes))


@register
class Min(_Extreme):
    name = "min"
    equivalents = "np.min; theano.tensor.min; K.min"

    def init(self, s: Algebra[V], dtype: Any) -> tuple[V, ...]:
        return (s.const(_highest(dtype), dtype),)

    def combine(self, s: Algebra[V], a: V, b: V) -> V:
        return s.minimum(a, b)

    def reference(self, *arrays: Array) -> Array:
        return np.asarray(arrays[0].min(self.axes))


class _ArgExtreme(Reduction):
    """Flat position (int64) over the reduced axes of the first extreme element; a NaN counts as the extreme."""

    keeps_one = False

    def result_dtype(self, operand: TensorType) -> Any:
        return int64

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        types = super().infer(facts, *operands)
        if any(operands[0].shape[a] == 0 for a in self.axes) or not self.axes:
            raise ShapeError(f"{self.name} over an empty axis of {operands[0]}")
        return types

    def better(self, s: Algebra[V], a: V, b: V) -> V:
        """Whether value ``a`` is more extreme than ``b``."""
        raise NotImplementedError

    def step(self, s: Algebra[V], state: tuple[V, ...], element: V, position: V) -> tuple[V, ...]:
        return self.merge(s, state, (element, position))

    def merge(self, s: Algebra[V], a: tuple[V, ...], b: tuple[V, ...]) -> tuple[V, ...]:
        earlier = s.lt(b[1], a[1])
        wins = s.either(self.better(s, b[0], a[0]), s.both(s.eq(a[0], b[0]), earlier))
        if s.dtype(a[0]).is_float:
            a_nan, b_nan = s.intrinsic("isnan", a[0]), s.intrinsic("isnan", b[0])
            wins = s.select(
                b_nan, s.either(s.intrinsic("bit_not", a_nan), earlier), s.both(wins, s.intrinsic("bit_not", a_nan))
            )
        return (s.select(wins, b[0], a[0]), s.select(wins, b[1], a[1]))

    def finish(self, s: Algebra[V], state: tuple[V, ...]) -> V:
        # The start position is beyond every element; it survives only in an axis of (unknown) size 0.
        found = s.lt(state[1], s.index(_NOWHERE))
        return s.select(found, state[1], s.index(0))

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (None,)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        nan = floats(3, 4, dtype="float32")
        nan[1, 2] = nan[1, 3] = np.nan
        tie = np.array([[1, 3, 3, 0], [2, 2, 2, 2]], "float32")
        return [
            *(c for c in _cases(cls, empty=False)), Sample(cls((1,)), (nan,)), Sample(cls((1,)), (tie,)),
            Sample(cls((1,)), (np.full((2, 40), -np.inf, "float32"),)), Sample(cls((1,)), (np.tile(tie, 20),)),
            Sample(cls((0,)), (floats(0, 3),), error="empty axis"),
        ]  # fmt: skip

    def _flat(self, x: Array) -> Array:
        kept = [i for i in range(x.ndim) if i not in self.axes]
        moved = np.transpose(x, [*kept, *self.axes])
        count = int(np.prod([x.shape[a] for a in self.axes]))
        return moved.reshape([x.shape[i] for i in kept] + [count])


_NOWHERE = 2**62


@register
class ArgMax(_ArgExtreme):
    name = "argmax"
    equivalents = "np.argmax; theano.tensor.argmax; K.argmax"

    def init(self, s: Algebra[V], dtype: Any) -> tuple[V, ...]:
        return (s.const(_lowest(dtype), dtype), s.index(_NOWHERE))

    def better(self, s: Algebra[V], a: V, b: V) -> V:
        return s.gt(a, b)

    def reference(self, *arrays: Array) -> Array:
        return np.asarray(self._flat(arrays[0]).argmax(-1), np.int64)


@register
class ArgMin(_ArgExtreme):
    name = "argmin"
    equivalents = "np.argmin; theano.tensor.argmin; K.argmin"

    def init(self, s: Algebra[V], dtype: Any) -> tuple[V, ...]:
        return (s.const(_highest(dtype), dtype), s.index(_NOWHERE))

    def better(self, s: Algebra[V], a: V, b: V) -> V:
        return s.lt(a, b)

    def reference(self, *arrays: Array) -> Array:
        return np.asarray(self._flat(arrays[0]).argmin(-1), np.int64)


class _Logical(_Monoid):
    """A fold of bools."""

    def result_dtype(self, operand: TensorType) -> Any:
        if not operand.dtype.is_bool:
            raise DTypeError(f"{self.name} needs a bool operand, got {operand.dtype}")
        return bool_

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (None,)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls((1,)), (booleans(3, 4),), ((0, 0, "N"), (0, 1, "M"))),
            Sample(cls((0,)), (np.ones((40, 3), bool),)),
            Sample(cls((0, 1)), (np.zeros((3, 40), bool),)),
            Sample(cls((0,)), (np.ones((0, 3), bool),)),
            Sample(cls((0,)), (floats(3),), error="bool operand"),
        ]


@register
class Any_(_Logical):
    name = "any"
    equivalents = "np.any; theano.tensor.any; K.any"

    def init(self, s: Algebra[V], dtype: Any) -> tuple[V, ...]:
        return (s.const(False, bool_),)

    def combine(self, s: Algebra[V], a: V, b: V) -> V:
        return s.either(a, b)

    def reference(self, *arrays: Array) -> Array:
        return np.asarray(arrays[0].any(self.axes))


@register
class All(_Logical):
    name = "all"
    equivalents = "np.all; theano.tensor.all; K.all"

    def init(self, s: Algebra[V], dtype: Any) -> tuple[V, ...]:
        return (s.const(True, bool_),)

    def combine(self, s: Algebra[V], a: V, b: V) -> V:
        return s.both(a, b)

    def reference(self, *arrays: Array) -> Array:
        return np.asarray(arrays[0].all(self.axes))
