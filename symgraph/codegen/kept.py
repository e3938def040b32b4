"""Plans on disk: a function that was compiled before, in any process, needs neither passes nor lowering.

The key is a hash of the closed graph, with where each node comes from (errors name it), and of the options. What is
kept are sizes, steps and buffers as a pickle that may hold nothing but symgraph's own data classes, and the kernels as
text: they are parsed only where somebody wants to see them, for a target finds object code by the text.
"""

from __future__ import annotations

import copyreg
import io
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .. import events
from ..dtypes import DType, as_dtype
from ..ir.graph import Graph
from ..ir.literal import Foreign, Literal
from ..ir.op import Op
from ..ir.region import Region
from ..options import Options
from .cache import content_key, open_store
from .loop.table import KernelTable
from .plan import Plan

#: Bytes of one entry at most: constants are part of a plan.
_LARGEST = 16 << 20


def plan_key(graph: Graph, options: Options) -> str | None:
    """A hash of everything that decides a plan (constants are folded with NumPy); None where it holds Python of the
    user's, which no text can tell from other Python."""
    if _is_foreign(graph):
        return None
    return content_key("plan", np.__version__, repr(options), *_graph_parts(graph))


def load_plan(key: str) -> tuple[Plan, Any] | None:
    """The plan kept under a key, and what was kept with it; None where there is none."""
    store = open_store()
    entry = store.read(key) if store is not None else None
    if entry is None:
        return None
    try:
        plan, more, texts = _Reader(io.BytesIO(entry.content)).load()
        plan = replace(plan, kernels=KernelTable(texts=texts))
    except Exception as error:  # what a pickle that fits no more may raise has no end
        events.tell("cache", "%s is no plan: %s", key[:16], error)
        return None
    events.tell("cache", "%s found: plan of %s", key[:16], plan.name)
    return plan, more


def save_plan(key: str, plan: Plan, more: Any) -> None:
    """Keep a plan, and with it some more plain data."""
    store = open_store()
    if store is None:
        return
    table = plan.kernels if isinstance(plan.kernels, KernelTable) else KernelTable(plan.kernels)
    buffer = io.BytesIO()
    _Writer(buffer, protocol=5).dump((replace(plan, kernels={}), more, table.texts()))
    if buffer.tell() <= _LARGEST:
        store.write(key, {"kind": "plan", "name": " ".join(plan.name.split())}, buffer.getvalue())


def _is_foreign(graph: Graph) -> bool:
    ops = {id(node.op): node.op for node in graph.nodes}
    attributes = [v for op in ops.values() for v in op.attribute_values]
    return any(isinstance(v, Foreign) or (isinstance(v, Region) and _is_foreign(v.graph)) for v in attributes)


# -- a graph as parts of a key ----------------------------------------------------------------------------------------


def _graph_parts(graph: Graph) -> list[str | bytes]:
    """Texts, and the bytes of constants, that together tell a graph from every other."""
    numbers: dict[int, int] = {}
    ops: dict[Op, str] = {}
    origins: dict[int, str] = {}
    literals: list[bytes] = []
    lines: list[str] = [graph.name, repr(graph.facts)]
    for node in graph.nodes:
        op = node.op
        text = ops.get(op)
        if text is None:
            text = ops[op] = f"{op.name}{[(k, _attribute(v, literals)) for k, v in op.attributes().items()]}"
        operands = [numbers[id(v)] for v in node.inputs]
        origin = origins.get(id(node.origins))
        if origin is None:
            origin = origins[id(node.origins)] = str(node.origins)
        lines.append(f"{text} {operands} {origin}")
        for value in node.outputs:
            numbers[id(value)] = len(numbers)
    results = [numbers[id(v)] for v in (*graph.inputs, *graph.states, *graph.outputs)]
    updates = [(slot, numbers[id(v)]) for slot, v in graph.updates]
    lines.append(f"{len(graph.inputs)} {len(graph.states)} {results} {updates}")
    return ["\n".join(lines), *literals]


def _attribute(value: Any, literals: list[bytes]) -> str:
    if isinstance(value, Literal):
        literals.append(value.array.tobytes())
        return f"literal {value.array.dtype.str} {value.array.shape} {len(literals)}"
    if isinstance(value, tuple):
        return f"({', '.join(_attribute(v, literals) for v in value)})"
    return str(value) if not isinstance(value, (str, float)) else repr(value)


# -- pickles ----------------------------------------------------------------------------------------------------------


def _reduce_dtype(dtype: DType) -> tuple[Callable[[Any], DType], tuple[str]]:
    return as_dtype, (dtype.name,)


def _reduce_literal(literal: Literal) -> tuple[Callable[..., Literal], tuple[str, tuple[int, ...], bytes]]:
    array = literal.array
    return _literal, (array.dtype.str, array.shape, array.tobytes())


def _literal(dtype: str, shape: tuple[int, ...], data: bytes) -> Literal:
    return Literal(np.frombuffer(data, dtype).reshape(shape))


class _Writer(pickle.Pickler):
    """Writes element types by name (each is one object) and constants as bytes."""

    dispatch_table = {**copyreg.dispatch_table, DType: _reduce_dtype, Literal: _reduce_literal}  # noqa: RUF012


class _Reader(pickle.Unpickler):
    """Reads what :class:`_Writer` writes: symgraph's own classes, nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if not module.startswith("symgraph.") or "." in name:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a plan")
        return super().find_class(module, name)
