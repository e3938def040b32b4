"""The arrays that a person gives to a model, checked and in the model's order."""

from __future__ import annotations

import warnings
from typing import Any

from .. import backend as K
from ..utils.generic_utils import slice_arrays
from . import training_utils

Arrays = list[Any]


def standardize_user_data(
    model: Any,
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    class_weight: Any = None,
    check_array_lengths: bool = True,
    batch_size: int | None = None,
    weighted: bool = False,
) -> tuple[Arrays, Arrays, Arrays]:
    """Inputs, targets and sample weights as lists of arrays; no weights at all where none were asked for, unless
    ``weighted``: ones then."""
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"`batch_size` should be a positive integer. Found: {batch_size}")
    model._set_up(x)
    x = training_utils.standardize_input_data(
        x, model._feed_input_names, model._feed_input_shapes, check_batch_axis=False, exception_prefix="input"
    )
    weights: Arrays = []
    if y is not None:
        goal = model.objective
        if goal.feed_output_names and isinstance(y, (list, tuple)) and not y:
            raise ValueError(f"No targets were given; the model expects some for {goal.feed_output_names}.")
        training_utils.check_label_form(
            y, goal.feed_output_names, goal.feed_loss_functions, goal.feed_output_shapes
        )
        y = training_utils.standardize_input_data(
            y, goal.feed_output_names, goal.feed_output_shapes, check_batch_axis=False, exception_prefix="target"
        )
        goal = model._objective = goal.adapted(y)
        if weighted or sample_weight is not None or class_weight is not None:
            by_sample = training_utils.standardize_sample_weights(sample_weight, goal.feed_output_names)
            by_class = training_utils.standardize_class_weights(class_weight, goal.feed_output_names)
            weights = [
                training_utils.standardize_weights(ref, sw, cw, mode)
                for ref, sw, cw, mode in zip(y, by_sample, by_class, goal.feed_sample_weight_modes, strict=True)
            ]
        if check_array_lengths:
            training_utils.check_array_length_consistency(x, y, weights)
        training_utils.check_loss_and_target_compatibility(y, goal.feed_loss_functions, goal.feed_output_shapes)
        training_utils.check_labels(y, goal.feed_output_names, goal.feed_loss_functions, goal.feed_class_counts)
    else:
        y = []
        if check_array_lengths:
            training_utils.check_array_length_consistency(x, [], None)
    if x and hasattr(x[0], "shape") and x[0].shape[0] == 0:
        raise ValueError(f"The data has no samples: the array for {model._feed_input_names[0]} has shape {x[0].shape}.")
    static = model._feed_input_shapes[0][0] if model._feed_input_shapes else None
    if static and batch_size and x[0].shape[0] % static:
        raise ValueError(
            "In a stateful network, you should only pass inputs with a number of samples that can be divided by the "
            f"batch size. Found: {x[0].shape[0]} samples. Batch size: {static}."
        )
    return x, y, weights


def cut_to_first(x: Arrays) -> Arrays:
    """Inputs with as many samples as the first of them has, as Keras's ``predict`` takes them.

    Raises:
        ValueError: if one of them has fewer.
    """
    counts = [each.shape[0] for each in x if each is not None and not K.is_tensor(each)]
    if len(counts) < len(x) or len(set(counts)) < 2:
        return x
    if min(counts) < counts[0]:
        training_utils.check_array_length_consistency(x, [])
    warnings.warn(
        f"The first input has {counts[0]} samples, and others have up to {max(counts)}; those past {counts[0]} are "
        "not used.",
        stacklevel=3,
    )
    return slice_arrays(x, 0, counts[0])


def validation_arrays(model: Any, validation_data: Any, batch_size: int | None) -> tuple[Arrays, Arrays, Arrays]:
    """Inputs, targets and sample weights of ``(x, y)`` or ``(x, y, sample_weight)``."""
    if len(validation_data) not in (2, 3):
        raise ValueError(
            "When passing validation_data, it must contain 2 (x_val, y_val) or 3 (x_val, y_val, val_sample_weights) "
            f"items, however it contains {len(validation_data)} items"
        )
    x, y, *rest = validation_data
    return standardize_user_data(model, x, [] if y is None else y, rest[0] if rest else None, batch_size=batch_size)


def split_off(arrays: tuple[Arrays, Arrays, Arrays], share: float) -> tuple[Any, Any]:
    """The first rows of all arrays, and the last ``share`` of them."""
    at = int(int(arrays[0][0].shape[0]) * (1.0 - share))
    return tuple(slice_arrays(a, 0, at) for a in arrays), tuple(slice_arrays(a, at) for a in arrays)
