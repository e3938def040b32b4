"""What a kernel means, element by element on NumPy arrays: the truth that every target is compared with.

Slow on purpose: no vectorisation, one scope object per iteration, every rule of the grammar visible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...dtypes import int64
from ...errors import InternalError
from ...ir.dims import Dim, evaluate
from ...ir.numpy_algebra import NumpyAlgebra
from .grammar import (
    Bitcast,
    Bounds,
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
from .walk import children, interned, postorder

Array = np.ndarray[Any, Any]
#: A failed bounds check: its number, the index, the size.
Failure = tuple[int, int, int]
#: Partial states that a ``vec`` fold keeps; any number is allowed, this one exercises merging.
LANES = 4


def interpret(kernel: Kernel, arrays: Mapping[str, Array], sizes: Mapping[str, int]) -> Failure | None:
    """Run a kernel: ``arrays`` (by buffer name) are read and written in place. Gives the first failed bounds check.

    Raises:
        InternalError: where a load or store is out of bounds, or an array does not have the declared type.
    """
    for b in kernel.buffers:
        shape = tuple(evaluate(d, sizes) for d in b.shape)
        if arrays[b.name].shape != shape or arrays[b.name].dtype != b.dtype.np:
            found = arrays[b.name]
            raise InternalError(f"kernel {kernel.name}: {b.name} is {found.dtype}{found.shape}, not {b.dtype}{shape}")
    run = _Run(arrays, sizes)
    run.body(interned(kernel).body, _Scope())
    return run.failure


@dataclass(slots=True)
class _Scope:
    """The names bound, and the expressions computed, in one iteration of one loop and around it."""

    names: dict[str, Array] = field(default_factory=dict)
    values: dict[Expr, Array] = field(default_factory=dict)

    def inner(self, **names: Array) -> _Scope:
        return _Scope(self.names | names, dict(self.values))


class _Run:
    def __init__(self, arrays: Mapping[str, Array], sizes: Mapping[str, int]) -> None:
        self.arrays = arrays
        self.sizes = sizes
        self.failure: Failure | None = None
        self.algebra = NumpyAlgebra(sizes)

    def extent(self, dim: Dim) -> int:
        return max(0, evaluate(dim, self.sizes))

    # -- statements ---------------------------------------------------------------------------------------------
    def body(self, body: tuple[Stmt, ...], scope: _Scope) -> None:
        for stmt in body:
            self.stmt(stmt, scope)

    def stmt(self, stmt: Stmt, scope: _Scope) -> None:
        if isinstance(stmt, Let):
            scope.names[stmt.name] = self.value(stmt.value, scope)
        elif isinstance(stmt, Store):
            value = self.value(stmt.value, scope)
            array = self.arrays[stmt.buffer]
            array[self.position(stmt.index, array.shape, stmt.buffer, scope)] = value
        elif isinstance(stmt, Loop):
            for i in range(self.extent(stmt.extent)):
                self.body(stmt.body, scope.inner(**{stmt.var: np.array(i, np.int64)}))
        elif isinstance(stmt, Fold):
            self.fold(stmt, scope)
        elif isinstance(stmt, Sort):
            self.sort(stmt)
        else:
            self.contract(stmt, scope)

    def fold(self, fold: Fold, scope: _Scope) -> None:
        init = [self.value(e, scope) for e in fold.init]
        lanes = [list(init) for _ in range(LANES if fold.kind == "vec" else 1)]
        for i in range(self.extent(fold.extent)):
            lane = i % len(lanes)
            states = dict(zip(fold.names, lanes[lane], strict=True))
            inner = scope.inner(**states, **{fold.var: np.array(i, np.int64)})
            self.body(fold.body, inner)
            lanes[lane] = [self.value(e, inner) for e in fold.next]
        total = lanes[0]
        for lane_states in lanes[1:]:
            both = scope.inner()
            for name, a, b in zip(fold.names, total, lane_states, strict=True):
                both.names[name + ".a"], both.names[name + ".b"] = a, b
            total = [self.value(e, both) for e in fold.merge]
        scope.names.update(zip(fold.names, total, strict=True))

    def contract(self, c: Contract, scope: _Scope) -> None:
        ranges = [*zip(c.batch_vars, c.batch_extents, strict=True), (c.m_var, c.m), (c.n_var, c.n)]
        for at in np.ndindex(*(self.extent(d) for _, d in ranges)):
            indices = {v: np.array(i, np.int64) for (v, _), i in zip(ranges, at, strict=True)}
            indices |= self.digits(c.m_parts, at[-2])
            total = self.algebra.const(0, c.dtype)
            for p in range(self.extent(c.k)):
                inner = scope.inner(**indices, **{c.k_var: np.array(p, np.int64)}, **self.digits(c.k_parts, p))
                a, b = (self.algebra.cast(self.value(e, inner), c.dtype) for e in (c.a, c.b))
                total = self.algebra.add(total, self.algebra.mul(a, b))
            self.body(c.epilogue, scope.inner(**indices, **{c.acc: total}))

    def sort(self, sort: Sort) -> None:
        keys, target = self.arrays[sort.keys], self.arrays[sort.target]
        columns, wanted = keys.shape[-1], target.shape[-1]
        if wanted > columns:
            self.failure = (sort.check, wanted - 1, columns)
            return
        for row in np.ndindex(*keys.shape[:-1]):
            target[row] = sorted(range(columns), key=keys[row].__getitem__)[:wanted]

    def digits(self, parts: tuple[tuple[str, Dim], ...], number: int) -> dict[str, Array]:
        """The variables of a row (or position) that is made of several, the last one running fastest."""
        out: dict[str, Array] = {}
        for name, extent in reversed(parts):
            number, digit = divmod(number, self.extent(extent))
            out[name] = np.array(digit, np.int64)
        return out

    # -- expressions --------------------------------------------------------------------------------------------
    def value(self, expr: Expr, scope: _Scope) -> Array:
        for e in postorder([expr], scope.values):
            scope.values[e] = self.compute(e, scope)
        return scope.values[expr]

    def compute(self, e: Expr, scope: _Scope) -> Array:
        s = self.algebra
        args = [scope.values[c] for c in children(e)]
        if isinstance(e, Const):
            return s.const(e.value, e.dtype)
        if isinstance(e, Size):
            return s.size(e.dim)
        if isinstance(e, Var):
            return scope.names[e.name]
        if isinstance(e, Load):
            return self.load(e, scope)
        if isinstance(e, Call):
            return s.intrinsic(e.name, *args)
        if isinstance(e, Select):
            return s.select(*args)
        if isinstance(e, Cast):
            return s.cast(args[0], e.dtype)
        if isinstance(e, Bitcast):
            return s.bitcast(args[0], e.dtype)
        return self.bounds(e, int(args[0]), int(args[1]))

    def load(self, e: Load, scope: _Scope) -> Array:
        array = self.arrays[e.buffer]
        # Element 0 of an empty axis may be read where a check failed or a select does not use it.
        room = array if array.size else np.zeros([max(d, 1) for d in array.shape], array.dtype)
        if self.failure is not None:  # what follows has no meaning: 0 in the place of a bad index may be outside, too
            at = [int(self.value(i, scope)) for i in e.index]
            return np.asarray(room[tuple(min(max(i, 0), d - 1) for i, d in zip(at, room.shape, strict=True))])
        return np.asarray(room[self.position(e.index, room.shape, e.buffer, scope)])

    def bounds(self, e: Bounds, index: int, size: int) -> Array:
        if 0 <= index < size:
            return np.array(index, np.int64)
        if self.failure is None:
            self.failure = (e.check, index, size)
        return self.algebra.const(0, int64)

    def position(self, index: tuple[Expr, ...], shape: tuple[int, ...], buffer: str, scope: _Scope) -> tuple[int, ...]:
        at = tuple(int(self.value(i, scope)) for i in index)
        if any(not 0 <= i < d for i, d in zip(at, shape, strict=True)):
            raise InternalError(f"{buffer}{list(at)} is outside the shape {shape}")
        return at
