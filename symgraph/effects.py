"""Looking at values while compiled code runs: printing, asserting, stopping in the debugger.

Each function gives back the tensor it got; what is computed from that comes after the effect. Nothing happens where
nobody needs the result. Gradients pass through as if it were not there. In a loop the effect happens at every step.
"""

from __future__ import annotations

from typing import Any

from .dtypes import bool_
from .errors import ArgumentError
from .ir.graph import Value
from .ir.ops.effects import After, Assert, Breakpoint, Print
from .reducing import all as all_of
from .tensor import Tensor, TensorLike, as_value
from .tracer import tracer


def print_tensor(x: TensorLike, message: str = "", summarize: int | None = None) -> Tensor:
    """``x``, printed to standard output each time it is computed (Theano's ``Print``, Keras's ``print_tensor``).

    Args:
        x: any tensor.
        message: printed in front, with a space between.
        summarize: print so many elements at each end of an axis; -1 prints all; None leaves it to NumPy's print
            options.

    Example:
        >>> import symgraph as sg
        >>> x = sg.placeholder((None,))
        >>> f = sg.function([x], sg.print_tensor(x * 2, "doubled:") + 1)
        >>> f([1.0, 2.0]).tolist()
        doubled: [2. 4.]
        [3.0, 5.0]
    """
    value = as_value(x)
    return _after(value, tracer.apply(Print(_text("print_tensor", message), summarize), value))


def assert_op(x: TensorLike, *conditions: TensorLike, message: str = "") -> Tensor:
    """``x``, where all elements of all conditions hold when it is computed (Theano's ``Assert``).

    A call of the compiled function raises AssertionError otherwise, with the message, the layer and the line where
    this was written, and changes no variable.

    Raises:
        ArgumentError: without conditions.

    Example:
        >>> import symgraph as sg
        >>> x = sg.placeholder((None,))
        >>> f = sg.function([x], sg.sqrt(sg.assert_op(x, x >= 0, message="no root of a negative number")))
        >>> try:
        ...     f([4.0, -1.0])
        ... except AssertionError as error:
        ...     print(str(error).split(" (")[0])
        no root of a negative number
    """
    if not conditions:
        raise ArgumentError("assert_op needs a condition")
    value = as_value(x)
    held = [_holds(c) for c in conditions]
    return _after(value, tracer.apply(Assert(_text("assert_op", message)), *held))


def breakpoint_op(condition: TensorLike, tensors: Any, message: str = "") -> Any:
    """``tensors`` (one or a list), stopping in the debugger before anything is computed from them where all of
    ``condition`` holds (Theano's ``PdbBreakpoint``). There ``tensors`` are the NumPy arrays.

    It calls Python's ``breakpoint``, so ``PYTHONBREAKPOINT`` picks another debugger, or 0 for none.
    """
    single = not isinstance(tensors, list)
    values = [as_value(t) for t in ([tensors] if single else tensors)]
    token = tracer.apply(Breakpoint(_text("breakpoint_op", message)), _holds(condition), *values)
    made = [_after(v, token) for v in values]
    return made[0] if single else made


def _holds(condition: TensorLike) -> Value:
    """Whether all elements of a condition are true, or not 0."""
    return as_value(all_of(Tensor(as_value(condition))), bool_)


def _text(name: str, message: object) -> str:
    if not isinstance(message, str):
        raise ArgumentError(f"{name}: the message is a string, got {message!r}")
    return message


def _after(value: Value, token: Value) -> Tensor:
    return Tensor(tracer.apply(After(), value, token))


__all__ = ["assert_op", "breakpoint_op", "print_tensor"]
