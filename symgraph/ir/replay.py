"""The same nodes once more: on other operands, by another emitter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from ..provenance import Origin
from .emitter import Emitter
from .graph import Node, Value
from .op import Op

Origins: TypeAlias = tuple[Origin, ...]


def same(origins: Origins) -> Origins:
    """The origins of a node as those of its copy."""
    return origins


def replay(
    e: Emitter, nodes: Iterable[Node], new: dict[int, Value], change: Callable[[Op], Op] | None = None,
    origins: Callable[[Origins], Origins] = same,
) -> None:  # fmt: skip
    """Write ``nodes``, operands first, with ``e``; with ``change``, other ops. ``new`` has the values that stand for
    the operands, by the ``id`` of what they stand for; those that the nodes give come to them, but for what is there.
    """
    for node in nodes:
        with e.made_by(origins(node.origins)):
            made = e.apply_all(change(node.op) if change else node.op, *(new[id(v)] for v in node.inputs))
        for old, value in zip(node.outputs, made, strict=True):
            new.setdefault(id(old), value)


__all__ = ["Origins", "replay", "same"]
