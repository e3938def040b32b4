"""Which values of finished clusters are written to arrays, and which are computed again where they are read.

A value that other clusters read is either kept in an array or computed again by each of them. To keep it costs a
write, a read for each reader, and memory until the last of them has run: between the passes of a training step that is
most of all memory. To compute it again costs arithmetic and the reads of what it is made of. It is done where the
arithmetic is cheap, where everything read is in arrays anyway, and where these would be alive then anyway, or are no
larger than the value itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..ir.graph import Graph, Value
from ..ir.op import Elementwise, Indexed, Leaf
from ..ir.ops.random import RandomBits
from .access import squeeze
from .cluster import Cluster, Clusters, Decision, Form
from .demand import Inline, inline_of, is_cheap
from .fusion import Draft, Fusion

_AGAIN = "computed again where it is read, from what is kept anyway"


@dataclass(slots=True)
class Choice:
    """``stored`` are the ids of the members that are written; ``again`` of those that other clusters compute again."""

    stored: set[int] = field(default_factory=set)
    again: set[int] = field(default_factory=set)


def choose_stored(fusion: Fusion) -> Choice:
    """The members that are written: results, and what other clusters read and do not compute again.

    A matrix product with several members that are cheap to get from it is stored itself, so that they are.
    """
    readers = _readers(fusion)
    demanded = fusion.demand.stored
    outside = _read_outside(fusion, readers)
    for draft in fusion.drafts:
        if draft.form is Form.CONTRACT and draft.merged_into < 0:
            _prefer_product(fusion, draft, outside)
    out = Choice()
    inline = dict(fusion.inline)
    for value, number, _ in fusion.decisions:
        if number < 0:
            continue
        wanted = id(value) in demanded or id(value) in outside
        is_free = id(value) not in demanded and id(value) not in fusion.demand.careful
        cost = _recomputed(fusion, value, inline)
        can = wanted and is_free and cost is not None and _is_cheap(fusion, value, cost, out.stored)
        if can and cost is not None and _lives_on(fusion, value, cost, readers):
            out.again.add(id(value))
            inline[id(value)] = cost
        elif wanted:
            out.stored.add(id(value))
        elif cost is not None:
            inline[id(value)] = cost
    return out


def _readers(fusion: Fusion) -> dict[int, list[Draft]]:
    """The clusters that read an array, by ``id`` of what the array is of."""
    found: dict[int, dict[int, Draft]] = {}
    for draft in fusion.drafts:
        if draft.merged_into < 0:
            for _, source, _ in draft.reads.values():
                found.setdefault(id(fusion.demand.base(source)), {})[draft.number] = draft
    return {key: list(drafts.values()) for key, drafts in found.items()}


def _read_outside(fusion: Fusion, readers: dict[int, list[Draft]]) -> set[int]:
    """Members that another cluster than their own reads."""
    return {
        key for key, drafts in readers.items()
        if key in fusion.home and any(d is not fusion.find(fusion.home[key]) for d in drafts)
    }  # fmt: skip


def _lives_on(fusion: Fusion, value: Value, cost: Inline, readers: dict[int, list[Draft]]) -> bool:
    """Whether the arrays that a value is computed from are alive anyway when it is read; or else, as they then take the
    place of its own array, they are no larger. Nodes are in an order in which a step can run: that tells when."""

    def last_read(array: Value) -> int:
        return max((draft.last for draft in readers.get(id(array), ())), default=-1)

    longer = 0
    for base in {id(b): b for b in (fusion.demand.base(source) for source, _ in cost.reads)}.values():
        is_there = isinstance(base.op, Leaf) or id(base) in fusion.results or last_read(base) >= last_read(value)
        if not is_there and len(squeeze(base.shape)) >= len(squeeze(value.shape)):
            longer += base.dtype.itemsize
    return longer <= value.dtype.itemsize


def _recomputed(fusion: Fusion, value: Value, inline: dict[int, Inline]) -> Inline | None:
    if not isinstance(value.op, (Elementwise, Indexed)) or isinstance(value.op, RandomBits):
        return None
    return inline_of(value.node, inline, fusion.demand.meanings)


def _is_cheap(fusion: Fusion, value: Value, cost: Inline, stored: set[int]) -> bool:
    bases = [fusion.demand.base(source) for source, _ in cost.reads]
    arrays = all(isinstance(base.op, Leaf) or id(base) in stored for base in bases)
    return arrays and is_cheap(value, cost)


def _prefer_product(fusion: Fusion, draft: Draft, outside: set[int]) -> None:
    """Where several values as wide as the product would be stored for outside readers, and each is cheap to get from it
    and leaves, read the product instead."""
    product = draft.members[0]
    inline = dict(fusion.inline)
    from_product = 0
    for value in draft.members[1:]:
        cost = _recomputed(fusion, value, inline)
        if cost is None:
            continue
        inline[id(value)] = cost
        wanted = id(value) in outside and id(value) not in fusion.demand.stored
        if wanted and value.dtype.itemsize >= product.dtype.itemsize and _is_cheap(fusion, value, cost, {id(product)}):
            from_product += 1
    if from_product > 1:
        outside.add(id(product))


def form_clusters(graph: Graph) -> Clusters:
    """Clusters of a closed, optimised graph.

    Raises:
        InternalError: for an op that should have been expanded.
    """
    fusion = Fusion(graph)
    fusion.run()
    choice = choose_stored(fusion)
    stored = choice.stored
    times = {id(v): t for t, node in enumerate(graph.nodes) for v in node.outputs}
    clusters: list[Cluster] = []
    numbers: dict[int, int] = {}
    for draft in fusion.drafts:
        members = tuple(sorted(draft.members, key=lambda v: times[id(v)]))
        kept = tuple(v for v in members if id(v) in stored)
        if draft.merged_into < 0 and kept:
            numbers[draft.number] = len(clusters)
            clusters.append(Cluster(len(clusters), draft.form, draft.domain, draft.reduced, members, kept))
    decisions = tuple(
        Decision(
            v, numbers.get(fusion.find(n).number, -1) if n >= 0 else -1,
            f"{why}; {_AGAIN}" if id(v) in choice.again else why,
        )
        for v, n, why in fusion.decisions
    )  # fmt: skip
    home = {id(v): c.number for c in clusters for v in c.stored}
    return Clusters(graph, tuple(clusters), decisions, home, fusion.demand.aliases, fusion.demand.waits)
