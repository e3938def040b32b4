"""From loop-IR expressions to values: each expression once per scope, in the order of need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ....dtypes import bool_, int64
from ....errors import InternalError
from ...loop.grammar import Bitcast, Bounds, Call, Cast, Const, Expr, Load, Select, Size, Var
from ...loop.walk import children
from .access import Memory, flat_offset, load
from .emit import EmitAlgebra
from .vector import Value, constant, splat
from .writer import Module

_FAILED = """define internal void @sg_bounds_failed(ptr %status, i64 %check, i64 %index, i64 %size) cold noinline #0 {
entry:
  %first = cmpxchg ptr %status, i64 0, i64 %check acq_rel monotonic, align 8
  %won = extractvalue { i64, i1 } %first, 1
  br i1 %won, label %note, label %out
note:
  %p1 = getelementptr inbounds i64, ptr %status, i64 1
  store i64 %index, ptr %p1, align 8
  %p2 = getelementptr inbounds i64, ptr %status, i64 2
  store i64 %size, ptr %p2, align 8
  br label %out
out:
  ret void
}"""


def declare_failure(module: Module) -> str:
    """The name of the function ``(status, 1 + check, index, size)`` that records a failed check."""
    module.declare("sg_bounds_failed", _FAILED)
    return "sg_bounds_failed"


class ExpressionWriter:
    """Evaluates expressions into ``s``. ``names`` are the variables in scope; ``mask`` the active lanes (None: all)."""

    def __init__(self, s: EmitAlgebra, buffers: Mapping[str, Memory]) -> None:
        self.s = s
        self.buffers = buffers
        self.names: dict[str, Value] = {}
        self.mask: Value | None = None
        self._known: list[dict[int, Value]] = [{}]

    @contextmanager
    def scope(self, mask: Value | None = None) -> Iterator[None]:
        """Names bound and values computed inside are forgotten after it; ``mask`` narrows the active lanes."""
        names, outer = self.names, self.mask
        self.names = dict(names)
        self.mask = mask if mask is not None else outer
        self._known.append({})
        yield
        self._known.pop()
        self.names, self.mask = names, outer

    def value(self, expr: Expr) -> Value:
        """The value of an expression here."""
        found = self._find(expr)
        if found is not None:
            return found
        known = self._known[-1]
        stack: list[Expr] = [expr]
        while stack:
            e = stack[-1]
            if self._find(e) is not None:
                stack.pop()
                continue
            waiting = [o for o in children(e) if self._find(o) is None]
            if waiting:
                stack.extend(waiting)
                continue
            known[id(e)] = _WRITE[type(e)](self, e)
            stack.pop()
        return known[id(expr)]

    def _find(self, expr: Expr) -> Value | None:
        key = id(expr)
        for known in reversed(self._known):
            found = known.get(key)
            if found is not None:
                return found
        return None

    # -- one kind of expression each ----------------------------------------------------------------------------
    def _var(self, e: Var) -> Value:
        if e.name not in self.names:
            raise InternalError(f"variable {e.name} is not bound here")
        return self.names[e.name]

    def _load(self, e: Load) -> Value:
        memory = self.buffers[e.buffer]
        return load(self.s, memory, flat_offset(self.s, memory.shape, [self.value(i) for i in e.index]), self.mask)

    def _bounds(self, e: Bounds) -> Value:
        """Check and return: where a lane fails, the status is written and the function left, so what follows is
        always inside."""
        s, w = self.s, self.s.w
        index, size = self.value(e.index), self.value(e.size)
        outside = s.instruction("icmp uge", index, size, dtype=bool_)
        if self.mask is not None and outside.lanes > 1:
            outside = s.both(outside, self.mask)
        level = w.safe_level(outside.level)
        lanes = outside.lanes
        any_outside, lane = outside.text, ""
        bits = ""
        if lanes > 1:
            bits = w.pure(f"bitcast {outside.type} {outside.text} to i{lanes}", level)
            any_outside = w.pure(f"icmp ne i{lanes} {bits}, 0", level)
        wide_index, wide_size = splat(w, index, lanes), splat(w, size, lanes)
        failed, inside = w.label("outside"), w.label("inside")
        w.effect(f"br i1 {any_outside}, label %{failed}, label %{inside}", level)
        w.start_block(failed, level)
        bad, limit = wide_index.text, wide_size.text
        if lanes > 1:
            name = f"llvm.cttz.i{lanes}"
            w.module.declare(name, f"declare i{lanes} @{name}(i{lanes}, i1)")
            lane, bad, limit = w.name(), w.name(), w.name()
            w.effect(f"{lane} = call i{lanes} @{name}(i{lanes} {bits}, i1 true)", level)
            w.effect(f"{bad} = extractelement {wide_index.type} {wide_index.text}, i{lanes} {lane}", level)
            w.effect(f"{limit} = extractelement {wide_size.type} {wide_size.text}, i{lanes} {lane}", level)
        arguments = f"ptr %status, i64 {1 + e.check}, i64 {bad}, i64 {limit}"
        w.effect(f"call void @{declare_failure(w.module)}({arguments})", level)
        w.effect("ret void", level)
        w.start_block(inside, level)
        checked = index if lanes == 1 or index.lanes == lanes else wide_index
        # A new value at the level of the check: what depends on it cannot move before the check.
        return Value(checked.text or splat(w, checked, lanes).text, int64, checked.lanes, max(level, checked.level))


_WRITE: dict[type, Callable[[ExpressionWriter, Any], Value]] = {
    Const: lambda x, e: constant(e.value, e.dtype),
    Size: lambda x, e: x.s.size(e.dim),
    Var: ExpressionWriter._var,
    Load: ExpressionWriter._load,
    Call: lambda x, e: x.s.intrinsic(e.name, *(x.value(a) for a in e.args)),
    Select: lambda x, e: x.s.select(x.value(e.condition), x.value(e.if_true), x.value(e.if_false)),
    Cast: lambda x, e: x.s.cast(x.value(e.value), e.dtype),
    Bitcast: lambda x, e: x.s.bitcast(x.value(e.value), e.dtype),
    Bounds: ExpressionWriter._bounds,
}
