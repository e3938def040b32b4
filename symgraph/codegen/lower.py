"""From a cluster to kernels in the loop IR."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..errors import InternalError
from ..ir.dims import Dim, Shape
from ..ir.graph import Node, Value
from ..ir.op import Reduction
from ..ir.ops.contraction import Contraction
from ..ir.ops.random import BLOCK, LANES, WORDS, RandomBits
from .access import ZERO, axis_numbers, squeeze
from .cluster import Cluster, Form
from .evaluate import Array, Evaluator, Index, Scratch
from .loop.grammar import Expr, Kernel, Stmt, Var
from .loop.walk import sizes_of
from .nest import Axis, FoldItem, Nest, StoreItem, coalesce
from .product import lower_product
from .schedule import build_loops


@dataclass(frozen=True, slots=True)
class Lowered:
    """A kernel and what its parameters stand for.

    ``arrays`` maps buffer names to values (or scratch). ``nodes`` are computed in it, ``checks`` are ``(node, axis)`` by
    number. ``padded`` gives the whole extent of arrays that are written beyond their last element.
    """

    kernel: Kernel
    arrays: Mapping[str, Array]
    nodes: tuple[Node, ...]
    checks: tuple[tuple[Node, int], ...] = ()
    padded: Mapping[str, Shape] = field(default_factory=dict)


def lower_cluster(cluster: Cluster, is_array: Callable[[Value], bool]) -> list[Lowered]:
    """The kernels of a cluster, in order. ``is_array`` says which values exist as arrays outside it."""
    inside = {id(v) for v in cluster.members}
    evaluator = Evaluator(lambda v: id(v) not in inside and is_array(v))
    if cluster.form is Form.CONTRACT:
        body = lower_product(cluster.members[0], cluster.members, cluster.stored, evaluator)
    elif cluster.form is Form.RANDOM:
        body = _lower_random(cluster, evaluator)
    else:
        body = _lower_nest(cluster, evaluator)
    one = assemble(f"{cluster.form.value}_{cluster.number}", cluster.members, evaluator, body)
    if cluster.form is Form.RANDOM:
        return [replace(one, padded={b.name: b.shape for b in one.kernel.buffers if b.mode == "out"})]
    return [one]


def lower_copy(source: Value | Scratch, target: Scratch) -> Lowered:
    """A kernel that writes ``source`` (an array, or a constant written into the code) to another array of its shape."""
    evaluator = Evaluator(lambda v: True)
    axes, variables = open_axes(evaluator, squeeze(target.shape), ())
    index = index_at(evaluator, target.shape, variables)
    nest = Nest(evaluator.s, evaluator.buffers, axes)
    if isinstance(source, Value):
        members, element = [source], evaluator.value(source, index)
    else:
        members, element = [], evaluator.s.load(evaluator.buffer(source), index)
    nest.stores.append(StoreItem(evaluator.buffer(target, write=True).name, index, element))
    coalesce(nest)
    return assemble("copy", members, evaluator, build_loops(nest))


def assemble(name: str, members: Sequence[Value], evaluator: Evaluator, body: tuple[Stmt, ...]) -> Lowered:
    """The kernel around a body."""
    plain = Kernel(name, tuple(evaluator.buffers.values()), (), body, len(evaluator.s.checks))
    kernel = Kernel(name, plain.buffers, sizes_of(plain), body, plain.checks)
    checks: list[tuple[Node, int]] = []
    for site, axis in evaluator.s.checks:
        if not isinstance(site, Node):
            raise InternalError("a bounds check without a node")
        checks.append((site, axis))
    return Lowered(kernel, dict(evaluator.arrays), tuple(v.node for v in members), tuple(checks))


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


def index_at(evaluator: Evaluator, shape: Shape, variables: Sequence[Expr]) -> Index:
    """The index of a shape's element: a variable for each axis longer than one, else 0."""
    zero = evaluator.s.index(0)
    return tuple(zero if k == ZERO else variables[k] for k in axis_numbers(shape))


def _lower_nest(cluster: Cluster, evaluator: Evaluator) -> tuple[Stmt, ...]:
    axes, index = open_axes(evaluator, cluster.domain, cluster.reduced)
    nest = Nest(evaluator.s, evaluator.buffers, axes)
    fill_nest(nest, cluster, evaluator, index)
    coalesce(nest)
    return build_loops(nest)


def fill_nest(nest: Nest, cluster: Cluster, evaluator: Evaluator, index: Index) -> None:
    """Folds and stores of a cluster's members; ``index`` are the variables of its domain."""
    outer = tuple(index[k] for k in cluster.kept)
    stored = {id(v) for v in cluster.stored}
    for value in cluster.members:
        if isinstance(value.op, (Reduction, Contraction)):
            evaluator.given[id(value)] = _lower_fold(nest, value.node, evaluator, index, bool(cluster.reduced))
        full = bool(cluster.reduced) and squeeze(value.shape) == cluster.domain
        at = index_at(evaluator, value.shape, index if full else outer)
        result = evaluator.value(value, at)
        if id(value) in stored:
            buffer = evaluator.buffer(value, write=True)
            nest.stores.append(StoreItem(buffer.name, at, result, full))


def _factors(node: Node, evaluator: Evaluator, index: Index) -> tuple[Expr, Expr]:
    """The two factors of one term of a contraction, at an index over the result's letters, then the summed ones."""
    op, zero = node.op, evaluator.s.index(0)
    assert isinstance(op, Contraction)
    left, right, out = op.labels
    sizes = dict(zip(left + right, node.inputs[0].shape + node.inputs[1].shape, strict=True))
    long = [c for c in out + op.summed if sizes[c] != 1]
    at = dict(zip(long, index, strict=True))
    a, b = (
        evaluator.value(v, tuple(at.get(c, zero) for c in labels))
        for v, labels in zip(node.inputs, (left, right), strict=True)
    )
    return a, b


def _lower_fold(nest: Nest, node: Node, evaluator: Evaluator, index: Index, loops: bool) -> Expr:
    """The finished value of a reduction or a sum of products; without ``loops`` it is over one element."""
    if loops:
        item, result = _fold_of(nest, node, evaluator, index)
        nest.folds.append(item)
        return result
    s, op = evaluator.s, node.op
    if isinstance(op, Contraction):
        return s.mul(*_factors(node, evaluator, index))
    assert isinstance(op, Reduction)
    (x,) = node.inputs
    element = evaluator.value(x, index_at(evaluator, x.shape, index))
    return op.finish(s, op.step(s, op.init(s, x.dtype), element, s.index(0)))


def _fold_of(nest: Nest, node: Node, evaluator: Evaluator, index: Index) -> tuple[FoldItem, Expr]:
    """A reduction (or a sum of products) as a fold, and its finished value."""
    s, op = evaluator.s, node.op
    if isinstance(op, Contraction):
        zero = s.const(0, node.output.dtype)
        name = s.fresh("a")
        state = s.var(name, zero.dtype)
        factors = _factors(node, evaluator, index)
        longer = s.fma(*factors, state) if zero.dtype.is_float else s.add(state, s.mul(*factors))
        return FoldItem((name,), (zero.dtype,), (zero,), (longer,), lambda a, b: (s.add(a[0], b[0]),)), state
    assert isinstance(op, Reduction)
    (x,) = node.inputs
    element = evaluator.value(x, index_at(evaluator, x.shape, index))
    init = op.init(s, x.dtype)
    names = tuple(s.fresh("a") for _ in init)
    states = tuple(s.var(n, e.dtype) for n, e in zip(names, init, strict=True))
    if nest.position is None:
        nest.position = s.var("position", s.index(0).dtype)
    step = op.step(s, states, element, nest.position)
    item = FoldItem(names, tuple(e.dtype for e in init), init, step, lambda a, b: op.merge(s, a, b))
    return item, op.finish(s, states)


def _lower_random(cluster: Cluster, evaluator: Evaluator) -> tuple[Stmt, ...]:
    """Counters in the outer loop, lanes in the inner one; each of the four words of a counter goes to its own element.

    Arrays written here end at a whole block; the part past their last element is padding.
    """
    s = evaluator.s
    count: Dim = 1
    for d in cluster.domain:
        count = count * d
    blocks = (count + (BLOCK - 1)) // BLOCK
    block = s.loop_var(s.fresh("i"), blocks)
    lane = s.loop_var(s.fresh("i"), LANES)
    counter = s.add(s.mul(block, s.index(LANES)), lane)
    bits: dict[int, tuple[Expr, ...]] = {}
    for value in cluster.members:
        if isinstance(value.op, RandomBits):
            key = [evaluator.value(value.node.inputs[0], (s.index(k),)) for k in range(4)]
            bits[id(value)] = value.op.words(s, counter, key)
    nest = Nest(s, evaluator.buffers)
    for word in range(WORDS):
        evaluator.forget()
        evaluator.given |= {i: words[word] for i, words in bits.items()}
        for value in cluster.members:
            if id(value) not in bits:
                origin = tuple(s.index(0) for _ in value.shape)
                evaluator.given[id(value)] = evaluator.element(value.node, origin)
        flat = s.add(s.add(s.mul(block, s.index(BLOCK)), s.index(LANES * word)), lane)
        for value in cluster.stored:
            buffer = evaluator.buffer(value, write=True, shape=(blocks * BLOCK,))
            nest.stores.append(StoreItem(buffer.name, (flat,), evaluator.given[id(value)]))
    assert isinstance(block, Var)
    assert isinstance(lane, Var)
    nest.axes = [Axis(block, blocks, "kept"), Axis(lane, LANES, "lane")]
    return build_loops(nest)


__all__ = ["Lowered", "assemble", "lower_cluster", "lower_copy"]
