"""Metrics as functions of labels and predictions: one number per sample."""

from __future__ import annotations

from typing import Any

from .. import backend as K

Tensor = Any


def _same(y_true: Tensor, y_pred: Tensor) -> Tensor:
    return K.cast(K.equal(y_true, y_pred), K.floatx())


def accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Whether labels and predictions are equal."""
    y_true, y_pred = K.as_tensor(y_true), K.as_tensor(y_pred)
    return _same(K.cast(y_true, K.dtype(y_pred)), y_pred)


def binary_accuracy(y_true: Tensor, y_pred: Tensor, threshold: float = 0.5) -> Tensor:
    """The mean over the last axis of whether a prediction over ``threshold`` meets a label of one."""
    y_true, y_pred = K.as_tensor(y_true), K.as_tensor(y_pred)
    if threshold != 0.5:
        threshold = K.cast(threshold, K.dtype(y_pred))
        y_pred = K.cast(y_pred > threshold, K.dtype(y_pred))
    else:
        y_pred = K.round(y_pred)
    return K.mean(K.equal(K.cast(y_true, K.dtype(y_pred)), y_pred), axis=-1)


def categorical_accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Whether the largest prediction is the class of a one-hot label."""
    return _same(K.argmax(K.as_tensor(y_true), axis=-1), K.argmax(K.as_tensor(y_pred), axis=-1))


def sparse_categorical_accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Whether the largest prediction is the class of an integer label."""
    y_true, y_pred = K.as_tensor(y_true), K.as_tensor(y_pred)
    if K.ndim(y_true) == K.ndim(y_pred):
        y_true = K.squeeze(y_true, -1) if K.int_shape(y_true)[-1] == 1 else K.reshape(y_true, y_pred.shape[:-1])
    return _same(K.cast(y_true, "int64"), K.argmax(y_pred, axis=-1))


def top_k_categorical_accuracy(y_true: Tensor, y_pred: Tensor, k: int = 5) -> Tensor:
    """Whether the class of a one-hot label is among the ``k`` largest predictions."""
    return K.cast(K.in_top_k(K.as_tensor(y_pred), K.argmax(K.as_tensor(y_true), axis=-1), k), K.floatx())


def sparse_top_k_categorical_accuracy(y_true: Tensor, y_pred: Tensor, k: int = 5) -> Tensor:
    """Whether the class of an integer label is among the ``k`` largest predictions."""
    return K.cast(K.in_top_k(K.as_tensor(y_pred), K.cast(K.flatten(K.as_tensor(y_true)), "int32"), k), K.floatx())


def cosine_proximity(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """The cosine of the angle between labels and predictions."""
    y_true, y_pred = K.as_tensor(y_true), K.as_tensor(y_pred)
    return K.sum(K.l2_normalize(y_true, axis=axis) * K.l2_normalize(y_pred, axis=axis), axis=axis)


cosine = cosine_similarity = cosine_proximity
