"""From a cluster to kernels in the loop IR."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..dtypes import uint32
from ..errors import InternalError
from ..ir.dims import Shape, evaluate, product, symbols
from ..ir.graph import Node, Value
from ..ir.literal import Literal
from ..ir.op import Reduction
from ..ir.ops.contraction import Contraction
from ..ir.ops.leaves import Constant
from ..ir.ops.random import BLOCK, LANES, WORDS, RandomBits
from ..ir.types import TensorType
from .access import squeeze
from .cluster import Cluster, Form
from .evaluate import Array, Evaluator, Index, Scratch
from .folding import final_states, finished, fold_of, fold_value, index_at, is_long, merge_of, open_axes
from .loop.grammar import Expr, Kernel, Stmt, Var
from .loop.walk import postorder, sizes_of
from .nest import Axis, FoldItem, Nest, StoreItem, coalesce
from .ordered import lower_ordered
from .product import lower_product
from .schedule import build_loops

#: Maps of at most so many elements are written out without loops.
UNROLLED = 8
#: Folds over everything of at least so many elements run in two stages (unknown sizes count as TYPICAL).
LARGE, TYPICAL = 1 << 15, 128
MARK = "unfinished"


@dataclass(frozen=True, slots=True)
class Lowered:
    """A kernel and what its parameters stand for.

    ``arrays`` maps buffer names to values (or scratch). ``nodes`` are computed in it, ``checks`` are ``(node,
    axis)`` by number. ``padded`` gives the whole extent of arrays that are written beyond their last element.
    """

    kernel: Kernel
    arrays: Mapping[str, Array]
    nodes: tuple[Node, ...]
    checks: tuple[tuple[Node, int], ...] = ()
    padded: Mapping[str, Shape] = field(default_factory=dict)

    @property
    def modes(self) -> dict[str, str]:
        """How each parameter is used: ``in``, ``out`` or ``inout``."""
        return {b.name: b.mode for b in self.kernel.buffers}


def lower_cluster(cluster: Cluster, is_array: Callable[[Value], bool]) -> list[Lowered]:
    """The kernels of a cluster, in order. ``is_array`` says which values exist as arrays outside it."""
    inside = {id(v) for v in cluster.members}

    def open_evaluator() -> Evaluator:
        return Evaluator(lambda v: id(v) not in inside and is_array(v))

    name = f"{cluster.form.value}_{cluster.number}"
    if is_large_total(cluster):
        staged = _lower_staged(name, cluster, open_evaluator)
        if staged:
            return staged
    evaluator = open_evaluator()
    if cluster.form is Form.CONTRACT:
        body = lower_product(cluster.members[0], cluster.members, cluster.stored, evaluator)
    elif cluster.form is Form.ORDERED:
        parts = lower_ordered(cluster.members[0], open_evaluator)
        return [assemble(name + suffix, cluster.members, each, part) for suffix, each, part in parts]
    elif cluster.form is Form.RANDOM:
        one = assemble(name, cluster.members, evaluator, _lower_random(cluster, evaluator))
        return [replace(one, padded={b.name: b.shape for b in one.kernel.buffers if b.mode == "out"})]
    elif cluster.form is Form.MAP and is_tiny(cluster.domain):
        body = _lower_unrolled(cluster, evaluator)
    else:
        body = _lower_nest(cluster, evaluator)
    return [assemble(name, cluster.members, evaluator, body)]


def is_tiny(domain: Shape) -> bool:
    """Few enough elements for code without loops, which may also read any element of an array it updates in place."""
    size = product(domain)
    return isinstance(size, int) and 1 < size <= UNROLLED


def is_large_total(cluster: Cluster) -> bool:
    """Folds over all axes of a large domain that has rows."""
    if cluster.form is not Form.FOLD or len(cluster.reduced) < 2 or cluster.kept:
        return False
    size, rows = product(cluster.domain), cluster.domain[0]
    typical = {s.name: TYPICAL for s in symbols([size])}
    return evaluate(size, typical) >= LARGE and evaluate(rows, typical) >= 8


def _lower_unrolled(cluster: Cluster, evaluator: Evaluator) -> tuple[Stmt, ...]:
    nest = Nest(evaluator.s, evaluator.buffers)
    for at in itertools.product(*(range(int(d)) for d in cluster.domain if isinstance(d, int))):
        fill_nest(nest, cluster, evaluator, tuple(evaluator.s.index(i) for i in at))
    coalesce(nest)
    return build_loops(nest)


def _lower_staged(name: str, cluster: Cluster, open_evaluator: Callable[[], Evaluator]) -> list[Lowered]:
    """Two kernels for folds over everything: partial states of each row in parallel, then all of them in order. Empty
    where one fold needs another's result."""
    first = open_evaluator()
    axes, index = open_axes(first, cluster.domain, cluster.reduced[1:])
    nest = Nest(first.s, first.buffers, axes)
    nest.origin = first.s.mul(index[0], first.s.size(product(cluster.domain[1:])))
    folds: list[tuple[Value, FoldItem]] = []
    for value in cluster.members:
        if isinstance(value.op, (Reduction, Contraction)):
            folds.append((value, fold_of(nest, value.node, first, index)))
            first.given[id(value)] = first.s.var(MARK, value.dtype)
    nest.folds = [item for _, item in folds]
    if any(e.name == MARK for e in postorder(nest.roots()) if isinstance(e, Var)):
        return []
    partials: list[list[Scratch]] = []
    for _, item in folds:
        states = final_states(first, item)
        partials.append([Scratch(e.dtype, cluster.domain[:1]) for e in states])
        for scratch, state in zip(partials[-1], states, strict=True):
            nest.stores.append(StoreItem(first.buffer(scratch, write=True).name, index[:1], state))
    coalesce(nest)
    rows = assemble(f"{name}_rows", [v for v, _ in folds], first, build_loops(nest))
    second = open_evaluator()
    axes, index = open_axes(second, cluster.domain[:1], (0,))
    nest = Nest(second.s, second.buffers, axes)
    for (value, _), scratches in zip(folds, partials, strict=True):
        merging = merge_of(value.node, second, [second.s.load(second.buffer(x), index) for x in scratches])
        nest.folds.append(merging)
        second.given[id(value)] = finished(value.node, second, merging)
    store_members(nest, cluster, second, ())
    return [rows, assemble(name, cluster.members, second, build_loops(nest))]


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


def lower_repeat(source: Value, target: Scratch) -> Lowered:
    """A kernel that writes ``source`` to every row of an array with one more axis, in front."""
    evaluator = Evaluator(lambda v: True)
    axes, variables = open_axes(evaluator, squeeze(target.shape), ())
    index = index_at(evaluator, target.shape, variables)
    nest = Nest(evaluator.s, evaluator.buffers, axes)
    element = evaluator.value(source, index[1:])
    nest.stores.append(StoreItem(evaluator.buffer(target, write=True).name, index, element))
    coalesce(nest)
    return assemble("repeat", [source], evaluator, build_loops(nest))


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


def _lower_nest(cluster: Cluster, evaluator: Evaluator) -> tuple[Stmt, ...]:
    axes, index = open_axes(evaluator, cluster.domain, cluster.reduced)
    nest = Nest(evaluator.s, evaluator.buffers, axes)
    fill_nest(nest, cluster, evaluator, index)
    coalesce(nest)
    return build_loops(nest)


def fill_nest(nest: Nest, cluster: Cluster, evaluator: Evaluator, index: Index) -> None:
    """Folds and stores of a cluster's members; ``index`` are the variables of its domain."""
    for value in cluster.members:
        if isinstance(value.op, (Reduction, Contraction)):
            here = index if is_long(value.node) else current_variables(cluster, value, index)
            evaluator.given[id(value)] = fold_value(nest, value.node, evaluator, here)
        else:
            evaluator.value(value, member_index(cluster, value, evaluator, index))
    store_members(nest, cluster, evaluator, index)


def member_index(cluster: Cluster, value: Value, evaluator: Evaluator, index: Index) -> Index:
    """The index of a member's current element."""
    return index_at(evaluator, value.shape, current_variables(cluster, value, index))


def current_variables(cluster: Cluster, value: Value, index: Index) -> Index:
    """The variables of a member's axes: of the whole domain, or of the kept axes."""
    full = bool(cluster.reduced) and squeeze(value.shape) == cluster.domain
    return index if full else tuple(index[k] for k in cluster.kept)


def store_members(nest: Nest, cluster: Cluster, evaluator: Evaluator, index: Index) -> None:
    """Stores of the members that are written."""
    for value in cluster.stored:
        full = bool(cluster.reduced) and squeeze(value.shape) == cluster.domain
        at = member_index(cluster, value, evaluator, index)
        buffer = evaluator.buffer(value, write=True)
        nest.stores.append(StoreItem(buffer.name, at, evaluator.value(value, at), full))


def _constant(word: int) -> Value:
    """An array of one uint32 in the plan."""
    literal: Literal = Literal(np.array([word], np.uint32))
    return Node(Constant(literal), (), (TensorType(uint32, (1,)),), ()).output


def _lower_random(cluster: Cluster, evaluator: Evaluator) -> tuple[Stmt, ...]:
    """Counters in the outer loop, lanes in the inner one; each of the four words of a counter goes to its own element.

    Arrays written here end at a whole block; the part past their last element is padding. Which draw it is comes from
    memory, so that one kernel serves all.
    """
    s = evaluator.s
    blocks = (product(cluster.domain) + (BLOCK - 1)) // BLOCK
    block = s.loop_var(s.fresh("i"), blocks)
    lane = s.loop_var(s.fresh("i"), LANES)
    counter = s.add(s.mul(block, s.index(LANES)), lane)
    bits: dict[int, tuple[Expr, ...]] = {}
    for value in cluster.members:
        if isinstance(value.op, RandomBits):
            key = [evaluator.value(value.node.inputs[0], (s.index(k),)) for k in range(4)]
            draw = s.load(evaluator.buffer(_constant(value.op.draw & 0xFFFFFFFF)), (s.index(0),))
            bits[id(value)] = value.op.words(s, counter, key, draw)
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
