"""Weights of layers in files: their layout in HDF5 groups as Keras 2.3.1 has it, and how they come into a model."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from .. import backend as K
from . import hdf5_reading as reading
from .hdf5_writing import write_names, write_text
from .network_config import KERAS_VERSION, KERNEL_BACKEND
from .old_weights import Origin

Group = Any
Arrays = list[np.ndarray[Any, Any]]
Pairs = list[tuple[Any, Any]]


def stored_names(weights: Sequence[Any]) -> list[str]:
    """The names of weights in a file: theirs with ``:0``, or ``param_<i>``; repeated ones are numbered."""
    found: list[str] = []
    for i, weight in enumerate(weights):
        name = getattr(weight, "name", None)
        base = f"param_{i}" if not name else name if name.endswith(":0") else f"{name}:0"
        unique, n = base, 1
        while unique in found:
            unique, n = f"{base}_{n}", n + 1
        found.append(unique)
    return found


def write_arrays(group: Group, weights: Sequence[Any]) -> None:
    """Variables as data sets of a group, and the attribute that lists them."""
    names = stored_names(weights)
    write_names(group, "weight_names", names)
    for name, weight in zip(names, weights, strict=True):
        group.create_dataset(name, data=K.get_value(weight))


def write_layers(group: Group, layers: Sequence[Any]) -> None:
    """All layers, also those without weights, each in a group of its name."""
    write_names(group, "layer_names", [layer.name for layer in layers])
    write_text(group, "backend", KERNEL_BACKEND)
    write_text(group, "keras_version", KERAS_VERSION)
    for layer in layers:
        write_arrays(group.create_group(layer.name), layer.weights)


def version_of(group: Group) -> str:
    """The Keras version that wrote the weights; files without one are Keras 1's."""
    return reading.text(group, "keras_version") or "1"


def _required_names(group: Group, name: str) -> list[str]:
    found = reading.names(group, name)
    if found is None:
        raise reading.DamagedFileError(f"{group.name!r} has no attribute {name!r}: it holds no weights of Keras")
    return found


def stored_sizes(group: Group) -> int:
    """How many weight elements the groups of layers hold, as far as their bytes go."""
    total = 0
    for layer in _required_names(group, "layer_names"):
        entry = reading.child(group, layer)
        for name in _required_names(entry, "weight_names"):
            total += reading.stored_elements(reading.dataset(entry, name))
    return total


def read_arrays(group: Group, limit: int) -> Arrays:
    """The arrays that ``weight_names`` lists, in that order.

    Raises:
        DamagedFileError: if they have more than ``limit`` elements together.
    """
    return read_named_arrays(group, limit)[1]


def read_named_arrays(group: Group, limit: int) -> tuple[list[str], Arrays]:
    """The names in ``weight_names``, and their arrays; see :func:`read_arrays`."""
    names = _required_names(group, "weight_names")
    found = [reading.dataset(group, name) for name in names]
    total = sum(math.prod(x.shape) for x in found)
    if total > limit:
        raise reading.DamagedFileError(f"{group.name!r} holds {total} values where the model has {limit}")
    return names, [reading.values(x) for x in found]


def _limit(layer: Any) -> int:
    """The elements of a layer's weights; old layouts (CuDNN's two biases) may have some more."""
    return 2 * sum(K.count_params(w) for w in layer.weights) + 64


@dataclass(frozen=True, slots=True)
class StoredLayer:
    """The weights of a layer in a file: their shapes, and how to read them (given how many elements there may be).

    ``names`` are given where their order in the file means nothing.
    """

    shapes: list[tuple[int, ...]]
    read: Callable[[int], Arrays]
    names: tuple[str, ...] = ()

    def arrays_for(self, layer: Any) -> Arrays:
        """The arrays, by the names of the layer's weights where those are all there are, else in their order."""
        arrays = self.read(_limit(layer))
        wanted = [w.name.rpartition("/")[2] for w in layer.weights]
        if self.names and sorted(wanted) == sorted(self.names) and len(set(wanted)) == len(wanted):
            return [arrays[self.names.index(name)] for name in wanted]
        return arrays


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """The layers of a file that have weights, in order, and who wrote them."""

    layers: dict[str, StoredLayer]
    version: str
    backend: str | None


def stored_weights(group: Group) -> StoredWeights:
    """What an HDF5 group holds."""
    found = {}
    for name in _required_names(group, "layer_names"):
        entry = reading.child(group, name)
        weight_names = _required_names(entry, "weight_names")
        if weight_names:
            shapes = [reading.dataset(entry, n).shape for n in weight_names]
            found[name] = StoredLayer(shapes, partial(read_arrays, entry))
    return StoredWeights(found, version_of(group), reading.text(group, "backend"))


def load_in_order(stored: StoredWeights, layers: Sequence[Any], reshape: bool = False) -> None:
    """Set the weights of layers from those of a file in their order; nothing is set unless all fits.

    Raises:
        ValueError: for another number of layers, or of a layer's weights, or another shape.
    """
    targets = [layer for layer in layers if layer.weights]
    if len(stored.layers) != len(targets):
        raise ValueError(
            f"You are trying to load a weight file containing {len(stored.layers)} layers into a model with "
            f"{len(targets)} layers."
        )
    origin = Origin(stored.version, stored.backend, reshape)
    pairs: Pairs = []
    for number, ((name, entry), layer) in enumerate(zip(stored.layers.items(), targets, strict=True)):
        arrays = layer.weights_from(entry.arrays_for(layer), origin)
        symbolic = layer.weights
        if len(arrays) != len(symbolic):
            raise ValueError(
                f'Layer #{number} (named "{layer.name}" in the current model) was found to correspond to layer {name} '
                f"in the save file. However the new layer {layer.name} expects {len(symbolic)} weights, but the saved "
                f"weights have {len(arrays)} elements."
            )
        for weight, value in zip(symbolic, arrays, strict=True):
            if K.int_shape(weight) != value.shape:
                raise ValueError(
                    f'Layer #{number} (named "{layer.name}"), weight {weight.name} has shape {K.int_shape(weight)}, '
                    f"but the saved weight has shape {value.shape}."
                )
            pairs.append((weight, value))
    K.batch_set_value(pairs)


def load_by_name(
    stored: StoredWeights, layers: Iterable[Any], skip_mismatch: bool = False, reshape: bool = False
) -> None:
    """Set the weights of the layers whose names the file has; nothing is set unless all fits.

    Raises:
        ValueError: for another number of weights, or another shape (with ``skip_mismatch`` a warning; that layer, or
            that weight, stays).
    """
    index: dict[str, list[Any]] = {}
    for layer in layers:
        index.setdefault(layer.name, []).append(layer)
    origin = Origin(stored.version, stored.backend, reshape)
    pairs: Pairs = []
    for number, (name, entry) in enumerate(stored.layers.items()):
        for layer in index.get(name, []):
            symbolic = layer.weights
            limit = _limit(layer)
            if skip_mismatch and sum(math.prod(s) for s in entry.shapes) > limit:
                _skip(layer, entry.shapes, [K.int_shape(w) for w in symbolic])
                continue
            arrays = layer.weights_from(entry.arrays_for(layer), origin)
            if len(arrays) != len(symbolic):
                if skip_mismatch:
                    _skip(layer, entry.shapes, [K.int_shape(w) for w in symbolic])
                    continue
                raise ValueError(
                    f'Layer #{number} (named "{layer.name}") expects {len(symbolic)} weight(s), but the saved weights '
                    f"have {len(arrays)} element(s)."
                )
            for weight, value in zip(symbolic, arrays, strict=True):
                if K.int_shape(weight) == value.shape:
                    pairs.append((weight, value))
                elif skip_mismatch:
                    _skip(layer, [value.shape], [K.int_shape(weight)])
                else:
                    raise ValueError(
                        f'Layer #{number} (named "{layer.name}"), weight {weight.name} has shape '
                        f"{K.int_shape(weight)}, but the saved weight has shape {value.shape}."
                    )
    K.batch_set_value(pairs)


def _skip(layer: Any, saved: Any, wanted: Any) -> None:
    warnings.warn(
        f'Skipping loading of weights for layer "{layer.name}" due to mismatch in shape (the model has {wanted}, the '
        f"file {saved}).",
        stacklevel=4,
    )
