"""Conflicts between the reads and writes of one kernel, as far as indices show them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from ...ir.dims import Dim
from .grammar import Contract, Expr, Kernel, Let, Load, Loop, Stmt, Store
from .walk import body_of, inner_roots, is_using, loop_vars, postorder, roots_of, statements


def find_conflicts(kernel: Kernel, scatters: bool = False) -> Iterator[str]:
    """Iterations write different elements; an element stored to is read at the index of the store only, and before.
    Code without loops may read any element before it stores to the first.

    The kernel's expressions are interned. Obvious conflicts are found: a store whose index lacks the variable of a
    loop, two stores to one element in one scope. Kernels of ``scatters`` may write an element again in loops that run
    in order, into an array that was begun before.
    """
    stored: dict[str, list[Store]] = {}
    for stmt in statements(kernel.body):
        if isinstance(stmt, Store):
            stored.setdefault(stmt.buffer, []).append(stmt)
    again = frozenset(b.name for b in kernel.buffers if scatters and b.mode == "inout")
    walk = _Walk(stored, again, all(isinstance(s, (Let, Store)) for s in kernel.body))
    yield from walk.body(kernel.body, (), frozenset())


#: A loop around a statement: the variables of which one must occur, its extent, and whether its iterations are
#: independent.
_Around = tuple[frozenset[str], Dim, bool]


def _ranges(stmt: Stmt) -> list[tuple[frozenset[str], Dim]]:
    """The loops of a statement. A row that is made of parts may be told by its number or by its parts."""
    if not isinstance(stmt, Contract):
        return [(frozenset({v}), d) for v, d in loop_vars(stmt)]
    rows = stmt.m_parts or ((stmt.m_var, stmt.m),)
    plain = (*zip(stmt.batch_vars, stmt.batch_extents, strict=True), (stmt.n_var, stmt.n))
    return [*((frozenset({v}), d) for v, d in plain), *((frozenset({v, stmt.m_var}), d) for v, d in rows)]


@dataclass(slots=True)
class _Walk:
    """``again`` are the buffers of which steps in order may write an element again, ``is_straight`` says that there are
    no loops; ``done`` are the buffers stored to so far, in the order of the text."""

    stored: dict[str, list[Store]]
    again: frozenset[str]
    is_straight: bool
    done: set[str] = field(default_factory=set)

    def body(
        self, body: tuple[Stmt, ...], loops: tuple[_Around, ...], known: frozenset[Expr]
    ) -> Generator[str, None, frozenset[Expr]]:
        """Faults of the statements of one scope; ``known`` is what the scopes around computed. Returns what is known at
        its end."""
        here = set(known)
        written: list[tuple[str, tuple[Expr, ...]]] = []
        lets = {s.name for s in body if isinstance(s, Let)}
        for stmt in body:
            yield from self._reads(roots_of(stmt), here)
            if isinstance(stmt, Store):
                yield from self._write(stmt, loops, lets, written)
            elif not isinstance(stmt, Let):
                independent = isinstance(stmt, Contract) or (isinstance(stmt, Loop) and stmt.kind != "seq")
                if isinstance(stmt, Contract):
                    yield from self._reads(inner_roots(stmt), set(here))
                inner = (*loops, *((names, d, independent) for names, d in _ranges(stmt)))
                inside = yield from self.body(body_of(stmt), inner, frozenset(here))
                if not isinstance(stmt, Contract):
                    yield from self._reads(inner_roots(stmt), set(inside))
        return frozenset(here)

    def _reads(self, roots: tuple[Expr, ...], here: set[Expr]) -> Iterator[str]:
        for e in postorder(roots, frozenset(here)):
            here.add(e)
            if not isinstance(e, Load) or e.buffer not in self.stored:
                continue
            if not self.is_straight and all(e.index != store.index for store in self.stored[e.buffer]):
                yield f"{e.buffer} is stored to and loaded at another index"
            elif e.buffer in self.done:
                yield f"{e.buffer} is loaded after it is stored to"

    def _write(
        self, stmt: Store, loops: tuple[_Around, ...], lets: set[str],
        written: list[tuple[str, tuple[Expr, ...]]],
    ) -> Iterator[str]:  # fmt: skip
        for names, extent, independent in loops:
            if extent == 1 or (stmt.buffer in self.again and not independent):
                continue
            if not any(is_using(i, names | lets) for i in stmt.index):
                yield f"every iteration over {min(names)} stores to the same element of {stmt.buffer}"
        if (stmt.buffer, stmt.index) in written:
            yield f"one element of {stmt.buffer} is stored to twice"
        written.append((stmt.buffer, stmt.index))
        self.done.add(stmt.buffer)
