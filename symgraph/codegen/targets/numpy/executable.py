"""A plan run by NumPy, one Python call per step."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ....errors import OutOfMemoryError
from ....ir.dims import evaluator, product
from ...host import BoundHost
from ...memory import Layout, allocate_arena, layout, root_of
from ...plan import HostCall, Loop, Move, Plan
from ...undo import undoable
from ..watch import Watch
from .interruption import uninterrupted
from .runtime import OutOfBounds
from .source import Compiled, compile_source, kernel_source

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
_KINDS = ("input", "state", "output")
_NOTHING: Array = np.empty(0)


@dataclass(frozen=True, slots=True)
class External:
    """A step's argument that the caller passes: input, state or output ``slot``, seen as ``shape``."""

    kind: str
    slot: int
    shape: Shape


@dataclass(frozen=True, slots=True)
class Internal:
    """A step's argument in the arena (``offset`` in bytes) or a constant."""

    offset: int
    constant: Array | None
    dtype: np.dtype[Any]
    shape: Shape


@dataclass(slots=True)
class BoundStep:
    """A step for given sizes: where its arguments come from, and the values of its sizes (of kernels)."""

    call: Compiled
    arguments: tuple[External | Internal, ...]
    sizes: tuple[int, ...]


@dataclass(slots=True)
class BoundLoop:
    """A loop for given sizes. ``moves`` come with the shape of a row and the value of the first one."""

    arguments: tuple[External | Internal, ...]
    length: int
    steps: tuple[BoundStep | BoundLoop, ...]
    moves: tuple[tuple[Move, Shape, int], ...]
    condition: int
    wanted: bool


@dataclass(slots=True)
class Frame:
    """A plan bound to sizes. ``free`` holds arenas, and step arguments in them, that no running call uses. A run may
    end before step ``committed`` if the states ``saved`` (by slot) are put back."""

    bound: dict[str, int]
    memory: Layout
    steps: tuple[BoundStep | BoundLoop, ...]
    copies: tuple[tuple[int, External | Internal], ...]
    committed: int
    saved: tuple[int, ...]
    free: list[Instance] = field(default_factory=list)


#: The arguments of each step in one arena, None where the caller passes the array; those of a loop's steps are nested.
Instance = list[Any]


Execute = Callable[[BoundStep, Sequence[Array], int], None]
#: The result of a run that an observer ended.
_ENDED = (-1, 0, 0, 0)


#: What NumPy says of arrays that 64 bits cannot address.
_TOO_BIG = ("array is too big", "Maximum allowed dimension exceeded")


class _Ended(Exception):
    """An observer ended the run."""


def _execute(step: BoundStep, arrays: Sequence[Array], _: int) -> None:
    step.call(*arrays, *step.sizes)


class NumpyExecutable:
    """Runs a plan. ``frame`` binds sizes; ``run`` may be called from several threads at once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.sources = {key: kernel_source(kernel) for key, kernel in plan.kernels.items()}
        self._calls = {key: self._call(key, text) for key, text in self.sources.items()}

    def _call(self, key: str, text: str) -> Compiled:
        """A kernel as a function. NumPy makes arrays for parts of expressions, for which memory may be lacking."""
        kernel = self.plan.kernels[key]
        function = compile_source(text, kernel.name)

        def call(*arguments: Any) -> None:
            try:
                function(*arguments)
            except (MemoryError, ValueError) as error:
                if isinstance(error, ValueError) and not any(text in str(error) for text in _TOO_BIG):
                    raise
                sizes = zip(kernel.sizes, arguments[len(kernel.buffers) :], strict=True)
                where = f" where {', '.join(f'{name} = {n}' for name, n in sizes)}" if kernel.sizes else ""
                raise OutOfMemoryError(
                    f"{self.plan.name}: no memory for {kernel.name}{where}: {error}; use smaller batches"
                ) from None

        return call

    @property
    def text(self) -> str:
        """The source of every kernel."""
        return "\n".join(f"# {self.plan.kernels[key].name}\n{source}" for key, source in self.sources.items())

    def frame(self, sizes: Sequence[int]) -> Frame:
        """The plan for one choice of sizes (those of ``plan.symbols``).

        Raises:
            ArgumentError: for sizes that need more memory than can be addressed.
            OutOfMemoryError: where the system has too little memory.
        """
        plan = self.plan
        values = dict(zip(plan.symbols, sizes, strict=True))
        memory = layout(plan, values)
        committed, saved = undoable(plan, values)
        slots = tuple(plan.buffers[name].slot for name in saved)
        steps = self._bind(plan, memory, 0, values)
        frame = Frame(values, memory, steps, self._copies(values, memory), committed, slots)
        frame.free.append(self._instance(frame))
        return frame

    def _bind(
        self, plan: Plan, memory: Layout, offset: int, values: dict[str, int]
    ) -> tuple[BoundStep | BoundLoop, ...]:
        """The steps of a plan whose temporaries lie from ``offset`` on."""
        steps: list[BoundStep | BoundLoop] = []
        for step in plan.steps:
            if isinstance(step, Loop):
                steps.append(self._bind_loop(step, plan, memory, offset, values))
                continue
            if isinstance(step, HostCall):
                visit = BoundHost(step, values, self.plan.name)
                places = zip(step.args, (*visit.operands, *visit.results), strict=True)
                seen = tuple(self._argument(plan, name, shape, memory, offset) for name, (_, shape) in places)
                steps.append(BoundStep(_calling(visit), seen, ()))
                continue
            kernel = self.plan.kernels[step.kernel]
            here = tuple(evaluator(d)(values) for d in step.sizes)
            local = dict(zip(kernel.sizes, here, strict=True))
            shapes = [tuple(evaluator(d)(local) for d in b.shape) for b in kernel.buffers]
            arguments = tuple(
                self._argument(plan, n, s, memory, offset) for n, s in zip(step.args, shapes, strict=True)
            )
            steps.append(BoundStep(self._calls[step.kernel], arguments, here))
        return tuple(steps)

    def _bind_loop(self, loop: Loop, plan: Plan, memory: Layout, offset: int, values: dict[str, int]) -> BoundLoop:
        length = evaluator(loop.length)(values)
        rows = [int(k == loop.condition) for k in range(len(loop.args) - 1)]
        shapes: list[Shape] = [()] * len(rows)
        moves: list[tuple[Move, Shape, int]] = []
        for move in loop.moves:
            first, shape = evaluator(move.first)(values), tuple(evaluator(d)(values) for d in move.shape)
            moves.append((move, shape, first))
            shapes[move.array] = shape
            touched = [1 + move.row(i, first) for i in (0, 1, length - 1) if 0 <= i < length]
            rows[move.array] = max([rows[move.array], *touched])
        arguments = tuple(
            self._argument(plan, name, (count, *shape), memory, offset)
            for name, shape, count in zip(loop.args[:-1], shapes, rows, strict=True)
        )
        inner = self._bind(loop.body, layout(loop.body, values), offset + memory.offsets[loop.arena], values)
        return BoundLoop(arguments, length, inner, tuple(moves), loop.condition, loop.wanted)

    def _argument(self, plan: Plan, name: str, shape: Shape, memory: Layout, offset: int = 0) -> External | Internal:
        root = plan.buffers[root_of(plan, name)]
        if root.kind in ("input", "state", "output"):
            return External(root.kind, root.slot, shape)
        constant = None if root.literal is None else root.literal.array
        return Internal(offset + memory.offsets.get(name, 0), constant, plan.buffers[name].dtype.np, shape)

    def _copies(self, values: dict[str, int], memory: Layout) -> tuple[tuple[int, External | Internal], ...]:
        """Outputs that no step writes: they live elsewhere and are copied at the end."""
        copies = []
        for slot, name in enumerate(self.plan.outputs):
            root = self.plan.buffers[root_of(self.plan, name)]
            if root.kind != "output" or root.slot != slot:
                shape = tuple(evaluator(d)(values) for d in self.plan.buffers[name].shape)
                copies.append((slot, self._argument(self.plan, name, shape, memory)))
        return tuple(copies)

    def _instance(self, frame: Frame) -> Instance:
        arena = allocate_arena(self.plan, frame.memory, frame.bound)
        return [*_resolve_steps(frame.steps, arena), [_resolve(a, arena) for _, a in frame.copies]]

    def run(
        self, frame: Frame, inputs: Sequence[Array], states: Sequence[Array], outputs: Sequence[Array]
    ) -> tuple[int, int, int, int] | None:
        """Execute on C-contiguous arrays; gives ``(1 + check, index, size, step)`` of the first failed bounds check.

        Ctrl-C ends the run where all states can be left as they were, else it waits for the end."""
        return self._run(frame, inputs, states, outputs, _execute)

    def run_watched(
        self, frame: Frame, inputs: Sequence[Array], states: Sequence[Array], outputs: Sequence[Array], watch: Watch
    ) -> tuple[int, int, int, int] | None:
        """The same, with a look at every step."""

        def execute(step: BoundStep, arrays: Sequence[Array], number: int) -> None:
            observer = watch.observer
            if observer is not None:
                observer(number, False, arrays)
            start = time.perf_counter_ns()
            step.call(*arrays, *step.sizes)
            watch.note(number, time.perf_counter_ns() - start, 1)
            if observer is not None and observer(number, True, arrays):
                raise _Ended

        return self._run(frame, inputs, states, outputs, execute)

    def _run(
        self, frame: Frame, inputs: Sequence[Array], states: Sequence[Array], outputs: Sequence[Array],
        execute: Execute,
    ) -> tuple[int, int, int, int] | None:  # fmt: skip
        try:
            instance = frame.free.pop()
        except IndexError:  # another thread runs this frame
            instance = self._instance(frame)
        external = {"input": inputs, "state": states, "output": outputs}
        place = [0]
        at = frame.committed
        saved = [(states[slot], states[slot].copy()) for slot in frame.saved]
        try:
            with np.errstate(all="ignore"):
                try:
                    _run_steps(frame.steps[:at], instance, external, place, execute)
                except BaseException:
                    for state, copy in saved:
                        state[...] = copy
                    raise
                if at < len(frame.steps):
                    with uninterrupted():
                        _run_steps(frame.steps[at:], instance[at:], external, place, execute)
            for (slot, argument), array in zip(frame.copies, instance[-1], strict=True):
                outputs[slot][...] = _passed(external, argument) if array is None else array
        except _Ended:
            return _ENDED
        except OutOfBounds as fault:
            check, index, size = fault.failure
            return 1 + check, index, size, place[0]
        finally:
            frame.free.append(instance)
        return None


def _calling(visit: BoundHost) -> Compiled:
    """A call of Python as a kernel: what it gets is copied, as it may keep it."""
    count = len(visit.operands)

    def call(*arrays: Array) -> None:
        made = visit.run([array.copy() for array in arrays[:count]])
        for array, result in zip(arrays[count:], made, strict=True):
            array[...] = result

    return call


def _run_steps(
    steps: Sequence[BoundStep | BoundLoop], instance: Instance, external: dict[str, Sequence[Array]], place: list[int],
    execute: Execute,
) -> None:  # fmt: skip
    """Run steps in order. ``place`` holds the number of the kernel call that runs, those in loops counted."""
    for number, step in enumerate(steps):
        resolved = instance[number][0] if isinstance(step, BoundLoop) else instance[number]
        arrays = [
            _passed(external, argument) if array is None else array
            for argument, array in zip(step.arguments, resolved)  # noqa: B905 - equal by making
        ]
        if isinstance(step, BoundStep):
            execute(step, arrays, place[0])
            place[0] += 1
            continue
        first = place[0]
        count = {kind: 1 + max((m.slot for m, _, _ in step.moves if m.kind == kind), default=-1) for kind in _KINDS}
        for i in range(step.length):
            if step.condition >= 0 and bool(arrays[step.condition].reshape(-1)[0]) != step.wanted:
                break
            place[0] = first
            rows: dict[str, Sequence[Array]] = {kind: [_NOTHING] * n for kind, n in count.items()}
            for move, shape, start in step.moves:
                rows[move.kind][move.slot] = arrays[move.array][move.row(i, start), ...].reshape(shape)  # type: ignore[index]
            _run_steps(step.steps, instance[number][1], rows, place, execute)
        place[0] = first + _count_calls(step.steps)


def _count_calls(steps: Sequence[BoundStep | BoundLoop]) -> int:
    return sum(_count_calls(s.steps) if isinstance(s, BoundLoop) else 1 for s in steps)


def _resolve_steps(steps: Sequence[BoundStep | BoundLoop], arena: Array) -> Instance:
    out: Instance = []
    for step in steps:
        resolved = [_resolve(a, arena) for a in step.arguments]
        out.append((resolved, _resolve_steps(step.steps, arena)) if isinstance(step, BoundLoop) else resolved)
    return out


def _passed(external: dict[str, Sequence[Array]], argument: External | Internal) -> Array:
    assert isinstance(argument, External)
    array = external[argument.kind][argument.slot]
    if array.shape == argument.shape:
        return array
    return array.reshape(-1)[: product(argument.shape)].reshape(argument.shape)


def _resolve(argument: External | Internal, arena: Array) -> Array | None:
    if isinstance(argument, External):
        return None
    count = int(np.prod(argument.shape, dtype=np.int64))
    if argument.constant is not None:
        return argument.constant.reshape(-1)[:count].reshape(argument.shape)
    nbytes = count * argument.dtype.itemsize
    return arena[argument.offset : argument.offset + nbytes].view(argument.dtype).reshape(argument.shape)
