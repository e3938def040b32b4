"""The NumPy target behind the interface all targets share."""

from __future__ import annotations

from ...plan import Plan
from .executable import NumpyExecutable


class NumpyTarget:
    """Runs plans with NumPy; needs no compiler, so it serves everywhere."""

    name = "numpy"

    def build(self, plan: Plan) -> NumpyExecutable:
        return NumpyExecutable(plan)
