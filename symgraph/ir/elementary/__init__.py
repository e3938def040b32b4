"""Elementary functions as polynomials over the scalar algebra: the same code, and the same accuracy, on every native
target.

``EXPANSIONS[name](s, *operands)`` computes the intrinsic ``name`` of :mod:`symgraph.ir.algebra` with primitive
intrinsics only: arithmetic, ``fma``, ``sqrt``, comparisons, ``select``, bit operations, casts. No branch, no table in
memory; each vectorises as it stands. The errors are in ``docs/elementary.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..algebra import PORTABLE
from ..portable import portable
from . import error_function, exponential, inverse, logarithm, power, trigonometric

EXPANSIONS: dict[str, Callable[..., Any]] = {
    "exp": exponential.exp, "exp2": exponential.exp2, "expm1": exponential.expm1, "sigmoid": exponential.sigmoid,
    "tanh": exponential.tanh, "sinh": exponential.sinh, "cosh": exponential.cosh,
    "log": logarithm.log, "log1p": logarithm.log1p, "log2": logarithm.log2, "log10": logarithm.log10,
    "softplus": logarithm.softplus, "asinh": logarithm.asinh, "acosh": logarithm.acosh, "atanh": logarithm.atanh,
    "sin": trigonometric.sin, "cos": trigonometric.cos, "tan": trigonometric.tan,
    "asin": inverse.asin, "acos": inverse.acos, "atan": inverse.atan, "atan2": inverse.atan2,
    "erf": error_function.erf, "pow": power.pow,
}  # fmt: skip
EXPANSIONS |= {name: portable(EXPANSIONS[function]) for name, function in PORTABLE.items()}

__all__ = ["EXPANSIONS"]
