"""Matrices, under the names of ``tf.linalg``."""

from __future__ import annotations

from typing import Any

import symgraph as sg
from symgraph import Tensor

from .math import einsum, l2_normalize, matmul, norm, tensordot

cholesky, det, inv, solve, trace = sg.linalg.cholesky, sg.linalg.det, sg.linalg.inv, sg.linalg.solve, sg.linalg.trace

__all__ = [
    "band_part",
    "cholesky",
    "det",
    "diag",
    "diag_part",
    "einsum",
    "inv",
    "l2_normalize",
    "matmul",
    "norm",
    "solve",
    "tensordot",
    "trace",
]


def band_part(input: Any, num_lower: int, num_upper: int, name: str | None = None) -> Tensor:
    """Zeros outside a band around the diagonal; a negative number keeps that whole triangle."""
    kept = sg.as_tensor(input)
    if num_lower >= 0:
        kept = sg.triu(kept, -num_lower)
    return sg.tril(kept, num_upper) if num_upper >= 0 else kept


def diag(diagonal: Any, name: str | None = None) -> Tensor:
    """Matrices with these diagonals."""
    values = sg.as_tensor(diagonal)
    return sg.expand_dims(values, -1) * sg.eye(values.shape[-1], dtype=values.dtype)


def diag_part(input: Any, name: str | None = None) -> Any:
    """The diagonals of matrices."""
    return sg.diagonal(sg.as_tensor(input), 0, -2, -1)
