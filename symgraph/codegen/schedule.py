"""From a nest to loops: which axis is parallel, which is vectorised, what is computed outside the inner loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..dtypes import int64
from ..ir.dims import Dim
from .algebra import LoopAlgebra
from .loop.grammar import Bounds, Buffer, Const, Contract, Expr, Fold, Let, Load, Loop, Size, Stmt, Store, Var
from .loop.walk import Rebuilder, children, is_using, linear, loop_vars, postorder
from .nest import Axis, FoldItem, Nest, StoreItem
from .rewrite import FreeNames, Rewriter, renamer


def build_loops(nest: Nest) -> tuple[Stmt, ...]:
    """The body of a kernel for a (coalesced) nest.

    The outermost kept axis is parallel. The innermost axis of the domain is vectorised: where it is kept, folds run
    in order inside vector lanes; where it is reduced, the folds are vector folds. If neighbours along the reduced axis
    lie apart in memory, and those along the last kept one side by side, that one is vectorised instead.
    """
    hoister = _Hoister(nest)
    outer = [a for a in nest.axes if a.role != "reduced"]
    inner = [a for a in nest.axes if a.role == "reduced"]
    vector_fold = bool(inner) and nest.axes[-1].role == "reduced" and not _lies_across(nest, outer, inner)
    body: list[Stmt] = []
    for phase in _phases(nest.folds):
        body += _fold(hoister, phase, inner, vector_fold)
    full = [i for i in nest.stores if i.full]
    if full:
        kinds = ["seq"] * (len(inner) - 1) + ["vec"]
        body += _loops(hoister, list(zip(inner, kinds, strict=False)), _stores(nest.s, full))
    body = _share_lets(body)
    # Row stores come last: a loop above may read, element by element, a row array that is updated in place.
    body += _stores(nest.s, [i for i in nest.stores if not i.full])
    kinds = ["par"] + ["seq"] * (len(outer) - 2) + (["seq" if vector_fold else "vec"] if len(outer) > 1 else [])
    return tuple(_loops(hoister, list(zip(outer, kinds, strict=False)), body))


def _lies_across(nest: Nest, outer: Sequence[Axis], inner: Sequence[Axis]) -> bool:
    """Whether what is folded is contiguous along the last kept axis and nowhere along the last reduced one. What does
    not depend on the kept axis is little, and counts nowhere."""
    if not outer or any(item.full for item in nest.stores):
        return False
    loads = [e for e in postorder([n for f in nest.folds for n in f.next]) if isinstance(e, Load) and e.index]
    loads = [e for e in loads if is_using(e, {outer[-1].var.name})]
    along_inner, along_outer = (
        any(_is_contiguous(e, axes[-1].var.name) for e in loads) for axes in (inner, outer)
    )  # fmt: skip
    return along_outer and not along_inner


def _is_contiguous(load: Load, name: str) -> bool:
    """Whether neighbours along a variable are neighbours in memory."""
    last = linear(load.index[-1])
    return last is not None and last[0].get(name) == 1 and not any(is_using(e, {name}) for e in load.index[:-1])


def _loops(hoister: _Hoister, axes: Sequence[tuple[Axis, str]], body: list[Stmt]) -> list[Stmt]:
    for axis, kind in reversed(axes):
        if kind == "par":
            body = [Loop(axis.var.name, axis.extent, kind, tuple(body))]
        else:
            lets, inside = hoister.split(body, {axis.var.name})
            body = [*lets, Loop(axis.var.name, axis.extent, kind, tuple(inside))]
    return body


def _share_lets(body: list[Stmt]) -> list[Stmt]:
    """One name for what several inner loops need in front."""
    first: dict[Expr, str] = {}
    names: dict[str, str] = {}
    kept: list[Stmt] = []
    for stmt in body:
        if isinstance(stmt, Let) and first.setdefault(stmt.value, stmt.name) != stmt.name:
            names[stmt.name] = first[stmt.value]
        else:
            kept.append(stmt)
    return list(Rebuilder(names=names).body(kept)) if names else body


def _stores(s: LoopAlgebra, items: Sequence[StoreItem]) -> list[Stmt]:
    """Stores after all their values: a buffer updated in place is read before any of them writes."""
    if len(items) == 1:
        return [Store(items[0].buffer, items[0].index, items[0].value)]
    lets: list[Stmt] = []
    stores: list[Stmt] = []
    for item in items:
        value = item.value
        if not isinstance(value, (Var, Const)):
            name = s.fresh("v")
            lets.append(Let(name, value))
            value = s.var(name, value.dtype)
        stores.append(Store(item.buffer, item.index, value))
    return lets + stores


def _phases(folds: Sequence[FoldItem]) -> list[list[FoldItem]]:
    """Folds grouped into passes over the data: one that needs another's result comes in a later pass."""
    free = FreeNames()
    level: dict[str, int] = {}
    phases: list[list[FoldItem]] = []
    for fold in folds:
        needed = frozenset().union(*(free.of(e) for e in fold.next)) - set(fold.names)
        at = max((level[n] + 1 for n in needed if n in level), default=0)
        level |= dict.fromkeys(fold.names, at)
        while len(phases) <= at:
            phases.append([])
        phases[at].append(fold)
    return phases


def _fold(hoister: _Hoister, items: Sequence[FoldItem], axes: Sequence[Axis], vector: bool) -> list[Stmt]:
    """One pass over the reduced axes that computes several folds."""
    s = hoister.nest.s
    names = tuple(n for i in items for n in i.names)
    dtypes = tuple(d for i in items for d in i.dtypes)
    init = tuple(e for i in items for e in i.init)
    step = tuple(e for i in items for e in i.next)
    lets: list[Stmt] = []
    if not axes:  # a domain of one element
        one = dict(zip(names, init, strict=True))
        change = renamer(s, hoister.nest.buffers, one)
        return [Let(n, change(e)) for n, e in zip(names, step, strict=True)]
    body: list[Stmt] = []
    for depth in range(len(axes) - 1, -1, -1):
        axis, innermost = axes[depth], depth == len(axes) - 1
        here = _at_depth(names, depth)
        states = _vars(s, here, dtypes)
        if innermost:
            rename = dict(zip(names, states, strict=True))
            change = renamer(s, hoister.nest.buffers, rename)
            following = tuple(change(e) for e in step) if depth else step
        else:
            below = _vars(s, _at_depth(names, depth + 1), dtypes)
            following = _merged(items, states, below) if vector else below
        start = init if vector or depth == 0 else _vars(s, _at_depth(names, depth - 1), dtypes)
        bound = {axis.var.name, *here}
        lets, body, following = hoister.split_fold(body, following, bound)
        merge: tuple[Expr, ...] = ()
        if vector and innermost:
            left, right = (_vars(s, tuple(f"{n}.{side}" for n in here), dtypes) for side in "ab")
            merge = _merged(items, left, right)
        kind = "vec" if vector and innermost else "seq"
        body = [*lets, Fold(axis.var.name, axis.extent, kind, here, dtypes, start, tuple(body), following, merge)]
    return body


def _at_depth(names: tuple[str, ...], depth: int) -> tuple[str, ...]:
    """The states' names in the fold ``depth`` levels in."""
    return names if depth == 0 else tuple(f"{n}_{depth}" for n in names)


def _vars(s: LoopAlgebra, names: Sequence[str], dtypes: Sequence[object]) -> tuple[Expr, ...]:
    return tuple(s.var(n, d) for n, d in zip(names, dtypes, strict=True))  # type: ignore[arg-type]


def _merged(items: Sequence[FoldItem], a: Sequence[Expr], b: Sequence[Expr]) -> tuple[Expr, ...]:
    out: list[Expr] = []
    for item in items:
        n = len(out)
        out += item.merge(tuple(a[n : n + len(item.names)]), tuple(b[n : n + len(item.names)]))
    return tuple(out)


class _Hoister:
    """Moves what an inner loop computes again and again, always the same, in front of it."""

    def __init__(self, nest: Nest) -> None:
        self.nest = nest
        self.free = FreeNames()

    def split(self, body: Sequence[Stmt], bound: set[str]) -> tuple[list[Stmt], list[Stmt]]:
        """``(in front, inside)`` for a loop body in which ``bound`` names vary."""
        lets, inside, _ = self.split_fold(body, (), bound)
        return lets, inside

    def split_fold(
        self, body: Sequence[Stmt], following: tuple[Expr, ...], bound: set[str]
    ) -> tuple[list[Stmt], list[Stmt], tuple[Expr, ...]]:
        move = _Move(self, bound | _defined(body))
        inside = [kept for stmt in body for kept in [move.statement(stmt)] if kept is not None]
        return move.lets, inside, tuple(move.expr(e) for e in following)

    def is_worth(self, expr: Expr) -> bool:
        """Index arithmetic stays where it is: targets fold it into addresses."""
        if isinstance(expr, (Const, Size, Var)):
            return False
        return expr.dtype is not int64 or any(isinstance(e, (Load, Bounds)) for e in postorder((expr,)))


@dataclass(slots=True)
class _Move:
    """One loop body's split: ``lets`` are the statements in front."""

    hoister: _Hoister
    bound: set[str]
    lets: list[Stmt]
    names: dict[Expr, Expr]

    def __init__(self, hoister: _Hoister, bound: set[str]) -> None:
        self.hoister, self.bound, self.lets, self.names = hoister, bound, [], {}

    def is_fixed(self, expr: Expr) -> bool:
        return not self.hoister.free.of(expr) & self.bound

    def expr(self, root: Expr) -> Expr:
        s = self.hoister.nest.s
        # Top-down: the largest fixed expressions are named, what is below them is not looked at.
        todo, seen, found = [root], {root}, False
        while todo:
            expr = todo.pop()
            if self.is_fixed(expr):
                if expr not in self.names and self.hoister.is_worth(expr):
                    name = s.fresh("h")
                    self.lets.append(Let(name, expr))
                    self.names[expr] = s.bind(name, expr)
                found = found or expr in self.names
                continue
            below = children(expr)
            todo += [e for e in below if e not in seen]
            seen.update(below)
        if not found:
            return root
        return Rewriter(s, self.hoister.nest.buffers, lambda e, new: self.names.get(e))(root)

    def statement(self, stmt: Stmt) -> Stmt | None:
        if isinstance(stmt, Let):
            if self.is_fixed(stmt.value) and self.hoister.is_worth(stmt.value):
                self.bound.discard(stmt.name)
                self.lets.append(stmt)
                return None
            return replace(stmt, value=self.expr(stmt.value))
        if isinstance(stmt, Store):
            return replace(stmt, index=tuple(self.expr(e) for e in stmt.index), value=self.expr(stmt.value))
        if isinstance(stmt, Loop):
            return replace(stmt, body=tuple(self._kept(stmt.body)))
        if isinstance(stmt, Fold):
            return replace(
                stmt, init=tuple(self.expr(e) for e in stmt.init), body=tuple(self._kept(stmt.body)),
                next=tuple(self.expr(e) for e in stmt.next),
            )  # fmt: skip
        return stmt

    def _kept(self, body: Sequence[Stmt]) -> list[Stmt]:
        return [kept for stmt in body for kept in [self.statement(stmt)] if kept is not None]


def _defined(body: Sequence[Stmt]) -> set[str]:
    """Every name that some statement of a body binds."""
    out: set[str] = set()
    for stmt in body:
        if isinstance(stmt, Let):
            out.add(stmt.name)
        elif isinstance(stmt, Loop):
            out |= {stmt.var} | _defined(stmt.body)
        elif isinstance(stmt, Fold):
            out |= {stmt.var, *stmt.names} | _defined(stmt.body)
        elif isinstance(stmt, Contract):
            out |= {*(v for v, _ in loop_vars(stmt)), stmt.acc} | _defined(stmt.epilogue)
    return out


__all__ = ["Buffer", "Dim", "build_loops"]
