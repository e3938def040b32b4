"""Frames: a plan bound to sizes, with the memory and the tables that one call at a time uses."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ....ir.dims import evaluator
from ...host import BoundHost
from ...memory import Layout, allocate_arena, layout, root_of
from ...plan import HostCall, Loop, Plan, Step
from ...undo import undoable
from .compiled import CompiledKernel
from .driver import CONTEXT_FIELDS, MOVE_FIELDS, STATUS_FIELDS, TASK_FIELDS, UNDO_FIELDS, driver
from .host import Visit

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
    ``sizes_at`` its sizes in the table of sizes. ``free``: the run may end after it, as what it wrote
    to states can be undone."""

    function: int
    first: int
    sizes_at: int
    units: int
    chunk: int
    step: int
    free: bool = True


@dataclass(frozen=True, slots=True)
class LoopCall:
    """A loop, bound to sizes. ``moves`` are ``(pointer set, pointer read, first, step, mask, bytes)`` with positions in
    the table of pointers, as ``condition`` is (-1: none)."""

    length: int
    moves: tuple[tuple[int, int, int, int, int, int], ...]
    calls: tuple[Call | PythonCall | LoopCall, ...]
    condition: int
    wanted: bool
    free: bool = True


@dataclass(frozen=True, slots=True)
class PythonCall:
    """A call of Python, bound to sizes; the rest as of a :class:`Call`."""

    bound: BoundHost
    first: int
    step: int
    free: bool = True


class Workplace:
    """The memory of one call: the arena, the pointers of every step, the driver's context. Used by one thread at a
    time. ``observer`` is the address of a function that a watched run calls, or 0; None for one that is not watched.
    ``records`` are then those of all tasks, in the order of the calls. ``raised`` has what Python raised in a run."""

    __slots__ = ("_keep", "_observer", "address", "io", "pointers", "raised", "records", "states", "status")

    def __init__(self, frame: Frame, observer: int | None = None) -> None:
        arena = frame.new_arena()
        base = arena.ctypes.data
        scratch = base + frame.layout.nbytes
        pointers = np.zeros(max(len(frame.places), 1), np.uint64)
        patches: list[tuple[int, int]] = []
        for i, place in enumerate(frame.places):
            if place.number >= 0:
                patches.append((place.number, pointers.ctypes.data + 8 * i))
            else:
                pointers[i] = place.address or base + place.offset
        table = np.array(patches, np.uint64).reshape(-1)
        sizes = np.array(frame.sizes or [0], np.int64)
        copies = [np.empty(max(nbytes, 1), np.uint8) for _, nbytes in frame.saved]
        undo = np.array(
            [
                (pointers.ctypes.data + 8 * at, copy.ctypes.data, nbytes)
                for (at, nbytes), copy in zip(frame.saved, copies, strict=True)
            ],
            np.uint64,
        ).reshape(-1, UNDO_FIELDS)
        self.pointers = pointers
        self.raised: list[BaseException] = []
        self._observer = observer
        self.records: list[np.ndarray[Any, np.dtype[np.int64]]] = []
        self._keep: list[Any] = [arena, table, sizes, undo, *copies]
        tasks = self._tasks(frame.calls, pointers.ctypes.data, sizes.ctypes.data, frame.pool)
        self.io = (ctypes.c_size_t * max(len(frame.numbers), 1))()
        self.status = (ctypes.c_int64 * STATUS_FIELDS)()
        context = (ctypes.c_size_t * CONTEXT_FIELDS)(
            ctypes.addressof(self.io), max(data_offset(), 0), table.ctypes.data, len(patches), tasks.ctypes.data,
            len(frame.calls), ctypes.addressof(self.status), scratch, frame.pool, undo.ctypes.data, len(undo),
            frame.flush,
        )  # fmt: skip
        self.address = ctypes.addressof(context)
        self.states: Any = None
        self._keep.append(context)

    def _tasks(
        self, calls: Sequence[Call | PythonCall | LoopCall], pointers: int, sizes: int, pool: int
    ) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The driver's table of tasks, and those inside loops."""
        tasks = np.zeros((max(len(calls), 1), TASK_FIELDS), np.int64)
        self._keep.append(tasks)
        for row, call in zip(tasks, calls, strict=False):
            if isinstance(call, Call):
                at = (pointers + 8 * call.first, sizes + 8 * call.sizes_at)
                row[:7] = (call.function, *at, call.units, call.chunk, call.step, call.free)
                row[7] = self._record()
                continue
            if isinstance(call, PythonCall):
                visit = Visit(call.bound, self.raised)
                self._keep.append(visit)
                function = driver(watched=self._observer is not None).host
                row[:7] = (function, pointers + 8 * call.first, visit.address, 1, 1, call.step, call.free)
                row[7] = self._record()
                continue
            moves = np.array(call.moves, np.int64).reshape(-1, MOVE_FIELDS)
            moves[:, :2] = pointers + 8 * moves[:, :2]
            inner = self._tasks(call.calls, pointers, sizes, pool)
            condition = pointers + 8 * call.condition if call.condition >= 0 else 0
            fields = [call.length, moves.ctypes.data, len(moves), inner.ctypes.data, len(call.calls), pool]
            record = np.array([*fields, condition, call.wanted], np.int64)
            self._keep += [moves, record]
            function = driver(watched=self._observer is not None).loop
            row[:7] = (function, record.ctypes.data, sizes, 1, 1, -1, call.free)
        return tasks

    def _record(self) -> int:
        """The address of the record of one more task; 0 where the run is not watched."""
        if self._observer is None:
            return 0
        self.records.append(np.array([0, 0, self._observer, len(self.records)], np.int64))
        return self.records[-1].ctypes.data


@dataclass(frozen=True, slots=True)
class Place:
    """What a pointer points at: array ``number`` of the caller's, an ``address``, or an ``offset`` in the arena. A loop
    sets pointers to rows anew at each of its steps."""

    number: int = -1
    address: int = 0
    offset: int = 0


class Frame:
    """A plan bound to one set of sizes. ``free`` holds the workplaces no call is using."""

    __slots__ = (
        "_committed", "_functions", "_kernels", "_plan", "_step", "bound", "calls", "constants", "flush", "free",
        "layout", "numbers", "places", "pool", "saved", "sizes", "timed", "workspace",
    )  # fmt: skip

    def __init__(
        self, plan: Plan, kernels: Mapping[str, CompiledKernel], functions: Mapping[str, int],
        constants: Mapping[tuple[int, str], int], pool: int, sizes: Sequence[int], flush: int = 0,
    ) -> None:  # fmt: skip
        bound = dict(zip(plan.symbols, sizes, strict=True))
        self._plan = plan
        self.bound = bound
        self._kernels = kernels
        self._functions = functions
        self._step = 0
        self.layout = layout(plan, bound)
        self.workspace = 0
        self.constants = constants
        self.pool = pool
        self.flush = flush
        self.numbers = array_numbers(plan)
        self.places: list[Place] = []
        self.sizes: list[int] = []
        self._committed, saved = undoable(plan, bound)
        self.calls = self._bind(plan, self.layout, 0, {}, True)
        #: States to save: the positions of their pointers, and their sizes.
        self.saved: list[tuple[int, int]] = []
        for name in saved:
            self.saved.append((len(self.places), evaluator(plan.buffers[name].nbytes)(bound)))
            self.places.append(Place(number=self.numbers[name]))
        self.free: list[Workplace] = []
        #: The same for runs that are timed.
        self.timed: list[Workplace] = []

    def _bind(
        self, plan: Plan, memory: Layout, offset: int, rows: dict[str, list[int]], free: bool
    ) -> tuple[Call | PythonCall | LoopCall, ...]:
        """The calls of a plan whose temporaries lie from ``offset`` on. ``rows`` collects the pointers, by position, to
        what the loop around it passes; ``free``: a run may end there."""
        calls: list[Call | PythonCall | LoopCall] = []
        for number, step in enumerate(plan.steps):
            if plan is self._plan:
                free = number < self._committed
            first = len(self.places)
            self._place(plan, step.args, memory, offset, rows)
            if isinstance(step, Loop):
                calls.append(self._bind_loop(step, first, offset + memory.offsets[step.arena], free))
            elif isinstance(step, HostCall):
                calls.append(PythonCall(BoundHost(step, self.bound, self._plan.name), first, self._step, free))
                self._step += 1
            else:
                calls += self._bind_step(step, first, free)
        return tuple(calls)

    def _place(self, plan: Plan, names: Sequence[str], memory: Layout, offset: int, rows: dict[str, list[int]]) -> None:
        for name in names:
            root = root_of(plan, name)
            if plan is self._plan and root in self.numbers:
                self.places.append(Place(number=self.numbers[root]))
            elif plan.buffers[root].kind in ("input", "state", "output"):
                rows.setdefault(root, []).append(len(self.places))
                self.places.append(Place())
            elif plan.buffers[root].literal is not None:
                self.places.append(Place(address=self.constants[id(plan), root]))
            else:
                self.places.append(Place(offset=offset + memory.offsets[root]))

    def _bind_step(self, step: Step, first: int, free: bool) -> list[Call]:
        values = [evaluator(d)(self.bound) for d in step.sizes]
        at, number = len(self.sizes), self._step
        self._step += 1
        self.sizes += values
        compiled = self._kernels[step.kernel]
        local = dict(zip(compiled.sizes, values, strict=True))
        self.workspace = max(self.workspace, evaluator(compiled.workspace)(local))
        calls: list[Call] = []
        for phase in compiled.phases:
            units = evaluator(phase.units)(local)
            if units > 0:
                grain = max(1, evaluator(phase.grain)(local))
                chunk = grain * -(-units // (grain * _MOST_CHUNKS))
                calls.append(Call(self._functions[phase.symbol], first, at, units, chunk, number, free))
        return calls

    def _bind_loop(self, loop: Loop, first: int, offset: int, free: bool) -> LoopCall:
        body, bound = loop.body, self.bound
        rows: dict[str, list[int]] = {}
        calls = self._bind(body, layout(body, bound), offset, rows, free)
        moves: list[tuple[int, int, int, int, int, int]] = []
        for move in loop.moves:
            name = loop.slot_name(move)
            mask = move.wrap - 1 if move.wrap else -1
            numbers = (evaluator(move.first)(bound), move.step, mask, evaluator(move.nbytes)(bound))
            moves += [(cell, first + move.array, *numbers) for cell in rows.get(name, ())]
        condition = first + loop.condition if loop.condition >= 0 else -1
        return LoopCall(evaluator(loop.length)(bound), tuple(moves), calls, condition, loop.wanted, free)

    def new_arena(self) -> np.ndarray[Any, Any]:
        """Memory for the temporaries of one call, and behind them the kernels' workspace.

        Raises:
            OutOfMemoryError: where the system has too little.
        """
        return allocate_arena(self._plan, Layout({}, self.layout.nbytes + self.workspace), self.bound)

    def take(self) -> Workplace:
        """A workplace for one call; give it back by appending it to ``free``."""
        try:
            return self.free.pop()
        except IndexError:
            return Workplace(self)


def tasks_of(calls: Sequence[Call | PythonCall | LoopCall]) -> Iterator[Call | PythonCall]:
    """The calls of kernels and of Python, those in loops too, in the order of their records."""
    for call in calls:
        if isinstance(call, LoopCall):
            yield from tasks_of(call.calls)
        else:
            yield call


def array_numbers(plan: Plan) -> dict[str, int]:
    """The position of every buffer that is an array of the caller's: inputs, then states, then outputs."""
    numbers: dict[str, int] = {}
    for name in (*plan.inputs, *plan.states, *plan.outputs):
        numbers[name] = len(numbers)
    return numbers
