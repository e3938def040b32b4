"""The passes over a closed graph, in order, and the report of what they did.

A pass is a set of rules. The builder tries them on every node as it is written, also on those that rules write, with
operands that are final already; a rule looks at the op and its operands only. So one sweep over the graph leaves
nothing that a rule would change; :func:`check_settled` makes sure of it. What nothing needs is not copied, and equal
nodes are one node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..errors import InternalError
from ..options import Options
from .builder import Builder, RuleTable, Settled, rebuild
from .graph import Graph, Node, Value
from .op import Control
from .region import Region, map_regions, regions_of
from .rewrites import (
    algebra,
    cancellation,
    canonical,
    comparisons,
    entropy,
    expansion,
    folding,
    inverses,
    moves,
    products,
    ranges,
    reductions,
    sparse,
    stable,
    views,
)
from .rewrites.chains import reorder_chains
from .rewrites.loop_motion import move_out_of_loops
from .rewrites.loop_reuse import reuse_between_loops
from .rewrites.rule import Rule
from .types import Facts
from .verify import verify


@dataclass(frozen=True)
class Pass:
    """Rules applied together."""

    name: str
    rules: tuple[Rule, ...]
    #: Rewrites the whole graph before the rules apply, with inexact motions or without; counts what it did.
    prepare: Callable[[Graph, bool], tuple[Graph, dict[str, int]]] | None = None

    @property
    def exact(self) -> bool:
        """True where no rule may change a bit."""
        return all(rule.exact for rule in self.rules)

    def chosen(self, inexact: bool) -> tuple[Rule, ...]:
        """The rules that apply where inexact ones are wanted or not."""
        return tuple(rule for rule in self.rules if inexact or rule.exact or rule.required)


def improve_loops(graph: Graph, inexact: bool) -> tuple[Graph, dict[str, int]]:
    """What loops can take from each other, and what can leave them."""
    if not any(isinstance(node.op, Control) for node in graph.nodes):
        return graph, {}
    graph, reused = reuse_between_loops(graph, inexact)
    graph, moved = move_out_of_loops(graph, inexact)
    return graph, moved | reused


#: What every pass keeps true: constants computed and to the right, views merged and outward, no idle arithmetic.
_TIDY = (
    canonical.RULES + comparisons.RULES + views.RULES + moves.RULES + folding.RULES + algebra.EXACT
    + cancellation.EXACT + ranges.EXACT
)  # fmt: skip
#: Formulas that keep more digits.
_STABLE = stable.RULES + entropy.RULES + inverses.RULES
#: Less work, up to rounding.
_SPECIAL = (
    algebra.INEXACT + cancellation.INEXACT + ranges.INEXACT + moves.INEXACT + products.RULES + reductions.RULES
    + sparse.RULES
)  # fmt: skip

#: The passes, in order. Stabilising rules see composite ops whole; what comes later sees what these are made of.
PIPELINE: tuple[Pass, ...] = (
    Pass("canonicalize", _TIDY),
    Pass("stabilize", _TIDY + _STABLE),
    Pass("expand", _TIDY + expansion.RULES),
    Pass("loops", _TIDY, improve_loops),
    Pass("specialize", _TIDY + _SPECIAL),
    Pass("chains", _TIDY + _SPECIAL, reorder_chains),
)


@dataclass(frozen=True)
class PassRecord:
    """What one pass did: sizes in nodes, how often each rule fired, the graph it left."""

    name: str
    nodes_before: int
    nodes_after: int
    fired: Mapping[str, int]
    graph: Graph

    def __str__(self) -> str:
        rules = ", ".join(f"{name} x{n}" if n > 1 else name for name, n in sorted(self.fired.items())) or "nothing"
        return f"{self.name}: {self.nodes_before} -> {self.nodes_after} nodes; {rules}"


@dataclass(frozen=True)
class Report:
    """The records of all passes, in order."""

    passes: tuple[PassRecord, ...]

    def __str__(self) -> str:
        return "\n".join(str(record) for record in self.passes)


def optimize(graph: Graph, options: Options, passes: Sequence[Pass] = PIPELINE) -> tuple[Graph, Report]:
    """Run the passes. With ``options.verify`` the graph is verified before, and after each pass.

    Raises:
        InternalError: where an invariant breaks, naming the pass, or where rules undo each other, naming them.
    """
    if options.verify:
        verify(graph, "import")
    records: list[PassRecord] = []
    settled = Swept((), frozenset())
    for one in passes:
        before, rules = graph, one.chosen(options.inexact)
        graph, fired = run_pass(graph, one, rules, options.inexact, settled)
        if graph is not before or one.prepare is None:
            settled = Swept(rules, frozenset(_nodes_of(graph)))
        if options.verify:
            verify(graph, one.name)
            check_settled(graph, rules, one.name)
        records.append(PassRecord(one.name, len(before.nodes), len(graph.nodes), fired, graph))
    return graph, Report(tuple(records))


@dataclass(frozen=True)
class Swept:
    """What earlier passes leave: rules that change none of some nodes (by ``id``)."""

    rules: tuple[Rule, ...]
    nodes: frozenset[int]

    def under(self, rules: tuple[Rule, ...]) -> Settled:
        """The same as seen by a pass of these rules."""
        known = set(map(id, self.rules))
        return Settled(self.nodes, _table(tuple([rule for rule in rules if id(rule) not in known])))


def run_pass(
    graph: Graph, one: Pass, rules: tuple[Rule, ...], inexact: bool, swept: Swept | None = None
) -> tuple[Graph, dict[str, int]]:
    """What a pass does to a graph; how often each rule fired, and each motion of the whole. What was ``swept`` before
    is tried with further rules only."""
    moved: dict[str, int] = {}
    if one.prepare is not None:
        before = graph
        graph, moved = one.prepare(graph, inexact)
        if graph is before:
            return graph, moved
    graph, fired = sweep_rules(graph, rules, settled=None if swept is None else swept.under(rules))
    return graph, fired | moved


def sweep_rules(
    graph: Graph, rules: tuple[Rule, ...], is_body: bool = False, settled: Settled | None = None
) -> tuple[Graph, dict[str, int]]:
    """Rebuild the graph once with these rules; how often each fired.

    Raises:
        InternalError: where rules undo each other, naming them.
    """
    if settled is not None and not any(_concerns(settled, node) for node in graph.nodes):
        return graph, {}
    builder = Builder(Facts(graph.facts), _table(rules), settled=settled)

    def transform(b: Builder, node: Node, operands: tuple[Value, ...]) -> tuple[Value, ...]:
        op = node.op
        if isinstance(op, Control):
            op = map_regions(op, lambda region: _sweep_region(region, rules, builder.fired, settled))
        return b.apply_all(op, *operands)

    return rebuild(graph, builder, transform, is_body), builder.fired


def _concerns(settled: Settled, node: Node) -> bool:
    """Whether a sweep might change a node: some rule was not tried with it, or it has a body."""
    if id(node) not in settled.nodes or isinstance(node.op, Control):
        return True
    return settled.fresh is not None and bool(settled.fresh.on(node.op, node.inputs))


def _sweep_region(
    region: Region, rules: tuple[Rule, ...], fired: dict[str, int], settled: Settled | None
) -> Region:  # fmt: skip
    """The same inside a body."""
    graph, inside = sweep_rules(region.graph, rules, is_body=True, settled=settled)
    for name, count in inside.items():
        fired[name] = fired.get(name, 0) + count
    return region if graph.nodes == region.graph.nodes and graph == region.graph else Region(graph)


def _nodes_of(graph: Graph) -> Iterator[int]:
    """The nodes of a graph and of the bodies inside, by ``id``."""
    for node in graph.nodes:
        yield id(node)
        if isinstance(node.op, Control):
            for region in regions_of(node.op):
                yield from _nodes_of(region.graph)


def check_settled(graph: Graph, rules: tuple[Rule, ...], stage: str) -> None:
    """One more sweep must change nothing.

    Raises:
        InternalError: naming the rules that still fire: they undo each other, or look at more than operands.
    """
    _, fired = sweep_rules(graph, rules)
    if fired:
        raise InternalError(f"pass {stage} does not settle; rules that fire again: {', '.join(sorted(fired))}")


@lru_cache(maxsize=256)
def _table(rules: tuple[Rule, ...]) -> RuleTable:
    return RuleTable(rules)
