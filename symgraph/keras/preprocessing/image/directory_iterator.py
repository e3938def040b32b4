"""Batches of images that are files in one folder for each class."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator as Iterated
from typing import Any

import numpy as np

from ...backend import floatx
from .files import channels_first
from .iterator import BatchFromFilesMixin, Iterator


class DirectoryIterator(BatchFromFilesMixin, Iterator):
    """Batches of the images below a folder.

    Args:
        directory: the folder; each folder in it holds the images of one class, in folders of any depth.
        image_data_generator: an ``ImageDataGenerator``, or None to take the images as they are.
        target_size: (height, width) to which images are resized.
        color_mode: ``'rgb'``, ``'rgba'`` or ``'grayscale'``.
        classes: names of folders, in the order of class numbers (by default all, sorted).
        class_mode: the targets: ``'categorical'`` (one-hot), ``'binary'`` or ``'sparse'`` (class numbers), ``'input'``
            (the images), or None (none).
        follow_links: look into folders that are links.
        subset: ``'training'`` or ``'validation'``: a part of the files of each class, by ``validation_split``.
        interpolation: how images are resized; see ``load_img``.

    Raises:
        OSError: if there is no such folder.
        ValueError: for modes that do not exist.
    """

    allowed_class_modes = ("categorical", "binary", "sparse", "input", None)

    def __init__(
        self,
        directory: str | os.PathLike[str],
        image_data_generator: Any,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: list[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        dtype: Any = None,
    ) -> None:
        data_format = "channels_first" if channels_first(data_format) else "channels_last"
        self.set_processing_attrs(image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix,
                                  save_format, subset, interpolation)  # fmt: skip
        if class_mode not in self.allowed_class_modes:
            raise ValueError(f"Invalid class_mode: {class_mode}; expected one of: {self.allowed_class_modes}")
        self.directory = os.fspath(directory)
        self.class_mode = class_mode
        self.dtype = dtype or floatx()
        names = list(classes) if classes else _folders(self.directory)
        self.num_classes = len(names)
        self.class_indices = {name: i for i, name in enumerate(names)}
        self.filenames: list[str] = []
        numbers: list[int] = []
        for name, i in self.class_indices.items():
            found = list(_images(self.directory, name, self.white_list_formats, follow_links))
            if self.split is not None:
                found = found[int(self.split[0] * len(found)) : int(self.split[1] * len(found))]
            self.filenames += found
            numbers += [i] * len(found)
        self.classes = np.array(numbers, dtype=np.int32)
        self.samples = len(self.filenames)
        print(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        self._filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        Iterator.__init__(self, self.samples, batch_size, shuffle, seed)

    @property
    def filepaths(self) -> list[str]:
        """The files of all samples."""
        return self._filepaths

    @property
    def labels(self) -> Any:
        """The class numbers of all samples."""
        return self.classes

    @property
    def sample_weight(self) -> None:
        """No weights: folders have none."""
        return None


def _folders(directory: str) -> list[str]:
    return sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())


def _images(directory: str, name: str, formats: tuple[str, ...], follow_links: bool) -> Iterated[str]:
    """The image files of a class, sorted, relative to ``directory``."""
    ends = tuple("." + extension for extension in formats)
    for root, _, files in sorted(os.walk(os.path.join(directory, name), followlinks=follow_links)):
        for file in sorted(files):
            if file.lower().endswith(".tiff"):
                warnings.warn(
                    'Using ".tiff" files with multiple bands will cause distortion. Please verify your output.',
                    stacklevel=4,
                )
            if file.lower().endswith(ends):
                yield os.path.relpath(os.path.join(root, file), directory)
