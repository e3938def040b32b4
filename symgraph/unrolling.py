"""A scan written out, step by step."""

from __future__ import annotations

from collections.abc import Sequence

from .ir.dims import static_size
from .ir.graph import Value
from .ir.ops.control import Scan
from .ir.ops.markers import StopGradient
from .ir.region import copy_graph
from .tracer import tracer


def write_out(op: Scan, operands: Sequence[Value]) -> list[Value]:
    """The results of a scan over a known number of steps, whose carries are all kept: the nodes of its body, once for
    each step."""
    n = static_size(op.length)
    carried = list(operands[op.sequences : op.first_constant])
    histories = [[v] for v in carried]
    outputs: list[list[Value]] = [[] for _ in op.outputs_backward]
    for i in range(n):
        rows = [
            _row(x, start + (n - 1 - i if back else i))
            for x, start, back in zip(operands, op.starts, op.backward, strict=False)
        ]
        made = copy_graph(tracer, op.body.graph, [*rows, *carried, *operands[op.first_constant :]])
        if 0 <= op.truncate < n - i:
            made = [tracer.apply(StopGradient(), v) for v in made]
        carried = made[: op.carries]
        for history, value in zip(histories, carried, strict=True):
            history.append(value)
        for rows_of, value in zip(outputs, made[op.carries :], strict=True):
            rows_of.append(value)
    last = [rows[::-1] if back else rows for rows, back in zip(outputs, op.outputs_backward, strict=True)]
    stacked = [_stack(history) for history in histories]
    return stacked + [
        _stack(rows) if rows else tracer.full((0, *t.shape), 0, t.dtype)
        for rows, t in zip(last, op.body.outputs[op.carries :], strict=True)
    ]


def _row(x: Value, at: int) -> Value:
    rest = x.shape[1:]
    return tracer.reshape(tracer.slice(x, [at, *(0 for _ in rest)], [1, *rest]), rest)


def _stack(values: Sequence[Value]) -> Value:
    return tracer.concatenate([tracer.reshape(v, (1, *v.shape)) for v in values], 0)


__all__ = ["write_out"]
