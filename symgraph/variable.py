"""Variables: arrays that outlive calls, read and updated by compiled functions (Theano's shared variables)."""

from __future__ import annotations

import itertools
from math import prod
from typing import Any

import numpy as np

from .dtypes import as_dtype, bfloat16, bfloat16_bits
from .errors import DTypeError, ShapeError
from .ir.ops.leaves import State
from .ir.types import TensorType
from .tensor import Tensor, TensorLike, as_tensor
from .tracer import tracer

_slots = itertools.count()
Array = np.ndarray[Any, Any]


def readable(array: Array) -> Array:
    """``array``, or for an empty one an equal view into memory where its last empty axis has room for one element.

    Native code may read element 0 of an axis whose value it then does not use; there has to be one.
    """
    if array.size:
        return array
    # Axes before the last empty one have no steps in memory.
    last = max(k for k, size in enumerate(array.shape) if size == 0)
    return np.zeros(prod(array.shape[last + 1 :]), array.dtype)[:0].reshape(array.shape)


class Variable(Tensor):
    """A tensor with a value. One array holds it for good: functions read and write that array in place."""

    def __init__(self, value: Any, dtype: Any = None, name: str = "") -> None:
        wanted = None if dtype is None else as_dtype(dtype)
        if wanted is None and getattr(getattr(value, "dtype", None), "name", "") == bfloat16.name:
            wanted = bfloat16
        if wanted is bfloat16:
            value = bfloat16_bits(value)
        kept = None if wanted is None else np.uint16 if wanted is bfloat16 else wanted.np
        array = np.array(value, dtype=kept, order="C", copy=True)
        if array.dtype == object or array.dtype.kind not in "biuf":
            raise DTypeError(f"variable {name!r}: {type(value).__name__} is not numeric")
        type_ = TensorType(wanted if wanted is not None else as_dtype(array.dtype), array.shape)
        label = name or "variable"
        super().__init__(tracer.apply(State(next(_slots), label, type_, self)), name)
        self.array: Array = readable(array)
        self._default_update: Tensor | None = None

    @property
    def default_update(self) -> Tensor | None:
        """The new value that every function gives the variable that computes with it and says nothing about its update
        (Theano's ``default_update``); None: it stays."""
        return self._default_update

    @default_update.setter
    def default_update(self, new: TensorLike | None) -> None:
        value = new if new is None or isinstance(new, Tensor) else as_tensor(new, self.dtype)
        if value is not None and value.dtype != self.dtype:
            raise DTypeError(f"variable {self.name!r} has dtype {self.dtype}, its default update {value.dtype}")
        if value is not None and (
            value.ndim != self.ndim
            or any(isinstance(a, int) and a != b for a, b in zip(value.shape, self.shape, strict=True))
        ):
            raise ShapeError(f"variable {self.name!r} is a {self.type}, its default update a {value.type}")
        self._default_update = value

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy, or what is unpickled, is another variable with the value, and without a default update."""
        own = ("value", "subscript", "array", "name", "_default_update")
        state = {key: value for key, value in vars(self).items() if key not in own}
        return _variable_of, (type(self), self.array, self.dtype.name, self.name), state or None

    def get_value(self, borrow: bool = False) -> Array:
        """A copy of the value (the bits of a bfloat16 one); with ``borrow`` the array itself, which later calls may
        change."""
        return self.array if borrow else self.array.copy()

    def set_value(self, value: Any) -> None:
        """Replace the value; the shape must stay, the dtype is converted (to bfloat16: but for uint16, which is bits).

        Raises:
            ShapeError: for another shape; the old value stays.
        """
        new = bfloat16_bits(value) if self.dtype is bfloat16 else np.asarray(value)
        if new.shape != self.array.shape:
            raise ShapeError(f"variable {self.name!r} has shape {self.array.shape}, got a value of shape {new.shape}")
        self.array[...] = new


def _variable_of(cls: type[Variable], array: Array, dtype: str, name: str) -> Variable:
    return cls(array, dtype, name)


def variable(value: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable with an initial value (copied); arrays keep their dtype, Python floats become float64. One of dtype
    bfloat16 holds its bits as uint16.

    Example:
        >>> v = variable([1.0, 2.0], dtype="float32")
        >>> v.get_value()
        array([1., 2.], dtype=float32)
    """
    return Variable(value, dtype, name or "")
