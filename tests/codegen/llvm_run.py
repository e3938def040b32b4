"""Runs one loop-IR kernel natively on NumPy arrays."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from symgraph.codegen.loop.grammar import Kernel
from symgraph.codegen.targets.llvm.compiled import CompiledKernel
from symgraph.codegen.targets.llvm.cpu import Cpu, can_run, cpu_for, host_cpu
from symgraph.codegen.targets.llvm.engine import Library
from symgraph.codegen.targets.llvm.kernel import compile_kernel
from symgraph.ir.dims import evaluate

_CALL = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p
)


def cpus() -> dict[str, Cpu]:
    """Every processor level that code can be made for and run on here."""
    if host_cpu().arch != "x86_64":
        return {"host": host_cpu()}
    levels = {name: cpu_for(name) for name in ("avx512", "avx2", "baseline")}
    return {name: cpu for name, cpu in levels.items() if can_run(cpu)}


CPUS = cpus()


class Native:
    """A compiled and loaded kernel."""

    def __init__(self, kernel: Kernel, cpu: Cpu) -> None:
        self.kernel = kernel
        self.compiled: CompiledKernel = compile_kernel(kernel, cpu)
        self.library = Library([self.compiled.object_code], cpu)

    def __call__(self, *arrays: np.ndarray[Any, Any], pieces: int = 1, **sizes: int) -> tuple[int, int, int, int]:
        """Run all units, cut in ``pieces`` calls; returns the status."""
        pointers = (ctypes.c_void_p * max(len(arrays), 1))(*[a.ctypes.data for a in arrays])
        values = (ctypes.c_int64 * max(len(self.kernel.sizes), 1))(*[sizes[n] for n in self.kernel.sizes])
        status = (ctypes.c_int64 * 4)()
        work = np.zeros(evaluate(self.compiled.workspace, sizes) + 64, np.uint8)
        base = (work.ctypes.data + 63) // 64 * 64
        for phase in self.compiled.phases:
            function = _CALL(self.library.address(phase.symbol))
            units = evaluate(phase.units, sizes)
            cuts = [units * i // pieces for i in range(pieces + 1)]
            for lo, hi in zip(cuts, cuts[1:], strict=False):
                function(pointers, values, lo, hi, status, base)
        return tuple(status)  # type: ignore[return-value]
