"""A scan taken apart, to be put together again with other sequences, carries and outputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..builder import Builder
from ..dims import Dim
from ..graph import Node, Value, topological
from ..ops.control import Scan
from ..ops.leaves import Input
from ..region import capture, has_effects


@dataclass(slots=True, eq=False)
class Row:
    """What the body sees of a sequence."""

    inner: Value
    outer: Value
    start: int
    backward: bool


@dataclass(slots=True, eq=False)
class Carry:
    """A carry: what the body sees of it, its initial value, its new one; ``result`` is its number among the results."""

    inner: Value
    initial: Value
    new: Value
    kept: bool
    result: int


@dataclass(slots=True, eq=False)
class Out:
    """A further value, whose rows are result number ``result`` (-1: of no old result)."""

    value: Value
    backward: bool
    result: int


@dataclass(slots=True, eq=False)
class Parts:
    """``inner`` values belong to the body as it was, ``outer`` ones to the graph that ``builder`` writes."""

    op: Scan
    builder: Builder
    rows: list[Row]
    carries: list[Carry]
    outs: list[Out]
    constants: dict[int, Value]
    variant: set[int] = field(default_factory=set)
    carried: set[int] = field(default_factory=set)
    uses: dict[int, int] = field(default_factory=dict)

    @property
    def length(self) -> Dim:
        return self.op.length

    def look(self) -> None:
        """Find which values change from step to step (``variant``), which of them depend on a carry (``carried``), and
        how often each is read."""
        results = [*(c.new for c in self.carries), *(o.value for o in self.outs)]
        self.variant = {id(r.inner) for r in self.rows} | {id(c.inner) for c in self.carries}
        self.carried = {id(c.inner) for c in self.carries}
        self.uses = {}
        for value in results:
            self.uses[id(value)] = self.uses.get(id(value), 0) + 1
        given = set(self.variant)
        for node in topological(results):
            if any(id(v) in given for v in node.outputs):
                continue
            if has_effects(node.op):  # runs at every step, and so does what reads it
                self.variant.update(id(v) for v in node.outputs)
            for marked in (self.variant, self.carried):
                if any(id(v) in marked for v in node.inputs):
                    marked.update(id(v) for v in node.outputs)
            for value in node.inputs:
                self.uses[id(value)] = self.uses.get(id(value), 0) + 1

    def drop_dead(self, wanted: Iterable[Carry] = ()) -> None:
        """Keep the carries and sequences that some result depends on, and the carries ``wanted``."""
        live: set[int] = {id(c.inner) for c in self.carries if c.result >= 0} | {id(c.inner) for c in wanted}
        while True:
            results = [*(c.new for c in self.carries if id(c.inner) in live), *(o.value for o in self.outs)]
            needed = {id(v) for node in self.between(results) for v in node.outputs} | {id(v) for v in results}
            more = {id(c.inner) for c in self.carries if id(c.inner) in needed} - live
            if not more:
                break
            live |= more
        self.carries = [c for c in self.carries if id(c.inner) in live]
        self.rows = [r for r in self.rows if id(r.inner) in needed]

    def between(self, results: Sequence[Value]) -> list[Node]:
        """What results need, up to rows that stand for something computed."""
        cut = {id(r.inner) for r in self.rows}
        done: dict[int, Node] = {}
        stack = [v.node for v in results]
        while stack:
            node = stack.pop()
            if id(node) not in done:
                done[id(node)] = node
                if not any(id(v) in cut for v in node.outputs):
                    stack += [v.node for v in node.inputs]
        return list(done.values())

    def outside(self, value: Value) -> Value:
        """An invariant value of the body, computed outside."""
        if id(value) not in self.constants:
            if isinstance(value.op, Input):
                raise KeyError(value)
            made = self.builder.apply_all(value.op, *(self.outside(v) for v in value.node.inputs))
            self.constants.update((id(old), new) for old, new in zip(value.node.outputs, made, strict=True))
        return self.constants[id(value)]

    def put_together(self) -> tuple[list[Value], list[Value]]:
        """The new scan: the results of the carries, and those of the further values."""
        if not self.carries and not self.outs:
            return [], []
        inputs = [*(r.inner for r in self.rows), *(c.inner for c in self.carries)]
        results = [*(c.new for c in self.carries), *(o.value for o in self.outs)]
        body, captured = capture(inputs, results, [n for n in self.between(results) if has_effects(n.op)])
        operands = [*(r.outer for r in self.rows), *(c.initial for c in self.carries)]
        operands += [self.outside(v) for v in captured]
        op = Scan(
            body, self.length, tuple(r.start for r in self.rows), tuple(r.backward for r in self.rows),
            tuple(c.kept for c in self.carries), tuple(o.backward for o in self.outs), self.op.truncate,
        )  # fmt: skip
        made = self.builder.apply_all(op, *operands)
        return list(made[: len(self.carries)]), list(made[len(self.carries) :])


def take_apart(op: Scan, builder: Builder, operands: Sequence[Value]) -> Parts:
    """The parts of a scan."""
    inner, n, last = op.body.graph.inputs, op.sequences, op.first_constant
    new = op.body.graph.outputs
    rows = [Row(v, x, s, b) for v, x, s, b in zip(inner, operands, op.starts, op.backward, strict=False)]
    carries = [Carry(inner[n + k], operands[n + k], new[k], kept, k) for k, kept in enumerate(op.kept)]
    outs = [Out(new[op.carries + j], b, op.carries + j) for j, b in enumerate(op.outputs_backward)]
    constants = {id(v): x for v, x in zip(inner[last:], operands[last:], strict=True)}
    return Parts(op, builder, rows, carries, outs, constants)
