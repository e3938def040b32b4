"""Batches of images that are files named in a table."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .files import validate_filename
from .iterator import BatchFromFilesMixin, Iterator

_WITHOUT_CLASSES = ("input", "multi_output", "raw", None)


class DataFrameIterator(BatchFromFilesMixin, Iterator):
    """Batches of the images that a table names.

    Args:
        dataframe: a pandas ``DataFrame``, or anything whose columns ``dataframe[name]`` are lists or arrays.
        directory: the folder that file names are relative to.
        x_col: the column of file names.
        y_col: the column (or list of columns) of targets.
        weight_col: the column of sample weights.
        class_mode: the targets: ``'categorical'`` (one-hot, of a class or of a list of classes), ``'binary'`` or
            ``'sparse'`` (class numbers), ``'raw'`` (the numbers in the table), ``'multi_output'`` (a list with the
            values of each column), ``'input'`` (the images), or None (none).
        classes: names of classes, in the order of their numbers (by default all, sorted). Rows of others are left out.
        validate_filenames: leave out rows whose file is not there or is no image by its name.

    The other arguments are those of ``DirectoryIterator``.

    Raises:
        TypeError: for columns of the wrong type.
        ValueError: for modes that do not exist, or another number of classes than two in mode ``'binary'``.
    """

    allowed_class_modes = ("binary", "categorical", "input", "multi_output", "raw", "sparse", None)

    def __init__(
        self,
        dataframe: Any,
        directory: str | None = None,
        image_data_generator: Any = None,
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
        data_format: str = "channels_last",
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        dtype: Any = "float32",
        validate_filenames: bool = True,
    ) -> None:
        self.set_processing_attrs(image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix,
                                  save_format, subset, interpolation)  # fmt: skip
        self.directory = directory or ""
        self.class_mode = class_mode
        self.dtype = dtype
        has_classes = class_mode not in _WITHOUT_CLASSES
        self._check(dataframe, x_col, y_col, weight_col, classes)
        names = _column(dataframe, x_col)
        rows = list(range(len(names)))
        if validate_filenames:
            rows = self._valid(rows, names, x_col)
        labels: list[Any] = _column(dataframe, y_col) if has_classes else []
        if has_classes:
            known = list(dict.fromkeys(classes)) if classes else _classes_in([labels[i] for i in rows])
            self.class_indices = {name: i for i, name in enumerate(known)}
            labels = [_only_known(label, self.class_indices) for label in labels]
            rows = [i for i in rows if labels[i] is not None]
        if self.split is not None:
            rows = rows[int(self.split[0] * len(rows)) : int(self.split[1] * len(rows))]
        if has_classes:
            self.classes = self._numbers([labels[i] for i in rows])
        self.filenames = [names[i] for i in rows]
        self._sample_weight = np.asarray(_column(dataframe, weight_col))[rows] if weight_col else None
        self._targets = self._read_targets(dataframe, y_col, rows)
        self.samples = len(rows)
        validated = "validated" if validate_filenames else "non-validated"
        belonging = f" belonging to {len(self.class_indices)} classes" if has_classes else ""
        print(f"Found {self.samples} {validated} image filenames{belonging}.")
        self._filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        Iterator.__init__(self, self.samples, batch_size, shuffle, seed)

    def _check(self, df: Any, x_col: str, y_col: Any, weight_col: str | None, classes: Any) -> None:
        mode = self.class_mode
        if mode not in self.allowed_class_modes:
            raise ValueError(f"Invalid class_mode: {mode}; expected one of: {self.allowed_class_modes}")
        if mode == "multi_output" and not isinstance(y_col, list):
            raise TypeError(f'If class_mode="{mode}", y_col must be a list. Received {type(y_col).__name__}.')
        if not all(isinstance(name, str) for name in _column(df, x_col)):
            raise TypeError(f"All values in column x_col={x_col} must be strings.")
        if mode in ("binary", "sparse") and not all(isinstance(label, str) for label in _column(df, y_col)):
            raise TypeError(f'If class_mode="{mode}", y_col="{y_col}" column values must be strings.')
        if mode == "binary":
            count = len(set(classes or _column(df, y_col)))
            if count != 2:
                raise ValueError(f'If class_mode="binary" there must be 2 classes. Found {count} classes.')
        if mode == "categorical" and not all(isinstance(v, (str, list, tuple)) for v in _column(df, y_col)):
            raise TypeError(
                f'If class_mode="{mode}", y_col="{y_col}" column values must be type string, list or tuple.'
            )
        if classes and mode in _WITHOUT_CLASSES:
            warnings.warn(f'`classes` will be ignored given the class_mode="{mode}"', stacklevel=4)
        if weight_col and np.asarray(_column(df, weight_col)).dtype.kind not in "iuf":
            raise TypeError(f"Column weight_col={weight_col} must be numeric.")

    def get_classes(self, df: Any, y_col: str) -> list[Any]:
        """The class numbers of a column of labels."""
        return self._numbers(_column(df, y_col))

    def _numbers(self, labels: list[Any]) -> list[Any]:
        number: Callable[[str], int] = self.class_indices.__getitem__
        return [[number(n) for n in label] if isinstance(label, (list, tuple)) else number(label) for label in labels]

    def _read_targets(self, df: Any, y_col: Any, rows: list[int]) -> Any:
        if self.class_mode == "multi_output":
            return [np.array([column[i] for i in rows]) for column in (_column(df, name) for name in y_col)]
        if self.class_mode != "raw":
            return None
        if isinstance(y_col, (list, tuple)):
            return np.stack([np.array(_column(df, name))[rows] for name in y_col], axis=-1)
        return np.array(_column(df, y_col))[rows]

    def _valid(self, rows: list[int], names: list[str], x_col: str) -> list[int]:
        kept = [i for i in rows if validate_filename(os.path.join(self.directory, names[i]), self.white_list_formats)]
        if len(kept) < len(rows):
            warnings.warn(
                f'Found {len(rows) - len(kept)} invalid image filename(s) in x_col="{x_col}". These filename(s) will '
                "be ignored.",
                stacklevel=4,
            )
        return kept

    @property
    def filepaths(self) -> list[str]:
        """The files of all samples."""
        return self._filepaths

    @property
    def labels(self) -> Any:
        """The class numbers, or the targets, of all samples."""
        return self._targets if self.class_mode in ("multi_output", "raw") else self.classes

    @property
    def sample_weight(self) -> Any:
        """The weights of all samples, or None."""
        return self._sample_weight


def _column(df: Any, name: Any) -> list[Any]:
    values = df[name]
    return list(values.tolist() if hasattr(values, "tolist") else values)


def _classes_in(labels: list[Any]) -> list[str]:
    found: set[str] = set()
    for label in labels:
        found.update(label if isinstance(label, (list, tuple)) else (label,))
    return sorted(found)


def _only_known(label: Any, known: dict[str, int]) -> Any:
    """The label if its class is known, the known ones of several; None if nothing is left."""
    if isinstance(label, (list, tuple)):
        return [name for name in label if name in known] or None
    return label if label in known else None
