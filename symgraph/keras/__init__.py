"""Keras 2.3.1's API on symgraph."""

from __future__ import annotations

from typing import Any

from . import (
    activations,
    backend,
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    utils,
)
from . import engine as engine  # first: metrics and losses build on layers
from .engine.input_layer import Input
from .engine.sequential import Sequential
from .engine.training import Model

__version__ = "2.3.1"
__all__ = [
    "Input",
    "Model",
    "Sequential",
    "activations",
    "applications",
    "backend",
    "callbacks",
    "constraints",
    "datasets",
    "engine",
    "initializers",
    "install",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "regularizers",
    "utils",
]

#: Submodules that ``import keras`` alone gives, too.
_LATER = ("applications", "datasets", "objectives", "preprocessing", "wrappers")


def install() -> None:
    """From now on, ``import keras`` and ``import tensorflow.keras`` in this process give this package."""
    from ._install import install as install_finder

    install_finder()


def __getattr__(name: str) -> Any:
    """The parts that cost more to import, where a program reaches them as attributes."""
    import importlib

    if name in _LATER:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
