"""Every invariant of the verifier, broken once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from symgraph.dtypes import float32, float64
from symgraph.errors import InternalError
from symgraph.ir.dims import symbol
from symgraph.ir.graph import Graph, Node
from symgraph.ir.ops.arithmetic import Add, Neg
from symgraph.ir.ops.control import Scan
from symgraph.ir.ops.leaves import Input
from symgraph.ir.parser import parse_graph
from symgraph.ir.region import write_region
from symgraph.ir.types import TensorType
from symgraph.ir.verify import INVARIANTS, broken_invariants, has_same_signature, verify

N, M, K = symbol("N"), symbol("M"), symbol("K")
TEXT = """
graph @g dims(N, M) {
  %x = input[slot=0, label="x"] : f32[N,3]
  %y = input[slot=1, label="y"] : f32[M,3]
  %v = state[slot=0, label="v"] : f32[3]
  %0 = neg %x : f32[N,3]
  %1 = sum[[0]] %y : f32[3]
  %2 = add %v, %1 : f32[3]
  return %0
  update state 0 = %2
}
"""


def graph() -> Graph:
    return parse_graph(TEXT)


def shuffle(g: Graph) -> Graph:
    return replace(g, nodes=(*g.nodes[:3], g.nodes[5], g.nodes[3], g.nodes[4]))


def drop_leaf(g: Graph) -> Graph:
    return replace(g, nodes=g.nodes[1:])


def swap_outputs(g: Graph) -> Graph:
    g.nodes[3].outputs = g.nodes[4].outputs
    return g


def add_dead(g: Graph) -> Graph:
    dead = Node(Neg(), (g.outputs[0],), [g.outputs[0].type], ())
    return replace(g, nodes=(*g.nodes, dead))


def add_twin(g: Graph) -> Graph:
    twin = Node(Neg(), g.inputs[:1], [g.inputs[0].type], ())
    return replace(g, outputs=(*g.outputs, twin.output), nodes=(*g.nodes, twin))


def swap_inputs(g: Graph) -> Graph:
    return replace(g, inputs=g.inputs[::-1])


def add_stranger(g: Graph) -> Graph:
    stranger = Node(Input(2, "s", g.inputs[0].type), (), [g.inputs[0].type], ())
    return replace(g, outputs=(*g.outputs, stranger.output), nodes=(*g.nodes, stranger))


def change_type(g: Graph) -> Graph:
    g.outputs[0].type = TensorType(float64, g.outputs[0].shape)
    return g


def join_sizes(g: Graph) -> Graph:
    joined = Node(Add(), g.inputs, [g.inputs[0].type], ())
    return replace(g, outputs=(*g.outputs, joined.output), nodes=(*g.nodes, joined))


def mix_shapes(g: Graph) -> Graph:
    mixed = Node(Add(), (g.inputs[0], g.states[0]), [g.inputs[0].type], ())
    return replace(g, outputs=(*g.outputs, mixed.output), nodes=(*g.nodes, mixed))


def update_twice(g: Graph) -> Graph:
    return replace(g, updates=g.updates * 2)


def update_nothing(g: Graph) -> Graph:
    return replace(g, updates=((7, g.updates[0][1]),))


def update_with_other_type(g: Graph) -> Graph:
    return replace(g, updates=((0, g.outputs[0]),))


def free_size(g: Graph) -> Graph:
    g.outputs[0].type = TensorType(float32, (K, 3))
    return g


def free_fact(g: Graph) -> Graph:
    return replace(g, facts=((K, 3),))


def spoil_body(g: Graph) -> Graph:
    region = write_region([TensorType(float32, (3,))], lambda b, v: [b.neg(v[0])])
    loop = Node(Scan(region, N, (0,), (False,), (), (False,)), g.inputs[:1], [g.inputs[0].type], ())
    object.__setattr__(region.graph, "nodes", region.graph.nodes[::-1])
    return replace(g, outputs=(*g.outputs, loop.output), nodes=(*g.nodes, loop))


BREAKS: list[tuple[str, Callable[[Graph], Graph]]] = [
    ("is_linked", swap_outputs),
    ("is_ordered", shuffle),
    ("is_ordered", drop_leaf),
    ("is_live", add_dead),
    ("is_interned", add_twin),
    ("has_slots", swap_inputs),
    ("has_slots", add_stranger),
    ("has_types", change_type),
    ("has_types", join_sizes),
    ("has_equal_shapes", mix_shapes),
    ("has_valid_updates", update_twice),
    ("has_valid_updates", update_nothing),
    ("has_valid_updates", update_with_other_type),
    ("has_known_sizes", free_size),
    ("has_known_sizes", free_fact),
    ("has_sound_regions", spoil_body),
]


def test_a_good_graph_passes() -> None:
    assert broken_invariants(graph()) == []
    verify(graph(), "test")


@pytest.mark.parametrize(("invariant", "spoil"), BREAKS, ids=lambda x: getattr(x, "__name__", x))
def test_a_broken_invariant_is_named(invariant: str, spoil: Callable[[Graph], Graph]) -> None:
    broken = spoil(graph())
    assert invariant in {name for name, _ in broken_invariants(broken)}
    with pytest.raises(InternalError, match="after test, graph g breaks the invariant"):
        verify(broken, "test")


def test_every_invariant_is_tested() -> None:
    assert {check.__name__ for check in INVARIANTS} == {name for name, _ in BREAKS}


def test_facts_make_shapes_equal() -> None:
    joined = join_sizes(graph())
    assert broken_invariants(replace(joined, facts=((M, N),))) == []


def test_signatures_are_compared() -> None:
    assert has_same_signature(graph(), graph())
    assert not has_same_signature(graph(), swap_inputs(replace(graph(), outputs=())))
