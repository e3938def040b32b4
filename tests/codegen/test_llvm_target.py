"""Plans run by the LLVM target: values, memory, failed checks, threads, and what generated objects may contain."""

from __future__ import annotations

import gc
import struct
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgraph.codegen.loop.parse import parse_kernel
from symgraph.codegen.memory import live
from symgraph.codegen.plan import Check, Plan, PlanBuffer, Step
from symgraph.codegen.targets import target_named
from symgraph.codegen.targets.llvm import frame as frames
from symgraph.codegen.targets.llvm import pool
from symgraph.codegen.targets.llvm.cache import KernelCache
from symgraph.codegen.targets.llvm.driver_code import driver_text
from symgraph.codegen.targets.llvm.engine import Library
from symgraph.codegen.targets.llvm.kernel import compile_kernel
from symgraph.codegen.targets.llvm.target import LlvmExecutable
from symgraph.dtypes import float32, int32
from symgraph.errors import ArgumentError, TargetError
from symgraph.ir.algebra import BINARY, UNARY
from symgraph.ir.dims import symbol
from symgraph.ir.literal import Literal
from symgraph.options import Options
from symgraph.provenance import Origin
from tests.codegen.llvm_run import CPUS
from tests.codegen.samples import WRITTEN

Array = np.ndarray[Any, Any]
N = symbol("N")
WEIGHTS = np.arange(35, dtype=np.float32).reshape(7, 5) / 10

DENSE = parse_kernel("""
kernel dense(x: in f32[N,7], w: in f32[7,5], y: out f32[N,5]; N) {
  contract i in 0..N, j in 0..5, p in 0..7 {
    sum acc: f32 = x[i,p]
    times w[p,j]
    store y[i,j] = acc
  }
}
""")
PICK = parse_kernel("""
kernel pick(t: in f32[N,5], index: in i32[N], y: out f32[N]; N) checks 1 {
  par i in 0..N {
    store y[i] = t[i,bounds<0>(i64(index[i]), 5)]
  }
}
""")
COUNT = parse_kernel("""
kernel count(total: inout f32[], y: in f32[N]; N) {
  fold vec i in 0..N with s: f32 = 0.0:f32 {
    next s = s + y[i]
    merge s = s.a + s.b
  }
  store total[] = total[] + s
}
""")


def a_plan() -> Plan:
    """y[i] = (x @ w)[i, index[i]], and a state that adds up all of them."""
    buffers = [
        PlanBuffer("x", float32, (N, 7), "input", 0), PlanBuffer("index", int32, (N,), "input", 1),
        PlanBuffer("total", float32, (), "state", 0), PlanBuffer("y", float32, (N,), "output", 0),
        PlanBuffer("w", float32, (7, 5), "const", literal=Literal(WEIGHTS)), PlanBuffer("t", float32, (N, 5), "temp"),
        PlanBuffer("t.view", float32, (N, 5), "temp", alias="t"),
    ]  # fmt: skip
    steps = (
        Step("dense", ("x", "w", "t"), (N,)),
        Step("pick", ("t.view", "index", "y"), (N,), checks=(Check("take", 1, Origin("pick_1")),)),
        Step("count", ("total", "y"), (N,)),
    )
    kernels = {"dense": DENSE, "pick": PICK, "count": COUNT}
    plan = Plan("test", ("N",), ("x", "index"), ("total",), ("y",), {b.name: b for b in buffers}, kernels, steps)
    return Plan(**{f: getattr(plan, f) for f in plan.__dataclass_fields__ if f != "live"}, live=live(plan))


def call(exe: LlvmExecutable, frame: Any, x: Array, index: Array, total: Array) -> tuple[Any, Array]:
    y = np.full(len(x), np.nan, np.float32)
    return exe.run(frame, [x, index], (total,), [y]), y


@pytest.mark.parametrize("level", CPUS)
def test_a_plan_runs_at_every_size_with_constants_temporaries_and_states(level: str) -> None:
    exe = LlvmExecutable(a_plan(), CPUS[level])
    rng = np.random.default_rng(0)
    for n in (1, 0, 2, 7, 33, 400):
        frame = exe.frame((n,))
        x, index = rng.random((n, 7), np.float32), rng.integers(0, 5, n).astype(np.int32)
        total = np.array(3, np.float32)
        for repeat in (1, 2):
            failure, y = call(exe, frame, x, index, total)
            assert failure is None
            expected = (x @ WEIGHTS)[np.arange(n), index]
            np.testing.assert_allclose(y, expected, rtol=1e-5)
            np.testing.assert_allclose(total, 3 + repeat * expected.sum(), rtol=1e-4)


def test_a_failed_check_names_the_step_and_stops_there() -> None:
    exe = LlvmExecutable(a_plan())
    frame = exe.frame((6,))
    x, index, total = np.ones((6, 7), np.float32), np.zeros(6, np.int32), np.zeros((), np.float32)
    index[4] = 5
    failure, _ = call(exe, frame, x, index, total)
    assert failure == (1, 5, 5, 1)
    assert total == 0
    index[4] = 4
    assert call(exe, frame, x, index, total)[0] is None
    assert total != 0


def test_one_executable_serves_many_threads() -> None:
    exe = LlvmExecutable(a_plan())
    frame = exe.frame((50,))
    wrong: list[Any] = []

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(100):
            x, index = rng.random((50, 7), np.float32), rng.integers(0, 5, 50).astype(np.int32)
            failure, y = call(exe, frame, x, index, np.zeros((), np.float32))
            if failure is not None or not np.allclose(y, (x @ WEIGHTS)[np.arange(50), index], rtol=1e-4):
                wrong.append((seed, failure))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
    assert 1 <= len(frame.free) <= 4


def test_threads_do_not_change_a_bit() -> None:
    n = 40_000
    x = PlanBuffer("x", float32, (N, 10), "input", 0)
    y = PlanBuffer("y", float32, (N, 10), "output", 0)
    softmax = parse_kernel(WRITTEN["softmax"])
    step = Step("softmax", tuple({"x": "x", "y": "y"}[b.name] for b in softmax.buffers), (N,))
    plan = Plan("rows", ("N",), ("x",), (), ("y",), {"x": x, "y": y}, {"softmax": softmax}, (step,))
    exe = LlvmExecutable(plan)
    frame = exe.frame((n,))
    assert frame.calls[0].units > frame.calls[0].chunk
    argument = np.random.default_rng(1).standard_normal((n, 10)).astype(np.float32)
    before = pool.get_threads()
    results = []
    try:
        for threads in (1, 2, 3):
            pool.set_threads(threads)
            out = np.zeros((n, 10), np.float32)
            assert exe.run(frame, [argument], (), [out]) is None
            results.append(out)
    finally:
        pool.set_threads(before)
    assert all(np.array_equal(r, results[0]) for r in results)
    e = np.exp(argument - argument.max(1, keepdims=True))
    np.testing.assert_allclose(results[0], e / e.sum(1, keepdims=True), rtol=1e-5)


def test_other_states_may_be_given_from_call_to_call() -> None:
    exe = LlvmExecutable(a_plan())
    frame = exe.frame((2,))
    x, index = np.ones((2, 7), np.float32), np.zeros(2, np.int32)
    first, second = np.zeros((), np.float32), np.zeros((), np.float32)
    for total in (first, second, first):
        call(exe, frame, x, index, total)
    assert first == 2 * second != 0


def test_addresses_are_found_without_looking_into_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "data_offset", lambda: -1)
    monkeypatch.setattr("symgraph.codegen.targets.llvm.target.data_offset", lambda: -1)
    exe = LlvmExecutable(a_plan())
    x, index, total = np.ones((3, 7), np.float32), np.array([0, 1, 2], np.int32), np.zeros((), np.float32)
    failure, y = call(exe, exe.frame((3,)), x, index, total)
    assert failure is None
    np.testing.assert_allclose(y, (x @ WEIGHTS)[[0, 1, 2], index], rtol=1e-5)


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_dropped_executables_give_their_memory_back() -> None:
    plan = a_plan()
    arguments = np.ones((40, 7), np.float32), np.zeros(40, np.int32), np.zeros((), np.float32)

    def cycle(count: int) -> None:
        for _ in range(count):
            exe = LlvmExecutable(plan)
            call(exe, exe.frame((40,)), *arguments)
            del exe
        gc.collect()

    cycle(60)
    before = resident()
    cycle(300)
    assert resident() - before < 8 << 20


def test_equal_kernels_are_compiled_once() -> None:
    cache = KernelCache()
    cpu = next(iter(CPUS.values()))
    first = cache.get(DENSE, cpu)
    assert cache.get(parse_kernel(WRITTEN["dense"]), cpu) is not first
    assert cache.get(DENSE, cpu) is first
    assert (cache.hits, cache.loaded + cache.misses) == (1, 2)
    small = KernelCache(limit=1)
    small.get(DENSE, cpu)
    small.get(PICK, cpu)
    small.get(DENSE, cpu)
    assert small.loaded + small.misses == 3


@pytest.mark.parametrize("level", CPUS)
def test_compiling_twice_gives_the_same_bytes(level: str) -> None:
    for name in ("softmax", "dense", "take"):
        kernel = parse_kernel(WRITTEN[name])
        assert compile_kernel(kernel, CPUS[level]) == compile_kernel(kernel, CPUS[level])


def undefined_symbols(code: bytes) -> list[str]:
    """The names a 64-bit ELF object wants from elsewhere."""
    (table,) = struct.unpack_from("<Q", code, 0x28)
    (size, count) = struct.unpack_from("<HH", code, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", code, table + i * size) for i in range(count)]
    missing = []
    for section in sections:
        if section[1] == 2:  # SHT_SYMTAB
            names = sections[section[6]][4]
            for at in range(section[4] + 24, section[4] + section[5], 24):
                name, _, _, home = struct.unpack_from("<IBBH", code, at)
                if home == 0:
                    start = names + name
                    missing.append(code[start : code.index(b"\0", start)].decode())
    return missing


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads ELF objects")
@pytest.mark.parametrize("level", CPUS)
def test_objects_need_nothing_from_elsewhere(level: str) -> None:
    """So that they can be loaded anywhere, whatever libraries the process has."""
    for name in WRITTEN:
        assert undefined_symbols(compile_kernel(parse_kernel(WRITTEN[name]), CPUS[level]).object_code) == []


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads ELF objects")
@pytest.mark.parametrize("short", ["f16", "f32", "f64"])
@pytest.mark.parametrize("level", CPUS)
def test_functions_need_nothing_from_elsewhere(level: str, short: str) -> None:
    """A call of a library would end the process. Operands of a row are converted outside of its loop."""
    bits = {"bit_not", "bit_and", "bit_or", "bit_xor", "shl", "shr"}
    terms = [f"{name}({a})" for name in UNARY if name not in bits for a in ("x[i]", "y[i,j]")]
    terms += [f"{f}({a}, {b})" for f in BINARY if f not in bits for a, b in (("x[i]", "y[i,j]"), ("y[i,j]", "x[i]"))]
    terms += [f"{short}({other}({t}))" for other in ("i8", "u32", "i64", "u64", "f16", "f32", "f64") for t in terms[:4]]
    for start in range(0, len(terms), 12):
        lines = [f"store z{k}[i,j] = {term}" for k, term in enumerate(terms[start : start + 12])]
        results = ", ".join(f"z{k}: out {short}[N,M]" for k in range(len(lines)))
        head = f"kernel k(x: in {short}[N], y: in {short}[N,M], {results}; N, M) {{"
        kernel = parse_kernel("\n".join([head, "par i in 0..N {", "vec j in 0..M {", *lines, "}", "}", "}"]))
        assert undefined_symbols(compile_kernel(kernel, CPUS[level]).object_code) == [], terms[start : start + 12]


def test_code_for_another_processor_is_refused() -> None:
    host = next(iter(CPUS.values()))
    other = type(host)("z", "+nosuchfeature", host.triple, 16, False, 1, 1, 1)
    with pytest.raises(TargetError, match="cannot run on this machine"):
        Library([b""], other)


def test_the_target_is_found_by_name() -> None:
    assert target_named(Options(target="llvm")).name == "llvm"
    with pytest.raises(ArgumentError, match="levels are: avx512, avx2, baseline"):
        target_named(Options(target="llvm", cpu="z80"))


def test_texts_of_all_stages_can_be_read() -> None:
    exe = LlvmExecutable(a_plan())
    assert set(exe.llvm_ir()) == {"dense", "pick", "count"}
    assert "define void @sg_" in exe.llvm_ir()["pick"]
    assert "ret" in exe.assembly("count")
    assert "count" in str(exe)
    assert "@sg_run_plan" in driver_text(exe.cpu)
