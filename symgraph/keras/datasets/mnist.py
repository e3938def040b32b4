"""MNIST, as ``keras.datasets.mnist``: read from ``~/.keras/datasets/mnist.npz``, downloaded once if it is not there."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..utils.data_utils import cache_path, get_file

Split: TypeAlias = tuple[NDArray[Any], NDArray[Any]]

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
FILE_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
# Of the four arrays' bytes, in the order of NAMES: MNIST packed by somebody else is MNIST too.
CONTENT_SHA256 = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"
NAMES = ("x_train", "y_train", "x_test", "y_test")


def load_data(path: str = "mnist.npz") -> tuple[Split, Split]:
    """``(x_train, y_train), (x_test, y_test)``: 60,000 images to train and 10,000 to test.

    Images are ``(n, 28, 28)`` uint8 with values 0..255, labels ``(n,)`` uint8 with values 0..9.

    Args:
        path: file name under ``~/.keras/datasets`` (``$KERAS_HOME/datasets``), or an absolute path. A file that is
            there already is used if it holds MNIST; otherwise it is downloaded.

    Raises:
        OSError: if the file is not there and cannot be downloaded.
        ValueError: if what was downloaded is not MNIST.
    """
    arrays = _read(cache_path(path))
    if arrays is None:
        arrays = _read(Path(get_file(path, origin=ORIGIN, file_hash=FILE_SHA256)))
    if arrays is None:
        raise ValueError(f"{cache_path(path)} does not hold MNIST; remove it to have it downloaded again")
    x_train, y_train, x_test, y_test = arrays
    return (x_train, y_train), (x_test, y_test)


def _read(file: Path) -> list[NDArray[Any]] | None:
    """The arrays of an archive, or None if it is absent, damaged or not MNIST."""
    if not file.exists():
        return None
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = [np.ascontiguousarray(archive[name]) for name in NAMES]
    except (ValueError, KeyError, zipfile.BadZipFile, EOFError):
        return None
    digest = hashlib.sha256(usedforsecurity=False)
    for array in arrays:
        digest.update(array.data)
    return arrays if digest.hexdigest() == CONTENT_SHA256 else None
