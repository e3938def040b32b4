"""Forming clusters: one sweep over the nodes, operands first, that finds a home for each value that needs one.

A value joins the cluster of something it reads when it can be computed in the same loops, at the element where its
operand is computed, and when no path leads out of that cluster and back. The search for such a path looks only at
clusters with nodes younger than the cluster's oldest, and gives up (no fusion) after a fixed number, so that the sweep
is linear. Shapes here are without axes of length one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import InternalError
from ..ir.dims import Shape
from ..ir.graph import Graph, Node, Value
from ..ir.op import Accumulation, Control, Elementwise, Host, Indexed, Leaf, Reduction, Scatter
from ..ir.ops.contraction import Contraction
from ..ir.ops.ordering import ArgSort
from ..ir.ops.random import RandomBits
from .access import ZERO, Access, Meanings, axis_numbers, compose, identity, squeeze
from .cluster import Form
from .demand import Demand, Inline, find_demand, inline_of, is_cheap, is_matrix_product, reads_of, stored_operand

#: The same for a value that its reader reads many times over.
CHEAP_REPEATED = 3
CHEAP_SCALAR = 15
MAX_DEPTH = 64
MAX_READS = 16
MAX_MEMBERS = 96
SEARCH_LIMIT = 256

_FOLDING = (Form.ROW, Form.FOLD)
_NARROWER = "narrower than what it is computed from"
_EPILOGUE = "computed from a matrix product"
_RENAMED = "a reshape: the same array under another shape"
_BEHIND = "the same array, for what is computed again in the backward pass"
#: Reasons to be stored that only hold in the cluster of the operand.
_WISHES = (_NARROWER, _EPILOGUE)
_PREFERENCE = {
    Form.CONTRACT: 0, Form.ROW: 1, Form.FOLD: 2, Form.MAP: 3, Form.RANDOM: 4, Form.ORDERED: 5, Form.LOOP: 6,
    Form.HOST: 7,
}  # fmt: skip


@dataclass(slots=True, eq=False)
class Draft:
    """A cluster being formed. ``reads`` are (reader is at the whole domain, array, access) of its members."""

    number: int
    form: Form
    domain: Shape
    reduced: tuple[int, ...]
    first: int
    last: int
    members: list[Value] = field(default_factory=list)
    reads: dict[tuple[bool, int, Access], tuple[bool, Value, Access]] = field(default_factory=dict)
    feeds: set[int] = field(default_factory=set)
    merged_into: int = -1

    @property
    def kept(self) -> tuple[int, ...]:
        return tuple(k for k in range(len(self.domain)) if k not in self.reduced)

    @property
    def outer(self) -> Shape:
        return tuple(self.domain[k] for k in self.kept)

    def is_full(self, shape: Shape) -> bool:
        """Whether values of this shape live on the whole domain (else on the kept axes)."""
        return bool(self.reduced) and squeeze(shape) == self.domain

    def aligned(self, reader_full: bool, member: Shape) -> Access | None:
        """The access at which a reader sees the member's current element; None if it never does."""
        if self.is_full(member):
            return identity(member) if reader_full else None
        if not reader_full:
            return identity(member)
        return tuple(ZERO if k == ZERO else self.kept[k] for k in axis_numbers(member))


class Fusion:
    """The sweep. ``drafts`` are clusters so far, ``inline`` what inlined values cost, ``home`` the draft of each other
    value."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.demand: Demand = find_demand(graph, Meanings())
        self.drafts: list[Draft] = []
        self.inline: dict[int, Inline] = {}
        self.home: dict[int, int] = {}
        self.decisions: list[tuple[Value, int, str]] = []
        self.siblings: dict[tuple[object, ...], int] = {}
        self.results = {id(self.demand.base(v)) for v in graph.results}
        self.time = 0

    # -- the sweep ------------------------------------------------------------------------------------------------
    def run(self) -> None:
        for time, node in enumerate(self.graph.nodes):
            self.time = time
            if isinstance(node.op, Leaf):
                continue
            if isinstance(node.op, Contraction):
                self.place_contraction(node)
            elif isinstance(node.op, Reduction):
                self.place_reduction(node)
            elif isinstance(node.op, (Elementwise, Indexed)):
                self.place_pointwise(node)
            elif isinstance(node.op, (Accumulation, Scatter, ArgSort)):
                self.place_ordered(node)
            elif isinstance(node.op, Control):
                self.place_alone(node, Form.LOOP, "a loop of its own")
            elif isinstance(node.op, Host):
                self.place_alone(node, Form.HOST, "computed by Python")
            else:
                raise InternalError(f"op {node.op.name} reached code generation; it must be expanded before")

    def place_contraction(self, node: Node) -> None:
        value = node.output
        if is_matrix_product(node):
            reads = [(stored_operand(v, self.demand.meanings), (None,)) for v in node.inputs]
            draft = self.open(Form.CONTRACT, squeeze(value.shape), ())
            self.join(draft, value, [(True, v, a) for v, a in reads], "a matrix product")
            return
        op = node.op
        assert isinstance(op, Contraction)
        a, b, out = op.labels
        sizes = op.sizes(*(v.shape for v in node.inputs))
        kept, summed = ([c for c in letters if sizes[c] != 1] for letters in (out, op.summed))
        axes = kept + summed
        domain = tuple(sizes[c] for c in axes)
        found: list[tuple[bool, Value, Access]] = []
        for labels, operand in ((a, node.inputs[0]), (b, node.inputs[1])):
            here = tuple(axes.index(c) if sizes[c] != 1 else ZERO for c in labels)
            for source, access in reads_of(operand, self.inline):
                found.append((bool(summed), source, compose(here, operand.shape, access)))
        reduced = tuple(range(len(kept), len(axes)))
        form = Form.MAP if not reduced else Form.ROW if kept else Form.FOLD
        self.join(self.open(form, domain, reduced), value, found, "a sum of products without rows or columns")

    def place_alone(self, node: Node, form: Form, reason: str) -> None:
        draft = self.open(form, (), ())
        for value in node.outputs:
            self.join(draft, value, [(False, v, identity(v.shape)) for v in node.inputs], reason)

    def place_reduction(self, node: Node) -> None:
        (x,), op, value = node.inputs, node.op, node.output
        assert isinstance(op, Reduction)
        domain, numbers = squeeze(x.shape), axis_numbers(x.shape)
        reduced = tuple(numbers[k] for k in op.axes if numbers[k] != ZERO)
        reads = [(bool(reduced), source, access) for source, access in reads_of(x, self.inline)]
        trailing = 0 < len(reduced) < len(domain) and reduced == tuple(range(len(domain)))[-len(reduced) :]
        if not reduced:
            self.join(self.open(Form.MAP, domain, ()), value, reads, "a fold over axes of length one")
            return
        keys: list[tuple[object, ...]] = [(id(source), access, domain, reduced) for _, source, access in reads]
        if len(reduced) == len(domain):
            keys.append(("total", domain))
        candidates = self.candidates(reads) + [self.find(self.siblings[k]) for k in keys if k in self.siblings]
        why_not = "nothing it reads is computed in loops it fits"
        for draft in dict.fromkeys(candidates):
            widened = draft.form is Form.MAP and trailing and draft.domain == domain
            if not widened and (draft.form not in _FOLDING or (draft.domain, draft.reduced) != (domain, reduced)):
                continue
            as_rows = Draft(draft.number, Form.ROW, domain, reduced, draft.first, draft.last, draft.members)
            refusal = self.refuse(as_rows if widened else draft, reads)
            if refusal:
                why_not = refusal
                continue
            if widened:
                draft.form, draft.reduced = Form.ROW, reduced
                draft.reads = {(True, i, a): (True, v, a) for (_, i, a), (_, v, _) in draft.reads.items()}
            self.join(draft, value, reads, "a fold over the same rows" if trailing else "a fold over the same axes")
            self.absorb(draft, x, reads)
            return
        draft = self.open(Form.ROW if trailing else Form.FOLD, domain, reduced)
        self.join(draft, value, reads, f"a fold of its own: {why_not}")

    def place_ordered(self, node: Node) -> None:
        value = node.output
        reads = {id(source): source for v in node.inputs for source, _ in reads_of(v, self.inline)}
        draft = self.open(Form.ORDERED, squeeze(value.shape), ())
        self.join(draft, value, [(False, v, (None,)) for v in reads.values()], "a loop that runs in order")

    def place_pointwise(self, node: Node) -> None:
        value = node.output
        if id(value) in self.demand.aliases:
            self.note(value, -1, _BEHIND if id(value) in self.demand.waits else _RENAMED)
            return
        inline = inline_of(node, self.inline, self.demand.meanings)
        if isinstance(node.op, RandomBits) and id(value) not in self.results:
            draft = self.open(Form.RANDOM, squeeze(value.shape), ())
            self.join(draft, value, [(False, v, a) for v, a in inline.reads], "random bits are computed once")
            return
        why = self.why_stored(value, inline)
        if not why:
            self.inline[id(value)] = inline
            self.note(value, -1, "cheap to recompute" if self.demand.uses.get(id(value), 0) > 1 else "one reader")
            return
        why_not = "it reads nothing computed in loops it fits"
        for draft in self.pointwise_candidates(value, inline):
            full = draft.is_full(value.shape)
            if squeeze(value.shape) != draft.outer and not (full and draft.form is Form.ROW):
                continue
            reads = [(full, v, a) for v, a in inline.reads]
            refusal = self.refuse_pointwise(draft, value, reads)
            if not refusal:
                self.join(draft, value, reads, f"{why}; computed in the same loops as what it reads")
                self.absorb(draft, value, reads)
                return
            why_not = refusal
        if why in _WISHES:
            self.inline[id(value)] = inline
            self.note(value, -1, f"recomputed: {why_not}")
            return
        draft = self.open(Form.MAP, squeeze(value.shape), ())
        self.join(draft, value, [(False, v, a) for v, a in inline.reads], f"{why}; a kernel of its own: {why_not}")

    def why_stored(self, value: Value, inline: Inline) -> str:
        """Why a value should have a home, or ``""`` where it is better inlined."""
        if id(value) in self.demand.stored:
            return self.demand.stored[id(value)]
        if len(inline.reads) > MAX_READS:
            return "reads too many arrays to be inlined"
        if self.demand.uses.get(id(value), 0) > 1 and not is_cheap(value, inline):
            return "several readers, and not cheap"
        if id(value) in self.demand.careful and inline.cost > (CHEAP_SCALAR if inline.is_uniform else CHEAP_REPEATED):
            return "read many times over, and not cheap"
        if inline.depth > MAX_DEPTH:
            return "a long chain is cut here"
        if isinstance(value.op, Elementwise):
            for source, _ in inline.reads:
                draft = self.draft_of(source)
                if draft is None or squeeze(source.shape) != squeeze(value.shape):
                    continue
                if source.dtype.itemsize > value.dtype.itemsize:
                    return _NARROWER
                if draft.form is Form.CONTRACT and source.dtype.itemsize == value.dtype.itemsize:
                    return _EPILOGUE
        return ""

    # -- candidates and refusals ------------------------------------------------------------------------------------
    def find(self, number: int) -> Draft:
        draft = self.drafts[number]
        while draft.merged_into >= 0:
            draft = self.drafts[draft.merged_into]
        return draft

    def draft_of(self, value: Value) -> Draft | None:
        """The draft that computes the array ``value`` is in, if one does."""
        number = self.home.get(id(self.demand.base(value)))
        return None if number is None else self.find(number)

    def awaited(self, source: Value) -> list[Draft]:
        """The drafts that must have run before the array is read, besides that which computes it."""
        if not self.demand.waits:
            return []
        waited = self.demand.waited_for(source)
        found = [self.draft_of(v) for value in waited for v, _ in reads_of(value, self.inline)]
        return [draft for draft in found if draft is not None]

    def candidates(self, reads: list[tuple[bool, Value, Access]]) -> list[Draft]:
        found = {d.number: d for _, v, _ in reads if id(v) in self.home for d in [self.find(self.home[id(v)])]}
        return sorted(found.values(), key=lambda d: (_PREFERENCE[d.form], -d.last))

    def pointwise_candidates(self, value: Value, inline: Inline) -> list[Draft]:
        drafts = self.candidates([(False, v, a) for v, a in inline.reads])
        same = identity(value.shape)
        keys: list[tuple[object, ...]] = [(id(v), squeeze(value.shape)) for v, a in inline.reads if a == same]
        if not squeeze(value.shape):
            keys.append(("scalars",))
        drafts += [self.find(self.siblings[k]) for k in keys if k in self.siblings]
        return list(dict.fromkeys(drafts))

    def refuse_pointwise(self, draft: Draft, value: Value, reads: list[tuple[bool, Value, Access]]) -> str:
        if draft.form is Form.RANDOM:
            inside = {id(v) for v in draft.members}
            scalars_only = all(id(v) in inside or all(k == ZERO for k in a) for _, v, a in reads)
            if id(value) in self.results or not scalars_only or not isinstance(value.op, Elementwise):
                return "random bits are drawn in blocks, with nothing but scalars beside them"
        if draft.form is Form.ORDERED:
            return "nothing shares a loop that runs in order"
        if draft.form is Form.CONTRACT and any(None in a for _, _, a in reads):
            return "an epilogue reads arrays at its own row and column only"
        return self.refuse(draft, reads)

    def refuse(self, draft: Draft, reads: list[tuple[bool, Value, Access]]) -> str:
        """Why a value with these reads cannot be computed in the loops of ``draft``, or ``""``."""
        if draft.form is Form.LOOP:
            return "what it reads is computed step by step"
        if draft.form is Form.HOST:
            return "what it reads is computed by Python"
        if len(draft.members) >= MAX_MEMBERS:
            return "the cluster is full"
        sources: dict[int, Draft] = {}
        for full, source, access in reads:
            for before in self.awaited(source):
                if before.number == draft.number:
                    return f"it reads {source.op.name} of an array only after that kernel"
                sources[before.number] = before
            home = self.draft_of(source)
            if home is None:
                continue
            if home.number != draft.number:
                sources[home.number] = home
            elif id(source) in self.demand.aliases:
                return "it reads a reshape of an array computed in the same loops"
            elif draft.aligned(full, source.shape) != access:
                return f"it reads {source.op.name} of that kernel at other elements"
        for source_draft in sources.values():
            if self.reaches(source_draft, draft):
                return "another operand depends on that kernel"
        return ""

    def reaches(self, start: Draft, goal: Draft) -> bool:
        """Whether ``start`` depends on ``goal`` (True also when the search gets too long)."""
        seen = {start.number}
        stack = [start]
        while stack:
            draft = stack.pop()
            if draft.number == goal.number or len(seen) > SEARCH_LIMIT:
                return True
            for number in draft.feeds:
                feed = self.find(number)
                if feed.number not in seen and feed.last >= goal.first:
                    seen.add(feed.number)
                    stack.append(feed)
        return False

    # -- changes ------------------------------------------------------------------------------------------------
    def open(self, form: Form, domain: Shape, reduced: tuple[int, ...]) -> Draft:
        draft = Draft(len(self.drafts), form, domain, reduced, self.time, self.time)
        self.drafts.append(draft)
        if form is Form.MAP and not domain:
            self.siblings["scalars",] = draft.number
        if form is Form.FOLD and len(reduced) == len(domain):
            self.siblings["total", domain] = draft.number
        return draft

    def join(self, draft: Draft, value: Value, reads: list[tuple[bool, Value, Access]], reason: str) -> None:
        draft.members.append(value)
        draft.last = self.time
        self.home[id(value)] = draft.number
        for full, source, access in reads:
            home = self.draft_of(source)
            for before in (home, *self.awaited(source)):
                if before is not None and before.number != draft.number:
                    draft.feeds.add(before.number)
            draft.reads[full, id(source), access] = (full, source, access)
            if full and draft.reduced:
                self.siblings[id(source), access, draft.domain, draft.reduced] = draft.number
            elif draft.form is Form.MAP and access == identity(source.shape) and squeeze(source.shape) == draft.domain:
                self.siblings[id(source), draft.domain] = draft.number
        self.note(value, draft.number, reason)

    def absorb(self, draft: Draft, value: Value, reads: list[tuple[bool, Value, Access]]) -> None:
        """Merge the map clusters that compute what is read at the level of ``value``, and clusters over the same
        rows."""
        if draft.form not in (Form.MAP, Form.ROW):
            return
        for other in self.candidates(reads):
            same_rows = other.form is Form.ROW and (other.domain, other.reduced) == (draft.domain, draft.reduced)
            same_map = other.form is Form.MAP and other.domain == squeeze(value.shape)
            if other.number != draft.number and (same_rows or same_map) and not self.refuse_merge(draft, other):
                self.merge(draft, other, draft.is_full(value.shape))

    def refuse_merge(self, draft: Draft, other: Draft) -> bool:
        if len(draft.members) + len(other.members) > MAX_MEMBERS:
            return True
        inside, elsewhere = {id(v) for v in draft.members}, {id(v) for v in other.members}
        for full, source, access in draft.reads.values():
            if any(before.number == other.number for before in self.awaited(source)):
                return True
            if id(self.demand.base(source)) not in elsewhere:
                continue
            if id(source) in self.demand.aliases or draft.aligned(full, source.shape) != access:
                return True
        if any(id(self.demand.base(source)) in inside for _, source, _ in other.reads.values()):
            return True
        feeds = [self.find(n) for n in draft.feeds]
        return any(f.number != other.number and self.reaches(f, other) for f in feeds)

    def merge(self, draft: Draft, other: Draft, full: bool) -> None:
        other.merged_into = draft.number
        draft.members = other.members + draft.members
        draft.first = min(draft.first, other.first)
        for at, source, access in other.reads.values():
            level = at if other.form is Form.ROW else full
            draft.reads[level, id(source), access] = (level, source, access)
        draft.feeds = {n for n in draft.feeds | other.feeds if self.find(n).number != draft.number}

    def note(self, value: Value, number: int, reason: str) -> None:
        self.decisions.append((value, number, reason))
