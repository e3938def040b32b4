"""User data to lists of arrays, with Keras's error messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import backend as K
from .. import losses

Array = Any
Names = Sequence[str]


def standardize_single_array(x: Any) -> Any:
    """An array with a batch axis and at least one more; data frames give their values. Sparse matrices stay sparse."""
    if x is None:
        return None
    if K.is_tensor(x):
        shape = K.int_shape(x)
        if shape and shape[0] is None:
            raise ValueError(
                "When feeding symbolic tensors to a model, we expect the tensors to have a static batch size. Got "
                "tensor "
                f"with shape: {shape}"
            )
        return x
    if hasattr(x, "tocsr"):  # a sparse matrix of SciPy, in the form that gives rows
        return x.tocsr()
    if type(x).__name__ == "DataFrame" and hasattr(x, "values"):
        x = x.values
    if hasattr(x, "shape") and x.ndim == 1:
        return np.expand_dims(x, 1)
    return x


def standardize_input_data(
    data: Any,
    names: Names,
    shapes: Sequence[Any] | None = None,
    check_batch_axis: bool = True,
    exception_prefix: str = "",
) -> list[Any]:
    """Data as a list of arrays in the order of ``names``, checked against ``shapes`` (None: unchecked).

    Raises:
        ValueError, TypeError: in Keras's words.
    """
    if not names:
        if data is not None and hasattr(data, "__len__") and len(data):
            raise ValueError(f"Error when checking model {exception_prefix}: expected no data, but got:", data)
        return []
    if data is None:
        return [None] * len(names)
    arrays = _count_checked([standardize_single_array(x) for x in _listed(data, names)], names, exception_prefix)
    for name, array, shape in zip(names, arrays, shapes or [None] * len(names), strict=True):
        if shape is not None and array is not None and getattr(getattr(array, "dtype", None), "kind", "f") != "O":
            _check_shape(name, array, tuple(shape), check_batch_axis, exception_prefix)
        if getattr(getattr(array, "dtype", None), "kind", "f") not in "biuf":
            hint = ""
            if array.dtype.kind == "O" and all(isinstance(row, (list, tuple, np.ndarray)) for row in array.flat):
                hint = ". Its rows have different lengths; keras.preprocessing.sequence.pad_sequences makes them equal"
            raise TypeError(
                f"Error when checking {exception_prefix}: expected {name} to hold numbers, but got an array of dtype "
                f"{array.dtype} with shape {tuple(array.shape)}{hint}"
            )
    return arrays


def _listed(data: Any, names: Names) -> list[Any]:
    if isinstance(data, Mapping):
        for name in names:
            if name not in data:
                raise ValueError(f'No data provided for "{name}". Need data for each key in: {list(names)}')
        return [_array(data[name]) for name in names]
    if isinstance(data, (list, tuple)):
        if len(data) and isinstance(data[0], (list, tuple)):
            return [_array(d) for d in data] if len(data) == len(names) else [_array(data)]
        if len(names) == 1 and len(data) and isinstance(data[0], (float, int)):
            return [np.asarray(data)]
        return list(data)
    return [data]


def _array(x: Any) -> Any:
    if not isinstance(x, (list, tuple)):
        return x
    try:
        return np.asarray(x)
    except ValueError:  # rows of different lengths
        rows = np.empty(len(x), object)
        rows[:] = x
        return rows


def _count_checked(arrays: list[Any], names: Names, prefix: str) -> list[Any]:
    if len(arrays) == len(names):
        if len(arrays) == 1 and not hasattr(arrays[0], "shape"):
            raise TypeError(
                f"Error when checking model {prefix}: data should be a Numpy array, or list/dict of Numpy arrays. "
                f"Found: {str(arrays)[:200]}..."
            )
        return arrays
    if arrays and hasattr(arrays[0], "shape"):
        raise ValueError(
            f"Error when checking model {prefix}: the list of Numpy arrays that you are passing to your model is "
            "not the "
            f"size the model expected. Expected to see {len(names)} array(s), for {list(names)}, but instead got the "
            f"following list of {len(arrays)} arrays, with shapes {[np.shape(a) for a in arrays]}"
        )
    if len(names) > 1:
        raise ValueError(
            f"Error when checking model {prefix}: you are passing a list as input to your model, but the model "
            "expects a "
            f"list of {len(names)} Numpy arrays instead. The list you passed was: {str(arrays)[:200]}"
        )
    return [np.asarray(arrays)]


def _check_shape(name: str, array: Any, shape: tuple[Any, ...], check_batch_axis: bool, prefix: str) -> None:
    found = K.int_shape(array) if K.is_tensor(array) else tuple(array.shape)
    if len(found) != len(shape):
        raise ValueError(
            f"Error when checking {prefix}: expected {name} to have {len(shape)} dimensions, but got array with "
            f"shape {found}"
        )
    if not check_batch_axis:
        found, shape = found[1:], shape[1:]
    for got, wanted in zip(found, shape, strict=True):
        if wanted and got is not None and got != wanted:
            raise ValueError(
                f"Error when checking {prefix}: expected {name} to have shape {shape} but got array with shape {found}"
                f"{_single_sample(array, shape)}"
            )


def _single_sample(array: Any, shape: tuple[Any, ...]) -> str:
    """A hint where an array of one axis, which counts as one number a sample, can only be meant as one sample."""
    if array.ndim == 2 and array.shape == (shape[-1], 1) and shape[-1] != 1:
        return f". One sample of {shape[-1]} numbers needs an axis in front: x[numpy.newaxis]"
    return ""


def standardize_sample_or_class_weights(x_weight: Any, output_names: Names, weight_type: str) -> list[Any]:
    """Weights as a list in the order of the outputs."""
    if x_weight is None or (isinstance(x_weight, (list, dict)) and len(x_weight) == 0):
        return [None] * len(output_names)
    if len(output_names) == 1:
        if isinstance(x_weight, list) and len(x_weight) == 1:
            return x_weight
        if isinstance(x_weight, dict) and output_names[0] in x_weight:
            return [x_weight[output_names[0]]]
        return [x_weight]
    if isinstance(x_weight, (list, tuple)):
        if len(x_weight) != len(output_names):
            raise ValueError(
                f"Provided `{weight_type}` was a list of {len(x_weight)} elements, but the model has "
                f"{len(output_names)} "
                f"outputs. You should provide one `{weight_type}`array per model output."
            )
        return list(x_weight)
    if isinstance(x_weight, dict):
        unknown = set(x_weight).difference(output_names)
        if unknown:
            raise ValueError(
                f"Unknown entries in {weight_type} dictionary: {list(unknown)}. Only expected following keys: "
                f"{list(output_names)}"
            )
        return [x_weight.get(name) for name in output_names]
    raise TypeError(
        f"The model has multiple outputs, so `{weight_type}` should be either a list or a dict. "
        f"Provided `{weight_type}` type not understood: {x_weight}"
    )


def standardize_class_weights(class_weight: Any, output_names: Names) -> list[Any]:
    """Class weights as a list in the order of the outputs."""
    return standardize_sample_or_class_weights(class_weight, output_names, "class_weight")


def standardize_sample_weights(sample_weight: Any, output_names: Names) -> list[Any]:
    """Sample weights as a list in the order of the outputs."""
    return standardize_sample_or_class_weights(sample_weight, output_names, "sample_weight")


def check_array_length_consistency(inputs: Sequence[Any], targets: Sequence[Any], weights: Any = None) -> None:
    """Check that arrays have as many samples as each other.

    Raises:
        ValueError: if not.
    """
    counts = [_sample_counts(x) for x in (inputs, targets, weights)]
    for what, arrays, found in zip(
        ("input arrays (x)", "target arrays (y)", "sample_weight arrays"),
        (inputs, targets, weights),
        counts,
        strict=True,
    ):
        if len(found) > 1:
            raise ValueError(
                f"All {what} should have the same number of samples. Got array shapes: "
                f"{[np.shape(x) for x in arrays if x is not None]}"
            )
    (x, y, w) = (min(c) if c else None for c in counts)
    if x is not None and y is not None and x != y:
        raise ValueError(
            "Input arrays should have the same number of samples as target arrays. "
            f"Found {x} input samples and {y} target samples."
        )
    if y is not None and w is not None and y != w:
        raise ValueError(
            "Sample_weight arrays should have the same number of samples as target arrays. "
            f"Found {w} sample_weight samples and {y} target samples."
        )


def _sample_counts(arrays: Any) -> set[int]:
    return {int(x.shape[0]) for x in arrays or () if x is not None and not K.is_tensor(x)}


def check_loss_and_target_compatibility(
    targets: Sequence[Any], loss_fns: Sequence[Any], output_shapes: Sequence[Any]
) -> None:
    """Check that targets have the form that the losses take.

    Raises:
        ValueError: for integer labels under ``categorical_crossentropy``, or a target of another shape than the output.
    """
    same_shape = {losses.mean_squared_error, losses.binary_crossentropy, losses.categorical_crossentropy}
    for y, loss, shape in zip(targets, loss_fns, output_shapes, strict=True):
        if y is None or loss is None or K.is_tensor(y) or shape is None:
            continue
        fn = getattr(loss, "fn", loss)
        if fn is losses.categorical_crossentropy and y.shape[-1] == 1:
            raise ValueError(
                f"You are passing a target array of shape {y.shape} while using as loss `categorical_crossentropy`. "
                "`categorical_crossentropy` expects targets to be binary matrices (1s and 0s) of shape (samples, "
                "classes). "
                "If your targets are integer classes, you can convert them to the expected format via:\n"
                "```\nfrom keras.utils import to_categorical\ny_binary = to_categorical(y_int)\n```\n\n"
                "Alternatively, you can use the loss function `sparse_categorical_crossentropy` instead, which "
                "does expect "
                "integer targets."
            )
        if fn in same_shape and any(
            out is not None and got != out for got, out in zip(y.shape[1:], shape[1:], strict=False)
        ):
            raise ValueError(
                f"A target array with shape {y.shape} was passed for an output of shape {shape} while using as loss "
                f"`{fn.__name__}`. This loss expects targets to have the same shape as the output."
            )


def check_label_form(targets: Any, names: Names, loss_fns: Sequence[Any], output_shapes: Sequence[Any]) -> None:
    """Check that labels have the form of their crossentropy: a row for each sample, or a number.

    Raises:
        ValueError: for class numbers under ``categorical_crossentropy``, rows under the sparse one.
    """
    arrays = standardize_input_data(targets, names, None, exception_prefix="target")
    for name, y, loss, shape in zip(names, arrays, loss_fns, output_shapes, strict=True):
        fn = getattr(loss, "fn", loss)
        if shape is None or getattr(y, "shape", None) is None or len(y.shape) != len(shape) or len(shape) < 2:
            continue
        found = f"Error when checking target: expected {name} to have shape {tuple(shape[1:])} but got array with shape"
        if fn is losses.categorical_crossentropy and y.shape[-1] == 1 and (shape[-1] or 1) > 1:
            raise ValueError(
                f"{found} {tuple(y.shape[1:])}. The loss `categorical_crossentropy` expects a row of {shape[-1]} "
                "numbers for each sample; for class numbers use `sparse_categorical_crossentropy`, or "
                "`to_categorical(y)`"
            )
        if fn is losses.sparse_categorical_crossentropy and shape[-1] == 1 and y.shape[-1] > 1:
            raise ValueError(
                f"{found} {tuple(y.shape[1:])}. The loss `sparse_categorical_crossentropy` expects a class number for "
                "each sample; for rows of numbers (one-hot) use `categorical_crossentropy`"
            )


def check_labels(
    targets: Sequence[Any], names: Names, loss_fns: Sequence[Any], classes: Sequence[int | None]
) -> None:
    """Check that integer labels name classes that an output has.

    Raises:
        ValueError: for a label outside ``0 ... classes - 1`` under ``sparse_categorical_crossentropy``.
    """
    for y, name, loss, count in zip(targets, names, loss_fns, classes, strict=True):
        if getattr(loss, "fn", loss) is losses.sparse_categorical_crossentropy and isinstance(y, np.ndarray) and count:
            wrong = y[(y < 0) | (y >= count)]
            if wrong.size:
                raise ValueError(
                    f"Received a label value of {wrong.flat[0]} which is outside the valid range of [0, {count}). "
                    f"The output {name} has {count} classes, which are numbered from 0 to {count - 1}."
                )


def standardize_weights(
    y: Array, sample_weight: Any = None, class_weight: Any = None, sample_weight_mode: str | None = None
) -> Array:
    """One weight per sample (or per step, in ``"temporal"`` mode) from sample weights and class weights."""
    if sample_weight_mode not in (None, "temporal"):
        raise ValueError(f'"sample_weight_mode should be None or "temporal". Found: {sample_weight_mode}')
    if sample_weight is not None:
        sample_weight = np.asarray(sample_weight)
        _check_weights(y, sample_weight, sample_weight_mode)
    by_class = _class_weights(y, class_weight) if isinstance(class_weight, dict) else None
    if sample_weight is not None and by_class is not None:
        return sample_weight * by_class
    if sample_weight is not None:
        return sample_weight
    if by_class is not None:
        return by_class
    return np.ones(y.shape[: 1 if sample_weight_mode is None else 2], dtype=K.floatx())


def _check_weights(y: Array, weight: Array, mode: str | None) -> None:
    if mode == "temporal" and len(y.shape) < 3:
        raise ValueError(
            f"Found a sample_weight array for an input with shape {y.shape}. Timestep-wise sample weighting (use of "
            'sample_weight_mode="temporal") is restricted to outputs that are at least 3D, i.e. that have a time '
            "dimension."
        )
    if mode == "temporal" and weight.ndim != 2:
        raise ValueError(
            f"Found a sample_weight array with shape {weight.shape}. In order to use timestep-wise sample "
            "weighting, you "
            "should pass a 2D sample_weight array."
        )
    if mode is None and weight.ndim != 1:
        raise ValueError(
            f"Found a sample_weight array with shape {weight.shape}. In order to use timestep-wise sample weights, you "
            'should specify sample_weight_mode="temporal" in compile(). If you just mean to use sample-wise '
            "weights, make "
            "sure your sample_weight array is 1D."
        )
    if y.shape[: weight.ndim] != weight.shape:
        raise ValueError(
            f"Found a sample_weight array with shape {weight.shape} for an input with shape {y.shape}. "
            "sample_weight cannot "
            "be broadcast."
        )


def _class_weights(y: Array, class_weight: dict[Any, float]) -> Array:
    if len(y.shape) > 2:
        raise ValueError("`class_weight` not supported for 3+ dimensional targets.")
    if len(y.shape) == 2:
        classes = np.argmax(y, axis=1) if y.shape[1] > 1 else np.reshape(y, y.shape[0])
    else:
        classes = np.asarray(y)
    present, positions = np.unique(classes, return_inverse=True)
    missing = {c.item() for c in present if c.item() not in class_weight}
    if missing:
        raise ValueError(
            f"`class_weight` must contain all classes in the data. The classes {missing} exist in the data but not in "
            "`class_weight`."
        )
    table = np.asarray([class_weight[c.item()] for c in present])
    return table[positions.reshape(-1)]
