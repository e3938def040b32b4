"""Ops that do something besides computing: they print, refuse, stop. Each gives a token, a bool that is true once it
has run; :class:`After` ties a value to tokens, so that whoever needs the value has the effect first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...dtypes import bool_
from ...errors import DTypeError, ShapeError
from ..algebra import Algebra, V
from ..emitter import Emitter
from ..graph import Value
from ..op import Array, Host, Indexed, Reader, Sample, record, register
from ..types import Facts, TensorType
from .arithmetic import Cotangents, given
from .sampling import booleans, floats, integers

_TOKEN = TensorType(bool_, ())


@register
class After(Indexed):
    """The first operand, once the second, a token, is there. In compiled code it costs nothing to speak of: it is part
    of the loops that read it."""

    name = "after"
    equivalents = "tf.control_dependencies"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        x, token = operands
        if token != _TOKEN:
            raise DTypeError(f"after needs a token, a bool scalar, got {token}")
        return (x,)

    def element(
        self, s: Algebra[V], index: Sequence[V], readers: Sequence[Reader[V]],
        operands: Sequence[TensorType], result: TensorType,
    ) -> V:  # fmt: skip
        x, token = readers
        value = x(index)
        return s.select(token(()), value, s.like(0, value))

    def reference(self, *arrays: Array) -> Array:
        return np.array(arrays[0])

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (given(cotangents), None)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        done = np.array(True)
        return [
            Sample(cls(), (floats(3, 4), done), ((0, 0, "N"),)),
            Sample(cls(), (integers(5), done)),
            Sample(cls(), (booleans(2, 2), done)),
            Sample(cls(), (floats(), done)),
            Sample(cls(), (floats(0, 3), done), ((0, 0, "N"),)),
            Sample(cls(), (floats(3), floats()), error="needs a token"),
            Sample(cls(), (floats(3), np.array([True])), error="needs a token"),
        ]


class _Effect(Host):
    """Gives a token."""

    has_effects = True

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        return (_TOKEN,)

    def reference(self, *arrays: Array) -> Array:
        return np.array(True)

    def vjp(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Cotangents
    ) -> Cotangents:
        return (None,) * len(operands)


@register
@record
class Print(_Effect):
    """Prints its operand after ``message``. ``summarize``: so many elements at each end of an axis (-1: all, None:
    as NumPy prints)."""

    message: str = ""
    summarize: int | None = None
    name = "print"
    equivalents = "theano.printing.Print; K.print_tensor; tf.print; jax.debug.print"

    def perform(self, *arrays: Array) -> Array:
        print(self.text(arrays[0]), flush=True)  # noqa: T201
        return np.array(True)

    def text(self, array: Array) -> str:
        """What is printed."""
        if self.summarize is None:
            shown = str(array)
        else:
            everything = self.summarize < 0
            threshold = array.size if everything else 2 * self.summarize
            shown = np.array2string(array, threshold=max(threshold, 1), edgeitems=max(self.summarize, 1))
        return f"{self.message} {shown}" if self.message else shown

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls("x ="), (floats(3, 4),), ((0, 0, "N"),), differentiable=()),
            Sample(cls("", 2), (integers(50),), differentiable=()),
            Sample(cls("yes", -1), (booleans(),), differentiable=()),
        ]


@register
@record
class Assert(_Effect):
    """Raises AssertionError where an element of its operands, all bool, is false."""

    message: str = ""
    name = "assert"
    equivalents = "theano.tensor.opt.Assert; tf.debugging.Assert; tf.Assert"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        if not operands:
            raise ShapeError("assert needs a condition")
        for number, operand in enumerate(operands):
            if not operand.dtype.is_bool:
                raise DTypeError(f"condition {number} of an assert is {operand}, it must be bool")
        return (_TOKEN,)

    def perform(self, *arrays: Array) -> Array:
        for number, condition in enumerate(arrays):
            if not condition.all():
                which = f"condition {number} of {len(arrays)}" if len(arrays) > 1 else "the condition"
                raise AssertionError(self.message or f"{which} does not hold")
        return np.array(True)

    reference = perform

    def explain(self, error: Exception, place: str) -> Exception:
        return AssertionError(f"{error} ({place})")

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        yes = np.ones((3, 4), bool)
        return [
            Sample(cls("must hold"), (yes, np.array(True)), ((0, 0, "N"),), differentiable=()),
            Sample(cls(), (np.ones((0, 2), bool),), differentiable=()),
            Sample(cls(), (yes, floats(3)), error="condition 1 of an assert"),
        ]


@register
@record
class Breakpoint(_Effect):
    """Stops in Python's debugger where its first operand, a bool scalar, is true; the others are there to look at."""

    message: str = ""
    name = "breakpoint"
    equivalents = "theano.breakpoint_op.PdbBreakpoint; jax.debug.breakpoint"

    def infer(self, facts: Facts, *operands: TensorType) -> tuple[TensorType, ...]:
        if not operands or operands[0] != _TOKEN:
            raise DTypeError("the condition of a breakpoint must be a bool scalar")
        return (_TOKEN,)

    def perform(self, *arrays: Array) -> Array:
        condition, *tensors = arrays  # noqa: RUF059
        if condition:
            breakpoint()  # the arrays are in `tensors`
        return np.array(True)

    @classmethod
    def samples(cls) -> Sequence[Sample]:
        return [
            Sample(cls("here"), (np.array(False), floats(3, 4)), ((1, 0, "N"),), differentiable=()),
            Sample(cls(), (floats(3),), error="must be a bool scalar"),
        ]
