"""Equality of graphs, and of the arrays that two runs give."""

from __future__ import annotations

from typing import Any

import numpy as np

from .graph import Graph, Value

Array = np.ndarray[Any, Any]


def equal_graphs(a: Graph, b: Graph) -> bool:
    """True where two graphs have the same name, facts, nodes in the same order, and results. Origins do not count."""
    if (a.name, a.facts, len(a.nodes)) != (b.name, b.facts, len(b.nodes)):
        return False
    match: dict[int, Value] = {}
    for x, y in zip(a.nodes, b.nodes, strict=True):
        operands_match = len(x.inputs) == len(y.inputs) and all(
            match.get(id(v)) is w for v, w in zip(x.inputs, y.inputs, strict=True)
        )
        if x.op != y.op or not operands_match or [v.type for v in x.outputs] != [v.type for v in y.outputs]:
            return False
        match.update((id(v), w) for v, w in zip(x.outputs, y.outputs, strict=True))

    def matches(ours: tuple[Value, ...], theirs: tuple[Value, ...]) -> bool:
        return len(ours) == len(theirs) and all(match[id(v)] is w for v, w in zip(ours, theirs, strict=True))

    return (
        [slot for slot, _ in a.updates] == [slot for slot, _ in b.updates]
        and matches(a.inputs, b.inputs)
        and matches(a.states, b.states)
        and matches(a.outputs, b.outputs)
        and matches(tuple(v for _, v in a.updates), tuple(v for _, v in b.updates))
    )


def same_bits(a: Array, b: Array) -> bool:
    """True where two arrays have the same type and elements: signed zeros differ, NaN equals NaN of any payload."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.kind != "f":
        return bool(np.array_equal(a, b))
    nan = np.isnan(a)
    same = (a == b) & (np.signbit(a) == np.signbit(b))
    return bool(np.all(np.where(nan, np.isnan(b), same)))


def is_close(a: Array, b: Array, tolerance: float) -> bool:
    """True where ``b`` agrees with ``a`` up to ``tolerance``, relative to the largest finite element of ``a``. What is
    infinite or NaN in ``a`` may be anything in ``b``: formulas that keep more digits overflow later."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.kind != "f":
        return bool(np.array_equal(a, b))
    finite = np.isfinite(a)
    largest = float(np.max(np.abs(a), initial=0.0, where=finite))
    with np.errstate(all="ignore"):
        return bool(np.all(np.abs(a - b) <= tolerance * max(largest, 1.0), where=finite))
