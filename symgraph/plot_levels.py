"""Diagrams of what became of a graph: its clusters, and the kernel calls of its plan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .codegen.plan import HostCall, Loop, Plan, PlanBuffer
from .plot import graph_diagram, node_keys
from .plotting.diagram import Arrow, Box, Cluster, Diagram, Item, boxes_of

if TYPE_CHECKING:
    from .stages import Stages

_MOST_SITES = 2


def cluster_diagram(stages: Stages, rankdir: str = "TB") -> Diagram:
    """The optimized graph with a frame around the nodes of each cluster. Nodes without one are computed wherever they
    are needed, or are renamed arrays."""
    clusters = stages.lowering.clusters
    diagram = graph_diagram(stages.optimized, rankdir)
    keys = node_keys(stages.optimized)
    boxes = {box.key: box for box in boxes_of(diagram.items)}
    items: list[Item] = []
    for c in clusters.clusters:
        inside = dict.fromkeys(keys[id(v.node)] for v in c.members)
        # Constants belong to the box that uses them.
        own = [boxes.pop(key) for key in list(boxes) if key.partition(".")[0] in inside]
        domain = ",".join(map(str, c.domain))
        items.append(Cluster(f"cluster{c.number}", f"{c.number}: {c.form.value}[{domain}]", tuple(own)))
    return Diagram((*items, *boxes.values()), diagram.arrows, rankdir, diagram.title)


def kernel_diagram(stages: Stages, rankdir: str = "TB") -> Diagram:
    """The steps of the plan, with arrows from what writes an array to what reads it; loops are frames."""
    drawing = _Drawing(stages.plan)
    items = drawing.steps(stages.plan, "s", drawing.sources)
    return Diagram((*drawing.leaves, *items, *drawing.results()), tuple(drawing.arrows), rankdir, stages.plan.name)


class _Drawing:
    """The boxes and arrows of a plan. ``sources`` says which box an array's present content comes from."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.arrows: dict[Arrow, None] = {}
        self.leaves: list[Box] = []
        self.sources: dict[str, str] = {}
        for names, kind in ((plan.inputs, "input"), (plan.states, "state")):
            for name in names:
                self.leaves.append(Box(name, f"{kind} {plan.buffers[name].slot}", _type(plan.buffers[name]), kind))
                self.sources[name] = name

    def steps(self, plan: Plan, prefix: str, sources: dict[str, str]) -> tuple[Item, ...]:
        items: list[Item] = []
        for number, step in enumerate(plan.steps):
            key = f"{prefix}{number}"
            if isinstance(step, Loop):
                items.append(self._loop(plan, step, key, sources))
                continue
            title = step.op.name if isinstance(step, HostCall) else self.plan.kernels[step.kernel].name
            roots = [plan.root(name).name for name in step.args]
            self._connect(key, (sources.get(root) for root in roots))
            layers = dict.fromkeys(f"grad of {o.layer}" if o.grad else o.layer for o in step.sites if o.layer)
            fields = [("", layer) for layer in list(layers)[:_MOST_SITES]]
            fields += [("", row[1]) for i in step.writes for row in _type(plan.buffers[step.args[i]])][:_MOST_SITES]
            items.append(Box(key, f"{number}: {title}", tuple(fields)))
            sources.update({roots[i]: key for i in step.writes})
        return tuple(items)

    def _loop(self, plan: Plan, loop: Loop, key: str, sources: dict[str, str]) -> Cluster:
        roots = [plan.root(name).name for name in loop.args]
        inside = {loop.slot_name(m): s for m in loop.moves if (s := sources.get(roots[m.array]))}
        items = self.steps(loop.body, f"{key}.", inside)
        for move in loop.moves:
            source = inside.get(loop.body.root(loop.slot_name(move)).name)
            if move.kind != "input" and source is not None:
                sources[roots[move.array]] = source
        times = f"{loop.length} times" if loop.condition < 0 else "while" if loop.length != 1 else "if"
        return Cluster(key, f"loop {times}", items)

    def _connect(self, key: str, sources: Iterable[str | None]) -> None:
        for source in sources:
            if source is not None and source != key:
                self.arrows[Arrow(source, key)] = None

    def results(self) -> list[Box]:
        """The outputs, behind what writes them."""
        boxes: list[Box] = []
        for slot, name in enumerate(self.plan.outputs):
            source = self.sources.get(self.plan.root(name).name)
            boxes.append(Box(f"result{slot}", f"output {slot}", _type(self.plan.buffers[name]), "output"))
            self._connect(f"result{slot}", [source])
        return boxes


def _type(buffer: PlanBuffer) -> tuple[tuple[str, str], ...]:
    return (("", f"{buffer.dtype.short}[{','.join(map(str, buffer.shape))}]"),)
