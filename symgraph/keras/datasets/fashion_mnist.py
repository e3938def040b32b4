"""Pictures of clothes in 10 classes, as ``keras.datasets.fashion_mnist``: the form of MNIST."""

from __future__ import annotations

import gzip
import math
import os
import zlib

import numpy as np

from ..utils.data_utils import get_file
from .archives import ORIGIN, Array, Split

__all__ = ["get_file", "load_data"]
_FOLDER = os.path.join("datasets", "fashion-mnist")
#: Name of the file, its MD5, its shape.
_FILES: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", (60000, 28, 28)),
    ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe", (60000,)),
    ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79", (10000, 28, 28)),
    ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310", (10000,)),
)


def load_data() -> tuple[Split, Split]:
    """``(x_train, y_train), (x_test, y_test)``: 60,000 images to train and 10,000 to test.

    Images are ``(n, 28, 28)`` uint8 with values 0..255, labels ``(n,)`` uint8 with values 0..9. The four files are
    downloaded once, to ``~/.keras/datasets/fashion-mnist``.

    Raises:
        OSError: if a file is not there and cannot be downloaded.
        ValueError: if one is damaged.
    """
    arrays = [
        _read(get_file(name, origin=ORIGIN + name, file_hash=md5, cache_subdir=_FOLDER), shape)
        for name, md5, shape in _FILES
    ]
    return (arrays[0], arrays[1]), (arrays[2], arrays[3])


def _read(file: str, shape: tuple[int, ...]) -> Array:
    """A file of bytes in Y. LeCun's IDX format."""
    header = bytes([0, 0, 8, len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)
    size = len(header) + math.prod(shape)
    try:
        with gzip.open(file) as stream:
            content = stream.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{file} is damaged: {error}") from error
    if content[: len(header)] != header or len(content) != size:
        raise ValueError(f"{file} does not hold {shape[0]} entries of shape {shape[1:]}")
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape).copy()
