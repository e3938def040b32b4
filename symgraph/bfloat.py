"""bfloat16: 16 bits in memory, float32 in arithmetic.

Tensors have dtype ``"bfloat16"`` like any other: placeholders, variables, casts, gradients, loops. Each op computes in
float32 and rounds its result. NumPy has no such dtype, so arrays of it are uint16 arrays of its bits: what a variable
holds, what a function gives, and what it takes, too (beside numbers, which it rounds, and arrays of ml_dtypes). With
ml_dtypes, ``x.view("uint16")`` and ``bits.view(ml_dtypes.bfloat16)`` convert. A weight that is stored so::

    w = sg.variable(values, dtype="bfloat16")
    cost = ...                                       # dot(x, w) of a float32 x is float32
    step = sg.function([...], cost, updates=[(w, w - 0.1 * sg.grad(cost, w))])

The functions here are for bits that are uint16 tensors, and for rounding while the dtype stays float32. All conversions
are part of the kernels around them; only a matrix product makes a float32 copy of its operand, for as long as it runs.
"""

from __future__ import annotations

from .dtypes import float32
from .ir.ops.bfloat import FromBfloat16, RoundBfloat16, ToBfloat16
from .tensor import Tensor, TensorLike, as_tensor, as_value
from .tracer import tracer


def to_bfloat16(x: TensorLike) -> Tensor:
    """The bits (uint16) of the nearest bfloat16, of two equally near the even one; NaN stays NaN, what is too large
    becomes infinite. Other dtypes than float32 are converted to that first. There is no gradient."""
    return Tensor(tracer.apply(ToBfloat16(), as_tensor(x).astype(float32).value))


def from_bfloat16(bits: TensorLike) -> Tensor:
    """The float32 that the bits (uint16) of a bfloat16 stand for.

    Raises:
        DTypeError: for another dtype.

    Example:
        >>> import numpy as np
        >>> import symgraph as sg
        >>> bits = sg.function([], sg.to_bfloat16(np.array([1.0, 3.14159], "float32")))()
        >>> sg.function([], sg.from_bfloat16(bits))().tolist()
        [1.0, 3.140625]
    """
    return Tensor(tracer.apply(FromBfloat16(), as_value(bits)))


def round_to_bfloat16(x: TensorLike) -> Tensor:
    """``x`` (float32, or converted to it) rounded to the nearest bfloat16; gradients pass as they are."""
    return Tensor(tracer.apply(RoundBfloat16(), as_tensor(x).astype(float32).value))


__all__ = ["from_bfloat16", "round_to_bfloat16", "to_bfloat16"]
