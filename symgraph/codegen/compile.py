"""From a closed, optimised graph to a plan, with every artefact on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..ir.dims import Dim, symbol, symbols
from ..ir.graph import Graph, Node, Value
from ..ir.op import Leaf, Scatter
from ..provenance import Origin
from .bufferize import Bufferizer, Storage
from .cluster import Clusters, Form
from .control import LoweredLoop, lower_control
from .evaluate import Array
from .host_lowering import LoweredHost, lower_host
from .loop.canonical import Canonical, canonicalize
from .loop.grammar import Kernel
from .loop.table import KernelTable
from .loop.verify import verify
from .lower import Lowered
from .memory import live
from .order import order_tasks
from .plan import Check, HostCall, Loop, Plan, PlanBuffer, Step
from .plan_verify import verify_plan
from .repeats import Lowerer
from .storing import form_clusters
from .tasks import Task

_MAX_SITES = 8


@dataclass(frozen=True)
class Lowering:
    """What each stage of code generation handed over: clusters with the reason for each, kernels as lowered, in the
    order of the steps, decisions about memory, the plan, and the same for the bodies of loops."""

    clusters: Clusters
    lowered: tuple[Lowered | LoweredHost | LoweredLoop, ...]
    memory: tuple[str, ...]
    plan: Plan
    inner: tuple[Lowering, ...] = ()

    def sites(self) -> Iterator[tuple[Lowered | LoweredHost, Graph, Step | HostCall, Plan]]:
        """All calls, those in loops too, as ``Plan.calls`` counts: what was lowered and of which graph, and the step
        of which plan it became."""
        for task, step in zip(self.lowered, self.plan.steps, strict=True):
            if isinstance(step, Loop):
                yield from next(one for one in self.inner if one.plan.steps is step.body.steps).sites()
            else:
                assert not isinstance(task, LoweredLoop)
                yield task, self.clusters.graph, step, self.plan

    def __str__(self) -> str:
        lines = [str(self.clusters), *(f"  {r}" for r in self.memory)]
        return "\n".join(lines)


def make_plan(graph: Graph, check: bool = False, is_body: bool = False) -> Lowering:
    """Lower ``graph``. ``check`` verifies every kernel and the plan.

    Raises:
        InternalError: for an op that should have been expanded, or a kernel that breaks an invariant.
    """
    clusters = form_clusters(graph)
    stored = {id(v) for c in clusters.clusters for v in c.stored}

    def is_array(value: Value) -> bool:
        return isinstance(value.op, Leaf) or id(value) in stored or id(value) in clusters.aliases

    lowerer = Lowerer(is_array)
    inner: list[Lowering] = []
    lowered: list[Lowered | LoweredHost | LoweredLoop] = []
    for cluster in clusters.clusters:
        if cluster.form is Form.LOOP:
            lowered += lower_loop(cluster.members[0].node, inner, check)
        elif cluster.form is Form.HOST:
            lowered.append(lower_host(cluster.members[0].node))
        else:
            lowered += lowerer.lower(cluster)
    storage = Bufferizer(clusters, lowered).run()
    if check:
        for task in storage.tasks:
            if isinstance(task.lowered, Lowered):
                verify(task.lowered.kernel, any(isinstance(node.op, Scatter) for node in task.lowered.nodes))
    tasks = order_tasks(storage)
    plan = _assemble(graph, storage, tasks, [one.plan for one in inner])
    if check and not is_body:
        verify_plan(plan)
    return Lowering(clusters, tuple(t.lowered for t in tasks), tuple(storage.reasons), plan, tuple(inner))


def arrays_of(task: Lowered | LoweredHost) -> list[Array]:
    """What the arguments of a step stand for, in their order."""
    names = canonicalize(task.kernel).buffers if isinstance(task, Lowered) else task.arrays
    return [task.arrays[name] for name in names]


def lower_loop(node: Node, inner: list[Lowering], check: bool) -> list[Lowered | LoweredLoop]:
    """A node that runs graphs of its own; what became of them joins ``inner``."""

    def plan_of(graph: Graph) -> Plan:
        inner.append(make_plan(graph, check, is_body=True))
        return replace(inner[-1].plan, kernels={})

    return lower_control(node, plan_of)


def _assemble(graph: Graph, storage: Storage, tasks: Sequence[Task], inner: Sequence[Plan]) -> Plan:
    kernels: dict[str, Kernel] = {}
    for body in inner:
        kernels.update(body.kernels)
    texts: dict[str, str] = {}
    known: dict[int, Canonical] = {}
    costs: dict[int, Dim] = {}
    steps: list[Step | HostCall | Loop] = []
    for task in tasks:
        if isinstance(task.lowered, LoweredLoop):
            steps.append(_loop_step(task.lowered, storage, task.number))
            continue
        if isinstance(task.lowered, LoweredHost):
            steps.append(_host_step(task.lowered, storage))
            continue
        canonical = known.get(id(task.lowered.kernel))
        if canonical is None:  # kernels of equal clusters are one object
            canonical = known[id(task.lowered.kernel)] = canonicalize(task.lowered.kernel)
        kernels.setdefault(canonical.key, canonical.kernel)
        texts.setdefault(canonical.key, canonical.text)
        modes = {b.name: b.mode for b in task.lowered.kernel.buffers}
        arrays = task.lowered.arrays
        args = tuple(storage.name_of(arrays[n], write=modes[n] != "in") for n in canonical.buffers)
        origins = dict.fromkeys(o for node in task.lowered.nodes for o in node.origins)
        checks = tuple(Check(n.op.name, axis, (*n.origins, Origin())[0]) for n, axis in task.lowered.checks)
        sizes = tuple(symbol(n) for n in canonical.sizes)
        writes = tuple(i for i, n in enumerate(canonical.buffers) if modes[n] != "in")
        flops = costs.get(id(task.lowered.kernel))
        if flops is None:
            flops = sum(n.op.flops([v.type for v in n.inputs], [v.type for v in n.outputs]) for n in task.lowered.nodes)
            costs[id(task.lowered.kernel)] = flops
        steps.append(Step(canonical.key, args, sizes, tuple(origins)[:_MAX_SITES], checks, writes, flops))
    used = {n for step in steps for n in step.args} | {*storage.inputs, *storage.states, *storage.outputs}
    buffers = _used_buffers(storage.buffers, used)
    names = symbols(d for v in graph.inputs for d in v.shape)
    plan = Plan(
        graph.name, tuple(s.name for s in names), storage.inputs, storage.states, storage.outputs, buffers,
        KernelTable(kernels, texts), tuple(steps), graph.facts,
    )  # fmt: skip
    return replace(plan, live=live(plan))


def _loop_step(loop: LoweredLoop, storage: Storage, number: int) -> Loop:
    args = tuple(storage.name_of(a, write=loop.modes[n] != "in") for n, a in loop.arrays.items())
    origins = tuple(dict.fromkeys(o for node in loop.nodes for o in node.origins))[:_MAX_SITES]
    return Loop(loop.body, loop.length, (*args, f"loop{number}"), loop.moves, origins, loop.condition, loop.wanted)


def _host_step(call: LoweredHost, storage: Storage) -> HostCall:
    node = call.node
    args = tuple(storage.name_of(a, write=False) for a in call.arrays.values())
    operands, results = [v.type for v in node.inputs], [v.type for v in node.outputs]
    flops = call.op.flops(operands, results)
    return HostCall(call.op, args, (*operands, *results), len(operands), node.origins[:_MAX_SITES], flops)


def _used_buffers(buffers: dict[str, PlanBuffer], used: set[str]) -> dict[str, PlanBuffer]:
    """Buffers that some step names, with the memory they share."""
    kept = used | {buffers[n].alias for n in used if buffers[n].alias}
    return {n: b for n, b in buffers.items() if n in kept}
