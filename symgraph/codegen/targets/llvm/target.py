"""The LLVM target: a plan becomes native code in this process, called with one foreign call."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ....ir.dims import evaluator
from ...loop.table import KernelTable
from ...plan import HostCall, Plan, Step
from ..watch import Watch
from . import pool
from .cache import KERNELS
from .compiled import CompiledKernel, symbol_of
from .cpu import Cpu, cpu_for, host_cpu
from .driver import REFUSED, driver
from .engine import Library, check_executable_memory
from .float_state import float_state
from .frame import Call, Frame, PythonCall, Workplace, data_offset, tasks_of
from .pipeline import compiler_for

Array = np.ndarray[Any, Any]
#: Called with the GIL, which the driver releases; an exception that it leaves behind is raised.
_RUN = ctypes.PYFUNCTYPE(ctypes.c_int64, ctypes.c_size_t)
_OBSERVE = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


class LlvmExecutable:
    """A plan in native code. Calls may come from several threads at once. ``flush``: subnormal numbers are zero.

    Raises:
        TargetError: where native code cannot be made or run here.
    """

    def __init__(self, plan: Plan, cpu: Cpu | None = None, flush: bool = False) -> None:
        self.plan = plan
        self.cpu = cpu if cpu is not None else host_cpu()
        self._flush = float_state(self.cpu).flush if flush else 0
        table = plan.kernels if isinstance(plan.kernels, KernelTable) else KernelTable(plan.kernels)
        self.kernels: dict[str, CompiledKernel] = {name: KERNELS.find(table, name, self.cpu) for name in table}
        distinct = {c.key: c for c in self.kernels.values()}
        self._library = Library([c.object_code for c in distinct.values()], self.cpu)
        symbols = [phase.symbol for c in distinct.values() for phase in c.phases]
        self._functions = self._library.addresses(symbols)
        self._literals = {
            (id(p), b.name): np.ascontiguousarray(b.literal.array)
            for p in plan.plans() for b in p.buffers.values() if b.literal is not None and not b.alias
        }  # fmt: skip
        self._constants = {key: a.ctypes.data for key, a in self._literals.items()}
        self._run = _RUN(driver().run)
        self._state_count = len(plan.states)
        self._direct = data_offset() >= 0
        self._frames: dict[tuple[int, ...], Frame] = {}

    def frame(self, sizes: tuple[int, ...]) -> Frame:
        """The plan bound to the sizes of ``plan.symbols``; the memory of calls belongs to it."""
        return Frame(self.plan, self.kernels, self._functions, self._constants, pool.address(), sizes, self._flush)

    def run(
        self, frame: Frame, inputs: Sequence[Array], states: Sequence[Array], outputs: Sequence[Array]
    ) -> tuple[int, int, int, int] | None:
        """Run the plan on C-contiguous arrays of the planned dtypes and shapes.

        Returns None, or ``(1 + check, index, size, step)`` of a failed bounds check. The GIL is released meanwhile;
        what the handler of a signal raises ends the run, while no state was written, or is raised at its end.

        Raises:
            BaseException: what Python that the plan calls raises; it ends the run.
        """
        place = frame.take()
        try:
            return self._call(self._run, place, inputs, states, outputs)
        finally:
            frame.free.append(place)

    def run_watched(
        self, frame: Frame, inputs: Sequence[Array], states: Sequence[Array], outputs: Sequence[Array], watch: Watch
    ) -> tuple[int, int, int, int] | None:
        """The same, with a look at every step."""
        raised: list[BaseException] = []
        tasks = list(tasks_of(frame.calls))
        firsts = [k == 0 or t.step != tasks[k - 1].step for k, t in enumerate(tasks)]
        lasts = [*firsts[1:], True][: len(tasks)]
        steps = list(self.plan.calls())

        def observe(number: int, after: int) -> int:
            task = tasks[number]
            if watch.observer is None or not (lasts if after else firsts)[number]:
                return 0
            try:
                arrays = self._arguments(frame, place, steps[task.step], task)
                return int(watch.observer(task.step, bool(after), arrays))
            except BaseException as error:  # it cannot pass native code
                raised.append(error)
                return 1

        callback = _OBSERVE(observe)
        if watch.observer is not None:
            place = Workplace(frame, ctypes.cast(callback, ctypes.c_void_p).value or 0)
        else:
            place = frame.timed.pop() if frame.timed else Workplace(frame, 0)
        failure = self._call(_RUN(driver(watched=True).run), place, inputs, states, outputs)
        for task, record, last in zip(tasks, place.records, lasts, strict=True):
            watch.note(task.step, int(record[0]), int(record[1]) if last else 0)
            record[:2] = 0
        if watch.observer is None:
            frame.timed.append(place)
        if raised:
            raise raised[0]
        return failure

    def _arguments(
        self, frame: Frame, place: Workplace, step: Step | HostCall, task: Call | PythonCall
    ) -> list[Array]:
        """The arrays that a step works on now."""
        if isinstance(task, PythonCall):
            types = [*task.bound.operands, *task.bound.results]
        else:
            assert isinstance(step, Step)
            kernel = self.plan.kernels[step.kernel]
            count = len(kernel.sizes)
            sizes = dict(zip(kernel.sizes, frame.sizes[task.sizes_at : task.sizes_at + count], strict=True))
            types = [(b.dtype.np, tuple(evaluator(d)(sizes) for d in b.shape)) for b in kernel.buffers]
        arrays: list[Array] = []
        for (dtype, shape), address in zip(types, place.pointers[task.first :], strict=False):
            memory = (ctypes.c_char * (math.prod(shape) * dtype.itemsize)).from_address(int(address))
            arrays.append(np.frombuffer(memoryview(memory), dtype).reshape(shape))
        return arrays

    def _call(
        self, run: Any, place: Workplace, inputs: Sequence[Array], states: Sequence[Array], outputs: Sequence[Array]
    ) -> tuple[int, int, int, int] | None:
        io = place.io
        if self._direct:
            k = 0
            for a in inputs:
                io[k] = id(a)
                k += 1
            if place.states is states:
                k += self._state_count
            else:
                for a in states:
                    io[k] = id(a)
                    k += 1
                place.states = states
            for a in outputs:
                io[k] = id(a)
                k += 1
        else:
            cells = (ctypes.c_size_t * len(io))(*[a.ctypes.data for a in (*inputs, *states, *outputs)])
            first = ctypes.addressof(cells)
            for k in range(len(cells)):
                io[k] = first + 8 * k
        failed = run(place.address)
        if not failed:
            return None
        if failed == REFUSED:
            # Where nothing was kept, a signal came before the first line of Python.
            raise place.raised.pop() if place.raised else KeyboardInterrupt
        check, index, size, step = place.status[:4]
        return check, index, size, step

    # -- looking inside ---------------------------------------------------------------------------------------------
    def llvm_ir(self) -> dict[str, str]:
        """The LLVM text of every kernel, by its name in the plan, as it is written (before LLVM's passes)."""
        return {name: self._text(name) for name in self.kernels}

    def assembly(self, kernel: str) -> str:
        """The assembly text of a kernel, by its name in the plan."""
        return compiler_for(self.cpu).assembly(self._text(kernel))

    def _text(self, kernel: str) -> str:
        """The LLVM text of a kernel: at hand where it was compiled, written again where it came from disk."""
        from .kernel import kernel_text

        compiled = self.kernels[kernel]
        return compiled.ir or kernel_text(self.plan.kernels[kernel], self.cpu, symbol_of(compiled.key))[0]

    def __str__(self) -> str:
        lines = [f"llvm for {self.cpu.name}, {self.cpu.vector_bytes}-byte vectors"]
        lines += [
            f"  {name}: {len(compiled.object_code)} bytes, {phase.units} unit(s), tasks of {phase.grain} or more"
            for name, compiled in self.kernels.items()
            for phase in compiled.phases
        ]
        return "\n".join(lines)


class LlvmTarget:
    """Makes executables of plans, for one processor.

    Raises:
        TargetError: where native code cannot be made or run here.
    """

    name = "llvm"

    def __init__(self, cpu: str = "host", flush: bool = False) -> None:
        check_executable_memory()
        self.cpu = host_cpu() if cpu == "host" else cpu_for(cpu)
        self._flush = flush

    def build(self, plan: Plan) -> LlvmExecutable:
        return LlvmExecutable(plan, self.cpu, self._flush)
