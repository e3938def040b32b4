"""The pipeline of one compilation, and every artefact it leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .ir.dims import Dim
from .ir.graph import Graph, Node
from .ir.ops.control import Scan
from .ir.ops.views import Embed, Slice
from .ir.region import regions_of
from .options import Options

if TYPE_CHECKING:
    from .codegen.plan import Plan


@dataclass(frozen=True)
class Condition:
    """A size that must not be negative for a call to be possible, and what it means."""

    amount: Dim
    meaning: str


@dataclass(frozen=True)
class Stages:
    """What each stage handed over: the imported and the optimized graph, the passes' report, the code generator's
    record, the plan, the executable."""

    options: Options
    imported: Graph
    optimized: Graph
    report: Any
    lowering: Any
    plan: Plan
    executable: Any
    conditions: tuple[Condition, ...]


def compile_stages(graph: Graph, options: Options) -> Stages:
    """Run the pipeline: passes, plan, target."""
    from .codegen.compile import make_plan
    from .codegen.targets import target_named
    from .ir.passes import optimize

    optimized, report = optimize(graph, options)
    target = target_named(options)
    lowering = make_plan(optimized, check=options.verify)
    executable = target.build(lowering.plan)
    return Stages(options, graph, optimized, report, lowering, lowering.plan, executable, find_conditions(optimized))


def find_conditions(graph: Graph) -> tuple[Condition, ...]:
    """Positions and sizes that depend on symbolic sizes: each must be inside its axis for a call to be possible."""
    found: dict[Dim, Condition] = {}

    def need(amount: Dim, meaning: str) -> None:
        if not isinstance(amount, int) and not _surely_positive(amount):
            found.setdefault(amount, Condition(amount, meaning))

    for node in _all_nodes(graph):
        op = node.op
        if isinstance(op, Scan):
            need(op.length, "number of steps of a scan")
        if isinstance(op, (Slice, Embed)):
            outer = node.inputs[0].shape if isinstance(op, Slice) else op.shape
            inner = op.sizes if isinstance(op, Slice) else node.inputs[0].shape
            starts = op.starts if isinstance(op, Slice) else op.low
            what = f"{op.name} of {node.inputs[0].type} at {node.origins[0] if node.origins else '?'}"
            for start, count, step, size in zip(starts, inner, op.steps, outer, strict=True):
                last = start + (count - 1) * step
                low, high = (start, last) if step > 0 else (last, start)
                need(count, what)
                need(low, what)
                need(size - 1 - high, what)
        for value in node.outputs:
            for dim in value.shape:
                need(dim, f"size {dim} of a {op.name}")
    return tuple(found.values())


def _all_nodes(graph: Graph) -> Iterator[Node]:
    """The nodes of a graph and of the bodies inside."""
    for node in graph.nodes:
        yield node
        for region in regions_of(node.op):
            yield from _all_nodes(region.graph)


def _surely_positive(dim: Dim) -> bool:
    """True for a polynomial without negative coefficients."""
    return isinstance(dim, int) or all(c >= 0 for _, c in dim.terms)


__all__ = ["Condition", "Stages", "compile_stages", "find_conditions"]
