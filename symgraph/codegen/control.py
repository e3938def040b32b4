"""Loops over steps: from a ``Scan`` to a nested plan, and which rows of which arrays each of its steps touches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..ir.dims import Dim, Shape
from ..ir.graph import Node
from ..ir.ops.control import Scan
from .evaluate import Array, Scratch
from .lower import Lowered, lower_copy, lower_repeat
from .plan import Move, Plan


@dataclass(frozen=True, slots=True)
class LoweredLoop:
    """A loop and what its arguments stand for, as :class:`.lower.Lowered` for kernels.

    ``moves`` tie the inputs and outputs of ``body`` to rows of the arguments, by number. ``shared`` pairs an array with
    the one whose memory it is the beginning of.
    """

    body: Plan
    length: Dim
    arrays: Mapping[str, Array]
    modes: Mapping[str, str]
    moves: tuple[Move, ...]
    nodes: tuple[Node, ...]
    shared: tuple[tuple[Array, Array], ...] = ()
    padded: Mapping[str, Shape] = field(default_factory=dict)


def lower_scan(node: Node, body: Plan) -> list[Lowered | LoweredLoop]:
    """The kernels that put initial carries into place, and the loop.

    A carry that is kept is one array of all its values: a step reads a row and writes the next. Another has two rows
    that take turns, such that the last value is in the first row; both rows begin as the initial value, as the loop
    may have no step.
    """
    op = node.op
    assert isinstance(op, Scan)
    before: list[Lowered | LoweredLoop] = []
    arrays: dict[str, Array] = {}
    modes: dict[str, str] = {}
    moves: list[Move] = []
    shared: list[tuple[Array, Array]] = []

    def argument(array: Array, mode: str) -> int:
        name = f"a{len(arrays)}"
        arrays[name], modes[name] = array, mode
        return len(arrays) - 1

    def turning(slot: int, start: int, backward: bool, array: int, kind: str, shape: Shape) -> None:
        first = start + op.length - 1 if backward else start
        moves.append(Move(kind, slot, array, first, -1 if backward else 1, 0, shape, value_of[kind][slot].dtype))

    value_of = {"input": op.body.graph.inputs, "output": op.body.graph.outputs}
    for k in range(op.sequences):
        x = node.inputs[k]
        turning(k, op.starts[k], op.backward[k], argument(x, "in"), "input", x.shape[1:])
    for k in range(op.carries):
        initial, result, slot = node.inputs[op.sequences + k], node.outputs[k], op.sequences + k
        begun = Scratch(initial.dtype, initial.shape if op.kept[k] else (2, *initial.shape))
        before.append(lower_copy(initial, begun) if op.kept[k] else lower_repeat(initial, begun))
        shared.append((begun, result) if op.kept[k] else (result, begun))
        argument(begun, "in")
        array = argument(result, "out")
        first: Dim = 0 if op.kept[k] else op.length
        wrap = 0 if op.kept[k] else 2
        shape, dtype = initial.shape, initial.dtype
        moves.append(Move("input", slot, array, first, 1, wrap, shape, dtype))
        moves.append(Move("output", k, array, first + 1, 1, wrap, shape, dtype))
    for slot in range(op.first_constant, len(node.inputs)):
        x = node.inputs[slot]
        moves.append(Move("input", slot, argument(x, "in"), 0, 0, 0, x.shape, x.dtype))
    for j, backward in enumerate(op.outputs_backward):
        y = node.outputs[op.carries + j]
        turning(op.carries + j, 0, backward, argument(y, "out"), "output", y.shape[1:])
    return [*before, LoweredLoop(body, op.length, arrays, modes, tuple(moves), (node,), tuple(shared))]


def is_inside(array: Array, lowered: Lowered | LoweredLoop) -> bool:
    """Whether a loop writes ``array`` into the memory of a larger one."""
    return isinstance(lowered, LoweredLoop) and any(part is array for part, _ in lowered.shared)


__all__ = ["LoweredLoop", "is_inside", "lower_scan"]
