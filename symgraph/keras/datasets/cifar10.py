"""Small photographs in 10 classes, as ``keras.datasets.cifar10``."""

from __future__ import annotations

from pathlib import Path

from ..utils.data_utils import get_file
from .archives import Split
from .cifar import downloaded, load_archive, load_batch, load_batches

__all__ = ["get_file", "load_batch", "load_data"]
_ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"


def load_data(path: str | None = None) -> tuple[Split, Split]:
    """``(x_train, y_train), (x_test, y_test)``: 50,000 images to train and 10,000 to test.

    Images are ``(n, 32, 32, 3)`` uint8 with values 0..255 (``(n, 3, 32, 32)`` with ``channels_first``), labels
    ``(n, 1)`` uint8 with values 0..9.

    Args:
        path: a folder with CIFAR-10's batches, or an ``.npz`` archive with ``x_train``, ``y_train``, ``x_test`` and
            ``y_test`` (any number of images). By default ``~/.keras/datasets/cifar-10-batches-py``, downloaded once.

    Raises:
        OSError: if the data is not there and cannot be downloaded.
        ValueError: if it is damaged.
    """
    folder = Path(path).expanduser() if path is not None else downloaded("cifar-10-batches-py", _ORIGIN, _SHA256)
    if folder.is_file():
        return load_archive(folder)
    return load_batches(folder, [f"data_batch_{i}" for i in range(1, 6)], "test_batch", "labels")
