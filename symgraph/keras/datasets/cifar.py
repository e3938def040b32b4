"""The batches of CIFAR-10 and CIFAR-100, as ``keras.datasets.cifar``; read without unpickling."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..backend import image_data_format
from ..utils.data_utils import get_file
from .archives import Array, Split, read_arrays
from .plain_pickle import read_plain_pickle

_NAMES = ("x_train", "y_train", "x_test", "y_test")


def load_batch(fpath: str | os.PathLike[str], label_key: str = "labels") -> Split:
    """Images ``(n, 3, 32, 32)`` uint8 and labels ``(n,)`` of one file.

    Raises:
        ValueError: if it is damaged, or not such a file.
    """
    try:
        with open(fpath, "rb") as stream:
            batch = read_plain_pickle(stream)
        data, listed = batch[b"data"], batch[label_key.encode()]
        if not all(isinstance(label, int) for label in listed):
            raise ValueError("its labels are no integers")
        labels = np.array(listed, dtype=np.uint8)
        if data.dtype != np.uint8 or data.shape != (len(labels), 3 * 32 * 32):
            raise ValueError(f"its images have shape {data.shape}, for {len(labels)} labels")
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ValueError(f"{os.fspath(fpath)} is no batch of CIFAR with {label_key}: {error}") from error
    return data.reshape(-1, 3, 32, 32), labels


def load_batches(folder: Path, train: Sequence[str], test: str, label_key: str) -> tuple[Split, Split]:
    """All batches of a folder, in the data format of the session; labels are ``(n, 1)``."""
    parts = [load_batch(folder / name, label_key) for name in train]
    x_train, y_train = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    x_test, y_test = load_batch(folder / test, label_key)
    return _formatted(x_train, y_train, True), _formatted(x_test, y_test, True)


def load_archive(file: Path) -> tuple[Split, Split]:
    """Images ``(n, 32, 32, 3)`` and labels of an ``.npz`` archive, in the data format of the session."""
    x_train, y_train, x_test, y_test = read_arrays(file, _NAMES)
    for x, y in ((x_train, y_train), (x_test, y_test)):
        if x.shape != (len(y), 32, 32, 3):
            raise ValueError(f"{file} holds images of shape {x.shape} for {len(y)} labels")
    return _formatted(x_train, y_train, False), _formatted(x_test, y_test, False)


def downloaded(folder: str, origin: str, file_hash: str) -> Path:
    """The folder of unpacked batches in the cache."""
    return Path(get_file(folder, origin=origin, untar=True, file_hash=file_hash))


def _formatted(x: Array, y: Array, channels_first: bool) -> Split:
    wanted_first = image_data_format() == "channels_first"
    if channels_first and not wanted_first:
        x = x.transpose(0, 2, 3, 1)
    elif wanted_first and not channels_first:
        x = x.transpose(0, 3, 1, 2)
    return x, y.reshape(len(y), 1)
