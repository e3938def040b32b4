"""Attributes of ops that are arrays, or objects of a user's."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class Foreign:
    """A Python object of the user's as an op attribute: compared and hashed as it says itself.

    Its text is a name, which cannot be read back, and nothing on disk can stand for it.
    """

    __slots__ = ("name", "object")

    def __init__(self, object: Any, name: str) -> None:
        self.object = object
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Foreign) and (self.object is other.object or bool(self.object == other.object))

    def __hash__(self) -> int:
        return hash(self.object)

    def __repr__(self) -> str:
        return f"<python {self.name}>"


class Literal:
    """An array as an op attribute: compared and hashed by dtype, shape and bytes (so NaN equals NaN, and 0.0 is not
    -0.0)."""

    __slots__ = ("_key", "array")

    def __init__(self, array: Any) -> None:
        data = np.array(array, order="C", copy=True)
        data.flags.writeable = False
        self.array: Array = data
        self._key = (data.dtype.str, data.shape, data.tobytes())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"Literal({self.array!r})"


__all__ = ["Foreign", "Literal"]
