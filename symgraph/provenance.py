"""Who made a node: the layer path and the user's source line.

An op application records an :class:`Origin`. Errors, ``explain()`` and ``profile()`` read it; it never takes part in
equality, so two equal nodes from different lines are one node with both origins.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from types import FrameType

_LIBRARY = os.path.dirname(os.path.abspath(__file__)) + os.sep
_scope: ContextVar[str] = ContextVar("symgraph_scope", default="")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a node comes from: layer path (``"dense_1"``), user's file and line, and whether a gradient made it."""

    layer: str = ""
    file: str = ""
    line: int = 0
    grad: bool = False

    def __str__(self) -> str:
        place = f"{os.path.basename(self.file)}:{self.line}" if self.file else ""
        text = f"{self.layer} ({place})" if self.layer and place else self.layer or place or "?"
        return f"grad of {text}" if self.grad else text


#: One object for a place: many nodes come from it.
_origin = lru_cache(maxsize=4096)(Origin)


@lru_cache(maxsize=4096)
def as_gradient(origins: tuple[Origin, ...]) -> tuple[Origin, ...]:
    """The same places, for what a gradient makes there."""
    return tuple([o if o.grad else _origin(o.layer, o.file, o.line, True) for o in origins])


@contextmanager
def name_scope(name: str) -> Iterator[str]:
    """Ops applied inside belong to layer ``name`` (nested scopes join with ``/``)."""
    outer = _scope.get()
    path = f"{outer}/{name}" if outer else name
    token = _scope.set(path)
    try:
        yield path
    finally:
        _scope.reset(token)


def here(grad: bool = False) -> Origin:
    """The origin of an op applied now: innermost frame outside symgraph, current scope."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_LIBRARY):
        frame = frame.f_back
    if frame is None:
        return _origin(_scope.get(), "", 0, grad)
    return _origin(_scope.get(), frame.f_code.co_filename, frame.f_lineno, grad)
