"""NumPy helpers for labels and vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def to_categorical(y: Any, num_classes: int | None = None, dtype: Any = "float32") -> Array:
    """Class numbers as rows of zeros with a one; a last axis of size one is dropped first.

    Args:
        y: integers from 0 to ``num_classes - 1``, of any shape.
        num_classes: how many classes (by default the largest number plus one).
        dtype: of the result, whose shape is ``y.shape + (num_classes,)``.

    Raises:
        IndexError: for a number that names no class.
    """
    labels = np.array(y, dtype="int")
    shape = labels.shape
    if shape and shape[-1] == 1 and len(shape) > 1:
        shape = shape[:-1]
    labels = labels.ravel()
    classes = num_classes or int(labels.max(initial=-1)) + 1
    wrong = labels[(labels < 0) | (labels >= classes)]
    if wrong.size:
        raise IndexError(f"to_categorical: class numbers are 0 to {classes - 1} for {classes} classes, got {wrong[0]}")
    out = np.zeros((labels.size, classes), dtype=dtype)
    out[np.arange(labels.size), labels] = 1
    return out.reshape((*shape, classes))


def normalize(x: Any, axis: int = -1, order: int = 2) -> Array:
    """``x`` over its norm of an order along an axis (zero vectors stay)."""
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    norm[norm == 0] = 1
    return np.asarray(x / np.expand_dims(norm, axis))
