"""What a loop computes again that another one has computed: it reads it instead.

The gradient of a scan is a scan whose body begins as the forward one does, on the same rows and on the kept carries.
A costly value there (a product, a sum, an elementary function), which depends on carries, becomes one more result of
the first loop and one more sequence of the second; one that the first loop gives anyway is read from there. What is
cheap besides is computed again, and what no carry decides is left to :mod:`.loop_motion`, which computes it outside,
once for both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..builder import Builder, rebuild
from ..graph import Graph, Node, Value
from ..op import Control, Elementwise, Indexed, Op
from ..ops.arithmetic import Neg, Pow
from ..ops.control import Scan
from ..ops.elementary import FloatFunction, Sigmoid, Sqrt
from ..ops.leaves import Input
from ..region import Region, map_regions
from ..types import Facts
from .loop_parts import Out, Row, take_apart


@dataclass(eq=False)
class _Plan:
    """What one scan gives and takes: ``extra`` values of its body become results; ``taken`` are values of its body,
    each with the scan and the value of its body that it equals, and whether the loops run in opposite ways."""

    extra: list[Value] = field(default_factory=list)
    taken: list[tuple[Value, Node, Value, bool]] = field(default_factory=list)


@dataclass(frozen=True)
class _Rows:
    """Where a loop leaves a value of its body: that of step ``i`` in row ``start + i``, or, ``backward``, in the last
    row but ``i``."""

    array: Value
    start: int
    backward: bool


def reuse_between_loops(graph: Graph, inexact: bool = True, is_body: bool = False) -> tuple[Graph, dict[str, int]]:
    """Rewrite the scans of a graph, those in bodies first; how often a value is read instead of computed."""
    fired: dict[str, int] = {}
    if not any(isinstance(node.op, Control) for node in graph.nodes):
        return graph, fired

    def inside(region: Region) -> Region:
        changed, more = reuse_between_loops(region.graph, inexact, is_body=True)
        if inexact:
            changed = _complement_sigmoids(changed, more)
        for name, count in more.items():
            fired[name] = fired.get(name, 0) + count
        return Region(changed)

    def simpler(b: Builder, node: Node, operands: tuple[Value, ...]) -> tuple[Value, ...]:
        op = map_regions(node.op, inside) if isinstance(node.op, Control) else node.op
        return b.apply_all(op, *operands)

    graph = rebuild(graph, Builder(Facts(graph.facts)), simpler, is_body)
    plans: dict[int, _Plan] = {}
    for first, second in _pairs(graph):
        _compare(first, second, plans)
    if not plans:
        return graph, fired
    fired["reuse_of_other_loop"] = sum(len(p.taken) for p in plans.values())
    results: dict[tuple[int, int], _Rows] = {}

    def transform(b: Builder, node: Node, operands: tuple[Value, ...]) -> tuple[Value, ...]:
        plan = plans.get(id(node))
        if plan is None:
            return b.apply_all(node.op, *operands)
        assert isinstance(node.op, Scan)
        parts = take_apart(node.op, b, operands)
        parts.outs += [Out(value, False, -1) for value in plan.extra]
        for value, source, equal, opposite in plan.taken:
            given = results[id(source), id(equal)]
            parts.rows.append(Row(value, given.array, given.start, opposite != given.backward))
        carries, rows = parts.put_together()
        for out, array in zip(parts.outs, rows, strict=True):
            results[id(node), id(out.value)] = _Rows(array, 0, out.backward)
        for carry, array in zip(parts.carries, carries, strict=True):
            if carry.kept:
                results[id(node), id(carry.new)] = _Rows(array, 1, False)
        return (*carries, *rows[: len(node.op.outputs_backward)])

    return rebuild(graph, Builder(Facts(graph.facts)), transform, is_body), fired


def _pairs(graph: Graph) -> Iterator[tuple[Node, Node]]:
    """Scans, and later ones of the same length that walk over what they give."""
    makers: dict[int, Node] = {}
    for node in graph.nodes:
        if isinstance(node.op, Scan):
            sources = {id(v): makers[id(v)] for v in node.inputs[: node.op.sequences] if id(v) in makers}
            for source in {id(n): n for n in sources.values()}.values():
                assert isinstance(source.op, Scan)
                if source.op.length == node.op.length:
                    yield source, node
            makers.update((id(v), node) for v in node.outputs)


def _compare(first: Node, second: Node, plans: dict[int, _Plan]) -> None:
    """Plan what ``second`` takes from ``first``: values that are equal if the loops run the same way, or else if they
    run in opposite ways."""
    for opposite in (True, False):
        found = _Equal(first, second, opposite).needed()
        if found:
            mine, theirs = plans.setdefault(id(second), _Plan()), plans.setdefault(id(first), _Plan())
            for value, equal in found:
                if not any(v is value for v, _, _, _ in mine.taken):
                    mine.taken.append((value, first, equal, opposite))
                    if id(equal) not in _results(first) and not any(v is equal for v in theirs.extra):
                        theirs.extra.append(equal)
            return


def _results(loop: Node) -> set[int]:
    """The values of its body, by ``id``, of which a loop gives all rows."""
    op = loop.op
    assert isinstance(op, Scan)
    return {id(v) for k, v in enumerate(op.body.graph.outputs) if k >= op.carries or op.kept[k]}


class _Equal:
    """Values of the body of ``second`` that equal values of the body of ``first`` at the step of the same number (or,
    where they run in opposite ways, at the last but that many)."""

    def __init__(self, first: Node, second: Node, opposite: bool) -> None:
        assert isinstance(first.op, Scan) and isinstance(second.op, Scan)
        self.first, self.second, self.a, self.b, self.opposite = first, second, first.op, second.op, opposite
        self.of: dict[int, Value] = {}
        parts = take_apart(self.a, Builder(), first.inputs)
        parts.look()
        self.carried = parts.carried
        self._match_inputs()
        known: dict[tuple[Op, tuple[int, ...]], Node] = {}
        for node in self.a.body.graph.nodes:
            known[node.op, tuple(id(v) for v in node.inputs)] = node
        for node in self.b.body.graph.nodes:
            if isinstance(node.op, Input) or not all(id(v) in self.of for v in node.inputs):
                continue
            equal = known.get((node.op, tuple(id(self.of[id(v)]) for v in node.inputs)))
            if equal is not None:
                self.of.update((id(v), u) for v, u in zip(node.outputs, equal.outputs, strict=True))

    def _match_inputs(self) -> None:
        a, b = self.a, self.b
        inner_a, inner_b, new = a.body.graph.inputs, b.body.graph.inputs, a.body.graph.outputs
        rows = {
            (id(x), start, back): v
            for x, start, back, v in zip(self.first.inputs, a.starts, a.backward, inner_a, strict=False)
        }
        for k, v in enumerate(self.first.outputs):
            if k >= a.carries:
                rows[id(v), 0, a.outputs_backward[k - a.carries]] = new[k]
            elif a.kept[k]:
                rows[id(v), 0, False], rows[id(v), 1, False] = inner_a[a.sequences + k], new[k]
        outer = map(id, self.first.inputs[a.first_constant :])
        constants = dict(zip(outer, inner_a[a.first_constant :], strict=True))
        for k, (x, v) in enumerate(zip(self.second.inputs, inner_b, strict=True)):
            equal = None
            if k < b.sequences:
                equal = rows.get((id(x), b.starts[k], b.backward[k] != self.opposite))
            elif k >= b.first_constant:
                equal = constants.get(id(x))
            if equal is not None:
                self.of[id(v)] = equal

    def needed(self) -> list[tuple[Value, Value]]:
        """The values that the second loop reads and the first one has: costly ones, and those that it gives anyway."""
        graph, there = self.b.body.graph, _results(self.first)
        waiting: list[Value] = [v for v in graph.outputs if id(v) in self.of]
        for node in graph.nodes:
            if not any(id(v) in self.of for v in node.outputs):
                waiting += [v for v in node.inputs if id(v) in self.of]
        found: list[tuple[Value, Value]] = []
        seen: set[int] = set()
        while waiting:
            value = waiting.pop()
            if id(value) in seen or isinstance(value.op, Input) or id(self.of[id(value)]) not in self.carried:
                continue
            seen.add(id(value))
            if is_costly(value.op) or id(self.of[id(value)]) in there:
                found.append((value, self.of[id(value)]))
            else:
                waiting += value.node.inputs
        place = {id(v): k for k, v in enumerate(v for node in graph.nodes for v in node.outputs)}
        return sorted(found, key=lambda pair: place[id(pair[0])])


def is_costly(op: Op) -> bool:
    """Whether to read a value is less work than to compute it."""
    if isinstance(op, Elementwise):
        return isinstance(op, (FloatFunction, Pow)) and not isinstance(op, Sqrt)
    return not isinstance(op, Indexed)


def _complement_sigmoids(graph: Graph, fired: dict[str, int]) -> Graph:
    """``sigmoid(-x)`` is ``1 - sigmoid(x)`` where that is known: one function less in each step."""
    plain = {id(n.inputs[0]) for n in graph.nodes if isinstance(n.op, Sigmoid)}

    def is_complement(node: Node) -> bool:
        if not isinstance(node.op, Sigmoid):
            return False
        (x,) = node.inputs
        return isinstance(x.op, Neg) and id(x.node.inputs[0]) in plain

    if not any(is_complement(node) for node in graph.nodes):
        return graph

    def transform(b: Builder, node: Node, operands: tuple[Value, ...]) -> tuple[Value, ...]:
        if not is_complement(node):
            return b.apply_all(node.op, *operands)
        fired["complement_of_sigmoid"] = fired.get("complement_of_sigmoid", 0) + 1
        return (b.sub(1.0, b.apply(Sigmoid(), operands[0].node.inputs[0])),)

    return rebuild(graph, Builder(Facts(graph.facts)), transform, is_body=True)


__all__ = ["reuse_between_loops"]
