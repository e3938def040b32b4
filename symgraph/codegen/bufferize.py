"""Where arrays live: inputs, states, outputs and temporaries; which updates of states happen in place; in what order.

All updates read old values. A new value is written straight into its state's memory when every kernel that reads the
old one can run before, and the writing kernel itself reads the old value at most at the element it writes. Otherwise
it goes through a temporary and is copied at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..dtypes import uint8
from ..ir.graph import Graph, Value
from ..ir.op import Scatter
from ..ir.ops.leaves import Constant
from .cluster import Clusters
from .control import LoweredLoop, is_inside
from .evaluate import Array, Scratch
from .host_lowering import LoweredHost
from .loop.grammar import Kernel, Let, Load, Store
from .loop.walk import Rebuilder, expressions, postorder, statements
from .lower import Lowered, lower_copy
from .plan import PlanBuffer
from .tasks import Task, TaskGraph


@dataclass(slots=True)
class Storage:
    """The outcome: tasks with their dependencies, buffers by name, and the buffer of every array by ``id``.

    ``padded`` maps arrays written in whole blocks to the larger buffer that their own one is the beginning of.
    """

    tasks: list[Task]
    buffers: dict[str, PlanBuffer]
    names: dict[int, str]
    padded: dict[int, str]
    inputs: tuple[str, ...]
    states: tuple[str, ...]
    outputs: tuple[str, ...]
    reasons: list[str]
    keep: list[Array]

    def root(self, name: str) -> str:
        """The buffer whose memory ``name`` is in."""
        while self.buffers[name].alias:
            name = self.buffers[name].alias
        return name

    def name_of(self, array: Array, write: bool) -> str:
        """The buffer through which an array is read or written."""
        return self.padded[id(array)] if write and id(array) in self.padded else self.names[id(array)]


class Bufferizer:
    """Assigns buffers to the arrays of lowered clusters."""

    def __init__(self, clusters: Clusters, lowered: Sequence[Lowered | LoweredHost | LoweredLoop]) -> None:
        self.graph: Graph = clusters.graph
        self.work = TaskGraph(clusters.aliases, clusters.waits, lowered)
        self.buffers: dict[str, PlanBuffer] = {}
        self.names: dict[int, str] = {}
        self.padded: dict[int, str] = {}
        self.reasons: list[str] = []
        self.keep: list[Array] = []
        self.constants = 0
        self._merged: dict[tuple[int, str, str], Kernel] = {}
        self._self_reads: dict[tuple[int, str, str], bool] = {}
        self.kernels: list[Kernel] = []  # alive, so that their ids mean them

    # -- buffers ----------------------------------------------------------------------------------------------------
    def declare(self, name: str, array: Array, kind: str, slot: int = -1, alias: str = "") -> str:
        is_const = kind == "const" and isinstance(array, Value) and isinstance(array.op, Constant)
        literal = array.op.literal if is_const else None  # type: ignore[union-attr]
        self.buffers[name] = PlanBuffer(name, array.dtype, array.shape, kind, slot, literal, alias)
        self.names[id(array)] = name
        self.keep.append(array)
        return name

    def view(self, array: Array, of: str) -> str:
        """A buffer for ``array`` that shares the memory of ``of``."""
        root = self.buffers[of]
        return self.declare(f"{of}.{len(self.buffers)}", array, root.kind, -1, root.alias or of)

    def run(self) -> Storage:
        graph = self.graph
        inputs = tuple(self.declare(f"in{k}", v, "input", k) for k, v in enumerate(graph.inputs))
        states = tuple(self.declare(f"state{k}", v, "state", k) for k, v in enumerate(graph.states))
        outputs = tuple(self.place_output(k, v) for k, v in enumerate(graph.outputs))
        # All kernels that read states must be known before the first is overwritten.
        taken = set(self.names)
        writes = [(slot, *self.new_value(slot, value, taken)) for slot, value in graph.updates]
        for slot, task, target in writes:
            if task is not None:
                self.place_update(slot, task, target)
        self.work.renumber()
        for task in self.work.tasks:
            if isinstance(task.lowered, LoweredLoop):
                self.place_loop(task, task.lowered)
        for task in self.work.tasks:
            for name, array in task.lowered.arrays.items():
                self.place(task, name, array)
        return Storage(
            self.work.tasks, self.buffers, self.names, self.padded, inputs, states, outputs, self.reasons, self.keep
        )  # fmt: skip

    def place(self, task: Task, parameter: str, array: Array) -> None:
        """Give the array of a parameter a buffer, if it has none yet."""
        base = self.work.base(array)
        if id(base) not in self.names:
            is_const = isinstance(base, Value) and isinstance(base.op, Constant)
            if is_const:
                name, self.constants = f"const{self.constants}", self.constants + 1
            else:
                writer = self.work.writer[id(base)]
                name = f"t{writer.number}" + (f"_{writer.writes.index(base)}" if len(writer.writes) > 1 else "")
            self.declare(name, base, "const" if is_const else "temp")
            self._pad(base, name)
        if array is not base and id(array) not in self.names:
            self.view(array, self.names[id(base)])

    def place_loop(self, task: Task, loop: LoweredLoop) -> None:
        """Memory for the temporaries of a loop's body, and for arrays that are the beginning of another."""
        name = f"loop{task.number}"
        self.buffers[name] = PlanBuffer(name, uint8, (0,), "temp")
        for part, whole in loop.shared:
            if id(whole) not in self.names:
                self.declare(f"t{task.number}_{len(self.buffers)}", whole, "temp")
            self.view(part, self.names[id(whole)])

    def _pad(self, base: Array, name: str) -> None:
        """An array written in whole blocks is the beginning of a larger buffer."""
        if id(base) not in self.work.writer:
            return
        lowered = self.work.writer[id(base)].lowered
        written = next(n for n, a in lowered.arrays.items() if a is base)
        shape = lowered.padded.get(written)
        if shape is not None:
            self.buffers[f"{name}.blocks"] = PlanBuffer(f"{name}.blocks", base.dtype, shape, "temp")
            self.buffers[name] = replace(self.buffers[name], alias=f"{name}.blocks")
            self.padded[id(base)] = f"{name}.blocks"

    # -- results ------------------------------------------------------------------------------------------------
    def place_output(self, slot: int, value: Value) -> str:
        base = self.work.base(value)
        writer = self.work.writer.get(id(base))
        if id(base) in self.names or writer is None or is_inside(base, writer.lowered):
            copy = Scratch(value.dtype, value.shape)
            self.work.add(lower_copy(value, copy))
            self.reasons.append(f"output {slot} is copied: it is an input, a state, a constant or another output too")
            return self.declare(f"out{slot}", copy, "output", slot)
        if value is base:
            return self.declare(f"out{slot}", value, "output", slot)
        name = self.declare(f"out{slot}", value, "output", slot)
        self.view(base, name)
        return name

    def new_value(self, slot: int, value: Value, taken: set[int]) -> tuple[Task | None, Array]:
        """The array of a state's new value and the task that writes it (None: the state keeps its value)."""
        base = self.work.base(value)
        if base is self.graph.states[slot]:
            return None, base
        writer = self.work.writer.get(id(base))
        if writer is not None and id(base) not in taken and isinstance(writer.lowered, Lowered):
            taken.add(id(base))
            return writer, base
        target = Scratch(value.dtype, value.shape)
        return self.work.add(lower_copy(value, target)), target

    def place_update(self, slot: int, task: Task, target: Array) -> None:
        state = self.graph.states[slot]
        targets = self.scattered_into(target, state)
        if targets and not self.refuse_scatters(targets, state):
            self.scatter_in_place(targets, state)
            return
        refusal = self.refuse_in_place(task, target, state)
        if not refusal:
            for earlier in self.work.before_update(state):
                self.work.order(earlier, task)
            if state in task.reads:
                assert isinstance(task.lowered, Lowered)  # new_value gave a kernel
                task.lowered = self.merge_parameters(task.lowered, state, target)
                task.reads.remove(state)
            self.settle(target, state)
            return
        self.reasons.append(f"state {slot} is updated through a copy: {refusal}")
        copy = Scratch(target.dtype, target.shape)
        last = self.work.add(lower_copy(target, copy))
        for earlier in self.work.before_update(state):
            self.work.order(earlier, last)
        self.settle(copy, state)

    def settle(self, target: Array, state: Value) -> None:
        """The new value lives in the state's memory."""
        if target.shape == state.shape:
            self.names[id(target)] = self.names[id(state)]
            self.keep.append(target)
        else:
            self.view(target, self.names[id(state)])

    # -- scatters -------------------------------------------------------------------------------------------------
    def scattered_into(self, target: Array, state: Value) -> list[Value]:
        """The results of scatters, one into the other, of which the first is into the state; none where ``target`` is
        made in another way."""
        found: list[Value] = []
        while isinstance(target, Value) and isinstance(target.op, Scatter) and id(target) in self.work.filled:
            found.insert(0, target)
            target = self.work.base(target.node.inputs[0])
        return found if target is state else []

    def refuse_scatters(self, targets: Sequence[Value], state: Value) -> bool:
        """Whether the scatters cannot work in the state's memory: all who read the state, or a result on the way, must
        be able to run before, and all positions must have been checked."""
        fills, last = [self.work.filled[id(t)] for t in targets], [self.work.writer[id(t)] for t in targets]
        if any(not isinstance(t.lowered, Lowered) or len(t.lowered.kernel.body) < 2 for t in last):
            return True
        for target, following in zip(targets, fills[1:], strict=False):
            if id(target) in self.names or any(t is not following for t in self.work.readers.get(id(target), ())):
                return True
        others = {t.number for t in self.work.before_update(state)} - {t.number for t in fills}
        return any(t.number in others for t in last) or bool(others and self.work.reaches(last[0], others))

    def scatter_in_place(self, targets: Sequence[Value], state: Value) -> None:
        """Let scatters go on in the state's memory, without filling an array first."""
        for target in targets:
            self.work.drop_fill(target)
            self.settle(target, state)
        first = self.work.writer[id(targets[0])]
        for earlier in self.work.before_update(state):
            self.work.order(earlier, first)

    def merge_parameters(self, lowered: Lowered, state: Value, target: Array) -> Lowered:
        """The kernel with the state's parameter and the new value's made one, read and written."""
        old, new = parameter_of(lowered, state), parameter_of(lowered, target)
        key = (id(lowered.kernel), old, new)
        kernel = self._merged.get(key)
        if kernel is None:
            kernel = self._merged[key] = merged(lowered.kernel, old, new)
            self.kernels.append(lowered.kernel)
        arrays = {n: target if n == old else a for n, a in lowered.arrays.items() if n != new}
        return replace(lowered, kernel=kernel, arrays=arrays)

    def is_elementwise_self_read(
        self, lowered: Lowered | LoweredHost | LoweredLoop, state: Value, target: Array
    ) -> bool:
        """Whether a kernel reads a state only at the index at which it stores the new value."""
        if not isinstance(lowered, Lowered):
            return False
        read = [n for n, a in lowered.arrays.items() if self.work.base(a) is state]
        if len(read) != 1 or lowered.arrays[read[0]] is not state:
            return False
        written = parameter_of(lowered, target)
        key = (id(lowered.kernel), read[0], written)
        if key not in self._self_reads:
            self._self_reads[key] = reads_where_it_writes(lowered.kernel, read[0], written)
            self.kernels.append(lowered.kernel)
        return self._self_reads[key]

    def refuse_in_place(self, task: Task, target: Array, state: Value) -> str:
        """Why the task cannot write ``target`` into the state's memory, or ``""``."""
        others = {t.number for t in self.work.readers.get(id(state), ()) if t is not task}
        if others and self.work.reaches(task, others):
            return "the old value is read after the new one is known"
        if self.work.python and self.work.reaches(task, {t.number for t in self.work.python}):
            return "Python, which may raise, runs after the new value is known"
        if id(target) in self.work.filled:
            return "the new value is written by two kernels"
        if state in task.reads and not self.is_elementwise_self_read(task.lowered, state, target):
            return "the kernel reads the old value at other elements than it writes"
        return ""


def parameter_of(lowered: Lowered, array: Array) -> str:
    """The name of the first parameter that stands for an array."""
    return next(n for n, a in lowered.arrays.items() if a is array)


def reads_where_it_writes(kernel: Kernel, read: str, written: str) -> bool:
    """Whether a kernel reads one parameter only at the index at which it stores another."""
    shapes = {b.name: b.shape for b in kernel.buffers}
    if shapes[read] != shapes[written]:
        return False
    stored = [s.value for s in kernel.body if isinstance(s, Store)]
    first = len(kernel.body) - len(stored)
    if len(stored) > 1 and all(isinstance(s, Let if k < first else Store) for k, s in enumerate(kernel.body)):
        # Code without loops: all values are computed before the first is stored.
        return not any(isinstance(e, Load) for e in postorder(stored))
    stores = [s.index for s in statements(kernel.body) if isinstance(s, Store) and s.buffer == written]
    loads = [e.index for e in expressions(kernel.body) if isinstance(e, Load) and e.buffer == read]
    return len(stores) == 1 and all(index == stores[0] for index in loads)


def merged(kernel: Kernel, read: str, written: str) -> Kernel:
    """The kernel with two parameters made one, read and written."""
    body = Rebuilder(buffers={written: read}).body(kernel.body)
    buffers = tuple(replace(b, mode="inout") if b.name == read else b for b in kernel.buffers if b.name != written)
    return Kernel(kernel.name, buffers, kernel.sizes, body, kernel.checks)
