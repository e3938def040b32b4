"""Saving and loading: the names of ``keras.engine.saving``."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from ..utils.generic_utils import getargspec
from ..utils.h5dict import H5Dict
from ..utils.io_utils import (
    ask_to_proceed_with_overwrite,
    load_from_binary_h5py,
    may_overwrite,
    save_to_binary_h5py,
)
from . import hdf5_reading as reading
from . import model_file, safetensors_file, weights_file
from .archive_file import is_archive, read_archive
from .hdf5_reading import names as load_attributes_from_hdf5_group
from .hdf5_writing import HDF5_OBJECT_HEADER_LIMIT, write_names, writing
from .old_weights import Origin
from .pickling import pickle_model, unpickle_model

__all__ = [
    "HDF5_OBJECT_HEADER_LIMIT",
    "H5Dict",
    "allow_read_from_gcs",
    "allow_write_to_gcs",
    "ask_to_proceed_with_overwrite",
    "getargspec",
    "load_attributes_from_hdf5_group",
    "load_from_binary_h5py",
    "load_model",
    "load_weights",
    "load_weights_from_hdf5_group",
    "load_weights_from_hdf5_group_by_name",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
    "pickle_model",
    "preprocess_weights_for_loading",
    "save_attributes_to_hdf5_group",
    "save_model",
    "save_to_binary_h5py",
    "save_weights",
    "save_weights_to_hdf5_group",
    "unpickle_model",
]

save_attributes_to_hdf5_group = write_names
save_weights_to_hdf5_group = weights_file.write_layers


def allow_write_to_gcs(save_function: Callable[..., Any]) -> Callable[..., Any]:
    """``save_function``, with a clear refusal of ``gs://`` paths: there is no cloud storage here."""
    return _local_files_only(save_function, 1)


def allow_read_from_gcs(load_function: Callable[..., Any]) -> Callable[..., Any]:
    """``load_function``, with a clear refusal of ``gs://`` paths: there is no cloud storage here."""
    return _local_files_only(load_function, 0)


def _local_files_only(function: Callable[..., Any], place: int) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        path = kwargs.get("filepath", args[place] if len(args) > place else None)
        if isinstance(path, str) and path.startswith("gs://"):
            raise ValueError(f"{path!r} is in Google Cloud Storage, which is not read or written here: copy it first.")
        return function(*args, **kwargs)

    return wrapped


@allow_write_to_gcs
def save_model(model: Any, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
    """Write architecture, weights and training state to an HDF5 file (a path, a binary stream or an open group).

    The file appears when it is complete; until then the old one stays. Without ``overwrite`` a person is asked before
    a file is replaced.
    """
    if may_overwrite(filepath, overwrite):
        _check_built(model)
        with writing(filepath) as group:
            model_file.write_model(group, model, include_optimizer)


@allow_read_from_gcs
def load_model(
    filepath: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model of an HDF5 file, or of a ``.keras`` archive of Keras 3 (for the layers that both have).

    Nothing in the file is run or followed: code of Lambda layers is refused unless ``safe_mode`` is False.

    Raises:
        OSError: if the file cannot be opened.
        ValueError: if it is damaged, or holds what is not known here.
    """
    if is_archive(filepath):
        return read_archive(filepath, custom_objects, compile)
    with reading.reading(filepath) as group:
        return model_file.read_model(group, custom_objects, compile, safe_mode)


@allow_write_to_gcs
def save_weights(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Write the weights alone: to a safetensors file where the name ends so, else as HDF5; see :func:`save_model`."""
    if may_overwrite(filepath, overwrite):
        _check_built(model)
        if safetensors_file.is_name(filepath):
            safetensors_file.write_layers(filepath, model.layers)
            return
        with writing(filepath) as group:
            weights_file.write_layers(group, model.layers)


def load_weights(
    model: Any, filepath: Any, by_name: bool = False, skip_mismatch: bool = False, reshape: bool = False
) -> None:
    """Set a model's weights from a weights file (HDF5, safetensors) or a model file; see :mod:`weights_file`."""
    if skip_mismatch and not by_name:
        raise ValueError("When calling model.load_weights, skip_mismatch can only be set to True when by_name is True.")
    _check_built(model)

    def load(stored: weights_file.StoredWeights) -> None:
        if by_name:
            weights_file.load_by_name(stored, model.layers, skip_mismatch, reshape)
        else:
            weights_file.load_in_order(stored, model.layers, reshape)

    if safetensors_file.is_name(filepath):
        load(safetensors_file.stored_weights(filepath))
        return
    with reading.reading(filepath) as group:
        if not _has_layers(group) and reading.has(group, "model_weights"):
            group = reading.child(group, "model_weights")
        load(weights_file.stored_weights(group))


def _has_layers(group: Any) -> bool:
    return "layer_names" in group.attrs or "layer_names0" in group.attrs


def _check_built(model: Any) -> None:
    if not model.built:
        raise ValueError(
            f'The weights of the model "{model.name}" do not exist yet. Build it first: call `build(input_shape)`, or '
            "`fit` or `predict` with data."
        )


def load_weights_from_hdf5_group(f: Any, layers: Any, reshape: bool = False) -> None:
    """Set the weights of layers, by their order, from an open group."""
    weights_file.load_in_order(weights_file.stored_weights(f), layers, reshape)


def load_weights_from_hdf5_group_by_name(
    f: Any, layers: Any, skip_mismatch: bool = False, reshape: bool = False
) -> None:
    """Set the weights of layers, by their names, from an open group."""
    weights_file.load_by_name(weights_file.stored_weights(f), layers, skip_mismatch, reshape)


def preprocess_weights_for_loading(
    layer: Any,
    weights: Any,
    original_keras_version: str | None = None,
    original_backend: str | None = None,
    reshape: bool = False,
) -> list[Any]:
    """Arrays of another version or backend, as ``layer.weights`` have them."""
    origin = Origin(original_keras_version or "2", original_backend, reshape)
    return list(layer.weights_from(list(weights), origin))


def model_from_config(config: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True) -> Any:
    """The model of a ``{'class_name', 'config'}`` dictionary."""
    if isinstance(config, list):
        raise TypeError(
            "`model_from_config` expects a dictionary, not a list. Maybe you meant to use "
            "`Sequential.from_config(config)`?"
        )
    return model_file.build_model(config, custom_objects, safe_mode)


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True) -> Any:
    """The model of what ``to_json`` gave."""
    return model_from_config(json.loads(json_string), custom_objects, safe_mode)


def model_from_yaml(yaml_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """Not here: YAML's loaders run code.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError("Models are not read from YAML, whose full form can run code. Use `model_from_json`.")
