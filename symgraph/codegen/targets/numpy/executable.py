"""A plan run by NumPy, one Python call per step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ....ir.dims import evaluator, product
from ...memory import Layout, allocate_arena, layout, root_of
from ...plan import Plan
from .runtime import OutOfBounds
from .source import Compiled, compile_source, kernel_source

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]


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
    """A step for given sizes: where its arguments come from, and the values of its sizes."""

    call: Compiled
    arguments: tuple[External | Internal, ...]
    sizes: tuple[int, ...]


@dataclass(slots=True)
class Frame:
    """A plan bound to sizes. ``free`` holds sets of step arguments in the arena that no running call uses."""

    sizes: dict[str, int]
    memory: Layout
    steps: tuple[BoundStep, ...]
    copies: tuple[tuple[int, External | Internal], ...]
    free: list[list[list[Array | None]]] = field(default_factory=list)


class NumpyExecutable:
    """Runs a plan. ``frame`` binds sizes; ``run`` may be called from several threads at once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.sources = {key: kernel_source(kernel) for key, kernel in plan.kernels.items()}
        self._calls = {key: compile_source(text, plan.kernels[key].name) for key, text in self.sources.items()}

    @property
    def text(self) -> str:
        """The source of every kernel."""
        return "\n".join(f"# {self.plan.kernels[key].name}\n{source}" for key, source in self.sources.items())

    def frame(self, sizes: Sequence[int]) -> Frame:
        """The plan for one choice of sizes (those of ``plan.symbols``).

        Raises:
            ArgumentError: for sizes that need more memory than can be addressed.
            MemoryError: where the system has too little memory.
        """
        plan = self.plan
        values = dict(zip(plan.symbols, sizes, strict=True))
        memory = layout(plan, values)
        steps = []
        for step in plan.steps:
            kernel = plan.kernels[step.kernel]
            here = tuple(evaluator(d)(values) for d in step.sizes)
            local = dict(zip(kernel.sizes, here, strict=True))
            shapes = [tuple(evaluator(d)(local) for d in b.shape) for b in kernel.buffers]
            arguments = tuple(self._argument(n, s, memory) for n, s in zip(step.args, shapes, strict=True))
            steps.append(BoundStep(self._calls[step.kernel], arguments, here))
        frame = Frame(values, memory, tuple(steps), self._copies(values, memory))
        frame.free.append(self._instance(frame))
        return frame

    def _argument(self, name: str, shape: Shape, memory: Layout) -> External | Internal:
        root = self.plan.buffers[root_of(self.plan, name)]
        if root.kind in ("input", "state", "output"):
            return External(root.kind, root.slot, shape)
        constant = None if root.literal is None else root.literal.array
        return Internal(memory.offsets.get(name, 0), constant, self.plan.buffers[name].dtype.np, shape)

    def _copies(self, values: dict[str, int], memory: Layout) -> tuple[tuple[int, External | Internal], ...]:
        """Outputs that no step writes: they live elsewhere and are copied at the end."""
        copies = []
        for slot, name in enumerate(self.plan.outputs):
            root = self.plan.buffers[root_of(self.plan, name)]
            if root.kind != "output" or root.slot != slot:
                shape = tuple(evaluator(d)(values) for d in self.plan.buffers[name].shape)
                copies.append((slot, self._argument(name, shape, memory)))
        return tuple(copies)

    def _instance(self, frame: Frame) -> list[list[Array | None]]:
        """For each step its internal arguments, on an arena of their own; None where the caller passes the array."""
        arena = allocate_arena(self.plan, frame.memory, frame.sizes)
        everything = [*(s.arguments for s in frame.steps), tuple(a for _, a in frame.copies)]
        return [[_resolve(a, arena) for a in arguments] for arguments in everything]

    def run(
        self, frame: Frame, inputs: Sequence[Array], states: Sequence[Array], outputs: Sequence[Array]
    ) -> tuple[int, int, int, int] | None:
        """Execute on C-contiguous arrays; gives ``(1 + check, index, size, step)`` of the first failed bounds check."""
        try:
            instance = frame.free.pop()
        except IndexError:  # another thread runs this frame
            instance = self._instance(frame)
        external = {"input": inputs, "state": states, "output": outputs}
        number = 0
        try:
            with np.errstate(all="ignore"):
                for number, step in enumerate(frame.steps):
                    arrays = [
                        _passed(external, argument) if array is None else array
                        for argument, array in zip(step.arguments, instance[number])  # noqa: B905 - equal by making
                    ]
                    step.call(*arrays, *step.sizes)
            for (slot, argument), array in zip(frame.copies, instance[-1], strict=True):
                outputs[slot][...] = _passed(external, argument) if array is None else array
        except OutOfBounds as fault:
            check, index, size = fault.failure
            return 1 + check, index, size, number
        finally:
            frame.free.append(instance)
        return None


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
