"""Frames: a plan bound to sizes, with the memory and the tables that one call at a time uses."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ....ir.dims import evaluator
from ...memory import Layout, allocate_arena, layout, root_of
from ...plan import Plan
from .compiled import CompiledKernel
from .driver import CONTEXT_FIELDS, TASK_FIELDS

#: More tasks than this of one step gain nothing.
_MOST_CHUNKS = 512


@lru_cache(maxsize=1)
def data_offset() -> int:
    """Where in the object of an ndarray its data pointer is, or -1 where that cannot be relied on.

    NumPy's ABI puts it right after the object's head; it is tried on real arrays.
    """
    offset = object.__basicsize__
    for probe in (np.arange(5), np.zeros((3, 4), np.int8)[1:], np.array(1.5)):
        if ctypes.c_size_t.from_address(id(probe) + offset).value != probe.ctypes.data:
            return -1
    return offset


@dataclass(frozen=True, slots=True)
class Call:
    """One phase of one step, bound to sizes: ``first`` is where its buffers begin in the table of pointers,
    ``sizes_at`` its sizes in the table of sizes."""

    function: int
    first: int
    sizes_at: int
    units: int
    chunk: int
    step: int


class Workplace:
    """The memory of one call: the arena, the pointers of every step, the driver's context. Used by one thread at a
    time."""

    __slots__ = ("_keep", "address", "io", "states", "status")

    def __init__(self, frame: Frame) -> None:
        arena = frame.new_arena()
        base = arena.ctypes.data
        scratch = base + frame.layout.nbytes
        pointers = np.zeros(max(len(frame.roots), 1), np.uint64)
        patches: list[tuple[int, int]] = []
        for i, root in enumerate(frame.roots):
            if root in frame.numbers:
                patches.append((frame.numbers[root], pointers.ctypes.data + 8 * i))
            else:
                fixed = frame.constants.get(root)
                pointers[i] = base + frame.layout.offsets[root] if fixed is None else fixed
        table = np.array(patches, np.uint64).reshape(-1)
        sizes = np.array(frame.sizes or [0], np.int64)
        tasks = np.zeros((max(len(frame.calls), 1), TASK_FIELDS), np.uint64)
        for row, call in zip(tasks, frame.calls, strict=False):
            at = (pointers.ctypes.data + 8 * call.first, sizes.ctypes.data + 8 * call.sizes_at)
            row[:6] = (call.function, *at, call.units, call.chunk, call.step)
        self.io = (ctypes.c_size_t * max(len(frame.numbers), 1))()
        self.status = (ctypes.c_int64 * 4)()
        context = (ctypes.c_size_t * CONTEXT_FIELDS)(
            ctypes.addressof(self.io), max(data_offset(), 0), table.ctypes.data, len(patches), tasks.ctypes.data,
            len(frame.calls), ctypes.addressof(self.status), scratch, frame.pool,
        )  # fmt: skip
        self.address = ctypes.addressof(context)
        self.states: Any = None
        self._keep = (arena, pointers, table, sizes, tasks, context)


class Frame:
    """A plan bound to one set of sizes. ``free`` holds the workplaces no call is using."""

    __slots__ = (
        "_bound", "_plan", "calls", "constants", "free", "layout", "numbers", "pool", "roots", "sizes", "workspace",
    )  # fmt: skip

    def __init__(
        self, plan: Plan, kernels: Mapping[str, CompiledKernel], functions: Mapping[str, int],
        constants: Mapping[str, int], pool: int, sizes: Sequence[int],
    ) -> None:  # fmt: skip
        bound = dict(zip(plan.symbols, sizes, strict=True))
        self._plan = plan
        self._bound = bound
        self.layout = layout(plan, bound)
        self.workspace = 0
        self.constants = constants
        self.pool = pool
        self.numbers = array_numbers(plan)
        self.roots: list[str] = []
        self.sizes: list[int] = []
        self.calls: list[Call] = []
        for number, step in enumerate(plan.steps):
            values = [evaluator(d)(bound) for d in step.sizes]
            first, at = len(self.roots), len(self.sizes)
            self.roots += [root_of(plan, name) for name in step.args]
            self.sizes += values
            compiled = kernels[step.kernel]
            local = dict(zip(plan.kernels[step.kernel].sizes, values, strict=True))
            self.workspace = max(self.workspace, evaluator(compiled.workspace)(local))
            for phase in compiled.phases:
                units = evaluator(phase.units)(local)
                if units > 0:
                    grain = max(1, evaluator(phase.grain)(local))
                    chunk = grain * -(-units // (grain * _MOST_CHUNKS))
                    self.calls.append(Call(functions[phase.symbol], first, at, units, chunk, number))
        self.free: list[Workplace] = []

    def new_arena(self) -> np.ndarray[Any, Any]:
        """Memory for the temporaries of one call, and behind them the kernels' workspace.

        Raises:
            MemoryError: where the system has too little.
        """
        return allocate_arena(self._plan, Layout({}, self.layout.nbytes + self.workspace), self._bound)

    def take(self) -> Workplace:
        """A workplace for one call; give it back by appending it to ``free``."""
        try:
            return self.free.pop()
        except IndexError:
            return Workplace(self)


def array_numbers(plan: Plan) -> dict[str, int]:
    """The position of every buffer that is an array of the caller's: inputs, then states, then outputs."""
    numbers: dict[str, int] = {}
    for name in (*plan.inputs, *plan.states, *plan.outputs):
        numbers[name] = len(numbers)
    return numbers
