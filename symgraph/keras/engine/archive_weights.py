"""Weights in Keras 3's ``.keras`` archives: an HDF5 file whose groups are the tree of layers.

A layer's own weights are ``vars/0``, ``vars/1`` ...; below it come its parts by the name of the attribute
(``forward_layer``, ``cell``), and the members of a list by the name of their class, numbered where it repeats.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import backend as K
from . import hdf5_reading as reading

Array = np.ndarray[Any, Any]
Group = Any
Config = dict[str, Any]
Pairs = list[tuple[Any, Array]]

_PARTS = ("forward_layer", "backward_layer", "layer", "cell")
_LISTS = ("layers", "_layer_checkpoint_dependencies")  # Keras 3's name, and tf.keras's


def load_archive_weights(group: Group, model: Any, config: Config) -> None:
    """Set the weights of a model made from ``config``; nothing is set unless all fits.

    Raises:
        DamagedFileError: if arrays are missing, or have another shape.
    """
    K.batch_set_value(list(_pairs(group, model, config)))


def _pairs(group: Group, layer: Any, config: Config) -> Iterator[tuple[Any, Array]]:
    if hasattr(layer, "layers") and hasattr(layer, "get_layer"):
        members = [(layer.get_layer(c["config"]["name"]), c) for c in config["layers"] if _has_weights(layer, c)]
        names = member_names(config["layers"])
        if members:
            listed = next((n for n in _LISTS if reading.has(group, n)), _LISTS[0])
            inner = reading.child(group, listed)
            for member, described in members:
                place = names[described["config"]["name"]]
                yield from _pairs(reading.child(inner, place), member, described["config"])
        return
    parts = [name for name in _PARTS if getattr(getattr(layer, name, None), "weights", None)]
    if parts:
        for name in parts:
            inner_config = config.get("layer" if name in ("forward_layer", "backward_layer") else name) or {}
            yield from _pairs(reading.child(group, name), getattr(layer, name), inner_config.get("config", {}))
    elif hasattr(layer, "cells"):
        inner = reading.child(group, "cells")
        for cell, place in zip(layer.cells, numbered(type(cell).__name__ for cell in layer.cells), strict=True):
            yield from _own(reading.child(inner, place), cell)
    else:
        yield from _own(group, layer)


def _has_weights(network: Any, described: Config) -> bool:
    return described["class_name"] != "InputLayer" and bool(network.get_layer(described["config"]["name"]).weights)


def _own(group: Group, layer: Any) -> Iterator[tuple[Any, Array]]:
    for i, weight in enumerate(layer.weights):
        found = reading.dataset(group, f"vars/{i}")
        if found.shape != K.int_shape(weight):
            raise reading.DamagedFileError(
                f'Layer "{getattr(layer, "name", type(layer).__name__)}", weight {weight.name} has shape '
                f"{K.int_shape(weight)}, but the saved weight has shape {found.shape}."
            )
        yield weight, reading.values(found)


def member_names(layers: Sequence[Config]) -> dict[str, str]:
    """For each layer's name the name of its group."""
    classes = ["Functional" if c["class_name"] == "Model" else str(c["class_name"]) for c in layers]
    return dict(zip((c["config"]["name"] for c in layers), numbered(classes), strict=True))


def numbered(classes: Iterable[str]) -> list[str]:
    """Names of classes in snake case, the second of a name with ``_1``, and so on."""
    counts: dict[str, int] = {}
    found = []
    for name in classes:
        snake = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()
        number = counts.get(snake, 0)
        found.append(f"{snake}_{number}" if number else snake)
        counts[snake] = number + 1
    return found


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
