"""A graph as a networkx graph, for analysis and drawing with other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .graph import Graph
from .printer import op_text, value_names

if TYPE_CHECKING:
    import networkx


def to_networkx(graph: Graph) -> networkx.MultiDiGraph[Any]:
    """A directed multigraph with a node for every node of ``graph`` (numbered in topological order) and an edge for
    every operand.

    Node attributes: ``op`` (name), ``text`` (op with attributes), ``types`` and ``names`` of the results, ``origins``.
    Edge attributes: ``result`` (which of the producer), ``operand`` (which of the consumer), ``type``. Graph
    attributes: ``name``, ``inputs``, ``states``, ``outputs`` and ``updates`` as lists of node numbers.
    """
    import networkx

    number = {id(node): i for i, node in enumerate(graph.nodes)}
    names = value_names(graph)
    view: networkx.MultiDiGraph[Any] = networkx.MultiDiGraph(
        name=graph.name,
        inputs=[number[id(v.node)] for v in graph.inputs],
        states=[number[id(v.node)] for v in graph.states],
        outputs=[number[id(v.node)] for v in graph.outputs],
        updates=[(slot, number[id(v.node)]) for slot, v in graph.updates],
    )
    for i, node in enumerate(graph.nodes):
        view.add_node(
            i,
            op=node.op.name,
            text=op_text(node.op, [v.type for v in node.outputs]),
            types=[str(v.type) for v in node.outputs],
            names=[names[id(v)] for v in node.outputs],
            origins=[str(o) for o in node.origins],
        )
        for k, operand in enumerate(node.inputs):
            view.add_edge(number[id(operand.node)], i, result=operand.index, operand=k, type=str(operand.type))
    return view
