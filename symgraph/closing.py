"""From free values to a closed graph: what a function is asked to compute, imported, joined and renumbered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .errors import GraphError, ShapeError
from .generators import Key, next_key
from .ir.builder import Builder, canonical_names
from .ir.dims import Dim, Symbol, substitute
from .ir.graph import Graph, Node, Value
from .ir.op import Control, Elementwise
from .ir.ops.leaves import Input, State
from .ir.ops.markers import Marker
from .ir.region import map_regions, without
from .ir.stored import stored_type, write_stored
from .ir.types import Facts, TensorType
from .tensor import Tensor
from .tracer import describe
from .variable import Variable


@dataclass(frozen=True)
class Closed:
    """A graph and the variables behind its states, by slot."""

    graph: Graph
    variables: tuple[Variable, ...]


def close(
    name: str,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    updates: Sequence[tuple[Variable, Tensor]],
    givens: Mapping[Tensor, Tensor],
    no_default_updates: bool | Sequence[Variable] = False,
) -> Closed:
    """Import what ``outputs`` and ``updates`` need, and the default updates of variables that take part.

    Sizes that the ops join become one symbol; symbols are renamed ``N``, ``M``, ... in the order of the inputs.

    Raises:
        GraphError: for a placeholder that is neither an input nor given.
        ShapeError: where shapes contradict each other.
    """
    slots = {id(t.value): i for i, t in enumerate(inputs)}
    replaced = _replacements(givens)
    updates = list(updates)
    while True:
        results = [t.value for t in (*outputs, *(new for _, new in updates))]
        order = _order(results, slots, replaced)
        used = _variables(order, updates)
        by_default = [] if no_default_updates is True else _default_updates(used, updates, no_default_updates)
        if not by_default:
            break
        updates += by_default
    _check_placeholders(order, slots)
    state_slots = {id(v.value): i for i, v in enumerate(used)}

    facts = Facts()
    for old, new in givens.items():
        try:
            facts.unify_shapes(old.shape, new.shape)
        except ShapeError:
            raise ShapeError(f"givens: {describe(old.value)} cannot be replaced by {describe(new.value)}") from None
    _join_sizes(order, replaced, facts)
    known = facts.replacements
    names = canonical_names([[substitute(d, known) for d in t.shape] for t in inputs])
    final = {s: substitute(d, names) for s, d in known.items()} | {s: d for s, d in names.items() if s not in known}
    remaining = Facts()
    for a, b in facts.pairs:
        remaining.unify(substitute(a, final), substitute(b, final))
    importer = _Importer(inputs, used, slots, state_slots, replaced)
    values, builder = importer.sweep(order, results, remaining, final)
    n = len(outputs)
    graph = builder.finish(
        name, importer.inputs, importer.states, values[:n],
        [(state_slots[id(v.value)], new) for (v, _), new in zip(updates, values[n:], strict=True)],
    )  # fmt: skip
    return Closed(graph, tuple(used))


def _replacements(givens: Mapping[Tensor, Tensor]) -> dict[int, Value]:
    """What stands for each given value; where that is itself replaced, what stands for that."""
    direct = {id(old.value): new.value for old, new in givens.items()}
    replaced: dict[int, Value] = {}
    for key, value in direct.items():
        seen = {key}
        while id(value) in direct:
            if id(value) in seen:
                raise _circular(value)
            seen.add(id(value))
            value = direct[id(value)]
        replaced[key] = value
    return replaced


def _circular(value: Value) -> GraphError:
    return GraphError(f"givens make {describe(value)} depend on itself")


def _default_updates(
    used: Sequence[Variable], updates: Sequence[tuple[Variable, Tensor]], without: bool | Sequence[Variable]
) -> list[tuple[Variable, Tensor]]:
    """The updates that variables bring along where the function says nothing about them. Random keys give fresh numbers
    in the next call."""
    settled = [v for v, _ in updates] + list(without if not isinstance(without, bool) else ())
    found: list[tuple[Variable, Tensor]] = []
    for v in used:
        new = Tensor(next_key(v.value)) if isinstance(v, Key) else v.default_update
        if new is not None and not any(v is w for w in settled):
            found.append((v, new))
    return found


def _order(results: Sequence[Value], cut: Mapping[int, int], replaced: Mapping[int, Value]) -> list[Node]:
    """All nodes needed, operands first; values in ``cut`` are given, and replaced ones stand for what replaces them."""
    done: dict[int, Node] = {}
    path: set[int] = set()

    def needed(value: Value) -> Node | None:
        value = replaced.get(id(value), value)
        return None if id(value) in cut or id(value.node) in done else value.node

    for root in results:
        first = needed(root)
        stack = [(first, 0)] if first is not None else []
        while stack:
            node, at = stack.pop()
            if at == 0:
                path.add(id(node))
            if at < len(node.inputs):
                stack.append((node, at + 1))
                child = needed(node.inputs[at])
                if child is not None:
                    if id(child) in path:
                        raise _circular(child.outputs[0])
                    stack.append((child, 0))
            else:
                path.discard(id(node))
                done[id(node)] = node
    return list(done.values())


def _variables(order: Sequence[Node], updates: Sequence[tuple[Variable, Tensor]]) -> list[Variable]:
    used: dict[int, Variable] = {}
    for node in order:
        if isinstance(node.op, State):
            used[id(node.op.owner)] = node.op.owner
    for variable, _ in updates:
        used[id(variable)] = variable
    return list(used.values())


def _join_sizes(order: Sequence[Node], replaced: Mapping[int, Value], facts: Facts) -> None:
    """Which sizes the ops make equal: all types inferred once more, from those of what is given."""
    types: dict[int, TensorType] = {}
    for node in order:
        if not node.joins and not any(id(v) in types or id(v) in replaced for v in node.inputs):
            continue  # the types it was made with still hold
        values = [replaced.get(id(v), v) for v in node.inputs]
        operands = [types.get(id(v), v.type) for v in values]
        if isinstance(node.op, Elementwise) and len({t.shape for t in operands}) == 1:
            found = [node.outputs[0].type.with_shape(operands[0].shape)]
        elif isinstance(node.op, Marker):
            found = operands[: len(node.outputs)]
        elif isinstance(node.op, (Input, State)):
            continue
        else:
            found = list(node.op.infer(facts, *operands))
        types.update((id(v), t) for v, t in zip(node.outputs, found, strict=True) if t != v.type)


def _check_placeholders(order: Sequence[Node], slots: Mapping[int, int]) -> None:
    for node in order:
        if isinstance(node.op, Input) and id(node.outputs[0]) not in slots:
            raise GraphError(
                f"the function needs {describe(node.outputs[0])}, which is neither among its inputs nor in givens"
            )


class _Importer:
    """Writes the free nodes into a builder."""

    def __init__(
        self, inputs: Sequence[Tensor], variables: Sequence[Variable], slots: Mapping[int, int],
        state_slots: Mapping[int, int], replaced: Mapping[int, Value],
    ) -> None:  # fmt: skip
        self.tensors = inputs
        self.variables = variables
        self.slots = slots
        self.state_slots = state_slots
        self.replaced = replaced
        self.inputs: list[Value] = []
        self.states: list[Value] = []

    def sweep(
        self, order: Sequence[Node], results: Sequence[Value], facts: Facts, sizes: dict[Symbol, Dim]
    ) -> tuple[list[Value], Builder]:
        builder = Builder(facts)
        self.inputs = [self._input(builder, i, t, sizes) for i, t in enumerate(self.tensors)]
        self.states = [self._state(builder, i, v) for i, v in enumerate(self.variables)]
        new: dict[int, Value] = {id(t.value): v for t, v in zip(self.tensors, self.inputs, strict=True)}
        new.update({id(t.value): v for t, v in zip(self.variables, self.states, strict=True)})
        replaced = self.replaced
        for node in order:
            if not node.inputs and id(node.output) in new:
                continue
            operands = tuple([new[id(replaced.get(id(v), v))] for v in node.inputs])
            builder.origins = node.origins
            op = node.op.map_dims(sizes)
            if isinstance(op, Control):
                op = map_regions(op, lambda body: without(body, Marker))
            is_marker = isinstance(op, Marker)
            made = operands[: len(node.outputs)] if is_marker else write_stored(builder, node, op, operands)
            for old, value in zip(node.outputs, made, strict=True):
                new[id(old)] = value
        return [new[id(self.replaced.get(id(v), v))] for v in results], builder

    def _input(self, builder: Builder, slot: int, tensor: Tensor, sizes: dict[Symbol, Dim]) -> Value:
        builder.origins = tensor.value.node.origins
        label = tensor.name or f"input {slot}"
        shape = [substitute(d, sizes) for d in tensor.shape]
        return builder.apply(Input(slot, label, stored_type(tensor.type.with_shape(shape))))

    def _state(self, builder: Builder, slot: int, variable: Variable) -> Value:
        builder.origins = variable.value.node.origins
        return builder.apply(State(slot, variable.name or f"state {slot}", stored_type(variable.type)))
