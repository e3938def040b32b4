"""Rewriting loop expressions while a kernel is being built, each shared one once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .algebra import LoopAlgebra
from .loop.grammar import Bitcast, Bounds, Buffer, Call, Cast, Expr, Load, Select, Var
from .loop.walk import children, postorder

Replace = Callable[[Expr, tuple[Expr, ...]], "Expr | None"]


class Rewriter:
    """Rebuilds expressions through an algebra, replacing what ``replace(old, new operands)`` does not leave as None."""

    def __init__(self, s: LoopAlgebra, buffers: Mapping[str, Buffer], replace: Replace) -> None:
        self.s = s
        self.buffers = buffers
        self.replace = replace
        self.done: dict[Expr, Expr] = {}

    def __call__(self, root: Expr) -> Expr:
        for expr in postorder((root,), self.done):
            new = tuple(self.done[x] for x in children(expr))
            replaced = self.replace(expr, new)
            self.done[expr] = replaced if replaced is not None else self.rebuilt(expr, new)
        return self.done[root]

    def rebuilt(self, expr: Expr, new: tuple[Expr, ...]) -> Expr:
        """``expr`` with other operands; itself where they are the same."""
        if all(a is b for a, b in zip(children(expr), new, strict=True)):
            return expr
        if isinstance(expr, Load):
            return self.s.load(self.buffers[expr.buffer], new)
        if isinstance(expr, Call):
            return self.s.intrinsic(expr.name, *new)
        if isinstance(expr, Select):
            return self.s.select(*new)
        if isinstance(expr, Bounds):
            return Bounds(new[0], new[1], expr.check)
        if isinstance(expr, Bitcast):
            return self.s.bitcast(new[0], expr.dtype)
        assert isinstance(expr, Cast)
        return self.s.cast(new[0], expr.dtype)


def renamer(s: LoopAlgebra, buffers: Mapping[str, Buffer], names: Mapping[str, Expr]) -> Rewriter:
    """Replaces variables by name."""
    return Rewriter(s, buffers, lambda old, new: names.get(old.name) if isinstance(old, Var) else None)


class FreeNames:
    """The names (loop variables, bound values) an expression depends on."""

    def __init__(self) -> None:
        self.known: dict[Expr, frozenset[str]] = {}

    def of(self, root: Expr) -> frozenset[str]:
        for expr in postorder((root,), self.known):
            own = frozenset([expr.name]) if isinstance(expr, Var) else frozenset()
            self.known[expr] = own.union(*(self.known[x] for x in children(expr)))
        return self.known[root]
