"""What ``import tensorflow as tf`` gives programs for Keras: ``tf.keras``, and the functions of ``tf`` on tensors.

Custom layers, losses and ``Lambda`` functions written for Keras 2 mix ``K.*`` with ``tf.*``. The names of TensorFlow 1
and 2 that compute with tensors are here, in terms of this package, under ``tf``, ``tf.math``, ``tf.nn``, ``tf.random``,
``tf.image`` and ``tf.linalg``. What runs programs, feeds or records them is not; :mod:`.absent` says what to use.
"""

from __future__ import annotations

import importlib
from typing import Any

import symgraph as sg

from ..backend import name_scope
from . import config, image, linalg, logging, math, nn, random
from .absent import hint
from .arrays import *  # noqa: F403
from .image import depth_to_space, space_to_depth
from .math import *  # noqa: F403
from .random import (
    multinomial,
    random_normal,
    random_shuffle,
    random_uniform,
    set_random_seed,
    truncated_normal,
)

#: The version whose names come first; those of TensorFlow 1 are here, too.
__version__ = VERSION = "2.0.0"
bool, uint8 = (sg.dtypes.as_dtype(name) for name in ("bool", "uint8"))
int8, int16, int32, int64 = (sg.dtypes.as_dtype(name) for name in ("int8", "int16", "int32", "int64"))
float16, float32, float64 = (sg.dtypes.as_dtype(name) for name in ("float16", "float32", "float64"))
bfloat16 = sg.dtypes.as_dtype("bfloat16")
matrix_band_part, matrix_diag, matrix_diag_part = linalg.band_part, linalg.diag, linalg.diag_part
matrix_inverse, trace = linalg.inv, linalg.trace
Tensor = sg.Tensor
Variable = sg.Variable
__all__ = [
    "Tensor",
    "Variable",
    "bfloat16",
    "bool",
    "config",
    "depth_to_space",
    "disable_eager_execution",
    "disable_v2_behavior",
    "float16",
    "float32",
    "float64",
    "image",
    "int8",
    "int16",
    "int32",
    "int64",
    "linalg",
    "logging",
    "math",
    "matrix_band_part",
    "matrix_diag",
    "matrix_diag_part",
    "matrix_inverse",
    "multinomial",
    "name_scope",
    "nn",
    "random",
    "random_normal",
    "random_shuffle",
    "random_uniform",
    "set_random_seed",
    "space_to_depth",
    "trace",
    "truncated_normal",
    "uint8",
]
_KERAS = __name__.rpartition(".")[0]


def disable_v2_behavior() -> None:
    """Nothing to change: everything here is a graph."""


disable_eager_execution = disable_v2_behavior


def __getattr__(name: str) -> Any:
    if name == "keras":
        return importlib.import_module(_KERAS)
    if name in ("compat", "v1", "python"):  # tf.compat.v1.log and tf.log are one function
        return importlib.import_module(__name__)
    if name in ("initializers", "losses", "metrics", "optimizers"):
        return importlib.import_module(f"{_KERAS}.{name}")
    if name.startswith("__"):
        raise AttributeError(f"module 'tensorflow' has no attribute {name!r}")
    raise AttributeError(f"module 'tensorflow' has no attribute {name!r} here: {hint(name)}")
