"""bfloat16 storage: 16 bits in memory, float32 in arithmetic.

NumPy has no bfloat16, so arrays of it go in and out as uint16, which hold its bits (with ml_dtypes:
``x.view("uint16")`` and ``bits.view(ml_dtypes.bfloat16)``). A weight that is stored so is a uint16 variable::

    stored = sg.variable(bits)
    w = sg.from_bfloat16(stored)
    cost = ...                                       # a float32 computation with w
    step = sg.function([...], cost, updates=[(stored, sg.to_bfloat16(w - 0.1 * sg.grad(cost, w)))])

Both conversions are part of the kernels around them: no float32 copy of the weight is made for them.
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
