"""Weights of files from other versions and backends, in the layout of today's layers.

The converters go by the name of a layer's class. A converter takes the layer, the arrays and whether the file is from
Keras 1, and gives the arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .cudnn_weights import gru_weights, lstm_weights

Array = np.ndarray[Any, Any]
Arrays = list[Array]

#: What a backend's convolutions compute; unknown ones count as correlation.
_CONVOLVES = {"theano": True, "tensorflow": False, "cntk": False}
_CUDNN = {"CuDNNGRU": gru_weights, "CuDNNLSTM": lstm_weights, "GRU": gru_weights, "LSTM": lstm_weights}
_KERNELS = {"Conv1D": 1, "Conv2D": 1, "Conv3D": 1, "Conv2DTranspose": 1, "ConvLSTM2D": 2}


def converted_weights(
    layer: Any, arrays: Arrays, version: str | None = None, backend: str | None = None, reshape: bool = False
) -> Arrays:
    """The arrays of a layer in a file, as the layer's ``weights`` have them.

    Args:
        version: the Keras version of the file; ``"1..."`` has other layouts of kernels.
        backend: the backend of the file; Theano's kernels are flipped.
        reshape: give the first kernel the layer's shape where the sizes agree.
    """
    name = type(layer).__name__
    parts = _PARTS.get(name)
    if parts is not None:
        return _by_parts(parts(layer, len(arrays)), arrays, version, backend, reshape)
    arrays = list(arrays)
    if (version or "1").split(".")[0] == "1" and name in _KERAS_1 and arrays:
        arrays = _KERAS_1[name](layer, arrays)
    if name in _CUDNN:
        arrays = _CUDNN[name](layer, arrays)
    if name in _KERNELS and arrays:
        kernels = _KERNELS[name]
        if _CONVOLVES.get(backend or "", False):
            arrays[:kernels] = [flipped(x) for x in arrays[:kernels]]
        arrays = _fitted(layer, arrays, kernels, reshape)
    elif reshape and arrays and layer.weights:
        arrays = _fitted(layer, arrays, 0, reshape)
    return arrays


def flipped(kernel: Array) -> Array:
    """A kernel ``(..., in, out)`` reversed along its spatial axes: convolution becomes correlation."""
    return np.flip(kernel, tuple(range(kernel.ndim - 2))).copy()


def _shape(weight: Any) -> tuple[int, ...]:
    return tuple(int(d) for d in weight.shape)


def _fitted(layer: Any, arrays: Arrays, kernels: int, reshape: bool) -> Arrays:
    wanted = _shape(layer.weights[0])
    if arrays[0].shape == wanted:
        return arrays
    if reshape and arrays[0].size == int(np.prod(wanted)):
        return [arrays[0].reshape(wanted), *arrays[1:]]
    if arrays[0].ndim == 4:  # (out, in, rows, columns), as old files of channels_first models have it
        turned = [x.transpose(2, 3, 1, 0) if i < kernels and x.ndim == 4 else x for i, x in enumerate(arrays)]
        if turned[0].shape == wanted:
            return turned
    return arrays


# -- layers of layers -----------------------------------------------------------------------------------------------
def _halves(layer: Any, count: int) -> list[tuple[Any, int]]:
    return [(layer.forward_layer, count // 2), (layer.backward_layer, count - count // 2)]


def _inner(layer: Any, count: int) -> list[tuple[Any, int]]:
    return [(layer.layer, count)]


def _layers(model: Any, count: int) -> list[tuple[Any, int]]:
    """A model inside a model: what trains of all its layers, then what does not."""
    trainable = [(layer, len(layer.trainable_weights)) for layer in model.layers]
    frozen = [(layer, len(layer.non_trainable_weights)) for layer in model.layers]
    return [part for part in trainable + frozen if part[1]]


_PARTS: dict[str, Callable[[Any, int], list[tuple[Any, int]]]] = {
    "Bidirectional": _halves,
    "Model": _layers,
    "Sequential": _layers,
    "TimeDistributed": _inner,
}


def _by_parts(
    parts: list[tuple[Any, int]], arrays: Arrays, version: str | None, backend: str | None, reshape: bool
) -> Arrays:
    found: Arrays = []
    at = 0
    for part, count in parts:
        found += converted_weights(part, arrays[at : at + count], version, backend, reshape)
        at += count
    return found + arrays[at:]


# -- Keras 1 --------------------------------------------------------------------------------------------------------
def _conv1d(layer: Any, arrays: Arrays) -> Arrays:
    kernel = arrays[0]
    if kernel.ndim != 4:
        return arrays
    if kernel.shape[:2] != (layer.kernel_size[0], 1) or kernel.shape[3] != layer.filters:
        kernel = kernel.transpose(2, 3, 1, 0)  # from (filters, input size, length, 1)
    return [kernel[:, 0], *arrays[1:]]


def _conv2d(layer: Any, arrays: Arrays) -> Arrays:
    return [arrays[0].transpose(2, 3, 1, 0), *arrays[1:]] if layer.data_format == "channels_first" else arrays


def _conv2d_transpose(layer: Any, arrays: Arrays) -> Arrays:
    order = (2, 3, 0, 1) if layer.data_format == "channels_first" else (0, 1, 3, 2)
    return [arrays[0].transpose(order), *arrays[1:]]


def _conv3d(layer: Any, arrays: Arrays) -> Arrays:
    return [arrays[0].transpose(2, 3, 4, 1, 0), *arrays[1:]] if layer.data_format == "channels_first" else arrays


def _gates(*order: int) -> Callable[[Any, Arrays], Arrays]:
    """Joins the gates, whose kernel, recurrent kernel and bias lay one after the other, in another order."""

    def join(layer: Any, arrays: Arrays) -> Arrays:
        if len(arrays) != 3 * len(order):
            return arrays
        return [np.concatenate([arrays[3 * gate + i] for gate in order], axis=-1) for i in range(3)]

    return join


def _conv_lstm(layer: Any, arrays: Arrays) -> Arrays:
    if layer.data_format == "channels_first":
        arrays = [x.transpose(2, 3, 1, 0) if x.ndim == 4 else x for x in arrays]
    return _gates(0, 2, 1, 3)(layer, arrays)


_KERAS_1: dict[str, Callable[[Any, Arrays], Arrays]] = {
    "Conv1D": _conv1d,
    "Conv2D": _conv2d,
    "Conv2DTranspose": _conv2d_transpose,
    "Conv3D": _conv3d,
    "ConvLSTM2D": _conv_lstm,
    "GRU": _gates(0, 1, 2),  # z, r, h
    "LSTM": _gates(0, 2, 1, 3),  # from i, c, f, o
}
