"""How far a call may be broken off: what it has written to states by then is small enough to be put back."""

from __future__ import annotations

from collections.abc import Mapping

from ..ir.dims import evaluate
from .plan import Plan

#: Bytes of states that a call saves before it begins: counters, running means, biases; never a large matrix.
UNDO_BYTES = 8192


def undoable(plan: Plan, sizes: Mapping[str, int]) -> tuple[int, tuple[str, ...]]:
    """The number of the first step after whose begin all steps must run, and the states to save for breaking off
    before.

    From that step on a call either ends well or leaves some states updated and others not.
    """
    saved: dict[str, int] = {}
    last = len(plan.steps) - 1
    for number, step in enumerate(plan.steps):
        for position in step.writes:
            root = plan.root(step.args[position])
            if root.kind != "state" or root.name in saved:
                continue
            nbytes = evaluate(root.nbytes, sizes)
            if sum(saved.values()) + nbytes > UNDO_BYTES or number == last:
                return number, tuple(saved)
            saved[root.name] = nbytes
    return len(plan.steps), tuple(saved)
