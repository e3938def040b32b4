"""Composite ops become the ops they are made of."""

from __future__ import annotations

from collections.abc import Sequence

from ..emitter import Emitter
from ..graph import Value
from ..op import REGISTRY, Composite, Op
from ..ops.composites import LogSoftmax
from .rule import rule

COMPOSITES = tuple(cls for cls in REGISTRY.values() if issubclass(cls, Composite))


@rule(*COMPOSITES, exact=False, required=True, example=lambda s: s.apply(LogSoftmax(1), s.input("f32[N,5]")))
def expand_composite(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """A composite op is its expansion; targets know the ops inside only."""
    assert isinstance(op, Composite)
    return op.expand(e, *operands)


RULES = (expand_composite,)
