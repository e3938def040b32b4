"""A call of Python, bound to sizes: what every target does when a plan comes to one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import ArgumentError, DTypeError, ShapeError
from ..ir.dims import Symbol, evaluator
from ..ir.op import Host
from ..ir.types import TensorType
from ..provenance import Origin
from .plan import HostCall

Array = np.ndarray[Any, Any]


class BoundHost:
    """``call`` for given sizes. ``operands`` and ``results`` are dtypes and shapes."""

    __slots__ = ("op", "operands", "place", "results")

    def __init__(self, call: HostCall, sizes: Mapping[str, int], function: str) -> None:
        op = call.op.map_dims({Symbol(name): size for name, size in sizes.items()})
        assert isinstance(op, Host)
        self.op = op
        self.place = f"{op.title} of {(*call.sites, Origin())[0]}, called by {function}"
        bound = [_bind(t, sizes) for t in call.types]
        self.operands = bound[: call.operands]
        self.results = bound[call.operands :]

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """The results for operands that nobody else writes to: C-contiguous, of the bound dtypes and shapes.

        Raises:
            ArgumentError, DTypeError, ShapeError: where ``perform`` gave other results than inferred.
            Exception: whatever ``perform`` raises, as the op explains it.
        """
        try:
            with np.errstate(all="ignore"):
                made = self.op.perform(*arrays)
        except Exception as error:
            explained = self.op.explain(error, self.place)
            if explained is error:
                raise
            raise explained from None
        given = made if isinstance(made, (tuple, list)) else (made,)
        if len(given) != len(self.results):
            raise ArgumentError(f"{self.place}: perform gave {len(given)} result(s), expected {len(self.results)}")
        return [self._checked(k, value) for k, value in enumerate(given)]

    def _checked(self, number: int, value: Any) -> Array:
        dtype, shape = self.results[number]
        array = np.asarray(value)
        if isinstance(value, (bool, int, float)) and array.dtype != dtype:
            array = array.astype(dtype)
        if array.dtype != dtype:
            raise DTypeError(f"{self.place}: result {number} of perform has dtype {array.dtype}, expected {dtype}")
        if array.shape != shape:
            raise ShapeError(f"{self.place}: result {number} of perform has shape {array.shape}, expected {shape}")
        return np.ascontiguousarray(array).reshape(shape)


def _bind(type: TensorType, sizes: Mapping[str, int]) -> tuple[np.dtype[Any], tuple[int, ...]]:
    return type.dtype.np, tuple(evaluator(d)(sizes) for d in type.shape)


__all__ = ["BoundHost"]
