"""Which values of finished clusters are written to arrays."""

from __future__ import annotations

from ..ir.graph import Graph, Value
from ..ir.op import Elementwise, Indexed, Leaf
from ..ir.ops.random import RandomBits
from .cluster import Cluster, Clusters, Decision, Form
from .demand import Inline, inline_of
from .fusion import CHEAP, CHEAP_READS, Draft, Fusion


def choose_stored(fusion: Fusion) -> set[int]:
    """The ids of members that are written: results, and what other clusters read and cannot cheaply recompute.

    A cheap member is recomputed by its outside readers when all it reads are arrays anyway. A matrix product with
    several such members is stored itself, so that they are.
    """
    outside = _read_outside(fusion)
    demanded = fusion.demand.stored
    for draft in fusion.drafts:
        if draft.form is Form.CONTRACT and draft.merged_into < 0:
            _prefer_product(fusion, draft, outside)
    out: set[int] = set()
    inline = dict(fusion.inline)
    for value, number, _ in fusion.decisions:
        if number < 0:
            continue
        wanted = id(value) in demanded or id(value) in outside
        is_free = id(value) not in demanded and id(value) not in fusion.demand.careful
        cost = _recomputed(fusion, value, inline)
        if wanted and not (is_free and cost is not None and _is_cheap(fusion, cost, out)):
            out.add(id(value))
        elif cost is not None:
            inline[id(value)] = cost
    return out


def _read_outside(fusion: Fusion) -> set[int]:
    """Members that another cluster than their own reads."""
    found: set[int] = set()
    for draft in fusion.drafts:
        if draft.merged_into >= 0:
            continue
        for _, source, _ in draft.reads.values():
            base = fusion.demand.base(source)
            home = fusion.draft_of(base)
            if home is not None and home.number != draft.number:
                found.add(id(base))
    return found


def _recomputed(fusion: Fusion, value: Value, inline: dict[int, Inline]) -> Inline | None:
    if not isinstance(value.op, (Elementwise, Indexed)) or isinstance(value.op, RandomBits):
        return None
    return inline_of(value.node, inline, fusion.demand.meanings)


def _is_cheap(fusion: Fusion, cost: Inline, stored: set[int]) -> bool:
    bases = [fusion.demand.base(source) for source, _ in cost.reads]
    arrays = all(isinstance(base.op, Leaf) or id(base) in stored for base in bases)
    return arrays and cost.cost <= CHEAP and len(cost.reads) <= CHEAP_READS


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
        if wanted and value.dtype.itemsize >= product.dtype.itemsize and _is_cheap(fusion, cost, {id(product)}):
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
    stored = choose_stored(fusion)
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
        Decision(v, numbers.get(fusion.find(n).number, -1) if n >= 0 else -1, why) for v, n, why in fusion.decisions
    )
    home = {id(v): c.number for c in clusters for v in c.stored}
    return Clusters(graph, tuple(clusters), decisions, home, fusion.demand.aliases, fusion.demand.waits)
