"""Models whose ``call`` is a person's own: their inputs are made when they meet their first data."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend as K
from ..utils.generic_utils import to_list
from .input_layer import Input
from .standardize import standardize_single_array

Tensor = Any


def trace(model: Any, data: Any) -> None:
    """Call a subclassed model on placeholders shaped like ``data``, which become its inputs.

    Raises:
        ValueError: if the model defines no ``call``.
    """
    if isinstance(data, dict):
        raise ValueError(f'The model "{model.name}" has no named inputs: give an array or a list of arrays.')
    arrays = [standardize_single_array(x) for x in to_list(data, allow_tuple=True)]
    entries = [_entry(x, f"input_{i + 1}") for i, x in enumerate(arrays)]
    outputs = model(entries if len(entries) > 1 else entries[0])
    adopt(model, entries, to_list(outputs, allow_tuple=True))


def _entry(array: Any, name: str) -> Tensor:
    if K.is_tensor(array):
        return array if K.is_keras_tensor(array) else Input(tensor=array)
    kind = np.asarray(array[:0]).dtype.kind if np.ndim(array) else "f"
    return Input(batch_shape=(None, *np.shape(array)[1:]), name=name, dtype=K.floatx() if kind in "fiub" else None)


def adopt(model: Any, inputs: list[Tensor], outputs: list[Tensor]) -> None:
    """Make tensors the inputs and outputs of a subclassed model."""
    model.inputs, model.outputs = inputs, outputs
    model.input_names = [x._keras_history[0].name for x in inputs]
    model.output_names = [f"output_{i + 1}" for i in range(len(outputs))]
    model._output_coordinates = [x._keras_history for x in outputs]
    model._feed_inputs = list(inputs)
    model._feed_input_names = list(model.input_names)
    model._feed_input_shapes = [K.int_shape(x) for x in inputs]
    model.built = True
