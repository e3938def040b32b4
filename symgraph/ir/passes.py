"""The passes over a closed graph, in order, and the report of what they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..errors import InternalError
from ..options import Options
from .builder import Builder, rebuild
from .graph import Graph
from .op import Op
from .rewrites import algebra, canonical, expansion, folding, reductions, stable, views
from .rewrites.rule import Rule
from .types import Facts
from .verify import verify

_MAX_SWEEPS = 16


@dataclass(frozen=True)
class Pass:
    """Rules applied together, swept over the graph until none fires. Dead nodes disappear in every sweep."""

    name: str
    rules: tuple[Rule, ...]

    @property
    def exact(self) -> bool:
        """True where no rule may change a bit."""
        return all(rule.exact for rule in self.rules)


#: What every pass keeps true: views merged, constants to the right and computed.
_TIDY = canonical.RULES + views.MERGING + folding.RULES
_SIMPLE = _TIDY + algebra.EXACT

#: The passes, in order. Stabilising rules see composite ops whole; later ones see what these are made of.
PIPELINE: tuple[Pass, ...] = (
    Pass("canonicalize", _TIDY),
    Pass("simplify", _SIMPLE),
    Pass("stabilize", _SIMPLE + stable.RULES),
    Pass("expand", _SIMPLE + expansion.RULES),
    Pass("speed up", _SIMPLE + algebra.INEXACT + views.PRODUCTS + reductions.RULES),
)


@dataclass(frozen=True)
class PassRecord:
    """What one pass did: sizes in nodes, how often each rule fired, the graph it left."""

    name: str
    nodes_before: int
    nodes_after: int
    sweeps: int
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
    for one in passes:
        before = len(graph.nodes)
        graph, fired, sweeps = run_pass(graph, one, options.inexact)
        if options.verify:
            verify(graph, one.name)
        records.append(PassRecord(one.name, before, len(graph.nodes), sweeps, fired, graph))
    return graph, Report(tuple(records))


def run_pass(graph: Graph, one: Pass, inexact: bool = True) -> tuple[Graph, dict[str, int], int]:
    """Sweep until no rule fires: the new graph, how often each rule fired, the number of sweeps.

    Raises:
        InternalError: where the rules keep undoing each other, naming them.
    """
    chosen = tuple(rule for rule in one.rules if inexact or rule.exact or rule.required)
    total: dict[str, int] = {}
    for sweep in range(1, _MAX_SWEEPS + 1):
        graph, fired = sweep_rules(graph, chosen)
        if not fired:
            return graph, total, sweep
        for name, count in fired.items():
            total[name] = total.get(name, 0) + count
    raise InternalError(f"pass {one.name} does not end; rules that undo each other: {', '.join(sorted(fired))}")


def sweep_rules(graph: Graph, rules: tuple[Rule, ...]) -> tuple[Graph, dict[str, int]]:
    """Rebuild the graph once with these rules; how often each fired."""
    builder = Builder(Facts(graph.facts), _by_root(rules))
    return rebuild(graph, builder), builder.fired


@lru_cache(maxsize=256)
def _by_root(rules: tuple[Rule, ...]) -> dict[type[Op], tuple[Rule, ...]]:
    table: dict[type[Op], tuple[Rule, ...]] = {}
    for rule in rules:
        for root in rule.roots:
            table[root] = (*table.get(root, ()), rule)
    return table
