"""How a call names its arguments: by position, by name, or not at all where the input has a value (Theano's ``In``)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import ArgumentError, GraphError
from .ir.graph import Graph
from .tensor import Tensor

_POLICIES = ("ignore", "warn", "raise")


@dataclass(frozen=True, eq=False)
class In:
    """An input of a function, with a value for calls that leave it out, or with another name.

    Example:
        >>> import symgraph as sg
        >>> x, rate = sg.placeholder((), name="x"), sg.placeholder((), name="rate")
        >>> scale = sg.function([x, sg.In(rate, value=0.5)], x * rate)
        >>> float(scale(4.0)), float(scale(4.0, rate=2.0))
        (2.0, 8.0)
    """

    tensor: Tensor
    value: Any = None
    name: str = ""


@dataclass(frozen=True)
class Signature:
    """The names of a function's arguments, the values of those that may be left out, by place, and which ones are
    bfloat16."""

    function: str
    labels: tuple[str, ...]
    values: Mapping[int, Any] = field(default_factory=dict)
    narrow: frozenset[int] = frozenset()

    def complete(self, arrays: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
        """One argument for every input.

        Raises:
            ArgumentError: for too many or too few, an unknown name, or an argument given twice.
        """
        found: dict[int, Any] = dict(enumerate(arrays))
        for name, value in named.items():
            places = [i for i, label in enumerate(self.labels) if label == name]
            if len(places) != 1:
                what = "no input" if not places else "several inputs"
                raise ArgumentError(f"{self.function} has {what} named {name!r}; inputs are {', '.join(self.labels)}")
            if places[0] in found:
                raise ArgumentError(f"{self.function}: argument {name!r} is given twice")
            found[places[0]] = value
        found = {**self.values, **found}
        if set(found) != set(range(len(self.labels))):
            names = ", ".join(self.labels)
            raise ArgumentError(
                f"{self.function} takes {len(self.labels)} argument(s) ({names}), got {len(arrays) + len(named)}"
            )
        return [found[i] for i in range(len(self.labels))]


def check_unused(graph: Graph, labels: Sequence[str], policy: str) -> None:
    """Deal with inputs that nothing needs, as ``policy`` says.

    Raises:
        GraphError: for an unused input where the policy is ``"raise"``.
        ArgumentError: for an unknown policy.
    """
    if policy not in _POLICIES:
        raise ArgumentError(f"on_unused_input is {policy!r}; it must be one of {', '.join(_POLICIES)}")
    if policy == "ignore":
        return
    needed = {id(v) for node in graph.nodes for v in node.inputs} | {id(v) for v in graph.results}
    unused = [label for label, v in zip(labels, graph.inputs, strict=True) if id(v) not in needed]
    if unused:
        text = f"{graph.name}: nothing that is computed needs {', '.join(unused)}"
        if policy == "raise":
            raise GraphError(text)
        warnings.warn(text, stacklevel=4)


__all__ = ["In", "Signature", "check_unused"]
