"""The name of the backend, in the module where Keras 2.3.1 has it."""

from __future__ import annotations


def backend() -> str:
    """``'symgraph'``."""
    return "symgraph"
