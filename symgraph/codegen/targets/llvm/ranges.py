"""Cutting a range of iterations into vectors: how wide, and what happens to the last few."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ....dtypes import int64
from ...loop.grammar import Bitcast, Bounds, Call, Cast, Expr, Fold, Load, Loop, Select, Stmt, Store
from ...loop.walk import expressions, is_using, linear, statements
from .access import Memory, first_lanes
from .cpu import Cpu
from .emit import EmitAlgebra
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
    """How a range is cut: ``wide`` lanes at a time while they fill, then ``narrow`` ones; the rest under a mask
    (``masked``), or one by one. ``single``: everything under the mask, one copy of the code. ``cheap_masks``: a mask
    costs less than another copy of the code for half the lanes."""

    wide: int
    narrow: int
    masked: bool
    single: bool = False
    cheap_masks: bool = False


def choose_lanes(cpu: Cpu, stmt: Stmt, buffers: Mapping[str, Memory]) -> Lanes:
    """The cut for a vector loop or fold, by the machine and the cost of its body only."""
    narrow = cpu.lanes
    price = cost((stmt,))
    variable = stmt.var if isinstance(stmt, (Loop, Fold)) else ""
    touched = [buffers[e.buffer] for e in expressions((stmt,)) if isinstance(e, Load)]
    touched += [buffers[t.buffer] for t in statements((stmt,)) if isinstance(t, Store)]
    masked = cpu.arch == "x86_64" and (
        cpu.vector_bytes == 64 or (cpu.vector_bytes == 32 and all(m.dtype.itemsize >= 4 for m in touched))
    )
    scattered = [e for e in expressions((stmt,)) if isinstance(e, Load) and not _is_contiguous(e, variable)]
    price += 8 * len(scattered)
    unroll = 4 if price <= 6 else 2 if price <= 16 else 1
    if price <= 4 and isinstance(stmt, Loop) and any(isinstance(t, Fold) for t in stmt.body):
        unroll = 8  # rows of memory are added up: the more of a row at once, the fewer jumps
    cheap = cpu.vector_bytes == 64
    return Lanes(unroll * narrow, narrow, masked, cheap and not scattered and unroll == 1, cheap)


def _is_contiguous(load: Load, variable: str) -> bool:
    """Whether consecutive iterations read one element, or consecutive ones (as far as can be seen)."""
    if any(is_using(i, {variable}) for i in load.index[:-1]):
        return False
    if not load.index or not is_using(load.index[-1], {variable}):
        return True
    form = linear(load.index[-1])
    return form is not None and form[0].get(variable) == 1


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

    def first_width(self, count: Value) -> int:
        """The lanes of the first part of a range of ``count``: what carried values must start with."""
        cut = self.lanes
        if not isinstance(count.const, int):
            return cut.narrow if cut.single else cut.wide
        fitting = [w for w in self._widths(count) if w <= count.const]
        return fitting[0] if fitting else cut.narrow if cut.masked else 1

    def write(self, start: Value, stop: Value, carried: Sequence[Value] = ()) -> Sequence[Value]:
        """Write everything; ``carried`` start with the lanes of the first part and come back scalar."""
        count = self.s.sub(stop, start)
        widths = list(dict.fromkeys(self._widths(count)))
        for width in widths:
            carried = self.narrow(carried, width)
            middle = self.s.add(start, _floor_to(self.s, count, width))
            carried = self._full(start, middle, width, carried)
            start, count = middle, self.s.sub(stop, middle)
        if self.lanes.masked:
            carried = self.narrow(carried, self.lanes.narrow)
            return self.narrow(self._masked(start, stop, carried), 1)
        return carried if 1 in widths else self._full(start, stop, 1, self.narrow(carried, 1))

    def _widths(self, count: Value) -> list[int]:
        """The widths that take as many iterations as they can, one after the other; what is left is masked or
        scalar."""
        cut = self.lanes
        if not isinstance(count.const, int):
            return [] if cut.single else [cut.wide] if cut.masked else [cut.wide, cut.narrow]
        rest = count.const % cut.narrow
        if rest == 0:
            return [cut.wide, cut.narrow]
        halves = [cut.narrow >> i for i in range(1, cut.narrow.bit_length()) if rest & (cut.narrow >> i)]
        if not cut.cheap_masks and len(halves) <= 2:
            return [cut.wide, cut.narrow, *halves]
        return [] if cut.single else [cut.wide] if cut.masked else [cut.wide, cut.narrow]

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


def _floor_to(s: EmitAlgebra, count: Value, width: int) -> Value:
    """``count`` rounded down to a multiple of ``width``, a power of two."""
    if isinstance(count.const, int):
        return constant(count.const // width * width, int64)
    return s.instruction("and", count, constant(-width, int64))
