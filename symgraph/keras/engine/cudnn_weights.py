"""Weights of LSTM and GRU layers in cuDNN's layout and in Keras's, one from the other."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Arrays = list[Array]


def lstm_weights(layer: Any, arrays: Arrays) -> Arrays:
    """The arrays of an LSTM or CuDNNLSTM layer, for the other kind where ``layer`` is that."""
    if len(arrays) != 3:
        return arrays
    width = 4 * len(arrays[1])
    from_cudnn = _is_cudnn(layer, arrays[2], width)
    if from_cudnn == _wants_cudnn(layer) or from_cudnn is None:
        return arrays
    bias = arrays[2].reshape(2, width).sum(0) if from_cudnn else np.tile(0.5 * arrays[2], 2)
    return [*_kernels(arrays, 4, from_cudnn), bias.astype(arrays[2].dtype)]


def gru_weights(layer: Any, arrays: Arrays) -> Arrays:
    """The arrays of a GRU or CuDNNGRU layer, for the other kind where ``layer`` is that.

    Raises:
        ValueError: for a GRU whose reset gate works before the product, which cuDNN does not have, and another kind.
    """
    if len(arrays) != 3:
        return arrays
    width = 3 * len(arrays[1])
    kinds = {(width,): "GRU(reset_after=False)", (2, width): "GRU(reset_after=True)", (2 * width,): "CuDNNGRU"}
    source = kinds.get(arrays[2].shape)
    target = "CuDNNGRU" if _wants_cudnn(layer) else f"GRU(reset_after={bool(layer.reset_after)})"
    if source is None or source == target:
        return arrays
    if "GRU(reset_after=False)" in (source, target):
        raise ValueError(f'Layer "{layer.name}": weights of a {source} do not fit a {target}.')
    from_cudnn = source == "CuDNNGRU"
    return [*_kernels(arrays, 3, from_cudnn), arrays[2].reshape((2, width) if from_cudnn else 2 * width)]


def _wants_cudnn(layer: Any) -> bool:
    return type(layer).__name__.startswith("CuDNN")


def _is_cudnn(layer: Any, bias: Array, width: int) -> bool | None:
    """Whether a bias is cuDNN's; None for one that is neither's."""
    return {(2 * width,): True, (width,): False}.get(bias.shape)


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
