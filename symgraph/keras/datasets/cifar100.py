"""Small photographs in 100 classes of 20 kinds, as ``keras.datasets.cifar100``."""

from __future__ import annotations

from pathlib import Path

from ..utils.data_utils import get_file
from .archives import Split
from .cifar import downloaded, load_batch, load_batches

__all__ = ["get_file", "load_batch", "load_data"]
_ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
_SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"


def load_data(label_mode: str = "fine", path: str | None = None) -> tuple[Split, Split]:
    """``(x_train, y_train), (x_test, y_test)``: 50,000 images to train and 10,000 to test.

    Images are ``(n, 32, 32, 3)`` uint8 with values 0..255 (``(n, 3, 32, 32)`` with ``channels_first``), labels
    ``(n, 1)`` uint8.

    Args:
        label_mode: ``'fine'`` for labels 0..99, ``'coarse'`` for 0..19.
        path: a folder with CIFAR-100's files. By default ``~/.keras/datasets/cifar-100-python``, downloaded once.

    Raises:
        OSError: if the data is not there and cannot be downloaded.
        ValueError: for another ``label_mode``, or if the data is damaged.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError('`label_mode` must be one of `"fine"`, `"coarse"`.')
    folder = Path(path).expanduser() if path is not None else downloaded("cifar-100-python", _ORIGIN, _SHA256)
    return load_batches(folder, ["train"], "test", label_mode + "_labels")
