"""Reverse mode over values: one walk from what is known to what is wanted, through any emitter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..provenance import as_gradient
from .emitter import Emitter
from .graph import Node, Value, topological

#: From a node and the cotangents of its results to those of its operands.
Vjp = Callable[[Node, Sequence["Value | None"]], Sequence["Value | None"]]
Accumulate = Callable[[dict[int, Value], Value, Value], None]


def find_cotangents(
    seeds: Sequence[tuple[Value, Value]], wrt: Iterable[Value], stop: set[int], vjp: Vjp, accumulate: Accumulate
) -> dict[int, Value]:
    """Cotangents by value identity, for the values between ``wrt`` and the seeds: pairs of a value and its own.

    Values whose ``id`` is in ``stop`` count as constants.
    """
    order = list(topological(v for v, _ in seeds))
    wanted = {id(v) for v in wrt}
    leads: set[int] = set()  # nodes that depend on some wrt
    for node in order:
        if any(id(v) in wanted for v in node.outputs) or any(
            id(v.node) in leads and id(v) not in stop for v in node.inputs
        ):
            leads.add(id(node))
    cotangents: dict[int, Value] = {}
    for value, seed in seeds:
        accumulate(cotangents, value, seed)
    for node in reversed(order):
        if id(node) not in leads or not any(id(v.node) in leads for v in node.inputs):
            continue
        given = [cotangents.get(id(v)) for v in node.outputs]
        if all(g is None for g in given):
            continue
        for operand, cotangent in zip(node.inputs, vjp(node, given), strict=True):
            if cotangent is not None and id(operand.node) in leads and id(operand) not in stop:
                accumulate(cotangents, operand, cotangent)
    return cotangents


def cotangents_in(e: Emitter, seeds: Sequence[tuple[Value, Value]], wrt: Sequence[Value]) -> list[Value | None]:
    """Cotangents of ``wrt``, written with ``e``; None where nothing depends on one."""

    def accumulate(found: dict[int, Value], value: Value, cotangent: Value) -> None:
        known = found.get(id(value))
        with e.made_by(cotangent.node.origins):
            found[id(value)] = cotangent if known is None else e.add(known, cotangent)

    def vjp(node: Node, given: Sequence[Value | None]) -> Sequence[Value | None]:
        with e.made_by(as_gradient(node.origins)):
            return node.op.vjp(e, node.inputs, node.outputs, given)

    found = find_cotangents(seeds, wrt, set(), vjp, accumulate)
    return [found.get(id(v)) for v in wrt]


__all__ = ["cotangents_in", "find_cotangents"]
