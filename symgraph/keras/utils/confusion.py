"""Counts of right and wrong predictions at thresholds, behind the confusion-matrix metrics."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from .. import backend as K
from . import losses_utils

Tensor = Any
NEG_INF = -1e10


class ConfusionMatrix(Enum):
    """The four entries."""

    TRUE_POSITIVES = "tp"
    FALSE_POSITIVES = "fp"
    TRUE_NEGATIVES = "tn"
    FALSE_NEGATIVES = "fn"


class AUCCurve(Enum):
    """The curves under which there is an area."""

    ROC = "ROC"
    PR = "PR"

    @staticmethod
    def from_str(key: str) -> AUCCurve:
        """The curve of a name."""
        if key in ("pr", "PR"):
            return AUCCurve.PR
        if key in ("roc", "ROC"):
            return AUCCurve.ROC
        raise ValueError(f'Invalid AUC curve value "{key}".')


class AUCSummationMethod(Enum):
    """How the area between two thresholds is taken."""

    INTERPOLATION = "interpolation"
    MAJORING = "majoring"
    MINORING = "minoring"

    @staticmethod
    def from_str(key: str) -> AUCSummationMethod:
        """The method of a name."""
        for method in AUCSummationMethod:
            if key in (method.value, method.value.capitalize()):
                return method
        raise ValueError(f'Invalid AUC summation method value "{key}".')


def assert_thresholds_range(thresholds: Any) -> None:
    """Check that thresholds are between 0 and 1."""
    wrong = [t for t in thresholds if t is None or t < 0 or t > 1]
    if wrong:
        raise ValueError(f"Threshold values must be in [0, 1]. Invalid values: {wrong}")


def parse_init_thresholds(thresholds: Any, default_threshold: float = 0.5) -> list[float]:
    """Thresholds as a list, the default for None."""
    if thresholds is not None:
        assert_thresholds_range(thresholds if isinstance(thresholds, (list, tuple)) else [thresholds])
    found = default_threshold if thresholds is None else thresholds
    return list(found) if isinstance(found, (list, tuple)) else [found]


def filter_top_k(x: Tensor, k: int) -> Tensor:
    """``x`` where it is among the ``k`` largest of its last axis (ties: the first ones), else a very low number."""
    classes = K.int_shape(x)[-1]
    here, other = K.expand_dims(x, -1), K.expand_dims(x, -2)
    order = K.arange(0, classes, dtype="int64")
    earlier = K.cast(K.less(K.expand_dims(order, 0), K.expand_dims(order, 1)), K.dtype(x))
    above = K.cast(K.greater(other, here), K.dtype(x)) + K.cast(K.equal(other, here), K.dtype(x)) * earlier
    kept = K.less(K.sum(above, axis=-1), float(k))
    return K.switch(kept, x, K.zeros_like(x) + NEG_INF)


def update_confusion_matrix_variables(
    variables_to_update: Mapping[ConfusionMatrix, Tensor],
    y_true: Any,
    y_pred: Any,
    thresholds: Any = 0.5,
    top_k: int | None = None,
    class_id: int | None = None,
    sample_weight: Any = None,
) -> list[Any]:
    """The updates that add a batch's counts at each threshold to variables of shape ``(thresholds,)``.

    A prediction is positive where it is over the threshold; with ``top_k``, only among the ``k`` largest of a sample.
    """
    y_true, y_pred = K.cast(y_true, K.floatx()), K.cast(y_pred, K.floatx())
    if sample_weight is None:
        y_pred, y_true = losses_utils.squeeze_or_expand_dimensions(y_pred, y_true)
    else:
        weights = K.cast(sample_weight, K.floatx())
        y_pred, y_true, weights = losses_utils.squeeze_or_expand_dimensions(y_pred, y_true, sample_weight=weights)
    if top_k is not None:
        y_pred = filter_top_k(y_pred, top_k)
    if class_id is not None:
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
        if sample_weight is not None and K.ndim(weights) > K.ndim(y_pred):
            weights = K.squeeze(weights, -1)
    levels = K.expand_dims(K.constant(thresholds if isinstance(thresholds, (list, tuple)) else [thresholds]), 1)
    positive = K.cast(K.greater(K.expand_dims(K.flatten(y_pred), 0), levels), K.floatx())
    label = K.expand_dims(K.cast(K.not_equal(K.flatten(y_true), 0.0), K.floatx()), 0)
    if sample_weight is not None:
        spread = losses_utils.broadcast_weights(y_pred, weights) + K.zeros_like(y_pred)
        weight = K.expand_dims(K.flatten(spread), 0)
    else:
        weight = K.ones_like(label)
    parts = {
        ConfusionMatrix.TRUE_POSITIVES: lambda: positive * label,
        ConfusionMatrix.FALSE_POSITIVES: lambda: positive * (1.0 - label),
        ConfusionMatrix.TRUE_NEGATIVES: lambda: (1.0 - positive) * (1.0 - label),
        ConfusionMatrix.FALSE_NEGATIVES: lambda: (1.0 - positive) * label,
    }
    return [
        K.update_add(variable, K.cast(K.sum(parts[kind]() * weight, axis=1), K.dtype(variable)))
        for kind, variable in variables_to_update.items()
    ]
