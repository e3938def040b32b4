"""Finding where NaN and infinity begin: all that steps write is looked at, and the first bad array explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import NonFiniteError
from .ir.dims import Dim, Symbol, evaluate
from .ir.graph import Graph, Node, Value, topological
from .ir.interp import run_node
from .ir.ops.bfloat import FromBfloat16, ToBfloat16
from .ir.ops.leaves import Constant, Input, State
from .provenance import Origin

if TYPE_CHECKING:
    from .codegen.compile import Lowering
    from .codegen.host_lowering import LoweredHost
    from .codegen.lower import Lowered
    from .codegen.plan import HostCall, Plan, Step
    from .function import Function
    from .stages import Stages

Array = np.ndarray[Any, Any]


class NanGuard:
    """Runs a function's plan step by step, and stops it at the first step that writes NaN or infinity."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._sites = [(step, plan) for step, plan, _ in function.stages.plan.located_calls()]

    def run(self, frame: Any, inputs: Sequence[Array], states: Sequence[Array], outputs: Sequence[Array]) -> Any:
        """As ``Executable.run``.

        Raises:
            NonFiniteError: naming the step, the op and its operands.
        """
        from .codegen.targets.watch import Watch

        seen = _Seen(self._function.stages, self._sites, frame.bound)
        failure = self._function.stages.executable.run_watched(frame, inputs, states, outputs, Watch(seen.look))
        if seen.bad < 0:
            return failure
        raise NonFiniteError(self._explain(seen))

    def _explain(self, seen: _Seen) -> str:
        step, plan = self._sites[seen.bad]
        wrong = next(i for i in step.writes if _is_bad(seen.after[i]))
        inside = plan is not self._function.stages.plan
        where = f"step {seen.bad}" + (f", run {seen.runs[seen.bad]} of its loop," if inside else "")
        lines = [f"{self._function.name}: {_amounts(seen.after[wrong])} in what {where} computes"]
        found = seen.found
        if found is None:
            sites = ", ".join(dict.fromkeys(map(str, step.sites))) or "?"
            lines.append(f"  in one of the ops of {sites}")
            read = [i for i in range(len(step.args)) if i not in step.writes or i in seen.before]
            lines += [f"  operand {step.args[i]}: {_range(seen.before.get(i, seen.after[i]))}" for i in read]
            return "\n".join(lines)
        node, operands, results = found
        lines.append(f"  first in {node.op.name} of {(*node.origins, Origin())[0]}, of type {node.outputs[0].type}")
        lines += [
            f"  operand {k}, {_name(value, inside)}: {_range(array)}"
            for k, (value, array) in enumerate(zip(node.inputs, operands, strict=True))
        ]
        lines.append(f"  result: {_range(results[0])}")
        return "\n".join(lines)


def _name(value: Value, inside: bool) -> str:
    """What a value is; ``inside`` the body of a loop, whose inputs are rows and carries."""
    op = value.op
    if isinstance(op, (Input, State)):
        kind = "what the loop passes as" if inside else "variable" if isinstance(op, State) else "argument"
        return f"{kind} {op.label!r}" if op.label else f"{kind} number {op.slot}"
    return op.name if isinstance(op, Constant) else f"{op.name} of {(*value.node.origins, Origin())[0]}"


class _Seen:
    """What was seen of one run. ``before`` are the arrays that the last step overwrote, ``bad`` is the step at fault
    and ``found`` the node in it, with operands and results, where that is known. ``meant`` names the buffers that hold
    infinities on purpose, from a constant of the program's (the padding of a maximum, a mask)."""

    def __init__(self, stages: Stages, sites: Sequence[tuple[Step | HostCall, Plan]], sizes: Mapping[str, int]) -> None:
        self.sites = sites
        self._sizes = sizes
        self._stages = stages
        self.found: tuple[Node, list[Array], tuple[Array, ...]] | None = None
        self.meant: set[tuple[int, str]] = set()
        self.before: dict[int, Array] = {}
        self.after: list[Array] = []
        self.runs: dict[int, int] = {}
        self.bad = -1

    def look(self, number: int, has_run: bool, arrays: Sequence[Array]) -> bool:
        step, plan = self.sites[number]
        if not has_run:
            kinds = [plan.root(step.args[i]).kind for i in step.writes]
            self.before = {i: arrays[i].copy() for i, kind in zip(step.writes, kinds, strict=True) if kind == "state"}
            self.runs[number] = self.runs.get(number, 0) + 1
            return False
        used = [self._used(plan, name, a) for name, a in zip(step.args, arrays, strict=True)]
        if not any(_is_bad(used[i]) or _is_bad_as_bits(used[i]) for i in step.writes):
            return False
        self.after = used
        self.found, is_meant = _first_bad(self._stages.lowering, self, number, self._sizes)
        if is_meant:
            self.meant |= {(id(plan), plan.root(step.args[i]).name) for i in step.writes}
            return False
        self.bad = number
        self.after = [_numbers(a) if i in step.writes else a.copy() for i, a in enumerate(used)]
        return True

    def _used(self, plan: Plan, name: str, array: Array) -> Array:
        """The array without what lies behind its end where it is written in whole blocks."""
        buffer = plan.buffers.get(name.removesuffix(".blocks"), plan.buffers[name])
        count = evaluate(buffer.nbytes, self._sizes) // array.dtype.itemsize
        return array if count >= array.size else array.reshape(-1)[:count]


# -- the first op at fault --------------------------------------------------------------------------------------------


def _first_bad(
    lowering: Lowering, seen: _Seen, number: int, sizes: Mapping[str, int]
) -> tuple[tuple[Node, list[Array], tuple[Array, ...]] | None, bool]:
    """The first node of a step whose result is bad, with its operands and results, found by computing the step again
    with the references of its ops; None where they give no bad value or need what is not at hand. And whether all is
    well: every infinity comes from an infinite constant, and there is no NaN."""
    from .codegen.compile import arrays_of

    task, graph, step, plan = list(lowering.sites())[number]
    known = _operands(task, graph, step, plan, seen, sizes)
    arrays = arrays_of(task)
    written = [arrays[i] for i in step.writes if _is_bad(seen.after[i]) or _holds_bad(arrays[i], seen.after[i])]
    targets = [a for a in written if isinstance(a, Value)]
    outer = seen.sites[number][1]
    names = [plan.root(name).name for name in step.args]
    meant = {id(a) for a, name in zip(arrays, names, strict=True) if (id(outer), name) in seen.meant}
    replace: dict[Symbol, Dim] = {Symbol(name): size for name, size in sizes.items()}
    for node in topological(targets, frozenset(known)):
        if isinstance(node.op, (Input, State)) or any(id(v) not in known for v in node.inputs):
            return None, False
        operands = [known[id(v)] for v in node.inputs]
        results = run_node(node, operands, replace)
        if any(_is_bad(r) or _holds_bad(v, r) for v, r in zip(node.outputs, results, strict=True)):
            has_nan = any(r.dtype.kind == "f" and np.isnan(r).any() for r in results)
            if has_nan or not (isinstance(node.op, Constant) or any(id(v) in meant for v in node.inputs)):
                return (node, operands, tuple(_numbers(r) for r in results)), False
            meant |= {id(v) for v in node.outputs}
        known.update({id(v): r for v, r in zip(node.outputs, results, strict=True)})
    return None, len(targets) == len(written) and all(id(v) in meant for v in targets)


def _operands(
    task: Lowered | LoweredHost, graph: Graph, step: Step | HostCall, plan: Plan, seen: _Seen, sizes: Mapping[str, int]
) -> dict[int, Array]:
    """The arrays that the step read, by the ``id`` of their values."""
    from .codegen.compile import arrays_of

    known: dict[int, Array] = {}

    def add(value: Any, array: Array) -> None:
        if isinstance(value, Value):
            shape = tuple(evaluate(d, sizes) for d in value.shape)
            if array.size == int(np.prod(shape, dtype=np.int64)):
                known[id(value)] = array.reshape(shape)

    for i, value in enumerate(arrays_of(task)):
        if i not in step.writes:
            add(value, seen.after[i])
        elif i in seen.before:
            add(graph.states[plan.root(step.args[i]).slot], seen.before[i])
    return known


# -- numbers ----------------------------------------------------------------------------------------------------------


def _is_bad(array: Array) -> bool:
    return array.dtype.kind == "f" and not np.isfinite(array).all()


def _is_bad_as_bits(array: Array) -> bool:
    """Whether bits of a bfloat16 could be of NaN or an infinity; other uint16 numbers look like that, too."""
    return array.dtype == np.uint16 and bool(((array & 0x7F80) == 0x7F80).any())


def _numbers(array: Array) -> Array:
    """A copy, of bad bits as the numbers that they stand for."""
    return FromBfloat16().reference(array) if _is_bad_as_bits(array) else array.copy()


def _holds_bad(value: Any, array: Array) -> bool:
    """Whether a value is made of bits of bfloat16 numbers, and one is bad."""
    return isinstance(value, Value) and isinstance(value.op, ToBfloat16) and _is_bad_as_bits(array)


def _amounts(array: Array) -> str:
    nan, plus, minus = np.isnan(array).sum(), np.isposinf(array).sum(), np.isneginf(array).sum()
    return " and ".join(f"{n} {what}" for n, what in ((nan, "NaN"), (plus, "inf"), (minus, "-inf")) if n) or "none"


def _range(array: Array) -> str:
    """How large the values are, and how many are not finite."""
    if not array.size:
        return "empty"
    if array.dtype.kind != "f":
        return f"{array.min()} to {array.max()}"
    finite = array[np.isfinite(array)]
    text = f"{finite.min():.6g} to {finite.max():.6g}" if finite.size else "nothing finite"
    return f"{text}, and {_amounts(array)}" if finite.size < array.size else text
