"""Applying ops: the one interface through which gradients, rules and expansions write graphs.

:class:`Emitter` turns an op and operands into values; the front's tracer and the compiler's builder implement it.
The named methods below are the vocabulary of that code: they broadcast like NumPy (writing the ``broadcast``
nodes), take Python scalars (of the other operand's dtype), and never change a dtype silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TypeAlias, Union

from ..dtypes import DType, bfloat16, bool_, float32, int64
from ..errors import InternalError
from ..provenance import Origin
from .checks import normalize_axis
from .dim_order import is_one_if_any
from .dims import Dim, Shape, product
from .graph import Value
from .literal import Literal
from .op import Op, Reduction
from .types import Facts

Scalar: TypeAlias = Union[bool, int, float]
Operand: TypeAlias = Union[Value, bool, int, float]


class Emitter:
    """Writes nodes. Subclasses implement :meth:`apply_all`; ``facts`` collects the equalities that inference finds."""

    facts: Facts

    def apply_all(self, op: Op, *operands: Value) -> tuple[Value, ...]:
        """The results of ``op`` on ``operands``."""
        raise NotImplementedError

    def made_by(self, origins: tuple[Origin, ...]) -> AbstractContextManager[None]:
        """Nodes written inside carry these origins."""
        raise NotImplementedError

    def apply(self, op: Op, *operands: Value) -> Value:
        """The only result of ``op`` on ``operands``."""
        results = self.apply_all(op, *operands)
        if len(results) != 1:
            raise InternalError(f"{op.name} has {len(results)} results")
        return results[0]

    # -- leaves ---------------------------------------------------------------------------------------------------
    def constant(self, value: object, dtype: DType) -> Value:
        """An array (or scalar) as a constant of ``dtype``."""
        import numpy as np

        from .ops.leaves import Constant

        if dtype is bfloat16:
            return self.cast(self.constant(value, float32), bfloat16)
        with np.errstate(all="ignore"):  # a number too large for the dtype is infinite
            array = np.asarray(value).astype(dtype.np)
        return self.apply(Constant(Literal(array)))

    def full(self, shape: Shape, value: Scalar, dtype: DType) -> Value:
        return self.broadcast_to(self.constant(value, dtype), shape)

    def zeros_like(self, x: Value) -> Value:
        return self.full(x.shape, 0, x.dtype)

    def size(self, dim: Dim, dtype: DType = int64) -> Value:
        """A size as a scalar tensor."""
        from .ops.leaves import Size

        if isinstance(dim, int):
            return self.constant(dim, dtype)
        return self.cast(self.apply(Size(dim)), dtype)

    def iota(self, length: Dim, dtype: DType) -> Value:
        from .ops.indexing import Iota

        return self.apply(Iota(length, dtype))

    # -- elementwise ----------------------------------------------------------------------------------------------
    def elementwise(self, op: Op, *operands: Operand) -> Value:
        """Apply an elementwise op to broadcast operands; scalars take the dtype of the first tensor."""
        return self.apply(op, *self.align(operands))

    def align(self, operands: Sequence[Operand]) -> list[Value]:
        """Operands as values of one shape."""
        like = next((x for x in operands if isinstance(x, Value)), None)
        if like is None:
            raise InternalError("no tensor among the operands")
        values = [x if isinstance(x, Value) else self.constant(x, like.dtype) for x in operands]
        shape: Shape = ()
        for v in values:
            shape = self.facts.broadcast_shapes(shape, v.shape)
        return [self.broadcast_to(v, shape) for v in values]

    def add(self, a: Operand, b: Operand) -> Value:
        from .ops.arithmetic import Add

        return self.elementwise(Add(), a, b)

    def sub(self, a: Operand, b: Operand) -> Value:
        from .ops.arithmetic import Sub

        return self.elementwise(Sub(), a, b)

    def mul(self, a: Operand, b: Operand) -> Value:
        from .ops.arithmetic import Mul

        return self.elementwise(Mul(), a, b)

    def div(self, a: Operand, b: Operand) -> Value:
        from .ops.arithmetic import Div

        return self.elementwise(Div(), a, b)

    def pow(self, a: Operand, b: Operand) -> Value:
        from .ops.arithmetic import Pow

        return self.elementwise(Pow(), a, b)

    def maximum(self, a: Operand, b: Operand) -> Value:
        from .ops.arithmetic import Maximum

        return self.elementwise(Maximum(), a, b)

    def minimum(self, a: Operand, b: Operand) -> Value:
        from .ops.arithmetic import Minimum

        return self.elementwise(Minimum(), a, b)

    def neg(self, a: Value) -> Value:
        from .ops.arithmetic import Neg

        return self.apply(Neg(), a)

    def square(self, a: Value) -> Value:
        return self.mul(a, a)

    def abs(self, a: Value) -> Value:
        from .ops.arithmetic import Abs

        return self.apply(Abs(), a)

    def sign(self, a: Value) -> Value:
        from .ops.arithmetic import Sign

        return self.apply(Sign(), a)

    def exp(self, a: Value) -> Value:
        from .ops.elementary import Exp

        return self.apply(Exp(), a)

    def log(self, a: Value) -> Value:
        from .ops.elementary import Log

        return self.apply(Log(), a)

    def sqrt(self, a: Value) -> Value:
        from .ops.elementary import Sqrt

        return self.apply(Sqrt(), a)

    def sigmoid(self, a: Value) -> Value:
        from .ops.elementary import Sigmoid

        return self.apply(Sigmoid(), a)

    def where(self, condition: Operand, a: Operand, b: Operand) -> Value:
        """``a`` where ``condition`` (bool) else ``b``."""
        from .ops.logical import Where

        like = next((x for x in (a, b) if isinstance(x, Value)), None)
        if like is None:
            raise InternalError("where of two Python scalars")
        a, b = (x if isinstance(x, Value) else self.constant(x, like.dtype) for x in (a, b))
        c = condition if isinstance(condition, Value) else self.constant(condition, bool_)
        return self.elementwise(Where(), c, a, b)

    def eq(self, a: Operand, b: Operand) -> Value:
        from .ops.logical import Equal

        return self.elementwise(Equal(), a, b)

    def lt(self, a: Operand, b: Operand) -> Value:
        from .ops.logical import Less

        return self.elementwise(Less(), a, b)

    def le(self, a: Operand, b: Operand) -> Value:
        from .ops.logical import LessEqual

        return self.elementwise(LessEqual(), a, b)

    def gt(self, a: Operand, b: Operand) -> Value:
        from .ops.logical import Greater

        return self.elementwise(Greater(), a, b)

    def ge(self, a: Operand, b: Operand) -> Value:
        from .ops.logical import GreaterEqual

        return self.elementwise(GreaterEqual(), a, b)

    def cast(self, a: Value, dtype: DType) -> Value:
        from .ops.logical import Cast

        return a if a.dtype == dtype else self.apply(Cast(dtype), a)

    # -- shapes ---------------------------------------------------------------------------------------------------
    def broadcast(self, a: Value, shape: Shape, axes: Sequence[int]) -> Value:
        """Operand axis ``k`` becomes result axis ``axes[k]``; sizes 1 stretch."""
        from .ops.views import Broadcast

        if a.shape == tuple(shape) and tuple(axes) == tuple(range(len(shape))):
            return a
        return self.apply(Broadcast(tuple(shape), tuple(axes)), a)

    def broadcast_to(self, a: Value, shape: Shape) -> Value:
        """NumPy's ``broadcast_to``."""
        offset = len(shape) - a.type.ndim
        wide = zip(a.shape, shape[offset:], strict=False)  # Broadcast refuses too few axes
        a = self.with_ones(a, [k for k, (d, wanted) in enumerate(wide) if d != wanted and is_one_if_any(d)])
        return self.broadcast(a, tuple(shape), tuple(range(offset, len(shape))))

    def with_ones(self, a: Value, axes: Iterable[int]) -> Value:
        """``a`` with axes of size 1 where it has some that are 0 or 1; a call refuses 0."""
        sizes = [1 if k in tuple(axes) else d for k, d in enumerate(a.shape)]
        return a if list(a.shape) == sizes else self.slice(a, [0] * len(sizes), sizes)

    def reshape(self, a: Value, shape: Sequence[Dim]) -> Value:
        from .ops.views import Reshape

        return a if a.shape == tuple(shape) else self.apply(Reshape(tuple(shape)), a)

    def transpose(self, a: Value, permutation: Sequence[int]) -> Value:
        from .ops.views import Transpose

        if tuple(permutation) == tuple(range(a.type.ndim)):
            return a
        return self.apply(Transpose(tuple(permutation)), a)

    def expand_dims(self, a: Value, axes: Iterable[int]) -> Value:
        """Insert axes of size 1 at these positions of the result."""
        at = sorted(axes)
        kept = iter(a.shape)
        return self.reshape(a, [1 if i in at else next(kept) for i in range(a.type.ndim + len(at))])

    def slice(self, a: Value, starts: Sequence[Dim], sizes: Sequence[Dim], steps: Sequence[int] | None = None) -> Value:
        """Elements ``starts + i*steps`` for ``i < sizes`` along every axis."""
        from .ops.blocks import Slice

        steps = tuple(steps) if steps is not None else (1,) * a.type.ndim
        return self.apply(Slice(tuple(starts), tuple(sizes), steps), a)

    def pad(self, a: Value, low: Sequence[Dim], shape: Sequence[Dim], steps: Sequence[int] | None = None) -> Value:
        """Zeros of ``shape`` with ``a`` written at ``low + i*steps``: the transpose of :meth:`slice`."""
        from .ops.blocks import Embed

        steps = tuple(steps) if steps is not None else (1,) * a.type.ndim
        return self.apply(Embed(tuple(low), tuple(shape), steps), a)

    def concatenate(self, values: Sequence[Value], axis: int) -> Value:
        from .ops.blocks import Concatenate

        return values[0] if len(values) == 1 else self.apply(Concatenate(axis), *values)

    # -- reductions and products ----------------------------------------------------------------------------------
    def sum(self, a: Value, axes: Iterable[int] | None = None, keepdims: bool = False) -> Value:
        from .ops.reductions import Sum

        return self.reduce(Sum, a, axes, keepdims)

    def max(self, a: Value, axes: Iterable[int] | None = None, keepdims: bool = False) -> Value:
        from .ops.reductions import Max

        return self.reduce(Max, a, axes, keepdims)

    def mean(self, a: Value, axes: Iterable[int] | None = None, keepdims: bool = False) -> Value:
        """Sum over ``axes`` divided by their number of elements."""
        over = self._axes(a, axes)
        return self.div(self.sum(a, over, keepdims), self.size(product(a.shape[i] for i in over), a.dtype))

    def reduce(self, kind: type[Reduction], a: Value, axes: Iterable[int] | None, keepdims: bool) -> Value:
        """Apply the reduction class ``kind`` over ``axes`` (None: all; negative ones count from the end)."""
        over = self._axes(a, axes)
        result = self.apply(kind(over), a) if over or not kind.keeps_one else a
        return self.expand_dims(result, over) if keepdims else result

    @staticmethod
    def _axes(a: Value, axes: Iterable[int] | None) -> tuple[int, ...]:
        if axes is None:
            return tuple(range(a.type.ndim))
        return tuple(sorted({normalize_axis(i, a.type.ndim, "reduction") for i in axes}))

    def contract(self, spec: str, a: Value, b: Value) -> Value:
        """A product such as ``"ik,kj->ij"``; see :class:`symgraph.ir.ops.contraction.Contraction`."""
        from .ops.contraction import Contraction

        return self.apply(Contraction(spec), a, b)
