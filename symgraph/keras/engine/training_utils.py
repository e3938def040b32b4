"""Helpers of training: batches, steps, and the preparation of data and objectives (from their own modules)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import backend as K
from .objectives import (
    call_metric_function,
    collect_per_output_metric_info,
    get_loss_function,
    get_metric_function,
    get_metric_name,
    get_output_sample_weight_and_mode,
    prepare_loss_functions,
    prepare_loss_weights,
    prepare_sample_weights,
    weighted_masked_objective,
)
from .standardize import (
    check_array_length_consistency,
    check_label_form,
    check_labels,
    check_loss_and_target_compatibility,
    standardize_class_weights,
    standardize_input_data,
    standardize_sample_or_class_weights,
    standardize_sample_weights,
    standardize_single_array,
    standardize_weights,
)

__all__ = [
    "batch_shuffle",
    "call_metric_function",
    "check_array_length_consistency",
    "check_generator_arguments",
    "check_label_form",
    "check_labels",
    "check_loss_and_target_compatibility",
    "check_num_samples",
    "collect_per_output_metric_info",
    "get_input_shape_and_dtype",
    "get_loss_function",
    "get_metric_function",
    "get_metric_name",
    "get_output_sample_weight_and_mode",
    "get_static_batch_size",
    "is_generator_or_sequence",
    "is_sequence",
    "iter_sequence_infinite",
    "make_batches",
    "prepare_loss_functions",
    "prepare_loss_weights",
    "prepare_sample_weights",
    "should_run_validation",
    "standardize_class_weights",
    "standardize_input_data",
    "standardize_sample_or_class_weights",
    "standardize_sample_weights",
    "standardize_single_array",
    "standardize_weights",
    "weighted_masked_objective",
]

Array = np.ndarray[Any, Any]


def batch_shuffle(index_array: Array, batch_size: int) -> Array:
    """Batches in random order, samples inside a batch in theirs; the short rest stays at the end."""
    whole = len(index_array) // batch_size * batch_size
    batches = index_array[:whole].reshape((-1, batch_size))
    np.random.shuffle(batches)
    return np.append(batches.flatten(), index_array[whole:])


def make_batches(size: int, batch_size: int) -> list[tuple[int, int]]:
    """``(start, stop)`` of each batch."""
    return [(i, min(size, i + batch_size)) for i in range(0, size, batch_size)]


def check_num_samples(
    ins: Sequence[Any], batch_size: int | None = None, steps: int | None = None, steps_name: str = "steps"
) -> int | None:
    """The number of samples, or None where the length is given in steps.

    Raises:
        ValueError: if both or neither are known, or there is no sample.
    """
    if steps is not None and batch_size is not None:
        raise ValueError(f"If {steps_name} is set, the `batch_size` must be None.")
    if not ins or any(K.is_tensor(x) for x in ins):
        if steps is None:
            raise ValueError(
                f"If your data is in the form of symbolic tensors, you should specify the `{steps_name}` argument "
                "(instead "
                "of the `batch_size` argument)."
            )
        return None
    if hasattr(ins[0], "shape"):
        samples = int(ins[0].shape[0])
        if samples == 0:
            raise ValueError(f"The data has no samples: the first array has shape {tuple(ins[0].shape)}.")
        return samples
    return None


def should_run_validation(validation_freq: Any, epoch: int) -> bool:
    """Whether the epoch (from 0) ends with a validation run.

    ``validation_freq`` is a period, or the collection of epochs (from 1) to validate after.
    """
    if isinstance(validation_freq, int):
        if validation_freq < 1:
            raise ValueError("`validation_freq` can not be less than 1.")
        return (epoch + 1) % validation_freq == 0
    if not hasattr(validation_freq, "__contains__"):
        raise ValueError("`validation_freq` must be an Integer or `collections.Container` (e.g. list, tuple, etc.)")
    return (epoch + 1) in validation_freq


def is_sequence(seq: Any) -> bool:
    """Whether ``seq`` has the interface of ``keras.utils.Sequence``."""
    return getattr(seq, "use_sequence_api", False) or {"__len__", "__getitem__", "on_epoch_end"} <= set(dir(seq))


def is_generator_or_sequence(x: Any) -> bool:
    """Whether ``x`` is a generator or a sequence of batches."""
    import inspect

    return inspect.isgenerator(x) or is_sequence(x)


def iter_sequence_infinite(seq: Any) -> Iterator[Any]:
    """The batches of a sequence, again and again."""
    while True:
        yield from seq


def check_generator_arguments(y: Any = None, sample_weight: Any = None, validation_split: Any = None) -> None:
    """Check that a generator comes without what it should give itself."""
    if y is not None:
        raise ValueError(
            "`y` argument is not supported when data is a generator or Sequence instance. Instead pass targets as "
            "the second element of the generator."
        )
    if sample_weight is not None:
        raise ValueError(
            "`sample_weight` argument is not supported when data is a generator or Sequence instance. Instead pass "
            "sample weights as the third element of the generator."
        )
    if validation_split:
        raise ValueError("If your data is in the form of a Python generator, you cannot use `validation_split`.")


def get_static_batch_size(layer: Any) -> int | None:
    """The batch size that a layer fixes, or None."""
    shape, _ = get_input_shape_and_dtype(layer)
    return shape[0] if shape is not None else None


def get_input_shape_and_dtype(layer: Any) -> tuple[Any, Any]:
    """The batch input shape and dtype that a layer (or the first layer of a model) declares; None where it does not."""
    while hasattr(layer, "layers"):
        if not layer.layers:
            raise ValueError("An empty Model cannot be used as a Layer.")
        layer = layer.layers[0]
    return (layer.batch_input_shape, layer.dtype) if hasattr(layer, "batch_input_shape") else (None, None)
