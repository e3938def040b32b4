"""What rewrite rules ask of values: which op made them, which constant they are, what they broadcast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from .dims import Shape
from .graph import Value
from .literal import Literal
from .op import Array, Op
from .ops.leaves import Constant
from .ops.views import Broadcast, Reshape

#: What makes a value that may be a constant (:func:`scalar_of`).
CONSTANTS: tuple[type[Op], ...] = (Constant, Broadcast, Reshape)


def made_by(value: Value, op: type[Op]) -> bool:
    """True where ``value`` is a result of an op of class ``op``."""
    return isinstance(value.node.op, op)


def operands_of(value: Value, op: type[Op]) -> tuple[Value, ...]:
    """The operands of the ``op`` that made ``value``; empty where another op did."""
    return value.node.inputs if isinstance(value.node.op, op) else ()


def operand_of(value: Value, op: type[Op]) -> Value | None:
    """The only operand of the unary ``op`` that made ``value``; None where another op did."""
    return value.node.inputs[0] if isinstance(value.node.op, op) else None


def both_ways(pair: Sequence[Value]) -> Sequence[tuple[Value, Value]]:
    """Two operands in both orders; none for what is not a pair."""
    return [(pair[0], pair[1]), (pair[1], pair[0])] if len(pair) == 2 else []


def constant_of(value: Value) -> Array | None:
    """The array of a constant."""
    op = value.node.op
    return op.literal.array if isinstance(op, Constant) else None


def scalar_of(value: Value) -> Any | None:
    """The one element (a NumPy scalar) that a constant repeats everywhere, seen through broadcasts and reshapes."""
    while isinstance(value.node.op, (Broadcast, Reshape)):
        value = value.node.inputs[0]
    op = value.node.op
    return _uniform(op.literal) if isinstance(op, Constant) else None


@lru_cache(maxsize=1024)
def _uniform(literal: Literal) -> Any | None:
    flat = literal.array.reshape(-1)
    if not flat.size:
        return None
    first = flat[:1]
    same = flat.size == 1 or bool(np.all(flat.view(f"V{flat.itemsize}") == first.view(f"V{flat.itemsize}")))
    return flat[0] if same else None


def is_number(value: Value, number: float | bool) -> bool:
    """True for a constant that is ``number`` everywhere (0.0 and -0.0 are two numbers)."""
    found = scalar_of(value)
    if found is None or found != number:
        return False
    signed = number == 0 and isinstance(found, np.floating)
    return not signed or bool(np.signbit(found) == np.signbit(np.float64(number)))


@dataclass(frozen=True)
class Spread:
    """``inner`` repeated to ``shape``: axis ``k`` of ``inner`` is axis ``axes[k]``, and none is stretched."""

    inner: Value
    axes: tuple[int, ...]
    shape: Shape


def spread_of(value: Value) -> Spread | None:
    """How ``value`` repeats a smaller one, where a broadcast without stretched axes made it."""
    op = value.node.op
    if not isinstance(op, Broadcast):
        return None
    inner = value.node.inputs[0]
    stretched = any(inner.shape[k] != value.shape[axis] for k, axis in enumerate(op.axes))
    return None if stretched else Spread(inner, op.axes, value.shape)
