"""Pictures of graphs: ``symgraph.plot.plot(function, "graph.svg")``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Union

from .errors import ArgumentError
from .ir.graph import Graph, Node, Value, topological
from .ir.ops.leaves import Constant, Input, State
from .plotting.diagram import Arrow, Box, Diagram, boxes_of
from .plotting.output import write
from .tensor import Tensor

if TYPE_CHECKING:
    from .function import Function
    from .stages import Stages

    Plottable = Union[Graph, Function, Tensor, Sequence[Tensor]]

_ATTRIBUTE_LENGTH = 28


#: More boxes than these make no picture that anybody reads, and take long to lay out.
LARGEST_DRAWN = 120


def plot(
    what: Plottable, to_file: str | os.PathLike[str], rankdir: str = "TB", dpi: int = 96, level: str = "graph"
) -> Path:
    """Draw a graph to a file; its ending says how (``.svg``, ``.png``, ``.pdf``, ``.dot`` ...).

    Args:
        what: a compiled function (its optimized graph is drawn; ``function.stages`` has the others), a graph, a
            symbolic tensor, or a list of tensors.
        rankdir: where arrows point: ``"TB"`` down, ``"LR"`` to the right, ``"BT"``, ``"RL"``.
        level: for a function, ``"graph"``; ``"cluster"``, its nodes framed by what shares a kernel; or
            ``"kernel"``, the calls of the plan.

    Returns:
        The path of the file.

    Raises:
        ArgumentError: for something else than a graph, a level that it does not have, or an ending that is no format.
        TargetError: for a bitmap or PDF where graphviz's ``dot`` is not installed (SVG and DOT work without).
    """
    return write(diagram_of(what, rankdir, level), to_file, dpi)


def diagram_of(what: Plottable, rankdir: str = "TB", level: str = "graph") -> Diagram:
    """The diagram that :func:`plot` draws."""
    if level == "graph":
        return graph_diagram(what, rankdir)
    from .plot_levels import cluster_diagram, kernel_diagram

    levels = {"cluster": cluster_diagram, "kernel": kernel_diagram}
    stages: Stages | None = getattr(what, "stages", None)
    if level not in levels:
        raise ArgumentError(f"plot: level is {level!r}; the levels are: graph, {', '.join(levels)}")
    if stages is None:
        raise ArgumentError(f"plot: only compiled functions have a {level} level, got {type(what).__name__}")
    return levels[level](stages, rankdir)


def diagrams(stages: Stages) -> Iterator[tuple[str, Diagram, int]]:
    """The optimized graph, its clusters and the plan, with titles and the number of boxes."""
    from .plot_levels import cluster_diagram, kernel_diagram

    found = (
        ("optimized graph", graph_diagram(stages.optimized)), ("clusters", cluster_diagram(stages)),
        ("plan", kernel_diagram(stages)),
    )  # fmt: skip
    for title, diagram in found:
        yield title, diagram, sum(1 for _ in boxes_of(diagram.items))


def picture(what: Plottable) -> str | None:
    """The SVG that notebooks show, or None where it would have too many boxes."""
    from .plotting.svg import to_svg

    diagram = graph_diagram(what)
    return to_svg(diagram) if len(diagram.items) <= LARGEST_DRAWN else None


def node_keys(graph: Graph) -> dict[int, str]:
    """The keys of the boxes of nodes, by the ``id`` of the node."""
    return {id(node): f"n{i}" for i, node in enumerate(topological([*graph.inputs, *graph.results]))}


def graph_diagram(what: Plottable, rankdir: str = "TB") -> Diagram:
    """The nodes of a graph as boxes with their types and layers. Each use of a scalar constant has a box of its own."""
    name, nodes, results = _contents(what)
    keys = {id(node): f"n{i}" for i, node in enumerate(nodes)}
    boxes: list[Box] = []
    arrows: list[Arrow] = []
    for node in nodes:
        key = keys[id(node)]
        if not _is_scalar_constant(node):
            boxes.append(_box(key, node, is_result=any(v.node is node for v in results)))
        for slot, operand in enumerate(node.inputs):
            source = keys[id(operand.node)]
            if _is_scalar_constant(operand.node):
                source = f"{key}.{slot}"
                boxes.append(_box(source, operand.node, is_result=False))
            arrows.append(Arrow(source, key))
    for value in results:
        if _is_scalar_constant(value.node) and all(box.key != keys[id(value.node)] for box in boxes):
            boxes.append(_box(keys[id(value.node)], value.node, is_result=True))
    return Diagram(tuple(boxes), tuple(arrows), rankdir, title=name)


def _contents(what: Plottable) -> tuple[str, list[Node], tuple[Value, ...]]:
    """Name, nodes in topological order, and results."""
    graph = what if isinstance(what, Graph) else getattr(getattr(what, "stages", None), "optimized", None)
    if isinstance(graph, Graph):
        return graph.name, list(topological([*graph.inputs, *graph.results])), graph.results
    tensors = [what] if isinstance(what, Tensor) else what
    if not isinstance(tensors, Iterable) or not all(isinstance(t, Tensor) for t in tensors):
        raise ArgumentError(f"plot takes a function, a graph or tensors, got {type(what).__name__}")
    values = tuple(t.value for t in tensors)
    return "graph", list(topological(values)), values


def _is_scalar_constant(node: Node) -> bool:
    return isinstance(node.op, Constant) and node.op.literal.array.size == 1


def _box(key: str, node: Node, is_result: bool) -> Box:
    op = node.op
    kind = "output" if is_result else "plain"
    title = f"{op.name}{_attributes(node)}"
    if isinstance(op, (Input, State)):
        kind = "input" if isinstance(op, Input) else "state"
        title = op.label or f"{op.name} {op.slot}"
    elif isinstance(op, Constant):
        kind = "constant"
        title = str(op.literal.array.reshape(-1)[0]) if op.literal.array.size == 1 else "constant"
    rows = [("", ", ".join(str(v.type) for v in node.outputs))]
    layer = next((o.layer for o in node.origins if o.layer), "")
    if layer and not isinstance(op, (Input, State, Constant)):
        is_gradient = all(o.grad for o in node.origins)
        rows.append(("", f"grad of {layer}" if is_gradient else layer))
    return Box(key, title, tuple(rows), kind)


def _attributes(node: Node) -> str:
    """The attributes of an op in brackets, where they are short."""
    op = node.op
    names = [name for name in getattr(op, "__dataclass_fields__", {}) if not name.startswith("_")]
    text = ", ".join(str(getattr(op, name)) for name in names)
    return f" [{text}]" if text and len(text) <= _ATTRIBUTE_LENGTH else ""
