"""Our matrix product against NumPy's BLAS, one thread each, interleaved; medians and GFLOP/s.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.gemm [avx512|avx2|baseline]

The shapes are those of training an MLP of 784-512-512-10 with batches of 128 (forward, gradients of inputs, gradients
of weights), of inference with few rows, and large squares. ``NT`` means that the right operand is transposed in memory.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import ctypes
import statistics
import time
from collections.abc import Callable

import numpy as np

from symgraph.codegen.loop.grammar import Buffer, Contract, Kernel, Load, Store, Var
from symgraph.codegen.targets.llvm.contract_plan import plan_contract
from symgraph.codegen.targets.llvm.cpu import Cpu, cpu_for, host_cpu
from symgraph.codegen.targets.llvm.engine import Library
from symgraph.codegen.targets.llvm.kernel import compile_kernel
from symgraph.dtypes import float32
from symgraph.ir.dims import evaluate

TRAINING = [
    (128, 512, 784, "NN"), (128, 512, 512, "NN"), (128, 512, 512, "NT"), (784, 512, 128, "TN"), (512, 512, 128, "TN"),
    (128, 10, 512, "NN"), (512, 10, 128, "TN"), (128, 512, 10, "NT"),
]  # fmt: skip
OTHERS = [
    (1, 512, 784, "NN"), (4, 512, 512, "NN"), (32, 512, 784, "NN"), (1024, 1024, 1024, "NN"), (1024, 1024, 1024, "NT"),
    (2048, 2048, 2048, "NN"),
]  # fmt: skip


def product(m: int, n: int, k: int, layout: str) -> Kernel:
    """``c = a @ b`` with operands laid out as ``layout`` says."""
    i, j, p, acc = Var("i"), Var("j"), Var("p"), Var("acc", float32)
    a = ((m, k), (i, p)) if layout[0] == "N" else ((k, m), (p, i))
    b = ((k, n), (p, j)) if layout[1] == "N" else ((n, k), (j, p))
    buffers = (Buffer("a", float32, a[0]), Buffer("b", float32, b[0]), Buffer("c", float32, (m, n), "out"))
    left, right = Load("a", a[1], float32), Load("b", b[1], float32)
    store = Store("c", (i, j), acc)
    contract = Contract((), (), "i", m, "j", n, "p", k, left, right, "acc", float32, (store,))
    return Kernel("product", buffers, (), (contract,))


class Call:
    """A compiled product bound to its arrays; calling it computes everything."""

    def __init__(self, kernel: Kernel, cpu: Cpu, arrays: tuple[np.ndarray, ...]) -> None:
        start = time.process_time()
        compiled = compile_kernel(kernel, cpu)
        self.seconds = time.process_time() - start
        self.library = Library([compiled.object_code], cpu)
        function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 2, *[ctypes.c_void_p] * 2)
        self.phases = [(function(self.library.address(p.symbol)), evaluate(p.units, {})) for p in compiled.phases]
        self.pointers = (ctypes.c_void_p * len(arrays))(*[a.ctypes.data for a in arrays])
        self.space = np.empty(evaluate(compiled.workspace, {}) + 64, np.uint8)
        self.workspace = (self.space.ctypes.data + 63) // 64 * 64
        self.status = (ctypes.c_int64 * 4)()
        self.arrays = arrays

    def __call__(self) -> None:
        for function, units in self.phases:
            function(self.pointers, None, 0, units, self.status, self.workspace)


def measure(calls: list[Callable[[], object]], repeats: int, inner: int) -> list[float]:
    """Median processor seconds of each call, taken in turns: what other programs do meanwhile counts little."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(repeats):
        for call, found in zip(calls, times, strict=True):
            start = time.thread_time()
            for _ in range(inner):
                call()
            found.append((time.thread_time() - start) / inner)
    return [statistics.median(t) for t in times]


def main() -> None:
    """Print the table."""
    cpu = cpu_for(sys.argv[1]) if len(sys.argv) > 1 else host_cpu()
    rng = np.random.default_rng(0)
    print(f"{cpu.name}, float32, one thread")
    print(f"{'m':>5}{'n':>5}{'k':>5}     ours      us  GFLOP/s   numpy      us  GFLOP/s  ratio  compile")
    total = [0.0, 0.0]
    for shape in TRAINING + OTHERS:
        m, n, k, layout = shape
        a = rng.normal(size=(m, k) if layout[0] == "N" else (k, m)).astype("f4")
        b = rng.normal(size=(k, n) if layout[1] == "N" else (n, k)).astype("f4")
        ours, theirs = np.zeros((m, n), "f4"), np.zeros((m, n), "f4")
        kernel = product(*shape)
        call = Call(kernel, cpu, (a, b, ours))
        left, right = a if layout[0] == "N" else a.T, b if layout[1] == "N" else b.T

        def numpy_call(left: np.ndarray = left, right: np.ndarray = right, out: np.ndarray = theirs) -> None:
            np.matmul(left, right, out=out)

        call()
        numpy_call()
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-2)
        flops = 2 * m * n * k
        inner = max(1, min(50, int(2e8 / flops)))
        mine, blas = measure([call, numpy_call], 5 if flops > 5e9 else 21, inner)
        if shape in TRAINING:
            total = [total[0] + mine, total[1] + blas]
        planned = plan_contract(kernel.body[0], kernel, cpu)  # type: ignore[arg-type]
        print(
            f"{m:5}{n:5}{k:5} {layout}   {mine * 1e6:13.1f}{flops / mine / 1e9:9.1f}   "
            f"{blas * 1e6:13.1f}{flops / blas / 1e9:9.1f}{mine / blas:7.2f}{call.seconds * 1e3:6.0f} ms  "
            f"{planned.schedule if planned else 'loops'}"
        )
    mine, blas = total
    print(f"all training shapes: {mine * 1e6:.0f} us against {blas * 1e6:.0f} us, ratio {mine / blas:.2f}")


if __name__ == "__main__":
    main()
