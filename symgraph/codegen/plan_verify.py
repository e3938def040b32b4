"""Named invariants of plans. Compiling with ``Options.verify`` asks for them; tests always do.

What holds for all sizes is read off the plan; where things lie in memory is checked for some choices of sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from ..dtypes import bool_
from ..errors import InternalError
from ..ir.dims import Dim, Symbol, evaluate, product, substitute, symbols
from .loop.grammar import Kernel
from .memory import ALIGNMENT, layout, live
from .plan import HostCall, Loop, Move, Plan, PlanBuffer, Step
from .undo import UNDO_BYTES, undoable

#: What an invariant found wrong, one message each.
Faults = Iterator[str]
#: What unknown sizes are set to, all alike and in turn. Choices that the plan refuses are left out.
TRIED = (1, 2, 7, 33, 0)
_KINDS = ("input", "state", "output", "const", "temp")


@dataclass(frozen=True)
class Subject:
    """A plan, the plan around all (whose kernels and symbols it uses), and whether it is the body of a loop."""

    plan: Plan
    outermost: Plan

    @property
    def is_body(self) -> bool:
        return self.plan is not self.outermost

    @property
    def kernels(self) -> Mapping[str, Kernel]:
        return self.outermost.kernels

    @cached_property
    def choices(self) -> tuple[dict[str, int], ...]:
        """Sizes that the plan can be bound to."""
        return tuple(self._choices())

    @cached_property
    def room(self) -> tuple[dict[str, int], ...]:
        """For each choice, the bytes from the start of each root on: temporaries are as large as the largest alias."""
        return tuple(self._room(sizes) for sizes in self.choices)

    def _room(self, sizes: Mapping[str, int]) -> dict[str, int]:
        found: dict[str, int] = {}
        for name, buffer in self.plan.buffers.items():
            root = self.plan.root(name)
            if buffer is root or root.kind == "temp":
                found[root.name] = max(found.get(root.name, 0), evaluate(buffer.nbytes, sizes))
        return found

    def elements(self, buffer: PlanBuffer) -> tuple[int, ...]:
        """For each choice, how many elements there are from the start of a buffer on."""
        root = self.plan.root(buffer.name).name
        return tuple(room[root] // buffer.dtype.itemsize for room in self.room)

    def _choices(self) -> Iterator[dict[str, int]]:
        names = self.outermost.symbols
        for k, size in enumerate(TRIED):
            for shift in (0, 1) if len(names) > 1 else (0,):
                sizes = {name: TRIED[(k + shift * j) % len(TRIED)] if shift else size for j, name in enumerate(names)}
                if all(n >= 0 for n in self._counts(sizes)) and self._holds(sizes):
                    yield sizes
            if not names:
                return

    def _counts(self, sizes: Mapping[str, int]) -> Iterator[int]:
        for plan in self.outermost.plans():
            yield from (evaluate(d, sizes) for buffer in plan.buffers.values() for d in buffer.shape)
            yield from (evaluate(step.length, sizes) for step in plan.steps if isinstance(step, Loop))

    def _holds(self, sizes: Mapping[str, int]) -> bool:
        return all(evaluate(a, sizes) == evaluate(b, sizes) for a, b in self.outermost.facts)


def verify_plan(plan: Plan) -> None:
    """Check every invariant of a plan and of those inside.

    Raises:
        InternalError: naming the first invariant that does not hold.
    """
    for name, fault in broken_invariants(plan):
        raise InternalError(f"plan {plan.name} breaks the invariant {name!r}: {fault}")


def broken_invariants(plan: Plan) -> Iterator[tuple[str, str]]:
    """``(name of the invariant, what is wrong)`` for every fault found. Later invariants rely on earlier ones: what
    comes after the first broken one of a plan is not looked at."""
    for one in plan.plans():
        for name, check in INVARIANTS.items():
            faults = list(check(Subject(one, plan)))
            if faults:
                yield from ((name, fault) for fault in faults)
                return


def _names_known(s: Subject) -> Faults:
    """Arguments, slots, aliases, lifetimes and kernels name what there is; aliases end at a buffer of the same kind."""
    plan = s.plan
    named = [("argument", n) for step in plan.steps for n in step.args]
    named += [("slot", n) for n in (*plan.inputs, *plan.states, *plan.outputs)]
    named += [("alias", b.alias) for b in plan.buffers.values() if b.alias] + [("lifetime", n) for n in plan.live]
    for what, name in named:
        if name not in plan.buffers:
            yield f"the {what} {name} is no buffer"
    for name, buffer in plan.buffers.items():
        seen, at = {name}, buffer.alias
        while at in plan.buffers and at not in seen:
            seen.add(at)
            at = plan.buffers[at].alias
        if at in seen:
            yield f"{name} is an alias of itself"
        if buffer.name != name or buffer.kind not in _KINDS:
            yield f"{name} is {buffer.name}, a {buffer.kind}"
    for step in plan.steps:
        if isinstance(step, Step) and step.kernel not in s.kernels:
            yield f"{step.kernel} is no kernel"


def _slots_in_place(s: Subject) -> Faults:
    """Inputs, states and outputs know their slots; constants have values of their dtype and shape."""
    plan = s.plan
    for kind, names in (("input", plan.inputs), ("state", plan.states)):
        for slot, name in enumerate(names):
            buffer = plan.buffers[name]
            if (buffer.kind, buffer.slot, buffer.alias) != (kind, slot, ""):
                yield f"{kind} {slot} is {name}, {buffer.kind} {buffer.slot}"
    for name, buffer in plan.buffers.items():
        if buffer.kind == "output" and not buffer.alias and plan.outputs[buffer.slot : buffer.slot + 1] != (name,):
            yield f"{name} is not output {buffer.slot}"
        if buffer.kind == "const" and not buffer.alias:
            literal = buffer.literal
            if literal is None or literal.array.dtype != buffer.dtype.np or literal.array.shape != buffer.shape:
                yield f"constant {name} has no value of its type"


def _sizes_known(s: Subject) -> Faults:
    """Every symbol is one of the plan's."""
    dims: list[Dim] = [d for b in s.plan.buffers.values() for d in b.shape]
    for step in s.plan.steps:
        if isinstance(step, Step):
            dims += step.sizes
        elif isinstance(step, HostCall):
            dims += [d for t in step.types for d in t.shape]
        else:
            dims += [step.length, *(m.first for m in step.moves), *(d for m in step.moves for d in m.shape)]
    for symbol in symbols(dims):
        if symbol.name not in s.outermost.symbols:
            yield f"size {symbol} is none of {', '.join(s.outermost.symbols) or 'the plan'}"


def _calls_fit(s: Subject) -> Faults:
    """A step passes as many arguments, sizes and checks as its kernel has, of its dtypes, and not smaller; what it
    says to write is what the kernel writes. Likewise for calls of Python and their types."""
    plan = s.plan
    for number, step in enumerate(plan.steps):
        if isinstance(step, Step):
            kernel = s.kernels[step.kernel]
            counts = (len(step.args), len(step.sizes), len(step.checks))
            if counts != (len(kernel.buffers), len(kernel.sizes), kernel.checks):
                yield f"step {number} gives {kernel.name} {counts} arguments, sizes and checks"
                continue
            if step.writes != tuple(k for k, b in enumerate(kernel.buffers) if b.mode != "in"):
                yield f"step {number} says to write {step.writes} of {kernel.name}"
            here: dict[Symbol, Dim] = {Symbol(n): d for n, d in zip(kernel.sizes, step.sizes, strict=True)}
            for parameter, name in zip(kernel.buffers, step.args, strict=True):
                shape = tuple(substitute(d, here) for d in parameter.shape)
                yield from _argument_faults(s, number, name, parameter.dtype, shape)
        elif isinstance(step, HostCall):
            if len(step.args) != len(step.types) or not 0 <= step.operands <= len(step.args):
                yield f"step {number} gives {step.op.title} {len(step.args)} arguments of {len(step.types)} types"
                continue
            for name, type in zip(step.args, step.types, strict=True):
                yield from _argument_faults(s, number, name, type.dtype, type.shape)


def _argument_faults(s: Subject, number: int, name: str, dtype: object, shape: tuple[Dim, ...]) -> Faults:
    buffer = s.plan.buffers[name]
    if buffer.dtype is not dtype:
        yield f"step {number} passes {name}, a {buffer.dtype}, for a {dtype}"
    for sizes, there in zip(s.choices, s.elements(buffer), strict=True):
        wanted = evaluate(product(shape), sizes)
        if wanted > there:
            yield f"step {number} uses {wanted} elements of {name}, which has {there}"
            return


def _moves_fit(s: Subject) -> Faults:
    """A loop moves rows of their dtypes that lie inside its arrays, for each slot of its body once; its condition is
    a bool."""
    for number, loop in enumerate(s.plan.steps):
        if not isinstance(loop, Loop):
            continue
        count = len(loop.args) - 1
        if any(not 0 <= m.array < count for m in loop.moves) or not -1 <= loop.condition < count:
            yield f"loop {number} moves or asks arrays of {count}"
            continue
        if loop.condition >= 0 and s.plan.buffers[loop.args[loop.condition]].dtype is not bool_:
            yield f"loop {number} asks {loop.args[loop.condition]}, which is no bool"
        body = loop.body
        slots = {"input": body.inputs, "state": body.states, "output": body.outputs}
        wanted = sorted((kind, slot) for kind, names in slots.items() for slot in range(len(names)))
        if sorted((m.kind, m.slot) for m in loop.moves) != wanted:
            yield f"loop {number} does not move each slot of its body once"
            continue
        for move in loop.moves:
            row, array = body.buffers[loop.slot_name(move)], s.plan.buffers[loop.args[move.array]]
            if not (move.dtype is row.dtype is array.dtype):
                yield f"loop {number} moves a {move.dtype} of {array.name}, a {array.dtype}, as a {row.dtype}"
            yield from _move_faults(s, number, loop, move, row, array)


def _move_faults(s: Subject, number: int, loop: Loop, move: Move, row: PlanBuffer, array: PlanBuffer) -> Faults:
    for sizes, there in zip(s.choices, s.elements(array), strict=True):
        length, first = evaluate(loop.length, sizes), evaluate(move.first, sizes)
        count = evaluate(product(move.shape), sizes)
        if evaluate(product(row.shape), sizes) != count:
            yield f"loop {number} moves rows of {count} elements as {row.name}, where {sizes}"
            return
        steps = {0, 1, move.wrap, length - 1} if length > 0 else set()
        rows = [move.row(i, first) for i in steps if 0 <= i < length]
        if any(at < 0 or (at + 1) * count > there for at in rows):
            yield f"loop {number} moves rows {sorted(rows)} of {count} elements of {array.name}, which has {there}"
            return


def _reads_after_writes(s: Subject) -> Faults:
    """Temporaries and outputs are written before they are read; inputs and constants are not written; what a step
    writes shares no memory with its other arguments, but where a loop goes on in what was begun."""
    plan = s.plan
    written: set[str] = set()

    def is_known(name: str) -> bool:
        return plan.root(name).kind in ("input", "state", "const") or plan.root(name).name in written

    for number, step in enumerate(plan.steps):
        for k, name in enumerate(_used(step)):
            if k not in _only_written(s, step) and not is_known(name):
                yield f"step {number} reads {name}, which nothing wrote"
        for k in step.writes:
            root = plan.root(step.args[k])
            if root.kind in ("input", "const"):
                yield f"step {number} writes {step.args[k]}, {'an input' if root.kind == 'input' else 'a constant'}"
            if not isinstance(step, Loop) and any(
                plan.root(other) is root for j, other in enumerate(step.args) if j != k
            ):
                yield f"step {number} writes {step.args[k]} and uses its memory through another argument"
        written |= {plan.root(step.args[k]).name for k in step.writes}
    for slot, name in enumerate(plan.outputs):
        if not is_known(name):
            yield f"nothing writes output {slot}"


def _used(step: Step | HostCall | Loop) -> tuple[str, ...]:
    """The arguments that hold values: all but the memory of a loop's temporaries."""
    return step.args[:-1] if isinstance(step, Loop) else step.args


def _only_written(s: Subject, step: Step | HostCall | Loop) -> set[int]:
    """The positions of the arguments of which no earlier value is read."""
    if isinstance(step, Step):
        return {k for k, b in enumerate(s.kernels[step.kernel].buffers) if b.mode == "out"}
    if isinstance(step, HostCall):
        return set(step.writes)
    return {m.array for m in step.moves if m.kind == "output"} - {
        m.array for m in step.moves if m.kind != "output"
    }


def _states_whole(s: Subject) -> Faults:
    """Once a state is written, Python, which may raise, does not run any more; and a run that is broken off can put
    back what it wrote."""
    plan = s.plan
    changed: set[str] = set()
    for number, step in enumerate(plan.steps):
        if changed and not s.is_body and _runs_python(step):
            yield f"step {number} runs Python after {min(changed)} is written"
        roots = {plan.root(step.args[k]) for k in step.writes}
        changed |= {root.name for root in roots if root.kind == "state"}
    for sizes in () if s.is_body else s.choices:
        committed, saved = undoable(plan, sizes)
        early = {plan.root(step.args[k]).name for step in plan.steps[:committed] for k in step.writes}
        lost = {name for name in early if plan.buffers[name].kind == "state"} - set(saved)
        if lost or sum(evaluate(plan.buffers[n].nbytes, sizes) for n in saved) > UNDO_BYTES:
            yield f"a run that ends before step {committed} does not put back {', '.join(sorted(lost)) or 'little'}"


def _runs_python(step: Step | HostCall | Loop) -> bool:
    return isinstance(step, HostCall) or (isinstance(step, Loop) and any(map(_runs_python, step.body.steps)))


def _memory_apart(s: Subject) -> Faults:
    """The recorded lifetimes are those of the steps; temporaries alive at once lie apart, aligned, in the arena."""
    plan = s.plan
    if plan.live != live(plan):
        yield "lifetimes are not those of the steps"
        return
    roots = {name: plan.root(name).name for name in plan.buffers}
    for sizes, room in zip(s.choices, s.room, strict=True):
        memory = layout(plan, sizes)
        inner = {roots[st.arena]: layout(st.body, sizes).nbytes for st in plan.steps if isinstance(st, Loop)}
        for name, root in roots.items():
            if root in plan.live and memory.offsets[name] != memory.offsets[root]:
                yield f"{name}, an alias of {root}, lies elsewhere"
        spans: list[tuple[int, int, str]] = []
        for root in plan.live:
            start, nbytes = memory.offsets[root], max(room[root], inner.get(root, 0))
            if start % ALIGNMENT or start < 0 or start + nbytes > memory.nbytes:
                yield f"{root} lies at {start} of {memory.nbytes}, where {sizes}"
            if nbytes:
                spans.append((start, start + nbytes, root))
        yield from _overlaps(plan, spans)


def _overlaps(plan: Plan, spans: list[tuple[int, int, str]]) -> Faults:
    """Pairs of spans of memory that meet while both are alive."""
    open_spans: list[tuple[int, int, str]] = []
    for start, end, name in sorted(spans):
        open_spans = [span for span in open_spans if span[1] > start]
        first, last = plan.live[name]
        for _, _, other in open_spans:
            if first <= plan.live[other][1] and plan.live[other][0] <= last:
                yield f"{name} and {other} overlap while both are alive"
        open_spans.append((start, end, name))


INVARIANTS: dict[str, Callable[[Subject], Faults]] = {
    "names are known": _names_known,
    "slots are in place": _slots_in_place,
    "sizes are known": _sizes_known,
    "calls fit": _calls_fit,
    "moves fit": _moves_fit,
    "reads after writes": _reads_after_writes,
    "states are whole": _states_whole,
    "memory is apart": _memory_apart,
}

__all__ = ["INVARIANTS", "broken_invariants", "verify_plan"]
