"""Reductions, and products that are no matrix products, as folds."""

from __future__ import annotations

from collections.abc import Sequence

from ..dtypes import int64
from ..ir.dims import Shape
from ..ir.graph import Node
from ..ir.op import Reduction
from ..ir.ops.contraction import Contraction
from .access import ZERO, axis_numbers
from .evaluate import Evaluator, Index
from .loop.grammar import Expr, Var
from .nest import Axis, FoldItem, Nest


def index_at(evaluator: Evaluator, shape: Shape, variables: Sequence[Expr]) -> Index:
    """The index of a shape's element: a variable for each axis longer than one, else 0."""
    zero = evaluator.s.index(0)
    return tuple(zero if k == ZERO else variables[k] for k in axis_numbers(shape))


def open_axes(evaluator: Evaluator, domain: Shape, reduced: tuple[int, ...]) -> tuple[list[Axis], Index]:
    """Loop axes for a domain without axes of length one, and their variables."""
    axes: list[Axis] = []
    index: list[Expr] = []
    for k, extent in enumerate(domain):
        var = evaluator.s.loop_var(evaluator.s.fresh("i"), extent)
        assert isinstance(var, Var)
        axes.append(Axis(var, extent, "reduced" if k in reduced else "kept"))
        index.append(var)
    return axes, tuple(index)


def factors(node: Node, evaluator: Evaluator, index: Index) -> tuple[Expr, Expr]:
    """The two factors of one term of a contraction, at an index over the result's letters, then the summed ones."""
    op, zero = node.op, evaluator.s.index(0)
    assert isinstance(op, Contraction)
    left, right, out = op.labels
    sizes = op.sizes(*(v.shape for v in node.inputs))
    long = [c for c in out + op.summed if sizes[c] != 1]
    at = dict(zip(long, index, strict=True))
    a, b = (
        evaluator.value(v, tuple(at.get(c, zero) for c in labels))
        for v, labels in zip(node.inputs, (left, right), strict=True)
    )
    return a, b


def fold_of(nest: Nest, node: Node, evaluator: Evaluator, index: Index) -> FoldItem:
    """A reduction (or a sum of products) over the reduced axes of a nest, at the variables ``index`` of its domain."""
    s, op = evaluator.s, node.op
    if isinstance(op, Contraction):
        zero = s.const(0, node.output.dtype)
        name = s.fresh("a")
        state = s.var(name, zero.dtype)
        a, b = factors(node, evaluator, index)
        longer = s.fma(a, b, state) if zero.dtype.is_float else s.add(state, s.mul(a, b))
        return FoldItem((name,), (zero.dtype,), (zero,), (longer,), lambda a, b: (s.add(a[0], b[0]),))
    assert isinstance(op, Reduction)
    (x,) = node.inputs
    element = evaluator.value(x, index_at(evaluator, x.shape, index))
    init = op.init(s, x.dtype)
    names = tuple(s.fresh("a") for _ in init)
    states = tuple(s.var(n, e.dtype) for n, e in zip(names, init, strict=True))
    if nest.position is None:
        nest.position = s.var("position", int64)
    step = op.step(s, states, element, nest.position)
    return FoldItem(names, tuple(e.dtype for e in init), init, step, lambda a, b: op.merge(s, a, b))


def is_long(node: Node) -> bool:
    """Whether a fold runs over more than one element: an axis that is not of length one."""
    op, x = node.op, node.inputs[0]
    if isinstance(op, Contraction):
        sizes = op.sizes(*(v.shape for v in node.inputs))
        return any(sizes[c] != 1 for c in op.summed)
    assert isinstance(op, Reduction)
    return any(x.shape[k] != 1 for k in op.axes)


def fold_value(nest: Nest, node: Node, evaluator: Evaluator, index: Index) -> Expr:
    """The finished value of a fold, which is added to the nest where it needs loops."""
    s, op = evaluator.s, node.op
    if is_long(node):
        item = fold_of(nest, node, evaluator, index)
        nest.folds.append(item)
        return finished(node, evaluator, item)
    if isinstance(op, Contraction):
        return s.mul(*factors(node, evaluator, index))
    assert isinstance(op, Reduction)
    (x,) = node.inputs
    element = evaluator.value(x, index_at(evaluator, x.shape, index))
    return op.finish(s, op.step(s, op.init(s, x.dtype), element, s.index(0)))


def final_states(evaluator: Evaluator, item: FoldItem) -> tuple[Expr, ...]:
    """The states' values after the loops."""
    return tuple(evaluator.s.var(n, d) for n, d in zip(item.names, item.dtypes, strict=True))


def merge_of(node: Node, evaluator: Evaluator, partial: Sequence[Expr]) -> FoldItem:
    """A fold that merges partial states."""
    s, op = evaluator.s, node.op
    init = op.init(s, node.inputs[0].dtype) if isinstance(op, Reduction) else (s.const(0, node.output.dtype),)

    def merge(a: tuple[Expr, ...], b: tuple[Expr, ...]) -> tuple[Expr, ...]:
        return op.merge(s, a, b) if isinstance(op, Reduction) else (s.add(a[0], b[0]),)

    names = tuple(s.fresh("a") for _ in init)
    states = tuple(s.var(n, e.dtype) for n, e in zip(names, init, strict=True))
    return FoldItem(names, tuple(e.dtype for e in init), init, merge(states, tuple(partial)), merge)


def finished(node: Node, evaluator: Evaluator, item: FoldItem) -> Expr:
    """The value of a node whose fold is ``item``."""
    states = final_states(evaluator, item)
    return node.op.finish(evaluator.s, states) if isinstance(node.op, Reduction) else states[0]
