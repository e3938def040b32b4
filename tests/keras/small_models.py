"""Small data and models that the training tests share."""

from __future__ import annotations

from typing import Any

import numpy as np

from symgraph.keras import optimizers
from symgraph.keras.layers import Dense
from symgraph.keras.models import Sequential

_RNG = np.random.default_rng(0)
X = _RNG.normal(size=(50, 4)).astype("float32")
Y = (X @ _RNG.normal(size=(4, 2)) + 0.5).astype("float32")
LABELS = Y.argmax(-1)


def linear(loss: Any = "mse", optimizer: Any = None, **arguments: Any) -> Sequential:
    model = Sequential([Dense(2, input_shape=(4,))])
    model.compile(optimizer or optimizers.SGD(lr=0.1), loss, **arguments)
    return model


def classifier(loss: str = "categorical_crossentropy", **arguments: Any) -> Sequential:
    model = Sequential([Dense(2, activation="softmax", input_shape=(4,))])
    model.compile(optimizers.SGD(lr=0.1), loss, **arguments)
    return model


def mse(model: Any, x: Any, y: Any) -> np.ndarray:
    """The squared error of each sample."""
    kernel, bias = model.get_weights()
    return np.asarray(((x @ kernel + bias - y) ** 2).mean(-1))
