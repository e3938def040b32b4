"""Weights of files from other versions and backends, in the layout of today's layers.

What differs is for each class of layers to say, in ``weights_from(arrays, origin)``; here is what they say it with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Arrays = list[Array]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the arrays of a layer are from.

    Attributes:
        version: the Keras version of the file; ``"1..."`` has other layouts of kernels.
        backend: the backend of the file; Theano's kernels are flipped. Unknown ones count as TensorFlow's.
        reshape: whether the first kernel may be given the layer's shape where the sizes agree.
    """

    version: str = "1"
    backend: str | None = None
    reshape: bool = False

    @property
    def is_keras_1(self) -> bool:
        """Whether Keras 1 wrote the file."""
        return self.version.split(".")[0] == "1"

    @property
    def convolves(self) -> bool:
        """Whether the backend's convolutions flip their kernels, and do not correlate."""
        return self.backend == "theano"


def flipped(kernel: Array) -> Array:
    """A kernel ``(..., in, out)`` reversed along its spatial axes: convolution becomes correlation."""
    return np.flip(kernel, tuple(range(kernel.ndim - 2))).copy()


def reshaped(weights: Sequence[Any], arrays: Arrays, origin: Origin) -> Arrays:
    """The arrays, the first of which has the shape of the first weight where that is asked for and possible."""
    if not (origin.reshape and arrays and weights):
        return arrays
    wanted = _shape(weights[0])
    return [arrays[0].reshape(wanted), *arrays[1:]] if arrays[0].size == int(np.prod(wanted)) else arrays


def convolution_weights(weights: Sequence[Any], arrays: Arrays, origin: Origin, kernels: int) -> Arrays:
    """The arrays of a layer that correlates, of which the first ``kernels`` are kernels."""
    if not arrays or not weights:
        return arrays
    if origin.convolves:
        arrays = [*map(flipped, arrays[:kernels]), *arrays[kernels:]]
    arrays = reshaped(weights, arrays, origin)
    wanted = _shape(weights[0])
    if arrays[0].shape != wanted and arrays[0].ndim == 4:
        # (out, in, rows, columns), as old files of channels_first models have it
        turned = [x.transpose(2, 3, 1, 0) if i < kernels and x.ndim == 4 else x for i, x in enumerate(arrays)]
        return turned if turned[0].shape == wanted else arrays
    return arrays


def _shape(weight: Any) -> tuple[int, ...]:
    return tuple(int(d) for d in weight.shape)


def joined_gates(arrays: Arrays, order: Sequence[int]) -> Arrays:
    """The arrays of a recurrent layer of Keras 1, where the kernel, recurrent kernel and bias of each gate lay one
    after the other, with the gates joined in ``order``; other arrays as they are."""
    if len(arrays) != 3 * len(order):
        return arrays
    return [np.concatenate([arrays[3 * gate + i] for gate in order], axis=-1) for i in range(3)]


def weights_by_parts(parts: Iterable[tuple[Any, int]], arrays: Arrays, origin: Origin) -> Arrays:
    """The arrays of layers inside a layer, each with how many of them there are, one after the other."""
    found: Arrays = []
    at = 0
    for layer, count in parts:
        found += layer.weights_from(arrays[at : at + count], origin)
        at += count
    return found + arrays[at:]
