"""Arrays of other spatial sizes, by the nearest element or between neighbours in proportion.

Result position ``i`` of ``m`` stands at source position ``i*n/m`` of ``n``, as in TensorFlow 1 without
``align_corners`` and in Keras 2; with ``half_pixel_centers`` the middles of elements correspond, which is position ``(i
+ 1/2)*n/m - 1/2`` (TensorFlow 2, PyTorch). Positions are computed in integers, so that no rounding picks another
neighbour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from .arrangement import repeat
from .convolution import Numbers, numbers_of, rank_of, space_of
from .dtypes import int64
from .errors import ArgumentError, DTypeError
from .ir.dims import Dim, divide_exact
from .numeric import maximum, minimum
from .shaping import as_shape, concatenate, expand_dims, reshape
from .subscripts import take
from .tensor import Tensor, TensorLike, as_tensor
from .tracer import tracer


def resize_images(
    x: TensorLike, size: Sequence[Dim], interpolation: str = "nearest", data_format: str = "channels_last",
    half_pixel_centers: bool = False,
) -> Tensor:  # fmt: skip
    """``x``, ``(batch, *space, channels)`` or ``(batch, channels, *space)`` with one to three spatial axes, with the
    spatial sizes ``size`` (numbers, or sizes such as ``x.shape[1] * 2``); larger, smaller, or both.

    ``interpolation`` is ``"nearest"``, for every dtype, or ``"bilinear"``, for floating ones (linear along each axis).
    Shrinking does not average.

    Raises:
        ArgumentError: for an unknown interpolation or format, or a wrong number of sizes.
        DTypeError: for ``"bilinear"`` between integers.

    Example:
        >>> import numpy as np
        >>> import symgraph as sg
        >>> x = sg.placeholder((1, 2, 1))
        >>> f = sg.function([x], sg.resize_images(x, [4], "bilinear"))
        >>> f(np.array([[[0.0], [2.0]]], "float32")).ravel().tolist()
        [0.0, 1.0, 2.0, 2.0]
    """
    t = as_tensor(x)
    along = _ALONG.get(interpolation)
    if along is None:
        raise ArgumentError(f"resize_images: interpolation {interpolation!r} is none of {', '.join(_ALONG)}")
    space = space_of(rank_of(t.value, data_format), data_format)
    sizes = as_shape(size)
    if len(sizes) != len(space):
        raise ArgumentError(f"resize_images of {t.type} in {data_format}: {len(space)} sizes are needed, got {size!r}")
    for axis, wanted in zip(space, sizes, strict=True):
        if wanted != t.shape[axis]:
            t = along(t, axis, wanted, half_pixel_centers)
    return t


def upsample(
    x: TensorLike, factors: Numbers, interpolation: str = "nearest", data_format: str = "channels_last"
) -> Tensor:  # fmt: skip
    """:func:`resize_images` to so many times the size along each spatial axis."""
    t = as_tensor(x)
    space = space_of(rank_of(t.value, data_format), data_format)
    times = numbers_of(factors, len(space), "factors")
    return resize_images(t, [t.shape[a] * n for a, n in zip(space, times, strict=True)], interpolation, data_format)


def _nearest(t: Tensor, axis: int, wanted: Dim, half: bool) -> Tensor:
    here = t.shape[axis]
    times = divide_exact(wanted, here)
    if isinstance(times, int) and times > 0:  # both conventions agree
        return repeat(t, times, axis)
    place, unit = _places(here, wanted, half)
    if half:
        place = place + Tensor(tracer.size(wanted))
    return take(t, place // unit, axis)


def _linear(t: Tensor, axis: int, wanted: Dim, half: bool) -> Tensor:
    if not t.dtype.is_float:
        raise DTypeError(f"resize_images: bilinear between elements of {t.type}; cast it to a floating dtype")
    here = t.shape[axis]
    times = divide_exact(wanted, here)
    if isinstance(times, int) and times > 0 and not half and here != 0:
        return _multiplied(t, axis, times)
    place, unit = _places(here, wanted, half)
    place = maximum(place, 0)
    low, weight = place // unit, (place % unit).astype(t.dtype) / unit.astype(t.dtype)
    first, second = take(t, low, axis), take(t, minimum(low + 1, Tensor(tracer.size(here - 1))), axis)
    return first + (second - first) * reshape(weight, (-1,) + (1,) * (t.ndim - 1 - axis))


def _multiplied(t: Tensor, axis: int, times: int) -> Tensor:
    """Linear, to a multiple of the size: each element and the next one in fixed proportions, without any lookup."""
    rest, last = ((*(slice(None),) * axis, slice(start, None)) for start in (1, -1))
    following = concatenate([t[rest], t[last]], axis)
    weight = np.arange(times).astype(t.dtype.np) / t.dtype.np.type(times)
    first, second = expand_dims(t, axis + 1), expand_dims(following, axis + 1)
    spread = first + (second - first) * as_tensor(weight.reshape((-1,) + (1,) * (t.ndim - 1 - axis)), t.dtype)
    return reshape(spread, (*t.shape[:axis], t.shape[axis] * times, *t.shape[axis + 1 :]))


def _places(here: Dim, wanted: Dim, half: bool) -> tuple[Tensor, Tensor]:
    """Source positions as integer numerators and their denominator."""
    i, n, m = Tensor(tracer.iota(wanted, int64)), Tensor(tracer.size(here)), Tensor(tracer.size(wanted))
    return ((i * 2 + 1) * n - m, m * 2) if half else (i * n, m)


_ALONG: Mapping[str, Callable[[Tensor, int, Dim, bool], Tensor]] = MappingProxyType(
    {"nearest": _nearest, "bilinear": _linear}
)


__all__ = ["resize_images", "upsample"]
