"""The name of the backend, in the module where Keras 2.3.1 has it."""

from __future__ import annotations

from typing import Any


def backend() -> str:
    """``'symgraph'``."""
    return "symgraph"


def __getattr__(name: str) -> Any:
    if name != "entries":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import tensorflow_backend

    return vars(tensorflow_backend)
