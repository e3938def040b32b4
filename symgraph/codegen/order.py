"""The order of kernel calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import InternalError
from ..ir.dims import Dim, evaluate, symbols
from .bufferize import Storage
from .plan import PlanBuffer
from .tasks import Task

#: Stands for every unknown size when memory is weighed.
TYPICAL = 64
#: How many tasks that could run next are compared.
CHOICES = 16


def order_tasks(storage: Storage) -> list[Task]:
    """Tasks in an order that respects their dependencies and keeps little memory alive: of those that can run, the
    one that frees most (less what it allocates); of equals, the first."""
    waiting = {t.number: len(t.before) for t in storage.tasks}
    left: dict[str, int] = {}
    touched = [_temporaries(t, storage) for t in storage.tasks]
    for names in touched:
        for name in names:
            left[name] = left.get(name, 0) + 1
    live: set[str] = set()
    weights = {n: _weight(storage.buffers[n]) for n in left}
    ready = sorted(n for n, count in waiting.items() if count == 0)
    out: list[Task] = []
    while ready:
        best = min(ready[:CHOICES], key=lambda n: (_growth(touched[n], left, live, weights), n))
        ready.remove(best)
        task = storage.tasks[best]
        out.append(task)
        for name in touched[best]:
            live.add(name)
            left[name] -= 1
        for number in sorted(task.after):
            waiting[number] -= 1
            if waiting[number] == 0:
                ready.append(number)
    if len(out) != len(storage.tasks):
        raise InternalError("kernel calls depend on each other in a circle")
    return out


def _temporaries(task: Task, storage: Storage) -> tuple[str, ...]:
    """The memory a task touches in the arena, by root buffer."""
    roots = [storage.root(storage.name_of(a, write=False)) for a in (*task.reads, *task.writes)]
    return tuple(dict.fromkeys(r for r in roots if storage.buffers[r].kind == "temp"))


def _growth(names: Sequence[str], left: Mapping[str, int], live: set[str], weights: Mapping[str, int]) -> int:
    return sum((0 if n in live else weights[n]) - (weights[n] if left[n] == 1 else 0) for n in names)


def _weight(buffer: PlanBuffer) -> int:
    size: Dim = buffer.nbytes
    return evaluate(size, {s.name: TYPICAL for s in symbols([size])})
