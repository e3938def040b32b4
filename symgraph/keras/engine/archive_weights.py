"""Weights in Keras 3's ``.keras`` archives: an HDF5 file whose groups are the tree of layers.

A layer's own weights are ``vars/0``, ``vars/1`` ...; below it come its parts by the name of the attribute
(``forward_layer``, ``cell``), and the members of a list by the name of their class, numbered where it repeats.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import backend as K
from . import hdf5_reading as reading

Array = np.ndarray[Any, Any]
Group = Any
Config = dict[str, Any]

_LIST, _OLD_LIST = "layers", "_layer_checkpoint_dependencies"  # of a model's layers: Keras 3's name, and tf.keras's


def load_archive_weights(group: Group, model: Any, config: Config) -> None:
    """Set the weights of a model made from ``config``; nothing is set unless all fits.

    Raises:
        DamagedFileError: if arrays are missing, or have another shape.
    """
    K.batch_set_value(list(_pairs(group, model, config)))


def _pairs(group: Group, layer: Any, config: Config) -> Iterator[tuple[Any, Array]]:
    parts = [part for part in layer.archived_parts(config) if part.layer.weights]
    for part in parts:
        yield from _pairs(_part(group, part.path), part.layer, part.config)
    if not parts:
        yield from _own(group, layer)


def _part(group: Group, path: str) -> Group:
    if path.startswith(_LIST + "/") and not reading.has(group, _LIST):
        path = path.replace(_LIST, _OLD_LIST, 1)
    return reading.child(group, path)


def _own(group: Group, layer: Any) -> Iterator[tuple[Any, Array]]:
    for i, weight in enumerate(layer.weights):
        found = reading.dataset(group, f"vars/{i}")
        if found.shape != K.int_shape(weight):
            raise reading.DamagedFileError(
                f'Layer "{getattr(layer, "name", type(layer).__name__)}", weight {weight.name} has shape '
                f"{K.int_shape(weight)}, but the saved weight has shape {found.shape}."
            )
        yield weight, reading.values(found)


def optimizer_arrays(group: Group, limit: int) -> list[Array]:
    """The state in ``optimizer/vars``, in the archive's order.

    Raises:
        DamagedFileError: if they have more than ``limit`` elements together.
    """
    stored = reading.child(group, "optimizer/vars")
    found = [reading.dataset(stored, str(i)) for i in range(len(stored))]
    if sum(math.prod(x.shape) for x in found) > limit:
        raise reading.DamagedFileError("The archive's optimizer has more values than the model's")
    return [reading.values(x) for x in found]
