"""Equal clusters are lowered once.

Two clusters are equal if the same ops on the same types lie in the same order between their arrays, as those of equal
layers do. The second one gets the first one's kernels, object for object, with its own arrays and nodes, so that what
is found out about a kernel later (its canonical text, how it updates in place) is found out once too.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

from ..ir.graph import Node, Value
from ..ir.ops.leaves import Input, State
from .cluster import Cluster
from .evaluate import Array, Scratch
from .lower import Lowered, lower_cluster


class Lowerer:
    """Lowers the clusters of one graph; ``is_array`` says which values exist as arrays outside a cluster."""

    def __init__(self, is_array: Callable[[Value], bool]) -> None:
        self._is_array = is_array
        self._known: dict[Hashable, tuple[Sequence[Value], list[Lowered]]] = {}

    def lower(self, cluster: Cluster) -> list[Lowered]:
        """The kernels of a cluster, in order."""
        key, values = structure(cluster, self._is_array)
        known = self._known.get(key)
        if known is not None:
            return _transferred(known[1], known[0], values)
        lowered = lower_cluster(cluster, self._is_array)
        self._known[key] = (values, lowered)
        return lowered


def structure(cluster: Cluster, is_array: Callable[[Value], bool]) -> tuple[Hashable, list[Value]]:
    """What decides a cluster's kernels, and the values it is about, in the order in which its members need them.

    An array is known by its type, and by its op where that says what is in it; inputs and states say nothing.
    """
    inside = {id(v) for v in cluster.members}
    numbers: dict[int, int] = {}
    values: list[Value] = []
    parts: list[Hashable] = []
    for member in cluster.members:
        stack: list[tuple[Value, bool]] = [(member, False)]
        while stack:
            value, ready = stack.pop()
            if id(value) in numbers:
                continue
            op = value.node.op
            is_outside = id(value) not in inside and is_array(value)
            if is_outside:
                parts.append((value.type, None if isinstance(op, (Input, State)) else op))
            elif ready:
                parts.append((value.type, op, value.index, tuple([numbers[id(v)] for v in value.node.inputs])))
            else:
                stack.append((value, True))
                stack.extend([(v, False) for v in reversed(value.node.inputs)])
                continue
            numbers[id(value)] = len(values)
            values.append(value)
    members = tuple([numbers[id(v)] for v in cluster.members])
    stored = tuple([numbers[id(v)] for v in cluster.stored])
    return (cluster.form, cluster.domain, cluster.reduced, members, stored, tuple(parts)), values


def _transferred(lowered: Sequence[Lowered], old: Sequence[Value], new: Sequence[Value]) -> list[Lowered]:
    """The same kernels for other values."""
    values: dict[int, Value] = {id(a): b for a, b in zip(old, new, strict=True)}
    nodes: dict[int, Node] = {id(a.node): b.node for a, b in zip(old, new, strict=True)}
    scratches: dict[int, Scratch] = {}

    def other(array: Array) -> Array:
        if isinstance(array, Scratch):
            return scratches.setdefault(id(array), Scratch(array.dtype, array.shape))
        return values.get(id(array), array)  # what is not the graph's is a constant that lowering made

    return [
        replace(
            one,
            arrays={name: other(array) for name, array in one.arrays.items()},
            nodes=tuple([nodes[id(node)] for node in one.nodes]),
            checks=tuple([(nodes[id(node)], axis) for node, axis in one.checks]),
        )
        for one in lowered
    ]
