"""fit, evaluate, predict: the numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.keras import backend as K
from symgraph.keras import layers
from symgraph.keras.layers import Dense, Dropout
from symgraph.keras.models import Sequential
from symgraph.keras.optimizers import SGD
from tests.keras.small_models import LABELS, X, Y, classifier, linear, mse

pytestmark = pytest.mark.usefixtures("session")


def test_an_epoch_is_gradient_descent_over_batches() -> None:
    model = linear()
    kernel, bias = (w.astype("float64") for w in model.get_weights())
    seen, total = 0, 0.0
    for start in range(0, 50, 16):
        x, y = X[start : start + 16], Y[start : start + 16]
        error = x @ kernel + bias - y
        total += (error**2).mean() * len(x)
        seen += len(x)
        kernel = kernel - 0.1 * x.T @ error / len(x)
        bias = bias - 0.1 * error.mean(0)
    history = model.fit(X, Y, batch_size=16, epochs=1, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.get_weights()[1], bias, rtol=1e-4, atol=1e-6)
    assert history.history == {"loss": [pytest.approx(total / seen, rel=1e-5)]}
    assert K.get_value(model.optimizer.iterations) == 4


def test_fit_learns() -> None:
    model = linear()
    history = model.fit(X, Y, batch_size=10, epochs=60, verbose=0)
    assert history.history["loss"][-1] < 1e-3 < history.history["loss"][0]
    assert history.epoch == list(range(60))


def test_evaluate_weighs_batches_by_size() -> None:
    model = linear(metrics=["mae"])
    loss, mae = model.evaluate(X, Y, batch_size=32, verbose=0)
    assert loss == pytest.approx(mse(model, X, Y).mean(), rel=1e-5)
    assert mae == pytest.approx(np.abs(model.predict(X) - Y).mean(), rel=1e-5)
    assert isinstance(linear().evaluate(X, Y, verbose=0), float)


def test_predict_in_batches_of_any_size() -> None:
    model = linear()
    whole = model.predict(X, batch_size=50)
    for size in (1, 7, 32, 100, None):
        np.testing.assert_allclose(model.predict(X, batch_size=size), whole, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(model.predict_on_batch(X), whole)


def test_batches_by_hand() -> None:
    model = linear(metrics=["mae"])
    before = mse(model, X, Y).mean()
    assert model.test_on_batch(X, Y)[0] == pytest.approx(before, rel=1e-5)
    assert model.train_on_batch(X, Y)[0] == pytest.approx(before, rel=1e-5)
    assert model.test_on_batch(X, Y)[0] < before
    assert model.metrics_names == ["loss", "mae"]


def test_metrics_add_up_over_batches_until_reset() -> None:
    model = linear(metrics=["mae"])
    errors = np.abs(model.predict(X) - Y).mean(-1)
    model.test_on_batch(X[:10], Y[:10], reset_metrics=False)
    assert model.test_on_batch(X[10:], Y[10:], reset_metrics=False)[1] == pytest.approx(errors.mean(), rel=1e-5)
    model.reset_metrics()
    assert model.test_on_batch(X[:10], Y[:10])[1] == pytest.approx(errors[:10].mean(), rel=1e-5)


def test_the_same_seeds_give_the_same_bits() -> None:
    def run() -> list[np.ndarray]:
        K.clear_session()
        np.random.seed(5)
        sg.set_random_seed(5)
        model = Sequential([Dense(8, activation="relu", input_shape=(4,)), Dropout(0.5), Dense(2)])
        model.compile("adam", "mse")
        model.fit(X, Y, batch_size=16, epochs=3, verbose=0)
        weights: list[np.ndarray] = model.get_weights()
        return weights

    for a, b in zip(run(), run(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_dropout_works_in_training_only() -> None:
    model = Sequential([Dropout(0.5, input_shape=(4,))])
    model.compile("sgd", "mse")
    np.testing.assert_array_equal(model.predict(X), X)
    assert model.test_on_batch(X, X) == 0.0
    assert model.layers[0].get_config()["rate"] == 0.5


def test_labels_of_nan_train_to_nan() -> None:
    model = linear(metrics=["mae"])
    history = model.fit(X, np.full_like(Y, np.nan), verbose=0)
    assert np.isnan(history.history["loss"][0])
    assert all(np.isnan(w).all() for w in model.get_weights())
    sparse = classifier("sparse_categorical_crossentropy")
    assert np.isfinite(sparse.fit(X, LABELS, verbose=0).history["loss"][0])
    assert np.isnan(sparse.fit(X, np.where(LABELS == 0, np.nan, 1.0), verbose=0).history["loss"][0])


@pytest.mark.parametrize("dtype", ["float64", "int32", "uint8"])
def test_data_of_other_types(dtype: str) -> None:
    data = np.abs(10 * X).astype(dtype)
    model = linear()
    model.fit(data, Y.astype("float64"), verbose=0, epochs=2, batch_size=16)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(model.predict(data), data.astype("float32") @ kernel + bias, rtol=1e-3, atol=1e-4)


def test_trainable_changes_with_compile() -> None:
    model = Sequential([Dense(3, input_shape=(4,)), Dense(2)])
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    frozen = model.layers[0].get_weights()
    model.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], frozen[0])
    model.layers[0].trainable = True
    with pytest.warns(UserWarning, match="Discrepancy between trainable weights and collected trainable weights"):
        model.fit(X, Y, verbose=0)
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert not np.array_equal(model.layers[0].get_weights()[0], frozen[0])


def test_updates_of_layers_run_in_training_only() -> None:
    class Counter(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.steps = self.add_weight(name="steps", shape=(), initializer="zeros", trainable=False)
            super().build(input_shape)

        def call(self, x: Any) -> Any:
            self.add_update(K.update_add(self.steps, 1.0), x)
            return x

    counter = Counter(input_shape=(4,))
    model = Sequential([counter, Dense(2)])
    model.compile("sgd", "mse")
    model.evaluate(X, Y, verbose=0)
    assert K.get_value(counter.steps) == 0
    model.fit(X, Y, batch_size=10, verbose=0)
    assert K.get_value(counter.steps) == 5


def test_a_train_function_of_ones_own() -> None:
    """Adversarial training, as programs write it: steps on weights moved along their gradient."""
    x, y = np.random.default_rng(0).normal(size=(8, 3)), np.ones((8, 2))

    def compiled() -> Sequential:
        model = Sequential([Dense(2, input_shape=(3,), kernel_initializer="ones")])
        model.compile(SGD(0.1), "mse")
        return model

    plain, own = compiled(), compiled()
    kernel = own.layers[0].kernel
    inputs = own._feed_inputs + own._feed_targets + own._feed_sample_weights
    slope = K.function(inputs, K.gradients(own.total_loss, [kernel]))
    before = own.train_function
    moved = []

    def step(arrays: Any) -> Any:
        moved.append(slope(arrays)[0])
        K.set_value(kernel, K.get_value(kernel) + moved[-1])
        outputs = before(arrays)
        K.set_value(kernel, K.get_value(kernel) - moved[-1])
        return outputs

    own.train_function = step
    for model in (plain, own):
        model.fit(x, y, batch_size=4, verbose=0, shuffle=False)
        model.train_on_batch(x, y)
    assert len(moved) == 3
    assert abs(own.get_weights()[0] - plain.get_weights()[0]).max() > 1e-3
    arrays, targets, weights = own._standardize_user_data(x, y)
    assert [w.tolist() for w in weights] == [[1.0] * 8]
    assert slope([*arrays, *targets, *weights])[0].shape == (3, 2)
    own.train_function = None  # the model's own step again
    own.fit(x, y, sample_weight=np.ones(8), verbose=0)
    own.train_function = step
    own.compile(SGD(0.1), "mse")  # so too
    own.fit(x, y, verbose=0)
    assert len(moved) == 3
