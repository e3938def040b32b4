"""Cutting a range of iterations into vectors: how wide, and what happens to the last few."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ....dtypes import int64
from ...loop.grammar import (
    Bitcast,
    Bounds,
    Call,
    Cast,
    Const,
    Contract,
    Expr,
    Fold,
    Let,
    Load,
    Loop,
    Select,
    Stmt,
    Store,
)
from .access import Memory, first_lanes
from .cpu import Cpu
from .emit import EmitAlgebra
from .expression import OPERANDS
from .vector import Value, constant, ramp

#: Relative cost of evaluating one expression node; calls that are not listed cost 1.
_CALL_COST = {
    **dict.fromkeys("div floordiv mod sqrt".split(), 4),
    **dict.fromkeys("exp exp2 log log2 log10 expm1 log1p sin cos tan tanh sigmoid softplus erf".split(), 20),
    **dict.fromkeys("asin acos atan sinh cosh asinh acosh atanh atan2 pow".split(), 30),
}
_NODE_COST: dict[type, Callable[[Expr], int]] = {
    Call: lambda e: _CALL_COST.get(e.name, 1) if isinstance(e, Call) else 1,
    Load: lambda e: 1, Select: lambda e: 1, Cast: lambda e: 1, Bitcast: lambda e: 0, Bounds: lambda e: 4,
}  # fmt: skip

_PARTS: dict[type, Callable[[Stmt], tuple[Sequence[Expr], Sequence[Stmt]]]] = {
    Let: lambda t: ((t.value,), ()) if isinstance(t, Let) else ((), ()),
    Store: lambda t: ((*t.index, t.value), ()) if isinstance(t, Store) else ((), ()),
    Loop: lambda t: ((), t.body) if isinstance(t, Loop) else ((), ()),
    Fold: lambda t: ((*t.init, *t.next), t.body) if isinstance(t, Fold) else ((), ()),
    Contract: lambda t: ((t.a, t.b), t.epilogue) if isinstance(t, Contract) else ((), ()),
}


def parts(stmt: Stmt) -> tuple[Sequence[Expr], Sequence[Stmt]]:
    """The expressions a statement evaluates itself, and the statements in it."""
    return _PARTS[type(stmt)](stmt)


def statements(stmts: Iterable[Stmt]) -> list[Stmt]:
    """Some statements and all those inside them."""
    found = list(stmts)
    for stmt in found:
        found += parts(stmt)[1]
    return found


def expressions(stmts: Iterable[Stmt]) -> list[Expr]:
    """Every distinct expression node of some statements."""
    seen: dict[int, Expr] = {}
    todo: list[Expr] = [e for stmt in statements(stmts) for e in parts(stmt)[0]]
    while todo:
        e = todo.pop()
        if id(e) not in seen:
            seen[id(e)] = e
            todo += OPERANDS[type(e)](e)
    return list(seen.values())


def cost(stmts: Iterable[Stmt]) -> int:
    """Rough cost of one run of some statements, inner loops counted once."""
    total = 0
    for e in expressions(stmts):
        if e.dtype != int64 or isinstance(e, (Load, Bounds)):
            count = _NODE_COST.get(type(e))
            total += count(e) if count else 0
    return max(total, 1)


@dataclass(frozen=True, slots=True)
class Lanes:
    """How a range is cut: ``wide`` lanes at a time while they fill, then ``narrow`` ones; the rest under a mask, or one by one."""

    wide: int
    narrow: int
    masked: bool
    #: Everything under the mask: one copy of the code, where a second would cost more than the masks do.
    single: bool = False


def choose_lanes(cpu: Cpu, stmt: Stmt, buffers: Mapping[str, Memory]) -> Lanes:
    """The cut for a vector loop or fold, by the machine and the cost of its body only."""
    narrow = cpu.lanes
    price = cost((stmt,))
    touched = [buffers[e.buffer] for e in expressions((stmt,)) if isinstance(e, Load)]
    touched += [buffers[t.buffer] for t in statements((stmt,)) if isinstance(t, Store)]
    masked = cpu.arch == "x86_64" and (
        cpu.vector_bytes == 64 or (cpu.vector_bytes == 32 and all(m.dtype.itemsize >= 4 for m in touched))
    )
    unroll = 4 if price <= 6 else 2 if price <= 16 else 1
    return Lanes(unroll * narrow, narrow, masked, single=masked and unroll == 1 and price > 32)


#: Writes one copy of the body: the iteration numbers (a ramp, or one scalar), the lanes, the mask, the carried values.
Body = Callable[[Value, int, "Value | None", Sequence[Value]], Sequence[Value]]
#: Brings carried values from some lanes to fewer.
Narrow = Callable[[Sequence[Value], int], Sequence[Value]]


class RangeWriter:
    """Writes loops over ``start .. stop`` cut by ``lanes``, carrying values through every part."""

    def __init__(self, s: EmitAlgebra, lanes: Lanes, body: Body, narrow: Narrow | None = None) -> None:
        self.s = s
        self.lanes = lanes
        self.body = body
        self.narrow = narrow or (lambda values, lanes: values)

    def write(self, start: Value, stop: Value, carried: Sequence[Value] = ()) -> Sequence[Value]:
        """Write everything; ``carried`` start with the lanes of the first part (:meth:`first_lanes_of`), and come back scalar."""
        known = isinstance(start.const, int) and isinstance(stop.const, int)
        cut = self.lanes
        if cut.single and not (known and (int(stop.const or 0) - int(start.const or 0)) % cut.narrow == 0):
            return self.narrow(self._masked(start, stop, carried), 1)
        s = self.s
        count = s.sub(stop, start)
        for width in dict.fromkeys((cut.wide, cut.narrow)):
            carried = self.narrow(carried, width)
            if width == cut.narrow and cut.masked and width != cut.wide and not (known and _divides(width, count)):
                break  # the mask takes the rest
            middle = s.add(start, _floor_to(s, count, width))
            carried = self._full(start, middle, width, carried)
            start, count = middle, s.sub(stop, middle)
        if cut.masked:
            return self.narrow(self._masked(start, stop, carried), 1)
        return self._full(start, stop, 1, self.narrow(carried, 1))

    def _full(self, start: Value, stop: Value, width: int, carried: Sequence[Value]) -> Sequence[Value]:
        return self._loop(start, stop, width, carried, lambda i: None)

    def _masked(self, start: Value, stop: Value, carried: Sequence[Value]) -> Sequence[Value]:
        width = self.lanes.narrow
        return self._loop(start, stop, width, carried, lambda i: first_lanes(self.s, self.s.sub(stop, i), width))

    def _loop(
        self, start: Value, stop: Value, width: int, carried: Sequence[Value], mask_at: Callable[[Value], Value | None]
    ) -> Sequence[Value]:
        if isinstance(start.const, int) and isinstance(stop.const, int):
            if stop.const <= start.const:
                return carried
            if stop.const - start.const <= width:
                return self.body(self._numbers(start, width), width, mask_at(start), carried)
        w = self.s.w
        nonempty = isinstance(start.const, int) and isinstance(stop.const, int)
        pairs = [(c.type, c.text) for c in carried]
        with w.loop(start.text, stop.text, str(width), pairs, nonempty) as opened:
            counter = Value(opened.counter, int64, 1, opened.level)
            inner = [
                Value(t, c.dtype, c.lanes, opened.level) for t, c in zip(opened.carried, carried, strict=True)
            ]
            following = self.body(self._numbers(counter, width), width, mask_at(counter), inner)
            opened.next = tuple(v.text for v in following)
        return [Value(t, c.dtype, c.lanes, w.level) for t, c in zip(opened.results, carried, strict=True)]

    @staticmethod
    def _numbers(first: Value, width: int) -> Value:
        return first if width == 1 else ramp(first, constant(1, int64), width)


def _divides(width: int, count: Value) -> bool:
    return isinstance(count.const, int) and count.const % width == 0


def _floor_to(s: EmitAlgebra, count: Value, width: int) -> Value:
    """``count`` rounded down to a multiple of ``width``, a power of two."""
    if isinstance(count.const, int):
        return constant(count.const // width * width, int64)
    return s.instruction("and", count, constant(-width, int64))


__all__ = ["Lanes", "RangeWriter", "choose_lanes", "cost", "expressions", "parts", "statements"]
