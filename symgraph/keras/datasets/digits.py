"""Real handwritten digits that come with the package: 1,797 images of 8 x 8 (no download).

The test part of the UCI set "Optical Recognition of Handwritten Digits" (E. Alpaydin and C. Kaynak, 1998), under CC BY
4.0; see ``digits.LICENSE`` beside this file. Keras 2 has no such module; it has the form of its other data sets.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Split: TypeAlias = tuple[NDArray[Any], NDArray[Any]]


def load_data() -> tuple[Split, Split]:
    """``(x_train, y_train), (x_test, y_test)``: 1,437 images to train and 360 to test.

    Images are ``(n, 8, 8)`` uint8 with values 0..16, labels ``(n,)`` uint8 with values 0..9. The split is fixed: every
    fifth image of the original order is a test image.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()
        >>> x_train.shape, y_test.shape
        ((1437, 8, 8), (360,))
    """
    with (files(__package__) / "digits.npz").open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        return (archive["x_train"], archive["y_train"]), (archive["x_test"], archive["y_test"])
