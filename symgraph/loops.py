"""Loops and choices inside the graph: scan, foldl, foldr and map with Theano's arguments, while_loop, cond.

The function given is called once, with symbolic tensors that stand for one step; what it builds becomes the body of one
op, which runs as native code. What it uses from outside and does not depend on the step is computed once, outside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from .dtypes import bool_
from .errors import ArgumentError, DTypeError
from .generators import building_loop
from .ir.dims import Dim
from .ir.graph import Node, Value
from .ir.ops.branching import While
from .ir.ops.random import RandomBits
from .ir.region import capture, has_effects
from .provenance import name_scope
from .scanning import OutputInfo, SequenceLike, Until, Updates, choose, listed, scanning, step_input
from .tensor import Tensor, TensorLike, as_tensor, as_value
from .tracer import describe, recording, tracer


def scan(
    fn: Callable[..., Any],
    sequences: SequenceLike | Sequence[SequenceLike] | None = None,
    outputs_info: OutputInfo | Sequence[OutputInfo] = None,
    non_sequences: TensorLike | Sequence[TensorLike] | None = None,
    n_steps: int | Dim | None = None,
    truncate_gradient: int = -1,
    go_backwards: bool = False,
    name: str | None = None,
    strict: bool = False,
    return_list: bool = False,
    mask: TensorLike | None = None,
    unroll: bool | int = False,
) -> tuple[Any, Updates]:
    """Call ``fn`` for every step of a loop (Theano's ``scan``).

    Args:
        fn: takes one slice of each sequence (one for each tap), then the earlier values of each output that has an
            initial one (one for each tap), then the ``non_sequences``; returns a tensor or a list of them, one per step
            and output; or updates of variables; or a pair of both. With ``until(condition)`` as a further part of the
            tuple, the loop ends after the first step in which the condition holds.
        sequences: tensors whose first axis is walked over.
        outputs_info: for each output its initial value, where later steps read it. With taps other than ``[-1]`` the
            initial value has a first axis, oldest value first.
        non_sequences: passed to ``fn`` as they are.
        n_steps: where there is no sequence; or fewer steps than the sequences have; with ``until``, the most there are.
        truncate_gradient: gradients flow through so many of the last steps (-1: all).
        go_backwards: walk from the end of the sequences to their beginning.
        name: of the layer that errors and profiles show.
        strict: refuse a function that uses tensors from outside which are not among the ``non_sequences``.
        return_list: give a list of outputs also where there is one.
        mask: bools ``(steps, ...)`` for the first axes of the outputs: where one is false, an output with an initial
            value stays what it was, another is 0.
        unroll: write the steps out instead of looping: True, or the largest number of steps for which to do so.

    Returns:
        The outputs of all steps, each with a new first axis (one tensor, or a list), and updates: pass them to
        :func:`symgraph.function`. Rows after the end that ``until`` made repeat the last one, so that ``outputs[-1]``
        is that of the last step in any case; an output that counts tells how many steps there were.

    Raises:
        ArgumentError: where the number of steps is unknown, or ``fn`` returns what does not fit.
        ShapeError, DTypeError: where a value changes its type from step to step; for a mask or condition of another.
        GraphError: for a tensor from outside (``strict``), or an update of what is no variable.

    Example:
        >>> import symgraph as sg
        >>> x = sg.placeholder((None,))
        >>> sums, _ = sg.scan(lambda row, total: total + row, x, outputs_info=sg.constant(0.0, "float32"))
        >>> sg.function([x], sums)([1.0, 2.0, 3.0])
        array([1., 3., 6.], dtype=float32)
    """
    with name_scope(name) if name else nullcontext():
        loop = scanning(
            fn, sequences, non_sequences, n_steps, go_backwards, truncate_gradient, strict, unroll, mask
        )  # fmt: skip
        made = loop.run(None if outputs_info is None else listed(outputs_info))
    return made.rows if return_list else made.one_or_list(made.rows), made.updates


def foldl(
    fn: Callable[..., Any], sequences: SequenceLike | Sequence[SequenceLike], outputs_info: Any,
    non_sequences: TensorLike | Sequence[TensorLike] | None = None, go_backwards: bool = False,
    name: str | None = None,
) -> tuple[Any, Updates]:  # fmt: skip
    """The last values of :func:`scan`, from the first element of the sequences to the last (Theano's ``foldl``).

    Raises:
        ArgumentError: where an output has no initial value.
    """
    infos = listed(outputs_info)
    if any(info is None for info in infos):
        raise ArgumentError("a fold needs an initial value for every output")
    with name_scope(name) if name else nullcontext():
        made = scanning(fn, sequences, non_sequences, backward=go_backwards).run(infos)
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


def until(condition: TensorLike) -> Until:
    """For the function of a scan to return besides outputs and updates (Theano's ``scan_utils.until``): the loop ends
    after the step in which ``condition``, a bool scalar, holds.

    Raises:
        DTypeError: for anything but a bool scalar.
    """
    value = as_value(condition)
    if value.dtype is not bool_ or value.shape:
        raise DTypeError(f"scan: until takes a bool scalar, got {describe(value)}")
    return Until(value)


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
        >>> f = sg.function([x], sg.cond(x > 0, lambda: sg.sqrt(x), lambda: -x))
        >>> float(f(4.0)), float(f(-4.0))
        (2.0, 4.0)
    """
    traced: list[tuple[list[Node], list[Value]]] = []
    single = False
    for fn in (then, otherwise):
        with recording() as nodes:
            result = fn()
        traced.append((nodes, [as_value(t) for t in listed(result)]))
        single = single or not isinstance(result, (list, tuple))
    if len(traced[0][1]) != len(traced[1][1]):
        raise ArgumentError(f"cond: one branch gives {len(traced[0][1])} result(s), the other {len(traced[1][1])}")
    made = [Tensor(v) for v in choose(as_value(condition), traced)]
    return made[0] if single else made


def while_loop(
    condition: Callable[..., TensorLike], body: Callable[..., Any], loop_vars: TensorLike | Sequence[TensorLike],
    max_steps: int | Dim | None = None,
) -> Any:  # fmt: skip
    """Replace ``loop_vars`` by ``body(*loop_vars)`` as long as ``condition(*loop_vars)`` holds; the last values.

    Args:
        condition: gives a bool scalar.
        body: gives as many values as there are ``loop_vars``, each of the type of the old one.
        loop_vars: the values at first.
        max_steps: the loop ends after so many steps in any case. With it there are gradients: where one is asked for,
            the values of all these steps are kept.

    Raises:
        ArgumentError: where ``body`` gives another number of values.
        ShapeError, DTypeError: where a value changes its type from step to step.
        GradientError: from ``grad``, where there is no ``max_steps``.

    Example:
        >>> import symgraph as sg
        >>> n = sg.placeholder((), "int64")
        >>> k = sg.while_loop(lambda k: k * k < n, lambda k: k + 1, sg.constant(0))
        >>> int(sg.function([n], k)(50))
        8
        >>> x = sg.placeholder(())
        >>> y = sg.while_loop(lambda y: y < 100, lambda y: y * x, x, max_steps=50)
        >>> [float(v) for v in sg.function([x], [y, sg.grad(y, x)])(5.0)]
        [125.0, 75.0]
    """
    initial = listed(loop_vars)
    made = _while(condition, body, initial) if max_steps is None else _bounded(condition, body, initial, max_steps)
    return made if isinstance(loop_vars, (list, tuple)) else made[0]


def _new_values(body: Callable[..., Any], now: Sequence[Tensor]) -> list[Tensor]:
    """What the body of a while loop gives."""
    new = [as_tensor(v) for v in listed(body(*now))]
    if len(new) != len(now):
        raise ArgumentError(f"while_loop: {len(now)} loop variable(s), but the body gives {len(new)}")
    return new


def _bounded(
    condition: Callable[..., TensorLike], body: Callable[..., Any], initial: Sequence[TensorLike], most: int | Dim
) -> list[Tensor]:
    """A scan whose steps do nothing once the condition does not hold."""

    def step(go: Tensor, *now: Tensor) -> list[Tensor]:
        def more() -> list[Tensor]:
            new = _new_values(body, now)
            return [as_tensor(condition(*new)), *new]

        chosen: list[Tensor] = cond(go, more, lambda: [as_tensor(False), *now])
        return chosen

    start = [as_tensor(v) for v in initial]
    return scanning(step, None, None, most).run([as_tensor(condition(*start)), *start]).last[1:]


def _while(
    condition: Callable[..., TensorLike], body: Callable[..., Any], loop_vars: Sequence[TensorLike]
) -> list[Tensor]:
    initial = [as_value(v) for v in loop_vars]
    now = [step_input(v.shape, v.dtype, "loop variable") for v in initial]
    with building_loop() as keys, recording() as made_inside:
        new = [t.value for t in _new_values(body, [Tensor(v) for v in now])]
        go = as_value(condition(*(Tensor(v) for v in new)))
    first = as_value(condition(*(Tensor(v) for v in initial)))
    carried, fresh = list(now), list(new)
    for generator, key in keys.items():
        initial.append(generator.current)
        carried.append(key)
        fresh.append(tracer.apply(RandomBits((4,), next(generator.draws)), key))
    region, captured = capture(carried, [*fresh, go], [n for n in made_inside if has_effects(n.op)])
    made = tracer.apply_all(While(region, len(carried)), first, *initial, *captured)
    return [Tensor(v) for v in made[: len(new)]]


__all__ = ["cond", "foldl", "foldr", "map", "scan", "until", "while_loop"]
