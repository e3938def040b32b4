"""Loops over the steps of sequences, as native code: ``rnn``, ``map_fn``, ``foldl``, ``foldr``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import symgraph as sg

from .variables import Tensor, as_tensor

Step = Callable[[Tensor, list[Tensor]], tuple[Tensor, Sequence[Tensor]]]


def rnn(
    step_function: Step,
    inputs: Tensor,
    initial_states: Sequence[Tensor],
    go_backwards: bool = False,
    mask: Tensor = None,
    constants: Sequence[Tensor] | None = None,
    unroll: bool = False,
    input_length: int | None = None,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Call a step for each step of a batch of sequences.

    Args:
        step_function: takes a row ``(samples, ...)`` and the states followed by the constants; gives an output
            ``(samples, ...)`` and as many new states as there are, each of the shape of the old one. It is called once
            before the loop, too, so that what it makes then and keeps (a dropout mask) is the same in all steps.
        inputs: ``(samples, steps, ...)``, of three axes at least.
        go_backwards: from the last step to the first; outputs come in the order of the walk.
        mask: ``(samples, steps)`` or ``(samples, steps, 1)``. Where it is false, the output is that of the step before
            (zeros at the start) and the states stay.
        constants: passed to every step, after the states.
        unroll: write the steps out instead of looping; their number must be known.
        input_length: at most so many steps.

    Returns:
        The last output ``(samples, ...)``, all outputs ``(samples, steps, ...)`` and the last states.

    Raises:
        ValueError: for inputs or masks of another rank, an unknown or no number of steps to unroll, and steps that give
            another number of states.
    """
    if len(inputs.shape) < 3:
        raise ValueError(f"The input of `rnn` has the axes samples, steps and features at least, got {inputs.shape}.")
    rows = _steps_first(inputs)
    states, fixed = [as_tensor(s) for s in initial_states], [as_tensor(c) for c in constants or []]
    valid = None if mask is None else _steps_of_mask(mask)
    trial, _ = step_function(inputs[:, 0], [*states, *fixed])
    blank = sg.zeros_like(trial)

    def advance(row: Tensor, keep: Tensor, before: Tensor, old: list[Tensor]) -> list[Tensor]:
        output, new = step_function(row, [*old, *fixed])
        if len(new) != len(old):
            raise ValueError(f"The step of `rnn` took {len(old)} states, but gave {len(new)}.")
        if keep is None:
            return [output, *new]
        return [_chosen(keep, a, b) for a, b in zip([output, *new], [before, *old], strict=True)]

    steps = rows.shape[0] if input_length is None else _at_most(input_length, rows.shape[0])
    if unroll:
        made = _unrolled(advance, rows, valid, blank, states, steps, go_backwards)
    else:
        made = _looped(advance, rows, valid, blank, states, steps, go_backwards)
    outputs, last = _steps_first(made[0]), made[0][-1]
    if getattr(trial, "_uses_learning_phase", False):
        outputs._uses_learning_phase = last._uses_learning_phase = True
    return last, outputs, [s[-1] for s in made[1:]]


def _looped(
    advance: Callable[..., list[Tensor]], rows: Tensor, valid: Tensor, blank: Tensor, states: list[Tensor], steps: Any,
    backwards: bool,
) -> list[Tensor]:  # fmt: skip
    """Outputs and states of all steps."""

    def step(row: Tensor, *given: Tensor) -> list[Tensor]:
        if valid is None:
            return advance(row, None, None, list(given))
        keep, before, *old = given
        return advance(row, keep, before, old)

    sequences = [rows] if valid is None else [rows, valid]
    infos = [None if valid is None else blank, *states]
    made, _ = sg.scan(step, sequences, infos, n_steps=steps, go_backwards=backwards)
    return made if isinstance(made, list) else [made]


def _unrolled(
    advance: Callable[..., list[Tensor]], rows: Tensor, valid: Tensor, blank: Tensor, states: list[Tensor], steps: Any,
    backwards: bool,
) -> list[Tensor]:  # fmt: skip
    """The same, without a loop."""
    if not isinstance(steps, int) or not steps:
        raise ValueError("Unrolling requires a fixed number of timesteps, one at least.")
    numbers = range(steps)
    if backwards:
        numbers = range(rows.shape[0] - 1, rows.shape[0] - 1 - steps, -1)
    made, found = [blank, *states], []
    for i in numbers:
        made = advance(rows[i], None if valid is None else valid[i], made[0], made[1:])
        found.append(made)
    return [sg.stack(column) for column in zip(*found, strict=True)]


def _steps_first(x: Tensor) -> Tensor:
    """``x`` with its first two axes exchanged."""
    return sg.transpose(x, (1, 0, *range(2, len(x.shape))))


def _steps_of_mask(mask: Tensor) -> Tensor:
    rank = len(mask.shape)
    if rank not in (2, 3) or (rank == 3 and mask.shape[2] != 1):
        raise ValueError(f"A mask of `rnn` has the axes samples and steps, got {mask.shape}.")
    return sg.cast(sg.transpose(mask[:, :, 0] if rank == 3 else mask, (1, 0)), "bool")


def _at_most(limit: Any, steps: Any) -> Any:
    if not isinstance(limit, int):
        raise ValueError(f"`input_length` is a number of steps, got {limit!r}.")
    return min(limit, steps) if isinstance(steps, int) else limit


def _chosen(keep: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """``new`` in the samples where ``keep`` is true, ``old`` in the others."""
    return sg.where(sg.reshape(keep, (keep.shape[0], *(1 for _ in new.shape[1:]))), new, old)


def map_fn(fn: Callable[..., Any], elems: Any, name: str | None = None, dtype: str | None = None) -> Tensor:
    """``fn`` of each row of a tensor (or of the rows of several), stacked; ``dtype`` is that of the result."""
    several = isinstance(elems, (list, tuple))

    def step(*rows: Tensor) -> Tensor:
        return as_tensor(fn(list(rows) if several else rows[0]), dtype)

    made, _ = sg.map(step, [as_tensor(e) for e in elems] if several else as_tensor(elems), name=name)
    return made


def foldl(
    fn: Callable[[Tensor, Tensor], Any], elems: Any, initializer: Any = None, name: str | None = None
) -> Tensor:
    """``fn(value, row)`` for each row of ``elems``, the first one first; the value starts as ``initializer``, or as the
    first row."""
    return _fold(fn, as_tensor(elems), initializer, False, name)


def foldr(
    fn: Callable[[Tensor, Tensor], Any], elems: Any, initializer: Any = None, name: str | None = None
) -> Tensor:
    """The same, the last row first."""
    return _fold(fn, as_tensor(elems), initializer, True, name)


def _fold(fn: Callable[..., Any], rows: Tensor, start: Any, backwards: bool, name: str | None) -> Tensor:
    if start is None:
        start, rows = (rows[-1], rows[:-1]) if backwards else (rows[0], rows[1:])
    value = as_tensor(start)
    folded, _ = sg.foldl(
        lambda row, before: as_tensor(fn(before, row)), rows, value, go_backwards=backwards, name=name
    )
    return folded
