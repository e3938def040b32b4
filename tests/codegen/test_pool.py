"""The thread pool: every unit runs exactly once, whatever calls it, and forked children have their own."""

from __future__ import annotations

import ctypes
import multiprocessing
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from symgraph.codegen.targets.llvm import pool
from symgraph.codegen.targets.llvm.cpu import binding, host_cpu, target_machine
from symgraph.codegen.targets.llvm.pool_code import pool_text
from symgraph.errors import ArgumentError

# Kernels with the calling convention of generated code. `count` adds 1 to every unit's element and notes the call in
# status[1]; `nested` runs `count` over 1000 elements of its own for every unit, through the pool.
KERNELS = """
define void @count(ptr %buffers, ptr %sizes, i64 %lo, i64 %hi, ptr %status, ptr %workspace) {
entry:
  %x = load ptr, ptr %buffers
  %some = icmp slt i64 %lo, %hi
  br i1 %some, label %next, label %out
next:
  %i = phi i64 [ %lo, %entry ], [ %i1, %next ]
  %p = getelementptr i64, ptr %x, i64 %i
  %v = load volatile i64, ptr %p
  %v1 = add i64 %v, 1
  store volatile i64 %v1, ptr %p
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %hi
  br i1 %more, label %next, label %out
out:
  %calls = getelementptr i64, ptr %status, i64 1
  %old = atomicrmw add ptr %calls, i64 1 seq_cst
  ret void
}
define void @nested(ptr %buffers, ptr %sizes, i64 %lo, i64 %hi, ptr %status, ptr %workspace) {
entry:
  %x = load ptr, ptr %buffers
  %part = alloca ptr
  br label %next
next:
  %i = phi i64 [ %lo, %entry ], [ %i1, %next ]
  %first = mul i64 %i, 1000
  %p = getelementptr i64, ptr %x, i64 %first
  store ptr %p, ptr %part
  %for = inttoptr i64 POOL to ptr
  call void %for(ptr @count, ptr %part, ptr %sizes, i64 1000, i64 10, ptr %status, ptr %workspace)
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %hi
  br i1 %more, label %next, label %out
out:
  ret void
}
"""
POINTER, I64 = ctypes.c_void_p, ctypes.c_int64


class Kernels:
    """The kernels above as machine code; ``run`` gives the counts and the number of calls."""

    def __init__(self) -> None:
        llvm = binding()
        module = llvm.parse_assembly(KERNELS.replace("POOL", str(pool.address())), llvm.create_context())
        self.engine = llvm.create_mcjit_compiler(module, target_machine(host_cpu()))
        self.engine.finalize_object()
        signature = ctypes.CFUNCTYPE(None, POINTER, POINTER, POINTER, I64, I64, POINTER, POINTER)
        self.parallel_for = signature(pool.address())

    def run(self, name: str, units: int, chunk: int, elements: int | None = None) -> tuple[np.ndarray[Any, Any], int]:
        counts = np.zeros(max(units if elements is None else elements, 1), np.int64)
        buffers, status = (POINTER * 1)(counts.ctypes.data), (I64 * 4)()
        self.parallel_for(self.engine.get_function_address(name), buffers, None, units, chunk, status, None)
        return counts, status[1]


@pytest.fixture(scope="module")
def kernels() -> Kernels:
    return Kernels()


@pytest.fixture(autouse=True)
def keep_threads() -> Iterator[None]:
    before = pool.get_threads()
    yield
    pool.set_threads(before)


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize(
    ("units", "chunk"), [(1, 1), (7, 1), (1000, 1), (1000, 7), (1000, 999), (1000, 5000), (100_000, 64)]
)
def test_every_unit_runs_once(kernels: Kernels, threads: int, units: int, chunk: int) -> None:
    pool.set_threads(threads)
    for _ in range(20):
        counts, calls = kernels.run("count", units, chunk)
        assert (counts == 1).all()
        assert calls in (1, -(-units // chunk))


def test_nothing_to_do(kernels: Kernels) -> None:
    counts, calls = kernels.run("count", 0, 1)
    assert counts.sum() == calls == 0


@pytest.mark.parametrize("threads", [2, 4])
def test_thousands_of_tiny_jobs(kernels: Kernels, threads: int) -> None:
    pool.set_threads(threads)
    for units in range(2, 3000):
        counts, _ = kernels.run("count", units % 50 + 2, 1)
        assert (counts == 1).all()


def test_several_callers_at_once(kernels: Kernels) -> None:
    pool.set_threads(2)
    wrong: list[int] = []

    def call(units: int) -> None:
        for _ in range(300):
            counts, _ = kernels.run("count", units, 5)
            if not (counts == 1).all():
                wrong.append(units)

    callers = [threading.Thread(target=call, args=(1000 + k,)) for k in range(4)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_a_task_may_call_the_pool(kernels: Kernels, threads: int) -> None:
    pool.set_threads(threads)
    for _ in range(20):
        counts, _ = kernels.run("nested", 16, 1, 16_000)
        assert (counts == 1).all()


def test_more_and_fewer_threads(kernels: Kernels) -> None:
    for threads in (1, 3, 2, 4, 1, 2):
        pool.set_threads(threads)
        assert pool.get_threads() == threads
        counts, _ = kernels.run("count", 10_000, 10)
        assert (counts == 1).all()


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "2"])
def test_bad_numbers_of_threads(n: Any) -> None:
    with pytest.raises(ArgumentError, match="positive integer"):
        pool.set_threads(n)


def _in_child(answers: Any) -> None:
    own = Kernels()
    total = sum(int(own.run("count", 10_000, 10)[0].sum()) for _ in range(50))
    answers.put(total)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_forked_child_computes(kernels: Kernels) -> None:
    pool.set_threads(2)
    kernels.run("count", 10_000, 10)
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=_in_child, args=(answers,))
    child.start()
    assert answers.get(timeout=60) == 500_000
    child.join(timeout=60)
    assert child.exitcode == 0
    assert kernels.run("count", 10_000, 10)[0].sum() == 10_000


@pytest.mark.parametrize(("value", "threads"), [("1", "1"), ("3", "3"), ("none", "positive number")])
def test_threads_from_the_environment(value: str, threads: str) -> None:
    code = "from symgraph.codegen.targets.llvm import pool; print(pool.get_threads())"
    found = subprocess.run(
        [sys.executable, "-c", code], env={"SYMGRAPH_THREADS": value, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert threads in found.stdout + found.stderr


def test_the_process_ends_while_workers_live() -> None:
    code = (
        "import runpy, sys; m = runpy.run_path(sys.argv[1]); k = m['Kernels']();"
        "m['pool'].set_threads(4); print(k.run('count', 1000, 1)[0].sum())"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, __file__], env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (found.returncode, found.stdout.strip()) == (0, "1000"), found.stderr


def test_the_serial_pool_is_one_call() -> None:
    llvm = binding()
    module = llvm.parse_assembly(pool_text(host_cpu(), False), llvm.create_context())
    engine = llvm.create_mcjit_compiler(module, target_machine(host_cpu()))
    engine.finalize_object()
    calls: list[tuple[int, int]] = []
    kernel_type = ctypes.CFUNCTYPE(None, POINTER, POINTER, I64, I64, POINTER, POINTER)
    note = kernel_type(lambda b, s, lo, hi, st, w: calls.append((lo, hi)))
    parallel_for = ctypes.CFUNCTYPE(None, POINTER, POINTER, POINTER, I64, I64, POINTER, POINTER)(
        engine.get_function_address(pool.SYMBOL)
    )
    parallel_for(ctypes.cast(note, POINTER), None, None, 10, 3, None, None)
    parallel_for(ctypes.cast(note, POINTER), None, None, 0, 3, None, None)
    assert calls == [(0, 10)]
