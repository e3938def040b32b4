"""Making, joining, cutting and choosing tensors, under TensorFlow's names."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import symgraph as sg
from symgraph import Tensor

from .. import backend as K

__all__ = [
    "broadcast_to",
    "cast",
    "concat",
    "cond",
    "constant",
    "convert_to_tensor",
    "custom_gradient",
    "expand_dims",
    "eye",
    "fill",
    "gather",
    "gather_nd",
    "gradients",
    "identity",
    "lin_space",
    "linspace",
    "map_fn",
    "meshgrid",
    "newaxis",
    "one_hot",
    "ones",
    "ones_like",
    "pad",
    "range",
    "rank",
    "repeat",
    "reshape",
    "reverse",
    "roll",
    "scatter_nd",
    "sequence_mask",
    "shape",
    "size",
    "slice",
    "split",
    "squeeze",
    "stack",
    "stop_gradient",
    "tile",
    "to_float",
    "to_int32",
    "to_int64",
    "transpose",
    "unstack",
    "where",
    "while_loop",
    "zeros",
    "zeros_like",
]
#: As a subscript, a new axis of size 1.
newaxis = None


def tensor(x: Any, dtype: Any = None) -> Tensor:
    """``x`` as TensorFlow would take it: Python floats, and lists of them, are float32, and integers int32."""
    if dtype is None and not isinstance(x, (Tensor, np.ndarray, np.generic)):
        if isinstance(x, (list, tuple)) and any(isinstance(part, Tensor) for part in x):
            return sg.stack(list(x))
        kind = np.asarray(x).dtype.kind
        dtype = {"f": "float32", "i": "int32"}.get(kind)
    done = sg.as_tensor(x)
    return done if dtype is None else sg.cast(done, dtype)


def constant(value: Any, dtype: Any = None, shape: Sequence[int] | None = None, name: str | None = None) -> Tensor:
    """``value``, spread over ``shape`` where that is given."""
    made = tensor(value, dtype)
    return made if shape is None else sg.broadcast_to(made, tuple(shape)) if made.ndim == 0 else sg.reshape(made, shape)


def convert_to_tensor(value: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """``value`` as a tensor."""
    return tensor(value, dtype)


def cast(x: Any, dtype: Any, name: str | None = None) -> Tensor:
    """``x`` as another element type."""
    return sg.cast(x, dtype)


def to_float(x: Any, name: str | None = None) -> Tensor:
    """``x`` as float32."""
    return sg.cast(x, "float32")


def to_int32(x: Any, name: str | None = None) -> Tensor:
    """``x`` as int32."""
    return sg.cast(x, "int32")


def to_int64(x: Any, name: str | None = None) -> Tensor:
    """``x`` as int64."""
    return sg.cast(x, "int64")


def zeros(shape: Any, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """Zeros; a size of ``shape`` may be one of ``tf.shape``."""
    return sg.zeros(_sizes(shape), dtype)


def ones(shape: Any, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """Ones; a size of ``shape`` may be one of ``tf.shape``."""
    return sg.ones(_sizes(shape), dtype)


def fill(dims: Any, value: Any, name: str | None = None) -> Tensor:
    """``value`` everywhere."""
    made = tensor(value)
    return sg.full(_sizes(dims), made, made.dtype)


def zeros_like(input: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Zeros of ``input``'s shape."""
    made = sg.zeros_like(sg.as_tensor(input))
    return made if dtype is None else sg.cast(made, dtype)


def ones_like(input: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Ones of ``input``'s shape."""
    made = sg.ones_like(sg.as_tensor(input))
    return made if dtype is None else sg.cast(made, dtype)


def eye(num_rows: Any, num_columns: Any = None, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """Ones on the diagonal."""
    return sg.eye(num_rows, num_columns, dtype=dtype)


def linspace(start: Any, stop: Any, num: int, name: str | None = None) -> Tensor:
    """``num`` numbers from ``start`` to ``stop``, both included."""
    return sg.linspace(tensor(start), tensor(stop), num)


lin_space = linspace


def meshgrid(*args: Any, indexing: str = "xy", name: str | None = None) -> list[Tensor]:
    """The coordinates of a grid's points, an array for each axis."""
    return sg.meshgrid(*(tensor(x) for x in args), indexing=indexing)


def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """Elements moved along axes; what leaves at one end comes in at the other."""
    return sg.roll(input, shift, axis)


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = None) -> Tensor:
    """Numbers from ``start`` (0 where only one is given) up to ``limit``."""
    if dtype is None:
        dtype = "float32" if any(isinstance(part, float) for part in (start, limit, delta)) else "int32"
    return sg.arange(start, limit, delta, dtype)


def shape(input: Tensor, out_type: Any = None, name: str | None = None) -> Any:
    """The symbolic shape: a tuple whose entries serve wherever a size is given."""
    return K.shape(input)


def size(input: Any, out_type: Any = "int32", name: str | None = None) -> Tensor:
    """The number of elements."""
    return sg.cast(sg.size(input), out_type)


def rank(input: Any, name: str | None = None) -> int:
    """The number of axes."""
    return sg.as_tensor(input).ndim


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """The same elements in another shape."""
    return sg.reshape(tensor, _sizes(shape))


def transpose(a: Any, perm: Sequence[int] | None = None, name: str | None = None) -> Tensor:
    """Axes in another order."""
    return sg.transpose(a, perm)


def expand_dims(input: Any, axis: int | None = None, name: str | None = None, dim: int | None = None) -> Tensor:
    """A new axis of size 1; ``dim`` is TensorFlow 1's name of ``axis``."""
    where_to = axis if axis is not None else dim
    if where_to is None:
        raise TypeError("tf.expand_dims needs axis")
    return sg.expand_dims(input, where_to)


def squeeze(input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None) -> Tensor:
    """Without axes of size 1."""
    return sg.squeeze(input, axis if axis is not None else squeeze_dims)


def concat(values: Sequence[Any], axis: int, name: str | None = None) -> Any:
    """Tensors joined along an axis; parts of a shape, a shape."""
    return K.concatenate(values, axis)


def stack(values: Sequence[Any], axis: int = 0, name: str | None = None) -> Any:
    """Tensors along a new axis; sizes, a shape."""
    return K.stack(values, axis)


def unstack(value: Any, num: int | None = None, axis: int = 0, name: str | None = None) -> list[Tensor]:
    """The tensors along an axis."""
    return sg.unstack(value, axis)


def split(value: Any, num_or_size_splits: Any, axis: int = 0, name: str | None = None) -> list[Tensor]:
    """Parts along an axis: so many equal ones, or of these sizes (-1: what remains)."""
    if isinstance(num_or_size_splits, int):
        return sg.split(value, num_or_size_splits, axis)
    sizes = [int(size) for size in num_or_size_splits]
    if -1 in sizes:
        total = sg.as_tensor(value).shape[axis]
        if not isinstance(total, int):
            raise ValueError(f"tf.split: a size of -1 needs axis {axis} to be known, in {sg.as_tensor(value)}")
        sizes[sizes.index(-1)] = total - sum(sizes) - 1
    return sg.split(value, [int(end) for end in np.cumsum(sizes)[:-1]], axis)


def slice(input_: Tensor, begin: Sequence[Any], size: Sequence[Any], name: str | None = None) -> Tensor:
    """A block of ``input_``; a size of -1 reaches to the end."""
    key = tuple(
        builtins.slice(start, None if isinstance(count, int) and count == -1 else start + count)
        for start, count in zip(begin, size, strict=True)
    )
    return sg.as_tensor(input_)[key]


def gather(params: Any, indices: Any, axis: int = 0, name: str | None = None) -> Tensor:
    """The entries of ``params`` along an axis that ``indices`` name."""
    return sg.take(params, indices, axis)


def gather_nd(params: Any, indices: Any, name: str | None = None) -> Tensor:
    """The entries that the rows of ``indices`` name."""
    return sg.gather_nd(params, indices)


def scatter_nd(indices: Any, updates: Any, shape: Any, name: str | None = None) -> Tensor:
    """Zeros of ``shape`` with ``updates`` added where ``indices`` say."""
    return sg.scatter_nd(indices, updates, _sizes(shape))


def tile(input: Tensor, multiples: Any, name: str | None = None) -> Tensor:
    """``input`` laid side by side ``multiples[i]`` times along axis ``i``."""
    return K.tile(input, multiples)


def repeat(input: Any, repeats: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """Each entry several times in a row."""
    return sg.repeat(input, repeats, axis)


def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """Axes from back to front."""
    return sg.flip(tensor, axis if isinstance(axis, int) else tuple(axis))


def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """``input`` spread over ``shape``."""
    return sg.broadcast_to(input, _sizes(shape))


def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: float = 0, name: str | None = None
) -> Tensor:
    """``tensor`` with a border: constant, ``"REFLECT"`` or ``"SYMMETRIC"``."""
    widths = [(int(before), int(after)) for before, after in paddings]
    if mode.upper() == "CONSTANT":
        return sg.pad(tensor, widths, "constant", constant_values)
    return sg.pad(tensor, widths, mode.lower())


def one_hot(
    indices: Any,
    depth: int,
    on_value: float = 1.0,
    off_value: float = 0.0,
    axis: int = -1,
    dtype: Any = "float32",
    name: str | None = None,
) -> Tensor:
    """``on_value`` at each index along a new axis, and ``off_value`` elsewhere."""
    made = sg.one_hot(indices, depth, dtype)
    if (on_value, off_value) != (1, 0):
        made = made * (on_value - off_value) + off_value
    return made if axis in (-1, made.ndim - 1) else sg.moveaxis(made, -1, axis)


def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = "bool", name: str | None = None) -> Tensor:
    """True for the first ``lengths[i]`` of ``maxlen`` places.

    Raises:
        ValueError: without ``maxlen``: the longest of a batch is a value, and shapes do not depend on values.
    """
    if maxlen is None:
        raise ValueError("tf.sequence_mask needs maxlen here: the shape of a tensor never depends on values")
    counts = sg.expand_dims(lengths, -1)
    return sg.cast(sg.less(sg.cast(sg.arange(maxlen), counts.dtype), counts), dtype)


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """``x`` where ``condition`` holds, and ``y`` elsewhere.

    Raises:
        ValueError: without ``x`` and ``y``: the number of places that hold is a value, and shapes do not depend on
            values.
    """
    if x is None or y is None:
        raise ValueError(
            "tf.where needs x and y here: the shape of a tensor never depends on values, as the places of tf.where "
            "alone would; choose with tf.where(condition, x, y), or multiply by the condition as a mask"
        )
    kept, chosen, other = sg.as_tensor(condition), tensor(x), tensor(y)
    if kept.ndim == 1 and chosen.ndim > 1 and chosen.ndim == other.ndim:  # TensorFlow 1 chooses rows
        kept = sg.reshape(kept, [kept.shape[0], *[1] * (chosen.ndim - 1)])
    return sg.where(kept, chosen, other)


def identity(input: Any, name: str | None = None) -> Tensor:
    """``input``."""
    return tensor(input)


def stop_gradient(input: Any, name: str | None = None) -> Tensor:
    """``input``, through which no gradient flows."""
    return sg.stop_gradient(input)


custom_gradient = sg.custom_gradient


def gradients(ys: Any, xs: Any, name: str | None = None) -> list[Any]:
    """What ``ys`` (their sum, where there are several) changes by each of ``xs``; None where there is no way."""
    parts = list(ys) if isinstance(ys, (list, tuple)) else [ys]
    return K.gradients(sum(sg.sum(part) for part in parts[1:]) + sg.sum(parts[0]), xs)


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any], name: str | None = None) -> Any:
    """What ``true_fn`` gives where ``pred`` holds, else what ``false_fn`` gives."""
    return sg.cond(pred, true_fn, false_fn)


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: Any = None,
    name: str | None = None,
) -> Any:
    """``body`` as long as ``cond`` holds."""
    return sg.while_loop(cond, body, loop_vars, maximum_iterations)


def map_fn(fn: Callable[..., Any], elems: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """``fn`` on every row."""
    return K.map_fn(fn, elems, dtype=dtype)


def _sizes(shape: Any) -> Any:
    """``shape`` as sizes: numbers, sizes of ``tf.shape``, None as what remains."""
    if isinstance(shape, Tensor):
        raise TypeError(f"a shape of numbers or of sizes from tf.shape is needed, and {shape} is computed by a graph")
    parts = [shape] if not isinstance(shape, (list, tuple, np.ndarray)) else shape
    return tuple(-1 if part is None else int(part) if isinstance(part, np.integer) else part for part in parts)
