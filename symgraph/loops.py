"""Loops and choices inside the graph: scan, foldl, foldr and map with Theano's arguments, while_loop, cond.

The function given is called once, with symbolic tensors that stand for one step; what it builds becomes the body of one
op, which runs as native code. What it uses from outside and does not depend on the step is computed once, outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from .errors import ArgumentError, GraphError, ShapeError
from .generators import building_loop
from .ir.dims import Dim, SymDim
from .ir.graph import Value
from .ir.ops.branching import Cond, While
from .ir.ops.control import Scan
from .ir.ops.leaves import Input
from .ir.ops.random import RandomBits
from .ir.region import capture, has_effects
from .ir.types import TensorType
from .provenance import name_scope
from .tensor import Tensor, TensorLike, as_tensor, as_value
from .tracer import describe, recording, tracer
from .variable import Variable

Updates: TypeAlias = dict[Variable, Tensor]
#: A tensor, or ``{"input": tensor, "taps": [0, -1]}``.
SequenceLike: TypeAlias = "TensorLike | Mapping[str, Any]"
#: An initial value, ``{"initial": tensor, "taps": [-1, -2]}``, or None for an output that no later step reads.
OutputInfo: TypeAlias = "TensorLike | Mapping[str, Any] | None"


def scan(
    fn: Callable[..., Any],
    sequences: SequenceLike | Sequence[SequenceLike] | None = None,
    outputs_info: OutputInfo | Sequence[OutputInfo] = None,
    non_sequences: TensorLike | Sequence[TensorLike] | None = None,
    n_steps: int | Dim | None = None,
    truncate_gradient: int = -1,
    go_backwards: bool = False,
    name: str | None = None,
) -> tuple[Any, Updates]:
    """Call ``fn`` for every step of a loop (Theano's ``scan``).

    Args:
        fn: takes one slice of each sequence (one for each tap), then the earlier values of each output that has an
            initial one (one for each tap), then the ``non_sequences``; returns a tensor or a list of them, one per step
            and output; or updates of variables; or a pair of both.
        sequences: tensors whose first axis is walked over.
        outputs_info: for each output its initial value, where later steps read it. With taps other than ``[-1]`` the
            initial value has a first axis, oldest value first.
        non_sequences: passed to ``fn`` as they are.
        n_steps: where there is no sequence; or fewer steps than the sequences have.
        truncate_gradient: gradients flow through so many of the last steps (-1: all).
        go_backwards: walk from the end of the sequences to their beginning.
        name: of the layer that errors and profiles show.

    Returns:
        The outputs of all steps, each with a new first axis (one tensor, or a list), and updates: pass them to
        :func:`symgraph.function`.

    Raises:
        ArgumentError: where the number of steps is unknown, or ``fn`` returns what does not fit.
        ShapeError, DTypeError: where a value changes its type from step to step.

    Example:
        >>> import symgraph as sg
        >>> x = sg.placeholder((None,))
        >>> sums, _ = sg.scan(lambda row, total: total + row, x, outputs_info=sg.constant(0.0, "float32"))
        >>> sg.function([x], sums)([1.0, 2.0, 3.0])
        array([1., 3., 6.], dtype=float32)
    """
    loop = _Loop(fn, _listed(sequences), _listed(non_sequences), n_steps, go_backwards, truncate_gradient)
    with name_scope(name) if name else nullcontext():
        made = loop.run(None if outputs_info is None else _listed(outputs_info))
    return made.one_or_list(made.rows), made.updates


def foldl(
    fn: Callable[..., Any], sequences: SequenceLike | Sequence[SequenceLike], outputs_info: Any,
    non_sequences: TensorLike | Sequence[TensorLike] | None = None, go_backwards: bool = False,
    name: str | None = None,
) -> tuple[Any, Updates]:  # fmt: skip
    """The last values of :func:`scan`, from the first element of the sequences to the last (Theano's ``foldl``).

    Raises:
        ArgumentError: where an output has no initial value.
    """
    infos = _listed(outputs_info)
    if any(info is None for info in infos):
        raise ArgumentError("a fold needs an initial value for every output")
    loop = _Loop(fn, _listed(sequences), _listed(non_sequences), None, go_backwards, -1)
    with name_scope(name) if name else nullcontext():
        made = loop.run(infos)
    return made.one_or_list(made.last), made.updates


def foldr(
    fn: Callable[..., Any], sequences: SequenceLike | Sequence[SequenceLike], outputs_info: Any,
    non_sequences: TensorLike | Sequence[TensorLike] | None = None, name: str | None = None,
) -> tuple[Any, Updates]:  # fmt: skip
    """The same from the last element of the sequences to the first (Theano's ``foldr``)."""
    return foldl(fn, sequences, outputs_info, non_sequences, go_backwards=True, name=name)


def map(
    fn: Callable[..., Any], sequences: SequenceLike | Sequence[SequenceLike],
    non_sequences: TensorLike | Sequence[TensorLike] | None = None, go_backwards: bool = False,
    name: str | None = None,
) -> tuple[Any, Updates]:  # fmt: skip
    """``fn`` of every element of the sequences (Theano's ``map``)."""
    return scan(fn, sequences, None, non_sequences, go_backwards=go_backwards, name=name)


def cond(condition: TensorLike, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """What ``then()`` gives where ``condition`` (a bool scalar) is true, else what ``otherwise()`` gives. Of what they
    compute, only one side runs; what was computed before is there for both.

    Returns:
        A tensor, or a list where the functions return lists.

    Raises:
        ArgumentError: where one gives more results than the other.
        ShapeError, DTypeError: where the results of the two have different types.

    Example:
        >>> import symgraph as sg
        >>> x = sg.placeholder(())
        >>> f = sg.function([x], sg.cond(x > 0, lambda: sg.sqrt(x), lambda: x * 0))
        >>> float(f(4.0)), float(f(-4.0))
        (2.0, 0.0)
    """
    traced = []
    for fn in (then, otherwise):
        with recording() as nodes:
            result = fn()
        traced.append((nodes, result, [as_value(t) for t in _listed(result)]))
    if len(traced[0][2]) != len(traced[1][2]):
        raise ArgumentError(f"cond: one branch gives {len(traced[0][2])} result(s), the other {len(traced[1][2])}")
    needed = [capture((), values, nodes)[1] for nodes, _, values in traced]
    operands = list({id(v): v for found in needed for v in found}.values())
    regions = [capture(operands, values, nodes)[0] for nodes, _, values in traced]
    made = [Tensor(v) for v in tracer.apply_all(Cond(*regions), as_value(condition), *operands)]
    return made if isinstance(traced[0][1], (list, tuple)) else made[0]


def while_loop(
    condition: Callable[..., TensorLike], body: Callable[..., Any], loop_vars: TensorLike | Sequence[TensorLike]
) -> Any:
    """Replace ``loop_vars`` by ``body(*loop_vars)`` as long as ``condition(*loop_vars)`` holds; the last values. There
    is no gradient, as the number of steps is not known.

    Raises:
        ArgumentError: where ``body`` gives another number of values.
        ShapeError, DTypeError: where a value changes its type from step to step.

    Example:
        >>> import symgraph as sg
        >>> n = sg.placeholder((), "int64")
        >>> k = sg.while_loop(lambda k: k * k < n, lambda k: k + 1, sg.constant(0))
        >>> int(sg.function([n], k)(50))
        8
    """
    initial = [as_value(v) for v in _listed(loop_vars)]
    now = [_step_input(v.shape, v.dtype, "loop variable") for v in initial]
    with building_loop() as keys, recording() as made_inside:
        new = [as_value(v) for v in _listed(body(*(Tensor(v) for v in now)))]
        if len(new) != len(now):
            raise ArgumentError(f"while_loop: {len(now)} loop variable(s), but the body gives {len(new)}")
        go = as_value(condition(*(Tensor(v) for v in new)))
    first = as_value(condition(*(Tensor(v) for v in initial)))
    carried, fresh = list(now), list(new)
    for generator, key in keys.items():
        initial.append(generator.current)
        carried.append(key)
        fresh.append(tracer.apply(RandomBits((4,), next(generator.draws)), key))
    region, captured = capture(carried, [*fresh, go], [n for n in made_inside if has_effects(n.op)])
    made = tracer.apply_all(While(region, len(carried)), first, *initial, *captured)
    last = [Tensor(v) for v in made[: len(new)]]
    return last if isinstance(loop_vars, (list, tuple)) else last[0]


def _listed(x: Any) -> list[Any]:
    if x is None:
        return []
    return list(x) if isinstance(x, (list, tuple)) else [x]


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
    taps = [int(t) for t in _listed(given.pop("taps", None))] or [0]
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
    taps = tuple(int(t) for t in _listed(given.pop("taps", None))) or (-1,)
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


def _step_input(shape: Sequence[Dim], dtype: Any, label: str) -> Value:
    """A placeholder for one step."""
    return tracer.apply(Input(-1, label, TensorType(dtype, tuple(shape))))


class _Loop:
    """One call of :func:`scan`: placeholders for a step, the traced body, the op."""

    def __init__(
        self, fn: Callable[..., Any], sequences: list[Any], non_sequences: list[Any], n_steps: Any, backward: bool,
        truncate: int,
    ) -> None:  # fmt: skip
        self.fn = fn
        self.sequences = [_walked(s) for s in sequences]
        self.constants = [as_tensor(c) for c in non_sequences]
        self.backward = backward
        self.truncate = truncate
        self.length = self._length(n_steps)
        if n_steps is not None:
            self.sequences = [self._cut(s) for s in self.sequences]

    def _cut(self, s: _Walked) -> _Walked:
        """The rows of a sequence that are walked over, where it has more."""
        if s.length == self.length:
            return s
        rest = s.tensor.shape[1:]
        rows = self.length + s.span
        first = s.tensor.shape[0] - rows if self.backward else 0
        return replace(s, tensor=tracer.slice(s.tensor, [first, *(0 for _ in rest)], [rows, *rest]))

    def _length(self, n_steps: Any) -> Dim:
        if n_steps is not None:
            if isinstance(n_steps, bool) or not isinstance(n_steps, (int, SymDim)):
                raise ArgumentError(f"scan: n_steps is an integer or a size such as x.shape[0], got {n_steps!r}")
            if isinstance(n_steps, int) and n_steps < 0:
                raise ArgumentError(f"scan: n_steps is {n_steps}; use go_backwards to walk backwards")
            return n_steps
        if not self.sequences:
            raise ArgumentError("scan: without sequences n_steps says how many steps there are")
        return self.sequences[0].length

    def run(self, infos: list[OutputInfo] | None) -> _Made:
        rows = [
            _step_input(s.tensor.shape[1:], s.tensor.dtype, "row of a sequence")
            for s in self.sequences for _ in s.starts
        ]  # fmt: skip
        recurrent = [_recurrent(info, k) for k, info in enumerate(infos or [])]
        earlier = [[_step_input(v.shape, v.dtype, "earlier output") for v in r.initial] if r else [] for r in recurrent]
        taken = [Tensor(old[t]) for r, old in zip(recurrent, earlier, strict=True) if r for t in r.taps]
        with building_loop() as keys, recording() as made_inside:
            outputs, updates, single = _returned(self.fn(*[Tensor(v) for v in rows], *taken, *self.constants))
        if infos is None:
            recurrent, earlier = [None] * len(outputs), [[] for _ in outputs]
        if len(outputs) != len(recurrent):
            raise ArgumentError(
                f"scan: outputs_info names {len(recurrent)} output(s), but the function returned {len(outputs)}"
            )
        variables = list(updates)
        carried = [v for old in earlier for v in old]
        carried_new: list[Value] = []
        for r, old, new in zip(recurrent, earlier, outputs, strict=True):
            carried_new += [*old[1:], new.value] if r else []
        initial = [v for r in recurrent if r for v in r.initial] + [v.value for v in variables]
        inputs = [*rows, *keys.values(), *carried, *(v.value for v in variables)]
        results = [*carried_new, *(updates[v].value for v in variables), *(t.value for t in outputs)]
        body, captured = capture(inputs, results, [n for n in made_inside if has_effects(n.op)])
        sequences = [s.tensor for s in self.sequences for _ in s.starts]
        starts = [start for s in self.sequences for start in s.starts]
        for generator in keys:
            draw = next(generator.draws)
            sequences.append(tracer.apply(RandomBits((self.length, 4), draw), generator.current))
            starts.append(0)
        op = Scan(
            body, self.length, tuple(starts), (self.backward,) * len(rows) + (False,) * len(keys),
            (True,) * len(initial), (False,) * len(outputs), self.truncate,
        )  # fmt: skip
        made = tracer.apply_all(op, *sequences, *initial, *captured)
        carries, rows_made = [Tensor(v) for v in made[: len(initial)]], [Tensor(v) for v in made[len(initial) :]]
        counts = [len(r.initial) if r else 0 for r in recurrent]
        last = [carries[sum(counts[: k + 1]) - 1][-1] for k, count in enumerate(counts) if count]
        final = {v: carry[-1] for v, carry in zip(variables, carries[sum(counts) :], strict=True)}
        return _Made(rows_made, last, final, single)


@dataclass(frozen=True)
class _Made:
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


def _returned(result: Any) -> tuple[list[Tensor], Updates, bool]:
    """Outputs, updates, and whether the outputs are one tensor, of what the function of a loop returned."""
    updates: Any = {}
    if isinstance(result, Mapping):
        result, updates = [], result
    elif isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], Mapping):
        result, updates = result
    elif isinstance(result, (list, tuple)) and result and all(_is_update(pair) for pair in result):
        result, updates = [], dict(result)
    single = not isinstance(result, (list, tuple))
    outputs = [as_tensor(t) for t in _listed(result)]
    for variable in updates:
        if not isinstance(variable, Variable):
            raise GraphError(f"scan: only variables can be updated, got {variable!r}")
    return outputs, {v: as_tensor(new, v.dtype) for v, new in updates.items()}, single or len(outputs) == 1


def _is_update(pair: Any) -> bool:
    return isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], Variable)


__all__ = ["cond", "foldl", "foldr", "map", "scan", "while_loop"]
