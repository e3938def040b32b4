"""Files: asking before one is replaced, and HDF5 data sets as training data."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from .h5dict import H5Dict, h5dict  # noqa: F401 - a name that Keras has here, too

HDF5_OBJECT_HEADER_LIMIT = 64512


def ask_to_proceed_with_overwrite(filepath: Any) -> bool:
    """Ask the person at the terminal whether ``filepath`` may be replaced."""
    answer = input(f"[WARNING] {filepath} already exists - overwrite? [y/n]").strip().lower()
    while answer not in ("y", "n"):
        answer = input('Enter "y" (overwrite) or "n" (cancel).').strip().lower()
    if answer == "n":
        return False
    print("[TIP] Next time specify overwrite=True!")
    return True


def may_overwrite(filepath: Any, overwrite: bool) -> bool:
    """Whether to go on: the file is not there, or may be replaced, or is no file at all."""
    if overwrite or not isinstance(filepath, (str, os.PathLike)) or not os.path.exists(filepath):
        return True
    return ask_to_proceed_with_overwrite(filepath)


def save_to_binary_h5py(save_function: Callable[[Any], Any], stream: Any) -> None:
    """Run ``save_function`` on an HDF5 file in memory, and write that to a binary stream."""
    from ..engine.hdf5_writing import writing

    with writing(stream) as group:
        save_function(group)


def load_from_binary_h5py(load_function: Callable[[Any], Any], stream: Any) -> Any:
    """What ``load_function`` makes of the HDF5 file in a binary stream."""
    from ..engine.hdf5_reading import reading

    with reading(io.BytesIO(stream.read())) as group:
        return load_function(group)


class HDF5Matrix:
    """Rows ``start`` to ``end`` of a data set in an HDF5 file, read when they are asked for.

    Args:
        datapath: the file.
        dataset: the name of the data set in it.
        normalizer: a function of the rows that are read.
    """

    def __init__(
        self,
        datapath: Any,
        dataset: str,
        start: int = 0,
        end: int | None = None,
        normalizer: Callable[[Any], Any] | None = None,
    ) -> None:
        import h5py

        self._file = h5py.File(datapath, "r")
        self.data = self._file[dataset]
        self.start = start
        self.end = self.data.shape[0] if end is None else end
        self.normalizer = normalizer

    def __len__(self) -> int:
        return int(self.end - self.start)

    def __getitem__(self, key: Any) -> Any:
        """Rows by number, slice, or list of numbers.

        Raises:
            IndexError: for rows past the end.
        """
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            rows: Any = slice(start + self.start, stop + self.start, step)
            result = self.data[rows]
        else:
            numbers = np.asarray(key)
            if numbers.size and (numbers.max() >= len(self) or numbers.min() < -len(self)):
                raise IndexError(f"row {key} is outside of 0 to {len(self)}")
            numbers = np.where(numbers < 0, numbers + len(self), numbers) + self.start
            if numbers.ndim == 0:
                result = self.data[int(numbers)]
            else:  # HDF5 reads rows in rising order, each once
                distinct, places = np.unique(numbers, return_inverse=True)
                result = self.data[distinct.tolist()][places.reshape(numbers.shape)]
        return result if self.normalizer is None else self.normalizer(result)

    def _sample(self) -> Any:
        return self[0:1]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, with what the normalizer makes of a sample."""
        return (len(self), *np.shape(self._sample())[1:])

    @property
    def dtype(self) -> Any:
        """The element type, after the normalizer."""
        return self.data.dtype if self.normalizer is None else np.asarray(self._sample()).dtype

    @property
    def ndim(self) -> int:
        """The rank."""
        return int(self.data.ndim)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape))
