"""Folds that NumPy reduces with one ufunc."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ....dtypes import DType
from ...loop.grammar import Call, Const, Contract, Expr, Fold, Loop, Sort, Stmt, Store, Var
from ...loop.walk import inner_roots, is_using, roots_of, statements

REDUCERS: dict[str, np.ufunc] = {
    "add": np.add, "mul": np.multiply, "minimum": np.minimum, "maximum": np.maximum,
    "bit_and": np.bitwise_and, "bit_or": np.bitwise_or, "bit_xor": np.bitwise_xor,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reducible:
    """A state that becomes ``operation(state, element)``, with an ``element`` that depends on no state."""

    operation: str
    element: Expr


def identity(operation: str, dtype: DType) -> bool | int | float:
    """The value that an operation does not change."""
    if operation in ("minimum", "maximum"):
        high = operation == "minimum"
        if dtype.is_float:
            return np.inf if high else -np.inf
        if dtype.is_bool:
            return high
        limits: Any = np.iinfo(dtype.np)
        return int(limits.max if high else limits.min)
    if operation == "bit_and":
        return True if dtype.is_bool else -1 if dtype.kind == "i" else (1 << dtype.bits) - 1
    return 1 if operation == "mul" else 0


def find_reduction(fold: Fold) -> list[Reducible] | None:
    """How each state is reduced, if every one is by one operation and independently of all states."""
    tainted = set(fold.names)
    for stmt in statements(fold.body):
        if isinstance(stmt, (Store, Loop, Contract, Sort)):
            return None
        if any(is_using(e, tainted) for e in (*roots_of(stmt), *inner_roots(stmt))):
            tainted |= set(stmt.names if isinstance(stmt, Fold) else (stmt.name,))
    parts = [_reducible(e, name, tainted) for e, name in zip(fold.next, fold.names, strict=True)]
    found = [p for p in parts if p is not None]
    return found if len(found) == len(parts) else None


def find_accumulation(fold: Fold) -> tuple[Reducible, Store] | None:
    """A running sum or product that starts from nothing and whose states are all stored: its operation, the store."""
    if fold.kind != "seq" or len(fold.names) != 1 or len(fold.body) != 1:
        return None
    (store,), (first,) = fold.body, fold.init
    part = _reducible(fold.next[0], fold.names[0], set(fold.names))
    if not isinstance(store, Store) or store.value is not fold.next[0] or part is None:
        return None
    starts = isinstance(first, Const) and first.value == identity(part.operation, fold.dtypes[0])
    return (part, store) if starts and is_using(part.element, {fold.var}) else None


def _reducible(expr: Expr, name: str, tainted: set[str]) -> Reducible | None:
    if not isinstance(expr, Call):
        return None
    if expr.name == "fma" and _is_state(expr.args[2], name):
        element: Expr = Call("mul", expr.args[:2], expr.dtype)
        return None if is_using(element, tainted) else Reducible("add", element)
    if expr.name not in REDUCERS:
        return None
    for state, element in (expr.args, expr.args[::-1]):
        if _is_state(state, name) and not is_using(element, tainted):
            return Reducible(expr.name, element)
    return None


def _is_state(expr: Expr, name: str) -> bool:
    return isinstance(expr, Var) and expr.name == name


def reassociated(stmt: Stmt) -> Stmt:
    """Folds that go on with the states of the fold around them, as folds of their own whose results are joined.

    ``s`` over i of (``t`` from ``s`` over j of ``t + x``) is ``s + (t from 0 over j of t + x)``: both are reductions.
    """
    if isinstance(stmt, Loop):
        return replace(stmt, body=tuple(reassociated(s) for s in stmt.body))
    if not isinstance(stmt, Fold):
        return stmt
    stmt = replace(stmt, body=tuple(reassociated(s) for s in stmt.body))
    if not stmt.body or not isinstance(stmt.body[-1], Fold):
        return stmt
    inner = stmt.body[-1]
    parts = find_reduction(inner)
    if parts is None or not _goes_on(stmt, inner):
        return stmt
    operations = [p.operation for p in parts]
    fresh = tuple(Const(identity(o, d), d) for o, d in zip(operations, inner.dtypes, strict=True))
    joined = _joined(operations, stmt.names, inner.names, stmt.dtypes)
    return replace(stmt, body=(*stmt.body[:-1], replace(inner, init=fresh)), next=joined)


def _goes_on(outer: Fold, inner: Fold) -> bool:
    """Whether the inner fold starts from exactly the outer states, and nothing else uses them."""
    same = len(outer.names) == len(inner.names)
    starts = same and all(_is_state(e, n) for e, n in zip(inner.init, outer.names, strict=True))
    ends = same and all(_is_state(e, n) for e, n in zip(outer.next, inner.names, strict=True))
    if not (starts and ends):
        return False
    states = set(outer.names)
    others: list[Expr] = [e for s in outer.body[:-1] for t in statements((s,)) for e in (*roots_of(t), *inner_roots(t))]
    others += [e for t in statements(inner.body) for e in (*roots_of(t), *inner_roots(t))]
    return not any(is_using(e, states) for e in (*others, *inner.next))


def _joined(
    operations: Sequence[str], outer: Sequence[str], inner: Sequence[str], dtypes: Sequence[DType]
) -> tuple[Expr, ...]:  # fmt: skip
    rows = zip(operations, outer, inner, dtypes, strict=True)
    return tuple(Call(o, (Var(a, d), Var(b, d)), d) for o, a, b, d in rows)

