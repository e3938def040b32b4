"""What a rewrite rule is, and how its example is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..builder import Builder
from ..emitter import Emitter
from ..graph import Graph, Value
from ..op import Op
from ..ops.leaves import Input
from ..types import Facts

Apply: TypeAlias = Callable[[Emitter, Op, Sequence[Value]], "Value | None"]


class Sketch(Builder):
    """Writes the small graph of an example, just as told: nothing folds and no rule applies."""

    def __init__(self) -> None:
        super().__init__(Facts(), fold=False)
        self.arguments: list[Value] = []
        #: Bounds of the random values that a test gives to each argument.
        self.ranges: list[tuple[float, float]] = []

    def input(self, text: str, low: float = -3.0, high: float = 3.0) -> Value:
        """A new argument of the type written ``text``, such as ``"f32[N,3]"``, with values in ``[low, high]``."""
        from ..attributes import parse_type

        slot = len(self.arguments)
        value = self.apply(Input(slot, f"x{slot}", parse_type(text)))
        self.arguments.append(value)
        self.ranges.append((low, high))
        return value

    def graph_of(self, *outputs: Value) -> Graph:
        return self.finish("example", self.arguments, (), outputs, ())


@dataclass(frozen=True)
class Rule:
    """Replaces a node by an equal value.

    Attributes:
        name: how reports call it.
        roots: the op classes it looks at.
        exact: it keeps every bit of every result, NaN (as such), infinities and signed zeros included.
        why: the equation and, for inexact rules, what is gained.
        rewrite: from the op and the operands of a new node to the value to use instead, or None.
        example: draws a small graph on which the rule fires; it is tested for every rule.
        sees: the op classes of which one must have made an operand for the rule to fire; empty where any may. Others
            are not asked.
        required: it applies even where only exact rules are wanted, because targets cannot do without.
    """

    name: str
    roots: tuple[type[Op], ...]
    exact: bool
    why: str
    rewrite: Apply
    example: Callable[[Sketch], Value]
    sees: tuple[type[Op], ...] = ()
    required: bool = False


def rule(
    *roots: type[Op], exact: bool, example: Callable[[Sketch], Value], sees: tuple[type[Op], ...] = (),
    required: bool = False,
) -> Callable[[Apply], Rule]:  # fmt: skip
    """Make a function a :class:`Rule`; its name and docstring are the rule's name and reason."""

    def decorate(rewrite: Apply) -> Rule:
        name = rewrite.__name__
        why = " ".join((rewrite.__doc__ or "").split())
        return Rule(name, roots, exact, why, rewrite, example, sees, required)

    return decorate
