"""Graphs as text::

    graph @train dims(N) {
      %pixels = input[slot=0, label="pixels"] : f32[N,784]
      %kernel = state[slot=0, label="dense_1/kernel"] : f32[784,10]
      %0 = contract["ik,kj->ij"] %pixels, %kernel : f32[N,10]  @1
      return %0
      update state 0 = %kernel
    } where
      @1 = dense_1 (mnist.py:12)

Attributes are the fields of the op (a single one is written without its name; a type equal to that of the result is not
written). :func:`symgraph.ir.parser.parse_graph` reads the text back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..provenance import Origin
from .attributes import attribute_text
from .dims import symbols
from .graph import Graph, Node
from .op import Leaf, Op
from .region import Region
from .types import TensorType


def print_graph(graph: Graph, origins: bool = True) -> str:
    """The text of ``graph``, with or without where each node comes from."""
    names = value_names(graph)
    notes: dict[Origin, int] = {}
    body: list[str] = []
    for node in graph.nodes:
        line = node_text(node, names)
        if origins and node.origins:
            marks = [notes.setdefault(o, len(notes) + 1) for o in node.origins]
            line += "  " + " ".join(f"@{n}" for n in marks)
        body.append(line.replace("\n", "\n  "))
    if graph.outputs:
        body.append("return " + ", ".join(names[id(v)] for v in graph.outputs))
    body += [f"update state {slot} = {names[id(v)]}" for slot, v in graph.updates]
    where = " where" if notes else ""
    lines = [_header(graph), *(f"  {line}" for line in body), f"}}{where}"]
    lines += [f"  @{n} = {origin}" for origin, n in notes.items()]
    return "\n".join(lines) + "\n"


def region_text(region: Region) -> str:
    """A body, over several lines; where its nodes come from is left out."""
    graph = region.graph
    names = value_names(graph)
    lines = [f"facts({_facts_text(graph)})"] if graph.facts else []
    lines += [node_text(node, names) for node in graph.nodes]
    lines.append("return " + ", ".join(names[id(v)] for v in graph.outputs))
    inside = "\n".join(lines).replace("\n", "\n    ")
    return "{\n    " + inside + "\n  }"


def _facts_text(graph: Graph) -> str:
    return ", ".join(f"{a} = {b}" for a, b in graph.facts)


def _header(graph: Graph) -> str:
    used = symbols(d for node in graph.nodes for v in node.outputs for d in v.shape)
    dims = f" dims({', '.join(s.name for s in used)})" if used else ""
    facts = f" facts({_facts_text(graph)})" if graph.facts else ""
    return f"graph @{graph.name}{dims}{facts} {{"


def value_names(graph: Graph) -> dict[int, str]:
    """The printed name of every value, by ``id``: labels for leaves of the signature, numbers for the rest."""
    names: dict[int, str] = {}
    taken: set[str] = set()
    for value in (*graph.inputs, *graph.states):
        label = re.sub(r"\W+", "_", getattr(value.node.op, "label", "")).strip("_") or "x"
        name = f"%{label}" if not label[0].isdigit() else f"%x{label}"
        while name in taken:
            name += "_"
        taken.add(name)
        names[id(value)] = name
    number = 0
    for node in graph.nodes:
        for value in node.outputs:
            if id(value) not in names:
                names[id(value)] = f"%{number}"
                number += 1
    return names


def node_text(node: Node, names: dict[int, str]) -> str:
    """One line: results, op, attributes, operands, types."""
    results = ", ".join(names[id(v)] for v in node.outputs)
    operands = ", ".join(names[id(v)] for v in node.inputs)
    types = ", ".join(str(v.type) for v in node.outputs)
    op = op_text(node.op, [v.type for v in node.outputs])
    return f"{results} = {op}{' ' if operands else ''}{operands} : {types}"


def op_text(op: Op, types: Sequence[TensorType] = ()) -> str:
    """The op's name and attributes: ``broadcast[shape=[N, 10], axes=[1]]``. An attribute of a leaf that equals the
    type of its result is left out."""
    implied = types[0] if isinstance(op, Leaf) and types else None
    shown = {k: v for k, v in op.attributes().items() if not (isinstance(v, TensorType) and v == implied)}
    if not shown:
        return op.name
    if len(op.attributes()) == 1:
        return f"{op.name}[{attribute_text(next(iter(shown.values())))}]"
    return f"{op.name}[{', '.join(f'{k}={attribute_text(v)}' for k, v in shown.items())}]"
