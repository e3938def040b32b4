"""Photographs made ready for networks trained on ImageNet, and the names of its classes."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import backend as K
from ..utils import get_file
from .caution import warn_caller
from .injection import keras_modules_injection

__all__ = ["decode_predictions", "keras_modules_injection", "preprocess_input"]

Tensor = Any
CLASS_INDEX_PATH = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
_CLASS_INDEX_MD5 = "c2c37ea517e94d9795004a39431a14cb"


@dataclass(frozen=True)
class _Scaling:
    """Pixels from 0 to 255 are divided by ``divisor``, turned from RGB to BGR, centered and divided by ``std``."""

    divisor: float = 1.0
    to_bgr: bool = False
    mean: tuple[float, ...] = (1.0,)
    std: tuple[float, ...] = (1.0,)


_MODES = {
    "caffe": _Scaling(to_bgr=True, mean=(103.939, 116.779, 123.68)),
    "tf": _Scaling(divisor=127.5),
    "torch": _Scaling(divisor=255.0, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
}


@keras_modules_injection
def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Images as a network wants them.

    Args:
        x: an array or tensor with values from 0 to 255, ``(rows, columns, channels)`` (or, by ``data_format``,
            ``(channels, rows, columns)``), or a batch of them. An array of floats is overwritten, as in Keras; give a
            copy to keep it.
        mode: ``'caffe'`` (BGR, less ImageNet's mean), ``'tf'`` (from -1 to 1) or ``'torch'`` (from 0 to 1, less
            ImageNet's mean, over its deviation).

    Returns:
        An array or tensor of the same shape; of floatx where ``x`` is of integers.

    Raises:
        ValueError: for another mode or data format, and for other than three channels where their order matters.

    Example:
        >>> import numpy as np
        >>> preprocess_input(np.array([[[0, 51, 255]]]), mode="tf")
        array([[[-1. , -0.6,  1. ]]], dtype=float32)
    """
    if data_format is None:
        data_format = K.image_data_format()
    if data_format not in {"channels_first", "channels_last"}:
        raise ValueError(f"Unknown data_format {data_format}")
    if mode not in _MODES:
        raise ValueError(f"Expected mode to be one of `caffe`, `tf` or `torch`. Got: mode={mode}")
    if not isinstance(x, np.ndarray) and not K.is_tensor(x):
        raise ValueError(f"`x` should be an array or a tensor, not a {type(x).__name__}")
    scaling = _MODES[mode]
    rank, channels_first = len(x.shape), data_format == "channels_first"
    if rank < 3:
        raise ValueError(f"`x` should be an image or a batch of images. Got an x of shape {tuple(x.shape)}")
    axis = rank - 3 if channels_first else rank - 1
    if len(scaling.mean) > 1 and x.shape[axis] not in (3, None):
        raise ValueError(
            f"mode `{mode}` is for images of 3 channels; x has {x.shape[axis]} on axis {axis} (data_format "
            f"{data_format}): its shape is {tuple(x.shape)}"
        )
    spread = (-1, 1, 1) if channels_first else (-1,)
    process = _processed_array if isinstance(x, np.ndarray) else _processed_tensor
    return process(x, scaling, axis, spread)


def _processed_array(x: np.ndarray[Any, Any], scaling: _Scaling, axis: int, spread: tuple[int, ...]) -> Any:
    x = x if np.issubdtype(x.dtype, np.floating) else x.astype(K.floatx())
    if scaling.divisor != 1.0:
        x /= scaling.divisor
    x = np.flip(x, axis) if scaling.to_bgr else x
    x -= np.array(scaling.mean, x.dtype).reshape(spread)
    if len(scaling.std) > 1:
        x /= np.array(scaling.std, x.dtype).reshape(spread)
    return x


def _processed_tensor(x: Tensor, scaling: _Scaling, axis: int, spread: tuple[int, ...]) -> Tensor:
    dtype = K.dtype(x) if "float" in K.dtype(x) else K.floatx()
    x = K.cast(x, dtype) / scaling.divisor
    x = K.reverse(x, [axis]) if scaling.to_bgr else x
    x = x - K.constant(np.array(scaling.mean).reshape(spread), dtype)
    return x if len(scaling.std) == 1 else x / K.constant(np.array(scaling.std).reshape(spread), dtype)


def preparation(mode: str, module: str) -> Callable[..., Any]:
    """The ``preprocess_input`` of a network's module: :func:`preprocess_input` by ``mode``."""

    def prepare(x: Any, data_format: str | None = None) -> Any:
        return preprocess_input(x, data_format, mode=mode)

    prepare.__module__, prepare.__name__, prepare.__qualname__ = module, "preprocess_input", "preprocess_input"
    sense = "Images from 0 to 255 as the network wants them"
    prepare.__doc__ = f"{sense}: :func:`.imagenet_utils.preprocess_input` by mode ``{mode}``."
    return keras_modules_injection(prepare)


@keras_modules_injection
def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, Any]]]:
    """The likeliest classes of each sample: ``(id in WordNet, name, score)``, by falling score.

    Args:
        preds: scores ``(samples, 1000)``.
        top: how many classes to give.

    Raises:
        ValueError: for scores of another shape.
        OSError: if the names are not in ``~/.keras/models`` and cannot be downloaded.
    """
    scores = np.asarray(preds)
    if scores.ndim != 2 or scores.shape[1] != 1000:
        raise ValueError(
            "`decode_predictions` expects a batch of predictions (i.e. a 2D array of shape (samples, 1000)). Found "
            f"array with shape: {scores.shape}"
        )
    if not 0 < top <= 1000:
        raise ValueError(f"`top` should be from 1 to 1000. Got: {top}")
    path = get_file(
        "imagenet_class_index.json", CLASS_INDEX_PATH, cache_subdir="models", file_hash=_CLASS_INDEX_MD5
    )  # fmt: skip
    names = _class_index(path)
    return [[(*names[i], row[i]) for i in np.argsort(-row, kind="stable")[:top]] for row in scores]


@functools.lru_cache(maxsize=1)
def _class_index(path: str) -> tuple[tuple[str, str], ...]:
    found = json.loads(Path(path).read_text(encoding="utf-8"))
    return tuple((found[str(i)][0], found[str(i)][1]) for i in range(1000))


def _obtain_input_shape(
    input_shape: Sequence[int | None] | None,
    default_size: int,
    min_size: int,
    data_format: str,
    require_flatten: bool,
    weights: Any = None,
) -> tuple[int | None, ...]:
    """The shape of one image, checked.

    Args:
        input_shape: what the user gave; None for the default.
        default_size: rows and columns of the images that the network was trained on.
        min_size: the fewest rows and columns it works with.
        require_flatten: whether the sizes have to be known.
        weights: ``'imagenet'`` where the published weights are loaded, for which images have three channels.

    Raises:
        ValueError: for a shape that does not fit.
    """
    published = isinstance(weights, str) and weights == "imagenet"
    channels_first = data_format == "channels_first"
    given = None if input_shape is None else tuple(input_shape)
    if given is not None and len(given) != 3:
        raise ValueError(f"`input_shape` must be a tuple of three integers. Got `input_shape={given}`")
    channels = 3 if given is None or published else given[0 if channels_first else -1]
    if channels not in {1, 3}:
        warn_caller(
            "This model usually expects 1 or 3 input channels. However, it was passed an input_shape with "
            f"{channels} input channels."
        )
    default = _formatted(channels_first, channels, default_size, default_size)
    if published and require_flatten:
        if given is not None and given != default:
            raise ValueError(
                "When setting `include_top=True` and loading `imagenet` weights, `input_shape` should be "
                f"{default}. Got `input_shape={given}`"
            )
        return default
    if given is None:
        return default if require_flatten else _formatted(channels_first, 3, None, None)
    if published and given[0 if channels_first else -1] != 3:
        raise ValueError(f"The input must have 3 channels; got `input_shape={given}`")
    sizes = given[1:] if channels_first else given[:-1]
    if any(size is not None and size < min_size for size in sizes):
        raise ValueError(f"Input size must be at least {min_size}x{min_size}; got `input_shape={given}`")
    if require_flatten and None in given:
        raise ValueError(
            f"If `include_top` is True, you should specify a static `input_shape`. Got `input_shape={given}`"
        )
    return given


def _formatted(
    channels_first: bool, channels: int | None, rows: int | None, columns: int | None
) -> tuple[int | None, ...]:
    return (channels, rows, columns) if channels_first else (rows, columns, channels)


imagenet_utils = sys.modules[__name__]  # in Keras, the module that this one took its code from
