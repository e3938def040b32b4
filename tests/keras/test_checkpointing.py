"""Layers inside a checkpoint: their weights train, their updates happen, their masks are the same twice."""

from __future__ import annotations

from typing import Any

import numpy as np

import symgraph as sg
from symgraph.keras.layers import BatchNormalization, Dense, Dropout
from symgraph.keras.models import Model


class Net(Model):
    def __init__(self, again: bool) -> None:
        super().__init__()
        self.parts = [Dense(8, activation="relu"), BatchNormalization(), Dropout(0.3)]
        self.hidden, self.normal, self.drop = self.parts
        self.last = Dense(3)
        self.again = again

    def call(self, x: Any) -> Any:
        def block(h: Any) -> Any:
            return self.drop(self.normal(self.hidden(h)))

        return self.last(sg.checkpoint(block, x) if self.again else block(x))


def test_a_model_trains_the_same() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 5)).astype("float32"), rng.normal(size=(64, 3)).astype("float32")
    found, weights = [], None
    for again in (False, True):
        sg.set_random_seed(3)
        model = Net(again)
        model.compile("adam", "mse")
        model.predict(x[:2])
        weights = weights or model.get_weights()
        model.set_weights(weights)
        losses = model.fit(x, y, epochs=3, verbose=0, shuffle=False).history["loss"]
        found.append((losses, model.get_weights()))
    np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-5)
    for a, b in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-6)
    assert len(weights or ()) == 8
    assert not np.allclose(found[1][1][4], 0)  # the moving mean
