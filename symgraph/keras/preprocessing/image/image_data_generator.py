"""Images normalised and transformed at random while a model trains."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from .dataframe_iterator import DataFrameIterator
from .directory_iterator import DirectoryIterator
from .files import channels_first
from .numpy_array_iterator import NumpyArrayIterator
from .random_source import drawing_from, random_source
from .transformations import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    flip_axis,
    pair,
    random_zoom_factors,
)

Array = np.ndarray[Any, Any]
_EPSILON = 1e-6


class ImageDataGenerator:
    """Batches of images, normalised and transformed at random.

    Args:
        featurewise_center: subtract the mean of each channel over the data (see :meth:`fit`).
        samplewise_center: subtract the mean of each image.
        featurewise_std_normalization: divide by the standard deviation of each channel over the data.
        samplewise_std_normalization: divide each image by its standard deviation.
        zca_whitening: make the pixels of the data uncorrelated (``zca_epsilon`` is added to variances).
        rotation_range: degrees.
        width_shift_range, height_shift_range: a float below 1 is a share of the size; a float from 1 on, or the
            integers below an integer, are pixels; a list is what to choose from. The sign is random.
        brightness_range: two factors.
        shear_range: degrees.
        zoom_range: two factors, or a float ``z`` for ``1 - z`` to ``1 + z``.
        channel_shift_range: how far values move.
        fill_mode, cval: what lies past the edges (``'constant'``, ``'nearest'``, ``'reflect'`` or ``'wrap'``).
        horizontal_flip, vertical_flip: mirror half of the images.
        rescale: a factor for all values, after all other transformations.
        preprocessing_function: a function of an image (rank 3) that is applied before normalisation.
        data_format: ``'channels_last'`` or ``'channels_first'``.
        validation_split: the share of the data that ``subset='validation'`` gives.
        interpolation_order: 0 takes the nearest pixel, 1 interpolates (higher ones need SciPy).
        dtype: of the batches.

    Raises:
        ValueError: for values that make no sense.

    Example:
        >>> images = np.zeros((5, 8, 8, 1))
        >>> x, y = next(ImageDataGenerator(rotation_range=20).flow(images, np.arange(5), batch_size=3))
        >>> x.shape, y.shape
        ((3, 8, 8, 1), (3,))
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Any = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[Array], Any] | None = None,
        data_format: str | None = "channels_last",
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: Any = "float32",
    ) -> None:
        self.featurewise_center = featurewise_center
        self.samplewise_center = samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening = zca_whitening
        self.zca_epsilon = zca_epsilon
        self.rotation_range = rotation_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.brightness_range = None if brightness_range is None else pair(brightness_range, "brightness_range")
        self.shear_range = shear_range
        is_number = isinstance(zoom_range, (int, float, np.number))
        spread = (1 - zoom_range, 1 + zoom_range) if is_number else zoom_range
        self.zoom_range = list(pair(spread, "zoom_range"))
        self.channel_shift_range = channel_shift_range
        self.fill_mode = fill_mode
        self.cval = cval
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.rescale = rescale
        self.preprocessing_function = preprocessing_function
        self.dtype = dtype
        self.interpolation_order = interpolation_order
        is_first = channels_first(data_format)
        self.data_format = "channels_first" if is_first else "channels_last"
        self.channel_axis, self.row_axis, self.col_axis = (1, 2, 3) if is_first else (3, 1, 2)
        if validation_split and not 0 < validation_split < 1:
            raise ValueError(f"`validation_split` must be strictly between 0 and 1.  Received: {validation_split}")
        self._validation_split = validation_split
        self.mean: Array | None = None
        self.std: Array | None = None
        self.principal_components: Array | None = None
        self._settle_normalization()

    def _settle_normalization(self) -> None:
        """Options that others need are switched on; those that whitening makes useless, off."""
        if self.zca_whitening:
            self._set("featurewise_center", True, "zca_whitening")
            self._set("featurewise_std_normalization", False, "zca_whitening")
        if self.featurewise_std_normalization:
            self._set("featurewise_center", True, "featurewise_std_normalization")
        if self.samplewise_std_normalization:
            self._set("samplewise_center", True, "samplewise_std_normalization")

    def _set(self, option: str, value: bool, because: str) -> None:
        if bool(getattr(self, option)) != value:
            setattr(self, option, value)
            warnings.warn(
                f"This ImageDataGenerator specifies `{because}`, which overrides setting of `{option}`.", stacklevel=5
            )

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Batches of arrays; see :class:`NumpyArrayIterator`."""
        return NumpyArrayIterator(x, y, self, batch_size, shuffle, sample_weight, seed, self.data_format, save_to_dir,
                                  save_prefix, save_format, subset, self.dtype)  # fmt: skip

    def flow_from_directory(
        self,
        directory: Any,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: list[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
    ) -> DirectoryIterator:
        """Batches of files in one folder for each class; see :class:`DirectoryIterator`."""
        return DirectoryIterator(directory, self, target_size, color_mode, classes, class_mode, batch_size, shuffle,
                                 seed, self.data_format, save_to_dir, save_prefix, save_format, follow_links, subset,
                                 interpolation, self.dtype)  # fmt: skip

    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: str | None = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: list[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
        **kwargs: Any,
    ) -> DataFrameIterator:
        """Batches of files named in a table; see :class:`DataFrameIterator`."""
        for name in ("has_ext", "sort", "drop_duplicates"):
            if kwargs.pop(name, None) is not None:
                warnings.warn(f"`{name}` is deprecated and has no effect: rows are used as they are.", stacklevel=2)
        if kwargs:
            raise TypeError(f"flow_from_dataframe() got unexpected keyword arguments: {', '.join(kwargs)}")
        if class_mode == "other":
            warnings.warn('`class_mode` "other" is deprecated, please use `class_mode` "raw".', stacklevel=2)
            class_mode = "raw"
        return DataFrameIterator(dataframe, directory, self, x_col, y_col, weight_col, target_size, color_mode, classes,
                                 class_mode, batch_size, shuffle, seed, self.data_format, save_to_dir, save_prefix,
                                 save_format, subset, interpolation, self.dtype, validate_filenames)  # fmt: skip

    def standardize(self, x: Any) -> Any:
        """Normalise an image or a batch: in place, if it is of floats."""
        if self.preprocessing_function is not None:
            x = self.preprocessing_function(x)
        if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
            x = np.asarray(x, dtype=self.dtype)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, keepdims=True) + _EPSILON
        mean = self._fitted("mean", "featurewise_center")
        if mean is not None:
            x -= mean
        std = self._fitted("std", "featurewise_std_normalization")
        if std is not None:
            x /= std + _EPSILON
        whitening = self._fitted("principal_components", "zca_whitening")
        return x if whitening is None else (x.reshape(-1, len(whitening)) @ whitening).reshape(x.shape)

    def _fitted(self, statistic: str, option: str) -> Array | None:
        """What :meth:`fit` found for an option; None if that is off, or, with a warning, if nothing was fitted."""
        if not getattr(self, option):
            return None
        found: Array | None = getattr(self, statistic)
        if found is None:
            warnings.warn(
                f"This ImageDataGenerator specifies `{option}`, but it hasn't been fit on any training data. Fit it "
                "first by calling `.fit(numpy_data)`.",
                stacklevel=4,
            )
        return found

    def get_random_transform(self, img_shape: tuple[int, ...], seed: int | None = None) -> dict[str, Any]:
        """Random parameters for :meth:`apply_transform`, for an image of a shape."""
        source = random_source() if seed is None else np.random.RandomState(seed)
        turn, shear = self.rotation_range, self.shear_range
        found: dict[str, Any] = {"theta": source.uniform(-turn, turn) if turn else 0}
        found["tx"] = _random_shift(source, self.height_shift_range, img_shape[self.row_axis - 1])
        found["ty"] = _random_shift(source, self.width_shift_range, img_shape[self.col_axis - 1])
        found["shear"] = source.uniform(-shear, shear) if shear else 0
        found["zx"], found["zy"] = random_zoom_factors(self.zoom_range, source)
        found["flip_horizontal"] = bool(source.random_sample() < 0.5) and bool(self.horizontal_flip)
        found["flip_vertical"] = bool(source.random_sample() < 0.5) and bool(self.vertical_flip)
        reach = self.channel_shift_range
        found["channel_shift_intensity"] = source.uniform(-reach, reach) if reach else None
        found["brightness"] = source.uniform(*self.brightness_range) if self.brightness_range is not None else None
        return found

    def apply_transform(self, x: Any, transform_parameters: dict[str, Any]) -> Array:
        """An image transformed by given amounts.

        Args:
            x: an image of rank 3.
            transform_parameters: any of ``theta``, ``tx``, ``ty``, ``shear``, ``zx``, ``zy`` (see
                ``apply_affine_transform``), ``flip_horizontal``, ``flip_vertical``, ``channel_shift_intensity`` and
                ``brightness``.
        """
        row, column, channel = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        get = transform_parameters.get
        x = apply_affine_transform(
            x, get("theta", 0), get("tx", 0), get("ty", 0), get("shear", 0), get("zx", 1), get("zy", 1),
            row, column, channel, self.fill_mode, self.cval, self.interpolation_order,
        )  # fmt: skip
        intensity, brightness = get("channel_shift_intensity"), get("brightness")
        if intensity is not None:
            x = apply_channel_shift(x, intensity, channel)
        if get("flip_horizontal", False):
            x = flip_axis(x, column)
        if get("flip_vertical", False):
            x = flip_axis(x, row)
        if brightness is not None:
            x = np.moveaxis(apply_brightness_shift(np.moveaxis(x, channel, -1), brightness), -1, channel)
        return x

    def random_transform(self, x: Any, seed: int | None = None) -> Array:
        """An image (rank 3) transformed at random."""
        return self.apply_transform(x, self.get_random_transform(np.shape(x), seed))

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Take from data what normalisation over all of it needs: mean, standard deviation, whitening matrix.

        Args:
            x: images, of rank 4.
            augment: use randomly transformed images, ``rounds`` of each.
            seed: of the transformations.

        Raises:
            ValueError: for another rank.
        """
        x = np.array(x, dtype=self.dtype)
        if x.ndim != 4:
            raise ValueError("Input to `.fit()` should have rank 4. Got array with shape: " + str(x.shape))
        if x.shape[self.channel_axis] not in (1, 3, 4):
            warnings.warn(
                f'Expected input to be images (as Numpy array) following the data format convention "'
                f'{self.data_format}" (channels on axis {self.channel_axis}), i.e. expected either 1, 3 or 4 channels '
                f"on axis {self.channel_axis}. However, it was passed an array with shape {x.shape} "
                f"({x.shape[self.channel_axis]} channels).",
                stacklevel=2,
            )
        if self.rescale:
            x *= self.rescale
        if augment:
            with nullcontext() if seed is None else drawing_from(np.random.RandomState(seed)):
                x = np.stack([self.random_transform(image) for _ in range(rounds) for image in x]).astype(self.dtype)
        axes = (0, self.row_axis, self.col_axis)
        if self.featurewise_center:
            mean = np.mean(x, axis=axes, keepdims=True)
            self.mean = mean[0]
            x -= mean
        if self.featurewise_std_normalization:
            std = np.std(x, axis=axes, keepdims=True)
            self.std = std[0]
            x /= std + _EPSILON
        if self.zca_whitening:
            flat = x.reshape(len(x), -1)
            variances, directions = np.linalg.eigh(flat.T @ flat / len(flat))
            scales = 1 / np.sqrt(np.maximum(variances, 0) + self.zca_epsilon)
            self.principal_components = (directions * scales) @ directions.T


def _random_shift(source: Any, choices: Any, size: int) -> float:
    """Pixels: chosen from a list or the integers below an integer, with a random sign; or any up to a float."""
    if not np.any(choices):
        return 0
    is_float = np.ndim(choices) == 0 and not isinstance(choices, (int, np.integer))
    if is_float:
        shift = source.uniform(-choices, choices)
    else:
        shift = source.choice(choices) * source.choice([-1, 1])
    return float(shift * size if np.max(choices) < 1 else shift)
