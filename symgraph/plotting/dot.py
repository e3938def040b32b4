"""A diagram in graphviz's language, as :mod:`pydot` objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .diagram import Box, Cluster, Diagram, Item

if TYPE_CHECKING:
    import pydot

_FILLS = {"input": "#e4f1e4", "state": "#e6eefb", "constant": "#f1f1f1", "output": "#fdeedc"}


def to_dot(diagram: Diagram, dpi: int = 96) -> pydot.Dot:
    """The diagram as a ``pydot.Dot``; boxes are records, clusters are dashed."""
    import pydot

    dot = pydot.Dot("graph", graph_type="digraph")
    dot.set("rankdir", diagram.direction)
    dot.set("dpi", dpi)
    _fill(dot, diagram)
    return dot


def to_cluster(diagram: Diagram, name: str) -> pydot.Cluster:
    """The diagram as a dashed, titled subgraph, to be put into another one."""
    cluster = _cluster(name, diagram.title)
    _fill(cluster, diagram)
    return cluster


def _cluster(key: str, title: str) -> pydot.Cluster:
    import pydot

    cluster = pydot.Cluster(graph_type="digraph", style="dashed", label=_quoted(title), labeljust="l")
    cluster.set_name(_quoted(f"cluster_{key}"))  # pydot puts its prefix before the quotes of a name that has some
    return cluster


def _fill(dot: Any, diagram: Diagram) -> None:
    import pydot

    dot.set("concentrate", "true")
    dot.set_node_defaults(shape="record", fontname="Helvetica", fontsize="12")
    for item in diagram.items:
        _add(dot, item)
    for arrow in diagram.arrows:
        dot.add_edge(pydot.Edge(_quoted(arrow.source), _quoted(arrow.target)))


def _add(dot: Any, item: Item) -> None:
    import pydot

    if isinstance(item, Cluster):
        cluster = _cluster(item.key, item.title)
        for inner in item.items:
            _add(cluster, inner)
        dot.add_subgraph(cluster)
        return
    fill: dict[str, Any] = {"style": "filled", "fillcolor": _quoted(_FILLS[item.kind])} if item.kind in _FILLS else {}
    dot.add_node(pydot.Node(_quoted(item.key), label=_quoted(_label(item)), **fill))


def _label(box: Box) -> str:
    """The record label: the title, then a column of names and one of values."""
    title = _escaped(box.title)
    if not box.fields:
        return title
    names = "|".join(_escaped(name) for name, _ in box.fields)
    values = "|".join(_escaped(value) for _, value in box.fields)
    return f"{title}|{{{names}}}|{{{values}}}" if any(name for name, _ in box.fields) else f"{title}|{{{values}}}"


def _escaped(text: str) -> str:
    """``text`` with the signs that mean something in a record label made plain."""
    return "".join("\\" + c if c in "\\{}|<> " else c for c in text)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'
