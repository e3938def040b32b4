"""What recurrent layers ask of cells and of the tensors they are called with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ... import backend as K
from ...engine.base_layer import InputSpec
from ...utils.generic_utils import has_arg, to_list

Tensor = Any


def step_of(cell: Any, training: Any, constants: int) -> Callable[[Tensor, list[Tensor]], Any]:
    """A cell's call as a step of ``K.rnn``, whose last states are the constants."""
    arguments = {"training": training} if has_arg(cell.call, "training") else {}
    if not constants:
        return lambda row, states: cell.call(row, states, **arguments)
    return lambda row, values: cell.call(row, values[:-constants], constants=values[-constants:], **arguments)


def check_takes_constants(cell: Any) -> None:
    """Raise a ValueError where a cell takes no constants."""
    if not has_arg(cell.call, "constants"):
        raise ValueError(f"The call of the cell {type(cell).__name__} takes no `constants`, but some were given.")


def reset_dropout(cell: Any) -> None:
    """Let a cell, and the cells inside, make new masks."""
    if hasattr(cell, "reset_dropout_masks"):
        cell.reset_dropout_masks()
    for inner in getattr(cell, "_sublayers", ()):
        reset_dropout(inner)


def split_inputs(
    inputs: Any, initial_state: Any, constants: Any, num_constants: int | None
) -> tuple[Tensor, list[Tensor] | None, list[Tensor] | None]:
    """The sequence, the initial states and the constants, of a call that may hold all of them in ``inputs``.

    Raises:
        ValueError: for states or constants given in both ways.
    """
    if isinstance(inputs, (list, tuple)):
        found = list(inputs[1:])
        if found and (initial_state is not None or constants is not None):
            raise ValueError("Initial states and constants are given in the list of inputs or by name, not in both.")
        if num_constants and found:
            constants, found = found[len(found) - num_constants :], found[: len(found) - num_constants]
        initial_state, inputs = found or initial_state, inputs[0]
    return inputs, _listed(initial_state), _listed(constants)


def _listed(x: Any) -> list[Tensor] | None:
    return None if x is None or (isinstance(x, (list, tuple)) and not x) else to_list(x, allow_tuple=True)


def call_with_more(
    layer: Any, plain_call: Callable[..., Any], inputs: Tensor, initial_state: list[Tensor] | None,
    constants: list[Tensor] | None, **kwargs: Any,
) -> Any:  # fmt: skip
    """Call a layer with initial states and constants. Where layers made them they become inputs, which ``input_spec``
    lists as long as the call lasts; others are arguments.

    Raises:
        ValueError: where layers made some and not others.
    """
    more = [*(initial_state or []), *(constants or [])]
    if not more:
        return plain_call(inputs, **kwargs)
    kinds = {K.is_keras_tensor(x) for x in more}
    if len(kinds) > 1:
        raise ValueError(
            f"The initial states and constants of layer {layer.name} are Keras tensors (what a layer or `Input` gives),"
            " or none of them is."
        )
    if not kinds.pop():
        given = {"initial_state": initial_state, "constants": constants}
        return plain_call(inputs, **{k: v for k, v in given.items() if v}, **kwargs)
    count = len(layer.input_spec)
    layer.input_spec = [*layer.input_spec, *specs_of(more)]
    try:
        return plain_call([inputs, *more], **kwargs)
    finally:
        layer.input_spec = layer.input_spec[:count]


def specs_of(tensors: Sequence[Tensor]) -> list[InputSpec]:
    """What tensors are, as specifications of inputs."""
    return [InputSpec(shape=K.int_shape(x)) for x in tensors]
