"""How per-sample losses become one number."""

from __future__ import annotations

from typing import Any

from .. import backend as K

Tensor = Any


class Reduction:
    """The ways to reduce a loss: ``none``, ``sum``, and ``sum_over_batch_size`` (the mean)."""

    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """All of them."""
        return (cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE)

    @classmethod
    def validate(cls, key: str) -> None:
        """Raise a ValueError for anything else."""
        if key not in cls.all():
            raise ValueError(f"Invalid Reduction Key {key}.")


def squeeze_or_expand_dimensions(y_pred: Tensor, y_true: Tensor = None, sample_weight: Tensor = None) -> Any:
    """Drop a last axis of size one of labels or predictions so that ranks meet, and fit the weights' rank.

    Gives ``(y_pred, y_true)``, with ``sample_weight`` where one was given; without labels ``(y_pred, sample_weight)``.
    """
    if y_true is not None:
        gap = K.ndim(y_pred) - K.ndim(y_true)
        if gap == 1 and K.int_shape(y_pred)[-1] == 1:
            y_pred = K.squeeze(y_pred, -1)
        elif gap == -1 and K.int_shape(y_true)[-1] == 1:
            y_true = K.squeeze(y_true, -1)
    if sample_weight is None:
        return y_pred, y_true
    weight_rank, pred_rank = K.ndim(sample_weight), K.ndim(y_pred)
    if weight_rank != 0:
        if pred_rank == 0 and weight_rank == 1:
            y_pred = K.expand_dims(y_pred, -1)  # a loss that is one number for the batch counts for each sample
        elif weight_rank - pred_rank == 1 and K.int_shape(sample_weight)[-1] in (1, None):
            sample_weight = K.squeeze(sample_weight, -1)
        elif pred_rank - weight_rank == 1:
            sample_weight = K.expand_dims(sample_weight, -1)
    return (y_pred, sample_weight) if y_true is None else (y_pred, y_true, sample_weight)


def broadcast_weights(values: Tensor, sample_weight: Tensor) -> Tensor:
    """Weights with as many axes as the values.

    Raises:
        ValueError: if a size differs and is not one.
    """
    rank, weight_rank = K.ndim(values), K.ndim(sample_weight)
    if weight_rank not in (0, rank):
        for _ in range(weight_rank, rank):
            sample_weight = K.expand_dims(sample_weight, axis=-1)
    if weight_rank != 0:
        for value_dim, weight_dim in zip(K.int_shape(values), K.int_shape(sample_weight), strict=False):
            if value_dim is not None and weight_dim is not None and value_dim != weight_dim and weight_dim != 1:
                raise ValueError(
                    f"weights can not be broadcast to values. values.shape={K.int_shape(values)}. "
                    f"weights.shape={K.int_shape(sample_weight)}."
                )
    return sample_weight


def reduce_weighted_loss(weighted_losses: Tensor, reduction: str = Reduction.SUM_OVER_BATCH_SIZE) -> Tensor:
    """The sum or the mean of losses, or the losses."""
    if reduction == Reduction.NONE:
        return weighted_losses
    if reduction == Reduction.SUM:
        return K.sum(weighted_losses)
    return K.mean(weighted_losses)


def compute_weighted_loss(
    losses: Tensor,
    sample_weight: Tensor = None,
    reduction: str = Reduction.SUM_OVER_BATCH_SIZE,
    name: str | None = None,
) -> Tensor:
    """Losses times weights, reduced."""
    Reduction.validate(reduction)
    with K.name_scope(name or "weighted_loss"):
        losses = K.as_tensor(losses)
        dtype = K.dtype(losses)
        if not dtype.startswith("float"):
            losses, dtype = K.cast(losses, K.floatx()), K.floatx()
        if sample_weight is None:
            return reduce_weighted_loss(losses, reduction)
        weights = K.cast(sample_weight, dtype)
        losses, weights = squeeze_or_expand_dimensions(losses, sample_weight=weights)
        return reduce_weighted_loss(losses * broadcast_weights(losses, weights), reduction)
