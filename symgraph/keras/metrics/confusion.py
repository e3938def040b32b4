"""Metrics that count right and wrong predictions at thresholds."""

from __future__ import annotations

from typing import Any, ClassVar

from .. import backend as K
from ..utils.confusion import (
    AUCCurve,
    AUCSummationMethod,
    ConfusionMatrix,
    parse_init_thresholds,
    update_confusion_matrix_variables,
)
from .base import Metric, Tensor

TP, FP = ConfusionMatrix.TRUE_POSITIVES, ConfusionMatrix.FALSE_POSITIVES
TN, FN = ConfusionMatrix.TRUE_NEGATIVES, ConfusionMatrix.FALSE_NEGATIVES


def div_no_nan(a: Tensor, b: Tensor) -> Tensor:
    """``a / b``, 0 where ``b`` is 0."""
    none = K.equal(b, 0.0)
    return K.switch(none, K.zeros_like(a), a / K.switch(none, K.ones_like(b), b))


class _ConfusionMatrixConditionCount(Metric):
    """The count of one entry of the confusion matrix, at one threshold or several."""

    counted: ClassVar[ConfusionMatrix]

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: str | None = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = parse_init_thresholds(thresholds, default_threshold=0.5)
        self.accumulator = self.add_weight("accumulator", shape=(len(self.thresholds),))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> list[Any]:
        """Add the counts of a batch."""
        return update_confusion_matrix_variables(
            {self.counted: self.accumulator}, y_true, y_pred, self.thresholds, sample_weight=sample_weight
        )

    def result(self) -> Tensor:
        return self.accumulator[0] if len(self.thresholds) == 1 else K.identity(self.accumulator)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.init_thresholds}


class FalsePositives(_ConfusionMatrixConditionCount):
    """How many predictions are positive where the label is negative."""

    counted = FP


class FalseNegatives(_ConfusionMatrixConditionCount):
    """How many predictions are negative where the label is positive."""

    counted = FN


class TrueNegatives(_ConfusionMatrixConditionCount):
    """How many predictions are negative where the label is."""

    counted = TN


class TruePositives(_ConfusionMatrixConditionCount):
    """How many predictions are positive where the label is."""

    counted = TP


class _ShareOfRight(Metric):
    """True positives as a share of themselves and of what subclasses count as wrong."""

    wrong = FP
    wrong_name = "false_positives"

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        self.thresholds = parse_init_thresholds(thresholds, 0.5 if top_k is None else -1e10)
        self.true_positives = self.add_weight("true_positives", shape=(len(self.thresholds),))
        self._wrong = self.add_weight(self.wrong_name, shape=(len(self.thresholds),))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> list[Any]:
        """Add the counts of a batch."""
        kept = {TP: self.true_positives, self.wrong: self._wrong}
        return update_confusion_matrix_variables(
            kept, y_true, y_pred, self.thresholds, self.top_k, self.class_id, sample_weight
        )

    def result(self) -> Tensor:
        found = div_no_nan(self.true_positives, self.true_positives + self._wrong)
        return found[0] if len(self.thresholds) == 1 else found

    def get_config(self) -> dict[str, Any]:
        own = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **own}


class Precision(_ShareOfRight):
    """The share of right ones among positive predictions (of class ``class_id``, of the ``top_k`` of each sample)."""

    @property
    def false_positives(self) -> Tensor:
        """The count of positive predictions where the label is negative."""
        return self._wrong


class Recall(_ShareOfRight):
    """The share of positive labels that are predicted (of class ``class_id``, by the ``top_k`` of each sample)."""

    wrong = FN
    wrong_name = "false_negatives"

    @property
    def false_negatives(self) -> Tensor:
        """The count of negative predictions where the label is positive."""
        return self._wrong


class _AllCounts(Metric):
    """All four counts at many thresholds."""

    thresholds: list[float]

    def _add_counts(self, count: int) -> None:
        self.true_positives = self.add_weight("true_positives", shape=(count,))
        self.true_negatives = self.add_weight("true_negatives", shape=(count,))
        self.false_positives = self.add_weight("false_positives", shape=(count,))
        self.false_negatives = self.add_weight("false_negatives", shape=(count,))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> list[Any]:
        """Add the counts of a batch."""
        kept = {
            TP: self.true_positives,
            TN: self.true_negatives,
            FP: self.false_positives,
            FN: self.false_negatives,
        }
        return update_confusion_matrix_variables(kept, y_true, y_pred, self.thresholds, sample_weight=sample_weight)


class SensitivitySpecificityBase(_AllCounts):
    """Sensitivity and specificity, one where the other is nearest to ``value``."""

    def __init__(
        self, value: float, num_thresholds: int = 200, name: str | None = None, dtype: str | None = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if num_thresholds <= 0:
            raise ValueError("`num_thresholds` must be > 0.")
        if not 0 <= value <= 1:
            raise ValueError(f"`{type(self).__name__}` takes a value in the range [0, 1], got {value}.")
        self.value = value
        self.num_thresholds = num_thresholds
        inner = [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
        self.thresholds = [0.5] if num_thresholds == 1 else [0.0, *inner, 1.0]
        self._add_counts(num_thresholds)

    def _sensitivities(self) -> Tensor:
        return div_no_nan(self.true_positives, self.true_positives + self.false_negatives)

    def _specificities(self) -> Tensor:
        return div_no_nan(self.true_negatives, self.true_negatives + self.false_positives)

    def _at_value(self, wanted: Tensor, given: Tensor) -> Tensor:
        return K.gather(wanted, K.argmin(K.abs(given - self.value), axis=0))


class SensitivityAtSpecificity(SensitivitySpecificityBase):
    """The sensitivity where the specificity is nearest to ``specificity``."""

    def __init__(
        self, specificity: float, num_thresholds: int = 200, name: str | None = None, dtype: str | None = None
    ) -> None:
        super().__init__(specificity, num_thresholds=num_thresholds, name=name, dtype=dtype)
        self.specificity = specificity

    def result(self) -> Tensor:
        return self._at_value(self._sensitivities(), self._specificities())

    def get_config(self) -> dict[str, Any]:
        own = {"num_thresholds": self.num_thresholds, "specificity": self.specificity}
        return {**super().get_config(), **own}


class SpecificityAtSensitivity(SensitivitySpecificityBase):
    """The specificity where the sensitivity is nearest to ``sensitivity``."""

    def __init__(
        self, sensitivity: float, num_thresholds: int = 200, name: str | None = None, dtype: str | None = None
    ) -> None:
        super().__init__(sensitivity, num_thresholds=num_thresholds, name=name, dtype=dtype)
        self.sensitivity = sensitivity

    def result(self) -> Tensor:
        return self._at_value(self._specificities(), self._sensitivities())

    def get_config(self) -> dict[str, Any]:
        own = {"num_thresholds": self.num_thresholds, "sensitivity": self.sensitivity}
        return {**super().get_config(), **own}


class AUC(_AllCounts):
    """The area under the ROC or the precision-recall curve, by sums over thresholds.

    The precision-recall curve is interpolated as in Davis and Goadrich (2006).
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: Any = "ROC",
        summation_method: Any = "interpolation",
        name: str | None = None,
        dtype: str | None = None,
        thresholds: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if thresholds is not None:
            inner = sorted(parse_init_thresholds(list(thresholds)))
            num_thresholds = len(inner) + 2
        else:
            if num_thresholds <= 1:
                raise ValueError("`num_thresholds` must be > 1.")
            inner = [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
        self.num_thresholds = num_thresholds
        self.thresholds = [0.0 - K.epsilon(), *inner, 1.0 + K.epsilon()]
        self.curve = curve if isinstance(curve, AUCCurve) else AUCCurve.from_str(curve)
        is_method = isinstance(summation_method, AUCSummationMethod)
        self.summation_method = summation_method if is_method else AUCSummationMethod.from_str(summation_method)
        self._add_counts(num_thresholds)

    def interpolate_pr_auc(self) -> Tensor:
        """The area under the precision-recall curve, interpolated between thresholds."""
        tp, fp, fn = self.true_positives, self.false_positives, self.false_negatives
        gained = tp[:-1] - tp[1:]
        positive = tp + fp
        slope = div_no_nan(gained, K.maximum(positive[:-1] - positive[1:], 0.0))
        intercept = tp[1:] - slope * positive[1:]
        both = K.cast(K.greater(positive[:-1], 0.0), K.floatx()) * K.cast(K.greater(positive[1:], 0.0), K.floatx())
        ratio = K.switch(K.greater(both, 0.0), div_no_nan(positive[:-1], positive[1:]), K.ones_like(gained))
        return K.sum(div_no_nan(slope * (gained + intercept * K.log(ratio)), K.maximum(tp[1:] + fn[1:], 0.0)))

    def result(self) -> Tensor:
        interpolated = self.summation_method is AUCSummationMethod.INTERPOLATION
        if self.curve is AUCCurve.PR and interpolated:
            return self.interpolate_pr_auc()
        recall = div_no_nan(self.true_positives, self.true_positives + self.false_negatives)
        if self.curve is AUCCurve.ROC:
            x, y = div_no_nan(self.false_positives, self.false_positives + self.true_negatives), recall
        else:
            x, y = recall, div_no_nan(self.true_positives, self.true_positives + self.false_positives)
        if interpolated:
            heights = (y[:-1] + y[1:]) / 2.0
        elif self.summation_method is AUCSummationMethod.MINORING:
            heights = K.minimum(y[:-1], y[1:])
        else:
            heights = K.maximum(y[:-1], y[1:])
        return K.sum((x[:-1] - x[1:]) * heights)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve.value,
            "summation_method": self.summation_method.value,
            "thresholds": self.thresholds[1:-1],
        }


class MeanIoU(Metric):
    """The mean over classes of intersection over union, for integer labels and predictions."""

    def __init__(self, num_classes: int, name: str | None = None, dtype: str | None = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.num_classes = num_classes
        self.total_cm = self.add_weight("total_confusion_matrix", shape=(num_classes, num_classes))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> list[Any]:
        """Add the confusion matrix of a batch."""
        rows = K.one_hot(K.cast(K.flatten(K.as_tensor(y_true)), "int64"), self.num_classes)
        columns = K.one_hot(K.cast(K.flatten(K.as_tensor(y_pred)), "int64"), self.num_classes)
        if sample_weight is not None:
            columns = columns * K.expand_dims(K.flatten(K.cast(sample_weight, K.floatx())), -1)
        return [K.update_add(self.total_cm, K.cast(K.dot(K.transpose(rows), columns), self.dtype))]

    def result(self) -> Tensor:
        hits = K.sum(self.total_cm * K.eye(self.num_classes, dtype=self.dtype), axis=0)
        union = K.sum(self.total_cm, axis=0) + K.sum(self.total_cm, axis=1) - hits
        met = K.cast(K.not_equal(union, 0.0), self.dtype)
        return div_no_nan(K.sum(div_no_nan(hits, union)), K.sum(met))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes}
