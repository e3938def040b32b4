"""The NumPy target behind the interface all targets share."""

from __future__ import annotations

from ....ir.dims import Dim
from ...loop.grammar import Kernel
from ...plan import Plan
from .executable import NumpyExecutable


class NumpyTarget:
    """Runs plans with NumPy; needs no compiler, so it serves everywhere."""

    name = "numpy"

    def workspace(self, kernel: Kernel) -> Dim:
        """No scratch memory in the plan."""
        return 0

    def build(self, plan: Plan) -> NumpyExecutable:
        return NumpyExecutable(plan)
