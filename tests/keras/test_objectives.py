"""Losses, weights and metrics of ``compile``, as training and evaluation report them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras import layers, losses, metrics, optimizers
from symgraph.keras.layers import Activation, Dense, Input
from symgraph.keras.models import Model, Sequential
from symgraph.keras.utils import to_categorical
from tests.keras.small_models import LABELS, X, Y, classifier, linear, mse

pytestmark = pytest.mark.usefixtures("session")

RNG = np.random.default_rng(1)


def test_regularization_adds_to_the_loss() -> None:
    model = Sequential([Dense(2, kernel_regularizer="l2", activity_regularizer="l1", input_shape=(4,))])
    model.compile("sgd", "mse")
    kernel, bias = model.get_weights()
    expected = mse(model, X, Y).mean() + 0.01 * (kernel**2).sum() + 0.01 * np.abs(X @ kernel + bias).sum()
    assert model.test_on_batch(X, Y) == pytest.approx(expected, rel=1e-5)


def test_add_loss_without_a_loss_of_compile() -> None:
    x = Input((4,))
    out = Dense(2)(x)
    model = Model(x, out)
    model.add_loss(K.mean(K.square(out)))
    with pytest.warns(UserWarning, match='Output "dense_1" missing from loss dictionary'):
        model.compile(optimizers.SGD(0.1))
    first = model.fit(X, None, epochs=20, verbose=0).history["loss"]
    assert first[-1] < first[0]
    assert model.evaluate(X, None, verbose=0) == pytest.approx((model.predict(X) ** 2).mean(), rel=1e-4)


def test_sample_weights() -> None:
    model = linear(metrics=["mse"], weighted_metrics=["mse"])
    w = RNG.uniform(0, 2, 50).astype("float32")
    errors = mse(model, X, Y)
    loss, plain, weighted = model.evaluate(X, Y, sample_weight=w, batch_size=50, verbose=0)
    assert loss == pytest.approx((errors * w).mean(), rel=1e-5)
    assert plain == pytest.approx(errors.mean(), rel=1e-5)
    assert weighted == pytest.approx(np.average(errors, weights=w), rel=1e-5)
    assert model.metrics_names == ["loss", "mse", "mse_1"]
    assert model.evaluate(X, Y, batch_size=50, verbose=0)[0] == pytest.approx(errors.mean(), rel=1e-5)
    history = model.fit(X, Y, sample_weight=w, batch_size=50, verbose=0)
    assert history.history["loss"][0] == pytest.approx((errors * w).mean(), rel=1e-5)


def test_a_loss_that_is_one_number_for_the_batch() -> None:
    model = Sequential([Dense(2, input_shape=(4,))])
    model.compile("sgd", lambda y_true, y_pred: K.mean(K.square(y_true - y_pred)))
    w = RNG.uniform(0, 2, 50).astype("float32")
    expected = mse(model, X, Y).mean()
    assert model.test_on_batch(X, Y) == pytest.approx(expected, rel=1e-5)
    assert model.test_on_batch(X, Y, sample_weight=w) == pytest.approx(expected * w.mean(), rel=1e-5)


def test_class_weights() -> None:
    model = classifier()
    one_hot = to_categorical(LABELS, 2)
    nll = -np.log(model.predict(X)[np.arange(50), LABELS])
    w = np.where(LABELS == 0, 0.5, 3.0)
    history = model.fit(X, one_hot, class_weight={0: 0.5, 1: 3.0}, batch_size=50, verbose=0)
    assert history.history["loss"][0] == pytest.approx((nll * w).mean(), rel=1e-4)
    nll = -np.log(model.predict(X)[np.arange(50), LABELS])
    both = model.train_on_batch(X, one_hot, class_weight={0: 0.5, 1: 3.0}, sample_weight=np.full(50, 2.0))
    assert both == pytest.approx(2 * (nll * w).mean(), rel=1e-4)


def test_temporal_weights() -> None:
    model = Sequential([Dense(2, input_shape=(3, 4))])
    model.compile("sgd", "mse", sample_weight_mode="temporal")
    x, y = RNG.normal(size=(6, 3, 4)), RNG.normal(size=(6, 3, 2))
    w = RNG.uniform(size=(6, 3))
    kernel, bias = model.get_weights()
    expected = (((x @ kernel + bias - y) ** 2).mean(-1) * w).mean()
    assert model.test_on_batch(x, y, sample_weight=w) == pytest.approx(expected, rel=1e-4)
    with pytest.raises(ValueError, match="you should pass a 2D sample_weight array"):
        model.test_on_batch(x, y, sample_weight=w[:, 0])


def two_outputs(**arguments: Any) -> Model:
    x = Input((4,))
    model = Model(x, [Dense(2, name="left")(x), Dense(1, activation="sigmoid", name="right")(x)])
    model.compile("sgd", {"left": "mse", "right": "binary_crossentropy"}, **arguments)
    return model


def test_several_outputs() -> None:
    model = two_outputs(loss_weights={"left": 0.5}, metrics={"right": ["accuracy"], "left": "mae"})
    target = LABELS.astype("float32")
    assert model.metrics_names == ["loss", "left_loss", "right_loss", "left_mae", "right_accuracy"]
    loss, left, right, mae, accuracy = model.evaluate(X, [Y, target], batch_size=50, verbose=0)
    p_left, p_right = model.predict(X)
    assert left == pytest.approx(((p_left - Y) ** 2).mean(), rel=1e-5)
    p = p_right[:, 0].astype("float64")
    assert right == pytest.approx(-(target * np.log(p) + (1 - target) * np.log(1 - p)).mean(), rel=1e-4)
    assert loss == pytest.approx(0.5 * left + right, rel=1e-5)
    assert mae == pytest.approx(np.abs(p_left - Y).mean(), rel=1e-5)
    assert accuracy == pytest.approx(((p > 0.5) == target).mean())
    history = model.fit(X, {"right": target, "left": Y}, verbose=0, validation_split=0.2)
    assert list(history.history) == [f"{v}{n}" for v in ("val_", "") for n in model.metrics_names]


def test_metrics_for_every_output() -> None:
    model = two_outputs(metrics=["mae", "mae"])
    assert model.metrics_names == ["loss", "left_loss", "right_loss", "left_mae", "right_mae"]


def test_an_output_without_a_loss() -> None:
    x = Input((4,))
    left = Dense(2, name="left")(x)
    model = Model(x, [left, Activation("tanh", name="right")(left)])
    with pytest.warns(UserWarning, match='Output "right" missing from loss dictionary'):
        model.compile("sgd", {"left": "mse"})
    model.fit(X, Y, verbose=0)
    assert len(model.predict(X)) == 2 and model.skip_target_indices == [1]


@pytest.mark.parametrize(
    ("loss", "units", "target", "function"),
    [
        ("categorical_crossentropy", 2, to_categorical(LABELS, 2), metrics.categorical_accuracy),
        ("sparse_categorical_crossentropy", 2, LABELS, metrics.sparse_categorical_accuracy),
        ("binary_crossentropy", 1, LABELS, metrics.binary_accuracy),
        ("mse", 1, LABELS, metrics.binary_accuracy),
        ("binary_crossentropy", 2, to_categorical(LABELS, 2), metrics.binary_accuracy),
        (losses.CategoricalCrossentropy(), 2, to_categorical(LABELS, 2), metrics.categorical_accuracy),
        (losses.SparseCategoricalCrossentropy(), 2, LABELS, metrics.sparse_categorical_accuracy),
    ],
)
@pytest.mark.parametrize("name", ["accuracy", "acc"])
def test_accuracy_is_the_one_that_fits(loss: Any, units: int, target: Any, function: Any, name: str) -> None:
    model = Sequential([Dense(units, activation="sigmoid", input_shape=(4,))])
    model.compile("sgd", loss, metrics=[name])
    assert model.metrics[0]._fn is function and model.metrics_names == ["loss", name]
    p = model.predict(X)
    hit = (p[:, 0] > 0.5) == LABELS if units == 1 else p.argmax(-1) == LABELS
    if function is metrics.binary_accuracy and units == 2:
        hit = ((p > 0.5) == target).mean(-1)
    assert model.evaluate(X, target, verbose=0)[1] == pytest.approx(np.mean(hit))


def test_crossentropy_as_a_metric() -> None:
    model = classifier(metrics=["ce"])
    assert model.metrics[0]._fn is losses.categorical_crossentropy


def test_losses_and_metrics_of_the_user() -> None:
    def cubic(y_true: Any, y_pred: Any) -> Any:
        return K.mean(K.pow(K.abs(y_true - y_pred), 3.0), axis=-1)

    def largest(y_true: Any, y_pred: Any) -> Any:
        return K.max(y_pred)

    model = linear(cubic, metrics=[largest, cubic, metrics.MeanSquaredError(name="mine")])
    p = model.predict(X)
    results = model.evaluate(X, Y, batch_size=50, verbose=0)
    np.testing.assert_allclose(
        results, [(np.abs(p - Y) ** 3).mean(), p.max(), (np.abs(p - Y) ** 3).mean(), ((p - Y) ** 2).mean()], rtol=1e-4
    )
    assert model.metrics_names == ["loss", "largest", "cubic", "mine"]


def test_a_loss_of_the_user_may_take_targets_of_another_shape() -> None:
    model = linear(lambda y_true, y_pred: K.mean(K.square(y_true[:, :2] - y_pred), axis=-1))
    wide = np.concatenate([Y, Y], 1)
    assert model.test_on_batch(X, wide) == pytest.approx(mse(model, X, Y).mean(), rel=1e-5)


def test_add_metric() -> None:
    class Watched(layers.Dense):
        def call(self, x: Any) -> Any:
            out = super().call(x)
            self.add_metric(K.mean(out), name="mean_out")
            return out

    model = Sequential([Watched(2, input_shape=(4,))])
    model.compile("sgd", "mse")
    assert model.metrics_names == ["loss", "mean_out"]
    assert model.evaluate(X, Y, batch_size=50, verbose=0)[1] == pytest.approx(model.predict(X).mean(), abs=1e-5)
