"""Expressions as NumPy source text.

A value has a *rank*: the number of enclosing array axes up to the innermost one it depends on. Its axes line up with
those loops from the right (outer ones may be missing); combined with a value of higher rank it gets trailing axes.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from ....dtypes import DType
from ....errors import InternalError
from ....ir.numpy_algebra import NUMPY_INTRINSICS
from ...loop.grammar import (
    Bitcast,
    Bounds,
    Buffer,
    Call,
    Cast,
    Const,
    Expr,
    Kernel,
    Load,
    Select,
    Size,
    Store,
    Var,
)  # fmt: skip
from ...loop.text import named_expressions
from ...loop.walk import children, inner_roots, postorder, roots_of, statements
from .access import Axis, View, dim_text, find_view, view_text

_INFIX = {
    "add": "+", "sub": "-", "mul": "*", "bit_and": "&", "bit_or": "|", "bit_xor": "^", "shl": "<<", "shr": ">>",
    "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=",
}  # fmt: skip
_RESERVED = frozenset(("np", "rt", "kernel", *keyword.kwlist))


@dataclass(frozen=True, slots=True)
class Value:
    """The text of a value, its rank, and whether the text is a name (cheap to repeat)."""

    text: str
    rank: int
    is_name: bool = False


@dataclass(slots=True)
class Scope:
    """What is known at one place of the generated code."""

    axes: dict[str, Axis] = field(default_factory=dict)
    counters: dict[str, str] = field(default_factory=dict)
    names: dict[str, Value] = field(default_factory=dict)
    values: dict[Expr, Value] = field(default_factory=dict)
    depth: int = 0

    def copy(self) -> Scope:
        return Scope(dict(self.axes), dict(self.counters), dict(self.names), dict(self.values), self.depth)


def safe(name: str) -> str:
    """A kernel's name as a Python name."""
    plain = name.replace(".", "_")
    return plain + "_" if plain in _RESERVED else plain


@lru_cache(maxsize=1024)
def _keeps_dtype(name: str, dtype: DType, arity: int) -> bool:
    """Whether NumPy's function gives the algebra's dtype by itself."""
    with np.errstate(all="ignore"):
        result = np.asarray(NUMPY_INTRINSICS[name](*[np.ones(1, dtype.np)] * arity))
    return result.dtype in (dtype.np, np.dtype(bool))


class Expressions:
    """Writes the lines of one kernel's function; ``scope`` is where it stands."""

    def __init__(self, kernel: Kernel) -> None:
        self.lines: list[str] = []
        self.indent = "    "
        self.scope = Scope()
        self.buffers: dict[str, Buffer] = {b.name: b for b in kernel.buffers}
        self.constants: dict[str, str] = {}
        self._named = named_expressions(kernel) | _kept_loads(kernel)
        self._next = 0

    def line(self, text: str) -> None:
        self.lines.append(self.indent + text)

    def fresh(self) -> str:
        self._next += 1
        return f"_{self._next - 1}"

    # -- values ---------------------------------------------------------------------------------------------------
    def value(self, expr: Expr) -> Value:
        """The text of an expression; lines for what it shares with others are written before."""
        self.prepare(expr)
        return self.term(expr)

    def keep(self, expr: Expr) -> Value:
        """Compute an expression into a variable."""
        known = self.scope.values.get(expr)
        if known is not None:
            return known
        value = self._write(expr)
        name = self.fresh()
        copy = ".copy()" if isinstance(expr, Load) and self.buffers[expr.buffer].mode != "in" else ""
        self.line(f"{name} = {value.text}{copy}")
        self.scope.values[expr] = Value(name, value.rank, True)
        return self.scope.values[expr]

    def _operands(self, expr: Expr) -> Iterable[Expr]:
        """What must be written before an expression: a load through a slice needs no index."""
        return () if isinstance(expr, Load) and self.view(expr) is not None else children(expr)

    def term(self, expr: Expr) -> Value:
        known = self.scope.values.get(expr)
        return self._write(expr) if known is None else known

    def view(self, element: Load | Store) -> View | None:
        return find_view(element.index, self.buffers[element.buffer], self.scope.axes, self.scope.counters)

    def lifted(self, value: Value, rank: int) -> str:
        """The text of a value next to others of ``rank``."""
        if value.rank == rank or value.rank == 0:
            return value.text
        axes = ", ".join(["None"] * (rank - value.rank))
        text = value.text if value.is_name else f"({value.text})"
        return f"{text}[..., {axes}]"

    def together(self, exprs: Iterable[Expr]) -> tuple[list[str], int]:
        """Texts of several values lifted to the highest rank among them."""
        values = [self.term(e) for e in exprs]
        rank = max((v.rank for v in values), default=0)
        return [self.lifted(v, rank) for v in values], rank

    def constant(self, value: bool | int | float, dtype: DType) -> str:
        """The name of a NumPy scalar, made once per kernel; no name of the kernel starts with an underscore."""
        number = dtype.np.type(value)
        text = f'"{number!s}"' if dtype.is_float and not np.isfinite(number) else str(number)
        maker = f"np.{dtype.np.type.__name__}({text})"
        return self.constants.setdefault(maker, f"_k{len(self.constants)}")

    def _write(self, e: Expr) -> Value:
        """The text of an expression whose shared parts are known."""
        if isinstance(e, Const):
            return Value(self.constant(e.value, e.dtype), 0, True)
        if isinstance(e, Size):
            return Value(f"np.int64({dim_text(e.dim)})", 0)
        if isinstance(e, Var):
            return self._variable(e)
        if isinstance(e, Load):
            return self._load(e)
        texts, rank = self.together(children(e))
        if isinstance(e, Select):
            return Value(f"np.where({', '.join(texts)})", rank)
        if isinstance(e, Cast):
            return Value(f"rt.cast({texts[0]}, np.{e.dtype.np.type.__name__})", rank)
        if isinstance(e, Bitcast):
            return Value(f"rt.bits({texts[0]}, np.{e.dtype.np.type.__name__})", rank)
        if isinstance(e, Bounds):
            return Value(f"rt.bounds({texts[0]}, {texts[1]}, {e.check})", rank)
        return Value(_call_text(e, texts), rank)

    def _variable(self, e: Var) -> Value:
        axis = self.scope.axes.get(e.name)
        if axis is not None:
            return Value(f"np.arange({dim_text(axis.extent)})", axis.position + 1)
        if e.name in self.scope.counters:
            return Value(f"np.int64({self.scope.counters[e.name]})", 0)
        if e.name not in self.scope.names:
            raise InternalError(f"{e.name} is not bound in the kernel")
        return self.scope.names[e.name]

    def _gathered(self, name: str) -> str:
        """A buffer to be read at places of its own: where an axis may be empty, index 0 is read (and not used)."""
        is_static = all(isinstance(d, int) for d in self.buffers[name].shape)
        return safe(name) if is_static else f"rt.room({safe(name)})"

    def _load(self, e: Load) -> Value:
        view = self.view(e)
        if view is not None:
            sizes = self.buffers[e.buffer].shape
            fixed = any(isinstance(i, Const) and not isinstance(d, int) for i, d in zip(e.index, sizes, strict=True))
            name = self._gathered(e.buffer) if fixed else safe(e.buffer)
            return Value(view_text(name, view), view.rank, True)
        rows = self._row_load(e)
        if rows is not None:
            return rows
        texts, rank = self.together(e.index)
        return Value(f"{self._gathered(e.buffer)}[{', '.join(texts)}]", rank, True)

    def _row_load(self, e: Load) -> Value | None:
        """A computed first index and whole axes after it: NumPy takes rows at once."""
        first = self.term(e.index[0])
        if first.rank == 0 or len(e.index) == 1:
            return None
        buffer = self.buffers[e.buffer]
        rest = find_view(e.index[1:], Buffer("", buffer.dtype, buffer.shape[1:]), self.scope.axes, self.scope.counters)
        following = tuple(range(first.rank, first.rank + len(e.index) - 1))
        if rest is None or rest.positions != following or any(i != ":" for i in rest.items):
            return None
        return Value(f"{self._gathered(e.buffer)}[{first.text}]", rest.rank, True)

    # -- stores ---------------------------------------------------------------------------------------------------
    def store(self, stmt: Store) -> None:
        """All iterations of the enclosing axes at once."""
        name, depth, view = safe(stmt.buffer), self.scope.depth, self.view(stmt)
        if view is None:
            *at, text = [self.lifted(self.value(e), depth) for e in (*stmt.index, stmt.value)]
            self.line(f"{name}[{', '.join(at)}] = {text}")
            return
        self.prepare(stmt.value)
        target = view_text(name, view, 0, depth)
        ufunc = self._into(stmt.value, target)
        if ufunc:
            self.line(ufunc)
            return
        text = self.lifted(self.term(stmt.value), depth)
        self.line(f"{target} = {text}" if target.endswith("]") else f"{target}[...] = {text}")

    def prepare(self, expr: Expr) -> None:
        """Write the lines for what an expression shares with others."""
        for e in postorder([expr], self.scope.values, self._operands):
            if e in self._named:
                self.keep(e)

    def _into(self, value: Expr, target: str) -> str:
        """A line that computes a ufunc straight into the target, or ``""``."""
        if not isinstance(value, Call) or value in self.scope.values or self.scope.depth == 0:
            return ""
        function = NUMPY_INTRINSICS[value.name]
        if not isinstance(function, np.ufunc) or not _keeps_dtype(value.name, value.args[0].dtype, len(value.args)):
            return ""
        values = [self.term(a) for a in value.args]
        texts = [self.lifted(v, self.scope.depth) for v in values]
        return f"np.{function.__name__}({', '.join(texts)}, out={target})"


def _call_text(e: Call, texts: Sequence[str]) -> str:
    dtype = e.args[0].dtype
    function = NUMPY_INTRINSICS[e.name]
    if not dtype.is_bool and e.name in _INFIX:
        text = f"({texts[0]} {_INFIX[e.name]} {texts[1]})"
    elif e.name == "div" and dtype.is_float:
        text = f"({texts[0]} / {texts[1]})"
    elif e.name == "neg" and dtype.is_float:
        text = f"(-{texts[0]})"
    elif isinstance(function, np.ufunc):
        text = f"np.{function.__name__}({', '.join(texts)})"
    else:
        text = f"rt.{e.name}({', '.join(texts)})"
    if _keeps_dtype(e.name, dtype, len(texts)):
        return text
    return f"rt.cast({text}, np.{e.dtype.np.type.__name__})"


def _kept_loads(kernel: Kernel) -> set[Expr]:
    """Loads of buffers that are stored to, where a view would be read after the store: several statements need them,
    or something that does not compute."""
    stored = {s.buffer for s in statements(kernel.body) if isinstance(s, Store)}
    users: dict[Expr, int] = {}
    kept: set[Expr] = set()
    for stmt in statements(kernel.body):
        roots = (*roots_of(stmt), *inner_roots(stmt))
        for e in postorder(roots):
            if isinstance(e, Load) and e.buffer in stored:
                users[e] = users.get(e, 0) + 1
                if users[e] > 1 or e in roots:
                    kept.add(e)
            if isinstance(e, Bitcast) and isinstance(e.value, Load) and e.value.buffer in stored:
                kept.add(e.value)
    return kept
