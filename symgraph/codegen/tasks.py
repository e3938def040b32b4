"""What is to be run: kernel calls, loops and calls of Python, and which must have run before which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..ir.graph import Value
from .control import LoweredLoop
from .evaluate import Array
from .host_lowering import LoweredHost, has_effects, runs_python
from .lower import Lowered

#: Forward searches for a path give up (and a copy is made) after this many steps.
SEARCH_LIMIT = 4096


@dataclass(slots=True, eq=False)
class Task:
    """A kernel call, loop or call of Python before its buffers have names. The tasks ``before`` must have run, those
    ``after`` must not, by number; ``reads`` and ``writes`` are arrays with memory of their own."""

    number: int
    lowered: Lowered | LoweredHost | LoweredLoop
    reads: list[Array] = field(default_factory=list)
    writes: list[Array] = field(default_factory=list)
    before: set[int] = field(default_factory=set)
    after: set[int] = field(default_factory=set)


class TaskGraph:
    """Tasks in an order in which they can run, and who writes and reads each array, by ``id``.

    ``aliases`` maps reshapes and barriers to the value they rename, ``waits`` barriers to what comes before them.
    """

    def __init__(
        self, aliases: Mapping[int, Value], waits: Mapping[int, Sequence[Value]],
        lowered: Sequence[Lowered | LoweredHost | LoweredLoop],
    ) -> None:  # fmt: skip
        self.aliases = aliases
        self.waits = waits
        self.tasks: list[Task] = []
        self.writer: dict[int, Task] = {}
        self.readers: dict[int, list[Task]] = {}
        #: For arrays that one task fills and another goes on in: the first.
        self.filled: dict[int, Task] = {}
        self._dropped: set[int] = set()
        for one in lowered:
            self.add(one)
        #: Tasks that may raise: no state changes before the last of them has run.
        self.python = [task for task in self.tasks if runs_python(task.lowered)]
        self._order_waits()
        self._order_effects()

    def base(self, array: Array) -> Array:
        """The array whose memory ``array`` is another name of."""
        while isinstance(array, Value) and id(array) in self.aliases:
            array = self.aliases[id(array)]
        return array

    def add(self, lowered: Lowered | LoweredHost | LoweredLoop) -> Task:
        """One more task, after those that write what it reads and before those that read what it writes."""
        task = Task(len(self.tasks), lowered)
        self.tasks.append(task)
        modes = lowered.modes
        for name, array in lowered.arrays.items():
            base = self.base(array)
            if modes[name] == "in":
                task.reads.append(base)
                self.readers.setdefault(id(base), []).append(task)
                if id(base) in self.writer:
                    self.order(self.writer[id(base)], task)
            else:
                task.writes.append(base)
                if id(base) in self.writer:  # what fills the array comes before what goes on with it
                    self.order(self.writer[id(base)], task)
                    self.filled[id(base)] = self.writer[id(base)]
                self.writer[id(base)] = task
                for reader in self.readers.get(id(base), ()):
                    self.order(task, reader)
        return task

    def order(self, first: Task, second: Task) -> None:
        """Let one task come after another."""
        if first is not second:
            first.after.add(second.number)
            second.before.add(first.number)

    def _order_waits(self) -> None:
        """What reads an array behind a barrier comes after all that the barrier waits for."""
        for task in self.tasks if self.waits else ():
            for array in task.lowered.arrays.values():
                for before in self._waited_for(array):
                    self.order(before, task)

    def _waited_for(self, array: Array) -> list[Task]:
        """The tasks that must have run before ``array`` is read: where what a barrier waits for is no array, those that
        compute what it is made of."""
        values: list[Value] = []
        while isinstance(array, Value) and id(array) in self.aliases:
            values += self.waits.get(id(array), ())
            array = self.aliases[id(array)]
        found: list[Task] = []
        seen: set[int] = set()
        while values:
            base = self.base(values.pop())
            if not isinstance(base, Value) or id(base) in seen:
                continue
            seen.add(id(base))
            if id(base) in self.writer:
                found.append(self.writer[id(base)])
            else:
                values += base.node.inputs
        return found

    def _order_effects(self) -> None:
        """Prints and the like happen in the order of the graph's nodes, where kernels shared between do not forbid."""
        effects = [task for task in self.python if has_effects(task.lowered)]
        for first, second in zip(effects, effects[1:], strict=False):
            if not self.reaches(second, {first.number}):
                self.order(first, second)

    def reaches(self, start: Task, goals: set[int]) -> bool:
        """Whether a task of ``goals`` must run after ``start`` (True also when the search gets too long)."""
        seen = {start.number}
        stack = [start]
        while stack:
            for number in stack.pop().after:
                if number in goals or len(seen) > SEARCH_LIMIT:
                    return True
                if number not in seen:
                    seen.add(number)
                    stack.append(self.tasks[number])
        return False

    def before_update(self, state: Value) -> list[Task]:
        """The tasks that must have run before the memory of a state changes: its readers, and what may raise."""
        return [*self.readers.get(id(state), ()), *self.python]

    def drop_fill(self, target: Value) -> None:
        """Leave out what fills an array; what comes before it then comes before what goes on in the array."""
        fill, task = self.filled.pop(id(target)), self.writer[id(target)]
        for number in fill.before:
            self.tasks[number].after.discard(fill.number)
            self.order(self.tasks[number], task)
        for number in fill.after:
            self.tasks[number].before.discard(fill.number)
        for array in fill.reads:
            self.readers[id(array)].remove(fill)
        self._dropped.add(fill.number)

    def renumber(self) -> None:
        """Forget the tasks that were left out."""
        kept = [t for t in self.tasks if t.number not in self._dropped]
        numbers = {t.number: k for k, t in enumerate(kept)}
        for task in kept:
            task.number = numbers[task.number]
            task.before, task.after = ({numbers[n] for n in each} for each in (task.before, task.after))
        self.tasks = kept
