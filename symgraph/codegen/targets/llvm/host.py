"""Python called by native code.

The driver comes back through one callback for all calls; it gets the :class:`Visit` and the address of the pointers
to the arrays. Operands are copied before Python sees them and results are copied after, so nothing that Python keeps,
an exception's frames neither, ever points into the plan's memory.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from ...host import BoundHost
from .driver import HOST_FIELDS
from .once import once

Array = np.ndarray[Any, Any]


class Visit:
    """One call of Python in one workplace. ``address`` is that of the driver's record; what is raised goes into
    ``raised``."""

    __slots__ = ("_bound", "_raised", "_record")

    def __init__(self, bound: BoundHost, raised: list[BaseException]) -> None:
        self._bound = bound
        self._raised = raised
        callback = ctypes.cast(_callback(), ctypes.c_void_p).value
        self._record = (ctypes.c_size_t * HOST_FIELDS)(id(self), 0, callback)  # type: ignore[misc]  # it has one

    @property
    def address(self) -> int:
        return ctypes.addressof(self._record)

    def run(self, buffers: int) -> None:
        """Call Python on the arrays whose pointers are at ``buffers``. Never raises: what is raised is kept."""
        try:
            bound = self._bound
            count = len(bound.operands)
            pointers = (ctypes.c_size_t * (count + len(bound.results))).from_address(buffers)
            operands = [_copy(p, *type) for p, type in zip(pointers, bound.operands)]  # noqa: B905 - results follow
            for pointer, result in zip(pointers[count:], bound.run(operands), strict=True):
                ctypes.memmove(pointer, result.ctypes.data, result.nbytes)
            self._record[1] = 1
        except BaseException as error:  # also a signal: the driver has to stop first
            self._raised.clear()
            frames = error.__traceback__  # the first is this one, which has a pointer to the plan's memory
            self._raised.append(error.with_traceback(frames.tb_next if frames else None))


def _copy(address: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    array: Array = np.empty(shape, dtype)
    ctypes.memmove(array.ctypes.data, address, array.nbytes)
    return array


@once
def _callback() -> Any:
    """The function that native code calls; it holds the GIL inside."""
    return ctypes.CFUNCTYPE(None, ctypes.py_object, ctypes.c_size_t)(Visit.run)


__all__ = ["Visit"]
