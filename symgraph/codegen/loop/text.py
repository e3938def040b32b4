"""Kernels as text::

    kernel scale(a: inout f32[N,10], s: in f32[]; N) {
      par i in 0..N {
        vec j in 0..10 {
          store a[i,j] = a[i,j] - s[] * 0.5:f32
        }
      }
    }

``let m = e`` binds; ``%0 = e`` names an expression that is used again (or nests deep), so the text grows like the
kernel and not like the tree of its expressions. Bare integers are int64, ``#N`` is the value of a size, ``f32(e)``
converts, ``bits<u32>(e)`` reinterprets, ``bounds<0>(e, #N)`` checks. :func:`symgraph.codegen.loop.parse.parse_kernel`
reads it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...dtypes import DType, bool_, int64
from ...ir.dims import Dim, SymDim, shape_text
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
from .walk import children, inner_roots, interned, postorder, roots_of, statements

#: Infix intrinsics: sign and binding strength. All associate to the left.
INFIX: dict[str, tuple[str, int]] = {"add": ("+", 1), "sub": ("-", 1), "mul": ("*", 2), "div": ("/", 2)}
_DEEPEST = 12


def print_kernel(kernel: Kernel) -> str:
    """The text of a kernel."""
    return print_interned(interned(kernel))


def print_interned(kernel: Kernel) -> str:
    """The text of a kernel whose equal expressions are one object."""
    buffers = ", ".join(buffer_text(b) for b in kernel.buffers)
    sizes = "; " + ", ".join(kernel.sizes) if kernel.sizes else ""
    checks = f" checks {kernel.checks}" if kernel.checks else ""
    printer = _Printer(named_expressions(kernel))
    printer.block(kernel.body)
    body = "".join(f"  {line}\n" for line in printer.lines)
    return f"kernel {kernel.name}({buffers}{sizes}){checks} {{\n{body}}}\n"


def buffer_text(buffer: Buffer) -> str:
    """``a: inout f32[N,10]``"""
    return f"{buffer.name}: {buffer.mode} {buffer.dtype.short}[{shape_text(buffer.shape)[1:-1]}]"


def constant_text(value: bool | int | float, dtype: DType) -> str:
    """``true``, ``3`` (int64), ``0.5:f32``, ``inf:f32``, ``7:u32``; the shortest decimals that give the value back."""
    if dtype is bool_:
        return "true" if value else "false"
    if dtype is int64:
        return str(value)
    return f"{dtype.np.type(value)!s}:{dtype.short}"


def _is_simple(expr: Expr) -> bool:
    """Leaves, and loads at plain indices, are short enough to repeat."""
    if isinstance(expr, Load):
        return all(isinstance(i, (Const, Size, Var)) for i in expr.index)
    return isinstance(expr, (Const, Size, Var))


def named_expressions(kernel: Kernel) -> set[Expr]:
    """The expressions that get a name of their own: used more than once, or at the top of every so many levels."""
    uses: dict[Expr, int] = {}
    roots = [r for s in statements(kernel.body) for r in (*roots_of(s), *inner_roots(s))]
    for root in roots:
        uses[root] = uses.get(root, 0) + 1
    order = list(postorder(roots))
    for expr in order:
        for child in children(expr):
            uses[child] = uses.get(child, 0) + 1
    named: set[Expr] = set()
    depth: dict[Expr, int] = {}
    for expr in order:
        if _is_simple(expr):
            depth[expr] = 0
            continue
        deep = 1 + max(depth[c] for c in children(expr))
        if uses[expr] > 1 or deep >= _DEEPEST:
            named.add(expr)
            deep = 0
        depth[expr] = deep
    return named


class _Printer:
    """Writes lines; ``scopes`` hold the numbers of named expressions that are visible."""

    def __init__(self, named: set[Expr]) -> None:
        self.lines: list[str] = []
        self._named = named
        self._numbers: dict[Expr, int] = {}
        self._next = 0
        self._indent = ""

    def block(self, body: Iterable[Stmt], *, after: Sequence[tuple[str, Expr]] = ()) -> None:
        """Statements of one scope, then lines ``<head><expression>``."""
        outer = dict(self._numbers)
        for stmt in body:
            self._stmt(stmt)
        for head, expr in after:
            self._line(head + self.expr(expr))
        self._numbers = outer

    def _nested(self, body: Iterable[Stmt], after: Sequence[tuple[str, Expr]] = ()) -> None:
        self._indent += "  "
        self.block(body, after=after)
        self._indent = self._indent[:-2]
        self._line("}")

    def _line(self, text: str) -> None:
        self.lines.append(self._indent + text)

    def _stmt(self, stmt: Stmt) -> None:
        if isinstance(stmt, Let):
            self._line(f"let {stmt.name} = {self.expr(stmt.value)}")
        elif isinstance(stmt, Store):
            index = ",".join([self.expr(i) for i in stmt.index])
            self._line(f"store {stmt.buffer}[{index}] = {self.expr(stmt.value)}")
        elif isinstance(stmt, Loop):
            self._line(f"{stmt.kind} {stmt.var} in 0..{stmt.extent} {{")
            self._nested(stmt.body)
        elif isinstance(stmt, Fold):
            self._fold(stmt)
        elif isinstance(stmt, Sort):
            self._line(f"sort {stmt.target} by {stmt.keys} check {stmt.check}")
        else:
            self._contract(stmt)

    def _fold(self, fold: Fold) -> None:
        parts = zip(fold.names, fold.dtypes, fold.init, strict=True)
        states = ", ".join([f"{name}: {dtype.short} = {self.expr(init)}" for name, dtype, init in parts])
        self._line(f"fold {fold.kind} {fold.var} in 0..{fold.extent} with {states} {{")
        after = [(f"next {name} = ", e) for name, e in zip(fold.names, fold.next, strict=True)]
        if fold.merge:
            after += [(f"merge {name} = ", e) for name, e in zip(fold.names, fold.merge, strict=True)]
        self._nested(fold.body, after)

    def _contract(self, c: Contract) -> None:
        batch = "".join(f"{v} in 0..{d}, " for v, d in zip(c.batch_vars, c.batch_extents, strict=True))
        rows, sums = (
            " as " + " ".join([f"{v} in 0..{d}" for v, d in parts]) if parts else "" for parts in (c.m_parts, c.k_parts)
        )
        plane = f"{c.m_var} in 0..{c.m}{rows}, {c.n_var} in 0..{c.n}, {c.k_var} in 0..{c.k}{sums}"
        self._line(f"contract {batch}{plane} {{")
        product = [(f"sum {c.acc}: {c.dtype.short} = ", c.a), ("times ", c.b)]
        self._indent += "  "
        self.block((), after=product)
        self._indent = self._indent[:-2]
        self._nested(c.epilogue)

    # -- expressions --------------------------------------------------------------------------------------------
    def expr(self, expr: Expr) -> str:
        """The text of an expression; lines for the named ones it needs are written before."""
        for e in postorder([expr], self._numbers):
            if e in self._named:
                text = self._text(e, 0)
                self._line(f"%{self._next} = {text}")
                self._numbers[e] = self._next
                self._next += 1
        return self._term(expr, 0)

    def _term(self, expr: Expr, strength: int) -> str:
        number = self._numbers.get(expr)
        return self._text(expr, strength) if number is None else f"%{number}"

    def _text(self, e: Expr, strength: int) -> str:
        if isinstance(e, Const):
            return constant_text(e.value, e.dtype)
        if isinstance(e, Size):
            return size_text(e.dim)
        if isinstance(e, Var):
            return e.name
        if isinstance(e, Load):
            return f"{e.buffer}[{','.join([self._term(i, 0) for i in e.index])}]"
        if isinstance(e, Call) and e.name in INFIX and len(e.args) == 2:
            sign, own = INFIX[e.name]
            text = f"{self._term(e.args[0], own)} {sign} {self._term(e.args[1], own + 1)}"
            return f"({text})" if own < strength else text
        return f"{self._head(e)}({', '.join([self._term(c, 0) for c in children(e)])})"

    def _head(self, e: Expr) -> str:
        if isinstance(e, Call):
            return e.name
        if isinstance(e, Cast):
            return e.dtype.short
        if isinstance(e, Bitcast):
            return f"bits<{e.dtype.short}>"
        if isinstance(e, Bounds):
            return f"bounds<{e.check}>"
        assert isinstance(e, Select)
        return "select"


def size_text(dim: Dim) -> str:
    """``#N``, ``#(N+3)``"""
    plain = isinstance(dim, SymDim) and str(dim).isidentifier()
    return f"#{dim}" if plain else f"#({dim})"
