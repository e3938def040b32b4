"""Ops of a user's own: Python on NumPy arrays, inside compiled functions."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any, TypeAlias, Union

import numpy as np

from .dtypes import as_dtype
from .errors import ArgumentError, DTypeError, GradientError, ShapeError
from .ir.dims import Shape, shape_text
from .ir.emitter import Emitter
from .ir.graph import Node, Value, topological
from .ir.literal import Foreign
from .ir.ops.custom import Custom
from .ir.ops.leaves import Input, State
from .ir.replay import replay
from .ir.types import TensorType
from .tensor import Tensor, TensorLike, as_value
from .tracer import describe, tracer

Array = np.ndarray[Any, Any]
#: A symbolic gradient: from the inputs and the gradients of the outputs to those of the inputs.
Gradient: TypeAlias = Callable[[list[Tensor], list[Tensor]], Sequence[Union[TensorLike, None]]]


class Op:
    """Base of a user's own ops (Theano's ``Op``). Subclass it, write ``perform``, and apply an instance to tensors.

    Compiled code calls ``perform`` with NumPy arrays and waits for it; everything else around stays compiled. The
    call happens when the results are needed, in loops at every step, and not at all where nobody needs them; equal
    ops on equal inputs are computed once. So ``perform`` should depend on its arguments alone. The arrays it gets are
    its own: it may change and keep them.

    Attributes:
        name: what errors call the op; the class's name by default.
        itypes: dtypes of the inputs (None: not checked).
        otypes: dtypes of the outputs (None: one output, of the first input's dtype).
        __props__: names of attributes that tell instances apart (None: every instance is an op of its own).

    Example:
        >>> import numpy as np, symgraph as sg
        >>> class Sorted(sg.Op):
        ...     def perform(self, x):
        ...         return np.sort(x)
        >>> x = sg.placeholder((None,))
        >>> sg.function([x], Sorted()(x) * 2)([3, 1, 2])
        array([2., 4., 6.], dtype=float32)
    """

    name: str = ""
    itypes: Sequence[Any] | None = None
    otypes: Sequence[Any] | None = None
    __props__: tuple[str, ...] | None = None

    # -- what a subclass writes -------------------------------------------------------------------------------------
    def perform(self, *arrays: Array) -> Any:
        """The outputs (an array, or a list of them) for NumPy arrays. They must have the dtypes and shapes that
        :meth:`infer` promises."""
        raise NotImplementedError(f"own op {self.title} does not say what it computes: write perform")

    def infer_shape(self, *shapes: Shape) -> Any:
        """The shape of the output (a list of them where there are several) from those of the inputs, whose sizes may
        be symbolic: calculate with them as with integers. By default that of the first input."""
        if not shapes:
            raise ShapeError(f"own op {self.title} without inputs: write infer_shape")
        return shapes[0] if self.otypes is None else [shapes[0]] * len(self.otypes)

    def infer(self, *inputs: TensorType) -> Any:
        """The type of the output, or a list of types. By default ``otypes`` and :meth:`infer_shape` say it."""
        if self.otypes is None and not inputs:
            raise DTypeError(f"own op {self.title} without inputs: write otypes")
        dtypes = [inputs[0].dtype] if self.otypes is None else [as_dtype(t) for t in self.otypes]
        shapes = self.infer_shape(*(t.shape for t in inputs))
        listed = list(shapes) if isinstance(shapes, list) else [shapes]
        if len(listed) != len(dtypes):
            raise ShapeError(f"own op {self.title}: {len(listed)} shape(s) for {len(dtypes)} output(s)")
        return [TensorType(dtype, tuple(shape)) for dtype, shape in zip(dtypes, listed, strict=True)]

    def grad(self, inputs: list[Tensor], output_grads: list[Tensor]) -> Sequence[TensorLike | None]:
        """The gradient with respect to each input (None: no dependence), built from tensors, given those of the
        outputs. ``self(*inputs)`` stands for the outputs and is not computed again.

        Raises:
            GradientError: by default: there is none.
        """
        raise GradientError(f"own op {self.title} has no gradient: write grad")

    # -- the rest ---------------------------------------------------------------------------------------------------
    def __call__(self, *inputs: TensorLike) -> Any:
        """Apply the op: a tensor, or a list where there are several outputs.

        Raises:
            DTypeError, ShapeError: for inputs that do not fit.
        """
        wanted = [as_dtype(t) for t in self.itypes] if self.itypes is not None else [None] * len(inputs)
        if len(wanted) != len(inputs):
            raise ArgumentError(f"own op {self.title} takes {len(wanted)} input(s), got {len(inputs)}")
        values = [
            x.value if isinstance(x, Tensor) else as_value(x, dtype) for x, dtype in zip(inputs, wanted, strict=True)
        ]
        made = [Tensor(v) for v in tracer.apply_all(Custom(Foreign(self, self.title)), *values)]
        return made[0] if len(made) == 1 else made

    @property
    def title(self) -> str:
        return self.name or type(self).__name__

    def __eq__(self, other: object) -> bool:
        if self.__props__ is None or type(self) is not type(other):
            return self is other
        return all(getattr(self, p) == getattr(other, p) for p in self.__props__)

    def __hash__(self) -> int:
        if self.__props__ is None:
            return id(self)
        return hash((type(self), *(getattr(self, p) for p in self.__props__)))

    def result_types(self, operands: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The inferred types, checked."""
        for k, (dtype, operand) in enumerate(zip(self.itypes or (), operands, strict=False)):
            if as_dtype(dtype) != operand.dtype:
                raise DTypeError(f"own op {self.title}: input {k} is {operand.dtype}, expected {as_dtype(dtype)}")
        inferred = self.infer(*operands)
        types = tuple(inferred) if isinstance(inferred, (list, tuple)) else (inferred,)
        for t in types:
            if not isinstance(t, TensorType):
                raise ArgumentError(f"own op {self.title}: infer gives types, such as inputs[0], but got {t!r}")
        if not types:
            raise ArgumentError(f"own op {self.title} has no output")
        return types

    def cotangents(
        self, e: Emitter, operands: Sequence[Value], results: Sequence[Value], cotangents: Sequence[Value | None]
    ) -> Sequence[Value | None]:
        """The gradient, written with ``e``: :meth:`grad` writes free nodes, which are copied where ``e`` is another
        emitter (the body of a loop)."""
        full = [g if g is not None else e.zeros_like(v) for g, v in zip(cotangents, results, strict=True)]
        given = self.grad([Tensor(v) for v in operands], [Tensor(g) for g in full])
        listed = list(given) if isinstance(given, (list, tuple)) else [given]
        if len(listed) != len(operands):
            raise GradientError(f"own op {self.title}: {len(listed)} gradient(s) for {len(operands)} input(s)")
        found = [
            None if g is None or not v.dtype.is_float else self._fitting(k, g, v)
            for k, (g, v) in enumerate(zip(listed, operands, strict=True))
        ]
        if e is tracer:
            return found
        known = {id(v): v for v in (*operands, *results, *full)}
        replay(e, self._written([v for v in found if v is not None], known), known)
        return [None if v is None else known[id(v)] for v in found]

    def _written(self, values: Sequence[Value], known: Container[int]) -> Iterator[Node]:
        """The nodes behind free values that are not ``known``."""
        for node in topological([v for v in values if id(v) not in known], known):
            if isinstance(node.op, (Input, State)):
                raise GradientError(
                    f"own op {self.title}: inside a loop its gradient may read its inputs only, "
                    f"but it reads {describe(node.output)}; make that an input of the op"
                )
            yield node

    def _fitting(self, number: int, gradient: TensorLike, operand: Value) -> Value:
        value = as_value(gradient, operand.dtype)
        try:
            tracer.facts.unify_shapes(value.shape, operand.shape)
        except ShapeError:
            raise GradientError(
                f"own op {self.title}: the gradient of input {number} is a {describe(value)}; "
                f"the input has shape {shape_text(operand.shape)}"
            ) from None
        return value


class _Function(Op):
    """An op made of functions."""

    def __init__(
        self, perform: Callable[..., Any], itypes: Sequence[Any] | None, otypes: Sequence[Any] | None,
        infer_shape: Callable[..., Any] | None, grad: Gradient | None, name: str,
    ) -> None:  # fmt: skip
        self.itypes, self.otypes, self.name = itypes, otypes, name
        self._perform, self._infer_shape, self._grad = perform, infer_shape, grad

    def perform(self, *arrays: Array) -> Any:
        return self._perform(*arrays)

    def infer_shape(self, *shapes: Shape) -> Any:
        return super().infer_shape(*shapes) if self._infer_shape is None else self._infer_shape(*shapes)

    def grad(self, inputs: list[Tensor], output_grads: list[Tensor]) -> Sequence[TensorLike | None]:
        if self._grad is None:
            raise GradientError(f"own op {self.title} has no gradient: give as_op a grad")
        return self._grad(inputs, output_grads)


def as_op(
    itypes: Sequence[Any] | None = None, otypes: Sequence[Any] | None = None,
    infer_shape: Callable[..., Any] | None = None, grad: Gradient | None = None, name: str | None = None,
) -> Callable[[Callable[..., Any]], Op]:  # fmt: skip
    """Decorator that makes an op of a function on NumPy arrays (Theano's ``as_op``); see :class:`Op`.

    Args:
        itypes: dtypes of the inputs (None: not checked).
        otypes: dtypes of the outputs (None: one, of the first input's dtype).
        infer_shape: from the shapes of the inputs to that of the output, or a list of them.
        grad: from the inputs and the gradients of the outputs, both lists of tensors, to the gradients of the inputs.
        name: what errors call the op; the function's name by default.

    Example:
        >>> import numpy as np, symgraph as sg
        >>> @sg.as_op(infer_shape=lambda a, b: (a[0] + b[0],))
        ... def chain(a, b):
        ...     return np.concatenate([a, b])
        >>> x = sg.placeholder((None,))
        >>> sg.function([x], chain(x, x * 2))([1, 2])
        array([1., 2., 2., 4.], dtype=float32)
    """

    def decorate(perform: Callable[..., Any]) -> Op:
        title = name or str(getattr(perform, "__name__", "function"))
        return _Function(perform, itypes, otypes, infer_shape, grad, title)

    return decorate


__all__ = ["Op", "as_op"]
