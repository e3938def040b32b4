"""Models in the interfaces of other libraries."""

from __future__ import annotations

from . import scikit_learn

__all__ = ["scikit_learn"]
