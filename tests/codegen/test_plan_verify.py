"""Every invariant of plans is broken here once, at least."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.closing import close
from symgraph.codegen import plan_verify
from symgraph.codegen.compile import make_plan
from symgraph.codegen.memory import Layout, layout
from symgraph.codegen.plan import HostCall, Loop, Plan, Step
from symgraph.codegen.plan_verify import INVARIANTS, broken_invariants, verify_plan
from symgraph.dtypes import float64, int32
from symgraph.errors import InternalError
from symgraph.ir.dims import symbol
from symgraph.ir.passes import optimize
from symgraph.options import Options

N, K = symbol("N"), symbol("K")


@cache
def plan() -> Plan:
    """Products, a loop that carries, Python, a constant, and an update of a state."""
    x = sg.placeholder((None, 4), name="x")
    w = sg.variable(np.ones((4, 4), "float32"), name="w")
    table = sg.constant(np.arange(40, dtype="float32").reshape(10, 4))
    h = sg.tanh(sg.dot(sg.tanh(sg.dot(x, w)), w))
    (sums, rows), _ = sg.scan(lambda row, carry: [sg.dot(row, w) + carry, row * carry], h, [sg.zeros((4,)), None])
    q, _ = sg.linalg.qr(sg.dot(w, w))
    outputs = [sg.sum(h), sums[-1], rows, q, sg.dot(h, table.T)]
    graph = close("f", [x], outputs, [(w, w - 0.1 * sg.dot(x.T, h))], {}).graph
    return make_plan(optimize(graph, Options())[0]).plan


def at(kind: type) -> int:
    return next(k for k, step in enumerate(plan().steps) if type(step) is kind)


def with_step(number: int, **fields: Any) -> Plan:
    steps = list(plan().steps)
    steps[number] = replace(steps[number], **fields)
    return replace(plan(), steps=tuple(steps))


def with_buffer(name: str, **fields: Any) -> Plan:
    return replace(plan(), buffers=plan().buffers | {name: replace(plan().buffers[name], **fields)})


def with_move(number: int, **fields: Any) -> Plan:
    loop = plan().steps[at(Loop)]
    assert isinstance(loop, Loop)
    moves = list(loop.moves)
    moves[number] = replace(moves[number], **fields)
    return with_step(at(Loop), moves=tuple(moves))


def first(kind: str) -> str:
    return next(n for n, b in plan().buffers.items() if b.kind == kind and not b.alias)


def step(number: int) -> Any:
    return plan().steps[number]


def args_of(number: int, place: int, name: str) -> Plan:
    args = list(step(number).args)
    args[place] = name
    return with_step(number, args=tuple(args))


def writer() -> int:
    """A kernel that writes a temporary and reads something else."""
    return next(
        k for k, s in enumerate(plan().steps)
        if type(s) is Step and len(s.args) > 1 and plan().root(s.args[s.writes[0]]).kind == "temp"
    )  # fmt: skip


def written_by(number: int) -> str:
    return plan().root(step(number).args[step(number).writes[0]]).name


def lifetimes(p: Plan) -> Plan:
    return replace(p, live=plan_verify.live(p))


BREAKS: list[tuple[str, str, Callable[[], Plan]]] = [
    ("names are known", "is no buffer", lambda: args_of(at(Step), 0, "nothing")),
    ("names are known", "is no buffer", lambda: replace(plan(), outputs=("nothing",))),
    ("names are known", "alias of itself", lambda: with_buffer(first("temp"), alias=first("temp"))),
    ("names are known", "is no kernel", lambda: with_step(at(Step), kernel="nothing")),
    ("names are known", "a heap", lambda: with_buffer(first("temp"), kind="heap")),
    ("slots are in place", "input 0 is", lambda: with_buffer("in0", slot=1)),
    ("slots are in place", "state 0 is", lambda: with_buffer("state0", kind="input")),
    ("slots are in place", "is not output 7", lambda: with_buffer(first("output"), slot=7)),
    ("slots are in place", "no value of its type", lambda: with_buffer(first("const"), literal=None)),
    ("sizes are known", "size K", lambda: with_buffer(first("temp"), shape=(K,))),
    ("sizes are known", "size K", lambda: with_step(at(Loop), length=K)),
    ("calls fit", "arguments, sizes and checks", lambda: with_step(at(Step), args=step(at(Step)).args[1:])),
    ("calls fit", "says to write", lambda: with_step(at(Step), writes=())),
    ("calls fit", "for a float32", lambda: with_buffer("in0", dtype=int32)),
    ("calls fit", "elements of in0, which has 3", lambda: with_buffer("in0", shape=(3,))),
    ("calls fit", "arguments of", lambda: with_step(at(HostCall), types=step(at(HostCall)).types[1:])),
    ("moves fit", "moves or asks arrays", lambda: with_move(0, array=99)),
    ("moves fit", "which is no bool", lambda: with_step(at(Loop), condition=0)),
    ("moves fit", "each slot of its body once", lambda: with_move(0, slot=1)),
    ("moves fit", "moves a float64", lambda: with_move(0, dtype=float64)),
    ("moves fit", "moves rows of", lambda: with_move(0, shape=(N, N))),
    ("moves fit", "moves rows", lambda: with_move(0, first=1)),
    ("moves fit", "moves rows", lambda: with_move(0, step=-1)),
    ("moves fit", "moves rows", lambda: with_step(at(Loop), length=N + 1)),
    ("reads after writes", "which nothing wrote",
     lambda: lifetimes(replace(plan(), steps=(*plan().steps[writer() + 1 :], step(writer()))))),
    ("reads after writes", "nothing writes output 0", lambda: _without_writer(plan().outputs[0])),
    ("reads after writes", "an input", lambda: with_buffer(written_by(writer()), kind="input")),
    ("reads after writes", "through another argument", lambda: _through_another()),
    ("states are whole", "runs Python after", lambda: replace(plan(), steps=(*plan().steps, step(at(HostCall))))),
    ("memory is apart", "lifetimes are not", lambda: replace(plan(), live={})),
]  # fmt: skip


def _without_writer(name: str) -> Plan:
    kept = [s for s in plan().steps if name not in [s.args[k] for k in s.writes]]
    return lifetimes(replace(plan(), steps=tuple(kept)))


def _through_another() -> Plan:
    """A kernel that reads the memory it writes, under two names."""
    number = next(
        k for k, s in enumerate(plan().steps)
        if type(s) is Step and any(plan().root(a).kind == "temp" for j, a in enumerate(s.args) if j not in s.writes)
    )  # fmt: skip
    write = step(number).writes[0]
    read = next(j for j, a in enumerate(step(number).args) if j != write and plan().root(a).kind == "temp")
    large = plan().root(step(number).args[read]).name
    changed = args_of(number, write, step(number).args[read])
    return replace(changed, buffers=changed.buffers | {large: replace(changed.buffers[large], shape=(N + 99, 99))})


def test_a_good_plan_passes() -> None:
    verify_plan(plan())
    assert {type(s) for s in plan().steps} == {Step, HostCall, Loop}


@pytest.mark.parametrize(("invariant", "says", "spoil"), BREAKS)
def test_a_broken_invariant_is_named(invariant: str, says: str, spoil: Callable[[], Plan]) -> None:
    broken = spoil()
    found = list(broken_invariants(broken))
    assert {name for name, _ in found} == {invariant}
    assert any(says in fault for _, fault in found), found
    with pytest.raises(InternalError, match=f"plan f breaks the invariant '{invariant}'"):
        verify_plan(broken)


def test_every_invariant_is_broken_somewhere() -> None:
    assert {invariant for invariant, _, _ in BREAKS} == set(INVARIANTS)


@pytest.mark.parametrize(("shift", "says"), [(0, "overlap while both are alive"), (8, "lies at")])
def test_memory_is_apart(monkeypatch: pytest.MonkeyPatch, shift: int, says: str) -> None:
    def crowded(p: Plan, sizes: dict[str, int]) -> Layout:
        good = layout(p, sizes)
        return Layout(dict.fromkeys(good.offsets, shift), good.nbytes)

    monkeypatch.setattr(plan_verify, "layout", crowded)
    assert any(name == "memory is apart" and says in fault for name, fault in broken_invariants(plan()))


def test_what_is_written_before_the_point_of_no_return_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_verify, "undoable", lambda p, sizes: (len(p.steps), ()))
    assert ("states are whole", f"a run that ends before step {len(plan().steps)} does not put back state0") in list(
        broken_invariants(plan())
    )


def test_bodies_of_loops_are_verified() -> None:
    loop = plan().steps[at(Loop)]
    assert isinstance(loop, Loop)
    broken = with_step(at(Loop), body=replace(loop.body, steps=(replace(loop.body.steps[0], args=()),)))
    ((invariant, fault),) = broken_invariants(broken)
    assert invariant == "calls fit"
    assert "arguments, sizes and checks" in fault
