"""What leaves a loop: results nobody reads, invariants, products of sequences, of outputs, and sums over steps.

====================== ============================================================================================
a carry                of which only the last value is read is not kept; one that nothing depends on goes
``out[-1]``            of values that are a carry's is the last carry (where there is no step, the initial value)
an invariant           is computed outside, once
``row @ w``            a product of a sequence's row and an invariant is one product of the whole sequence, outside
``out = f(v @ w)``     a product that is only a result: the loop gives ``v``, and the product is one, outside
``c = c + f(v)``       a carry that only sums up products or sums: the loop gives what they read, the sum is outside
====================== ============================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..builder import Builder, rebuild
from ..graph import Graph, Node, Value
from ..op import Control, Elementwise
from ..ops.arithmetic import Add
from ..ops.blocks import Slice
from ..ops.contraction import Contraction
from ..ops.control import Scan
from ..ops.reductions import Sum
from ..ops.views import Reshape, Transpose
from ..region import Region, map_regions
from ..types import Facts
from .loop_lift import Lift, contract_rows
from .loop_parts import Carry, Out, Parts, Row, take_apart

#: Makes a result from the results of the further values, by place.
Finish = Callable[[list[Value]], Value]


def move_out_of_loops(graph: Graph, inexact: bool = True, is_body: bool = False) -> tuple[Graph, dict[str, int]]:
    """Rewrite every scan of a graph, those in bodies first; how often each motion was possible."""
    fired: dict[str, int] = {}
    if not any(isinstance(node.op, Control) for node in graph.nodes):
        return graph, fired
    readers: dict[int, list[Node]] = {}
    for node in graph.nodes:
        for value in node.inputs:
            readers.setdefault(id(value), []).append(node)
    results = {id(v) for v in graph.results}

    def inside(region: Region) -> Region:
        moved, more = move_out_of_loops(region.graph, inexact, is_body=True)
        for name, count in more.items():
            fired[name] = fired.get(name, 0) + count
        return Region(moved)

    last: set[int] = set()

    def transform(b: Builder, node: Node, operands: tuple[Value, ...]) -> tuple[Value, ...]:
        op = node.op
        if isinstance(op, Slice) and id(node.inputs[0]) in last:
            return (b.reshape(operands[0], op.sizes),)
        if isinstance(op, Control):
            op = map_regions(op, inside)
        if not isinstance(op, Scan):
            return b.apply_all(op, *operands)
        used = [id(v) in results or id(v) in readers for v in node.outputs]
        only_last = [
            _has_rows(op, k) and id(v) not in results and all(_is_last(r, v) for r in readers.get(id(v), ()))
            for k, v in enumerate(node.outputs)
        ]
        last.update(id(v) for v, yes in zip(node.outputs, only_last, strict=True) if yes)
        motion = _Motion(take_apart(op, b, operands), fired)
        return motion.run(used, only_last, inexact)

    builder = Builder(Facts(graph.facts))
    return rebuild(graph, builder, transform, is_body), fired


def _has_rows(op: Scan, k: int) -> bool:
    """Whether result ``k`` has a last row that is a carry's last value."""
    if k < op.carries:
        return op.kept[k]
    outputs = op.body.graph.outputs
    return not op.outputs_backward[k - op.carries] and any(v is outputs[k] for v in outputs[: op.carries])


def _is_last(reader: Node, value: Value) -> bool:
    """Whether a node reads nothing but the last row of a value."""
    return (
        isinstance(reader.op, Slice)
        and reader.op.starts == (value.shape[0] - 1, *(0 for _ in value.shape[1:]))
        and reader.op.sizes == (1, *value.shape[1:])
    )


@dataclass(frozen=True)
class _Term:
    """A summand of an accumulating carry: views (applied last to first) of a product or sum."""

    views: tuple[Value, ...]
    root: Value


class _Motion:
    """The motions of one scan."""

    def __init__(self, parts: Parts, fired: dict[str, int]) -> None:
        self.parts = parts
        self.fired = fired
        self.finish: dict[int, Finish] = {}
        #: Further values of which only the last row is read, which is the last value of a carry.
        self.last: dict[int, Carry] = {}

    def count(self, name: str) -> None:
        self.fired[name] = self.fired.get(name, 0) + 1

    def run(self, used: list[bool], only_last: list[bool], inexact: bool) -> tuple[Value, ...]:
        parts = self.parts
        total = len(used)
        for carry in parts.carries:
            if not used[carry.result]:
                carry.result = -1
                carry.kept = False
            elif carry.kept and only_last[carry.result]:
                carry.kept = False
                self.count("keep_last_carry")
        for out in parts.outs:
            if used[out.result] and only_last[out.result]:
                self.last[out.result] = next(c for c in parts.carries if c.new is out.value)
                used[out.result] = False
        kept_outs = [o for o in parts.outs if used[o.result]]
        if len(kept_outs) < len(parts.outs):
            self.count("drop_output")
        parts.outs = kept_outs
        parts.drop_dead(self.last.values())
        if inexact:
            parts.look()
            self.sum_outside()
            parts.look()
            self.multiply_outputs_outside()
            parts.drop_dead(self.last.values())
            parts.look()
            self.multiply_rows_outside()
            parts.drop_dead(self.last.values())
        carries, rows = parts.put_together()
        made: dict[int, Value] = {}
        for carry, value in zip(parts.carries, carries, strict=True):
            made[carry.result] = value
            for number, one in self.last.items():
                if one is carry:
                    made[number] = self.last_row(value) if carry.kept else value
        for out, value in zip(parts.outs, rows, strict=True):
            made[out.result] = value
        for number, finish in self.finish.items():
            made[number] = finish(rows)
        nothing = next(iter(made.values()))  # stands for what nobody reads
        return tuple(made.get(k, nothing) for k in range(total))

    def last_row(self, history: Value) -> Value:
        """The last value of a kept carry."""
        rest = history.shape[1:]
        b = self.parts.builder
        return b.reshape(b.slice(history, [self.parts.length, *(0 for _ in rest)], [1, *rest]), rest)

    # -- products of rows -------------------------------------------------------------------------------------------
    def multiply_rows_outside(self) -> None:
        """``row @ w`` for every row at once."""
        parts = self.parts
        results = [*(c.new for c in parts.carries), *(o.value for o in parts.outs)]
        for node in parts.between(results):
            if not isinstance(node.op, Contraction) or any(r.inner is node.output for r in parts.rows):
                continue
            variant = [v for v in node.inputs if id(v) in parts.variant]
            if len(variant) != 1 or id(node.output) in parts.carried:
                continue
            for backward in (False, True):
                lift = Lift(parts, backward)
                if lift.can(node.output):
                    parts.rows.append(Row(node.output, lift.of(node.output), 0, backward))
                    self.count("multiply_rows_outside")
                    break

    # -- products of outputs ----------------------------------------------------------------------------------------
    def multiply_outputs_outside(self) -> None:
        """``f(v @ w)`` that is only a result, where ``f`` needs nothing of the steps besides: give ``v``."""
        parts = self.parts
        for out in list(parts.outs):
            root = self._only_product(out.value)
            if root is None or not Lift(parts, out.backward, {id(root): root}).can(out.value):
                continue
            x, y = root.node.inputs
            first = id(x) in parts.variant
            if first == (id(y) in parts.variant):
                continue
            give = self._giver(x if first else y, out.backward)
            fixed = parts.outside(y if first else x)
            parts.outs.remove(out)
            self.finish[out.result] = self._finish_product(out, root, give, fixed, first)
            self.count("multiply_output_outside")

    def _only_product(self, value: Value) -> Value | None:
        """The product that a value is computed from by one chain of views and elementwise ops, each read once."""
        parts = self.parts
        while parts.uses.get(id(value), 0) == 1 and not any(r.inner is value for r in parts.rows):
            if isinstance(value.op, Contraction):
                return value
            if not isinstance(value.op, (Elementwise, Reshape, Transpose)):
                return None
            carried = [v for v in value.node.inputs if id(v) in parts.carried]
            if len(carried) != 1:
                return None
            (value,) = carried
        return None

    def _finish_product(self, out: Out, root: Value, give: Finish, fixed: Value, first: bool) -> Finish:
        op, parts = root.op, replace(self.parts, rows=list(self.parts.rows))  # what varies is looked for again

        def finish(rows: list[Value]) -> Value:
            assert isinstance(op, Contraction)
            xs, ys = (give(rows), fixed) if first else (fixed, give(rows))
            product = contract_rows(parts, op, xs, ys, first, not first, summed=False)
            return Lift(parts, out.backward, {id(root): product}).of(out.value)

        return finish

    # -- sums over steps --------------------------------------------------------------------------------------------
    def sum_outside(self) -> None:
        """``c = c + f(v)``: give ``v``, and sum up outside."""
        parts = self.parts
        for carry in list(parts.carries):
            if carry.kept or carry.result < 0 or carry in self.last.values() or parts.uses.get(id(carry.inner), 0) != 1:
                continue
            if parts.uses.get(id(carry.new), 0) != 1:
                continue
            summands = self._summands(carry.new, carry.inner)
            terms = [self._term(v) for v in summands or ()]
            if summands is None or not terms or any(t is None for t in terms):
                continue
            parts.carries.remove(carry)
            self.finish[carry.result] = self._finish_sum(carry, [self._sum_of(t) for t in terms if t is not None])
            self.count("sum_outside")

    def _summands(self, value: Value, carry: Value) -> list[Value] | None:
        """What is added to the carry; None where the carry is not simply added to."""
        if value is carry:
            return []
        if not isinstance(value.op, Add) or value.dtype.kind != "f":
            return None
        a, b = value.node.inputs
        for left, right in ((a, b), (b, a)):
            found = self._summands(left, carry) if left is carry or isinstance(left.op, Add) else None
            if found is not None:
                return [*found, right]
        return None

    def _term(self, value: Value) -> _Term | None:
        """Views of a product or of a sum; its operands change from step to step."""
        views: list[Value] = []
        while isinstance(value.op, (Reshape, Transpose)):
            views.append(value)
            (value,) = value.node.inputs
        is_root = isinstance(value.op, (Contraction, Sum)) and not any(r.inner is value for r in self.parts.rows)
        if not is_root or not any(id(v) in self.parts.variant for v in value.node.inputs):
            return None
        return _Term(tuple(views), value)

    def _sum_of(self, term: _Term) -> Finish:
        parts, op, inputs = self.parts, term.root.op, term.root.node.inputs
        varies = [id(v) in parts.variant for v in inputs]
        backward = self._direction(inputs)
        gives = [
            self._giver(v, backward) if yes else self._constantly(parts.outside(v))
            for v, yes in zip(inputs, varies, strict=True)
        ]

        def finish(rows: list[Value]) -> Value:
            values = [give(rows) for give in gives]
            if isinstance(op, Contraction):
                value = contract_rows(parts, op, values[0], values[1], varies[0], varies[1], summed=True)
            else:
                assert isinstance(op, Sum)
                value = parts.builder.sum(values[0], [0, *(k + 1 for k in op.axes)])
            for view in reversed(term.views):
                value = parts.builder.apply(view.op, value)
            return value

        return finish

    def _finish_sum(self, carry: Carry, sums: list[Finish]) -> Finish:
        def finish(rows: list[Value]) -> Value:
            total = carry.initial
            for one in sums:
                total = self.parts.builder.add(total, one(rows))
            return total

        return finish

    # -- rows -------------------------------------------------------------------------------------------------------
    def _direction(self, values: tuple[Value, ...]) -> bool:
        """The way in which the first of these that can be had without the loop is walked over; else that of most."""
        for value in values:
            if id(value) in self.parts.variant:
                for backward in (False, True):
                    if Lift(self.parts, backward).can(value):
                        return backward
        return 2 * sum(row.backward for row in self.parts.rows) > len(self.parts.rows)

    def _giver(self, value: Value, backward: bool) -> Finish:
        """All rows of a value: computed outside where that is possible, else a further result of the loop."""
        lift = Lift(self.parts, backward)
        if lift.can(value):
            return self._constantly(lift.of(value))
        outs = self.parts.outs
        out = next((o for o in outs if o.value is value and o.backward == backward), None)
        if out is None:
            out = Out(value, backward, -1)
            outs.append(out)
        return lambda rows: rows[self.parts.outs.index(out)]

    def _constantly(self, value: Value) -> Finish:
        return lambda rows: value


__all__ = ["move_out_of_loops"]
