"""A kernel before its loops are chosen: axes, folds and stores; and the merging of axes that every access treats as
one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..dtypes import DType
from ..ir.dims import Dim, product
from .algebra import LoopAlgebra
from .loop.grammar import Buffer, Expr, Load, Var
from .loop.walk import children, postorder
from .rewrite import Rewriter

Index = tuple[Expr, ...]
Merge = Callable[[tuple[Expr, ...], tuple[Expr, ...]], tuple[Expr, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """One axis of the domain; ``role`` tells apart axes that must not merge (kept, reduced, rows, columns ...)."""

    var: Var
    extent: Dim
    role: str


@dataclass(frozen=True, slots=True, eq=False)
class FoldItem:
    """A fold over the reduced axes: states ``names``, their first values, and their next ones at one element."""

    names: tuple[str, ...]
    dtypes: tuple[DType, ...]
    init: tuple[Expr, ...]
    next: tuple[Expr, ...]
    merge: Merge


@dataclass(frozen=True, slots=True, eq=False)
class StoreItem:
    """A store at every element of the domain (``full``) or of its kept axes."""

    buffer: str
    index: Index
    value: Expr
    full: bool = False


@dataclass(slots=True, eq=False)
class Nest:
    """``position`` is the variable that stands for the flat index over the reduced axes until the loops are known, and
    ``origin`` what to add to it."""

    s: LoopAlgebra
    buffers: dict[str, Buffer]
    axes: list[Axis] = field(default_factory=list)
    folds: list[FoldItem] = field(default_factory=list)
    stores: list[StoreItem] = field(default_factory=list)
    extra: list[Load] = field(default_factory=list)
    position: Expr | None = None
    origin: Expr | None = None

    def roots(self) -> list[Expr]:
        return [*(e for f in self.folds for e in f.next), *(i.value for i in self.stores), *self.extra]

    def accesses(self) -> list[tuple[str, Index]]:
        """Every distinct place where a buffer is read or written."""
        loads = [(e.buffer, e.index) for e in postorder([*self.roots(), *self._store_indices()]) if isinstance(e, Load)]
        return loads + [(i.buffer, i.index) for i in self.stores]

    def _store_indices(self) -> list[Expr]:
        return [e for i in self.stores for e in i.index]

    def rewrite(self, change: Callable[[Expr], Expr]) -> None:
        """Apply ``change`` to every expression (not to store indices)."""
        self.folds = [replace(f, next=tuple(change(e) for e in f.next)) for f in self.folds]
        self.stores = [replace(i, value=change(i.value)) for i in self.stores]
        changed = [change(e) for e in self.extra]
        self.extra = [e for e in changed if isinstance(e, Load)]


def coalesce(nest: Nest, hint: str = "") -> None:
    """Merge adjacent axes of one role that appear only side by side in accesses; drop axes and buffer dims of length
    one. Merged axes are named after their first one, or after ``hint``."""
    nest.axes = [a for a in nest.axes if a.extent != 1]
    groups = _groups(nest)
    replaced: dict[Var, tuple[Axis, int, int]] = {}
    axes: list[Axis] = []
    for group in groups:
        axis = group[0]
        if len(group) > 1:
            extent = product(a.extent for a in group)
            var = nest.s.loop_var(nest.s.fresh(hint or group[0].var.name), extent)
            assert isinstance(var, Var)
            axis = Axis(var, extent, group[0].role)
            replaced |= {a.var: (axis, k, len(group)) for k, a in enumerate(group)}
        axes.append(axis)
    layouts = _layouts(nest, replaced)
    if not replaced and all(dim != 1 for b in nest.buffers.values() for dim in b.shape):
        _settle_position(nest)
        return
    old = dict(nest.buffers)
    for name, layout in layouts.items():
        shape = tuple(product(old[name].shape[k] for k in run) for run in layout)
        nest.buffers[name] = replace(old[name], shape=shape)

    def reindexed(buffer: str, index: Index) -> Index:
        shape = old[buffer].shape
        return tuple(_flat(nest.s, [(index[k], shape[k]) for k in run], replaced) for run in layouts[buffer])

    def change(expr: Expr, new: tuple[Expr, ...]) -> Expr | None:
        if isinstance(expr, Load):
            return nest.s.load(nest.buffers[expr.buffer], reindexed(expr.buffer, new))
        return None

    rewriter = Rewriter(nest.s, nest.buffers, change)
    nest.rewrite(rewriter)
    nest.stores = [replace(i, index=reindexed(i.buffer, i.index)) for i in nest.stores]
    nest.axes = axes
    _settle_position(nest)


def _settle_position(nest: Nest) -> None:
    """Write the position over the reduced axes out, now that their variables are known."""
    position = nest.position
    if position is None or not any(e is position for e in postorder(nest.roots())):
        return
    flat = nest.s.index(0)
    for axis in nest.axes:
        if axis.role == "reduced":
            flat = nest.s.add(nest.s.mul(flat, nest.s.size(axis.extent)), axis.var)
    if nest.origin is not None:
        flat = nest.s.add(nest.origin, flat)
    nest.rewrite(Rewriter(nest.s, nest.buffers, lambda old, new: flat if old is position else None))
    nest.position = None


def _groups(nest: Nest) -> list[list[Axis]]:
    """Runs of axes that can become one."""
    variables = {a.var for a in nest.axes}
    pinned = {e for e in nest.roots() if e in variables}
    for expr in postorder([*nest.roots(), *(e for i in nest.stores for e in i.index)]):
        if not isinstance(expr, Load):
            pinned |= {x for x in children(expr) if x in variables}
    accesses = nest.accesses()
    groups: list[list[Axis]] = []
    for axis in nest.axes:
        before = groups[-1][-1] if groups else None
        if (
            before is not None
            and before.role == axis.role
            and not {axis.var, before.var} & pinned
            and all(_are_adjacent(before.var, axis, at, nest.buffers[name].shape) for name, at in accesses)
        ):
            groups[-1].append(axis)
        else:
            groups.append([axis])
    return groups


def _are_adjacent(first: Var, second: Axis, index: Index, shape: Sequence[Dim]) -> bool:
    """Neither variable occurs, or the second directly after the first along an axis it spans."""
    left = [k for k, e in enumerate(index) if e is first]
    right = [k for k, e in enumerate(index) if e is second.var]
    return right == [k + 1 for k in left] and all(shape[k] == second.extent for k in right)


def _layouts(nest: Nest, replaced: Mapping[Var, tuple[Axis, int, int]]) -> dict[str, list[list[int]]]:
    """For each buffer, the runs of its axes that become one axis; axes of length one are in none."""
    joined: dict[str, set[int]] = {name: set() for name in nest.buffers}
    for name, index in nest.accesses():
        for k, expr in enumerate(index):
            if isinstance(expr, Var) and expr in replaced and replaced[expr][1] > 0:
                joined[name].add(k)
    layouts: dict[str, list[list[int]]] = {}
    for name, buffer in nest.buffers.items():
        runs: list[list[int]] = []
        for k, dim in enumerate(buffer.shape):
            if k in joined[name] and runs:
                runs[-1].append(k)
            elif dim != 1:
                runs.append([k])
        layouts[name] = runs
    return layouts


def _flat(s: LoopAlgebra, parts: Iterable[tuple[Expr, Dim]], replaced: Mapping[Var, tuple[Axis, int, int]]) -> Expr:
    """The index along merged buffer axes; merged loop variables stand for all of theirs."""
    flat: Expr | None = None
    todo = list(parts)
    while todo:
        expr, size = todo.pop(0)
        if isinstance(expr, Var) and expr in replaced:
            axis, _, count = replaced[expr]
            size = product([size, *(d for _, d in todo[: count - 1])])
            expr, todo = axis.var, todo[count - 1 :]
        flat = expr if flat is None else s.add(s.mul(flat, s.size(size)), expr)
    assert flat is not None
    return flat
