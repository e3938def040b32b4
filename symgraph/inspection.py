"""Looking at graphs: as a tree of text, as a networkx graph, and as pictures in notebooks."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Union

from .display import draw_with
from .errors import ArgumentError
from .ir.graph import Graph, Node, Value, topological
from .ir.ops.leaves import Constant, Input, State
from .tensor import Tensor

if TYPE_CHECKING:
    import networkx

    from .function import Function

    Viewed = Union[Function, Graph, Tensor, Sequence[Tensor]]


def debugprint(what: Viewed, depth: int = -1, file: Any = None) -> Any:
    """Print what computes a value, as a tree (Theano's ``debugprint``): a line a node with its type and a letter that
    names it; operands stand below and further right, and what was printed before is not printed again.

    Args:
        what: a tensor, a list of tensors, a graph, or a compiled function (its optimized graph, updates included).
        depth: how many levels to print; -1 for all.
        file: where to print (standard output); with ``"str"`` the text is returned.

    Raises:
        ArgumentError: for something else than a graph.

    Example:
        >>> from symgraph import exp, placeholder
        >>> x = placeholder((3,), name="x")
        >>> y = exp(x)
        >>> debugprint(y * y)
        mul [id A] f32[3]
         |exp [id B] f32[3]
         | |x [id C] f32[3]
         |exp [id B] f32[3] ...
    """
    text = "\n".join(_tree(_roots(what), depth))
    if file == "str":
        return text
    print(text, file=sys.stdout if file is None else file)
    return None


def to_networkx(what: Viewed) -> networkx.MultiDiGraph[Any]:
    """A graph, a function's optimized graph, or what computes some tensors, as a ``networkx.MultiDiGraph``: a node for
    every node with ``op``, ``text``, ``types``, ``names`` and ``origins``, an edge for every operand with ``operand``,
    ``result`` and ``type``.

    Raises:
        ArgumentError: for something else than a graph.
    """
    from .ir.nxview import to_networkx as view

    graph = _graph_of(what)
    if graph is None:
        values = tuple(value for _, value in _roots(what))
        nodes = tuple(topological(values))
        leaves = [v for node in nodes for v in node.outputs]
        inputs = tuple(v for v in leaves if isinstance(v.op, Input))
        states = tuple(v for v in leaves if isinstance(v.op, State))
        graph = Graph("graph", inputs, states, values, (), nodes=nodes)
    return view(graph)


def svg_of(what: Viewed) -> str | None:
    """The picture that a notebook shows, or None for a graph too large to draw."""
    from .plot import picture

    return picture(what)


def _graph_of(what: Any) -> Graph | None:
    graph = what if isinstance(what, Graph) else getattr(getattr(what, "stages", None), "optimized", None)
    return graph if isinstance(graph, Graph) else None


def _roots(what: Any) -> list[tuple[str, Value]]:
    """The values to print, with what to say of each."""
    graph = _graph_of(what)
    if graph is not None:
        labels = {v.op.slot: v.op.label for v in graph.states if isinstance(v.op, State)}
        updates = [(f"new value of {labels[slot] or f'state {slot}'}", v) for slot, v in graph.updates]
        return [*((f"output {k}", v) for k, v in enumerate(graph.outputs)), *updates]
    tensors = [what] if isinstance(what, Tensor) else what
    if not isinstance(tensors, (list, tuple)) or not all(isinstance(t, Tensor) for t in tensors):
        raise ArgumentError(f"expected a function, a graph or tensors, got {type(what).__name__}")
    return [("", t.value) for t in tensors]


def _tree(roots: Sequence[tuple[str, Value]], depth: int) -> Iterator[str]:
    """Depth first, without recursion: graphs may be deep."""
    letters: dict[int, str] = {}
    for label, root in roots:
        stack: list[tuple[Value, int]] = [(root, 0)]
        while stack:
            value, level = stack.pop()
            node = value.node
            is_new = id(node) not in letters
            letter = letters.setdefault(id(node), _letters(len(letters)))
            cut = not is_new and bool(node.inputs)
            note = f"  <- {label}" if label and level == 0 else ""
            indent = " |" * level
            yield f"{indent}{_title(node, value)} [id {letter}] {value.type}{' ...' if cut else ''}{note}"
            if is_new and (depth < 0 or level + 1 < depth):
                stack += [(operand, level + 1) for operand in reversed(node.inputs)]


def _title(node: Node, value: Value) -> str:
    op = node.op
    if isinstance(op, (Input, State)) and op.label:
        return op.label
    if isinstance(op, Constant):
        array = op.literal.array
        return str(array.reshape(-1)[0]) if array.size == 1 else f"constant of {array.size} elements"
    return f"{op.name}.{value.index}" if len(node.outputs) > 1 else op.name


def _letters(number: int) -> str:
    """A, B, ... Z, BA, BB, ..."""
    text = ""
    while True:
        number, digit = divmod(number, 26)
        text = chr(ord("A") + digit) + text
        if not number:
            return text


draw_with(svg_of)
