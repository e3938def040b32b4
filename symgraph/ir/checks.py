"""Checks that many ops share; each raises the one error message of its kind."""

from __future__ import annotations

from collections.abc import Sequence

from ..dtypes import DType
from ..errors import DTypeError, ShapeError
from .types import TensorType


def same_dtype(name: str, operands: Sequence[TensorType]) -> DType:
    """The dtype all operands share."""
    first = operands[0].dtype
    if any(t.dtype != first for t in operands[1:]):
        raise DTypeError(f"{name} needs operands of one dtype, got " + ", ".join(str(t.dtype) for t in operands))
    return first


def float_dtype(name: str, operands: Sequence[TensorType]) -> DType:
    """The floating dtype all operands share."""
    dtype = same_dtype(name, operands)
    if not dtype.is_float:
        raise DTypeError(f"{name} needs floating point operands, got {dtype}")
    return dtype


def check_axes(name: str, axes: Sequence[int], operand: TensorType) -> None:
    """Axes sorted, distinct and inside the operand's rank."""
    if list(axes) != sorted(set(axes)) or any(not 0 <= a < operand.ndim for a in axes):
        raise ShapeError(f"{name} got axes {tuple(axes)} for an operand of type {operand}")


def normalize_axis(axis: int, ndim: int, name: str) -> int:
    """A non-negative axis for a possibly negative one."""
    if not -ndim <= axis < ndim:
        raise ShapeError(f"{name}: axis {axis} is out of range for {ndim} dimension(s)")
    return axis % ndim
