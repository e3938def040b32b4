"""Weights of LSTM and GRU layers in cuDNN's layout and in Keras's, one from the other."""

from __future__ import annotations

from enum import Enum
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Arrays = list[Array]


class GRULayout(Enum):
    """The kinds of GRU, whose weights differ."""

    BEFORE = "GRU(reset_after=False)"
    AFTER = "GRU(reset_after=True)"
    CUDNN = "CuDNNGRU"


def lstm_weights(arrays: Arrays, cudnn: bool) -> Arrays:
    """The arrays of an LSTM or CuDNNLSTM layer, for the latter where ``cudnn``, else for the former."""
    if len(arrays) != 3:
        return arrays
    width = 4 * len(arrays[1])
    from_cudnn = {(2 * width,): True, (width,): False}.get(arrays[2].shape)
    if from_cudnn is None or from_cudnn == cudnn:
        return arrays
    bias = arrays[2].reshape(2, width).sum(0) if from_cudnn else np.tile(0.5 * arrays[2], 2)
    return [*_kernels(arrays, 4, from_cudnn), bias.astype(arrays[2].dtype)]


def gru_weights(arrays: Arrays, target: GRULayout, name: str) -> Arrays:
    """The arrays of a GRU or CuDNNGRU layer, as the layer ``name`` of the layout ``target`` has them.

    Raises:
        ValueError: for a GRU whose reset gate works before the product, which cuDNN does not have, and another kind.
    """
    if len(arrays) != 3:
        return arrays
    width = 3 * len(arrays[1])
    layouts = {(width,): GRULayout.BEFORE, (2, width): GRULayout.AFTER, (2 * width,): GRULayout.CUDNN}
    source = layouts.get(arrays[2].shape)
    if source is None or source is target:
        return arrays
    if GRULayout.BEFORE in (source, target):
        raise ValueError(f'Layer "{name}": weights of a {source.value} do not fit a {target.value}.')
    from_cudnn = source is GRULayout.CUDNN
    return [*_kernels(arrays, 3, from_cudnn), arrays[2].reshape((2, width) if from_cudnn else 2 * width)]


def _kernels(arrays: Arrays, gates: int, from_cudnn: bool) -> Arrays:
    """Both kernels, each gate's block in the other layout: cuDNN reads the transposed matrix row by row."""
    made = []
    for kernel in arrays[:2]:
        blocks = []
        for block in np.split(kernel, gates, -1):
            rows, units = block.shape
            blocks.append(block.reshape(units, rows).T if from_cudnn else block.T.reshape(rows, units))
        made.append(np.concatenate(blocks, -1))
    return made
