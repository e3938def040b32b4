"""From loop-IR statements to code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ....dtypes import int64
from ....errors import InternalError
from ...loop.grammar import Contract, Fold, Let, Loop, Sort, Stmt, Store
from .access import flat_offset, store
from .crossing import strip_of
from .emit import EmitAlgebra
from .expression import ExpressionWriter
from .ranges import Lanes, RangeWriter, choose_lanes
from .vector import Value, constant, high_half, low_half, splat


class StatementWriter:
    """Writes statements with ``x``; ``lanes`` is the lane count of the vector loop being written (1: none)."""

    def __init__(self, x: ExpressionWriter) -> None:
        self.x = x
        self.s: EmitAlgebra = x.s
        self.lanes = 1

    def block(self, stmts: Sequence[Stmt]) -> None:
        """Write statements in order, in the scope that is open."""
        for stmt in stmts:
            _WRITE[type(stmt)](self, stmt)

    # -- statements ---------------------------------------------------------------------------------------------
    def _let(self, stmt: Let) -> None:
        self.x.names[stmt.name] = self.x.value(stmt.value)

    def _store(self, stmt: Store) -> None:
        memory = self.x.buffers[stmt.buffer]
        offset = flat_offset(self.s, memory.shape, [self.x.value(i) for i in stmt.index])
        store(self.s, memory, offset, self.x.value(stmt.value), self.x.mask)

    def _loop(self, stmt: Loop) -> None:
        extent = self.s.size(stmt.extent)
        zero = constant(0, int64)
        if stmt.kind == "vec" and self.lanes == 1:
            self.vector_loop(stmt, zero, extent)
        else:
            self.scalar_loop(stmt, zero, extent)

    def vector_loop(self, stmt: Loop, start: Value, stop: Value) -> None:
        """The iterations ``start .. stop`` of a loop whose iterations are independent, in lanes."""

        def body(numbers: Value, lanes: int, mask: Value | None, carried: Sequence[Value]) -> Sequence[Value]:
            self.lanes = lanes
            with self.x.scope(mask):
                self.x.names[stmt.var] = numbers
                self.block(stmt.body)
            self.lanes = 1
            return ()

        cut = choose_lanes(self.s.cpu, stmt, self.x.buffers)
        RangeWriter(self.s, cut, body).write(start, stop)

    def scalar_loop(self, stmt: Loop, start: Value, stop: Value) -> None:
        """The iterations ``start .. stop`` one after the other."""
        nonempty = isinstance(start.const, int) and isinstance(stop.const, int) and start.const < stop.const
        if isinstance(start.const, int) and isinstance(stop.const, int) and not nonempty:
            return
        strip = strip_of(stmt)
        if strip:
            self._strips(stmt, start, stop, strip)
            return
        with self.s.w.loop(start.text, stop.text, nonempty=nonempty) as opened, self.x.scope():
            self.x.names[stmt.var] = Value(opened.counter, int64, 1, opened.level)
            self.block(stmt.body)

    def _strips(self, stmt: Loop, start: Value, stop: Value, length: int) -> None:
        """The iterations ``start .. stop`` of a loop around a vector loop, for one strip of that after the other."""
        *lets, inner = stmt.body
        assert isinstance(inner, Loop)
        extent, size = self.s.size(inner.extent), constant(length, int64)
        with self.s.w.loop("0", extent.text, size.text) as across:
            first = Value(across.counter, int64, 1, across.level)
            last = self.s.minimum(self.s.add(first, size), extent)
            with self.s.w.loop(start.text, stop.text) as opened, self.x.scope():
                self.x.names[stmt.var] = Value(opened.counter, int64, 1, opened.level)
                self.block(lets)
                self.vector_loop(inner, first, last)

    def _fold(self, stmt: Fold) -> None:
        in_lanes = stmt.kind == "vec" and self.lanes == 1
        cut = choose_lanes(self.s.cpu, stmt, self.x.buffers) if in_lanes else Lanes(1, 1, False)
        extent = self.s.size(stmt.extent)
        outer = self.lanes

        def body(numbers: Value, lanes: int, mask: Value | None, carried: Sequence[Value]) -> Sequence[Value]:
            if in_lanes:
                self.lanes = lanes
            with self.x.scope(mask):
                self.x.names[stmt.var] = numbers
                for name, value in zip(stmt.names, carried, strict=True):
                    self.x.names[name] = value
                self.block(stmt.body)
                following = [self._state(self.x.value(e), c.lanes) for e, c in zip(stmt.next, carried, strict=True)]
                if mask is not None and in_lanes:
                    following = [self.s.select(mask, f, c) for f, c in zip(following, carried, strict=True)]
            self.lanes = outer
            return following

        def narrow(values: Sequence[Value], lanes: int) -> Sequence[Value]:
            while values and values[0].lanes > lanes:
                low, high = [low_half(self.s.w, v) for v in values], [high_half(self.s.w, v) for v in values]
                values = self._merge(stmt, low, high)
            return values

        writer = RangeWriter(self.s, cut, body, narrow if in_lanes else None)
        first = writer.first_width(extent) if in_lanes else outer
        state = [self._state(self.x.value(e), first) for e in stmt.init]
        final = writer.write(constant(0, int64), extent, state)
        for name, value in zip(stmt.names, final, strict=True):
            self.x.names[name] = value

    def _merge(self, stmt: Fold, a: Sequence[Value], b: Sequence[Value]) -> list[Value]:
        with self.x.scope():
            for name, left, right in zip(stmt.names, a, b, strict=True):
                self.x.names[f"{name}.a"], self.x.names[f"{name}.b"] = left, right
            return [self._state(self.x.value(e), left.lanes) for e, left in zip(stmt.merge, a, strict=True)]

    def _whole(self, stmt: Contract | Sort) -> None:
        raise InternalError("a contraction or a sort must be the only statement of its kernel")

    # -- parts --------------------------------------------------------------------------------------------------
    def _state(self, x: Value, lanes: int) -> Value:
        return splat(self.s.w, x, lanes)


_WRITE: dict[type, Callable[[StatementWriter, Any], None]] = {
    Let: StatementWriter._let,
    Store: StatementWriter._store,
    Loop: StatementWriter._loop,
    Fold: StatementWriter._fold,
    Contract: StatementWriter._whole,
    Sort: StatementWriter._whole,
}
