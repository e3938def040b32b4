"""Products of products in the order of the least work.

A rule sees operands only, and could not tell whether a product inside a product is needed elsewhere too. This pass
counts readers: a product that only another one reads belongs to one chain with it, whose factors are multiplied in the
cheapest order, where that is cheaper whatever the unknown sizes are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from ..builder import Builder, rebuild
from ..contraction_order import EXHAUSTIVE, Step, contraction_order, multiply
from ..dims import Dim, evaluate, symbols
from ..graph import Graph, Node, Value
from ..op import Control
from ..ops.contraction import Contraction
from ..region import Region, map_regions
from ..types import Facts

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: What unknown sizes may be: a new order has to be cheaper for each of these.
_ESTIMATES = (4, 64, 2048)


def reorder_chains(graph: Graph, inexact: bool = True, is_body: bool = False) -> tuple[Graph, dict[str, int]]:
    """Rewrite every chain of products of a graph, and of bodies; how many became cheaper. Sums of products round
    otherwise in another order, so integers apart nothing is done where only exact rewrites are wanted."""
    fired: dict[str, int] = {}
    readers = Counter(id(v) for node in graph.nodes for v in node.inputs)
    readers.update(id(v) for v in graph.results)

    def inner(value: Value) -> bool:
        """Whether a value is a product that only one other node reads."""
        return isinstance(value.op, Contraction) and readers[id(value)] == 1

    def concerns(node: Node) -> bool:
        return isinstance(node.op, Control) or (isinstance(node.op, Contraction) and any(map(inner, node.inputs)))

    if not any(map(concerns, graph.nodes)):
        return graph, fired

    def inside(region: Region) -> Region:
        moved, more = reorder_chains(region.graph, inexact, is_body=True)
        fired.update(Counter(fired) + Counter(more))
        return Region(moved)

    new: dict[int, Value] = {}

    def transform(b: Builder, node: Node, operands: tuple[Value, ...]) -> tuple[Value, ...]:
        op = node.op
        if isinstance(op, Control):
            op = map_regions(op, inside)
        results: tuple[Value, ...] | None = None
        if isinstance(op, Contraction) and any(map(inner, node.inputs)) and (inexact or not operands[0].dtype.is_float):
            chain = _Chain(node, inner)
            steps = chain.cheaper()
            if steps is not None:
                results = (chain.write(b, steps, new),)
                fired["reorder_chain"] = fired.get("reorder_chain", 0) + 1
        results = results or b.apply_all(op, *operands)
        new.update((id(v), w) for v, w in zip(node.outputs, results, strict=True))
        return results

    builder = Builder(Facts(graph.facts))
    return rebuild(graph, builder, transform, is_body), fired


class _Chain:
    """The factors of a product and of the products inside it, with one letter for each axis of all."""

    def __init__(self, root: Node, inner: Callable[[Value], bool]) -> None:
        self.factors: list[Value] = []
        self.labels: list[str] = []
        self.sizes: dict[str, Dim] = {}
        self.steps: list[tuple[str, str]] = []
        self._free: Iterator[str] = iter(_LETTERS)
        assert isinstance(root.op, Contraction)
        self.result = "".join(next(self._free) for _ in root.op.labels[2])
        self.is_whole = self._take(root, self.result, inner)

    def _take(self, node: Node, out: str, inner: Callable[[Value], bool]) -> bool:
        """Add the factors of a product whose result has the letters ``out``; False where letters run out."""
        op = node.op
        assert isinstance(op, Contraction)
        names = dict(zip(op.labels[2], out, strict=True))
        for c in op.summed:
            names[c] = next(self._free, "")
        if "" in names.values():
            return False
        labels = ["".join(names[c] for c in part) for part in op.labels[:2]]
        self.steps.append((labels[0], labels[1]))
        for label, value in zip(labels, node.inputs, strict=True):
            self.sizes.update(zip(label, value.shape, strict=True))
            if inner(value):
                if not self._take(value.node, label, inner):
                    return False
            else:
                self.factors.append(value)
                self.labels.append(label)
        return True

    def cheaper(self) -> tuple[Step, ...] | None:
        """The steps of a cheaper order, if there is one whatever the unknown sizes are."""
        if not self.is_whole or len(self.factors) > EXHAUSTIVE:
            return None
        tables = [self._estimated(size) for size in _ESTIMATES]
        if len({tuple(t.items()) for t in tables}) == 1:
            tables = tables[:1]
        for table in tables:
            steps, _ = contraction_order(self.labels, self.result, table)
            if all(self._work(steps, t) < self._work_now(t) for t in tables):
                return steps
        return None

    def _estimated(self, size: int) -> dict[str, int]:
        known: Mapping[str, int] = {s.name: size for s in symbols(self.sizes.values())}
        return {c: max(evaluate(d, known), 1) for c, d in self.sizes.items()}

    def _work_now(self, sizes: Mapping[str, int]) -> int:
        return sum(_volume(a + b, sizes) for a, b in self.steps)

    def _work(self, steps: Sequence[Step], sizes: Mapping[str, int]) -> int:
        labels = [*self.labels, *(step.out for step in steps)]
        return sum(_volume(labels[step.left] + labels[step.right], sizes) for step in steps)

    def write(self, b: Builder, steps: Sequence[Step], new: Mapping[int, Value]) -> Value:
        return multiply(b, [(label, new[id(v)]) for label, v in zip(self.labels, self.factors, strict=True)], steps)[1]


def _volume(letters: str, sizes: Mapping[str, int]) -> int:
    total = 1
    for c in set(letters):
        total *= sizes[c]
    return total
