"""Convolutions of channels-last arrays in plain NumPy, written from their definitions."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def windows(
    x: Array, size: tuple[int, ...], strides: tuple[int, ...], padding: str, fill: float = 0.0, dilation: Any = None
) -> Array:
    """``(n, *positions, c, *window)`` of channels-last data."""
    spread = dilation or (1,) * len(size)
    pads = [(0, 0)]
    spans = tuple((w - 1) * d + 1 for w, d in zip(size, spread, strict=True))
    for d, w, s in zip(x.shape[1:-1], spans, strides, strict=True):
        missing = max((-(-d // s) - 1) * s + w - d, 0) if padding == "same" else 0
        pads.append((w - 1, 0) if padding == "causal" else (missing // 2, missing - missing // 2))
    padded = np.pad(x, [*pads, (0, 0)], constant_values=fill)
    axes = tuple(range(1, x.ndim - 1))
    seen = np.lib.stride_tricks.sliding_window_view(padded, spans, axes)
    at = (slice(None), *(slice(None, None, s) for s in strides), slice(None))
    return seen[(*at, *(slice(None, None, d) for d in spread))]


def conv(x: Array, kernel: Array, strides: tuple[int, ...], padding: str, dilation: Any = None) -> Array:
    rank = x.ndim - 2
    seen = windows(x, kernel.shape[:rank], strides, padding, dilation=dilation)
    return np.tensordot(seen, np.moveaxis(kernel, -2, 0), rank + 1)


def depthwise(x: Array, kernel: Array, strides: tuple[int, ...], padding: str, dilation: Any = None) -> Array:
    rank = x.ndim - 2
    seen = windows(x, kernel.shape[:rank], strides, padding, dilation=dilation)
    letters = "ijk"[:rank]
    out = np.einsum(f"...c{letters},{letters}cm->...cm", seen, kernel)
    return out.reshape(*out.shape[:-2], -1)


def conv_transpose(
    x: Array, kernel: Array, strides: tuple[int, ...], padding: str, sizes: tuple[int, ...], dilation: Any = None
) -> Array:
    """What the convolution with ``kernel`` (``(*window, filters, channels)``) of an array of ``sizes`` maps back: each
    element of ``x`` adds its multiple of the kernel to the positions that the convolution reads for it."""
    rank = x.ndim - 2
    places = np.arange(np.prod(sizes)).reshape(1, *sizes, 1).astype(float)
    read = windows(places, kernel.shape[:rank], strides, padding, -1.0, dilation)[0].astype(int)
    result = np.zeros((len(x), int(np.prod(sizes)) + 1, kernel.shape[-2]))  # the last place takes what falls outside
    for at in np.ndindex(*x.shape[1:-1]):
        for within in np.ndindex(*kernel.shape[:rank]):
            result[:, read[(*at, 0, *within)]] += x[(slice(None), *at)] @ kernel[within].T
    return result[:, :-1].reshape(len(x), *sizes, -1)
