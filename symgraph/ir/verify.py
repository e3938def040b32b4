"""The verifier: what is true of every closed graph, as named invariants."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..errors import InternalError, SymgraphError
from .dims import Dim, SymDim, symbols
from .graph import Graph, Value, topological
from .op import Elementwise, Op
from .ops.leaves import Input, State
from .region import regions_of
from .types import Facts

#: Yields a sentence for each place where an invariant is broken.
Check = Callable[[Graph], Iterator[str]]


def is_ordered(graph: Graph) -> Iterator[str]:
    """Operands come before the nodes that use them, and every leaf and result is a value of some node of the graph."""
    seen: set[int] = set()
    for node in graph.nodes:
        for operand in node.inputs:
            if id(operand) not in seen:
                yield f"{node!r} uses {operand!r} before it is made"
        seen.update(id(v) for v in node.outputs)
    for value in (*graph.inputs, *graph.states, *graph.results):
        if id(value) not in seen:
            yield f"{value!r} is not in the graph"


def is_linked(graph: Graph) -> Iterator[str]:
    """The results of a node know it and their place."""
    for node in graph.nodes:
        for index, value in enumerate(node.outputs):
            if value.node is not node or value.index != index:
                yield f"result {index} of {node!r} belongs to {value!r}"


def is_live(graph: Graph) -> Iterator[str]:
    """Every node is a leaf of the signature, or needed for a result."""
    needed = {id(n) for n in topological(graph.results)} | {id(v.node) for v in (*graph.inputs, *graph.states)}
    for node in graph.nodes:
        if id(node) not in needed:
            yield f"no result needs {node!r}"


def is_interned(graph: Graph) -> Iterator[str]:
    """No two nodes apply equal ops to the same operands."""
    seen: set[tuple[Op, tuple[int, ...]]] = set()
    for node in graph.nodes:
        key = (node.op, tuple(id(v) for v in node.inputs))
        if key in seen:
            yield f"{node!r} occurs twice"
        seen.add(key)


def has_slots(graph: Graph) -> Iterator[str]:
    """Input and state leaves are those of the signature, each in its own slot."""
    for values, kind in ((graph.inputs, Input), (graph.states, State)):
        for slot, value in enumerate(values):
            op = value.node.op
            if not isinstance(op, kind) or op.slot != slot:
                yield f"{kind.name} {slot} is {value!r}"
    listed = {id(v.node) for v in (*graph.inputs, *graph.states)}
    for node in graph.nodes:
        if isinstance(node.op, (Input, State)) and id(node) not in listed:
            yield f"{node!r} is not in the signature"


def has_types(graph: Graph) -> Iterator[str]:
    """Inference gives the recorded types again, from the recorded facts alone."""
    facts = Facts(graph.facts)
    known = len(facts.pairs)
    for node in graph.nodes:
        try:
            types = node.op.infer(facts, *(v.type for v in node.inputs))
        except SymgraphError as error:
            yield f"{node!r}: {error}"
            continue
        recorded = tuple(v.type for v in node.outputs)
        if types != recorded:
            yield f"{node!r} should have {', '.join(map(str, types))}"
        if len(facts.pairs) > known:
            known = len(facts.pairs)
            a, b = facts.pairs[-1]
            yield f"{node!r} needs the fact {a} = {b}"


def has_equal_shapes(graph: Graph) -> Iterator[str]:
    """Operands of elementwise ops have the shape of the result; broadcasting is written out."""
    facts = Facts(graph.facts)
    for node in graph.nodes:
        if isinstance(node.op, Elementwise):
            (result,) = node.outputs
            for operand in node.inputs:
                same = operand.type.ndim == result.type.ndim
                if not same or not all(map(facts.are_equal, operand.shape, result.shape)):
                    yield f"{node!r} has an operand of type {operand.type}"


def has_valid_updates(graph: Graph) -> Iterator[str]:
    """Each update is of its own state and keeps its type."""
    slots = [slot for slot, _ in graph.updates]
    for slot, value in graph.updates:
        if not 0 <= slot < len(graph.states):
            yield f"update of state {slot} of {len(graph.states)}"
        elif value.type != graph.states[slot].type:
            yield f"state {slot} of type {graph.states[slot].type} is updated with {value!r}"
        if slots.count(slot) > 1:
            yield f"state {slot} is updated {slots.count(slot)} times"


def has_known_sizes(graph: Graph) -> Iterator[str]:
    """Every symbol in a type, an attribute or a fact is in the shape of an input."""
    known = set(symbols(d for v in graph.inputs for d in v.shape))
    for node in graph.nodes:
        dims: list[Dim] = [d for v in node.outputs for d in v.shape]
        for attribute in node.op.attribute_values:
            items = attribute if isinstance(attribute, tuple) else (attribute,)
            dims += [d for d in items if isinstance(d, SymDim)]
        inside = [s for region in regions_of(node.op) for s in sorted(region.symbols, key=lambda s: s.name)]
        for symbol in (*symbols(dims), *inside):
            if symbol not in known:
                yield f"size {symbol} of {node!r} comes from no input"
    for symbol in symbols(d for pair in graph.facts for d in pair):
        if symbol not in known:
            yield f"size {symbol} of a fact comes from no input"


def has_sound_regions(graph: Graph) -> Iterator[str]:
    """What is true of a graph is true of the bodies in it; their sizes are those of the graph around."""
    for node in graph.nodes:
        for region in regions_of(node.op):
            for check in INVARIANTS:
                if check is not has_known_sizes:
                    yield from (f"in the body of {node!r}: {problem}" for problem in check(region.graph))


INVARIANTS: tuple[Check, ...] = (
    is_linked, is_ordered, is_live, is_interned, has_slots, has_types, has_equal_shapes, has_valid_updates,
    has_known_sizes, has_sound_regions,
)  # fmt: skip


def broken_invariants(graph: Graph) -> list[tuple[str, str]]:
    """``(name of the invariant, what is wrong)`` for every fault found."""
    return [(check.__name__, problem) for check in INVARIANTS for problem in check(graph)]


def verify(graph: Graph, stage: str) -> None:
    """Check all invariants.

    Raises:
        InternalError: naming ``stage`` and the first invariant broken.
    """
    for name, problem in broken_invariants(graph):
        raise InternalError(f"after {stage}, graph {graph.name} breaks the invariant {name}: {problem}")


def has_same_signature(before: Graph, after: Graph) -> bool:
    """True where two graphs take and give values of the same types."""

    def types(values: tuple[Value, ...]) -> list[str]:
        return [str(v.type) for v in values]

    return (
        types(before.inputs) == types(after.inputs)
        and types(before.states) == types(after.states)
        and types(before.outputs) == types(after.outputs)
        and [s for s, _ in before.updates] == [s for s, _ in after.updates]
    )
