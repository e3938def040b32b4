"""Every invariant of plans is broken here once, at least: by a change of the text of a plan that keeps them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from symgraph.codegen import plan_verify
from symgraph.codegen.loop.table import KernelTable
from symgraph.codegen.memory import Layout, layout
from symgraph.codegen.plan import HostCall, Plan
from symgraph.codegen.plan_parse import parse_plan
from symgraph.codegen.plan_text import print_plan
from symgraph.codegen.plan_verify import INVARIANTS, broken_invariants, verify_plan
from symgraph.codegen.targets.numpy.executable import NumpyExecutable
from symgraph.errors import InternalError

KERNELS = KernelTable(
    texts={
        "twice": """
kernel twice(a: in f32[n], b: out f32[n]; n) {
  par i in 0..n {
    store b[i] = a[i] + a[i]
  }
}""",
        "unit": """
kernel unit(b: out f32[4,4]) {
  par i in 0..4 {
    vec j in 0..4 {
      store b[i,j] = select(eq(i, j), 0.5:f32, 0.0:f32)
    }
  }
}""",
        "begin": """
kernel begin(a: in f32[4], b: out f32[2,4]) {
  par i in 0..2 {
    vec j in 0..4 {
      store b[i,j] = a[j]
    }
  }
}""",
        "mix": """
kernel mix(a: in f32[4], b: in f32[4], c: out f32[4], d: out f32[4]) {
  vec i in 0..4 {
    store c[i] = a[i] + b[i]
    store d[i] = a[i] * b[i]
  }
}""",
        "descend": """
kernel descend(w: inout f32[4], g: in f32[4]) {
  vec i in 0..4 {
    store w[i] = w[i] - g[i]
  }
}""",
    }
)
#: Kernels, Python, a loop that carries, a constant, an alias, and an update of a state.
TEXT = """\
plan @f(in0; state0) dims(N) {
  buf in0 : f32[N,4] input[0]  # 16*N bytes
  buf state0 : f32[4] state[0]  # 16 bytes
  buf const0 : f32[4] const f32[4]{1.0, 2.0, 3.0, 4.0}  # 16 bytes
  buf out0 : f32[N,4] output[0]  # 16*N bytes
  buf out1 : f32[4,4] output[1]  # 64 bytes
  buf t0 : f32[N,4] temp, live 0..4  # 16*N bytes
  buf t1 : f32[2,4] temp, live 3..5  # 32 bytes
  buf t1.1 : f32[4] temp, in the memory of t1  # 16 bytes
  buf t2 : f32[4,4] temp, live 1..2  # 64 bytes
  buf loop0 : u8[0] temp, live 4..4  # 0 bytes
  0: call twice(in0, out t0; 4*N)
  1: call unit(out t2)
  2: python inverse(t2: f32[4,4], out out1: f32[4,4])
  3: call begin(const0, out t1)
  4: loop N times over (t0, t1.1, out0; loop0) {
    input[0] is t0[0+i] : f32[4]
    input[1] is t1.1[(N+i)%2] : f32[4]
    output[0] is t1.1[(N+1+i)%2] : f32[4]
    output[1] is out0[0+i] : f32[4]
    plan @body(in0, in1) {
      buf in0 : f32[4] input[0]  # 16 bytes
      buf in1 : f32[4] input[1]  # 16 bytes
      buf out0 : f32[4] output[0]  # 16 bytes
      buf out1 : f32[4] output[1]  # 16 bytes
      0: call mix(in0, in1, out out0, out out1)
      return out0, out1
    }
  }
  5: call descend(inout state0, t1.1)
  return out0, out1
}
"""
PYTHON = "  2: python inverse(t2: f32[4,4], out out1: f32[4,4])\n"
LAST = "  5: call descend(inout state0, t1.1)\n"
#: The invariant, what its fault says, a part of the text and what takes its place.
BREAKS: list[tuple[str, str, str, str]] = [
    ("names are known", "is no buffer", "call twice(in0,", "call twice(nothing,"),
    ("names are known", "is no buffer", "return out0, out1\n}\n", "return out0, nothing\n}\n"),
    ("names are known", "alias of itself", "f32[N,4] temp, live", "f32[N,4] temp, in the memory of t0, live"),
    ("names are known", "alias nothing is no buffer", "in the memory of t1", "in the memory of nothing"),
    ("names are known", "is no kernel", "call unit(", "call nothing("),
    ("names are known", "a heap", "buf t2 : f32[4,4] temp", "buf t2 : f32[4,4] heap"),
    ("slots are in place", "input 0 is", "f32[N,4] input[0]", "f32[N,4] input[1]"),
    ("slots are in place", "state 0 is", "f32[4] state[0]", "f32[4] input[0]"),
    ("slots are in place", "is not output 7", "f32[N,4] output[0]", "f32[N,4] output[7]"),
    ("slots are in place", "no value of its type", " const f32[4]{1.0, 2.0, 3.0, 4.0}", " const"),
    ("slots are in place", "no value of its type", " const f32[4]{", " const f64[4]{"),
    ("sizes are known", "size K", "buf t2 : f32[4,4]", "buf t2 : f32[4,K]"),
    ("sizes are known", "size K", "loop N times", "loop K times"),
    ("sizes are known", "size K", "t0[0+i] : f32[4]", "t0[K+i] : f32[4]"),
    ("sizes are known", "size K", "; 4*N)", "; 4*K)"),
    ("sizes are known", "size K", "python inverse(t2: f32[4,4]", "python inverse(t2: f32[4,K]"),
    ("calls fit", "arguments, sizes and checks", "call begin(const0, out t1)", "call begin(out t1)"),
    ("calls fit", "arguments, sizes and checks", "call mix(in0, in1, ", "call mix(in0, "),
    ("calls fit", "arguments, sizes and checks", "out t0; 4*N)", 'out t0; 4*N) [checks=[["take", 0, "?"]]]'),
    ("calls fit", "says to write", "call unit(out t2)", "call unit(t2)"),
    ("calls fit", "for a float32", "in0 : f32[N,4]", "in0 : i32[N,4]"),
    ("calls fit", "for a float64", "(t2: f32[4,4]", "(t2: f64[4,4]"),
    ("calls fit", "elements of in0, which has 3", "in0 : f32[N,4]", "in0 : f32[3]"),
    ("calls fit", "elements of t0, which has", "; 4*N)", "; 4*N+1)"),
    ("moves fit", "moves or asks arrays", "is t0[0+i]", "is t0@99[0+i]"),
    ("moves fit", "moves or asks arrays", "times over", "times while t0@7 over"),
    ("moves fit", "which is no bool", "times over", "times while t0 over"),
    ("moves fit", "each slot of its body once", "input[0] is", "input[1] is"),
    ("moves fit", "moves a float64", "t0[0+i] : f32[4]", "t0[0+i] : f64[4]"),
    ("moves fit", "moves rows of", "t0[0+i] : f32[4]", "t0[0+i] : f32[N,N]"),
    ("moves fit", "moves rows", "t0[0+i]", "t0[1+i]"),
    ("moves fit", "moves rows", "t0[0+i]", "t0[0-i]"),
    ("moves fit", "moves rows", "(N+1+i)%2", "(N+1+i)%3"),
    ("moves fit", "moves rows", "loop N times", "loop N+1 times"),
    ("reads after writes", "reads t0, which nothing wrote", "  0: call twice(in0, out t0; 4*N)\n", ""),
    ("reads after writes", "nothing writes output 1", PYTHON, ""),
    ("reads after writes", "an input", "call twice(in0, out t0", "call twice(t0, out in0"),
    ("reads after writes", "a constant", "call descend(inout state0", "call descend(inout const0"),
    ("reads after writes", "through another argument", "call twice(in0, out t0", "call twice(t0, out t0"),
    ("states are whole", "runs Python after", LAST, LAST + PYTHON),
    ("memory is apart", "lifetimes are not", "live 0..4", "live 0..3"),
]


def plan(old: str = "", new: str = "") -> Plan:
    """The plan of the text, with one part replaced."""
    assert old in TEXT
    return parse_plan(TEXT.replace(old, new, 1) if old else TEXT, KERNELS)


def test_a_good_plan_passes_and_runs() -> None:
    good = plan()
    verify_plan(good)
    assert print_plan(good) == TEXT
    x, w = np.arange(8, dtype="float32").reshape(2, 4), np.ones(4, "float32")
    outputs = [np.empty((2, 4), "float32"), np.empty((4, 4), "float32")]
    executable = NumpyExecutable(good)
    assert executable.run(executable.frame((2,)), [x], [w], outputs) is None
    start = np.arange(1.0, 5.0)
    np.testing.assert_array_equal(outputs[0], [2 * x[0] * start, 2 * x[1] * (2 * x[0] + start)])
    np.testing.assert_array_equal(outputs[1], 2 * np.eye(4))
    np.testing.assert_array_equal(w, 1 - (2 * x.sum(0) + start))


@pytest.mark.parametrize(("invariant", "says", "old", "new"), BREAKS)
def test_a_broken_invariant_is_named(invariant: str, says: str, old: str, new: str) -> None:
    broken = plan(old, new)
    found = list(broken_invariants(broken))
    assert {name for name, _ in found} == {invariant}
    assert any(says in fault for _, fault in found), found
    with pytest.raises(InternalError, match=f"plan f breaks the invariant '{invariant}'"):
        verify_plan(broken)


def test_every_invariant_is_broken_somewhere() -> None:
    assert {invariant for invariant, *_ in BREAKS} == set(INVARIANTS)


def test_python_has_a_type_for_each_argument() -> None:
    """In the text each argument has one."""
    steps = list(plan().steps)
    call = steps[2]
    assert isinstance(call, HostCall)
    steps[2] = replace(call, types=call.types[1:])
    ((invariant, fault),) = broken_invariants(replace(plan(), steps=tuple(steps)))
    assert (invariant, fault) == ("calls fit", "step 2 gives inverse 2 arguments of 1 types")


@pytest.mark.parametrize(("shift", "says"), [(0, "overlap while both are alive"), (8, "lies at")])
def test_memory_is_apart(monkeypatch: pytest.MonkeyPatch, shift: int, says: str) -> None:
    def crowded(p: Plan, sizes: dict[str, int]) -> Layout:
        good = layout(p, sizes)
        return Layout(dict.fromkeys(good.offsets, shift), good.nbytes)

    monkeypatch.setattr(plan_verify, "layout", crowded)
    assert any(name == "memory is apart" and says in fault for name, fault in broken_invariants(plan()))


def test_an_alias_lies_where_its_root_does(monkeypatch: pytest.MonkeyPatch) -> None:
    def moved(p: Plan, sizes: dict[str, int]) -> Layout:
        good = layout(p, sizes)
        return Layout(good.offsets | ({"t1.1": good.offsets["t1"] + 64} if "t1" in good.offsets else {}), good.nbytes)

    monkeypatch.setattr(plan_verify, "layout", moved)
    assert ("memory is apart", "t1.1, an alias of t1, lies elsewhere") in list(broken_invariants(plan()))


def undoing(committed: int, saved: tuple[str, ...]) -> Callable[[Plan, dict[str, int]], tuple[int, tuple[str, ...]]]:
    return lambda p, sizes: (committed, saved)


def test_what_is_written_before_the_point_of_no_return_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_verify, "undoable", undoing(6, ()))
    fault = "a run that ends before step 6 does not put back state0"
    assert ("states are whole", fault) in list(broken_invariants(plan()))
    monkeypatch.setattr(plan_verify, "undoable", undoing(6, ("state0",)))
    verify_plan(plan())
    monkeypatch.setattr(plan_verify, "UNDO_BYTES", 15)
    assert any("does not put back little" in fault for _, fault in broken_invariants(plan()))
