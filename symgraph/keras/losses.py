"""Losses: functions of labels and predictions that give one number per sample, and classes that also reduce."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from . import backend as K
from .utils import losses_utils
from .utils.generic_utils import deserialize_keras_object, serialize_keras_object

Tensor = Any
_MEAN = losses_utils.Reduction.SUM_OVER_BATCH_SIZE


class Loss:
    """Base of losses. ``call`` gives the loss of each sample; calling the object reduces them."""

    def __init__(self, reduction: str = _MEAN, name: str | None = None) -> None:
        self.reduction = reduction
        self.name = name

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Any = None) -> Tensor:
        """The reduced loss, a scalar unless ``reduction`` is ``'none'``."""
        scope = "lambda" if self.name == "<lambda>" else self.name
        with K.name_scope(scope or type(self).__name__):
            losses = self.call(y_true, y_pred)
            return losses_utils.compute_weighted_loss(losses, sample_weight, reduction=self.reduction)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        return cls(**config)

    def get_config(self) -> dict[str, Any]:
        return {"reduction": self.reduction, "name": self.name}

    @abstractmethod
    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """The loss of each sample."""
        raise NotImplementedError("Must be implemented in subclasses.")


class LossFunctionWrapper(Loss):
    """A loss made of a function of labels and predictions."""

    def __init__(self, fn: Any, reduction: str = _MEAN, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(reduction=reduction, name=name)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**self._fn_kwargs, **super().get_config()}


class MeanSquaredError(LossFunctionWrapper):
    """Mean of squared differences."""

    def __init__(self, reduction: str = _MEAN, name: str = "mean_squared_error") -> None:
        super().__init__(mean_squared_error, name=name, reduction=reduction)


class MeanAbsoluteError(LossFunctionWrapper):
    """Mean of absolute differences."""

    def __init__(self, reduction: str = _MEAN, name: str = "mean_absolute_error") -> None:
        super().__init__(mean_absolute_error, name=name, reduction=reduction)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """Mean of relative differences, in percent."""

    def __init__(self, reduction: str = _MEAN, name: str = "mean_absolute_percentage_error") -> None:
        super().__init__(mean_absolute_percentage_error, name=name, reduction=reduction)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """Mean of squared differences of logarithms."""

    def __init__(self, reduction: str = _MEAN, name: str = "mean_squared_logarithmic_error") -> None:
        super().__init__(mean_squared_logarithmic_error, name=name, reduction=reduction)


class BinaryCrossentropy(LossFunctionWrapper):
    """Cross-entropy of two classes."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0,
        reduction: str = _MEAN,
        name: str = "binary_crossentropy",
    ) -> None:
        super().__init__(
            binary_crossentropy,
            name=name,
            reduction=reduction,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )
        self.from_logits = from_logits


class CategoricalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of one-hot labels."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0,
        reduction: str = _MEAN,
        name: str = "categorical_crossentropy",
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            name=name,
            reduction=reduction,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of integer labels."""

    def __init__(
        self, from_logits: bool = False, reduction: str = _MEAN, name: str = "sparse_categorical_crossentropy"
    ) -> None:
        super().__init__(sparse_categorical_crossentropy, name=name, reduction=reduction, from_logits=from_logits)


class Hinge(LossFunctionWrapper):
    """Mean of ``max(1 - y_true * y_pred, 0)``."""

    def __init__(self, reduction: str = _MEAN, name: str = "hinge") -> None:
        super().__init__(hinge, name=name, reduction=reduction)


class SquaredHinge(LossFunctionWrapper):
    """Mean of ``max(1 - y_true * y_pred, 0) ** 2``."""

    def __init__(self, reduction: str = _MEAN, name: str = "squared_hinge") -> None:
        super().__init__(squared_hinge, name=name, reduction=reduction)


class CategoricalHinge(LossFunctionWrapper):
    """Hinge of the best wrong class against the right one."""

    def __init__(self, reduction: str = _MEAN, name: str = "categorical_hinge") -> None:
        super().__init__(categorical_hinge, name=name, reduction=reduction)


class Poisson(LossFunctionWrapper):
    """Mean of ``y_pred - y_true * log(y_pred)``."""

    def __init__(self, reduction: str = _MEAN, name: str = "poisson") -> None:
        super().__init__(poisson, name=name, reduction=reduction)


class LogCosh(LossFunctionWrapper):
    """Mean of ``log(cosh(y_pred - y_true))``."""

    def __init__(self, reduction: str = _MEAN, name: str = "logcosh") -> None:
        super().__init__(logcosh, name=name, reduction=reduction)


class KLDivergence(LossFunctionWrapper):
    """Sum of ``y_true * log(y_true / y_pred)``."""

    def __init__(self, reduction: str = _MEAN, name: str = "kullback_leibler_divergence") -> None:
        super().__init__(kullback_leibler_divergence, name=name, reduction=reduction)


class Huber(LossFunctionWrapper):
    """Quadratic up to ``delta``, linear beyond."""

    def __init__(self, delta: float = 1.0, reduction: str = _MEAN, name: str = "huber_loss") -> None:
        super().__init__(huber_loss, name=name, reduction=reduction, delta=delta)


def _labels(y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    y_pred = K.as_tensor(y_pred)
    return K.cast(y_true, K.dtype(y_pred)), y_pred


def mean_squared_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``mean((y_pred - y_true)**2)`` over the last axis."""
    y_true, y_pred = _labels(y_true, y_pred)
    return K.mean(K.square(y_pred - y_true), axis=-1)


def mean_absolute_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``mean(|y_pred - y_true|)`` over the last axis."""
    y_true, y_pred = _labels(y_true, y_pred)
    return K.mean(K.abs(y_pred - y_true), axis=-1)


def mean_absolute_percentage_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``100 * mean(|y_true - y_pred| / max(|y_true|, eps))`` over the last axis."""
    y_true, y_pred = _labels(y_true, y_pred)
    relative = K.abs((y_true - y_pred) / K.clip(K.abs(y_true), K.epsilon(), None))
    return 100.0 * K.mean(relative, axis=-1)


def mean_squared_logarithmic_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``mean((log(max(y_pred, eps) + 1) - log(max(y_true, eps) + 1))**2)`` over the last axis."""
    y_true, y_pred = _labels(y_true, y_pred)
    first = K.log(K.clip(y_pred, K.epsilon(), None) + 1.0)
    second = K.log(K.clip(y_true, K.epsilon(), None) + 1.0)
    return K.mean(K.square(first - second), axis=-1)


def squared_hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``mean(max(1 - y_true * y_pred, 0)**2)`` over the last axis."""
    y_true, y_pred = _labels(y_true, y_pred)
    return K.mean(K.square(K.maximum(1.0 - y_true * y_pred, 0.0)), axis=-1)


def hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``mean(max(1 - y_true * y_pred, 0))`` over the last axis."""
    y_true, y_pred = _labels(y_true, y_pred)
    return K.mean(K.maximum(1.0 - y_true * y_pred, 0.0), axis=-1)


def categorical_hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``max(0, 1 + max((1 - y_true) * y_pred) - sum(y_true * y_pred))`` over the last axis."""
    y_true, y_pred = _labels(y_true, y_pred)
    right = K.sum(y_true * y_pred, axis=-1)
    wrong = K.max((1.0 - y_true) * y_pred, axis=-1)
    return K.maximum(0.0, wrong - right + 1.0)


def logcosh(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``mean(log(cosh(y_pred - y_true)))`` over the last axis, as ``x + softplus(-2x) - log(2)``."""
    y_true, y_pred = _labels(y_true, y_pred)
    x = y_pred - y_true
    return K.mean(x + K.softplus(-2.0 * x) - 0.6931471805599453, axis=-1)


def huber_loss(y_true: Tensor, y_pred: Tensor, delta: float = 1.0) -> Tensor:
    """``0.5 * q**2 + delta * (|e| - q)`` with ``q = min(|e|, delta)``, of each element."""
    y_true, y_pred = _labels(y_true, y_pred)
    error = K.abs(y_pred - y_true)
    quadratic = K.minimum(error, delta)
    return 0.5 * K.square(quadratic) + delta * (error - quadratic)


def categorical_crossentropy(
    y_true: Tensor, y_pred: Tensor, from_logits: bool = False, label_smoothing: float = 0
) -> Tensor:
    """``-sum(y_true * log(y_pred))`` over the last axis; see ``K.categorical_crossentropy``."""
    y_true, y_pred = _labels(y_true, y_pred)
    if label_smoothing:
        classes = K.int_shape(y_true)[-1] or K.int_shape(y_pred)[-1]
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / float(classes or 1)
    return K.categorical_crossentropy(y_true, y_pred, from_logits=from_logits)


def sparse_categorical_crossentropy(
    y_true: Tensor, y_pred: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Cross-entropy of integer labels; see ``K.sparse_categorical_crossentropy``."""
    return K.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


def binary_crossentropy(
    y_true: Tensor, y_pred: Tensor, from_logits: bool = False, label_smoothing: float = 0
) -> Tensor:
    """Mean over the last axis of the two-class cross-entropy; see ``K.binary_crossentropy``."""
    y_true, y_pred = _labels(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return K.mean(K.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=-1)


def kullback_leibler_divergence(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``sum(y_true * log(y_true / y_pred))`` over the last axis, both clipped to ``[eps, 1]``."""
    y_true, y_pred = _labels(y_true, y_pred)
    y_true = K.clip(y_true, K.epsilon(), 1.0)
    y_pred = K.clip(y_pred, K.epsilon(), 1.0)
    return K.sum(y_true * K.log(y_true / y_pred), axis=-1)


def poisson(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``mean(y_pred - y_true * log(y_pred + eps))`` over the last axis."""
    y_true, y_pred = _labels(y_true, y_pred)
    return K.mean(y_pred - y_true * K.log(y_pred + K.epsilon()), axis=-1)


def cosine_proximity(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """Minus the cosine of the angle between labels and predictions."""
    y_true, y_pred = _labels(y_true, y_pred)
    return -K.sum(K.l2_normalize(y_true, axis=axis) * K.l2_normalize(y_pred, axis=axis), axis=axis)


mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kullback_leibler_divergence
cosine = cosine_similarity = cosine_proximity


def is_categorical_crossentropy(loss: Any) -> bool:
    """Whether a loss is the cross-entropy of one-hot labels, under any of its forms."""
    if isinstance(loss, LossFunctionWrapper):
        return loss.fn is categorical_crossentropy
    return loss is categorical_crossentropy or loss == "categorical_crossentropy"


def serialize(loss: Any) -> Any:
    """The name of a loss function, ``{'class_name', 'config'}`` of a loss object."""
    return serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss of a name or a dictionary."""
    return deserialize_keras_object(
        name, module_objects=globals(), custom_objects=custom_objects, printable_module_name="loss function"
    )


def get(identifier: Any) -> Any:
    """A loss from None, a name, a dictionary or a callable."""
    if identifier is None:
        return None
    if isinstance(identifier, (str, dict)):
        return deserialize(identifier)
    if callable(identifier):
        return identifier
    raise ValueError("Could not interpret loss function identifier:", identifier)
