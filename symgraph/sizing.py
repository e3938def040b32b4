"""What the shapes of a call's arguments say about the sizes of a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .errors import ShapeError
from .ir.dims import Dim, evaluator, shape_text
from .ir.graph import Value
from .stages import Condition


@dataclass(frozen=True)
class Sizing:
    """The inputs of a function, the equalities between sizes that it takes for granted, and the conditions on sizes."""

    function: str
    labels: tuple[str, ...]
    inputs: tuple[Value, ...]
    facts: tuple[tuple[Dim, Dim], ...]
    conditions: tuple[Condition, ...]

    def sizes(self, shapes: Sequence[tuple[int, ...]]) -> dict[str, int]:
        """The size that each symbol stands for.

        Raises:
            ShapeError: for shapes that do not fit the inputs, each other, or what the graph needs.
        """
        sizes: dict[str, int] = {}
        source: dict[str, str] = {}
        pending: list[tuple[int, int, Any, int]] = []
        for slot, (value, shape) in enumerate(zip(self.inputs, shapes, strict=True)):
            if len(shape) != len(value.shape):
                raise ShapeError(
                    f"{self.function}: argument {slot} ({self.labels[slot]}) has shape {shape}, "
                    f"expected {len(value.shape)} dimension(s): {shape_text(value.shape)}"
                )
            for axis, (dim, size) in enumerate(zip(value.shape, shape, strict=True)):
                name = str(dim)
                if not isinstance(dim, int) and name.isidentifier() and name not in sizes:
                    sizes[name] = size
                    source[name] = f"axis {axis} of argument {slot} ({self.labels[slot]})"
                else:
                    pending.append((slot, axis, dim, size))
        for slot, axis, dim, size in pending:
            expected = evaluator(dim)(sizes)
            if expected != size:
                because = f", which is {source[str(dim)]}" if str(dim) in source else ""
                raise ShapeError(
                    f"{self.function}: argument {slot} ({self.labels[slot]}) has shape {shapes[slot]}; "
                    f"its axis {axis} is {size}, expected {expected}{because} "
                    f"(declared {shape_text(self.inputs[slot].shape)})"
                )
        where = ", ".join(f"{k} = {v} ({source[k]})" for k, v in sizes.items())
        for a, b in self.facts:
            if evaluator(a)(sizes) != evaluator(b)(sizes):
                raise ShapeError(
                    f"{self.function}: the graph needs {a} = {b}, but they are "
                    f"{evaluator(a)(sizes)} and {evaluator(b)(sizes)} where {where}"
                )
        for condition in self.conditions:
            if evaluator(condition.amount)(sizes) < 0 < evaluator(condition.elements)(sizes):
                raise ShapeError(f"{self.function}: {condition.meaning} does not fit where {where}")
        return sizes


__all__ = ["Sizing"]
