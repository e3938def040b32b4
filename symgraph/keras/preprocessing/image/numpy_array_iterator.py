"""Batches of images that are an array."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ...backend import floatx
from .files import channels_first
from .iterator import Array, Iterator, save_batch, share_of_subset


class NumpyArrayIterator(Iterator):
    """Batches of an array of images, transformed by an ``ImageDataGenerator``.

    Args:
        x: images of rank 4; or (images, array or list of arrays that go along with them unchanged).
        y: their targets.
        subset: ``'training'`` or ``'validation'``: a part of the samples, by the generator's ``validation_split``.
        save_to_dir: a folder to which all images that are made are written.
        dtype: of the batches (by default ``floatx()``).

    Raises:
        ValueError: if the arrays differ in length, the images are not of rank 4, or a class is in one subset only.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: Any,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        dtype: Any = None,
    ) -> None:
        self.dtype = dtype or floatx()
        is_first = channels_first(data_format)
        self.data_format = "channels_first" if is_first else "channels_last"
        images, misc = _with_company(x)
        along: dict[str, Array | None] = {f"x[1][{i}]": array for i, array in enumerate(misc)}
        along["y"] = None if y is None else np.asarray(y)
        along["sample_weight"] = None if sample_weight is None else np.asarray(sample_weight)
        for name, array in along.items():
            if array is not None and len(array) != len(images):
                raise ValueError(
                    f"`x` (images tensor) and `{name}` should have the same length. Found: x.shape = {images.shape}, "
                    f"{name}.shape = {array.shape}"
                )
        share = share_of_subset(subset, image_data_generator._validation_split if subset else 0.0)
        if share is not None:
            cut = int(len(images) * image_data_generator._validation_split)
            _check_classes(along["y"], cut)
            part = slice(0, cut) if subset == "validation" else slice(cut, None)
            images = images[part]
            along = {name: None if array is None else array[part] for name, array in along.items()}
        self.y = along.pop("y")
        self.sample_weight = along.pop("sample_weight")
        self.x = images
        self.x_misc = list(along.values())
        if images.ndim != 4:
            raise ValueError(
                f"Input data in `NumpyArrayIterator` should have rank 4. You passed an array with shape {images.shape}"
            )
        axis = 1 if is_first else 3
        if images.shape[axis] not in (1, 3, 4):
            warnings.warn(
                f'NumpyArrayIterator is set to use the data format convention "{self.data_format}" (channels on axis '
                f"{axis}), i.e. expected either 1, 3, or 4 channels on axis {axis}. However, it was passed an array "
                f"with shape {images.shape} ({images.shape[axis]} channels).",
                stacklevel=2,
            )
        self.image_data_generator = image_data_generator
        self.save_to_dir = save_to_dir
        self.save_prefix = save_prefix
        self.save_format = save_format
        super().__init__(len(images), batch_size, shuffle, seed)

    def _get_batches_of_transformed_samples(self, index_array: Array) -> Any:
        batch = np.zeros((len(index_array), *self.x.shape[1:]), dtype=self.dtype)
        generator = self.image_data_generator
        for place, i in enumerate(index_array):
            x = self.x[i].astype(self.dtype)  # a copy: `standardize` works in place
            x = generator.apply_transform(x, generator.get_random_transform(x.shape))
            batch[place] = generator.standardize(x)
        save_batch(self, batch, index_array)
        misc = [array[index_array] for array in self.x_misc if array is not None]
        x = [batch, *misc] if misc else batch
        if self.y is None:
            return x
        if self.sample_weight is None:
            return x, self.y[index_array]
        return x, self.y[index_array], self.sample_weight[index_array]


def _with_company(x: Any) -> tuple[Array, list[Array]]:
    """The images, and the arrays that go along with them."""
    if not isinstance(x, (tuple, list)):
        return np.asarray(x), []
    if len(x) != 2:
        raise ValueError(
            f"`x` should be an array of images, or (images, array or list of arrays); it is a {type(x).__name__} of "
            f"{len(x)} items"
        )
    misc = x[1] if isinstance(x[1], list) else [x[1]]
    return np.asarray(x[0]), [np.asarray(array) for array in misc]


def _check_classes(y: Array | None, cut: int) -> None:
    if y is not None and not np.array_equal(np.unique(y[:cut]), np.unique(y[cut:])):
        raise ValueError(
            "Training and validation subsets have different number of classes after the split. If your numpy arrays "
            "are sorted by the label, you might want to shuffle them."
        )
