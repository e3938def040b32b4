"""Nodes, values, and the closed graph that passes read and write.

A *node* is one application of an op; a *value* is one of its results. Both are immutable. While the user builds, values
hang together freely; :mod:`symgraph.ir.builder` closes what a function needs into a :class:`Graph`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..display import drawn
from ..dtypes import DType
from ..provenance import Origin
from .dims import Dim, Shape
from .op import Op
from .types import TensorType


class Node:
    """One application of ``op``; ``outputs`` are its results. Compared by identity. ``joins`` where its operands only
    fit if certain sizes are equal."""

    __slots__ = ("__weakref__", "inputs", "joins", "op", "origins", "outputs")

    def __init__(
        self, op: Op, inputs: tuple[Value, ...], types: Iterable[TensorType], origins: tuple[Origin, ...],
        joins: bool = False,
    ) -> None:  # fmt: skip
        self.joins = joins
        self.op = op
        self.inputs = inputs
        self.origins = origins
        self.outputs: tuple[Value, ...] = tuple([Value(self, i, t) for i, t in enumerate(types)])

    @property
    def output(self) -> Value:
        """The only result of a node with one result."""
        (value,) = self.outputs
        return value

    def __repr__(self) -> str:
        types = ", ".join(str(v.type) for v in self.outputs)
        return f"<{self.op.name} : {types}>"


class Value:
    """Result ``index`` of ``node``. Compared by identity."""

    __slots__ = ("__weakref__", "index", "node", "type")

    def __init__(self, node: Node, index: int, type: TensorType) -> None:
        self.node = node
        self.index = index
        self.type = type

    @property
    def op(self) -> Op:
        return self.node.op

    @property
    def shape(self) -> Shape:
        return self.type.shape

    @property
    def dtype(self) -> DType:
        return self.type.dtype

    def __repr__(self) -> str:
        return f"<value {self.node.op.name}.{self.index} : {self.type}>"


@dataclass(frozen=True)
class Graph:
    """A closed graph: everything between its leaves and its results, in a topological order.

    ``inputs`` and ``states`` are the values of ``Input`` and ``State`` leaves, by slot. ``updates`` pairs a state's
    slot with its new value; all updates read the old values of all states. ``facts`` are the equalities between
    sizes that a call must satisfy.
    """

    name: str
    inputs: tuple[Value, ...]
    states: tuple[Value, ...]
    outputs: tuple[Value, ...]
    updates: tuple[tuple[int, Value], ...]
    facts: tuple[tuple[Dim, Dim], ...] = ()
    nodes: tuple[Node, ...] = field(default=(), compare=False)

    def _repr_svg_(self) -> str | None:
        return drawn(self)

    @property
    def results(self) -> tuple[Value, ...]:
        """Outputs, then new values of states."""
        return self.outputs + tuple(v for _, v in self.updates)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as a list of nodes, so that graphs of any depth can be."""
        numbers = {id(v): k for k, v in enumerate(v for node in self.nodes for v in node.outputs)}

        def places(values: Iterable[Value]) -> tuple[int, ...]:
            return tuple(numbers[id(v)] for v in values)

        nodes = [(n.op, places(n.inputs), tuple(v.type for v in n.outputs), n.origins) for n in self.nodes]
        slots = tuple(slot for slot, _ in self.updates)
        parts = (places(self.inputs), places(self.states), places(self.outputs), places(v for _, v in self.updates))
        return _graph_of, (self.name, nodes, *parts, slots, self.facts)


def _graph_of(
    name: str, nodes: Iterable[tuple[Op, tuple[int, ...], tuple[TensorType, ...], tuple[Origin, ...]]],
    inputs: tuple[int, ...], states: tuple[int, ...], outputs: tuple[int, ...], new: tuple[int, ...],
    slots: tuple[int, ...], facts: tuple[tuple[Dim, Dim], ...],
) -> Graph:  # fmt: skip
    made: list[Node] = []
    values: list[Value] = []
    for op, operands, types, origins in nodes:
        made.append(Node(op, tuple(values[k] for k in operands), types, origins))
        values += made[-1].outputs

    def at(places: tuple[int, ...]) -> tuple[Value, ...]:
        return tuple(values[k] for k in places)

    updates = tuple(zip(slots, at(new), strict=True))
    return Graph(name, at(inputs), at(states), at(outputs), updates, facts, tuple(made))


def topological(values: Iterable[Value], known: Container[int] = ()) -> Iterator[Node]:
    """Every node that ``values`` depend on, operands first; deterministic, and safe for graphs of any depth. Nothing
    that operands whose ``id`` is ``known`` depend on."""
    done: set[int] = set()
    for value in values:
        stack: list[tuple[Node, int]] = [(value.node, 0)]
        if id(value.node) in done:
            continue
        done.add(id(value.node))
        while stack:
            node, at = stack.pop()
            if at < len(node.inputs):
                stack.append((node, at + 1))
                child = node.inputs[at].node
                if id(child) not in done and id(node.inputs[at]) not in known:
                    done.add(id(child))
                    stack.append((child, 0))
            else:
                yield node
