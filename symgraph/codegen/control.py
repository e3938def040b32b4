"""Loops and choices: from an op with bodies to nested plans, and which rows of which arrays their steps touch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ..dtypes import bool_
from ..ir.builder import Builder
from ..ir.dims import Dim, Shape
from ..ir.graph import Graph, Node
from ..ir.op import Op
from ..ir.ops.branching import Cond, While
from ..ir.ops.control import Scan
from ..ir.ops.leaves import Input
from ..ir.types import Facts, TensorType
from .evaluate import Array, Scratch
from .lower import Lowered, lower_copy, lower_repeat
from .plan import ENDLESS, Move, Plan


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
    condition: int = -1
    wanted: bool = True
    padded: Mapping[str, Shape] = field(default_factory=dict)


#: Makes the plan of a body.
PlanOf = Callable[[Graph], Plan]


def lower_control(node: Node, plan_of: PlanOf) -> list[Lowered | LoweredLoop]:
    """The kernels and loops of a node that runs graphs of its own."""
    return _LOWERINGS[type(node.op)](node, plan_of)


def lower_scan(node: Node, plan_of: PlanOf) -> list[Lowered | LoweredLoop]:
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
    body = plan_of(op.body.graph)
    return [*before, LoweredLoop(body, op.length, arrays, modes, tuple(moves), (node,), tuple(shared))]


def lower_cond(node: Node, plan_of: PlanOf) -> list[Lowered | LoweredLoop]:
    """Two loops of at most one step that write the same arrays."""
    op = node.op
    assert isinstance(op, Cond)
    arrays: dict[str, Array] = {f"a{k}": v for k, v in enumerate((*node.inputs, *node.outputs))}
    modes = {f"a{k}": "in" if k < len(node.inputs) else "out" for k in range(len(arrays))}
    moves = [_whole("input", k, k + 1, v) for k, v in enumerate(node.inputs[1:])]
    moves += [_whole("output", k, k + len(node.inputs), v) for k, v in enumerate(node.outputs)]
    return [
        LoweredLoop(plan_of(region.graph), 1, arrays, modes, tuple(moves), (node,), condition=0, wanted=wanted)
        for region, wanted in ((op.then, True), (op.otherwise, False))
    ]


def lower_while(node: Node, plan_of: PlanOf) -> list[Lowered | LoweredLoop]:
    """A loop whose body updates its carries, and the condition, as states in place."""
    op = node.op
    assert isinstance(op, While)
    inner = op.body.graph
    go = Scratch(bool_, ())
    results: list[Array] = [go, *node.outputs]
    before: list[Lowered | LoweredLoop] = []
    shared: list[tuple[Array, Array]] = []
    for initial, result in zip(node.inputs, results, strict=False):
        begun = Scratch(initial.dtype, initial.shape)
        before.append(lower_copy(initial, begun))
        shared.append((begun, result))
    constants = node.inputs[1 + op.carries :]
    members: list[tuple[Array, str]] = [(array, "out") for array in results]
    members += [(begun, "in") for begun, _ in shared] + [(v, "in") for v in constants]
    arrays = {f"a{k}": array for k, (array, _) in enumerate(members)}
    modes = {f"a{k}": mode for k, (_, mode) in enumerate(members)}
    builder = Builder(Facts(inner.facts))
    old_go = builder.apply(Input(len(inner.inputs), "go", TensorType(bool_, ())))
    body = replace(
        inner, inputs=inner.inputs[op.carries :], states=(old_go, *inner.inputs[: op.carries]), outputs=(),
        updates=((0, inner.outputs[-1]), *((k + 1, v) for k, v in enumerate(inner.outputs[:-1]))),
        nodes=(old_go.node, *inner.nodes),
    )  # fmt: skip
    moves = [_whole("state", k, k, array) for k, array in enumerate(results)]
    moves += [_whole("input", k, 2 * len(results) + k, v) for k, v in enumerate(constants)]
    loop = LoweredLoop(plan_of(body), ENDLESS, arrays, modes, tuple(moves), (node,), tuple(shared), condition=0)
    return [*before, loop]


def _whole(kind: str, slot: int, array: int, value: Array) -> Move:
    """A whole array, the same at every step."""
    return Move(kind, slot, array, 0, 0, 0, value.shape, value.dtype)


_LOWERINGS: dict[type[Op], Callable[[Node, PlanOf], list[Lowered | LoweredLoop]]] = {
    Scan: lower_scan, Cond: lower_cond, While: lower_while,
}  # fmt: skip


def is_inside(array: Array, lowered: object) -> bool:
    """Whether a loop writes ``array`` into the memory of a larger one."""
    return isinstance(lowered, LoweredLoop) and any(part is array for part, _ in lowered.shared)


__all__ = ["LoweredLoop", "is_inside", "lower_control"]
