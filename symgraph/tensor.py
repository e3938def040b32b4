"""Symbolic tensors: what a user holds while building.

A :class:`Tensor` is a handle on a value of the graph. Operators and methods follow NumPy (names, argument order,
broadcasting, promotion), save that ``==`` and ``!=`` compare identity, as in Theano and TensorFlow 1, so that
tensors can be keys; use :func:`symgraph.equal` for the elementwise comparison.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np

from .display import drawn
from .dtypes import DType, as_dtype, bfloat16, promote
from .errors import DTypeError, ShapeError
from .evaluation import evaluated
from .ir.dims import fresh
from .ir.graph import Value
from .ir.ops.leaves import Input
from .ir.types import TensorType
from .tracer import describe, tracer

if TYPE_CHECKING:
    from .ir.dims import Dim

TensorLike: TypeAlias = Union["Tensor", np.ndarray[Any, Any], np.generic, bool, int, float, Sequence[Any]]


class TensorShape(tuple[Any, ...]):
    """Sizes of axes: a tuple, with TensorFlow's names for what one asks of it.

    Example:
        >>> placeholder((None, 3)).shape.as_list()
        [None, 3]
    """

    __slots__ = ()

    def as_list(self) -> list[int | None]:
        """The sizes, with None for those that are not known while the graph is built."""
        return [size if isinstance(size, int) else None for size in self]

    def is_fully_defined(self) -> bool:
        """Whether all sizes are known while the graph is built."""
        return None not in self.as_list()

    @property
    def ndims(self) -> int:
        """The number of axes."""
        return len(self)

    rank = ndims


class Tensor:
    """A symbolic array. Make one with :func:`placeholder`, :func:`variable`, :func:`constant` or by computing with
    others."""

    __array_ufunc__ = None  # NumPy arrays leave mixed arithmetic to us

    def __init__(self, value: Value, name: str = "") -> None:
        self.value = value
        self.name = name
        #: ``(x, key)`` where this was written ``x[key]``, for :func:`symgraph.set_subtensor`.
        self.subscript: tuple[Tensor, Any] | None = None

    # -- type -------------------------------------------------------------------------------------------------------
    @property
    def shape(self) -> TensorShape:
        """Sizes of the axes: integers, or symbolic sizes where unknown."""
        return TensorShape(self.value.shape)

    def get_shape(self) -> TensorShape:
        """The sizes that are known, as TensorFlow 1 spells it: a tuple with None for the others."""
        return TensorShape(self.shape.as_list())

    @property
    def dtype(self) -> DType:
        return self.value.dtype

    @property
    def ndim(self) -> int:
        return len(self.value.shape)

    @property
    def type(self) -> TensorType:
        return self.value.type

    def __repr__(self) -> str:
        name = f" {self.name!r}" if self.name else ""
        return f"<{type(self).__name__}{name} {self.value.type}, {describe(self.value)}>"

    def __hash__(self) -> int:
        return id(self)

    def __bool__(self) -> bool:
        raise TypeError(
            "a symbolic tensor has no truth value while the graph is built; "
            f"use symgraph.where for a choice inside the graph ({describe(self.value)})"
        )

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d tensor")
        if not isinstance(self.shape[0], int):
            raise TypeError(f"the size of axis 0 is not known while the graph is built ({describe(self.value)})")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __float__(self) -> float:
        raise TypeError(
            f"a symbolic tensor has no value while the graph is built; compile a function ({describe(self.value)})"
        )

    __int__ = __index__ = __float__

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray[Any, Any]:
        raise TypeError(f"a symbolic tensor cannot become a NumPy array; compile a function ({describe(self.value)})")

    def eval(self, feed_dict: Mapping[Tensor, Any] | None = None, session: Any = None) -> Any:
        """The value, computed at once, as Theano and TensorFlow 1 have it; to compute it often, compile a function.

        Args:
            feed_dict: the values of the placeholders that it depends on.
            session: what runs it, by ``session.run(tensor, feed_dict)``.

        Raises:
            GraphError: for a placeholder without a value.

        Example:
            >>> x = placeholder((2,))
            >>> (2 * x).eval({x: [1, 2]})
            array([2., 4.], dtype=float32)
        """
        values = feed_dict or {}
        return evaluated(self, values) if session is None else session.run(self, values)

    def _repr_svg_(self) -> str | None:
        """What computes it, as a picture for notebooks; None for very much."""
        return drawn(self)

    # -- arithmetic -------------------------------------------------------------------------------------------------
    def __add__(self, other: TensorLike) -> Tensor:
        return numeric.add(self, other)

    def __radd__(self, other: TensorLike) -> Tensor:
        return numeric.add(other, self)

    def __sub__(self, other: TensorLike) -> Tensor:
        return numeric.subtract(self, other)

    def __rsub__(self, other: TensorLike) -> Tensor:
        return numeric.subtract(other, self)

    def __mul__(self, other: TensorLike) -> Tensor:
        return numeric.multiply(self, other)

    def __rmul__(self, other: TensorLike) -> Tensor:
        return numeric.multiply(other, self)

    def __truediv__(self, other: TensorLike) -> Tensor:
        return numeric.divide(self, other)

    def __rtruediv__(self, other: TensorLike) -> Tensor:
        return numeric.divide(other, self)

    def __floordiv__(self, other: TensorLike) -> Tensor:
        return numeric.floor_divide(self, other)

    def __rfloordiv__(self, other: TensorLike) -> Tensor:
        return numeric.floor_divide(other, self)

    def __mod__(self, other: TensorLike) -> Tensor:
        return numeric.mod(self, other)

    def __rmod__(self, other: TensorLike) -> Tensor:
        return numeric.mod(other, self)

    def __pow__(self, other: TensorLike) -> Tensor:
        return numeric.power(self, other)

    def __rpow__(self, other: TensorLike) -> Tensor:
        return numeric.power(other, self)

    def __matmul__(self, other: TensorLike) -> Tensor:
        return products.matmul(self, other)

    def __rmatmul__(self, other: TensorLike) -> Tensor:
        return products.matmul(other, self)

    def __neg__(self) -> Tensor:
        return numeric.negative(self)

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Tensor:
        return numeric.abs(self)

    def __lt__(self, other: TensorLike) -> Tensor:
        return numeric.less(self, other)

    def __le__(self, other: TensorLike) -> Tensor:
        return numeric.less_equal(self, other)

    def __gt__(self, other: TensorLike) -> Tensor:
        return numeric.greater(self, other)

    def __ge__(self, other: TensorLike) -> Tensor:
        return numeric.greater_equal(self, other)

    def __and__(self, other: TensorLike) -> Tensor:
        return numeric.bitwise_and(self, other)

    def __rand__(self, other: TensorLike) -> Tensor:
        return numeric.bitwise_and(other, self)

    def __or__(self, other: TensorLike) -> Tensor:
        return numeric.bitwise_or(self, other)

    def __ror__(self, other: TensorLike) -> Tensor:
        return numeric.bitwise_or(other, self)

    def __xor__(self, other: TensorLike) -> Tensor:
        return numeric.bitwise_xor(self, other)

    def __rxor__(self, other: TensorLike) -> Tensor:
        return numeric.bitwise_xor(other, self)

    def __invert__(self) -> Tensor:
        return numeric.invert(self)

    def __lshift__(self, other: TensorLike) -> Tensor:
        return numeric.left_shift(self, other)

    def __rshift__(self, other: TensorLike) -> Tensor:
        return numeric.right_shift(self, other)

    # -- shape ------------------------------------------------------------------------------------------------------
    def __getitem__(self, key: Any) -> Tensor:
        return subscripts.getitem(self, key)

    @property
    def T(self) -> Tensor:
        return shaping.transpose(self)

    def reshape(self, *shape: Any) -> Tensor:
        """NumPy's ``reshape``: sizes as arguments or one tuple, -1 for at most one."""
        wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        return shaping.reshape(self, wanted)

    def transpose(self, *axes: Any) -> Tensor:
        order = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
        return shaping.transpose(self, order or None)

    def dimshuffle(self, *pattern: Any) -> Tensor:
        """Theano's ``dimshuffle``: axes in a new order, ``"x"`` for a new axis of size 1."""
        return shaping.dimshuffle(self, *pattern)

    def flatten(self) -> Tensor:
        return shaping.reshape(self, (-1,))

    def astype(self, dtype: Any) -> Tensor:
        return numeric.cast(self, dtype)

    # -- reductions -------------------------------------------------------------------------------------------------
    def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return reducing.sum(self, axis, keepdims)

    def prod(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return reducing.prod(self, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return reducing.mean(self, axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return reducing.max(self, axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return reducing.min(self, axis, keepdims)

    def argmax(self, axis: int | None = None) -> Tensor:
        return reducing.argmax(self, axis)

    def argmin(self, axis: int | None = None) -> Tensor:
        return reducing.argmin(self, axis)

    def dot(self, other: TensorLike) -> Tensor:
        return products.dot(self, other)


def placeholder(shape: Sequence[int | Dim | None] = (), dtype: Any = "float32", name: str | None = None) -> Tensor:
    """An input of functions, of ``dtype``; ``None`` stands for a size that is known only when a function is called.

    Raises:
        ShapeError: for a negative or non-integer size.
        DTypeError: for an unknown dtype.

    Example:
        >>> placeholder((None, 3)).ndim
        2
    """
    sizes: list[Dim] = []
    for size in shape:
        if size is None:
            sizes.append(fresh())
        elif isinstance(size, (int, np.integer)):
            if size < 0:
                raise ShapeError(f"placeholder: size {size} in shape {tuple(shape)} is negative")
            sizes.append(int(size))
        elif hasattr(size, "terms"):
            sizes.append(size)
        else:
            raise ShapeError(f"placeholder: size {size!r} in shape {tuple(shape)} is neither an integer nor None")
    type_ = TensorType(as_dtype(dtype), tuple(sizes))
    # The slot of a free placeholder tells placeholders apart; a function gives each its argument position.
    value = tracer.apply(Input(-1, name or "placeholder", type_))
    return Tensor(value, name or "")


def constant(value: Any, dtype: Any = None, name: str = "") -> Tensor:
    """An array that is part of the graph. Python numbers become float32, int64 or bool arrays; arrays keep their dtype.

    Example:
        >>> str(constant([1.0, 2.0]).dtype)
        'float64'
    """
    array = np.asarray(value)
    if array.dtype == object:
        raise DTypeError(f"constant: {value!r} is not numeric")
    wanted = as_dtype(dtype) if dtype is not None else as_dtype(array.dtype)
    return Tensor(tracer.constant(array, wanted), name)


def as_value(x: TensorLike, dtype: DType | None = None) -> Value:
    """The graph value of a tensor or array; of ``dtype`` if given (scalars and arrays are converted, tensors cast).

    Raises:
        DTypeError: for what is not numeric.
    """
    if isinstance(x, Tensor):
        return x.value if dtype is None else tracer.cast(x.value, dtype)
    if isinstance(x, (list, tuple)) and any(isinstance(item, Tensor) for item in x):
        return shaping.stack(x).value
    array = np.asarray(x)
    if array.dtype == object or (array.dtype.kind not in "biuf" and array.dtype.name != bfloat16.name):
        raise DTypeError(f"cannot use {type(x).__name__} {x!r} as a tensor")
    return tracer.constant(array, dtype if dtype is not None else as_dtype(array.dtype))


def as_tensor(x: TensorLike, dtype: Any = None) -> Tensor:
    """``x`` as a tensor (itself where it is one of that dtype)."""
    if isinstance(x, Tensor) and (dtype is None or x.dtype == as_dtype(dtype)):
        return x
    return Tensor(as_value(x, as_dtype(dtype) if dtype is not None else None))


def common_dtype(*operands: TensorLike) -> DType:
    """The dtype of arithmetic on these operands (NumPy 2 promotion, scalars weak)."""
    parts: list[Any] = []
    for x in operands:
        if isinstance(x, Tensor):
            parts.append(x.dtype)
        elif isinstance(x, np.generic):  # before float: NumPy's float64 is one
            parts.append(x.item())
        elif isinstance(x, (bool, int, float)):
            parts.append(x)
        else:
            parts.append(as_value(x).dtype)
    return promote(*parts)


# The operators above call these modules, which build on this one.
from . import numeric, products, reducing, shaping, subscripts  # noqa: E402
