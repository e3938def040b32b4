"""Ops on constants are computed while compiling."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...errors import SymgraphError
from ..emitter import Emitter
from ..graph import Value
from ..literal import Literal
from ..op import REGISTRY, Control, Host, Leaf, Op
from ..ops.leaves import Constant
from ..ops.views import Broadcast
from ..pattern import constant_of
from ..types import Facts
from .rule import rule

#: Results of more elements stay computed at run time: they would cost more to load and to store than to compute.
LARGEST = 4096

# Loops and Python run when they are asked to: they may take long, or for ever.
_FOLDABLE = tuple(cls for cls in REGISTRY.values() if not issubclass(cls, (Leaf, Broadcast, Control, Host)))


@rule(
    *_FOLDABLE,
    exact=True,
    sees=(Constant,),
    example=lambda s: s.mul(*[s.constant([2.5, -1.0], s.input("f32[2]").dtype)] * 2),
)
def fold_constants(e: Emitter, op: Op, operands: Sequence[Value]) -> Value | None:
    """An op on constants gives a constant (of at most 4096 elements)."""
    arrays = [a for a in map(constant_of, operands) if a is not None]
    if not arrays or len(arrays) < len(operands):
        return None
    types = op.infer(Facts(), *(v.type for v in operands))
    if len(types) != 1 or not types[0].is_static or math.prod(map(int, types[0].shape)) > LARGEST:  # type: ignore[arg-type]
        return None
    try:
        with np.errstate(all="ignore"):
            result = op.reference(*arrays)
    except SymgraphError:
        return None  # the fault belongs to the run that meets it
    return e.apply(Constant(Literal(np.asarray(result))))


RULES = (fold_constants,)
