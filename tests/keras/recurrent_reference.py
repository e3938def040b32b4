"""Recurrent layers as loops in NumPy, written from the papers' formulas, one sample's step after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any


def sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def hard_sigmoid(x: Array) -> Array:
    return np.clip(0.2 * x + 0.5, 0.0, 1.0)


def simple_rnn(x: Array, states: list[Array], weights: list[Array], gate: Callable[[Array], Array]) -> list[Array]:
    kernel, recurrent, bias = weights
    return [np.tanh(x @ kernel + states[0] @ recurrent + bias)]


def lstm(x: Array, states: list[Array], weights: list[Array], gate: Callable[[Array], Array]) -> list[Array]:
    h, c = states
    kernels, recurrents, biases = (np.split(w, 4, -1) for w in weights)
    i, f, g, o = (x @ k + h @ u + b for k, u, b in zip(kernels, recurrents, biases, strict=True))
    c = gate(f) * c + gate(i) * np.tanh(g)
    return [gate(o) * np.tanh(c), c]


def gru(x: Array, states: list[Array], weights: list[Array], gate: Callable[[Array], Array]) -> list[Array]:
    h = states[0]
    (kz, kr, kh), (uz, ur, uh), (bz, br, bh) = (np.split(w, 3, -1) for w in weights)
    z = gate(x @ kz + h @ uz + bz)
    r = gate(x @ kr + h @ ur + br)
    return [z * h + (1 - z) * np.tanh(x @ kh + (r * h) @ uh + bh)]


def gru_reset_after(
    x: Array, states: list[Array], weights: list[Array], gate: Callable[[Array], Array]
) -> list[Array]:
    h = states[0]
    (kz, kr, kh), (uz, ur, uh) = (np.split(w, 3, -1) for w in weights[:2])
    (bz, br, bh), (cz, cr, ch) = (np.split(w, 3, -1) for w in weights[2])
    z = gate(x @ kz + bz + h @ uz + cz)
    r = gate(x @ kr + br + h @ ur + cr)
    return [z * h + (1 - z) * np.tanh(x @ kh + bh + r * (h @ uh + ch))]


def walk(
    step: Any, x: Array, weights: list[Array], states: list[Array], mask: Array | None = None, backwards: bool = False,
    gate: Callable[[Array], Array] = sigmoid,
) -> tuple[Array, list[Array]]:  # fmt: skip
    """All outputs ``(samples, steps, ...)`` in the order of the walk, and the last states."""
    samples, steps = x.shape[:2]
    outputs = np.zeros((samples, steps, *states[0].shape[1:]))
    last = [np.array(s, dtype=float) for s in states]
    for n in range(samples):
        own = [s[n : n + 1] for s in last]
        shown = np.zeros_like(own[0])
        for k, t in enumerate(range(steps)[::-1] if backwards else range(steps)):
            if mask is None or mask[n, t]:
                own = step(x[n : n + 1, t], own, weights, gate)
                shown = own[0]
            outputs[n, k] = shown[0]
        for whole, part in zip(last, own, strict=True):
            whole[n] = part[0]
    return outputs, last


def convolved(x: Array, kernel: Array, strides: tuple[int, int], padding: str, dilation: tuple[int, int]) -> Array:
    """A correlation of images ``(samples, rows, columns, channels)`` with a kernel, window by window."""
    spans = [(k - 1) * d + 1 for k, d in zip(kernel.shape, dilation, strict=False)]
    if padding == "same":
        out = [-(-n // s) for n, s in zip(x.shape[1:3], strides, strict=True)]
        pads = [max((o - 1) * s + w - n, 0) for o, s, w, n in zip(out, strides, spans, x.shape[1:3], strict=True)]
        x = np.pad(x, ((0, 0), *((p // 2, p - p // 2) for p in pads), (0, 0)))
    rows, cols = ((n - w) // s + 1 for n, w, s in zip(x.shape[1:3], spans, strides, strict=True))
    made = np.zeros((len(x), rows, cols, kernel.shape[-1]))
    for r in range(rows):
        for c in range(cols):
            top, left = r * strides[0], c * strides[1]
            window = x[:, top : top + spans[0] : dilation[0], left : left + spans[1] : dilation[1]]
            made[:, r, c] = np.tensordot(window, kernel, 3)
    return made


def conv_lstm(strides: Any = (1, 1), padding: str = "valid", dilation: Any = (1, 1)) -> Any:
    """A step of a convolutional LSTM."""

    def step(x: Array, states: list[Array], weights: list[Array], gate: Callable[[Array], Array]) -> list[Array]:
        h, c = states
        kernels, recurrents, biases = (np.split(w, 4, -1) for w in weights)
        i, f, g, o = (
            convolved(x, k, strides, padding, dilation) + convolved(h, u, (1, 1), "same", (1, 1)) + b
            for k, u, b in zip(kernels, recurrents, biases, strict=True)
        )
        c = gate(f) * c + gate(i) * np.tanh(g)
        return [gate(o) * np.tanh(c), c]

    return step
