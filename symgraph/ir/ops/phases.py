"""Convolutions of a spaced operand, without the zeros between its elements.

Which positions of the kernel meet elements, and not zeros, depends on the result's position modulo some period. For
each such phase the result is a dense convolution with a part of the kernel; the phases of an axis are put together like
the teeth of combs. That is every transposed convolution with strides, and the data gradient of every strided one: a
stride of 2 in two dimensions saves three of four multiplications (W. Shi et al., "Is the deconvolution layer the same
as a convolutional layer?", 2016).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from string import ascii_lowercase
from typing import TYPE_CHECKING, TypeVar

from ..dims import Dim, floordiv, static_size
from ..emitter import Emitter
from ..graph import Value

if TYPE_CHECKING:
    from .convolution import Conv

T = TypeVar("T")
#: Products that one element of the result sums at each position of the window: for fewer, the joining costs more than
#: the zeros.
LEAST = 8
#: Phases of an axis that stay convolutions of their own: these run faster than one with all their features, whose
#: columns lie apart. More would be a crowd of kernels.
APART = 3


@dataclass(frozen=True, slots=True)
class _Phases:
    """Results ``r, r + period, ...`` of ``count`` phases r in a row: the first of each meets element ``start`` of the
    operand at position ``first`` of the kernel, which is ``step`` more in the next phase, and then ``taps - 1`` more
    elements."""

    first: int
    step: int
    start: int
    taps: Dim
    count: int = 1


def by_phases(e: Emitter, conv: Conv, x: Value, kernel: Value) -> Value | None:
    """``conv`` with the first of its spaced axes taken apart; None where there is none, or where it does not pay.

    Where there are many phases, neighbours that meet the same elements are one convolution with more features."""
    k = next((k for k, spacing in enumerate(conv.spacings) if spacing > 1), None)
    low = 0 if k is None else conv.low[k]
    if k is None or not isinstance(low, int) or not _pays(conv, kernel):
        return None
    _, b, out = conv.labels
    axis, window = out.index(conv.digits[k]), b.index(conv.digits[k])
    spacing, stride, dilation, size = conv.spacings[k], conv.strides[k], conv.dilations[k], conv.sizes[k]
    period, hop = spacing // math.gcd(stride, spacing), spacing // math.gcd(dilation, spacing)
    each = _ceil(size, period)
    shape = conv.infer(e.facts, x.type, kernel.type)[0].shape
    pieces: list[Value] = []
    for phases in _found(conv, k, low, kernel.shape[window], period, hop):
        if phases.taps == 0:
            pieces.append(e.full((*shape[:axis], each, phases.count, *shape[axis + 1 :]), 0, x.dtype))
            continue
        dense = replace(
            conv, strides=_with(conv.strides, k, stride * period // spacing),
            dilations=_with(conv.dilations, k, dilation * hop // spacing), spacings=_with(conv.spacings, k, 1),
            low=_with(conv.low, k, -phases.start), sizes=_with(conv.sizes, k, each),
        )  # fmt: skip
        if phases.count == 1:
            y = e.apply(dense, x, _part(e, kernel, window, (phases.first, phases.taps, hop)))
            pieces.append(e.reshape(y, (*y.shape[: axis + 1], 1, *y.shape[axis + 1 :])))
        else:
            pieces.append(_together(e, dense, x, kernel, k, phases, hop))
    return _comb(e, pieces, axis, size)


def _found(conv: Conv, k: int, low: int, window: Dim, period: int, hop: int) -> list[_Phases]:
    """The phases of axis ``k``, in order."""
    spacing, stride, dilation = conv.spacings[k], conv.strides[k], conv.dilations[k]
    found: list[_Phases] = []
    for r in range(period):
        before = r * stride - low
        first = next((p for p in range(hop) if (before + p * dilation) % spacing == 0), hop)
        taps = _ceil(window - first, hop) if first < hop else 0
        start = (before + first * dilation) // spacing if taps != 0 else 0
        last = found[-1] if found else None
        alike = last is not None and (last.start, last.taps) == (start, taps) and isinstance(taps, int)
        if last is not None and alike and period > APART:
            # Their positions in the kernel are equally far apart, for the element is the same.
            step = first - last.first if last.count == 1 else last.step
            found[-1] = replace(last, step=step, count=last.count + 1)
        else:
            found.append(_Phases(first, 0, start, taps))
    return found


def _together(e: Emitter, dense: Conv, x: Value, kernel: Value, k: int, phases: _Phases, hop: int) -> Value:
    """Several phases as one convolution, whose features are those of all of them; they are an axis behind the
    convolved one."""
    a, b, out = dense.labels
    axis, window = out.index(dense.digits[k]), b.index(dense.digits[k])
    assert isinstance(phases.taps, int)
    whole = hop * phases.taps
    known = static_size(kernel.shape[window])
    kept = _part(e, kernel, window, (0, min(known, whole), 1))
    kept = e.pad(kept, (0,) * kept.type.ndim, _with(kept.shape, window, whole))
    turns = e.reshape(kept, (*kept.shape[:window], phases.taps, hop, *kept.shape[window + 1 :]))
    turns = _part(e, turns, window + 1, (phases.first, phases.count, phases.step))
    letter = next(c for c in ascii_lowercase if c not in dense.spec)
    feature = next((c for c in b if not c.isdigit() and c not in a), "")
    there, here = b.index(feature) if feature else len(b), out.index(feature) if feature else len(out)
    spec = f"{a},{b[:there]}{letter}{b[there:]}->{out[:here]}{letter}{out[here:]}"
    y = e.apply(replace(dense, spec=spec), x, _moved(e, turns, window + 1, there))
    return _moved(e, y, here, axis + 1)


def _part(e: Emitter, value: Value, axis: int, part: tuple[int, Dim, int]) -> Value:
    """A slice along one axis: its start, size and step."""
    start, size, step = part
    none, ones = (0,) * value.type.ndim, (1,) * value.type.ndim
    return e.slice(value, _with(none, axis, start), _with(value.shape, axis, size), _with(ones, axis, step))


def _moved(e: Emitter, value: Value, source: int, target: int) -> Value:
    """A value whose axis ``source`` is now at ``target``."""
    axes = [k for k in range(value.type.ndim) if k != source]
    return e.transpose(value, (*axes[:target], source, *axes[target:]))


def _pays(conv: Conv, kernel: Value) -> bool:
    _, b, out = conv.labels
    summed = [d for c, d in zip(b, kernel.shape, strict=True) if c not in out]
    known = math.prod(d for d in summed if isinstance(d, int))
    return known >= LEAST or (bool(summed) and not all(isinstance(d, int) for d in summed))


def _comb(e: Emitter, pieces: list[Value], axis: int, size: Dim) -> Value:
    """The phases, which are axis ``axis + 1`` of the pieces, put between each other along ``axis``."""
    joined = e.concatenate(pieces, axis + 1) if len(pieces) > 1 else pieces[0]
    shape = joined.shape
    length = shape[axis] * shape[axis + 1]
    joined = e.reshape(joined, (*shape[:axis], length, *shape[axis + 2 :]))
    return joined if length == size else _part(e, joined, axis, (0, size, 1))


def _ceil(size: Dim, by: int) -> Dim:
    return floordiv(size + (by - 1), by)


def _with(values: tuple[T, ...], k: int, value: T) -> tuple[T, ...]:
    return (*values[:k], value, *values[k + 1 :])


__all__ = ["by_phases"]
