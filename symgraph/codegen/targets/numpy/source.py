"""Kernels as Python source: loops become array axes, folds become reductions.

A loop is an array axis where all its stores follow its variable; else it runs in Python. A fold whose states are sums,
products, minima or maxima is one ``reduce``; another vector fold evaluates all elements and merges them in pairs; what
is left runs in Python along the folded axis, vectorised over the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ....ir.dims import Dim
from ...loop.grammar import Bounds, Const, Contract, Expr, Fold, Kernel, Let, Load, Loop, Sort, Stmt, Store, Var
from ...loop.walk import expressions, inner_roots, interned, is_using, linear, postorder, statements
from .access import Axis, dim_text, view_text
from .expressions import Expressions, Value, safe
from .reductions import REDUCERS, Reducible, find_accumulation, find_reduction, identity, reassociated
from .runtime import RUNTIME
from .scatters import Scattered, find_scatter

#: ``kernel(*arrays, *sizes)``
Compiled = Callable[..., None]


def kernel_source(kernel: Kernel) -> str:
    """The source of a function ``kernel(<buffers>, <sizes>)``; :mod:`.runtime` is its ``rt``."""
    kernel = interned(kernel)
    kernel = interned(replace(kernel, body=tuple(reassociated(s) for s in kernel.body)))
    writer = _Statements(kernel)
    writer.body(kernel.body)
    parameters = ", ".join([*(safe(b.name) for b in kernel.buffers), *kernel.sizes])
    constants = "".join(f"{name} = {maker}\n" for maker, name in writer.constants.items())
    return f"{constants}def kernel({parameters}):\n" + "\n".join([*writer.lines, "    return"]) + "\n"


def compile_source(source: str, name: str) -> Compiled:
    """The function that :func:`kernel_source` describes."""
    space: dict[str, Any] = {"np": np, "rt": RUNTIME}
    exec(compile(source, f"<kernel {name}>", "exec"), space)
    function: Compiled = space["kernel"]
    return function


class _Statements(Expressions):
    """Writes statements."""

    def body(self, body: Sequence[Stmt]) -> None:
        for stmt in body:
            if isinstance(stmt, Let):
                self._let(stmt)
            elif isinstance(stmt, Store):
                self.store(stmt)
            elif isinstance(stmt, Loop):
                self._loop(stmt)
            elif isinstance(stmt, Fold):
                self._fold(stmt)
            elif isinstance(stmt, Sort):
                self.line(f"rt.sort({safe(stmt.target)}, {safe(stmt.keys)}, {stmt.check})")
            else:
                self._contract(stmt)

    def _let(self, stmt: Let) -> None:
        value = self.value(stmt.value)
        if not (value.is_name and value.text.startswith("_")):
            self.line(f"{safe(stmt.name)} = {value.text}")
            value = Value(safe(stmt.name), value.rank, True)
        self.scope.names[stmt.name] = value

    # -- scopes ---------------------------------------------------------------------------------------------------
    def _block(self, head: str, write: Callable[[], None]) -> None:
        """An indented block; what is computed in it is not known after it."""
        outer = self.scope.copy()
        self.line(head)
        self.indent += "    "
        before = len(self.lines)
        write()
        if len(self.lines) == before:
            self.line("pass")
        self.indent = self.indent[:-4]
        self.scope = outer

    def _with_axis(self, var: str, extent: Dim, write: Callable[[], None]) -> None:
        """Write with one more array axis; names bound inside stay inside."""
        outer = self.scope
        self.scope = outer.copy()
        self.scope.axes[var] = Axis(outer.depth, extent)
        self.scope.depth += 1
        write()
        self.scope = outer

    def _guarded(self, extent: Dim, risky: bool, write: Callable[[], None]) -> None:
        """Skip what must not be computed when there is no iteration."""
        if risky and not (isinstance(extent, int) and extent > 0):
            self._block(f"if {dim_text(extent)} > 0:", write)
        else:
            write()

    # -- loops ----------------------------------------------------------------------------------------------------
    def _loop(self, loop: Loop) -> None:
        stores = (s for s in statements(loop.body) if isinstance(s, Store))
        if loop.kind != "seq" or all(_follows(s, loop.var) for s in stores):
            risky = self._is_risky(expressions(loop.body))
            self._guarded(
                loop.extent, risky, lambda: self._with_axis(loop.var, loop.extent, lambda: self.body(loop.body))
            )
            return
        scattered = find_scatter(loop)
        if scattered is not None:
            self._guarded(loop.extent, True, lambda: self._scatter(scattered))
            return
        self._count(loop.var, loop.extent, lambda: self.body(loop.body))

    def _scatter(self, scatter: Scattered) -> None:
        """Updates in order, all in one call."""
        outer = self.scope
        self.scope = outer.copy()
        for loop in scatter.loops:
            self.scope.axes[loop.var] = Axis(self.scope.depth, loop.extent)
            self.scope.depth += 1
        target, depth = safe(scatter.store.buffer), self.scope.depth
        *at, text = [self.lifted(self.value(e), depth) for e in (*scatter.store.index, scatter.update)]
        if scatter.operation:
            self.line(f"np.{REDUCERS[scatter.operation].__name__}.at({target}, ({', '.join(at)},), {text})")
        else:
            self.line(f"{target}[{', '.join(at)}] = {text}")
        self.scope = outer

    def _count(self, var: str, extent: Dim, write: Callable[[], None]) -> None:
        """A loop that runs in Python."""

        def inside() -> None:
            self.scope.counters[var] = safe(var)
            write()

        self._block(f"for {safe(var)} in range({dim_text(extent)}):", inside)

    def _is_risky(self, exprs: Any) -> bool:
        """Whether some expression must not be computed where a loop has no iteration: it may read outside."""
        for e in exprs:
            if isinstance(e, Bounds):
                return True
            if isinstance(e, Load):
                for i, size in zip(e.index, self.buffers[e.buffer].shape, strict=True):
                    form = linear(i)
                    if (not form or not form[0]) and not (isinstance(size, int) and size > 0):
                        return True
        return False

    # -- folds ----------------------------------------------------------------------------------------------------
    def _fold(self, fold: Fold) -> None:
        reduction = find_reduction(fold)
        accumulation = find_accumulation(fold)
        if reduction is not None:
            self._reduce(fold, reduction)
        elif accumulation is not None:
            self._accumulate(fold, *accumulation)
            return
        elif fold.kind == "vec" and not any(isinstance(s, Store) for s in statements(fold.body)):
            self._merge(fold)
        else:
            self._iterate(fold)
        for name in fold.names:
            self.scope.names[name] = Value(safe(name), self.scope.depth, True)

    def _start(self, fold: Fold) -> list[Value]:
        return [self.value(e) for e in fold.init]

    def _set_to_init(self, fold: Fold) -> None:
        for name, value in zip(fold.names, self._start(fold), strict=True):
            self.line(f"{safe(name)} = {self.lifted(value, self.scope.depth)}")

    def _unless_empty(self, fold: Fold, write: Callable[[], None]) -> None:
        """Write the fold; where it might have no iteration and could not be computed then, set the first states."""
        risky = self._is_risky(postorder([*expressions(fold.body), *fold.next]))
        if (risky or find_reduction(fold) is None) and not (isinstance(fold.extent, int) and fold.extent > 0):
            self._block(f"if {dim_text(fold.extent)} > 0:", write)
            self._block("else:", lambda: self._set_to_init(fold))
        else:
            write()

    def _reduce(self, fold: Fold, parts: Sequence[Reducible]) -> None:
        for e in fold.init:
            self.prepare(e)

        def inside() -> None:
            self.body(fold.body)
            for part, name, dtype, first in zip(parts, fold.names, fold.dtypes, fold.init, strict=True):
                text = self._along_axis(part.element, fold)
                unit = identity(part.operation, dtype)
                ufunc = f"np.{REDUCERS[part.operation].__name__}"
                has_own = part.operation in ("add", "mul")
                initial = "" if has_own else f", initial={self.constant(unit, dtype)}"
                total = f"{ufunc}.reduce({text}, axis=-1, dtype=np.{dtype.np.type.__name__}{initial})"
                if not (isinstance(first, Const) and first.value == unit):
                    start = self.value(first)
                    total = f"{ufunc}({self.lifted(start, self.scope.depth - 1)}, {total})"
                self.line(f"{safe(name)} = {total}")

        self._unless_empty(fold, lambda: self._with_axis(fold.var, fold.extent, inside))

    def _along_axis(self, expr: Expr, fold: Fold) -> str:
        """The text of a value whose last axis is the fold's, in full length."""
        value = self.value(expr)
        if is_using(expr, {fold.var}):
            return value.text
        text = self.lifted(value, self.scope.depth) if value.rank else f"np.asarray({value.text})[None]"
        return f"rt.spread({text}, {dim_text(fold.extent)})"

    def _merge(self, fold: Fold) -> None:
        """Every element folded alone, then merged in pairs."""
        starts = self._start(fold)

        def inside() -> None:
            self.scope.names.update(zip(fold.names, starts, strict=True))
            self.body(fold.body)
            nexts = [self._along_axis(e, fold) for e in fold.next]
            elements = [self.fresh() for _ in nexts]
            self.line(f"{', '.join(elements)} = {', '.join(nexts)}")
            sides = [f"{name}.{side}" for side in "ab" for name in fold.names]
            function = self.fresh()

            def merged() -> None:
                self.scope.names |= {s: Value(safe(s), self.scope.depth, True) for s in sides}
                values = [self.value(e) for e in fold.merge]
                self.line(f"return [{', '.join(self.lifted(v, self.scope.depth) for v in values)}]")

            self._block(f"def {function}({', '.join(safe(s) for s in sides)}):", merged)
            targets = ", ".join(safe(n) for n in fold.names) + ("," if len(fold.names) == 1 else "")
            self.line(f"{targets} = rt.tree([{', '.join(elements)}], {function})")

        self._unless_empty(fold, lambda: self._with_axis(fold.var, fold.extent, inside))

    def _accumulate(self, fold: Fold, part: Reducible, store: Store) -> None:
        """Every state of a running sum or product at once."""

        def inside() -> None:
            name, dtype = self.fresh(), fold.dtypes[0].np.type.__name__
            ufunc = f"np.{REDUCERS[part.operation].__name__}"
            self.line(f"{name} = {ufunc}.accumulate({self._along_axis(part.element, fold)}, axis=-1, dtype=np.{dtype})")
            self.scope.values[store.value] = Value(name, self.scope.depth, True)
            self.store(store)

        self._guarded(fold.extent, True, lambda: self._with_axis(fold.var, fold.extent, inside))

    def _iterate(self, fold: Fold) -> None:
        self._set_to_init(fold)

        def inside() -> None:
            for name in fold.names:
                self.scope.names[name] = Value(safe(name), self.scope.depth, True)
            self.body(fold.body)
            texts = [self.lifted(self.value(e), self.scope.depth) for e in fold.next]
            self.line(f"{', '.join(safe(n) for n in fold.names)} = {', '.join(texts)}")

        self._count(fold.var, fold.extent, inside)

    # -- contractions ---------------------------------------------------------------------------------------------
    def _contract(self, c: Contract) -> None:
        risky = self._is_risky(postorder([*expressions(c.epilogue), *inner_roots(c)])) or _is_gathered(c)
        extents = [*c.batch_extents, c.m, c.n]
        unsure = [d for d in extents if not (isinstance(d, int) and d > 0)]
        if risky and unsure:
            condition = " and ".join(f"{dim_text(d)} > 0" for d in unsure)
            self._block(f"if {condition}:", lambda: self._product(c))
        else:
            self._product(c)

    def _product(self, c: Contract) -> None:
        batch = list(zip(c.batch_vars, c.batch_extents, strict=True))
        rows, sums = (parts or ((var, d),) for parts, var, d in ((c.m_parts, c.m_var, c.m), (c.k_parts, c.k_var, c.k)))
        a = self._operand(c.a, c, batch, rows, sums)
        b = self._operand(c.b, c, batch, sums, ((c.n_var, c.n),))
        outer = self.scope
        self.scope = outer.copy()
        for var, extent in (*batch, (c.m_var, c.m), (c.n_var, c.n)):
            self.scope.axes[var] = Axis(self.scope.depth, extent)
            self.scope.depth += 1
        target = self._product_target(c)
        if target:
            self.line(f"np.matmul({a}, {b}, out={target})")
        else:
            self.line(f"{safe(c.acc)} = np.matmul({a}, {b})")
            self.scope.names[c.acc] = Value(safe(c.acc), self.scope.depth, True)
            rest: Dim = 1
            for name, extent in reversed(c.m_parts):
                row, size = self._variable(Var(c.m_var)), f"np.int64({dim_text(extent)})"
                number = f"{row.text} // np.int64({dim_text(rest)}) % {size}"
                self.scope.names[name] = Value(f"({number})", row.rank)
                rest = rest * extent
            self.body(c.epilogue)
        self.scope = outer

    def _product_target(self, c: Contract) -> str:
        """Where the product itself goes, if that is all the epilogue does with it."""
        if len(c.epilogue) != 1 or not all(is_using(c.a, {v}) or is_using(c.b, {v}) for v in c.batch_vars):
            return ""
        (only,) = c.epilogue
        if not (isinstance(only, Store) and isinstance(only.value, Var) and only.value.name == c.acc):
            return ""
        view = self.view(only)
        return "" if view is None else view_text(safe(only.buffer), view, 0, self.scope.depth)

    def _operand(
        self, load: Load, c: Contract, batch: Sequence[tuple[str, Dim]], rows: Sequence[tuple[str, Dim]],
        columns: Sequence[tuple[str, Dim]],
    ) -> str:  # fmt: skip
        """An operand as matrices; batch axes that it lacks are left out."""
        outer = self.scope
        self.scope = outer.copy()
        for var, extent in (*batch, *rows, *columns):
            self.scope.axes[var] = Axis(self.scope.depth, extent)
            self.scope.depth += 1
        value = self.value(load)
        text = self.lifted(value, self.scope.depth) if value.rank else value.text
        if len(rows) + len(columns) > 2:
            shapes = ("".join(f"{dim_text(d)}, " for _, d in part) for part in (rows, columns))
            text = f"rt.folded({text}, ({'), ('.join(shapes)}))"
        elif not (is_using(load, {rows[0][0]}) and is_using(load, {columns[0][0]})):
            text = f"rt.matrix({text}, {dim_text(rows[0][1])}, {dim_text(columns[0][1])})"
        if load.dtype is not c.dtype:
            text = f"rt.cast({text}, np.{c.dtype.np.type.__name__})"
        self.scope = outer
        return text


def _is_gathered(c: Contract) -> bool:
    """Whether elements of an operand are picked: where there is none, one stands in along the other axes."""
    forms = [linear(i) for load in (c.a, c.b) for i in load.index]
    return any(form is None or len(form[0]) > 1 for form in forms)


def _follows(store: Store, var: str) -> bool:
    """Whether different iterations store to different places for certain: some index is the variable times a factor,
    plus a constant."""
    for index in store.index:
        form = linear(index)
        if form is not None and list(form[0]) == [var]:
            return True
    return False

