"""What the arguments of ``compile`` mean: losses, loss weights and metrics for each output."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from .. import backend as K
from .. import losses
from .. import metrics as metrics_module
from ..utils import losses_utils
from ..utils.generic_utils import check_for_unexpected_keys, to_list

Tensor = Any
Names = Sequence[str]


def get_loss_function(loss: Any) -> Any:
    """A :class:`Loss` from a name, a function or a loss."""
    if loss is None or isinstance(loss, losses.Loss):
        return loss
    fn = losses.get(loss)
    if isinstance(fn, losses.Loss):
        return fn
    return losses.LossFunctionWrapper(fn, name=getattr(fn, "__name__", type(fn).__name__))


def prepare_loss_functions(loss: Any, output_names: Names) -> list[Any]:
    """One loss per output (None: that output is not trained on)."""
    if isinstance(loss, dict):
        check_for_unexpected_keys("loss", loss, output_names)
        for name in output_names:
            if name not in loss:
                warnings.warn(
                    f'Output "{name}" missing from loss dictionary. We assume this was done on purpose. The fit and '
                    f'evaluate APIs will not be expecting any data to be passed to "{name}".',
                    stacklevel=4,
                )
        return [get_loss_function(loss.get(name)) for name in output_names]
    if isinstance(loss, (list, tuple)):
        if len(loss) != len(output_names):
            raise ValueError(
                "When passing a list as loss, it should have one entry per model outputs. The model has "
                f"{len(output_names)} outputs, but you passed loss={loss}"
            )
        return [get_loss_function(fn) for fn in loss]
    return [get_loss_function(loss) for _ in output_names]


def prepare_loss_weights(output_names: Names, loss_weights: Any = None) -> list[float]:
    """One factor per output."""
    if loss_weights is None:
        return [1.0] * len(output_names)
    if isinstance(loss_weights, dict):
        check_for_unexpected_keys("loss_weights", loss_weights, output_names)
        return [loss_weights.get(name, 1.0) for name in output_names]
    if isinstance(loss_weights, (list, tuple)):
        if len(loss_weights) != len(output_names):
            raise ValueError(
                "When passing a list as loss_weights, it should have one entry per model output. The model has "
                f"{len(output_names)} outputs, but you passed loss_weights={loss_weights}"
            )
        return list(loss_weights)
    raise TypeError(f"Could not interpret loss_weights argument: {loss_weights} - expected a list of dicts.")


def get_output_sample_weight_and_mode(
    skip_target_weighing_indices: Sequence[int], sample_weight_mode: Any, output_name: str, output_index: int
) -> tuple[Tensor, str | None]:
    """The placeholder for an output's sample weights, and their mode (None, or ``"temporal"``)."""
    if output_index in skip_target_weighing_indices:
        return None, None
    temporal = sample_weight_mode == "temporal"
    shape = (None, None) if temporal else (None,)
    weight = K.placeholder(shape, name=output_name + "_sample_weights")
    return weight, "temporal" if temporal else None


def prepare_sample_weights(
    output_names: Names, sample_weight_mode: Any, skip_target_weighing_indices: Sequence[int]
) -> tuple[list[Tensor], list[Any]]:
    """Placeholders and modes of the sample weights of all outputs."""
    if isinstance(sample_weight_mode, dict):
        check_for_unexpected_keys("sample_weight_mode", sample_weight_mode, output_names)
        for i, name in enumerate(output_names):
            if i not in skip_target_weighing_indices and name not in sample_weight_mode:
                raise ValueError(f'Output "{name}" missing from sample_weight_modes dictionary')
        modes = [sample_weight_mode.get(name) for name in output_names]
    elif isinstance(sample_weight_mode, (list, tuple)):
        if len(sample_weight_mode) != len(output_names):
            raise ValueError(
                "When passing a list as sample_weight_mode, it should have one entry per model output. The model has "
                f"{len(output_names)} outputs, but you passed sample_weight_mode={sample_weight_mode}"
            )
        modes = list(sample_weight_mode)
    else:
        modes = [sample_weight_mode] * len(output_names)
    pairs = [
        get_output_sample_weight_and_mode(skip_target_weighing_indices, mode, name, i)
        for i, (name, mode) in enumerate(zip(output_names, modes, strict=True))
    ]
    return [p[0] for p in pairs], [p[1] for p in pairs]


def get_metric_name(metric: Any, weighted: bool = False) -> str:
    """The name under which a metric is reported."""
    if isinstance(metric, str):  # the user's own name for it
        return metric
    found = metrics_module.get(metric)
    names = (getattr(found, attribute, None) for attribute in ("given_name", "name", "__name__"))
    return str(next(filter(None, names), type(found).__name__))


_BY_KIND = {
    "accuracy": (
        metrics_module.binary_accuracy,
        metrics_module.sparse_categorical_accuracy,
        metrics_module.categorical_accuracy,
    ),
    "crossentropy": (
        losses.binary_crossentropy,
        losses.sparse_categorical_crossentropy,
        losses.categorical_crossentropy,
    ),
}


def get_metric_function(metric: Any, output_shape: Any = None, loss_fn: Any = None) -> Any:
    """The function of a metric; ``accuracy`` and ``crossentropy`` by the output's shape and the loss."""
    kind = {"acc": "accuracy", "ce": "crossentropy"}.get(metric, metric) if isinstance(metric, str) else None
    if kind not in _BY_KIND:
        return metrics_module.get(metric)
    binary, sparse, categorical = _BY_KIND[kind]
    fn = getattr(loss_fn, "fn", loss_fn)
    if (output_shape and output_shape[-1] == 1) or fn is losses.binary_crossentropy:
        return binary
    return sparse if fn is losses.sparse_categorical_crossentropy else categorical


def collect_per_output_metric_info(
    metrics: Any,
    output_names: Names,
    output_shapes: Sequence[Any],
    loss_fns: Sequence[Any],
    is_weighted: bool = False,
) -> list[dict[str, Any]]:
    """For each output, metric objects by name."""
    result = []
    for wanted, shape, loss_fn in zip(_per_output(metrics, output_names), output_shapes, loss_fns, strict=True):
        found: dict[str, Any] = {}
        for metric in wanted:
            name = get_metric_name(metric, is_weighted)
            fn = get_metric_function(metric, output_shape=shape, loss_fn=loss_fn)
            found[name] = (
                fn if isinstance(fn, metrics_module.Metric) else metrics_module.MeanMetricWrapper(fn, name=name)
            )
        result.append(found)
    return result


def _per_output(metrics: Any, output_names: Names) -> list[list[Any]]:
    if not metrics:
        return [[] for _ in output_names]
    if isinstance(metrics, (list, tuple)):
        if any(isinstance(m, (list, tuple)) for m in metrics):
            if len(metrics) != len(output_names):
                raise ValueError(
                    "When passing a list of lists as `metrics`, it should have one entry per model output. The "
                    "model has "
                    f"{len(output_names)} outputs, but you passed metrics={metrics}"
                )
            return [to_list(m, allow_tuple=True) for m in metrics]
        if len(output_names) > 1:
            return [metrics_module.clone_metrics(metrics) for _ in output_names]
        return [list(metrics)]
    if isinstance(metrics, dict):
        check_for_unexpected_keys("metrics", metrics, output_names)
        return [to_list(metrics.get(name, []), allow_tuple=True) for name in output_names]
    raise TypeError("Type of `metrics` argument not understood. Expected a list or dictionary, found: " + str(metrics))


def call_metric_function(
    metric_fn: Any, y_true: Tensor, y_pred: Tensor = None, weights: Tensor = None, mask: Tensor = None
) -> Tensor:
    """A metric's result, with weights and mask multiplied where both are there."""
    if mask is not None:
        mask = K.cast(mask, K.dtype(y_pred if y_pred is not None else y_true))
        if weights is None:
            weights = mask
        else:
            mask, weights = losses_utils.squeeze_or_expand_dimensions(mask, sample_weight=weights)
            weights = weights * mask
    if y_pred is not None:
        return metric_fn(y_true, y_pred, sample_weight=weights)
    return metric_fn(y_true, sample_weight=weights)


def weighted_masked_objective(fn: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A loss function with weights and mask, as Keras had it before 2.3: the mean over what the mask keeps."""

    def weighted(y_true: Tensor, y_pred: Tensor, weights: Tensor, mask: Tensor = None) -> Tensor:
        score = fn(y_true, y_pred)
        if mask is not None:
            mask = K.cast(mask, K.dtype(score))
            score = score * mask / (K.mean(mask) + K.epsilon())
        if weights is not None:
            score = (
                K.mean(score, axis=list(range(K.ndim(weights), K.ndim(score))))
                if K.ndim(score) > K.ndim(weights)
                else score
            )
            score = score * weights
            score = score / K.mean(K.cast(K.not_equal(weights, 0), K.floatx()))
        return K.mean(score)

    return weighted
