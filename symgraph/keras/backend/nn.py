"""Activations, choices, dropout and the cross-entropies, with the formulas of Keras's TensorFlow backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import symgraph as sg

from . import math as m
from .common import epsilon, normalize_data_format
from .creation import draws
from .session import learning_phase
from .variables import Tensor, as_tensor


def relu(x: Tensor, alpha: Any = 0.0, max_value: Any = None, threshold: float = 0.0) -> Tensor:
    """Rectifier: ``x`` from ``threshold`` up (at most ``max_value``), ``alpha * (x - threshold)`` below it."""
    plain_slope = isinstance(alpha, (int, float))
    if plain_slope and alpha != 0.0 and max_value is None and threshold == 0.0:
        return sg.leaky_relu(x, alpha)
    if plain_slope and alpha == 0.0 and max_value == 6 and threshold == 0.0:
        return sg.relu6(x)
    if threshold == 0.0:
        above = sg.relu(x)
    else:
        above = x * sg.cast(sg.greater(x, threshold), str(x.dtype))
    if max_value is not None:
        above = sg.minimum(above, max_value)
    if plain_slope and alpha == 0.0:
        return above
    return above - alpha * sg.relu(threshold - x)


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """``exp(x) / sum(exp(x))`` along an axis."""
    return sg.softmax(x, axis=axis)


def softplus(x: Tensor) -> Tensor:
    """``log(1 + exp(x))``."""
    return sg.softplus(x)


def softsign(x: Tensor) -> Tensor:
    """``x / (1 + |x|)``."""
    return x / (1.0 + sg.abs(x))


def tanh(x: Tensor) -> Tensor:
    """Hyperbolic tangent."""
    return sg.tanh(x)


def sigmoid(x: Tensor) -> Tensor:
    """``1 / (1 + exp(-x))``."""
    return sg.sigmoid(x)


def hard_sigmoid(x: Tensor) -> Tensor:
    """``0.2 * x + 0.5`` between 0 and 1."""
    return sg.clip(0.2 * x + 0.5, 0.0, 1.0)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """``x`` where positive, else ``alpha * (exp(x) - 1)``."""
    return sg.elu(x, alpha)


def l2_normalize(x: Tensor, axis: Any = None) -> Tensor:
    """``x`` over its Euclidean norm (at least 1e-6) along an axis."""
    return x * sg.rsqrt(sg.maximum(m.sum(sg.square(x), axis, True), 1e-12))


def bias_add(x: Tensor, bias: Tensor, data_format: str | None = None) -> Tensor:
    """``x`` plus a bias over its channels (or over all but the batch axis)."""
    layout = normalize_data_format(data_format)
    rank, bias_rank = len(x.shape), len(bias.shape)
    if bias_rank not in (1, rank - 1):
        raise ValueError(f"Unexpected bias dimensions {bias_rank}, expect to be 1 or {rank} dimensions")
    if layout == "channels_last" or rank == 2:
        return x + bias
    if bias_rank == 1:
        return x + sg.reshape(bias, (bias.shape[0],) + (1,) * (rank - 2))
    # Keras lays the same numbers out anew here (it does not move the axis), and stored weights rely on that.
    return x + sg.reshape(bias, (bias.shape[-1], *bias.shape[:-1]))


def dropout(x: Tensor, level: float, noise_shape: Sequence[Any] | None = None, seed: int | None = None) -> Tensor:
    """``x`` with a fraction ``level`` of its elements zero and the others scaled up to keep the sum."""
    if not 0.0 <= level < 1:
        raise ValueError("Dropout level must be in interval [0, 1[.")
    shape = (
        x.shape
        if noise_shape is None
        else tuple(full if d is None else d for d, full in zip(noise_shape, x.shape, strict=True))
    )
    keep = 1.0 - level
    mask = sg.random.bernoulli(shape, keep, seed=draws(seed))
    return x * (sg.cast(mask, str(x.dtype)) * (1.0 / keep))


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Tensor:
    """One or the other expression (or the result of calling it), element by element."""
    condition = as_tensor(condition)
    if str(condition.dtype) != "bool":
        condition = sg.cast(condition, "bool")
    then = as_tensor(then_expression() if callable(then_expression) else then_expression)
    other = as_tensor(else_expression() if callable(else_expression) else else_expression)
    rank, cond_rank = len(then.shape), len(condition.shape)
    if cond_rank > rank:
        raise ValueError(
            "Rank of `condition` should be less than or equal to rank of `then_expression` and `else_expression`. "
            f"ndim(condition)={cond_rank}, ndim(then_expression)={rank}"
        )
    if 0 < cond_rank < rank:
        for _ in range(rank - cond_rank):
            condition = sg.expand_dims(condition, -1)
    return sg.where(condition, then, other)


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Tensor:
    """``x`` in training, ``alt`` in test (each a tensor, or a function that makes one)."""
    if training is None:
        training = learning_phase()
    if isinstance(training, (int, bool)):
        chosen = x if training else alt
        return chosen() if callable(chosen) else chosen
    result = switch(training, x, alt)
    result._uses_learning_phase = True
    return result


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Tensor:
    """``x`` in test, ``alt`` in training."""
    return in_train_phase(alt, x, training=training)


def in_top_k(predictions: Tensor, targets: Tensor, k: int) -> Tensor:
    """Whether the target class is among the ``k`` largest of each row (ties count in its favour)."""
    classes = sg.arange(predictions.shape[-1], dtype="int32")
    picked = sg.equal(sg.expand_dims(sg.cast(targets, "int32"), -1), classes)
    score = sg.sum(sg.where(picked, predictions, sg.zeros_like(predictions)), axis=-1, keepdims=True)
    larger = sg.sum(sg.cast(sg.greater(predictions, score), "int32"), axis=-1)
    return sg.logical_and(sg.less(larger, k), sg.all(sg.isfinite(score), axis=-1))


def _check_axis(output: Tensor, axis: int) -> None:
    rank = len(output.shape)
    if not -rank <= axis < rank:
        raise ValueError(
            f"Unexpected channels axis {axis}. Expected to be -1 or one of the axes of `output`, which has {rank} "
            "dimensions."
        )


def categorical_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1) -> Tensor:
    """``-sum(target * log(p))``; probabilities are scaled to sum to one and clipped to ``[eps, 1 - eps]``."""
    _check_axis(output, axis)
    if from_logits:
        return -sg.sum(target * sg.log_softmax(output, axis=axis), axis=axis)
    p = output / sg.sum(output, axis=axis, keepdims=True)
    p = sg.clip(p, epsilon(), 1.0 - epsilon())
    return -sg.sum(target * sg.log(p), axis=axis)


def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Cross-entropy of integer labels: ``target`` has the shape of ``output`` without ``axis`` (or with 1 there)."""
    _check_axis(output, axis)
    if axis not in (-1, len(output.shape) - 1):
        order = [i for i in range(len(output.shape)) if i != axis % len(output.shape)] + [axis % len(output.shape)]
        output = sg.transpose(output, tuple(order))
    logits = output if from_logits else sg.log(sg.clip(output, epsilon(), 1.0 - epsilon()))
    labels = sg.reshape(sg.cast(target, "int64"), logits.shape[:-1])
    classes: Any = logits.shape[-1]
    picked = sg.one_hot(labels, classes, dtype=logits.dtype)
    loss = -sg.sum(picked * sg.log_softmax(logits, axis=-1), axis=-1)
    if not as_tensor(target).dtype.is_float:
        return loss
    return loss + 0.0 * sg.reshape(sg.cast(target, logits.dtype), logits.shape[:-1])  # a label of NaN stays NaN


def binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> Tensor:
    """``max(x, 0) - x * target + log(1 + exp(-|x|))`` of the logits; probabilities are clipped and turned to logits."""
    x = output
    if not from_logits:
        p = sg.clip(output, epsilon(), 1.0 - epsilon())
        x = sg.log(p / (1.0 - p))
    return sg.maximum(x, 0.0) - x * target + sg.log1p(sg.exp(-sg.abs(x)))


def normalize_batch_in_training(
    x: Tensor, gamma: Tensor, beta: Tensor, reduction_axes: Sequence[int], epsilon: float = 1e-3
) -> tuple[Tensor, Tensor, Tensor]:
    """``x`` normalised over axes, with the mean and the variance that were used."""
    mean, var = m.mean(x, reduction_axes, True), m.var(x, reduction_axes, True)
    kept = tuple(d for i, d in enumerate(x.shape) if i not in reduction_axes)
    out = _normalize(x, mean, var, _spread(beta, mean), _spread(gamma, mean), epsilon)
    return out, sg.reshape(mean, kept), sg.reshape(var, kept)


def batch_normalization(
    x: Tensor, mean: Tensor, var: Tensor, beta: Tensor, gamma: Tensor, axis: int = -1, epsilon: float = 1e-3
) -> Tensor:
    """``gamma * (x - mean) / sqrt(var + epsilon) + beta`` over the channels of ``axis``."""
    shape = [1] * len(x.shape)
    shape[axis] = x.shape[axis]
    mean, var, beta, gamma = (None if t is None else sg.reshape(t, tuple(shape)) for t in (mean, var, beta, gamma))
    return _normalize(x, mean, var, beta, gamma, epsilon)


def _spread(t: Tensor, like: Tensor) -> Tensor:
    return None if t is None else sg.reshape(t, like.shape)


def _normalize(x: Tensor, mean: Tensor, var: Tensor, beta: Tensor, gamma: Tensor, eps: float) -> Tensor:
    scale = sg.rsqrt(var + eps)
    out = (x - mean) * (scale if gamma is None else gamma * scale)
    return out if beta is None else out + beta
