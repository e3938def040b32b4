"""The builder: the only way into a closed graph.

It infers types, folds, applies rewrite rules to each new node, and interns: an equal op on equal operands is the
node that already exists. That is all of common subexpression elimination, and no pass needs lists of uses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from ..errors import GraphError, InternalError
from ..provenance import Origin
from .dims import Dim, Symbol, SymDim, symbols
from .emitter import Emitter
from .graph import Graph, Node, Value, topological
from .op import Op
from .types import Facts, TensorType

_MAX_ORIGINS = 4
_MAX_REWRITES = 60


class NodeRule(Protocol):
    """What the builder needs of a rewrite rule (:class:`symgraph.ir.passes.Rule`)."""

    @property
    def name(self) -> str: ...

    def apply(self, e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None: ...


class Builder(Emitter):
    """Writes one closed graph.

    ``rules`` maps an op class to the rules tried, in order, on each new node of it; ``fired`` counts them. A rule
    that returns a value replaces the node; rules apply again to what it wrote.
    """

    def __init__(
        self, facts: Facts | None = None, rules: Mapping[type[Op], Sequence[NodeRule]] | None = None, fold: bool = True
    ) -> None:
        self.facts = facts if facts is not None else Facts()
        self.rules = rules or {}
        self.fold = fold
        self.fired: dict[str, int] = {}
        self.origins: tuple[Origin, ...] = ()
        self._nodes: dict[tuple[Op, tuple[int, ...]], Node] = {}
        self._rewriting: list[str] = []

    def apply_all(self, op: Op, *operands: Value) -> tuple[Value, ...]:
        ids = tuple([id(v) for v in operands])
        key = (op, tuple(sorted(ids)) if op.commutative else ids)
        known = self._nodes.get(key)
        if known is not None:
            self._merge_origins(known)
            return known.outputs
        types = op.infer(self.facts, *(v.type for v in operands))
        if self.fold:
            folded = op.fold(self, operands)
            if folded is not None:
                return (folded,)
        for rule in self.rules.get(type(op), ()):
            replacement = self._rewrite(rule, op, operands)
            if replacement is not None:
                if replacement.type != types[0]:
                    raise InternalError(f"rule {rule.name} turned {types[0]} into {replacement.type}")
                return (replacement,)
        node = Node(op, operands, types, self.origins)
        self._nodes[key] = node
        return node.outputs

    def _rewrite(self, rule: NodeRule, op: Op, operands: Sequence[Value]) -> Value | None:
        self._rewriting.append(rule.name)
        if len(self._rewriting) > _MAX_REWRITES:
            pair = ", ".join(sorted(set(self._rewriting[-8:])))
            raise InternalError(f"rules undo each other: {pair}")
        try:
            result = rule.apply(self, op, operands)
        finally:
            self._rewriting.pop()
        if result is not None:
            self.fired[rule.name] = self.fired.get(rule.name, 0) + 1
        return result

    def _merge_origins(self, node: Node) -> None:
        if self.origins and node.origins is not self.origins and len(node.origins) < _MAX_ORIGINS:
            node.origins = tuple(dict.fromkeys(node.origins + self.origins))[:_MAX_ORIGINS]

    def finish(
        self, name: str, inputs: Sequence[Value], states: Sequence[Value], outputs: Sequence[Value],
        updates: Sequence[tuple[int, Value]], is_body: bool = False,
    ) -> Graph:  # fmt: skip
        """The closed graph of these results; leaves come first, in slot order, then nodes as the results need them.
        The symbols of a body are those of the graph around it.

        Raises:
            GraphError: where a size is not determined by the inputs.
        """
        results = tuple(outputs) + tuple(v for _, v in updates)
        leaves = {id(v.node): v.node for v in (*inputs, *states)}
        rest = [n for n in topological(results) if id(n) not in leaves]
        graph = Graph(
            name, tuple(inputs), tuple(states), tuple(outputs), tuple(updates), tuple(self.facts.pairs),
            (*leaves.values(), *rest),
        )  # fmt: skip
        if not is_body:
            check_sizes_known(graph)
        return graph


def check_sizes_known(graph: Graph) -> None:
    """Every symbol that a node or its attributes use is the size of an axis of some input.

    Raises:
        GraphError: otherwise, naming the node's origin.
    """
    known = set(symbols(d for v in graph.inputs for d in v.shape))
    for node in graph.nodes:
        for value in node.outputs:
            unknown = [s for s in symbols(value.shape) if s not in known]
            if unknown:
                origin = node.origins[0] if node.origins else Origin()
                raise GraphError(
                    f"size {unknown[0]} of a {node.op.name} ({value.type}) made at {origin} belongs to no input of the "
                    "function; add the placeholder it comes from to the inputs"
                )


Transform = Callable[[Builder, Node, tuple[Value, ...]], tuple[Value, ...]]


def copy_node(builder: Builder, node: Node, operands: tuple[Value, ...]) -> tuple[Value, ...]:
    """Apply the node's own op to the new operands."""
    return builder.apply_all(node.op, *operands)


def rebuild(graph: Graph, builder: Builder, transform: Transform = copy_node, is_body: bool = False) -> Graph:
    """One sweep: read ``graph``, write another through ``builder``, node by node in topological order."""
    new: dict[int, Value] = {}
    for node in graph.nodes:
        builder.origins = node.origins
        operands = tuple(new[id(v)] for v in node.inputs)
        for old, value in zip(node.outputs, transform(builder, node, operands), strict=True):
            new[id(old)] = value
    return builder.finish(
        graph.name,
        [new[id(v)] for v in graph.inputs],
        [new[id(v)] for v in graph.states],
        [new[id(v)] for v in graph.outputs],
        [(slot, new[id(v)]) for slot, v in graph.updates],
        is_body,
    )


def rename_sizes(graph: Graph, names: Mapping[Symbol, Dim]) -> Graph:
    """The same graph with symbols replaced everywhere."""
    builder = Builder(Facts(), fold=False)

    def transform(b: Builder, node: Node, operands: tuple[Value, ...]) -> tuple[Value, ...]:
        return b.apply_all(node.op.map_dims(dict(names)), *operands)

    return rebuild(graph, builder, transform)


def canonical_names(shapes: Iterable[Iterable[Dim]]) -> dict[Symbol, Dim]:
    """``N``, ``M``, ... for the symbols in order of first occurrence."""
    order = symbols(d for shape in shapes for d in shape)
    letters = ("N", "M", "K", "L", "P", "Q", "R", "S", "T")
    names = [letters[i] if i < len(letters) else f"D{i}" for i in range(len(order))]
    return {s: SymDim((((Symbol(n),), 1),)) for s, n in zip(order, names, strict=True)}


__all__ = [
    "Builder", "NodeRule", "TensorType", "Transform", "canonical_names", "check_sizes_known", "copy_node", "rebuild",
    "rename_sizes",
]  # fmt: skip
