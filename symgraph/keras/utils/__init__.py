"""Helpers for labels, models and data."""

from __future__ import annotations

import importlib
from typing import Any

from . import generic_utils, losses_utils, metrics_utils, np_utils
from .generic_utils import (
    CustomObjectScope,
    Progbar,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    serialize_keras_object,
)
from .layer_utils import convert_all_kernels_in_model, get_source_inputs, print_summary
from .np_utils import normalize, to_categorical

__all__ = [
    "CustomObjectScope",
    "GeneratorEnqueuer",
    "H5Dict",
    "HDF5Matrix",
    "OrderedEnqueuer",
    "Progbar",
    "Sequence",
    "convert_all_kernels_in_model",
    "custom_object_scope",
    "data_utils",
    "deserialize_keras_object",
    "generic_utils",
    "get_custom_objects",
    "get_file",
    "get_source_inputs",
    "io_utils",
    "losses_utils",
    "metrics_utils",
    "model_to_dot",
    "multi_gpu_model",
    "multi_gpu_utils",
    "normalize",
    "np_utils",
    "plot_model",
    "print_summary",
    "serialize_keras_object",
    "to_categorical",
    "vis_utils",
]

#: Names whose modules are loaded when they are asked for.
_LATER = {
    "GeneratorEnqueuer": "enqueuers",
    "H5Dict": "h5dict",
    "HDF5Matrix": "io_utils",
    "OrderedEnqueuer": "enqueuers",
    "Sequence": "enqueuers",
    "data_utils": "data_utils",
    "io_utils": "io_utils",
    "get_file": "data_utils",
    "model_to_dot": "vis_utils",
    "multi_gpu_model": "multi_gpu_utils",
    "multi_gpu_utils": "multi_gpu_utils",
    "plot_model": "vis_utils",
    "vis_utils": "vis_utils",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f".{_LATER[name]}", __name__)
    return module if _LATER[name] == name else getattr(module, name)
