"""What layers say about the places of the layers inside them in Keras 3's archives."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ArchivedPart:
    """A layer inside a layer: the path to its group from that of the outer one, and the config in the archive."""

    path: str
    layer: Any
    config: dict[str, Any]


def numbered(classes: Iterable[str]) -> list[str]:
    """Names of classes in snake case, the second of a name with ``_1``, and so on."""
    counts: dict[str, int] = {}
    found = []
    for name in classes:
        snake = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()
        number = counts.get(snake, 0)
        found.append(f"{snake}_{number}" if number else snake)
        counts[snake] = number + 1
    return found
