"""Models with a ``call`` of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras.layers import Dense, Dropout
from symgraph.keras.models import Model

pytestmark = pytest.mark.usefixtures("session")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 4)).astype("float32")
Y = RNG.normal(size=(30, 2)).astype("float32")


class Residual(Model):
    """Layers and plain arithmetic."""

    def __init__(self) -> None:
        super().__init__(name="residual")
        self.first = Dense(4, activation="tanh")
        self.drop = Dropout(0.5)
        self.last = Dense(2, kernel_regularizer="l2")

    def call(self, inputs: Any) -> Any:
        return self.last(self.drop(self.first(inputs)) + inputs)


class Two(Model):
    """Two inputs, two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = Dense(2)

    def call(self, inputs: Any) -> Any:
        a, b = inputs
        return [self.shared(a), K.relu(self.shared(b))]


def test_a_subclassed_model_trains_and_predicts(tmp_path: Path) -> None:
    model = Residual()
    model.compile("sgd", "mse", metrics=["mae"])
    assert [layer.name for layer in model.layers] == [model.first.name, model.drop.name, model.last.name]
    before = model.evaluate(X, Y, verbose=0)[0]
    model.fit(X, Y, epochs=20, verbose=0)
    assert model.evaluate(X, Y, verbose=0)[0] < before
    w, b, v, c = model.get_weights()
    expected = (np.tanh(X @ w + b) + X) @ v + c
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-4, atol=1e-5)
    loss, mae = model.evaluate(X, Y, verbose=0)
    assert loss == pytest.approx(((expected - Y) ** 2).mean() + 0.01 * (v**2).sum(), rel=1e-4)
    assert mae == pytest.approx(np.abs(expected - Y).mean(), rel=1e-4)
    model.save_weights(tmp_path / "w.h5")
    other = Residual()
    other.predict(X)
    other.load_weights(tmp_path / "w.h5")
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert any("Total params: 30" in line for line in lines)


def test_no_config_can_hold_it(tmp_path: Path) -> None:
    model = Residual()
    model.predict(X)
    with pytest.raises(NotImplementedError, match="its own `call`"):
        model.save(tmp_path / "m.h5")


def test_several_inputs_and_outputs() -> None:
    model = Two()
    model.compile("sgd", "mse", loss_weights=[1.0, 0.5])
    loss = model.train_on_batch([X, X[::-1]], [Y, Y])
    assert len(loss) == 3
    a, b = model.predict([X, X[::-1]])
    k, c = model.get_weights()
    np.testing.assert_allclose(a, X @ k + c, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(b, np.maximum(X[::-1] @ k + c, 0), rtol=1e-4, atol=1e-6)


def test_inside_another_model() -> None:
    from symgraph.keras.layers import Input

    x = Input((4,))
    inner = Residual()
    model = Model(x, Dense(1)(inner(x)))
    model.compile("sgd", "mse")
    assert len(model.trainable_weights) == 6
    model.fit(X, Y[:, :1], verbose=0)
    assert model.predict(X).shape == (30, 1)
