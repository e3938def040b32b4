"""Walking and rebuilding kernels. Expressions are walked without recursion, so their depth has no limit."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any

from ...dtypes import int64
from ...ir.dims import Dim, Symbol, SymDim, substitute, symbol, symbols
from .grammar import (
    Bitcast,
    Bounds,
    Buffer,
    Call,
    Cast,
    Const,
    Contract,
    Expr,
    Fold,
    Kernel,
    Let,
    Load,
    Loop,
    Select,
    Size,
    Sort,
    Stmt,
    Store,
    Var,
)  # fmt: skip
from .intern import Interner

#: How to find the operands of an expression, by its class; leaves have none.
_OPERANDS: dict[type, Callable[[Any], tuple[Expr, ...]]] = {
    Call: attrgetter("args"),
    Load: attrgetter("index"),
    Select: attrgetter("condition", "if_true", "if_false"),
    Bounds: attrgetter("index", "size"),
    Cast: lambda e: (e.value,),
    Bitcast: lambda e: (e.value,),
}


def children(expr: Expr) -> tuple[Expr, ...]:
    """The operands of an expression."""
    find = _OPERANDS.get(type(expr))
    return find(expr) if find is not None else ()


def postorder(
    roots: Iterable[Expr], known: Container[Expr] = frozenset(), operands: Callable[[Expr], Iterable[Expr]] = children
) -> Iterator[Expr]:
    """Every expression that ``roots`` need, once (by identity), operands first; nothing at or below ``known`` ones.

    ``operands`` says what an expression needs, where that is not all its children.
    """
    seen: set[Expr] = set()
    for root in roots:
        stack: list[Expr | None] = [root]
        waiting: list[Expr] = []  # whose operands are on the stack; None there says that they are done
        while stack:
            expr = stack.pop()
            if expr is None:
                yield waiting.pop()
            elif expr not in seen and expr not in known:
                seen.add(expr)
                below = tuple(operands(expr))
                if below:
                    waiting.append(expr)
                    stack.append(None)
                    stack.extend(below[::-1])
                else:
                    yield expr


def roots_of(stmt: Stmt) -> tuple[Expr, ...]:
    """The expressions a statement evaluates in the scope it stands in (not those inside its body)."""
    if isinstance(stmt, Let):
        return (stmt.value,)
    if isinstance(stmt, Store):
        return (*stmt.index, stmt.value)
    if isinstance(stmt, Fold):
        return stmt.init
    return ()


def inner_roots(stmt: Stmt) -> tuple[Expr, ...]:
    """The expressions a statement evaluates in its body, besides those of the body's statements."""
    if isinstance(stmt, Fold):
        return (*stmt.next, *stmt.merge)
    if isinstance(stmt, Contract):
        return (stmt.a, stmt.b)
    return ()


def body_of(stmt: Stmt) -> tuple[Stmt, ...]:
    """The statements nested in a statement."""
    if isinstance(stmt, (Loop, Fold)):
        return stmt.body
    return stmt.epilogue if isinstance(stmt, Contract) else ()


def target_of(stmt: Stmt) -> str:
    """The buffer that a statement itself writes to, or ``""``."""
    return stmt.buffer if isinstance(stmt, Store) else stmt.target if isinstance(stmt, Sort) else ""


def statements(body: Iterable[Stmt]) -> Iterator[Stmt]:
    """Every statement, outer ones first, in order."""
    for stmt in body:
        yield stmt
        yield from statements(body_of(stmt))


def expressions(body: Iterable[Stmt]) -> Iterator[Expr]:
    """Every expression of some statements, once (by identity), operands first."""
    every = (r for s in statements(body) for r in (*roots_of(s), *inner_roots(s)))
    return postorder(every)


def loop_vars(stmt: Stmt) -> tuple[tuple[str, Dim], ...]:
    """The loop variables a statement binds in its body, with their extents, outermost first."""
    if isinstance(stmt, (Loop, Fold)):
        return ((stmt.var, stmt.extent),)
    if isinstance(stmt, Contract):
        batch = zip(stmt.batch_vars, stmt.batch_extents, strict=True)
        rows, sums = ((stmt.m_var, stmt.m), *stmt.m_parts), ((stmt.k_var, stmt.k), *stmt.k_parts)
        return (*batch, *rows, (stmt.n_var, stmt.n), *sums)
    return ()


def is_using(expr: Expr, names: Container[str]) -> bool:
    """True where an expression depends on a variable with one of the names."""
    return any(isinstance(e, Var) and e.name in names for e in postorder([expr]))


def linear(expr: Expr) -> tuple[dict[str, Dim], Dim] | None:
    """Coefficients of the int64 variables and the constant, where an expression is such a sum; else None."""
    done: dict[Expr, tuple[dict[str, Dim], Dim] | None] = {}
    for e in postorder([expr]):
        done[e] = _linear(e, [done[c] for c in children(e)])
    return done[expr]


def _linear(
    expr: Expr, parts: Sequence[tuple[dict[str, Dim], Dim] | None]
) -> tuple[dict[str, Dim], Dim] | None:  # fmt: skip
    if expr.dtype is not int64:
        return None
    if isinstance(expr, Const):
        return {}, int(expr.value)
    if isinstance(expr, Size):
        return {}, expr.dim
    if isinstance(expr, Var):
        return {expr.name: 1}, 0
    known = [p for p in parts if p is not None]
    if not isinstance(expr, Call) or len(known) != len(parts):
        return None
    if expr.name == "neg":
        return _scaled(known[0], -1)
    if expr.name in ("add", "sub"):
        other = _scaled(known[1], -1) if expr.name == "sub" else known[1]
        total = dict(known[0][0])
        for name, coefficient in other[0].items():
            total[name] = total.get(name, 0) + coefficient
        return {n: c for n, c in total.items() if c != 0}, known[0][1] + other[1]
    if expr.name == "mul":
        for this, that in (known, known[::-1]):
            if not that[0]:
                return _scaled(this, that[1])
    return None


def _scaled(form: tuple[dict[str, Dim], Dim], by: Dim) -> tuple[dict[str, Dim], Dim]:
    return {n: c * by for n, c in form[0].items() if c * by != 0}, form[1] * by


class Rebuilder:
    """Copies statements with names replaced, making equal expressions one object.

    ``buffers``, ``names`` (loop variables and locals) and ``sizes`` map old names to new ones; what is missing stays.
    """

    def __init__(
        self, buffers: Mapping[str, str] | None = None, names: Mapping[str, str] | None = None,
        sizes: Mapping[str, str] | None = None, interner: Interner | None = None,
    ) -> None:  # fmt: skip
        self._buffers = buffers or {}
        self._names = names or {}
        self._sizes: dict[Symbol, Dim] = {Symbol(a): symbol(b) for a, b in (sizes or {}).items()}
        self._make = interner or Interner()
        self._done: dict[Expr, Expr] = {}

    def name(self, name: str) -> str:
        """A local's new name; the operands of a merge are named after their fold."""
        stem, dot, side = name.partition(".")
        return self._names.get(stem, stem) + dot + side

    def dim(self, dim: Dim) -> Dim:
        return substitute(dim, self._sizes)

    def expr(self, expr: Expr) -> Expr:
        for e in postorder([expr], self._done):
            self._done[e] = self._rebuilt(e)
        return self._done[expr]

    def _rebuilt(self, e: Expr) -> Expr:
        make, args = self._make, [self._done[c] for c in children(e)]
        if isinstance(e, Const):
            return make.const(e.value, e.dtype)
        if isinstance(e, Size):
            return make.size(self.dim(e.dim))
        if isinstance(e, Var):
            return make.var(self.name(e.name), e.dtype)
        if isinstance(e, Load):
            return make.load(self._buffer(e.buffer), args, e.dtype)
        if isinstance(e, Call):
            return make.call(e.name, args, e.dtype)
        if isinstance(e, Select):
            return make.select(*args)
        if isinstance(e, Cast):
            return make.cast(args[0], e.dtype)
        if isinstance(e, Bitcast):
            return make.bitcast(args[0], e.dtype)
        return make.bounds(args[0], args[1], e.check)

    def exprs(self, exprs: Iterable[Expr]) -> tuple[Expr, ...]:
        return tuple(self.expr(e) for e in exprs)

    def body(self, body: Iterable[Stmt]) -> tuple[Stmt, ...]:
        return tuple(self.stmt(s) for s in body)

    def stmt(self, stmt: Stmt) -> Stmt:
        if isinstance(stmt, Let):
            return Let(self.name(stmt.name), self.expr(stmt.value))
        if isinstance(stmt, Store):
            return Store(self._buffer(stmt.buffer), self.exprs(stmt.index), self.expr(stmt.value))
        if isinstance(stmt, Loop):
            return Loop(self.name(stmt.var), self.dim(stmt.extent), stmt.kind, self.body(stmt.body))
        if isinstance(stmt, Fold):
            return Fold(
                self.name(stmt.var), self.dim(stmt.extent), stmt.kind, tuple(map(self.name, stmt.names)), stmt.dtypes,
                self.exprs(stmt.init), self.body(stmt.body), self.exprs(stmt.next), self.exprs(stmt.merge),
            )  # fmt: skip
        if isinstance(stmt, Sort):
            return replace(stmt, target=self._buffer(stmt.target), keys=self._buffer(stmt.keys))
        return self._contract(stmt)

    def _buffer(self, name: str) -> str:
        return self._buffers.get(name, name)

    def _contract(self, c: Contract) -> Contract:
        a, b = self.expr(c.a), self.expr(c.b)
        assert isinstance(a, Load) and isinstance(b, Load)
        return Contract(
            tuple(map(self.name, c.batch_vars)), tuple(map(self.dim, c.batch_extents)),
            self.name(c.m_var), self.dim(c.m), self.name(c.n_var), self.dim(c.n), self.name(c.k_var), self.dim(c.k),
            a, b, self.name(c.acc), c.dtype, self.body(c.epilogue), self._parts(c.m_parts), self._parts(c.k_parts),
        )  # fmt: skip

    def _parts(self, parts: tuple[tuple[str, Dim], ...]) -> tuple[tuple[str, Dim], ...]:
        return tuple((self.name(v), self.dim(d)) for v, d in parts)

    def buffer(self, buffer: Buffer) -> Buffer:
        return replace(buffer, name=self._buffer(buffer.name), shape=tuple(map(self.dim, buffer.shape)))


def interned(kernel: Kernel) -> Kernel:
    """The same kernel with equal expressions made one object."""
    return replace(kernel, body=Rebuilder().body(kernel.body))


def dims_of(kernel: Kernel) -> Iterator[Dim]:
    """Every size a kernel mentions, in order: shapes, then extents and sizes used in expressions."""
    for buffer in kernel.buffers:
        yield from buffer.shape
    for stmt in statements(kernel.body):
        yield from (extent for _, extent in loop_vars(stmt))
        for e in postorder((*roots_of(stmt), *inner_roots(stmt))):
            if isinstance(e, Size):
                yield e.dim


def sizes_of(kernel: Kernel) -> tuple[str, ...]:
    """The names of the symbols a kernel mentions, by first use."""
    return tuple(s.name for s in symbols(d for d in dims_of(kernel) if isinstance(d, SymDim)))
