"""The plan: which kernels run in which order, on which buffers.

A plan is what a target needs: it holds no node and no op. Sizes stay symbolic; binding them (once per distinct sizes)
gives a target's frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..dtypes import DType
from ..ir.dims import Dim, Shape, product
from ..ir.literal import Literal
from ..ir.op import Host
from ..ir.types import TensorType
from ..provenance import Origin

if TYPE_CHECKING:
    from .loop.grammar import Kernel


#: The length of loops that end by their condition alone.
ENDLESS = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class PlanBuffer:
    """Dense row-major memory. ``kind``: ``input``, ``state``, ``output`` (``slot`` is its number), ``const``
    (``literal``) or ``temp`` (in the
    arena). ``alias`` names the buffer whose memory this one shares from its start (a reshape, an update in place)."""

    name: str
    dtype: DType
    shape: Shape
    kind: str
    slot: int = -1
    literal: Literal | None = None
    alias: str = ""

    @property
    def type(self) -> TensorType:
        return TensorType(self.dtype, self.shape)

    @property
    def nbytes(self) -> Dim:
        return product(self.shape) * self.dtype.itemsize


@dataclass(frozen=True, slots=True)
class Check:
    """What a failed ``Bounds`` check of a step means: the op, its origin, the axis."""

    op: str
    axis: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a kernel. ``args`` name plan buffers in the order of the kernel's buffers, ``sizes`` are the values
    of its sizes, ``sites`` the origins of the nodes computed here. ``writes`` are the positions of the arguments that
    are written, ``flops`` the arithmetic operations of one call.
    """

    kernel: str
    args: tuple[str, ...]
    sizes: tuple[Dim, ...]
    sites: tuple[Origin, ...] = ()
    checks: tuple[Check, ...] = ()
    writes: tuple[int, ...] = ()
    flops: Dim = 0


@dataclass(frozen=True, slots=True)
class HostCall:
    """One call of Python, ``op.perform``. ``args`` name plan buffers, its ``operands`` first ones the operands, the
    others the results; ``types`` are theirs, in the symbols of the plan."""

    op: Host
    args: tuple[str, ...]
    types: tuple[TensorType, ...]
    operands: int
    sites: tuple[Origin, ...] = ()
    flops: Dim = 0

    @property
    def writes(self) -> tuple[int, ...]:
        """The positions of the arguments that are written."""
        return tuple(range(self.operands, len(self.args)))


@dataclass(frozen=True, slots=True)
class Move:
    """What the body of a loop sees as its ``kind`` (``input``, ``state``, ``output``) number ``slot``: at step ``i``
    row ``first + i * step`` of argument number ``array``, modulo ``wrap`` where that is not 0. ``shape`` and ``dtype``
    are those of a row."""

    kind: str
    slot: int
    array: int
    first: Dim
    step: int
    wrap: int
    shape: Shape
    dtype: DType

    @property
    def nbytes(self) -> Dim:
        """The size of a row."""
        return product(self.shape) * self.dtype.itemsize

    def row(self, i: int, first: int) -> int:
        """The row at step ``i``, for the value of ``first``."""
        at = first + i * self.step
        return at % self.wrap if self.wrap else at


@dataclass(frozen=True, slots=True)
class Loop:
    """``length`` runs of a plan of its own, or less: each begins only where the bool in argument number ``condition``
    (where there is one) is ``wanted``. ``args`` name plan buffers: the arrays that ``moves`` number, and last the
    one whose memory holds the temporaries of ``body``. The symbols of ``body`` are those of the plan around it, and its
    kernels are there."""

    body: Plan
    length: Dim
    args: tuple[str, ...]
    moves: tuple[Move, ...]
    sites: tuple[Origin, ...] = ()
    condition: int = -1
    wanted: bool = True

    @property
    def writes(self) -> tuple[int, ...]:
        """The positions of the arguments that are written."""
        return tuple(sorted({move.array for move in self.moves if move.kind != "input"}))

    def slot_name(self, move: Move) -> str:
        """The buffer of the body that a move sets."""
        slots = {"input": self.body.inputs, "state": self.body.states, "output": self.body.outputs}
        return slots[move.kind][move.slot]

    @property
    def arena(self) -> str:
        return self.args[-1]


@dataclass(frozen=True)
class Plan:
    """Steps in order. ``symbols`` are the unknown sizes; each is found in the shape of some input.

    ``inputs`` are the declared types' buffers by slot, ``states`` likewise, ``outputs`` name the buffer of every
    output (an output may be an input or a state itself: it is then copied). ``facts`` are checked at entry.
    ``live`` gives first and last step of each ``temp`` buffer.
    """

    name: str
    symbols: tuple[str, ...]
    inputs: tuple[str, ...]
    states: tuple[str, ...]
    outputs: tuple[str, ...]
    buffers: dict[str, PlanBuffer]
    kernels: Mapping[str, Kernel]
    steps: tuple[Step | HostCall | Loop, ...]
    facts: tuple[tuple[Dim, Dim], ...] = ()
    live: dict[str, tuple[int, int]] = field(default_factory=dict)

    def calls(self) -> Iterator[Step | HostCall]:
        """All calls of kernels and of Python, those in loops too, in the order of the text: what failures are numbered
        by."""
        return (step for step, _, _ in self.located_calls())

    def located_calls(self, loop: int = -1) -> Iterator[tuple[Step | HostCall, Plan, int]]:
        """The calls, each with the plan whose step it is and the number of the outermost loop around it (-1: none)."""
        for number, step in enumerate(self.steps):
            if isinstance(step, Loop):
                yield from step.body.located_calls(loop if loop >= 0 else number)
            else:
                yield step, self, loop

    def root(self, name: str) -> PlanBuffer:
        """The buffer whose memory ``name`` shares."""
        while self.buffers[name].alias:
            name = self.buffers[name].alias
        return self.buffers[name]

    def plans(self) -> Iterator[Plan]:
        """This plan and all inside."""
        yield self
        for step in self.steps:
            if isinstance(step, Loop):
                yield from step.body.plans()
