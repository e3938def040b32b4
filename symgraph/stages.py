"""The pipeline of one compilation, and every artefact it leaves behind."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from . import events
from .errors import ShapeError
from .ir.dim_order import is_nonnegative, least_sizes, raised
from .ir.dims import LARGEST, Dim, SymDim
from .ir.graph import Graph, Node
from .ir.ops.blocks import Embed, Slice
from .ir.ops.control import Scan
from .ir.region import regions_of
from .options import Options

if TYPE_CHECKING:
    from .codegen.compile import Lowering
    from .codegen.plan import Plan
    from .codegen.targets import Executable
    from .ir.passes import Report


@dataclass(frozen=True)
class Condition:
    """A size that must not be negative for a call to be possible, unless ``elements`` are none, and what it means."""

    amount: Dim
    meaning: str
    elements: Dim = 1


@dataclass(frozen=True)
class Stages:
    """What each stage handed over: the imported graph, the plan, the executable, and, made again where the plan came
    from disk, the optimized graph, the passes' report and the code generator's record."""

    options: Options
    imported: Graph
    plan: Plan
    executable: Executable
    conditions: tuple[Condition, ...]

    @cached_property
    def _passes(self) -> tuple[Graph, Report]:
        from .ir.passes import optimize

        return optimize(self.imported, self.options)

    @property
    def optimized(self) -> Graph:
        return self._passes[0]

    @property
    def report(self) -> Report:
        return self._passes[1]

    @cached_property
    def lowering(self) -> Lowering:
        from .codegen.compile import make_plan

        return make_plan(self.optimized)


@contextmanager
def uncollected() -> Iterator[None]:
    """Compiling makes many objects and hardly a cycle: to look for cycles meanwhile costs a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def compile_stages(graph: Graph, options: Options) -> Stages:
    """Run the pipeline: passes, plan, target. A plan that is known from an earlier run comes from disk."""
    from .codegen.kept import load_plan, plan_key, save_plan
    from .codegen.targets import target_named

    watch = events.Stopwatch()
    target = target_named(options)
    took = {"target": watch.lap()}
    key = plan_key(graph, options)
    took["key"] = watch.lap()
    kept = None if options.verify or key is None else load_plan(key)
    took["load"] = watch.lap()
    made: dict[str, object] = {}
    if kept is not None:
        plan, conditions = kept
    else:
        from .codegen.compile import make_plan
        from .ir.passes import optimize

        made["_passes"] = optimized, report = optimize(graph, options)
        took["passes"] = watch.lap()
        for record in report.passes if events.is_on("passes") else ():
            events.tell("passes", "%s: %s", graph.name, record)
        made["lowering"] = lowering = make_plan(optimized, check=options.verify)
        plan, conditions = lowering.plan, find_conditions(optimized)
        took["plan"] = watch.lap()
        if key is not None:
            save_plan(key, plan, conditions)
        took["save"] = watch.lap()
    executable = target.build(plan)
    took["code"] = watch.lap()
    if events.is_on("compile"):
        parts = ", ".join(f"{name} {time:.1f}" for name, time in took.items())
        events.tell("compile", "%s for %s: %.1f ms (%s)", graph.name, target.name, watch.total(), parts)
    stages = Stages(options, graph, plan, executable, conditions)
    vars(stages).update(made)
    return stages


def find_conditions(graph: Graph) -> tuple[Condition, ...]:
    """Positions and sizes that depend on symbolic sizes: each must be inside its axis for a call to be possible."""
    found: dict[tuple[Dim, Dim], Condition] = {}

    def need(amount: Dim, meaning: str, elements: Dim = 1) -> None:
        if elements != 0 and not is_nonnegative(raised(amount, least_sizes(elements))):
            found.setdefault((amount, elements), Condition(amount, meaning, elements))

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
                need(low, what, count)
                need(size - 1 - high, what, count)
        for value in node.outputs:
            for dim in value.shape:
                need(dim, f"size {dim} of a {op.name}")
            size = value.type.size
            if isinstance(size, int) and size > LARGEST:
                raise ShapeError(f"{graph.name}: a {op.name} of type {value.type} has more elements than 64 bits count")
            for count in (size, *(a for a in op.attribute_values if isinstance(a, SymDim))):
                if _may_be_huge(count):
                    need(LARGEST - count, f"number {count} of elements in a {op.name}")
    return tuple(found.values())


def _all_nodes(graph: Graph) -> Iterator[Node]:
    """The nodes of a graph and of the bodies inside."""
    for node in graph.nodes:
        yield node
        for region in regions_of(node.op):
            yield from _all_nodes(region.graph)


def _may_be_huge(size: Dim) -> bool:
    """Whether a number of elements can be beyond 64 bits though each array of a call fits: products of sizes, and
    multiples of one by very much."""
    return not isinstance(size, int) and any(len(monomial) > 1 or c >> 20 > 0 for monomial, c in size.terms)


__all__ = ["Condition", "Stages", "compile_stages", "find_conditions"]
