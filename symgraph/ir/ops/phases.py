"""Convolutions of a spaced operand, without the zeros between its elements.

Which positions of the kernel meet elements, and not zeros, depends on the result's position modulo some period. For
each such phase the result is a dense convolution with a part of the kernel; the phases of an axis are put together like
the teeth of combs. That is every transposed convolution with strides, and the data gradient of every strided one: a
stride of 2 in two dimensions saves three of four multiplications (W. Shi et al., "Is the deconvolution layer the same
as a convolutional layer?", 2016).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from ..dims import Dim, floordiv
from ..emitter import Emitter
from ..graph import Value

if TYPE_CHECKING:
    from .convolution import Conv

T = TypeVar("T")
#: Products that one element of the result sums at each position of the window: for fewer, the joining costs more than
#: the zeros.
LEAST = 8


def by_phases(e: Emitter, conv: Conv, x: Value, kernel: Value) -> Value | None:
    """``conv`` with the first of its spaced axes taken apart; None where there is none, or where it does not pay."""
    k = next((k for k, spacing in enumerate(conv.spacings) if spacing > 1), None)
    low = 0 if k is None else conv.low[k]
    if k is None or not isinstance(low, int) or not _pays(conv, kernel):
        return None
    digit = conv.digits[k]
    _, b, out = conv.labels
    axis, window = out.index(digit), b.index(digit)
    spacing, stride, dilation, size = conv.spacings[k], conv.strides[k], conv.dilations[k], conv.sizes[k]
    period, hop = spacing // math.gcd(stride, spacing), spacing // math.gcd(dilation, spacing)
    each = _ceil(size, period)

    def of_phase(first: int, start: int, taps: Dim) -> Value:
        """The results ``r, r + period, ...``, whose first meets element ``start`` of x at position ``first`` of the
        kernel."""
        starts, sizes, steps = [0] * kernel.type.ndim, list(kernel.shape), [1] * kernel.type.ndim
        starts[window], sizes[window], steps[window] = first, taps, hop
        dense = replace(
            conv, strides=_with(conv.strides, k, stride * period // spacing),
            dilations=_with(conv.dilations, k, dilation * hop // spacing), spacings=_with(conv.spacings, k, 1),
            low=_with(conv.low, k, -start), sizes=_with(conv.sizes, k, each),
        )  # fmt: skip
        return e.apply(dense, x, e.slice(kernel, starts, sizes, steps))

    pieces: list[Value] = []
    shape = conv.infer(e.facts, x.type, kernel.type)[0].shape
    for r in range(period):
        before = r * stride - low
        first = next((p for p in range(hop) if (before + p * dilation) % spacing == 0), hop)
        taps = _ceil(kernel.shape[window] - first, hop) if first < hop else 0
        if taps == 0:
            pieces.append(e.full(_with(shape, axis, each), 0, x.dtype))
        else:
            pieces.append(of_phase(first, (before + first * dilation) // spacing, taps))
    return _comb(e, pieces, axis, size)


def _pays(conv: Conv, kernel: Value) -> bool:
    _, b, out = conv.labels
    summed = [d for c, d in zip(b, kernel.shape, strict=True) if c not in out]
    known = math.prod(d for d in summed if isinstance(d, int))
    return known >= LEAST or (bool(summed) and not all(isinstance(d, int) for d in summed))


def _comb(e: Emitter, pieces: list[Value], axis: int, size: Dim) -> Value:
    """Element ``i`` along ``axis`` from piece ``i`` modulo their number."""
    if len(pieces) == 1:
        return pieces[0]
    shape = pieces[0].shape
    teeth = [e.reshape(y, (*shape[: axis + 1], 1, *shape[axis + 1 :])) for y in pieces]
    length = shape[axis] * len(pieces)
    joined = e.reshape(e.concatenate(teeth, axis + 1), _with(shape, axis, length))
    if length == size:
        return joined
    return e.slice(joined, (0,) * len(shape), _with(shape, axis, size))


def _ceil(size: Dim, by: int) -> Dim:
    return floordiv(size + (by - 1), by)


def _with(values: tuple[T, ...], k: int, value: T) -> tuple[T, ...]:
    return (*values[:k], value, *values[k + 1 :])


__all__ = ["by_phases"]
