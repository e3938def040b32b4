"""Memory plans: lifetimes, no overlap, alignment, aliases, sizes that are too large."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgraph.codegen import memory
from symgraph.codegen.memory import ALIGNMENT, allocate_arena, layout, live
from symgraph.codegen.plan import Plan, PlanBuffer, Step
from symgraph.dtypes import float32
from symgraph.errors import ArgumentError
from symgraph.ir.dims import Dim, symbol

N = symbol("N")


def make_plan(sizes: dict[str, Dim], steps: list[tuple[str, ...]], aliases: dict[str, str] | None = None) -> Plan:
    """A plan of float32 vectors; names beginning with ``in`` are inputs."""
    aliases = aliases or {}
    kinds = {name: "input" if name.startswith("in") else "temp" for name in sizes}
    buffers = {n: PlanBuffer(n, float32, (d,), kinds[n], alias=aliases.get(n, "")) for n, d in sizes.items()}
    return Plan("f", ("N",), (), (), (), buffers, {}, tuple(Step("k", args, ()) for args in steps))


def test_lifetimes() -> None:
    plan = make_plan({"in0": 1, "a": 1, "b": 1, "c": 1}, [("a", "in0"), ("b", "a"), ("c", "b", "in0")], {"c": "a"})
    assert live(plan) == {"a": (0, 2), "b": (1, 2)}


def test_a_chain_needs_two_buffers() -> None:
    names = [f"t{i}" for i in range(10)]
    plan = make_plan(dict.fromkeys(names, 16), [(a, b) for a, b in zip(names[1:], names, strict=False)])
    assert layout(plan, {}).nbytes == 2 * ALIGNMENT


def test_symbolic_sizes() -> None:
    plan = make_plan({"a": N, "b": 2 * N}, [("a", "b")])
    assert layout(plan, {"N": 16}).nbytes == 3 * 64
    assert layout(plan, {"N": 17}).nbytes == 128 + 192
    assert layout(plan, {"N": 0}).nbytes == 128  # room for one element each


def test_the_smallest_gap_is_taken() -> None:
    # While x lives, p (large) and q (small) die and leave gaps; y fits both and takes the smaller.
    sizes: dict[str, Dim] = {"p": 64, "x": 48, "q": 32, "z": 24, "y": 16}
    plan = make_plan(sizes, [("p", "x", "q", "z"), ("x", "z", "y")])
    found = layout(plan, {})
    assert found.offsets["y"] == found.offsets["q"] and found.nbytes == (64 + 48 + 32 + 32) * 4


def test_an_alias_shares_its_roots_memory_and_life() -> None:
    plan = make_plan({"a": 16, "b": 16, "c": 16, "d": 16}, [("a",), ("b",), ("c", "b"), ("d", "c")], {"c": "a"})
    found = layout(plan, {})
    assert found.offsets["c"] == found.offsets["a"]
    assert found.offsets["b"] != found.offsets["a"] and found.offsets["d"] != found.offsets["a"]


def test_an_alias_may_be_larger_than_its_root() -> None:
    plan = make_plan({"a": 16, "b": 16, "c": 64}, [("a", "b"), ("c", "b")], {"c": "a"})
    assert layout(plan, {}).nbytes == 256 + 64


def test_no_temporaries() -> None:
    plan = make_plan({"in0": N}, [("in0",)])
    found = layout(plan, {"N": 3})
    assert found.offsets == {} and found.nbytes == 0
    assert allocate_arena(plan, found, {"N": 3}).nbytes == 0


@pytest.mark.parametrize(("dim", "n"), [(N * N, 2**32), (N, 2**62), (N * N * N, 2**40)])
def test_sizes_too_large_to_address(dim: Dim, n: int) -> None:
    plan = make_plan({"a": dim}, [("a",)])
    with pytest.raises(ArgumentError, match="more than can be addressed") as caught:
        layout(plan, {"N": n})
    assert f"N = {n}" in str(caught.value)


def test_a_sum_too_large_to_address() -> None:
    plan = make_plan({"a": N, "b": N}, [("a", "b")])
    with pytest.raises(ArgumentError, match="temporaries need"):
        layout(plan, {"N": 2**60 + 2**59})


def test_negative_sizes() -> None:
    with pytest.raises(ArgumentError, match="N-3, is negative where N = 2"):
        layout(make_plan({"a": N - 3}, [("a",)]), {"N": 2})


def test_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = make_plan({"a": N}, [("a",)])
    found = layout(plan, {"N": 2**58})
    with pytest.raises(MemoryError, match="no memory for 1.0 EiB of temporaries where N ="):
        allocate_arena(plan, found, {"N": 2**58})

    def refuse(*args: object) -> None:
        raise MemoryError

    monkeypatch.setattr(memory.np, "empty", refuse)
    with pytest.raises(MemoryError, match="use smaller batches"):
        allocate_arena(plan, layout(plan, {"N": 4}), {"N": 4})
    monkeypatch.undo()
    assert allocate_arena(plan, layout(plan, {"N": 4}), {"N": 4}).nbytes == 64


def test_arenas_are_aligned() -> None:
    plan = make_plan({"a": N}, [("a",)])
    for n in range(1, 40, 7):
        arena = allocate_arena(plan, layout(plan, {"N": n}), {"N": n})
        assert arena.ctypes.data % ALIGNMENT == 0 and arena.nbytes >= 4 * n and arena.dtype == np.uint8


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    count = draw(st.integers(1, 14))
    names = [f"t{i}" for i in range(count)]
    sizes: dict[str, Dim] = {n: draw(st.sampled_from([0, 1, 16, 17, 100, N, 3 * N, N * N])) for n in names}
    aliases = {n: draw(st.sampled_from(names[:i])) for i, n in enumerate(names) if i and draw(st.integers(0, 4)) == 0}
    steps = draw(st.lists(st.lists(st.sampled_from(names), min_size=1, max_size=4), max_size=14))
    return make_plan(sizes, [tuple(s) for s in steps], aliases)


@settings(max_examples=150, deadline=None)
@given(plans(), st.integers(0, 40))
def test_no_two_live_buffers_overlap(plan: Plan, n: int) -> None:
    sizes = {"N": n}
    found = layout(plan, sizes)
    lifetimes = live(plan)
    spans = {}
    for name, buffer in plan.buffers.items():
        root = memory.root_of(plan, name)
        assert found.offsets[name] == found.offsets[root]
        if root in lifetimes:
            start = found.offsets[name]
            size = int(np.prod([max(memory.evaluate(d, sizes), 1) for d in buffer.shape])) * 4
            assert start % ALIGNMENT == 0 and start + size <= found.nbytes
            spans[name] = (root, start, start + size, *lifetimes[root])
    for a, (root_a, low_a, high_a, first_a, last_a) in spans.items():
        for b, (root_b, low_b, high_b, first_b, last_b) in spans.items():
            if root_a != root_b and first_a <= last_b and first_b <= last_a:
                assert high_a <= low_b or high_b <= low_a or low_a == high_a or low_b == high_b, (a, b)
    # The most that is alive at once bounds the arena from below; so does the sum from above.
    sizes_of = {}
    for root, _, high, first, last in spans.values():
        low = found.offsets[root]
        sizes_of[root] = (max(high - low, sizes_of.get(root, (0, 0, 0))[0]), first, last)
    peak = max((sum(s for s, a, b in sizes_of.values() if a <= t <= b) for t in range(len(plan.steps))), default=0)
    assert peak <= found.nbytes <= sum(-(-s // ALIGNMENT) * ALIGNMENT for s, _, _ in sizes_of.values())
