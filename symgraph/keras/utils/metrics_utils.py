"""What metrics share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import backend as K
from .confusion import (
    AUCCurve,
    AUCSummationMethod,
    ConfusionMatrix,
    assert_thresholds_range,
    filter_top_k,
    parse_init_thresholds,
    update_confusion_matrix_variables,
)

__all__ = [
    "AUCCurve",
    "AUCSummationMethod",
    "ConfusionMatrix",
    "Reduction",
    "assert_thresholds_range",
    "filter_top_k",
    "parse_init_thresholds",
    "result_wrapper",
    "to_list",
    "update_confusion_matrix_variables",
    "update_state_wrapper",
    "weighted_assign_add",
]

Tensor = Any


class Reduction:
    """How a metric reduces values: ``sum``, ``sum_over_batch_size``, ``weighted_mean``."""

    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"
    WEIGHTED_MEAN = "weighted_mean"


def update_state_wrapper(update_state_fn: Callable[..., Any]) -> Callable[..., Any]:
    """``update_state`` that registers the updates of tensors with the metric, and runs those of arrays at once."""

    def wrapped(metric: Any, *args: Any, **kwargs: Any) -> Any:
        found = update_state_fn(metric, *args, **kwargs)
        updates = [] if found is None else [found] if isinstance(found, K.Update) else list(found)
        if any(K.is_tensor(x) for x in [*args, *kwargs.values()]):
            metric.add_update(updates)
        else:
            K.run_updates(updates)
        return updates

    return wrapped


def result_wrapper(result_fn: Callable[..., Any]) -> Callable[..., Any]:
    """``result`` that keeps the tensor as the metric's ``_call_result``."""

    def wrapped(metric: Any, *args: Any) -> Any:
        metric._call_result = result_fn(metric, *args)
        return metric._call_result

    return wrapped


def weighted_assign_add(label: Tensor, pred: Tensor, weights: Tensor | None, var: Tensor) -> Any:
    """The update that adds to ``var``, for each row, the (weighted) number of places where both are true."""
    both = K.cast(label, K.floatx()) * K.cast(pred, K.floatx())
    return K.update_add(var, K.sum(both if weights is None else both * weights, 1))


def to_list(x: Any) -> list[Any]:
    """``x`` if it is a list, else a list of it."""
    return x if isinstance(x, list) else [x]
