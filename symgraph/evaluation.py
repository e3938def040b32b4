"""Values of tensors at once. Tensors are made far below what computes them; what does so says here who it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Evaluator = Callable[[Any, Mapping[Any, Any]], Any]
_evaluators: list[Evaluator] = []


def evaluate_with(evaluator: Evaluator) -> None:
    """Use ``evaluator``, of a tensor and the values of placeholders. Called once, while symgraph is imported."""
    _evaluators.append(evaluator)


def evaluated(tensor: Any, values: Mapping[Any, Any]) -> Any:
    """The value of a tensor."""
    return _evaluators[-1](tensor, values)
