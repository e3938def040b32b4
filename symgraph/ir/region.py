"""Regions: graphs inside ops. The body of a loop, the branches of a choice.

A region is closed: what it reads comes in as an input. Its symbols are those of the graph around it, and they need not
be sizes of its own inputs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import GraphError
from .builder import Builder, rebuild
from .dims import Dim, Symbol, SymDim, substitute, symbols
from .emitter import Emitter
from .graph import Graph, Node, Value, topological
from .op import Elementwise, Host, Indexed, Op
from .ops.leaves import Constant, Input, Size, State
from .ops.views import Broadcast
from .replay import Origins, replay, same
from .types import Facts, TensorType

#: Writes the inside of a region: from the builder and the inputs to the outputs.
Write = Callable[[Builder, list[Value]], Sequence[Value]]


class Region:
    """A closed graph as an attribute of an op: compared and hashed by its structure, origins aside."""

    __slots__ = ("_hash", "_key", "_symbols", "graph")

    def __init__(self, graph: Graph) -> None:
        if graph.states or graph.updates:
            raise GraphError("a region reads its inputs only; it has no states of its own")
        self.graph = graph
        numbers = {id(v): k for k, v in enumerate(v for node in graph.nodes for v in node.outputs)}
        nodes = tuple((n.op, tuple(numbers[id(v)] for v in n.inputs)) for n in graph.nodes)
        self._key = (nodes, tuple(numbers[id(v)] for v in graph.outputs), graph.facts)
        self._hash = hash(self._key)
        self._symbols: frozenset[Symbol] | None = None

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Region) and self._hash == other._hash and self._key == other._key)

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        return Region, (self.graph,)

    def __repr__(self) -> str:
        return f"Region({len(self.graph.nodes)} nodes)"

    def __str__(self) -> str:
        """All that tells regions apart, and where their nodes come from."""
        from .printer import print_graph

        return print_graph(self.graph)

    @property
    def inputs(self) -> tuple[TensorType, ...]:
        return tuple(v.type for v in self.graph.inputs)

    @property
    def outputs(self) -> tuple[TensorType, ...]:
        return tuple(v.type for v in self.graph.outputs)

    @property
    def symbols(self) -> frozenset[Symbol]:
        """Every symbol in a type, an attribute or a fact."""
        if self._symbols is None:
            dims: list[Dim] = [d for pair in self.graph.facts for d in pair]
            found: set[Symbol] = set()
            for node in self.graph.nodes:
                dims += [d for v in node.outputs for d in v.shape]
                for value in node.op.attribute_values:
                    if isinstance(value, Region):
                        found |= value.symbols
                    dims += [d for d in (value if isinstance(value, tuple) else (value,)) if isinstance(d, SymDim)]
            self._symbols = frozenset(found | set(symbols(dims)))
        return self._symbols

    def map_dims(self, replace: Mapping[Symbol, Dim]) -> Region:
        """This region with symbols replaced."""
        if self.symbols.isdisjoint(replace):
            return self
        facts = Facts()
        for a, b in self.graph.facts:
            facts.unify(substitute(a, replace), substitute(b, replace))
        types = [t.with_shape([substitute(d, replace) for d in t.shape]) for t in self.inputs]
        return write_region(types, lambda b, inputs: copy_graph(b, self.graph, inputs, replace), facts)


def write_region(types: Sequence[TensorType], write: Write, facts: Facts | None = None) -> Region:
    """A new region with inputs of these types."""
    builder = Builder(facts)
    inputs = [builder.apply(Input(i, f"x{i}", t)) for i, t in enumerate(types)]
    return Region(builder.finish("body", inputs, (), write(builder, inputs), (), is_body=True))


def copy_graph(
    e: Emitter, graph: Graph, inputs: Sequence[Value], replace: Mapping[Symbol, Dim] | None = None,
    origins: Callable[[Origins], Origins] = same,
) -> list[Value]:  # fmt: skip
    """The outputs of ``graph`` on other inputs, written with ``e``, with symbols replaced and other ``origins``."""
    new = {id(old): value for old, value in zip(graph.inputs, inputs, strict=True)}
    inner = (node for node in graph.nodes if not isinstance(node.op, Input))
    replay(e, inner, new, (lambda op: op.map_dims(dict(replace))) if replace else None, origins)
    return [new[id(v)] for v in graph.outputs]


def capture(
    inputs: Sequence[Value], outputs: Sequence[Value], members: Sequence[Node] = ()
) -> tuple[Region, list[Value]]:
    """The region between free values, and what it reads besides ``inputs``: values that do not depend on these,
    computed outside once. They are further inputs of the region. What is made of constants alone, and what repeats a
    smaller array, is written inside; so are ``members``.
    """
    given = {id(v) for v in inputs}
    order = list(topological(outputs))
    inside = {id(n) for n in members if not isinstance(n.op, (Input, State))} | {id(v.node) for v in inputs}
    rootless: set[int] = set()
    for node in order:
        if any(id(v.node) in inside for v in node.inputs):
            inside.add(id(node))
        elif _is_rootless(node, rootless):
            rootless.add(id(node))
    captured: dict[int, Value] = {}
    users = [n for n in order if id(n) in inside and not any(id(v) in given for v in n.outputs)]
    kept = {id(n) for n in users} | rootless
    waiting = [*(v for n in users for v in n.inputs), *outputs]
    for value in waiting:
        if id(value) in given or id(value.node) in kept:
            continue
        if isinstance(value.op, Broadcast):  # repeated inside, where it costs nothing
            kept.add(id(value.node))
            waiting += value.node.inputs
        else:
            captured.setdefault(id(value), value)
    outer = list(captured.values())

    def write(builder: Builder, values: list[Value]) -> list[Value]:
        new = {id(old): value for old, value in zip((*inputs, *outer), values, strict=True)}
        replay(builder, (node for node in order if id(node) in kept), new)
        return [new[id(v)] for v in outputs]

    return write_region([v.type for v in (*inputs, *outer)], write), outer


def _is_rootless(node: Node, known: set[int]) -> bool:
    """Cheap and made of constants and sizes alone."""
    if not node.inputs:
        return isinstance(node.op, (Constant, Size))
    return isinstance(node.op, (Elementwise, Indexed)) and all(id(v.node) in known for v in node.inputs)


def map_regions(op: Op, change: Callable[[Region], Region]) -> Op:
    """``op`` with its regions changed."""
    old = {name: v for name, v in op.attributes().items() if isinstance(v, Region)}
    new = {name: change(v) for name, v in old.items()}
    return dataclasses.replace(op, **new) if any(new[name] is not v for name, v in old.items()) else op


def without(region: Region, kind: type[Op]) -> Region:
    """The same region where ops of a kind, which give their first operands, are left out; in regions inside, too."""
    if not _has_any(region, kind):
        return region

    def write(b: Builder, node: Node, operands: tuple[Value, ...]) -> tuple[Value, ...]:
        if isinstance(node.op, kind):
            return operands[: len(node.outputs)]
        return b.apply_all(map_regions(node.op, lambda inner: without(inner, kind)), *operands)

    return Region(rebuild(region.graph, Builder(Facts(region.graph.facts)), write, is_body=True))


def _has_any(region: Region, kind: type[Op]) -> bool:
    nodes = region.graph.nodes
    return any(isinstance(n.op, kind) or any(_has_any(r, kind) for r in regions_of(n.op)) for n in nodes)


def regions_of(op: Op) -> list[Region]:
    """The regions among an op's attributes."""
    return [v for v in op.attribute_values if isinstance(v, Region)]


def has_effects(op: Op) -> bool:
    """Whether an op, or one in a graph inside, does more than to give results."""
    if isinstance(op, Host):
        return op.has_effects
    return any(has_effects(node.op) for region in regions_of(op) for node in region.graph.nodes)


__all__ = [
    "Region", "capture", "copy_graph", "has_effects", "map_regions", "regions_of", "without", "write_region",
]  # fmt: skip
