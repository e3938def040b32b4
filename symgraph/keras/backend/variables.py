"""Tensors and variables: making them, asking about them, reading and writing values."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

import symgraph as sg

from .common import floatx

Tensor = Any
Array = np.ndarray[Any, Any]


class Shape(tuple[Any, ...]):
    """The symbolic shape of a tensor; entries that are not known are sizes that shape arguments take."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        part = super().__getitem__(key)
        return Shape(part) if isinstance(key, slice) else part


class Update(NamedTuple):
    """A variable and its new value; what ``K.update`` gives and ``K.function(updates=)`` takes."""

    variable: Tensor
    value: Tensor


def is_size(x: Any) -> bool:
    """Whether ``x`` is the size of an axis: a number, or a size that is not known yet."""
    return isinstance(x, (int, np.integer)) or hasattr(x, "terms")


def is_tensor(x: Any) -> bool:
    """Whether ``x`` is a symbolic tensor or a variable."""
    return isinstance(x, sg.Tensor)


is_symbolic = is_tensor


def is_variable(x: Any) -> bool:
    """Whether ``x`` is a variable."""
    return isinstance(x, sg.Variable)


def is_placeholder(x: Any) -> bool:
    """Whether ``x`` was made by ``K.placeholder``."""
    return bool(getattr(x, "_is_placeholder", False))


def is_keras_tensor(x: Any) -> bool:
    """Whether ``x`` is the output of a layer or of ``Input``.

    Raises:
        ValueError: if ``x`` is not symbolic.
    """
    if not is_tensor(x):
        raise ValueError(f"Unexpectedly found an instance of type `{type(x)}`. Expected a symbolic tensor instance.")
    return hasattr(x, "_keras_history")


def is_sparse(tensor: Any) -> bool:
    """Whether ``tensor`` is fed SciPy's sparse matrices. It is computed with as a dense one."""
    return bool(getattr(tensor, "_is_sparse", False))


def to_dense(tensor: Tensor) -> Tensor:
    """``tensor`` without the mark of a sparse one."""
    return sg.Tensor(tensor.value, tensor.name) if is_sparse(tensor) else tensor


def placeholder(
    shape: Sequence[int | None] | None = None,
    ndim: int | None = None,
    dtype: Any = None,
    sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """A tensor that is fed. ``shape`` has None where a size is open; ``ndim`` alone leaves all sizes open.
    A ``sparse`` one takes SciPy's sparse matrices, which become dense when a function is called."""
    if shape is None:
        if ndim is None:
            raise ValueError("`K.placeholder` needs `shape` or `ndim`: the rank of every tensor must be known.")
        shape = (None,) * ndim
    shape = tuple(None if d is None else int(d) for d in shape)
    x: Tensor = sg.placeholder(shape, dtype=str(dtype or floatx()), name=name)
    x._keras_shape = shape
    x._is_placeholder = True
    x._is_sparse = sparse
    return x


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Tensor:
    """A variable that starts as ``value``: an array, number or sparse matrix, or a tensor that depends on no input."""
    if is_tensor(value):
        value = eval(value)
    sparse = hasattr(value, "toarray")
    if sparse:
        value = value.toarray()
    wanted = str(dtype or floatx())
    v: Tensor = sg.variable(np.asarray(value, dtype=wanted), dtype=wanted, name=name)  # which copies it
    v._keras_shape = tuple(int(d) for d in v.shape)
    v.constraint = constraint
    v._is_sparse = sparse
    return v


def constant(value: Any, dtype: Any = None, shape: Sequence[int] | None = None, name: str | None = None) -> Tensor:
    """A constant tensor; with ``shape``, ``value`` is spread over it."""
    array = np.asarray(value, dtype=str(dtype or floatx()))
    if shape is not None:
        array = np.resize(array, tuple(shape)) if array.size != 1 else np.full(tuple(shape), array)
    return sg.constant(array)


def as_tensor(x: Any, dtype: str | None = None) -> Tensor:
    """``x`` as a tensor: Python floats become floatx, arrays keep their dtype, symbolic sizes become int64 scalars."""
    if is_tensor(x):
        return x if dtype is None or str(x.dtype) == dtype else sg.cast(x, dtype)
    if isinstance(x, (list, tuple)) and builtins.any(is_tensor(e) or hasattr(e, "terms") for e in x):
        return sg.stack([as_tensor(e, dtype or "int64" if isinstance(x, Shape) else dtype) for e in x])
    if hasattr(x, "terms"):  # a symbolic size
        return sg.size(sg.zeros((x,)), 0)
    array = np.asarray(x)
    if dtype is None and array.dtype == np.float64 and not isinstance(x, (np.ndarray, np.generic)):
        dtype = floatx()
    return sg.constant(array if dtype is None else array.astype(dtype))


def int_shape(x: Any) -> tuple[int | None, ...]:
    """The shape as integers, None where a size is open."""
    known = getattr(x, "_keras_shape", None)
    if known is not None:
        return tuple(known)
    return tuple(d if isinstance(d, int) else None for d in x.shape)


def shape(x: Tensor) -> Shape:
    """The symbolic shape of ``x``: entries serve wherever a shape is given."""
    return Shape(x.shape)


def ndim(x: Any) -> int:
    """The rank."""
    return len(x.shape)


def size(x: Tensor, name: str | None = None) -> Tensor:
    """The number of elements, a scalar tensor."""
    total: Tensor = None
    for axis in range(ndim(x)):
        length = sg.size(x, axis)
        total = length if total is None else total * length
    return as_tensor(1, "int64") if total is None else total


def dtype(x: Any) -> str:
    """The element type, as a string."""
    return str(x.dtype)


def count_params(x: Any) -> int:
    """The number of elements of a variable."""
    return int(np.prod(int_shape(x)))  # type: ignore[arg-type]


def eval(x: Any) -> Array:
    """The value of a tensor that depends on no input."""
    if is_variable(x):
        return get_value(x)
    if not is_tensor(x):
        return np.asarray(x)
    return np.asarray(x.eval())


def get_value(x: Any) -> Array:
    """A copy of a variable's value; of a tensor that depends on no input, what it computes."""
    return np.array(x.get_value()) if is_variable(x) else eval(x)


def batch_get_value(ops: Iterable[Any]) -> list[Array]:
    """Copies of the values of several variables."""
    return [get_value(x) for x in ops]


def set_value(x: Any, value: Any) -> None:
    """Write a variable's value: a number, an array of its shape, or a tensor that depends on no input."""
    x.set_value(np.asarray(eval(value) if is_tensor(value) else value, dtype=dtype(x)))


def batch_set_value(tuples: Iterable[tuple[Any, Any]]) -> None:
    """Write several variables."""
    for x, value in tuples:
        set_value(x, value)


get_variable_shape = int_shape


def update(x: Tensor, new_x: Any) -> Update:
    """The update that sets ``x`` to ``new_x``."""
    return Update(x, new_x)


def update_add(x: Tensor, increment: Any) -> Update:
    """The update that adds ``increment`` to ``x``."""
    return Update(x, x + increment)


def update_sub(x: Tensor, decrement: Any) -> Update:
    """The update that takes ``decrement`` off ``x``."""
    return Update(x, x - decrement)


def moving_average_update(x: Tensor, value: Any, momentum: Any) -> Update:
    """The update ``x = momentum * x + (1 - momentum) * value``."""
    return Update(x, x * momentum + value * (1.0 - momentum))


def manual_variable_initialization(value: bool) -> None:
    """Accepted and ignored: variables have their value as soon as they exist."""
