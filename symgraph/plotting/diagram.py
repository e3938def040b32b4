"""What is drawn: boxes, clusters of boxes, and arrows; no sizes and no positions yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, Union

from ..errors import ArgumentError

DIRECTIONS = ("TB", "BT", "LR", "RL")


@dataclass(frozen=True, slots=True)
class Box:
    """One node. ``fields`` are named values, shown as a small table beside the title.

    ``kind`` decides the colour: ``plain``, ``input``, ``state``, ``constant`` or ``output``.
    """

    key: str
    title: str
    fields: tuple[tuple[str, str], ...] = ()
    kind: str = "plain"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Items drawn inside one frame with a title."""

    key: str
    title: str
    items: tuple[Item, ...]


Item: TypeAlias = Union[Box, Cluster]


@dataclass(frozen=True, slots=True)
class Arrow:
    """From the box ``source`` to the box ``target`` (keys of boxes, never of clusters)."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Diagram:
    """``direction`` says where arrows point: ``TB`` down, ``BT`` up, ``LR`` right, ``RL`` left."""

    items: tuple[Item, ...]
    arrows: tuple[Arrow, ...]
    direction: str = "TB"
    title: str = ""

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise ArgumentError(f"rankdir is {self.direction!r}; it is one of {', '.join(DIRECTIONS)}")
        keys = {box.key for box in boxes_of(self.items)}
        for arrow in self.arrows:
            if arrow.source not in keys or arrow.target not in keys:
                raise ArgumentError(f"an arrow joins {arrow.source!r} and {arrow.target!r}, and one of them is no box")


def boxes_of(items: tuple[Item, ...]) -> Iterator[Box]:
    """All boxes, those inside clusters too."""
    for item in items:
        if isinstance(item, Box):
            yield item
        else:
            yield from boxes_of(item.items)
