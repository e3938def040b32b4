"""Applying ops while the user builds: types are inferred at once, provenance is recorded, errors name the user's
line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

from .errors import DTypeError, ShapeError
from .ir.emitter import Emitter
from .ir.graph import Node, Value
from .ir.op import Op
from .ir.ops.leaves import Constant, Input, State
from .ir.types import Facts
from .provenance import Origin, here

_origins: ContextVar[tuple[Origin, ...] | None] = ContextVar("symgraph_origins", default=None)

_records: ContextVar[tuple[list[Node], ...]] = ContextVar("symgraph_records", default=())


class Tracer(Emitter):
    """Writes free nodes. Sizes that must agree for a single op are joined there; a function joins them all when it is
    compiled."""

    @property
    def facts(self) -> Facts:  # type: ignore[override]
        return Facts()

    def apply_all(self, op: Op, *operands: Value) -> tuple[Value, ...]:
        facts = Facts()
        try:
            types = op.infer(facts, *[v.type for v in operands])
        except (ShapeError, DTypeError) as error:
            raise type(error)(explain_mismatch(str(error), op, operands)) from None
        folded = op.fold(self, operands)
        if folded is not None:
            return (folded,)
        origins = _origins.get()
        node = Node(op, operands, types, origins if origins is not None else (here(),), bool(facts.pairs))
        for record in _records.get():
            record.append(node)
        return node.outputs

    def made_by(self, origins: tuple[Origin, ...]) -> AbstractContextManager[None]:
        return origins_of(origins)


tracer = Tracer()


@contextmanager
def origins_of(origins: tuple[Origin, ...]) -> Iterator[None]:
    """Nodes made inside carry these origins instead of the caller's line."""
    token = _origins.set(origins)
    try:
        yield
    finally:
        _origins.reset(token)


@contextmanager
def recording() -> Iterator[list[Node]]:
    """The nodes that are made inside, in order."""
    nodes: list[Node] = []
    token = _records.set((*_records.get(), nodes))
    try:
        yield nodes
    finally:
        _records.reset(token)


def describe(value: Value) -> str:
    """One line on a value: what it is, its type and who made it."""
    origin = value.node.origins[0] if value.node.origins else None
    made = f", made at {origin}" if origin is not None and (origin.file or origin.layer) else ""
    op = value.op
    if isinstance(op, (Input, State)):
        kind = "placeholder" if isinstance(op, Input) else "variable"
        return f"{kind} {op.label!r} : {value.type}{made}"
    if isinstance(op, Constant):
        return f"constant : {value.type}{made}"
    return f"result of {op.name} : {value.type}{made}"


def explain_mismatch(problem: str, op: Op, operands: tuple[Value, ...]) -> str:
    """The message of a type error: the problem, each operand and its origin, and where the op was applied."""
    origin = here()
    lines = [problem]
    lines += [f"  operand {i}: {describe(v)}" for i, v in enumerate(operands)]
    lines.append(f"  in {op.name}, applied at {origin}")
    return "\n".join(lines)
