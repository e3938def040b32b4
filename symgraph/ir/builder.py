"""The builder: the only way into a closed graph.

It infers types, folds, applies rewrite rules to each new node, and interns: an equal op on equal operands is the
node that already exists. That is all of common subexpression elimination, and no pass needs lists of uses.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import eq
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
    """What the builder needs of a rewrite rule (:class:`symgraph.ir.rewrites.rule.Rule`)."""

    @property
    def name(self) -> str: ...

    @property
    def roots(self) -> tuple[type[Op], ...]: ...

    @property
    def sees(self) -> tuple[type[Op], ...]: ...

    @property
    def rewrite(self) -> Callable[[Emitter, Op, Sequence[Value]], Value | None]: ...


class RuleTable:
    """Which of some rules, in order, can fire on a node: known by its op class and those of its operands."""

    def __init__(self, rules: Sequence[NodeRule] = ()) -> None:
        self.rules = rules
        self._known: dict[tuple[type[Op], ...], tuple[NodeRule, ...]] = {}

    def on(self, op: Op, operands: Sequence[Value]) -> tuple[NodeRule, ...]:
        """The rules to try."""
        classes = (type(op), *[type(v.node.op) for v in operands])
        found = self._known.get(classes)
        if found is None:
            found = self._known[classes] = tuple(rule for rule in self.rules if _can_fire(rule, *classes))
        return found


def _can_fire(rule: NodeRule, root: type[Op], *operands: type[Op]) -> bool:
    return root in rule.roots and (not rule.sees or any(issubclass(cls, rule.sees) for cls in operands))


@dataclass(frozen=True)
class Settled:
    """Nodes, by ``id``, that some rules leave as they are; ``fresh`` are those that they were not tried with."""

    nodes: Container[int] = ()
    fresh: RuleTable | None = None


class Builder(Emitter):
    """Writes one closed graph.

    ``rules`` are tried on each new node; ``fired`` counts them. A rule that returns a value replaces the node; rules
    apply again to what it wrote. ``source`` is the node of another graph that is being written again: where nothing
    changes, it is taken over, and where it is ``settled``, only fresh rules are tried.
    """

    def __init__(
        self, facts: Facts | None = None, rules: RuleTable | None = None, fold: bool = True,
        settled: Settled | None = None,
    ) -> None:  # fmt: skip
        self.facts = facts if facts is not None else Facts()
        self.rules = rules
        self.fold = fold
        self.settled = settled if settled is not None else Settled()
        self.source: Node | None = None
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
        source = self.source
        is_same = source is not None and op is source.op and operands == source.inputs
        if source is not None and is_same and id(source) in self.settled.nodes:
            rules, types = self.settled.fresh, tuple([v.type for v in source.outputs])
        else:
            rules, types = self.rules, op.infer(self.facts, *[v.type for v in operands])
            folded = op.fold(self, operands) if self.fold else None
            if folded is not None:
                return (folded,)
        if rules is not None:
            replacement = self._rewrite(rules.on(op, operands), op, operands, types[0])
            if replacement is not None:
                return (replacement,)
        if source is not None and is_same and all(map(eq, types, [v.type for v in source.outputs])):
            node = source
        else:
            node = Node(op, operands, types, self.origins)
        self._nodes[key] = node
        return node.outputs

    @contextmanager
    def made_by(self, origins: tuple[Origin, ...]) -> Iterator[None]:
        outer, self.origins = self.origins, origins
        try:
            yield
        finally:
            self.origins = outer

    def _rewrite(
        self, rules: Sequence[NodeRule], op: Op, operands: Sequence[Value], expected: TensorType
    ) -> Value | None:
        """What the first rule that fires makes of a node. A value whose shape is only equal by facts is declined: types
        of values are written one way throughout a graph."""
        active, depth = self._rewriting, len(self._rewriting)
        if depth >= _MAX_REWRITES:
            raise InternalError(f"rules undo each other: {', '.join(sorted(set(active[-8:])))}")
        found = None
        for rule in rules:
            active.append(rule.name)
            try:
                found = rule.rewrite(self, op, operands)
            finally:
                del active[depth:]
            if found is None:
                continue
            if found.type == expected:
                self.fired[rule.name] = self.fired.get(rule.name, 0) + 1
                break
            same = found.type.ndim == expected.ndim and all(map(self.facts.are_equal, found.shape, expected.shape))
            if not same or found.dtype != expected.dtype:
                raise InternalError(f"rule {rule.name} turned {expected} into {found.type}")
            found = None
        return found

    def _merge_origins(self, node: Node) -> None:
        more, known = self.origins, node.origins
        if more and known is not more and len(known) < _MAX_ORIGINS and not all(o in known for o in more):
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
    checked: set[int] = set()
    for node in graph.nodes:
        for value in node.outputs:
            for dim in value.type.shape:
                if isinstance(dim, int) or id(dim) in checked:
                    continue
                checked.add(id(dim))
                unknown = [s for s in symbols((dim,)) if s not in known]
                if unknown:
                    origin = node.origins[0] if node.origins else Origin()
                    raise GraphError(
                        f"size {unknown[0]} of a {node.op.name} ({value.type}) made at {origin} belongs to no input of "
                        "the function; add the placeholder it comes from to the inputs"
                    )


Transform = Callable[[Builder, Node, tuple[Value, ...]], tuple[Value, ...]]


def copy_node(builder: Builder, node: Node, operands: tuple[Value, ...]) -> tuple[Value, ...]:
    """Apply the node's own op to the new operands."""
    return builder.apply_all(node.op, *operands)


def rebuild(graph: Graph, builder: Builder, transform: Transform = copy_node, is_body: bool = False) -> Graph:
    """One sweep: read ``graph``, write another through ``builder``, node by node in topological order. The same graph
    where nothing changes."""
    new: dict[int, Value] = {}
    is_same = True
    for node in graph.nodes:
        builder.origins, builder.source = node.origins, node
        made = transform(builder, node, tuple([new[id(v)] for v in node.inputs]))
        is_same = is_same and made == node.outputs
        for old, value in zip(node.outputs, made, strict=True):
            new[id(old)] = value
    builder.source = None
    if is_same and len(builder.facts.pairs) == len(graph.facts):
        return graph
    return builder.finish(
        graph.name,
        [new[id(v)] for v in graph.inputs],
        [new[id(v)] for v in graph.states],
        [new[id(v)] for v in graph.outputs],
        [(slot, new[id(v)]) for slot, v in graph.updates],
        is_body,
    )


def canonical_names(shapes: Iterable[Iterable[Dim]]) -> dict[Symbol, Dim]:
    """``N``, ``M``, ... for the symbols in order of first occurrence."""
    order = symbols(d for shape in shapes for d in shape)
    letters = ("N", "M", "K", "L", "P", "Q", "R", "S", "T")
    names = [letters[i] if i < len(letters) else f"D{i}" for i in range(len(order))]
    return {s: SymDim((((Symbol(n),), 1),)) for s, n in zip(order, names, strict=True)}


__all__ = [
    "Builder", "NodeRule", "TensorType", "Transform", "canonical_names", "check_sizes_known", "copy_node", "rebuild",
]  # fmt: skip
