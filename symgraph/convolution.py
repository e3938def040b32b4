"""Convolution and pooling in one to three dimensions.

Arrays are ``(batch, *space, channels)`` with ``data_format="channels_last"`` and ``(batch, channels, *space)`` with
``"channels_first"``; kernels are always ``(*window, input channels, output channels)`` and are not flipped.
``padding`` is ``"valid"`` (windows inside only), ``"same"`` (as many results as positions, divided by the stride and
rounded up; what is odd is added at the end), ``"causal"`` (windows end at their position), or pairs of numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, Union

import numpy as np

from .errors import ArgumentError, ShapeError
from .ir.dim_order import maximum
from .ir.dims import Dim, divide_exact, floordiv
from .ir.graph import Value
from .ir.ops.convolution import Conv
from .ir.ops.pooling import MaxPool, cut_blocks, frame_of
from .ir.ops.windows import Windows
from .tensor import Tensor, TensorLike, as_value, common_dtype
from .tracer import tracer

Numbers: TypeAlias = Union[int, Sequence[int]]
Padding: TypeAlias = Union[str, Sequence["Sequence[int]"]]

_FORMATS = ("channels_last", "channels_first")


def conv(
    x: TensorLike, kernel: TensorLike, strides: Numbers = 1, padding: Padding = "valid", dilation: Numbers = 1,
    groups: int = 1, data_format: str = "channels_last",
) -> Tensor:  # fmt: skip
    """Convolution of ``x`` with a kernel ``(*window, channels / groups, filters)``.

    Raises:
        ShapeError: for sizes that do not fit.
        ArgumentError: for an unknown padding or format.
    """
    dtype = common_dtype(x, kernel)
    value, weights = as_value(x, dtype), as_value(kernel, dtype)
    rank = rank_of(value, data_format)
    if weights.type.ndim != rank + 2:
        raise ShapeError(f"conv of {value.type} needs a kernel of {rank + 2} axes, got {weights.type}")
    steps, spread = numbers_of(strides, rank, "strides"), numbers_of(dilation, rank, "dilation")
    space, digits = space_of(rank, data_format), "012"[:rank]
    spans = [(weights.shape[k] - 1) * spread[k] + 1 for k in range(rank)]
    low, sizes = _cut([value.shape[a] for a in space], spans, steps, padding)
    ones = (1,) * rank
    if groups == 1:
        c, f = (f"n{digits}c", f"n{digits}f") if data_format == "channels_last" else (f"nc{digits}", f"nf{digits}")
        spec = f"{c},{digits}cf->{f}"
        return Tensor(tracer.apply(Conv(spec, steps, spread, ones, low, sizes), value, weights))
    shape, last = list(value.shape), data_format == "channels_last"
    at = rank + 1 if last else 1
    each, filters = _share(shape[at], groups), _share(weights.shape[-1], groups)
    value = tracer.reshape(value, [*shape[:at], groups, each, *shape[at + 1 :]])
    weights = tracer.reshape(weights, [*weights.shape[:-1], groups, filters])
    spec = f"n{digits}gc,{digits}cgf->n{digits}gf" if last else f"ngc{digits},{digits}cgf->ngf{digits}"
    result = tracer.apply(Conv(spec, steps, spread, ones, low, sizes), value, weights)
    return Tensor(tracer.reshape(result, [*result.shape[:at], groups * filters, *result.shape[at + 2 :]]))


def conv_transpose(
    x: TensorLike, kernel: TensorLike, output_sizes: Sequence[Dim], strides: Numbers = 1, padding: Padding = "valid",
    dilation: Numbers = 1, data_format: str = "channels_last",
) -> Tensor:  # fmt: skip
    """The transpose of :func:`conv` with a kernel ``(*window, filters, channels)``: what maps its results back to
    arrays of the spatial ``output_sizes``.

    Raises:
        ShapeError: where the convolution of arrays of these sizes gives other ones than those of ``x``.
    """
    dtype = common_dtype(x, kernel)
    value, weights = as_value(x, dtype), as_value(kernel, dtype)
    rank = rank_of(value, data_format)
    steps, spread = numbers_of(strides, rank, "strides"), numbers_of(dilation, rank, "dilation")
    spans = [(weights.shape[k] - 1) * spread[k] + 1 for k in range(rank)]
    low, counts = _cut(output_sizes, spans, steps, padding)
    for axis, count in zip(space_of(rank, data_format), counts, strict=True):
        if isinstance(count, int) and isinstance(value.shape[axis], int) and count != value.shape[axis]:
            raise ShapeError(
                f"conv_transpose of {value.type}: a convolution of the sizes {tuple(output_sizes)} gives {count} "
                f"positions along axis {axis}, not {value.shape[axis]}"
            )
    digits = "012"[:rank]
    starts = [weights.shape[k] - 1 for k in range(rank)] + [0, 0]
    flipped = tracer.slice(weights, starts, weights.shape, [-1] * rank + [1, 1])
    c, f = (f"n{digits}c", f"n{digits}f") if data_format == "channels_last" else (f"nc{digits}", f"nf{digits}")
    offset = tuple(span - 1 - p for span, p in zip(spans, low, strict=True))
    op = Conv(f"{c},{digits}fc->{f}", (1,) * rank, spread, steps, offset, tuple(output_sizes))
    return Tensor(tracer.apply(op, value, flipped))


def depthwise_conv(
    x: TensorLike, kernel: TensorLike, strides: Numbers = 1, padding: Padding = "valid", dilation: Numbers = 1,
    data_format: str = "channels_last",
) -> Tensor:  # fmt: skip
    """Each channel convolved by itself with a kernel ``(*window, channels, multiplier)``; the results of a channel lie
    side by side."""
    dtype = common_dtype(x, kernel)
    value, weights = as_value(x, dtype), as_value(kernel, dtype)
    rank = rank_of(value, data_format)
    steps, spread = numbers_of(strides, rank, "strides"), numbers_of(dilation, rank, "dilation")
    digits, space, last = "012"[:rank], space_of(rank, data_format), data_format == "channels_last"
    spans = [(weights.shape[k] - 1) * spread[k] + 1 for k in range(rank)]
    low, sizes = _cut([value.shape[a] for a in space], spans, steps, padding)
    c, f = (f"n{digits}c", f"n{digits}cm") if last else (f"nc{digits}", f"ncm{digits}")
    result = tracer.apply(Conv(f"{c},{digits}cm->{f}", steps, spread, (1,) * rank, low, sizes), value, weights)
    at = rank + 1 if last else 1
    joined = result.shape[at] * result.shape[at + 1]
    return Tensor(tracer.reshape(result, [*result.shape[:at], joined, *result.shape[at + 2 :]]))


def separable_conv(
    x: TensorLike, depthwise: TensorLike, pointwise: TensorLike, strides: Numbers = 1, padding: Padding = "valid",
    dilation: Numbers = 1, data_format: str = "channels_last",
) -> Tensor:  # fmt: skip
    """:func:`depthwise_conv`, then :func:`conv` with a window of one position."""
    middle = depthwise_conv(x, depthwise, strides, padding, dilation, data_format)
    return conv(middle, pointwise, data_format=data_format)


def local_conv(
    x: TensorLike, kernel: TensorLike, strides: Numbers = 1, padding: Padding = "valid", dilation: Numbers = 1,
    data_format: str = "channels_last",
) -> Tensor:  # fmt: skip
    """Convolution with weights of its own at each position (locally connected): the kernel is
    ``(*positions, *window, channels, filters)``.

    Keras keeps such kernels flat, as ``(positions, window * channels, filters)``: reshape them (with
    ``"channels_first"`` to ``(*positions, channels, *window, filters)``, and move the channels behind the window).

    Raises:
        ShapeError: for sizes that do not fit, such as another number of positions.
        ArgumentError: for an unknown padding or format.
    """
    dtype = common_dtype(x, kernel)
    value, weights = as_value(x, dtype), as_value(kernel, dtype)
    rank = rank_of(value, data_format)
    if weights.type.ndim != 2 * rank + 2:
        raise ShapeError(f"local_conv of {value.type} needs a kernel of {2 * rank + 2} axes, got {weights.type}")
    steps, spread = numbers_of(strides, rank, "strides"), numbers_of(dilation, rank, "dilation")
    space, windows, last = space_of(rank, data_format), weights.shape[rank : 2 * rank], data_format == "channels_last"
    spans = [(windows[k] - 1) * spread[k] + 1 for k in range(rank)]
    low, sizes = _cut([value.shape[a] for a in space], spans, steps, padding)
    for have, count in zip(weights.shape, sizes, strict=False):
        if isinstance(have, int) and isinstance(count, int) and have != count:
            raise ShapeError(f"local_conv of {value.type} has windows at {sizes}, the kernel {weights.type} for others")
    filled = [(n - 1) * s + span for n, s, span in zip(sizes, steps, spans, strict=True)]
    if padding != "valid":
        value = tracer.apply(frame_of(space, low, filled), value)
    cut = tracer.apply(Windows(space, (0,) * rank, steps, spread, sizes, windows), value)
    at, inner = "ABC"[:rank], "PQR"[:rank]
    left, out = (f"n{at}{inner}c", f"n{at}f") if last else (f"nc{at}{inner}", f"nf{at}")
    return Tensor(tracer.contract(f"{left},{at}{inner}cf->{out}", cut, weights))


def max_pool(
    x: TensorLike, window: Numbers, strides: Numbers | None = None, padding: Padding = "valid",
    data_format: str = "channels_last",
) -> Tensor:  # fmt: skip
    """The largest element of each window (``strides``: the window's size). The gradient goes to the first of several
    largest ones."""
    value = as_value(x)
    rank = rank_of(value, data_format)
    space, sizes = space_of(rank, data_format), numbers_of(window, rank, "window")
    steps = sizes if strides is None else numbers_of(strides, rank, "strides")
    low, counts = _cut([value.shape[a] for a in space], sizes, steps, padding)
    return Tensor(tracer.apply(MaxPool(space, sizes, steps, low, counts), value))


def avg_pool(
    x: TensorLike, window: Numbers, strides: Numbers | None = None, padding: Padding = "valid",
    data_format: str = "channels_last",
) -> Tensor:  # fmt: skip
    """The mean of each window (``strides``: the window's size) over its positions inside the operand."""
    value = as_value(x)
    rank = rank_of(value, data_format)
    space, sizes = space_of(rank, data_format), numbers_of(window, rank, "window")
    steps = sizes if strides is None else numbers_of(strides, rank, "strides")
    low, counts = _cut([value.shape[a] for a in space], sizes, steps, padding)
    blocks = cut_blocks(tracer, value, space, sizes, steps, low, counts, 0.0)
    total = tracer.sum(blocks.value, blocks.axes)
    if padding == "valid":
        return Tensor(tracer.mul(total, 1.0 / float(np.prod(sizes))))
    frame = tracer.full(tuple(d if k in space else 1 for k, d in enumerate(value.shape)), 1, value.dtype)
    inside = cut_blocks(tracer, frame, space, sizes, steps, low, counts, 0.0)
    return Tensor(tracer.div(total, tracer.sum(inside.value, inside.axes)))


# -- parts ------------------------------------------------------------------------------------------------------


def rank_of(x: Value, data_format: str) -> int:
    if data_format not in _FORMATS:
        raise ArgumentError(f"data_format {data_format!r} is none of " + ", ".join(_FORMATS))
    rank = x.type.ndim - 2
    if not 1 <= rank <= 3:
        raise ShapeError(f"convolution and pooling take arrays of 3 to 5 axes, got {x.type}")
    return rank


def space_of(rank: int, data_format: str) -> tuple[int, ...]:
    """The spatial axes."""
    first = 1 if data_format == "channels_last" else 2
    return tuple(range(first, first + rank))


def numbers_of(value: Numbers, rank: int, what: str) -> tuple[int, ...]:
    numbers = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(numbers) != rank or any(n < 1 for n in numbers):
        raise ArgumentError(f"{what} {value!r}: {rank} natural numbers are needed")
    return numbers


def _share(size: Dim, groups: int) -> Dim:
    share = divide_exact(size, groups)
    if share is None:
        raise ShapeError(f"{size} channels do not fall into {groups} groups")
    return share


def _cut(
    sizes: Sequence[Dim], spans: Sequence[Dim], strides: Sequence[int], padding: Padding
) -> tuple[tuple[Dim, ...], tuple[Dim, ...]]:
    """Padding at the beginning, and the number of windows, along each axis."""
    low: list[Dim] = []
    counts: list[Dim] = []
    for k, (size, span, stride) in enumerate(zip(sizes, spans, strides, strict=True)):
        before: Dim = 0
        if padding == "valid":
            count = floordiv(size - span, stride) + 1
        elif padding == "same":
            count = floordiv(size + (stride - 1), stride)
            missing = maximum((count - 1) * stride + span - size, 0)
            before = floordiv(missing, 2)
        elif padding == "causal":
            before, count = span - 1, floordiv(size - 1, stride) + 1
        elif isinstance(padding, str):
            raise ArgumentError(f"padding {padding!r} is none of valid, same, causal")
        else:
            before, after = padding[k]
            count = floordiv(size + before + after - span, stride) + 1
        if isinstance(count, int) and count < 0:
            raise ShapeError(f"a window of {span} positions does not fit an axis of size {size}")
        low.append(before)
        counts.append(count)
    return tuple(low), tuple(counts)
