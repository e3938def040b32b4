"""Operands for the samples of ops: small deterministic arrays away from the ops' kinks."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def floats(*shape: int, low: float = -2.0, high: float = 2.0, seed: int = 0, dtype: str = "float64") -> Array:
    """Distinct values in ``[low, high)``, none within 1e-2 of an integer or a half."""
    values = np.random.default_rng(seed).uniform(low, high, shape)
    near = np.abs(2 * values - np.rint(2 * values)) < 2e-2
    return np.where(near, values + 3e-2, values).astype(dtype)


def integers(*shape: int, low: int = -5, high: int = 6, seed: int = 0, dtype: str = "int32") -> Array:
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


def booleans(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(0, 2, shape).astype(bool)


#: Values every float function must get right.
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-40, 1e30, -1e30])
