"""Lowering of matrix products: a ``Contract`` statement whose epilogue is everything else its cluster computes."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import InternalError
from ..ir.dims import Dim
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

    Rows and columns that are several axes become one where every access allows, else all but the last become batch
    axes.
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
    if len(roles["summed"]) != 1 or not roles["rows"] or not roles["columns"]:
        raise InternalError("a matrix product whose summed axes are not one")
    batch = roles["batch"] + roles["rows"][:-1] + roles["columns"][:-1]
    m, n, k = roles["rows"][-1], roles["columns"][-1], roles["summed"][0]
    names, extents = tuple(x.var.name for x in batch), tuple(x.extent for x in batch)
    return (
        Contract(
            names, extents, m.var.name, m.extent, n.var.name, n.extent, k.var.name, k.extent, a, b, acc.name,
            value.dtype, tuple(_epilogue(evaluator, nest)),
        ),
    )  # fmt: skip


def open_product(node: Node, evaluator: Evaluator) -> tuple[Nest, Index]:
    """Axes of a contraction by role, its two operand loads (in ``extra``), and the variables of its result's long
    axes."""
    op, s = node.op, evaluator.s
    assert isinstance(op, Contraction)
    left, right, out = op.labels
    sizes: dict[str, Dim] = dict(zip(right, node.inputs[1].shape, strict=True))
    sizes |= dict(zip(left, node.inputs[0].shape, strict=True))
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
