"""``x[key]`` and its counterparts that write: take, gather, set_subtensor, inc_subtensor."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np

from .dtypes import bool_, int64
from .errors import ArgumentError, ShapeError
from .ir.checks import normalize_axis
from .ir.dim_order import is_nonnegative, least_sizes, maximum, minimum, raised
from .ir.dims import Dim, SymDim
from .ir.graph import Value
from .ir.ops.gathering import GatherNd, Take, TakeAlong
from .ir.ops.scatter import ScatterAdd, ScatterSet
from .tensor import Tensor, TensorLike, as_tensor, as_value
from .tracer import tracer


class _Key(Enum):
    """What an entry of a key does to the shape."""

    NEW = "a new axis"
    SLICE = "an axis that stays"
    ARRAY = "an axis that index arrays take"
    NUMBER = "an axis that goes"


class Subscript:
    """One ``x[keys]``: a slice of every axis, then index arrays, then axes dropped and added.

    ``starts, sizes, steps`` are the slice; ``arrays`` the index arrays by axis, integers beside them among these, as in
    NumPy; ``entries`` says what each key is, with the number of its axis.
    """

    def __init__(self, x: Tensor, key: Any) -> None:
        self.x = x
        self.starts: list[Dim] = []
        self.sizes: list[Dim] = []
        self.steps: list[int] = []
        self.arrays: dict[int, Value] = {}
        self.entries: list[tuple[_Key, int]] = []
        keys = _expanded(x, key)
        are_arrays = any(isinstance(k, (Tensor, np.ndarray, list)) for k in keys)
        for k in keys:
            if k is None:
                self.entries.append((_Key.NEW, -1))
            else:
                self._axis(k, are_arrays)

    def _axis(self, key: Any, are_arrays: bool) -> None:
        axis = len(self.starts)
        size = self.x.shape[axis]
        if isinstance(key, slice):
            self._add(*slice_positions(key, size, axis))
            self.entries.append((_Key.SLICE, axis))
        elif _is_integer(key):
            position: Dim = int(key) if key >= 0 else size + int(key)
            if isinstance(position, int) and (position < 0 or (isinstance(size, int) and position >= size)):
                raise ShapeError(f"index {key} is out of bounds for axis {axis} of size {size}")
            if are_arrays:
                self.arrays[axis] = tracer.size(position)
                self._add(0, size, 1)
            else:
                self._add(position, 1, 1)
            self.entries.append((_Key.ARRAY if are_arrays else _Key.NUMBER, axis))
        elif isinstance(key, (Tensor, np.ndarray, list)):
            value = as_value(key)
            if value.dtype == bool_:
                raise ArgumentError(
                    "a mask known only when run gives a result of unknown size; use where, or multiply by the mask"
                )
            if not value.dtype.is_integer:
                raise ArgumentError(f"an index array of axis {axis} has dtype {value.dtype}; indices are integers")
            self.arrays[axis] = value
            self._add(0, size, 1)
            self.entries.append((_Key.ARRAY, axis))
        else:
            raise ArgumentError(f"cannot index with {type(key).__name__} {key!r}")

    def _add(self, start: Dim, size: Dim, step: int) -> None:
        self.starts.append(start)
        self.sizes.append(size)
        self.steps.append(step)

    # -- reading --------------------------------------------------------------------------------------------------
    def read(self) -> Tensor:
        value = tracer.slice(self.x.value, self.starts, self.sizes, self.steps)
        if self._is_take:
            ((axis, indices),) = self.arrays.items()
            value = tracer.apply(Take(axis), value, indices)
        elif self.arrays:
            gathered = tracer.apply(GatherNd(), tracer.transpose(value, self._array_first()), self._vectors())
            value = tracer.transpose(gathered, self._placed(gathered.type.ndim))
        return Tensor(tracer.reshape(value, self._shape()))

    @property
    def _is_take(self) -> bool:
        return len(self.arrays) == 1

    def _shape(self, new_axes: bool = True) -> list[Dim]:
        """The shape of the result, with the new axes or without."""
        rows: list[Dim] = list(tracer.align(list(self.arrays.values()))[0].shape) if self.arrays else []
        shape: list[Dim] = [] if self._are_neighbours() else list(rows)
        waiting = rows if self._are_neighbours() else []
        for kind, axis in self.entries:
            if kind is _Key.NEW and new_axes:
                shape.append(1)
            elif kind is _Key.SLICE:
                shape.append(self.sizes[axis])
            elif kind is _Key.ARRAY:
                shape += waiting
                waiting = []
        return shape

    def _are_neighbours(self) -> bool:
        """Whether no slice and no new axis stands between the index arrays."""
        places = [i for i, (kind, _) in enumerate(self.entries) if kind is _Key.ARRAY]
        return not places or places[-1] - places[0] == len(places) - 1

    def _array_first(self) -> list[int]:
        """The axes with those of the arrays in front."""
        return [*self.arrays, *(k for k in range(self.x.ndim) if k not in self.arrays)]

    def _vectors(self) -> Value:
        """The arrays side by side along a new last axis."""
        wide = tracer.align([tracer.cast(v, int64) for v in self.arrays.values()])
        return tracer.concatenate([tracer.expand_dims(v, [v.type.ndim]) for v in wide], wide[0].type.ndim)

    def _placed(self, ndim: int) -> list[int]:
        """The order of the gathered axes in the result: where neighbouring arrays stand, else first (as in NumPy)."""
        width = ndim - (self.x.ndim - len(self.arrays))
        before = min(self.arrays) if self._are_neighbours() else 0
        return [*range(width, width + before), *range(width), *range(width + before, ndim)]

    # -- writing --------------------------------------------------------------------------------------------------
    def write(self, y: TensorLike, add: bool) -> Tensor:
        """``x`` with ``y`` added to, or put in the place of, what :meth:`read` gives."""
        new = tracer.broadcast_to(as_value(y, self.x.dtype), tuple(self._shape()))
        if not self.arrays:
            return Tensor(self._embedded(tracer.reshape(new, self.sizes), add))
        new = tracer.reshape(new, self._shape(new_axes=False))
        block = tracer.slice(self.x.value, self.starts, self.sizes, self.steps)
        if self._is_take:
            ((axis, indices),) = self.arrays.items()
            written = tracer.apply(_scatter(add)("take", axis), block, new, indices)
        else:
            first = self._array_first()
            placed = self._placed(new.type.ndim)
            back = tracer.transpose(new, [placed.index(k) for k in range(len(placed))])
            moved = tracer.apply(_scatter(add)("gather_nd", 0), tracer.transpose(block, first), back, self._vectors())
            written = tracer.transpose(moved, [first.index(k) for k in range(len(first))])
        return Tensor(written if block is self.x.value else self._embedded(written, False))

    def _embedded(self, block: Value, add: bool) -> Value:
        x = self.x.value
        if any(isinstance(d, int) and d == 0 for d in block.shape):
            return x
        placed = tracer.pad(block, self.starts, x.shape, self.steps)
        if add:
            return tracer.add(x, placed)
        inside = tracer.pad(tracer.full(block.shape, True, bool_), self.starts, x.shape, self.steps)
        return tracer.where(inside, placed, x)


def _scatter(add: bool) -> type[ScatterAdd] | type[ScatterSet]:
    return ScatterAdd if add else ScatterSet


def _is_integer(key: Any) -> bool:
    return isinstance(key, (int, np.integer)) and not isinstance(key, (bool, np.bool_))


def _expanded(x: Tensor, key: Any) -> list[Any]:
    """A key for every axis; known masks become positions.

    Raises:
        ShapeError: for too many indices or a mask of another shape.
    """
    keys: list[Any] = []
    for k in key if isinstance(key, tuple) else (key,):
        if isinstance(k, (bool, np.bool_)):
            raise ArgumentError(f"cannot index with {k}; masks are arrays")
        plain = isinstance(k, (list, np.ndarray)) and not _has_tensor(k)
        keys.append(_index_array(k) if plain else k)
    used = sum(_width(k) for k in keys)
    dots = [i for i, k in enumerate(keys) if k is Ellipsis]
    if used > x.ndim or len(dots) > 1:
        raise ShapeError(f"too many indices for {x.type}: {used}")
    at = dots[0] if dots else len(keys)
    keys[at : at + 1] = [slice(None)] * (x.ndim - used)
    out: list[Any] = []
    axis = 0
    for k in keys:
        if isinstance(k, np.ndarray) and k.dtype == bool:
            have = x.shape[axis : axis + k.ndim]
            if any(isinstance(d, int) and d != n for d, n in zip(have, k.shape, strict=True)):
                raise ShapeError(f"a mask of shape {k.shape} for axes {axis} and on of {x.type}")
            out += list(np.nonzero(k))
        else:
            out.append(k)
        axis += _width(k)
    return out


def _width(key: Any) -> int:
    """How many axes a key takes."""
    if key is None or key is Ellipsis:
        return 0
    return key.ndim if isinstance(key, np.ndarray) and key.dtype == bool else 1


def _index_array(key: Any) -> Any:
    """A list or array as an array; what is empty has integers."""
    array = np.asarray(key)
    return array.astype(np.int64) if array.size == 0 and array.dtype != bool else array


def _has_tensor(key: Any) -> bool:
    return isinstance(key, list) and any(isinstance(k, Tensor) or _has_tensor(k) for k in key)


def slice_positions(key: slice, size: Dim, axis: int) -> tuple[Dim, Dim, int]:
    """Start, count and step of a slice of an axis: NumPy's, whatever the size is. Where the count is 0 the start may be
    outside.

    A bound that is itself a size counts from the front. A call is refused (the count is then negative) where such a
    bound, unless it cannot be negative, turns out negative or lies before the start.
    """
    step = 1 if key.step is None else int(key.step)
    if step == 0:
        raise ArgumentError("slice step cannot be zero")
    if isinstance(size, int) and all(b is None or isinstance(b, (int, np.integer)) for b in (key.start, key.stop)):
        positions = range(*key.indices(size))
        return (positions.start if len(positions) else 0), len(positions), step

    first, last = (key.start, key.stop) if step > 0 else (key.stop, key.start)
    shift = 0 if step > 0 else 1  # backwards, positions are one before the cuts between which elements are taken
    low = 0 if first is None else _cut(first, size, shift, axis)
    high = size if last is None else _cut(last, size, shift, axis)
    least = least_sizes(size)  # in an empty axis all bounds are alike
    unsure = [d for d in (first, last) if isinstance(d, SymDim) and not is_nonnegative(raised(d, least))]
    span = high - low
    if not is_nonnegative(span) and (step != 1 or not unsure or isinstance(span, int)):
        span = maximum(span, 0)
    count = (span + (abs(step) - 1)) // abs(step)
    for bound in unsure if step != 1 else ():
        count = count + (size + 1) * minimum(bound, 0)
    if step < 0:
        return high - 1, count, step
    if isinstance(first, SymDim):
        return first, count, step
    return (low if first is None or first < 0 else int(first)), count, step


def _cut(bound: Any, size: Dim, shift: int, axis: int) -> Dim:
    """The place of a bound plus ``shift``, inside the axis; a size that may be negative stays so."""
    if isinstance(bound, SymDim):
        return minimum(bound + shift, size)
    if isinstance(bound, Tensor):
        raise ArgumentError(
            f"slice bound {bound!r} of axis {axis} is known only when run, and sizes are not; where the number of "
            "elements is fixed, index with start + arange(count)"
        )
    if not isinstance(bound, (int, np.integer)):
        raise ArgumentError(f"slice bound {bound!r} of axis {axis} is not an integer")
    return minimum(int(bound) + shift, size) if bound >= 0 else maximum(size + (int(bound) + shift), 0)


def getitem(x: Tensor, key: Any) -> Tensor:
    """``x[key]``: integers, slices, ``...``, ``None``, integer arrays or tensors, and masks known when built.

    Raises:
        ShapeError: for too many indices or one outside its axis.
        ArgumentError: for a key of another kind, such as a mask that is known only when run.
    """
    result = Subscript(x, key).read()
    result.subscript = (x, key)
    return result


def take(x: TensorLike, indices: TensorLike, axis: int | None = 0) -> Tensor:
    """Slices of ``x`` at ``indices`` (integers; negative ones count from the end) along ``axis`` (None: of all elements
    in a row).

    Raises:
        BoundsError: when run, for an index outside the axis.
    """
    value = as_value(x)
    if axis is None:
        value, axis = tracer.reshape(value, [value.type.size]), 0
    return Tensor(tracer.apply(Take(normalize_axis(axis, value.type.ndim, "take")), value, as_value(indices)))


def take_along_axis(x: TensorLike, indices: TensorLike, axis: int = -1) -> Tensor:
    """The element at each index along ``axis``, at the same place along the others, which broadcast.

    Raises:
        BoundsError: when run, for an index outside the axis.
    """
    value, at = as_value(x), as_value(indices)
    axis = normalize_axis(axis, value.type.ndim, "take_along_axis")
    if at.type.ndim != value.type.ndim:
        raise ShapeError(f"take_along_axis of {value.type} with indices {at.type}: ranks differ")
    shapes = [(*v.shape[:axis], 1, *v.shape[axis + 1 :]) for v in (value, at)]
    shape = tracer.facts.broadcast_shapes(*shapes)
    wide = [
        tracer.broadcast_to(v, (*shape[:axis], v.shape[axis], *shape[axis + 1 :])) for v in (value, at)
    ]  # fmt: skip
    return Tensor(tracer.apply(TakeAlong(axis), *wide))


def gather_nd(x: TensorLike, indices: TensorLike) -> Tensor:
    """Slices of ``x`` at the index vectors along the last axis of ``indices``, which index its first axes.

    Raises:
        BoundsError: when run, for an index outside its axis.
    """
    return Tensor(tracer.apply(GatherNd(), as_value(x), as_value(indices)))


def _subscript(t: Tensor, name: str) -> Subscript:
    if t.subscript is None:
        raise ArgumentError(f"{name}: the first argument must be written as x[key]")
    return Subscript(*t.subscript)


def set_subtensor(part: Tensor, y: TensorLike) -> Tensor:
    """``x`` after ``x[key] = y``, for ``part = x[key]`` (Theano's ``set_subtensor``). Where positions repeat, the last
    one stays."""
    return _subscript(part, "set_subtensor").write(y, add=False)


def inc_subtensor(part: Tensor, y: TensorLike) -> Tensor:
    """``x`` after adding ``y`` to ``x[key]``, for ``part = x[key]`` (Theano's ``inc_subtensor``). Where positions
    repeat, all are added (as ``np.add.at``)."""
    return _subscript(part, "inc_subtensor").write(y, add=True)


def put_along_axis(x: TensorLike, indices: TensorLike, values: TensorLike, axis: int = -1) -> Tensor:
    """``x`` with ``values`` (which broadcast) at each index along ``axis``; where positions repeat, the last one
    stays."""
    t = as_tensor(x)
    at = as_value(indices)
    axis = normalize_axis(axis, t.ndim, "put_along_axis")
    new = tracer.broadcast_to(as_value(values, t.dtype), at.shape)
    return Tensor(tracer.apply(ScatterSet(TakeAlong.name, axis), t.value, new, at))


def scatter_nd(indices: TensorLike, updates: TensorLike, shape: Sequence[int | SymDim]) -> Tensor:
    """Zeros of ``shape`` with ``updates`` added at the index vectors of ``indices``."""
    new = as_value(updates)
    zeros = tracer.full(tuple(shape), 0, new.dtype)
    return Tensor(tracer.apply(ScatterAdd(GatherNd.name, 0), zeros, new, as_value(indices)))


__all__ = [
    "gather_nd", "getitem", "inc_subtensor", "put_along_axis", "scatter_nd", "set_subtensor", "take",
    "take_along_axis",
]  # fmt: skip
