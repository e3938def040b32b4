"""Elements in other places: repeated, reversed, moved, padded, cut and joined; NumPy's names and arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, Union

import numpy as np

from .dtypes import int64
from .errors import ArgumentError, ShapeError
from .ir.checks import normalize_axis
from .ir.dims import Dim, SymDim, product
from .ir.ops.gathering import Take
from .ir.ops.moving import Roll
from .numeric import abs as absolute
from .numeric import clip, mod, where
from .shaping import Sizes, broadcast_to, concatenate, expand_dims, full, reshape, transpose
from .subscripts import take
from .tensor import Tensor, TensorLike, as_tensor, as_value, common_dtype
from .tracer import tracer

Axes: TypeAlias = Union[int, Sequence[int]]
#: Rearrangements of a known axis in at most so many runs are slices; others read by index.
MAX_RUNS = 8


def _axes(axis: Axes, ndim: int, name: str) -> list[int]:
    return [normalize_axis(a, ndim, name) for a in ([axis] if isinstance(axis, int) else axis)]


def moveaxis(x: TensorLike, source: Axes, destination: Axes) -> Tensor:
    """Axes moved to other places; the others keep their order."""
    t = as_tensor(x)
    origin, goal = _axes(source, t.ndim, "moveaxis"), _axes(destination, t.ndim, "moveaxis")
    if len(set(origin)) != len(origin) or len(set(goal)) != len(goal) or len(origin) != len(goal):
        raise ArgumentError(f"moveaxis: {source} to {destination} is no one-to-one choice of axes")
    order = [a for a in range(t.ndim) if a not in origin]
    for to, a in sorted(zip(goal, origin, strict=True)):
        order.insert(to, a)
    return transpose(t, order)


def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Tensor:
    """Two axes exchanged."""
    t = as_tensor(x)
    a, b = _axes((axis1, axis2), t.ndim, "swapaxes")
    order = list(range(t.ndim))
    order[a], order[b] = b, a
    return transpose(t, order)


def matrix_transpose(x: TensorLike) -> Tensor:
    """The last two axes exchanged."""
    return swapaxes(x, -1, -2)


def flatten(x: TensorLike) -> Tensor:
    """All elements along one axis."""
    return reshape(x, (-1,))


def atleast_1d(x: TensorLike) -> Tensor:
    """A scalar as a vector; others as they are."""
    t = as_tensor(x)
    return t if t.ndim else expand_dims(t, 0)


def atleast_2d(x: TensorLike) -> Tensor:
    """A scalar or vector as a matrix of one row."""
    t = as_tensor(x)
    return t if t.ndim >= 2 else expand_dims(t, tuple(range(2 - t.ndim)))


def atleast_3d(x: TensorLike) -> Tensor:
    """At least three axes, as ``np.atleast_3d`` adds them."""
    t = as_tensor(x)
    return t if t.ndim >= 3 else expand_dims(t, {0: (0, 1, 2), 1: (0, 2), 2: (2,)}[t.ndim])


def broadcast_arrays(*xs: TensorLike) -> list[Tensor]:
    """All tensors repeated to one shape."""
    return [Tensor(v) for v in tracer.align([as_value(x) for x in xs])]


def vstack(tensors: Sequence[TensorLike]) -> Tensor:
    """Rows one below the other."""
    return concatenate([atleast_2d(t) for t in tensors], 0)


def hstack(tensors: Sequence[TensorLike]) -> Tensor:
    """Side by side: along axis 1, or axis 0 for vectors."""
    parts = [atleast_1d(t) for t in tensors]
    return concatenate(parts, 0 if parts and parts[0].ndim == 1 else 1)


def dstack(tensors: Sequence[TensorLike]) -> Tensor:
    """Along the third axis."""
    return concatenate([atleast_3d(t) for t in tensors], 2)


def unstack(x: TensorLike, axis: int = 0) -> list[Tensor]:
    """The slices along an axis of known size."""
    t = as_tensor(x)
    (at,) = _axes(axis, t.ndim, "unstack")
    return list(moveaxis(t, at, 0))


def tile(x: TensorLike, reps: Sizes) -> Tensor:
    """``x`` laid side by side ``reps[i]`` times along axis ``i`` (counted from the last)."""
    t = as_tensor(x)
    counts: list[Dim] = list(reps) if isinstance(reps, Sequence) else [reps]
    counts = [*[1] * (t.ndim - len(counts)), *counts]
    sizes: list[Dim] = [*[1] * (len(counts) - t.ndim), *t.shape]
    wide: list[Dim] = [d for count, size in zip(counts, sizes, strict=True) for d in (count, size)]
    spread = broadcast_to(reshape(t, [d for size in sizes for d in (1, size)]), wide)
    return reshape(spread, [c * d for c, d in zip(counts, sizes, strict=True)])


def repeat(x: TensorLike, repeats: int | Sequence[int], axis: int | None = None) -> Tensor:
    """Each element (slice along ``axis``) several times in a row; counts are known numbers, one or one for each."""
    t = as_tensor(x)
    if axis is None:
        t, axis = flatten(t), 0
    (at,) = _axes(axis, t.ndim, "repeat")
    if isinstance(repeats, (int, np.integer)):
        shape = list(t.shape)
        spread = broadcast_to(expand_dims(t, at + 1), [*shape[: at + 1], int(repeats), *shape[at + 1 :]])
        return reshape(spread, [*shape[:at], shape[at] * int(repeats), *shape[at + 1 :]])
    counts = np.asarray(repeats)
    if counts.ndim != 1 or len(counts) != t.shape[at]:
        raise ShapeError(f"repeat: {len(counts)} counts for axis {at} of {t.type}")
    return take(t, np.repeat(np.arange(len(counts)), counts), at)


def flip(x: TensorLike, axis: Axes | None = None) -> Tensor:
    """Backwards along some axes (default: all)."""
    t = as_tensor(x)
    backwards = range(t.ndim) if axis is None else _axes(axis, t.ndim, "flip")
    return t[tuple(slice(None, None, -1) if k in backwards else slice(None) for k in range(t.ndim))]


def fliplr(x: TensorLike) -> Tensor:
    """Backwards along axis 1."""
    return flip(x, 1)


def flipud(x: TensorLike) -> Tensor:
    """Backwards along axis 0."""
    return flip(x, 0)


def roll(x: TensorLike, shift: Axes, axis: Axes | None = None) -> Tensor:
    """Elements moved on, those at the end to the front; without an axis over all elements."""
    t = as_tensor(x)
    if axis is None:
        return reshape(roll(flatten(t), shift, 0), t.shape)
    axes = _axes(axis, t.ndim, "roll")
    shifts = [shift] * len(axes) if isinstance(shift, int) else list(shift)
    value = t.value
    for at, by in zip(axes, shifts, strict=True):
        value = tracer.apply(Roll(by, at), value)
    return Tensor(value)


def split(x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Parts along an axis: so many equal ones, or cut before the given positions.

    Raises:
        ShapeError: where a known size has no such equal parts.
    """
    t = as_tensor(x)
    (at,) = _axes(axis, t.ndim, "split")
    size = t.shape[at]
    if not isinstance(indices_or_sections, (int, np.integer)):
        cuts: list[int | None] = [0, *indices_or_sections, None]
        return [_part(t, at, slice(a, b)) for a, b in zip(cuts, cuts[1:])]  # noqa: B905 - pairs of neighbours
    sections = int(indices_or_sections)
    if sections < 1 or (isinstance(size, int) and size % sections):
        raise ShapeError(f"split: axis {at} of {t.type} has no {sections} equal parts")
    apart = reshape(t, [*t.shape[:at], sections, size // sections, *t.shape[at + 1 :]])
    return [_part(apart, at, k) for k in range(sections)]


def array_split(x: TensorLike, sections: int, axis: int = 0) -> list[Tensor]:
    """Parts along an axis, as equal as they can be, the longer ones first."""
    t = as_tensor(x)
    (at,) = _axes(axis, t.ndim, "array_split")
    if sections < 1:
        raise ArgumentError(f"array_split: into {sections} parts")
    starts: list[Dim] = [0] * t.ndim
    sizes, parts = list(t.shape), []
    for k in range(sections):
        sizes[at] = (t.shape[at] + (sections - 1 - k)) // sections
        parts.append(Tensor(tracer.slice(t.value, starts, sizes)))
        starts[at] = starts[at] + sizes[at]
    return parts


def _part(t: Tensor, axis: int, key: Any) -> Tensor:
    keys = (*(slice(None),) * axis, key)
    return t[keys]


# -- padding ----------------------------------------------------------------------------------------------------


def pad(x: TensorLike, pad_width: Any, mode: str = "constant", constant_values: TensorLike = 0) -> Tensor:
    """``x`` with elements put before and after it along each axis, as ``np.pad``.

    Args:
        pad_width: one count, ``(before, after)``, or such a pair for each axis.
        mode: ``"constant"``, ``"edge"``, ``"reflect"`` (without the edge again), ``"symmetric"`` (with it) or
            ``"wrap"``.
        constant_values: the scalar of mode ``"constant"``.

    Raises:
        ArgumentError: for an unknown mode or a negative width.
        BoundsError: when run, for an edge of an axis without elements.
    """
    t = as_tensor(x)
    widths = np.broadcast_to(np.asarray(pad_width, np.int64), (t.ndim, 2)).tolist()
    if any(w < 0 for pair in widths for w in pair):
        raise ArgumentError(f"pad: negative width in {pad_width!r}")
    if mode == "constant":
        return _constant_pad(t, widths, constant_values)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise ArgumentError(f"pad: unknown mode {mode!r}")
    for axis, (before, after) in enumerate(widths):
        if before or after:
            t = _mirrored(t, axis, before, after, mode)
    return t


def _constant_pad(t: Tensor, widths: list[list[int]], fill: TensorLike) -> Tensor:
    if isinstance(fill, (int, float)) and fill == 0:
        shape = [d + a + b for d, (a, b) in zip(t.shape, widths, strict=True)]
        return Tensor(tracer.pad(t.value, [a for a, _ in widths], shape))
    for axis, pair in enumerate(widths):
        sides = [full((*t.shape[:axis], w, *t.shape[axis + 1 :]), fill, t.dtype) for w in pair]
        t = concatenate([part for part, w in ((sides[0], pair[0]), (t, 1), (sides[1], pair[1])) if w], axis)
    return t


def _mirrored(t: Tensor, axis: int, before: int, after: int, mode: str) -> Tensor:
    size = t.shape[axis]
    if isinstance(size, int):
        if size == 0:
            raise ShapeError(f"pad: axis {axis} of {t.type} has no element to repeat")
        return rearranged(t, axis, np.pad(np.arange(size), (before, after), mode=mode))  # type: ignore[call-overload]
    count = Tensor(tracer.size(size, int64))
    places = Tensor(tracer.iota(size + (before + after), int64)) - before
    if mode == "edge":
        at = clip(places, 0, count - 1)
    elif mode == "wrap":
        at = mod(places, count)
    else:
        # A mirror at each end: a walk forth and back, with the edges once (reflect) or twice (symmetric).
        period = count * 2 - 2 if mode == "reflect" else count * 2
        there = mod(places, period)
        back = period - there if mode == "reflect" else period - 1 - there
        at = where(there < count, there, absolute(back))
    return Tensor(tracer.apply(Take(axis), t.value, at.value))


def rearranged(t: Tensor, axis: int, order: np.ndarray[Any, Any]) -> Tensor:
    """The slices of an axis of known size at known positions: as slices where these are a few runs."""
    runs = _runs(order)
    if len(runs) > MAX_RUNS:
        return take(t, order, axis)
    parts: list[Tensor] = []
    for start, count, step in runs:
        if step == 0:
            one = _part(t, axis, slice(start, start + 1))
            parts.append(broadcast_to(one, (*t.shape[:axis], count, *t.shape[axis + 1 :])))
            continue
        stop = start + step * count
        parts.append(_part(t, axis, slice(start, stop if stop >= 0 else None, step)))
    return concatenate(parts, axis)


def _runs(order: np.ndarray[Any, Any]) -> list[tuple[int, int, int]]:
    """``(start, count, step)`` with steps -1, 0 or 1."""
    runs: list[tuple[int, int, int]] = []
    for at in order.tolist():
        if runs:
            start, count, step = runs[-1]
            move = at - (start + step * (count - 1))
            if (count == 1 and move in (-1, 0, 1)) or (count > 1 and move == step):
                runs[-1] = (start, count + 1, move)
                continue
        runs.append((at, 1, 1))
    return runs


def resize(x: TensorLike, shape: Sequence[int | SymDim]) -> Tensor:
    """The elements of ``x``, again and again, under another shape of known size (``np.resize``)."""
    t, total, have = flatten(x), product(shape), as_tensor(x).type.size
    if not isinstance(total, int) or not isinstance(have, int) or have == 0:
        raise ShapeError(f"resize of {as_tensor(x).type} needs known sizes and an element")
    return reshape(_part(tile(t, -(-total // have)), 0, slice(0, total)), shape)


def append(x: TensorLike, values: TensorLike, axis: int | None = None) -> Tensor:
    """``values`` after ``x``; without an axis both flattened."""
    dtype = common_dtype(x, values)
    parts = [as_tensor(v, dtype) for v in (x, values)]
    return concatenate([flatten(p) for p in parts], 0) if axis is None else concatenate(parts, axis)


__all__ = [
    "append", "array_split", "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_arrays", "dstack", "flatten", "flip",
    "fliplr", "flipud", "hstack", "matrix_transpose", "moveaxis", "pad", "repeat", "resize", "roll", "split",
    "swapaxes", "tile", "unstack", "vstack",
]  # fmt: skip
