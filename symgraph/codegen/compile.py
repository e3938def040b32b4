"""From a closed, optimised graph to a plan, with every artefact on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..ir.dims import symbol, symbols
from ..ir.graph import Graph, Value
from ..ir.op import Leaf
from ..provenance import Origin
from .bufferize import Bufferizer, Storage, Task
from .cluster import Clusters
from .loop.canonical import canonicalize
from .loop.grammar import Kernel
from .loop.verify import verify
from .lower import Lowered, lower_cluster
from .memory import live
from .order import order_tasks
from .plan import Check, Plan, PlanBuffer, Step
from .storing import form_clusters

_MAX_SITES = 8


@dataclass(frozen=True)
class Lowering:
    """What each stage of code generation handed over: clusters with the reason for each, kernels as lowered,
    decisions about memory, and the plan."""

    clusters: Clusters
    lowered: tuple[Lowered, ...]
    memory: tuple[str, ...]
    plan: Plan

    def __str__(self) -> str:
        lines = [str(self.clusters), *(f"  {r}" for r in self.memory)]
        return "\n".join(lines)


def make_plan(graph: Graph, check: bool = False) -> Lowering:
    """Lower ``graph``. ``check`` verifies every kernel.

    Raises:
        InternalError: for an op that should have been expanded, or a kernel that breaks an invariant.
    """
    clusters = form_clusters(graph)
    stored = {id(v) for c in clusters.clusters for v in c.stored}

    def is_array(value: Value) -> bool:
        return isinstance(value.op, Leaf) or id(value) in stored or id(value) in clusters.aliases

    lowered = [one for c in clusters.clusters for one in lower_cluster(c, is_array)]
    storage = Bufferizer(clusters, lowered).run()
    if check:
        for task in storage.tasks:
            verify(task.lowered.kernel)
    plan = _assemble(graph, storage, order_tasks(storage))
    return Lowering(clusters, tuple(t.lowered for t in storage.tasks), tuple(storage.reasons), plan)


def _assemble(graph: Graph, storage: Storage, tasks: Sequence[Task]) -> Plan:
    kernels: dict[str, Kernel] = {}
    steps: list[Step] = []
    for task in tasks:
        canonical = canonicalize(task.lowered.kernel)
        kernels.setdefault(canonical.key, canonical.kernel)
        modes = {b.name: b.mode for b in task.lowered.kernel.buffers}
        arrays = task.lowered.arrays
        args = tuple(storage.name_of(arrays[n], write=modes[n] != "in") for n in canonical.buffers)
        origins = dict.fromkeys(o for node in task.lowered.nodes for o in node.origins)
        checks = tuple(Check(n.op.name, axis, (*n.origins, Origin())[0]) for n, axis in task.lowered.checks)
        sizes = tuple(symbol(n) for n in canonical.sizes)
        steps.append(Step(canonical.key, args, sizes, tuple(origins)[:_MAX_SITES], checks))
    used = {n for step in steps for n in step.args} | {*storage.inputs, *storage.states, *storage.outputs}
    buffers = _used_buffers(storage.buffers, used)
    names = symbols(d for v in graph.inputs for d in v.shape)
    plan = Plan(
        graph.name, tuple(s.name for s in names), storage.inputs, storage.states, storage.outputs, buffers, kernels,
        tuple(steps), graph.facts,
    )  # fmt: skip
    return replace(plan, live=live(plan))


def _used_buffers(buffers: dict[str, PlanBuffer], used: set[str]) -> dict[str, PlanBuffer]:
    """Buffers that some step names, with the memory they share."""
    kept = used | {buffers[n].alias for n in used if buffers[n].alias}
    return {n: b for n, b in buffers.items() if n in kept}
