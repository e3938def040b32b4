"""Prices of houses around Boston in the 1970s, as ``keras.datasets.boston_housing``: 506 places, 13 numbers each.

One of its columns was made from the share of Black residents on a racist assumption about prices; it is here because
Keras 2 has it, for regression examples only.
"""

from __future__ import annotations

import numpy as np

from ..utils.data_utils import get_file
from .archives import ORIGIN, Split, local_or_cached, read_arrays

__all__ = ["get_file", "load_data"]
_SHA256 = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> tuple[Split, Split]:
    """``(x_train, y_train), (x_test, y_test)``: ``(n, 13)`` float64 and prices ``(n,)`` in thousands of dollars.

    Args:
        path: file name in the cache (``~/.keras/datasets``), downloaded once; or a file by its full path.
        test_split: the share of places that are for testing.
        seed: of the order of places.

    Raises:
        OSError: if the file is not there and cannot be downloaded.
        ValueError: if it is damaged, or ``test_split`` is not from 0 to below 1.
    """
    if not 0 <= test_split < 1:
        raise ValueError(f"`test_split` is {test_split}; it should be at least 0 and below 1")
    x, y = read_arrays(local_or_cached(path, ORIGIN + "boston_housing.npz", _SHA256), ["x", "y"])
    if len(x) != len(y):
        raise ValueError(f"{path} holds {len(x)} samples and {len(y)} prices")
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    x, y = x[order], y[order]
    at = int(len(x) * (1 - test_split))
    return (x[:at], y[:at]), (x[at:], y[at:])
