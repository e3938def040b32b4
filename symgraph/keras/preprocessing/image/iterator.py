"""Batches of images in order or shuffled, for several threads at once; and those whose images are files."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator as Iterated
from typing import Any

import numpy as np

from ...utils.enqueuers import Sequence
from .files import array_to_img, img_to_array, load_img
from .random_source import drawing_from, random_source

Array = np.ndarray[Any, Any]


class Iterator(Sequence):
    """Batches by number (as a ``Sequence``), or one after the other without end (``next``).

    A subclass gives ``_get_batches_of_transformed_samples(index_array)``. What a batch draws at random depends on the
    seed, the batch and the epoch, not on which thread or process makes it.

    Args:
        n: number of samples.
        shuffle: use the samples in a new order each epoch.
        seed: of the order and of what batches draw; by default, one that NumPy's global state gives.
    """

    white_list_formats = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None) -> None:
        self.n = n
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.batch_index = 0
        self.total_batches_seen = 0
        self.lock = threading.Lock()
        self.index_array: Array | None = None
        self.index_generator = self._flow_index()
        self._hidden_seed = int(np.random.randint(2**31)) if seed is None else 0
        self._epoch = 0
        self._visits: dict[int, int] = {}
        self._source = self._source_of(0)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("lock", "index_generator")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.lock = threading.Lock()
        self.index_generator = self._flow_index()

    def _source_of(self, number: int) -> np.random.RandomState:
        """What batch ``number`` (counted on through the epochs) draws from."""
        if self.seed is None:
            return np.random.RandomState([self._hidden_seed, number])
        return np.random.RandomState((self.seed + number) % 2**32)

    def _set_index_array(self, source: np.random.RandomState) -> Array:
        self.index_array = source.permutation(self.n) if self.shuffle else np.arange(self.n)
        return self.index_array

    def __getitem__(self, idx: int) -> Any:
        if not -len(self) <= idx < len(self):
            raise ValueError(f"Asked to retrieve element {idx}, but the Sequence has length {len(self)}")
        idx %= len(self)
        with self.lock:
            visits = self._visits[idx] = self._visits.get(idx, -1) + 1
            self.total_batches_seen += 1
            order = self.index_array
            if order is None:
                order = self._set_index_array(self._source_of(self._epoch * len(self)))
            source = self._source_of((self._epoch + visits) * len(self) + idx)
        with drawing_from(source):
            return self._get_batches_of_transformed_samples(order[self.batch_size * idx : self.batch_size * (idx + 1)])

    def __len__(self) -> int:
        return (self.n + self.batch_size - 1) // self.batch_size

    def on_epoch_end(self) -> None:
        """Begin an epoch: a new order, if samples are shuffled."""
        with self.lock:
            self._epoch += 1
            self._visits.clear()
            self._set_index_array(self._source_of(self._epoch * len(self)))

    def reset(self) -> None:
        """Let ``next`` begin with the first batch again."""
        self.batch_index = 0

    def _flow_index(self) -> Iterated[Array]:
        """The samples of each batch, for ever."""
        self.reset()
        while True:
            source = self._source = self._source_of(self.total_batches_seen)
            order = self.index_array
            if order is None or self.batch_index == 0:
                order = self._set_index_array(source)
            first = self.batch_index * self.batch_size
            last = first + self.batch_size
            self.batch_index = self.batch_index + 1 if last < self.n else 0
            self.total_batches_seen += 1
            yield order[first:last]

    def __iter__(self) -> Iterated[Any]:
        return self

    def __next__(self) -> Any:
        return self.next()

    def next(self) -> Any:
        """The next batch. Threads may call it at the same time: only its samples are chosen one after the other.

        Raises:
            ValueError: if there are no samples.
        """
        if not self.n:
            raise ValueError("There are no images to make a batch of.")
        with self.lock:
            indices = next(self.index_generator)
            source = self._source
        with drawing_from(source):
            return self._get_batches_of_transformed_samples(indices)

    def _get_batches_of_transformed_samples(self, index_array: Array) -> Any:
        """The batch of some samples."""
        raise NotImplementedError


def save_batch(iterator: Any, batch: Array, index_array: Array) -> None:
    """Write the images of a batch where ``save_to_dir`` says, if it does, for looking at them."""
    if not iterator.save_to_dir:
        return
    for image, i in zip(batch, index_array, strict=True):
        name = f"{iterator.save_prefix}_{i}_{random_source().randint(10**7)}.{iterator.save_format}"
        array_to_img(image, iterator.data_format, scale=True).save(os.path.join(iterator.save_to_dir, name))


def share_of_subset(subset: str | None, validation_split: float) -> tuple[float, float] | None:
    """The first and last share of the samples that belong to a subset; validation comes first.

    Raises:
        ValueError: for what is no subset.
    """
    if subset is None:
        return None
    if subset not in ("training", "validation"):
        raise ValueError(f'Invalid subset name: {subset};expected "training" or "validation"')
    return (0, validation_split) if subset == "validation" else (validation_split, 1)


class BatchFromFilesMixin:
    """Makes batches of image files; a subclass has ``filepaths``, ``labels`` and ``sample_weight``."""

    dtype: Any
    class_mode: str | None

    def set_processing_attrs(
        self,
        image_data_generator: Any,
        target_size: tuple[int, int],
        color_mode: str,
        data_format: str,
        save_to_dir: str | None,
        save_prefix: str,
        save_format: str,
        subset: str | None,
        interpolation: str,
    ) -> None:
        """Set what the batches are made with.

        Raises:
            ValueError: for a colour mode or subset that does not exist.
        """
        channels = {"rgb": 3, "rgba": 4, "grayscale": 1}
        if color_mode not in channels:
            raise ValueError(f'Invalid color mode: {color_mode}; expected "rgb", "rgba", or "grayscale".')
        self.image_data_generator = image_data_generator
        self.target_size = tuple(target_size)
        self.color_mode = color_mode
        self.data_format = data_format
        plane, depth = self.target_size, (channels[color_mode],)
        self.image_shape = plane + depth if data_format == "channels_last" else depth + plane
        self.save_to_dir = save_to_dir
        self.save_prefix = save_prefix
        self.save_format = save_format
        self.interpolation = interpolation
        validation_split = image_data_generator._validation_split if image_data_generator is not None else 0.0
        self.split = share_of_subset(subset, validation_split)
        self.subset = subset

    def _get_batches_of_transformed_samples(self, index_array: Array) -> Any:
        batch = np.zeros((len(index_array), *self.image_shape), dtype=self.dtype)
        paths, generator = self.filepaths, self.image_data_generator
        for place, i in enumerate(index_array):
            image = load_img(paths[i], False, self.color_mode, self.target_size, self.interpolation)  # type: ignore[arg-type]
            x = img_to_array(image, self.data_format, self.dtype)
            if generator is not None:
                x = generator.standardize(generator.apply_transform(x, generator.get_random_transform(x.shape)))
            batch[place] = x
        save_batch(self, batch, index_array)
        if self.class_mode is None:
            return batch
        weights = self.sample_weight
        targets = self._targets_of(batch, index_array)
        return (batch, targets) if weights is None else (batch, targets, weights[index_array])

    def _targets_of(self, batch: Array, index_array: Array) -> Any:
        if self.class_mode == "input":
            return batch.copy()
        labels = self.labels
        if self.class_mode == "multi_output":
            return [target[index_array] for target in labels]
        if self.class_mode == "raw":
            return labels[index_array]
        if self.class_mode in ("binary", "sparse"):
            return np.array([labels[i] for i in index_array], dtype=self.dtype)
        one_hot = np.zeros((len(index_array), len(self.class_indices)), dtype=self.dtype)
        for row, i in zip(one_hot, index_array, strict=True):
            row[labels[i]] = 1  # of one class, or of several
        return one_hot

    class_indices: dict[str, int]

    @property
    def filepaths(self) -> list[str]:
        """The files of all samples."""
        raise NotImplementedError("`filepaths` property method has not been implemented in BatchFromFilesMixin.")

    @property
    def labels(self) -> Any:
        """The class numbers (or other targets) of all samples."""
        raise NotImplementedError("`labels` property method has not been implemented in BatchFromFilesMixin.")

    @property
    def sample_weight(self) -> Array | None:
        """The weights of all samples."""
        raise NotImplementedError("`sample_weight` property method has not been implemented in BatchFromFilesMixin.")
