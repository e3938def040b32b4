"""Accumulations, scatters and sorts: loops whose steps run in order, so that the bits never depend on threads.

An accumulation is a sequential fold that stores each of its states. A scatter is two kernels: one fills the array with
the first operand, the other goes through the updates in row-major order. Axes along which different steps touch
different elements run in parallel or in lanes. A sort is one statement, whose rows run in parallel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..errors import InternalError
from ..ir.dims import Dim, SymDim, floordiv
from ..ir.graph import Value
from ..ir.op import Accumulation, Scatter
from ..ir.ops.leaves import Input, State
from ..ir.ops.ordering import ArgSort
from ..ir.ops.views import Reshape
from .access import squeeze
from .evaluate import Evaluator, Index
from .folding import index_at, open_axes
from .loop.grammar import Const, Expr, Fold, Let, Loop, Sort, Stmt, Store, Var
from .loop.walk import is_using
from .nest import Nest, StoreItem, coalesce
from .schedule import build_loops

#: What makes arrays that a scatter may go on in: its positions are checked before.
_IN_PLACE = (Input, State, Reshape, Scatter)
#: What becomes a kernel: a suffix of its name, the evaluator that has collected its parameters, its body.
Part = tuple[str, Evaluator, tuple[Stmt, ...]]


def lower_ordered(value: Value, open_evaluator: Callable[[], Evaluator]) -> list[Part]:
    """The kernels of an accumulation, a scatter or a sort, in order."""
    evaluator = open_evaluator()
    if isinstance(value.op, Accumulation):
        return [("", evaluator, _accumulate(value, value.op, evaluator))]
    if isinstance(value.op, ArgSort):
        return [("", evaluator, (_sort(value, evaluator),))]
    if not isinstance(value.op, Scatter):
        raise InternalError(f"op {value.op.name} has no order")
    filling = open_evaluator()
    return [("_fill", filling, _fill(value, filling)), ("", evaluator, _scatter(value, value.op, evaluator))]


def _variables(evaluator: Evaluator, shape: Sequence[Dim]) -> Index:
    """A loop variable for each axis longer than one, else 0."""
    s = evaluator.s
    return tuple(s.index(0) if d == 1 else s.loop_var(s.fresh("i"), d) for d in shape)


def _accumulate(value: Value, op: Accumulation, evaluator: Evaluator) -> tuple[Stmt, ...]:
    s, axis = evaluator.s, op.axis
    index = _variables(evaluator, value.shape)
    elements = [evaluator.value(v, index) for v in value.node.inputs]
    init, name = op.init(s, value.dtype), s.fresh("a")
    along = index[axis]
    state = s.var(name, value.dtype) if isinstance(along, Var) else init
    following = op.step(s, state, *elements)
    store = Store(evaluator.buffer(value, write=True).name, index, following)
    body: tuple[Stmt, ...] = (store,)
    extent = value.shape[axis]
    if isinstance(along, Var) and extent != 0:
        body = (Fold(along.name, extent, "seq", (name,), (value.dtype,), (init,), body, (following,), ()),)
    outer = [(v, d) for k, (v, d) in enumerate(zip(index, value.shape, strict=True)) if k != axis]
    loops = [(v, d) for v, d in outer if isinstance(v, Var)]
    if extent == 0:
        return _nested([(along, extent), *loops], ["par", *["seq"] * len(loops)], (replace(store, value=init),))
    last = bool(loops) and loops[-1][0] is index[-1]
    kinds = ["par"] + ["seq"] * (len(loops) - 2) + (["vec" if last else "seq"] if len(loops) > 1 else [])
    return _nested(loops, kinds, body)


def _sort(value: Value, evaluator: Evaluator) -> Sort:
    (keys,) = value.node.inputs
    evaluator.s.checks.append((value.node, value.type.ndim - 1))
    return Sort(evaluator.buffer(value, write=True).name, evaluator.buffer(keys).name, len(evaluator.s.checks) - 1)


def _fill(value: Value, evaluator: Evaluator) -> tuple[Stmt, ...]:
    """The scatter's first operand, element by element."""
    axes, variables = open_axes(evaluator, squeeze(value.shape), ())
    index = index_at(evaluator, value.shape, variables)
    nest = Nest(evaluator.s, evaluator.buffers, axes)
    element = evaluator.value(value.node.inputs[0], index)
    nest.stores.append(StoreItem(evaluator.buffer(value, write=True).name, index, element))
    coalesce(nest)
    return build_loops(nest)


def _scatter(value: Value, op: Scatter, evaluator: Evaluator) -> tuple[Stmt, ...]:
    s, node = evaluator.s, value.node
    types = [v.type for v in node.inputs]
    updates = node.inputs[1]
    index = _variables(evaluator, updates.shape)
    readers = [evaluator.reader(v) for v in node.inputs]
    site, s.site = s.site, node
    target = tuple(op.target(s, index, readers, types, value.type))
    s.site = site
    name = evaluator.buffer(value, write=True).name
    evaluator.buffers[name] = replace(evaluator.buffers[name], mode="inout")
    # An axis of length one is written at 0; what was asked for is only checked.
    checks = [Let(s.fresh("c"), at) for at, d in zip(target, value.shape, strict=True) if d == 1 and _is_data(at)]
    target = tuple(s.index(0) if d == 1 else at for at, d in zip(target, value.shape, strict=True))
    element = op.combine(s, s.load(evaluator.buffers[name], target), evaluator.value(updates, index))
    independent = op.independent(types)
    rows = zip(index, updates.shape, independent, strict=True)
    axes = [(v, d, alone) for v, d, alone in rows if isinstance(v, Var)]
    kinds = ["seq"] * len(axes)
    if axes and axes[-1][2]:
        kinds[-1] = "vec"
    if axes and axes[0][2]:
        kinds[0] = "par"
    loops: list[tuple[Expr, Dim]] = [(v, d) for v, d, _ in axes]
    room = _room(value.shape, target)
    if room != 1:
        if not loops:
            loops, kinds = [(s.loop_var(s.fresh("i"), 1), 1)], ["seq"]
        loops[0] = (loops[0][0], loops[0][1] * room)
    loop = _nested(loops, kinds, (*checks, Store(name, target, element)))
    if kinds[:1] == ["par"] or (room == 1 and not isinstance(node.inputs[0].op, _IN_PLACE)):
        return loop
    return (*_checked_first(value, op, evaluator), *loop)


def _checked_first(value: Value, op: Scatter, evaluator: Evaluator) -> tuple[Stmt, ...]:
    """A loop that checks all positions before the first is written: what may happen in a state's memory happens whole
    or not at all, and where an axis turns out empty there is no loop that writes."""
    s, node = evaluator.s, value.node
    index = _variables(evaluator, node.inputs[1].shape)
    site, s.site = s.site, node
    readers = [evaluator.reader(v) for v in node.inputs]
    target = op.target(s, index, readers, [v.type for v in node.inputs], value.type)
    s.site = site
    places = [at for at in target if _is_data(at)]
    loops = [
        (v, d) for v, d in zip(index, node.inputs[1].shape, strict=True)
        if isinstance(v, Var) and any(is_using(at, {v.name}) for at in places)
    ]  # fmt: skip
    return _nested(loops, ["seq"] * len(loops), tuple(Let(s.fresh("c"), at) for at in places))


def _is_data(at: Expr) -> bool:
    return not isinstance(at, (Var, Const))


def _room(shape: Sequence[Dim], target: Sequence[Expr]) -> Dim:
    """1, or 0 where an axis that is indexed by data has no element: a failed check gives index 0, which must not be
    written then."""
    room: Dim = 1
    for dim, at in zip(shape, target, strict=True):
        if isinstance(at, Var):
            continue
        if isinstance(dim, SymDim):
            room = room * floordiv(2 * dim, dim + 1)
        elif dim == 0:
            return 0
    return room


def _nested(loops: Sequence[tuple[Expr, Dim]], kinds: Sequence[str], body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    for (var, extent), kind in reversed(list(zip(loops, kinds, strict=False))):
        assert isinstance(var, Var)
        body = (Loop(var.name, extent, kind, body),)
    return body
