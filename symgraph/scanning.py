"""One call of ``scan``: its arguments, the placeholders of a step, what the function gave, and the op made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from .dtypes import bool_
from .errors import ArgumentError, DTypeError, GraphError, ShapeError
from .generators import Generator, building_loop
from .ir.dims import Dim, SymDim
from .ir.graph import Node, Value
from .ir.ops.branching import Cond
from .ir.ops.control import Scan
from .ir.ops.leaves import Input
from .ir.ops.logical import BitNot
from .ir.ops.random import RandomBits
from .ir.region import capture, has_effects
from .ir.types import TensorType
from .tensor import Tensor, TensorLike, as_tensor, as_value
from .tracer import describe, recording, tracer
from .unrolling import write_out
from .variable import Variable

Updates: TypeAlias = dict[Variable, Tensor]
#: A tensor, or ``{"input": tensor, "taps": [0, -1]}``.
SequenceLike: TypeAlias = "TensorLike | Mapping[str, Any]"
#: An initial value, ``{"initial": tensor, "taps": [-1, -2]}``, or None for an output that no later step reads.
OutputInfo: TypeAlias = "TensorLike | Mapping[str, Any] | None"


@dataclass(frozen=True, eq=False)
class Until:
    """What the function of a scan returns besides outputs and updates where a condition, a bool scalar, ends it."""

    condition: Value


def listed(x: Any) -> list[Any]:
    """A list of what may be one thing, a list of things, or None."""
    if x is None:
        return []
    return list(x) if isinstance(x, (list, tuple)) else [x]


def step_input(shape: Sequence[Dim], dtype: Any, label: str) -> Value:
    """A placeholder for one step."""
    return tracer.apply(Input(-1, label, TensorType(dtype, tuple(shape))))


def choose(condition: Value, branches: Sequence[tuple[Sequence[Node], Sequence[Value]]]) -> list[Value]:
    """The values of the first branch where ``condition`` holds, else those of the second; each is given by the nodes
    that were made for it, which run only then, and its values."""
    needed = [capture((), values, nodes)[1] for nodes, values in branches]
    operands = list({id(v): v for found in needed for v in found}.values())
    regions = [capture(operands, values, nodes)[0] for nodes, values in branches]
    return list(tracer.apply_all(Cond(*regions), condition, *operands))


@dataclass(frozen=True)
class _Walked:
    """A sequence: step ``i`` sees rows ``i + starts[k]`` (from the end, where the loop goes backwards)."""

    tensor: Value
    starts: tuple[int, ...]
    span: int

    @property
    def length(self) -> Dim:
        return self.tensor.shape[0] - self.span


@dataclass(frozen=True)
class _Recurrent:
    """An output whose earlier values are read: ``initial`` ones, newest last, for ``taps`` (negative)."""

    initial: tuple[Value, ...]
    taps: tuple[int, ...]


def _walked(info: SequenceLike) -> _Walked:
    given: dict[str, Any] = dict(info) if isinstance(info, Mapping) else {"input": info}
    taps = [int(t) for t in listed(given.pop("taps", None))] or [0]
    tensor = as_value(given.pop("input", None))
    if given:
        raise ArgumentError(f"scan: a sequence is given by 'input' and 'taps', not {', '.join(given)}")
    if not tensor.shape:
        raise ShapeError(f"scan: a sequence needs an axis to walk over, got {describe(tensor)}")
    low, high = min(*taps, 0), max(*taps, 0)
    return _Walked(tensor, tuple(t - low for t in taps), high - low)


def _recurrent(info: OutputInfo, number: int) -> _Recurrent | None:
    if info is None or (isinstance(info, Mapping) and info.get("initial") is None):
        return None
    given: dict[str, Any] = dict(info) if isinstance(info, Mapping) else {"initial": info}
    initial = as_value(given.pop("initial"))
    taps = tuple(int(t) for t in listed(given.pop("taps", None))) or (-1,)
    if given:
        raise ArgumentError(f"scan: an output is given by 'initial' and 'taps', not {', '.join(given)}")
    if any(t >= 0 for t in taps):
        raise ArgumentError(f"scan: output {number} has taps {list(taps)}; they must be negative")
    if taps == (-1,):
        return _Recurrent((initial,), taps)
    depth = -min(taps)
    if not initial.shape or (isinstance(initial.shape[0], int) and initial.shape[0] != depth):
        raise ShapeError(f"scan: output {number} has taps {list(taps)} and needs {depth} initial values")
    rows = [tracer.slice(initial, [i, *(0 for _ in initial.shape[1:])], [1, *initial.shape[1:]]) for i in range(depth)]
    return _Recurrent(tuple(tracer.reshape(r, initial.shape[1:]) for r in rows), taps)


@dataclass(frozen=True)
class Made:
    """What a loop gives: all values of its outputs, the last ones of those with an initial value, updates."""

    rows: list[Tensor]
    last: list[Tensor]
    updates: Updates
    single: bool

    def one_or_list(self, tensors: list[Tensor]) -> Any:
        """What the function returned: a tensor or a list; None where there are no outputs."""
        if not tensors:
            return None
        return tensors[0] if self.single and len(tensors) == 1 else tensors


@dataclass
class _Carried:
    """The carries of a loop, in order: what a step sees, the value at first, the new one."""

    inner: list[Value] = field(default_factory=list)
    initial: list[Value] = field(default_factory=list)
    new: list[Value] = field(default_factory=list)

    def add(self, inner: Value, initial: Value, new: Value) -> None:
        self.inner.append(inner)
        self.initial.append(initial)
        self.new.append(new)


@dataclass(frozen=True)
class Scanning:
    """The arguments of a scan, looked at. ``unroll``: True, or the largest number of steps to write out; ``mask`` has a
    row for each step."""

    fn: Callable[..., Any]
    sequences: list[_Walked]
    constants: list[Tensor]
    length: Dim
    backward: bool
    truncate: int = -1
    strict: bool = False
    unroll: bool | int = False
    mask: _Walked | None = None

    def run(self, infos: list[OutputInfo] | None) -> Made:
        """Build the loop; ``infos`` is None where no output is said to have an initial value."""
        walked = [*self.sequences, *([self.mask] if self.mask else [])]
        rows = [step_input(s.tensor.shape[1:], s.tensor.dtype, "row of a sequence") for s in walked for _ in s.starts]
        seen = rows[:-1] if self.mask else rows
        recurrent = [_recurrent(info, k) for k, info in enumerate(infos or [])]
        earlier = [[step_input(v.shape, v.dtype, "earlier output") for v in r.initial] if r else [] for r in recurrent]
        taken = [Tensor(old[t]) for r, old in zip(recurrent, earlier, strict=True) if r for t in r.taps]
        with building_loop() as keys, recording() as nodes:
            given = _returned(self.fn(*[Tensor(v) for v in seen], *taken, *self.constants))
        if infos is None:
            recurrent, earlier = [None] * len(given.outputs), [[] for _ in given.outputs]
        if len(given.outputs) != len(recurrent):
            raise ArgumentError(
                f"scan: outputs_info names {len(recurrent)} output(s), but the function returned {len(given.outputs)}"
            )
        carried = _Carried()
        outputs, states = [t.value for t in given.outputs], [t.value for t in given.updates.values()]
        before = [old[-1] if old else None for old in earlier]
        variables = [v.value for v in given.updates]
        if self.mask:
            outputs = [_kept(rows[-1], new, old) for new, old in zip(outputs, before, strict=True)]
            if states and rows[-1].shape:
                raise ArgumentError("scan: where variables are updated, a mask has one flag for each step")
            states = [_kept(rows[-1], new, old) for new, old in zip(states, variables, strict=True)]
        going: list[tuple[Value, Value, Value]] = []
        if given.until is not None:
            outputs, states, going = _until(given.until, nodes, outputs, before, states, variables)
        for r, old, new in zip(recurrent, earlier, outputs, strict=True):
            if r:
                for one in zip(old, r.initial, [*old[1:], new], strict=True):
                    carried.add(*one)
        count = len(carried.inner)
        for value, new in zip(variables, states, strict=True):
            carried.add(value, value, new)
        for more in going:
            carried.add(*more)
        effects = [n for n in nodes if has_effects(n.op)]
        made = self._apply(walked, rows, keys, carried, outputs, [] if given.until else effects)
        results = [Tensor(v) for v in made]
        counts = [len(r.initial) if r else 0 for r in recurrent]
        last = [results[sum(counts[: k + 1]) - 1][-1] for k, n in enumerate(counts) if n]
        final = {v: carry[-1] for v, carry in zip(given.updates, results[count:], strict=False)}
        return Made(results[len(carried.inner) :], last, final, given.single)

    def _apply(
        self, walked: list[_Walked], rows: list[Value], keys: Mapping[Generator, Value], carried: _Carried,
        outputs: list[Value], effects: Sequence[Node],
    ) -> Sequence[Value]:  # fmt: skip
        """The results of the scan: all values of each carry, rows of each output."""
        body, captured = capture([*rows, *keys.values(), *carried.inner], [*carried.new, *outputs], effects)
        if self.strict:
            self._check_listed(captured)
        sequences = [s.tensor for s in walked for _ in s.starts]
        starts = [start for s in walked for start in s.starts]
        for generator in keys:
            sequences.append(tracer.apply(RandomBits((self.length, 4), next(generator.draws)), generator.current))
            starts.append(0)
        op = Scan(
            body, self.length, tuple(starts), (self.backward,) * len(rows) + (False,) * len(keys),
            (True,) * len(carried.inner), (False,) * len(outputs), self.truncate,
        )  # fmt: skip
        operands = [*sequences, *carried.initial, *captured]
        if self.unroll is False or not self._is_short():
            return tracer.apply_all(op, *operands)
        return write_out(op, operands)

    def _is_short(self) -> bool:
        """Whether the steps are written out."""
        if self.unroll is not True:
            return isinstance(self.length, int) and self.length <= self.unroll
        if not isinstance(self.length, int):
            raise ArgumentError(f"scan: to be unrolled, a loop needs a known number of steps, not {self.length}")
        return True

    def _check_listed(self, captured: Iterable[Value]) -> None:
        known = {id(c.value) for c in self.constants}
        for value in captured:
            if id(value) not in known:
                raise GraphError(
                    f"scan: the function uses a {describe(value)}, which is not among the non_sequences (strict=True)"
                )


def scanning(
    fn: Callable[..., Any], sequences: Any, non_sequences: Any, n_steps: Any = None, backward: bool = False,
    truncate: int = -1, strict: bool = False, unroll: bool | int = False, mask: TensorLike | None = None,
) -> Scanning:  # fmt: skip
    """The arguments of a scan, checked.

    Raises:
        ArgumentError, ShapeError: where they do not fit.
    """
    walked = [_walked(s) for s in listed(sequences)]
    if isinstance(unroll, int) and unroll < 0:
        raise ArgumentError(f"scan: unroll is True, False or a number of steps, got {unroll}")
    masked = None if mask is None else _walked(mask)
    if masked is not None and masked.tensor.dtype is not bool_:
        raise DTypeError(f"scan: a mask has dtype bool, got {describe(masked.tensor)}")
    everything = [*walked, masked] if masked is not None else walked
    length = _length(n_steps, everything)
    if n_steps is not None:
        walked = [_cut(s, length, backward) for s in walked]
        masked = None if masked is None else _cut(masked, length, backward)
    constants = [as_tensor(c) for c in listed(non_sequences)]
    return Scanning(fn, walked, constants, length, backward, truncate, strict, unroll, masked)


def _length(n_steps: Any, sequences: Sequence[_Walked]) -> Dim:
    if n_steps is not None:
        if isinstance(n_steps, bool) or not isinstance(n_steps, (int, SymDim)):
            raise ArgumentError(
                f"scan: n_steps is an integer or a size such as x.shape[0], got {n_steps!r}; where data says how many "
                "steps there are, give the most there can be, and return until(...)"
            )
        if isinstance(n_steps, int) and n_steps < 0:
            raise ArgumentError(f"scan: n_steps is {n_steps}; use go_backwards to walk backwards")
        return n_steps
    if not sequences:
        raise ArgumentError("scan: without sequences n_steps says how many steps there are")
    return sequences[0].length


def _cut(s: _Walked, length: Dim, backward: bool) -> _Walked:
    """The rows of a sequence that are walked over, where it has more."""
    if s.length == length:
        return s
    rest = s.tensor.shape[1:]
    rows = length + s.span
    first = s.tensor.shape[0] - rows if backward else 0
    return replace(s, tensor=tracer.slice(s.tensor, [first, *(0 for _ in rest)], [rows, *rest]))


def _kept(flags: Value, new: Value, old: Value | None) -> Value:
    """``new`` where the flags, which say so for the first axes, hold; else ``old``, or 0."""
    rank = flags.type.ndim
    if flags.shape != new.shape[:rank]:
        raise ShapeError(f"scan: a row of the mask is a {describe(flags)}, an output a {describe(new)}")
    spread = tracer.broadcast(flags, new.shape, range(rank))
    return tracer.where(spread, new, tracer.zeros_like(new) if old is None else old)


def _until(
    stop: Value, nodes: Sequence[Node], outputs: Sequence[Value], before: Sequence[Value | None],
    states: Sequence[Value], variables: Sequence[Value],
) -> tuple[list[Value], list[Value], list[tuple[Value, Value, Value]]]:  # fmt: skip
    """Outputs and states that stay as they are once ``stop`` was true; and further carries (seen, first, new): whether
    the loop goes on, and the last rows of outputs that no step reads."""
    go = step_input((), bool_, "whether a loop goes on")
    last = [step_input(new.shape, new.dtype, "row before") if old is None else old
            for new, old in zip(outputs, before, strict=True)]  # fmt: skip
    with recording() as more:
        following = [*outputs, *states, tracer.apply(BitNot(), stop)]
    staying = [*last, *variables, tracer.constant(False, bool_)]
    chosen = choose(go, [([*nodes, *more], following), ([], staying)])
    carries = [
        (row, tracer.zeros_like(row), new)
        for row, old, new in zip(last, before, chosen, strict=False) if old is None
    ]  # fmt: skip
    carries.append((go, tracer.constant(True, bool_), chosen[-1]))
    return chosen[: len(outputs)], chosen[len(outputs) : -1], carries


@dataclass(frozen=True)
class _Returned:
    """What the function of a loop returned; ``single``: the outputs were one tensor."""

    outputs: list[Tensor]
    updates: Updates
    until: Value | None
    single: bool


def _returned(result: Any) -> _Returned:
    stop: Value | None = None
    updates: Any = {}
    parts = list(result) if isinstance(result, tuple) else [result]
    if any(isinstance(p, Until) for p in parts):
        stop = next(p for p in parts if isinstance(p, Until)).condition
        parts = [p for p in parts if not isinstance(p, Until)]
        result = parts[0] if len(parts) == 1 else tuple(parts)
    if isinstance(result, Mapping):
        result, updates = [], result
    elif isinstance(result, tuple) and len(result) == 2 and any(_are_updates(p) for p in result):
        result, updates = result if _are_updates(result[1]) else result[::-1]
    elif _are_updates(result):
        result, updates = [], result
    updates = dict(updates)
    single = not isinstance(result, (list, tuple))
    outputs = [as_tensor(t) for t in listed(result)]
    for variable in updates:
        if not isinstance(variable, Variable):
            raise GraphError(f"scan: only variables can be updated, got {variable!r}")
    new = {v: as_tensor(t, v.dtype) for v, t in updates.items()}
    return _Returned(outputs, new, stop, single or len(outputs) == 1)


def _are_updates(part: Any) -> bool:
    """Updates are a mapping, or a list of pairs that begin with a variable."""
    if isinstance(part, Mapping):
        return True
    is_list = isinstance(part, (list, tuple)) and len(part) > 0
    return is_list and all(isinstance(p, tuple) and len(p) == 2 and isinstance(p[0], Variable) for p in part)


__all__ = [
    "Made", "OutputInfo", "Scanning", "SequenceLike", "Until", "Updates", "choose", "listed", "scanning", "step_input",
]  # fmt: skip
