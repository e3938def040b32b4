"""Which values must exist as arrays, and what inlining the others costs.

A value is either *stored* (some kernel writes its array) or *inlined*: computed anew in every kernel that needs an
element. Here is what clustering has to respect: results of the graph, operands of matrix products, arrays that a
reshape renames.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..ir.graph import Graph, Node, Value
from ..ir.op import Control, Elementwise, Host, Indexed, Leaf, Scatter
from ..ir.ops.contraction import Contraction
from ..ir.ops.leaves import Constant
from ..ir.ops.ordering import ArgSort
from ..ir.ops.recomputing import Barrier
from ..ir.ops.views import Reshape
from .access import ZERO, Access, Meanings, compose, identity, is_view, squeeze

#: A value costs little if recomputing it in a second kernel is cheaper than writing and reading it.
CHEAP = 6
CHEAP_READS = 3
#: Values looked at for a reader of a state; beyond that there might be one.
_SEARCHED = 256


@dataclass(frozen=True, slots=True)
class Inline:
    """What an element of a value costs when computed in place: arithmetic, the arrays read (at accesses of its
    axes), and how many inlined values deep it is."""

    cost: int
    reads: tuple[tuple[Value, Access], ...]
    depth: int
    #: Whether every element is the same: it is computed in front of the loops.
    is_uniform: bool


@dataclass(slots=True)
class Demand:
    """Facts about a graph's values, by ``id``.

    ``stored`` says why a value must be an array; ``aliases`` maps a reshape to the value whose memory it renames, and
    so a barrier, for which ``waits`` has what must be computed before it is read; ``careful`` are values that some op
    reads repeatedly or at computed places; ``uses`` counts reading nodes (results count as one).
    """

    meanings: Meanings
    stored: dict[int, str] = field(default_factory=dict)
    aliases: dict[int, Value] = field(default_factory=dict)
    waits: dict[int, tuple[Value, ...]] = field(default_factory=dict)
    careful: set[int] = field(default_factory=set)
    uses: dict[int, int] = field(default_factory=dict)

    def base(self, value: Value) -> Value:
        """The value whose array holds ``value``, through any number of reshapes."""
        while id(value) in self.aliases:
            value = self.aliases[id(value)]
        return value

    def waited_for(self, value: Value) -> list[Value]:
        """What must be computed before ``value`` is read, besides itself."""
        found: list[Value] = []
        while id(value) in self.aliases:
            found += self.waits.get(id(value), ())
            value = self.aliases[id(value)]
        return found


def is_splat(value: Value) -> bool:
    """A constant whose elements all have the same bits: written into the code instead of read."""
    if not isinstance(value.op, Constant):
        return False
    array = value.op.literal.array
    if array.size <= 1:
        return array.size == 1
    flat = array.reshape(-1)
    return flat[:1].tobytes() * flat.size == flat.tobytes()


def find_demand(graph: Graph, meanings: Meanings) -> Demand:
    """The demand of a closed graph, in one sweep from the results back."""
    demand = Demand(meanings)
    for slot, value in graph.updates:
        _keep_updates(value, graph.states[slot], demand)
    for value in graph.results:
        demand.stored[id(value)] = "a result"
        demand.uses[id(value)] = demand.uses.get(id(value), 0) + 1
    for node in reversed(graph.nodes):
        if isinstance(node.op, Barrier):
            _hold(node, demand)
            continue
        for operand in {id(v): v for v in node.inputs}.values():
            demand.uses[id(operand)] = demand.uses.get(id(operand), 0) + 1
        if isinstance(node.op, Contraction):
            for operand in node.inputs if is_matrix_product(node) else ():
                demand.stored.setdefault(id(stored_operand(operand, meanings)), "an operand of a matrix product")
        elif isinstance(node.op, (Control, Host)):
            whose = "a loop" if isinstance(node.op, Control) else "Python"
            demand.stored.update((id(v), f"a result of {whose}") for v in node.outputs)
            for operand in node.inputs:
                demand.stored.setdefault(id(operand), f"an operand of {whose}")
        elif isinstance(node.op, ArgSort):
            demand.stored.setdefault(id(node.inputs[0]), "sorted")
        elif isinstance(node.op, Indexed):
            _look_at(node, demand)
    return demand


def _hold(node: Node, demand: Demand) -> None:
    """A barrier is another name of an array, for readers that come later."""
    value, (held, *before) = node.output, node.inputs
    demand.aliases[id(value)] = held
    demand.waits[id(value)] = tuple(before)
    demand.stored.setdefault(id(held), "kept for the backward pass, where the rest is computed again")
    demand.uses[id(held)] = demand.uses.get(id(held), 0) + 1


def _keep_updates(value: Value, state: Value, demand: Demand) -> None:
    """What is scattered into a state is computed before, where the state is read for it: so it can go on in place."""
    while isinstance(value.op, (Reshape, Scatter)):
        if isinstance(value.op, Scatter):
            updates = value.node.inputs[1]
            if _is_inlined_reader(updates, state):
                demand.stored.setdefault(id(updates), "put into a state that it is computed from")
        value = value.node.inputs[0]


def _is_inlined_reader(value: Value, state: Value) -> bool:
    """Whether elements of a value could be computed from those of a state without an array between them."""
    stack, seen = [value], {id(value)}
    while stack:
        node = stack.pop().node
        if not isinstance(node.op, (Elementwise, Indexed)):
            continue
        if state in node.inputs or len(seen) > _SEARCHED:
            return True
        stack += [v for v in node.inputs if id(v) not in seen]
        seen.update(id(v) for v in node.inputs)
    return False


def _look_at(node: Node, demand: Demand) -> None:
    assert isinstance(node.op, Indexed)
    meaning, value = demand.meanings.of(node), node.output
    inlined = is_view(meaning) and None not in meaning.reads[0].access and id(value) not in demand.stored
    if isinstance(node.op, Reshape) and not inlined:
        demand.aliases[id(value)] = node.inputs[0]
        demand.stored.setdefault(id(node.inputs[0]), "reshaped")
        return
    if node.op.reads_under_mask:
        # A view of a longer array has no element to spare where it is empty; an array of its own has.
        for operand in node.inputs:
            if not isinstance(operand.op, Leaf) and not operand.type.is_static:
                demand.stored.setdefault(id(operand), "read under a mask, and may be empty")
    for read in meaning.reads:
        used = {k for k in read.access if k is not None and k >= 0}
        repeated = len(used) < sum(d != 1 for d in value.shape)
        if repeated or None in read.access or sum(r.operand == read.operand for r in meaning.reads) > 1:
            demand.careful.add(id(node.inputs[read.operand]))


def stored_operand(value: Value, meanings: Meanings) -> Value:
    """The array a product reads for an operand: ``value``, or what it is a view of (transposed, repeated, sliced)."""
    while isinstance(value.op, Indexed) and not isinstance(value.op, Barrier):
        meaning = meanings.of(value.node)
        if not is_view(meaning) or any(a is None for a in meaning.reads[0].affine):
            return value
        value = value.node.inputs[meaning.reads[0].operand]
    return value


def is_matrix_product(node: Node) -> bool:
    """A contraction with rows, columns and a sum, none of length one: work for the matrix kernel; and a single row
    with columns that lie side by side, along which a fold would jump from row to row of the matrix. Others are folds
    of products."""
    op = node.op
    if not isinstance(op, Contraction):
        return False
    _, b, _ = op.labels
    sizes = op.sizes(*(v.shape for v in node.inputs))
    if not all(any(sizes[c] != 1 for c in letters) for letters in (op.columns, op.summed)):
        return False
    last = next(c for c in reversed(b) if sizes[c] != 1)
    return any(sizes[c] != 1 for c in op.rows) or last in op.columns


def inline_of(node: Node, known: dict[int, Inline], meanings: Meanings) -> Inline:
    """The cost and reads of an elementwise or indexed node whose inlined operands are in ``known``."""
    meaning = meanings.of(node)
    cost, uniform, depth = meaning.cost, 0, 1
    reads: dict[tuple[int, Access], tuple[Value, Access]] = {}
    for read in meaning.reads:
        operand = node.inputs[read.operand]
        for source, access in reads_of(operand, known):
            at = compose(read.access, operand.shape, access)
            reads[id(source), at] = (source, at)
        inline = known.get(id(operand))
        if inline is not None:
            depth = max(depth, inline.depth + 1)
            if inline.is_uniform:
                uniform += inline.cost
            else:
                cost += inline.cost
    is_uniform = all([k == ZERO for _, access in reads for k in access])  # noqa: C419 - quicker than a generator
    return Inline(cost + uniform if is_uniform else cost, tuple(reads.values()), depth, is_uniform)


def reads_of(value: Value, known: dict[int, Inline]) -> tuple[tuple[Value, Access], ...]:
    """The arrays read for an element of ``value``: its own if it is not inlined."""
    inline = known.get(id(value))
    if inline is not None:
        return inline.reads
    return () if is_splat(value) else ((value, identity(value.shape)),)


def is_cheap(value: Value, inline: Inline) -> bool:
    """Whether a value costs little to compute once more: few operations, few reads. An array that has an element for
    many of the value, such as a bias, stays in the cache and does not count."""
    axes = len(squeeze(value.shape))
    wide = sum(len(access) - access.count(ZERO) >= axes for _, access in inline.reads)
    return inline.cost <= CHEAP and wide <= CHEAP_READS
