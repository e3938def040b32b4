"""Lowering of matrix products: a ``Contract`` statement whose epilogue is everything else its cluster computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..errors import InternalError
from ..ir.dims import product
from ..ir.graph import Node, Value
from ..ir.ops.contraction import Contraction
from .access import ZERO, axis_numbers
from .evaluate import Evaluator, Index
from .loop.grammar import Contract, Expr, Let, Load, Stmt, Store, Var
from .nest import Axis, Nest, StoreItem, coalesce


def lower_product(
    value: Value, members: Sequence[Value], stored: Sequence[Value], evaluator: Evaluator
) -> tuple[Stmt, ...]:
    """One contraction ``value`` and the ``members`` computed from it element by element.

    Axes of one kind become one where every access allows. Rows and sums that stay several get parts, and of columns
    all but the last become batch axes.
    """
    nest, variables = open_product(value.node, evaluator)
    s = evaluator.s
    acc = s.var(s.fresh("acc"), value.dtype)
    assert isinstance(acc, Var)
    evaluator.given[id(value)] = acc
    for member in members:
        index = tuple(s.index(0) if k == ZERO else variables[k] for k in axis_numbers(member.shape))
        result = evaluator.value(member, index)
        if any(v is member for v in stored):
            nest.stores.append(StoreItem(evaluator.buffer(member, write=True).name, index, result))
    coalesce(nest)
    a, b = nest.extra
    roles = {role: [x for x in nest.axes if x.role == role] for role in ("batch", "rows", "columns", "summed")}
    if not roles["columns"] or not roles["summed"]:
        raise InternalError("a matrix product without columns or a sum")
    if not roles["rows"]:
        roles["rows"] = [single_row(nest)]
    batch = roles["batch"] + roles["columns"][:-1]
    m, n, k = _rows(nest, roles["rows"]), roles["columns"][-1], _whole(nest, roles["summed"])
    names, extents = tuple(x.var.name for x in batch), tuple(x.extent for x in batch)
    m_parts, k_parts = (
        tuple((x.var.name, x.extent) for x in roles[role]) if len(roles[role]) > 1 else ()
        for role in ("rows", "summed")
    )
    return (
        Contract(
            names, extents, m.var.name, m.extent, n.var.name, n.extent, k.var.name, k.extent, a, b, acc.name,
            value.dtype, tuple(_epilogue(evaluator, nest)), m_parts, k_parts,
        ),
    )  # fmt: skip


def single_row(nest: Nest) -> Axis:
    """The axis of a row that no index mentions, because it is the only one."""
    var = nest.s.loop_var(nest.s.fresh("i"), 1)
    assert isinstance(var, Var)
    return Axis(var, 1, "rows")


def _whole(nest: Nest, parts: Sequence[Axis]) -> Axis:
    """One axis for several."""
    if len(parts) == 1:
        return parts[0]
    extent = product(x.extent for x in parts)
    var = nest.s.loop_var(nest.s.fresh("i"), extent)
    assert isinstance(var, Var)
    return Axis(var, extent, parts[0].role)


def _rows(nest: Nest, parts: Sequence[Axis]) -> Axis:
    """One axis for all rows, by which the epilogue's accesses are written where all of them allow that: the operands,
    which keep the parts, may see them apart where the results do not."""
    if len(parts) > 1 and not {x.buffer for x in nest.extra} & {n for n, _ in _accesses(nest)}:
        axes = [x if x.role == "rows" else replace(x, role=x.var.name) for x in nest.axes]
        attempt = Nest(nest.s, dict(nest.buffers), axes, stores=list(nest.stores))
        coalesce(attempt, "m")
        rows = [x for x in attempt.axes if x.role == "rows"]
        if len(rows) == 1:
            nest.buffers.update(attempt.buffers)
            nest.stores = attempt.stores
            return rows[0]
    return _whole(nest, parts)


def _accesses(nest: Nest) -> list[tuple[str, Index]]:
    """Where the epilogue reads and writes."""
    return Nest(nest.s, nest.buffers, stores=nest.stores).accesses()


def open_product(node: Node, evaluator: Evaluator) -> tuple[Nest, Index]:
    """Axes of a contraction by role, its two operand loads (in ``extra``), and the variables of its result's long
    axes."""
    op, s = node.op, evaluator.s
    assert isinstance(op, Contraction)
    left, right, out = op.labels
    sizes = op.sizes(*(v.shape for v in node.inputs))
    at: dict[str, Expr] = {}
    axes: list[Axis] = []
    for role, letters in (("batch", op.batch), ("rows", op.rows), ("columns", op.columns), ("summed", op.summed)):
        for letter in letters:
            if sizes[letter] == 1:
                at[letter] = s.index(0)
                continue
            var = s.loop_var(s.fresh("i"), sizes[letter])
            assert isinstance(var, Var)
            axes.append(Axis(var, sizes[letter], role))
            at[letter] = var
    nest = Nest(s, evaluator.buffers, axes)
    evaluator.splats_are_code = False
    for operand, labels in ((node.inputs[0], left), (node.inputs[1], right)):
        load = evaluator.value(operand, tuple(at[c] for c in labels))
        if not isinstance(load, Load):
            raise InternalError(f"operand of {op.spec} is not an array: {operand}")
        nest.extra.append(load)
    evaluator.splats_are_code = True
    evaluator.forget()
    return nest, tuple(at[c] for c in out if sizes[c] != 1)


def _epilogue(evaluator: Evaluator, nest: Nest) -> list[Stmt]:
    """All values, then all stores: buffers updated in place are read first."""
    s = evaluator.s
    lets: list[Stmt] = []
    stores: list[Stmt] = []
    for item in nest.stores:
        value = item.value
        if not isinstance(value, Var) and len(nest.stores) > 1:
            name = s.fresh("v")
            lets.append(Let(name, value))
            value = s.var(name, value.dtype)
        stores.append(Store(item.buffer, item.index, value))
    return lets + stores
