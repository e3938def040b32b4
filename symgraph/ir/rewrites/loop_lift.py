"""Values of a loop's body for all steps at once: the same ops with one more axis in front."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from string import ascii_letters

from ..graph import Value
from ..op import Elementwise, Op, Reduction
from ..ops.contraction import Contraction
from ..ops.views import Broadcast, Reshape, Transpose
from .loop_parts import Parts


@dataclass(frozen=True)
class Lift:
    """Lifts values that depend on sequences, not on carries. Row ``i`` of what it gives is that of step ``i``, or of
    step ``length - 1 - i`` where ``backward``: all sequences read must be walked over that way."""

    parts: Parts
    backward: bool
    #: All rows of values that are had otherwise, by ``id``.
    given: Mapping[int, Value] = field(default_factory=dict)

    def can(self, value: Value) -> bool:
        """Whether a value can be computed for all steps at once."""
        parts = self.parts
        if id(value) not in parts.variant or id(value) in self.given:
            return True
        for row in parts.rows:
            if row.inner is value:
                return row.backward == self.backward
        if id(value) in parts.carried and not self.given:
            return False
        op = value.op
        known = isinstance(op, (Elementwise, Broadcast, Reshape, Transpose, Reduction, Contraction))
        return known and all(self.can(v) for v in value.node.inputs)

    def of(self, value: Value) -> Value:
        """All rows of a value, invariant ones repeated."""
        e, parts = self.parts.builder, self.parts
        if id(value) in self.given:
            return self.given[id(value)]
        if id(value) not in parts.variant:
            outer = parts.outside(value)
            return e.broadcast_to(outer, (parts.length, *outer.shape))
        for row in parts.rows:
            if row.inner is value:
                rest = row.outer.shape[1:]
                starts = [row.start, *(0 for _ in rest)]
                return e.slice(row.outer, starts, [parts.length, *rest])
        op = value.op
        if isinstance(op, Contraction):
            return self.product(op, *value.node.inputs)
        return e.apply(with_axis(op, parts.length), *(self.of(v) for v in value.node.inputs))

    def product(self, op: Contraction, x: Value, y: Value) -> Value:
        """A product of two values for all steps."""
        xs, ys = (self.of(v) if id(v) in self.parts.variant else self.parts.outside(v) for v in (x, y))
        varies = [id(v) in self.parts.variant for v in (x, y)]
        return contract_rows(self.parts, op, xs, ys, varies[0], varies[1], summed=False)


def contract_rows(
    parts: Parts, op: Contraction, xs: Value, ys: Value, x_varies: bool, y_varies: bool, summed: bool
) -> Value:
    """A product of rows: for each step, or ``summed`` over all steps."""
    e = parts.builder
    a, b, out = op.labels
    t = next(c for c in ascii_letters if c not in op.spec)
    if summed and not (x_varies and y_varies):
        xs, ys = (e.sum(v, [0]) if varies else v for v, varies in ((xs, x_varies), (ys, y_varies)))
        return e.contract(op.spec, xs, ys)
    a, b = f"{t}{a}" if x_varies else a, f"{t}{b}" if y_varies else b
    return e.contract(f"{a},{b}->{out if summed else t + out}", xs, ys)


def with_axis(op: Op, length: object) -> Op:
    """An op on values with one more axis in front."""
    if isinstance(op, Broadcast):
        return Broadcast((length, *op.shape), (0, *(k + 1 for k in op.axes)))  # type: ignore[arg-type]
    if isinstance(op, Reshape):
        return Reshape((length, *op.shape))  # type: ignore[arg-type]
    if isinstance(op, Transpose):
        return Transpose((0, *(k + 1 for k in op.permutation)))
    if isinstance(op, Reduction):
        return replace(op, axes=tuple(k + 1 for k in op.axes))
    return op
