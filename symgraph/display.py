"""Pictures in notebooks. What holds a graph is made far below what draws one; the drawer says here who it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_drawers: list[Callable[[Any], str | None]] = []


def draw_with(drawer: Callable[[Any], str | None]) -> None:
    """Use ``drawer``, of a tensor or a graph, for SVG. Called once, while symgraph is imported."""
    _drawers.append(drawer)


def drawn(what: Any) -> str | None:
    """The SVG of a tensor or a graph, or None where there is no picture of it."""
    return _drawers[-1](what) if _drawers else None
