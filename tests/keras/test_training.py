"""compile, fit, evaluate, predict: numbers, reports, weights, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.keras import backend as K
from symgraph.keras import layers, losses, metrics, optimizers
from symgraph.keras.callbacks import LambdaCallback
from symgraph.keras.engine import training_utils
from symgraph.keras.layers import Activation, Dense, Dropout, Input
from symgraph.keras.models import Model, Sequential
from symgraph.keras.utils import to_categorical

pytestmark = pytest.mark.usefixtures("session")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4)).astype("float32")
Y = (X @ RNG.normal(size=(4, 2)) + 0.5).astype("float32")
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


# -- numbers -----------------------------------------------------------------------------------------------------------
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


# -- losses, weights, metrics ------------------------------------------------------------------------------------------
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


# -- data --------------------------------------------------------------------------------------------------------------
def test_validation_split_takes_the_last_samples() -> None:
    model = linear()
    model.optimizer.lr = 0.0
    history = model.fit(X, Y, validation_split=0.3, verbose=0, batch_size=50)
    errors = mse(model, X, Y)
    assert history.history["val_loss"][0] == pytest.approx(errors[35:].mean(), rel=1e-5)
    assert history.history["loss"][0] == pytest.approx(errors[:35].mean(), rel=1e-5)


def test_validation_data_with_weights_and_frequency() -> None:
    model = linear()
    w = np.linspace(0, 1, 10)
    history = model.fit(X, Y, validation_data=(X[:10], Y[:10], w), verbose=0, epochs=4, validation_freq=2)
    assert len(history.history["val_loss"]) == 2
    assert history.history["val_loss"][-1] == pytest.approx((mse(model, X[:10], Y[:10]) * w).mean(), rel=1e-4)
    history = model.fit(X, Y, validation_data=(X, Y), verbose=0, epochs=4, validation_freq=[1, 4])
    assert len(history.history["val_loss"]) == 2
    with pytest.raises(ValueError, match="it must contain 2"):
        model.fit(X, Y, validation_data=(X,), verbose=0)


def test_shuffling_visits_every_sample_once() -> None:
    seen: list[float] = []
    x = np.arange(50, dtype="float32")[:, None]
    model = Sequential([Activation("linear", input_shape=(1,))])
    model.compile("sgd", lambda t, p: K.sum(t, axis=-1))

    def take(batch: int, logs: Any) -> None:
        seen.append(logs["loss"] * logs["size"])

    np.random.seed(1)
    model.fit(x, x, batch_size=1, verbose=0, callbacks=[LambdaCallback(on_batch_end=take)])
    assert sorted(seen) == list(range(50)) and seen != sorted(seen)
    first = list(seen)
    seen.clear()
    np.random.seed(1)
    model.fit(x, x, batch_size=1, verbose=0, callbacks=[LambdaCallback(on_batch_end=take)])
    assert seen == first
    seen.clear()
    model.fit(x, x, batch_size=10, shuffle="batch", verbose=0, callbacks=[LambdaCallback(on_batch_end=take)])
    sums = [sum(range(i, i + 10)) for i in range(0, 50, 10)]
    assert sorted(seen) == sums


def test_lists_and_frames_of_numbers() -> None:
    model = linear()
    assert model.fit(X.tolist(), Y.tolist(), verbose=0).history["loss"][0] > 0
    one = Sequential([Dense(1, input_shape=(1,))])
    one.compile("sgd", "mse")
    assert one.fit([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], verbose=0).history["loss"][0] >= 0


def test_data_that_is_read_by_slices() -> None:
    class Rows:
        """What HDF5 data sets offer: a shape, slices, and lists of rising row numbers."""

        def __init__(self, array: Any) -> None:
            self.array, self.shape, self.ndim, self.dtype = array, array.shape, array.ndim, array.dtype

        def __len__(self) -> int:
            return len(self.array)

        def __getitem__(self, key: Any) -> Any:
            if isinstance(key, list):
                assert key == sorted(key)
            return self.array[key]

    model = linear()
    model.fit(Rows(X), Rows(Y), epochs=30, batch_size=10, shuffle="batch", verbose=0)
    assert model.evaluate(Rows(X), Rows(Y), verbose=0) < 0.01
    assert model.predict(Rows(X)).shape == (50, 2)


def test_deferred_models_are_compiled_by_their_first_data() -> None:
    model = Sequential([Dense(2)])
    model.compile("sgd", "mse", metrics=["mae"])
    model.fit(X, Y, verbose=0)
    assert model.metrics_names == ["loss", "mae"] and model.built


def test_initial_epoch() -> None:
    assert linear().fit(X, Y, epochs=5, initial_epoch=3, verbose=0).epoch == [3, 4]


def test_stop_training() -> None:
    model = linear()

    def stop(batch: int, logs: Any) -> None:
        model.stop_training = batch == 2

    history = model.fit(X, Y, batch_size=10, epochs=5, verbose=0, callbacks=[LambdaCallback(on_batch_end=stop)])
    assert history.epoch == [0] and K.get_value(model.optimizer.iterations) == 3


def test_steps_take_all_data_each() -> None:
    model = linear()
    model.fit(X, Y, steps_per_epoch=3, epochs=2, verbose=0)
    assert K.get_value(model.optimizer.iterations) == 6
    assert model.evaluate(X, Y, steps=2, verbose=0) == pytest.approx(mse(model, X, Y).mean(), rel=1e-5)
    assert model.predict(X, steps=2).shape == (100, 2)
    with pytest.raises(ValueError, match="If steps_per_epoch is set, the `batch_size` must be None"):
        model.fit(X, Y, steps_per_epoch=3, batch_size=10, verbose=0)


def test_training_in_double_precision() -> None:
    K.set_floatx("float64")
    try:
        model = Sequential(
            [Dense(3, activation="tanh", input_shape=(4,)), Dropout(0.1), Dense(2, activation="softmax")]
        )
        model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
        model.fit(X, to_categorical(LABELS, 2), epochs=2, verbose=0)
        assert model.predict(X).dtype == np.float64 and model.get_weights()[0].dtype == np.float64
    finally:
        K.set_floatx("float32")


def test_targets_that_are_tensors() -> None:
    x = Input((4,))
    target = K.placeholder((None, 2))
    model = Model(x, Dense(2)(x))
    model.compile("sgd", "mse", target_tensors=[target])
    assert model.targets == [target]


# -- errors ------------------------------------------------------------------------------------------------------------
def test_before_compile() -> None:
    model = Sequential([Dense(2, input_shape=(4,))])
    for call in (model.fit, model.evaluate, model.train_on_batch, model.test_on_batch):
        with pytest.raises(RuntimeError, match="You must compile a model before training/testing"):
            call(X, Y)
    assert model.predict(X).shape == (50, 2)


COMPILE_ERRORS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"optimizer": "nonsense", "loss": "mse"}, ValueError, "Unknown optimizer: nonsense"),
    ({"optimizer": "sgd", "loss": "nonsense"}, ValueError, "Unknown loss function:nonsense"),
    ({"optimizer": "sgd", "loss": "mse", "metrics": ["nonsense"]}, ValueError, "Unknown metric function:nonsense"),
    ({"optimizer": "sgd", "loss": "mse", "metrics": 3}, TypeError, "Type of `metrics` argument not understood"),
    ({"optimizer": "sgd", "loss": ["mse", "mse"]}, ValueError, "it should have one entry per model outputs"),
    ({"optimizer": "sgd", "loss": {"other": "mse"}}, ValueError, "Unknown entries in loss dictionary"),
    (
        {"optimizer": "sgd", "loss": "mse", "loss_weights": [1, 2]},
        ValueError,
        "as loss_weights, it should have one entry",
    ),
    ({"optimizer": "sgd", "loss": "mse", "loss_weights": 3}, TypeError, "Could not interpret loss_weights argument: 3"),
    ({"optimizer": "sgd"}, ValueError, "The model cannot be compiled because it has no loss to optimize"),
    ({"optimizer": "sgd", "loss": "mse", "options": 1}, ValueError, 'Invalid argument "options" passed to K.function'),
]


@pytest.mark.filterwarnings("ignore:Output:UserWarning")
@pytest.mark.parametrize(("arguments", "kind", "message"), COMPILE_ERRORS)
def test_compile_errors(arguments: dict[str, Any], kind: type[Exception], message: str) -> None:
    model = Sequential([Dense(2, input_shape=(4,))])
    with pytest.raises(kind, match=message):
        model.compile(**arguments)


DATA_ERRORS: list[tuple[Any, Any, dict[str, Any], type[Exception], str]] = [
    (
        X[:, :3],
        Y,
        {},
        ValueError,
        r"Error when checking input: expected dense_1_input to have shape \(4,\) but got array with shape \(3,\)",
    ),
    (
        X[..., None],
        Y,
        {},
        ValueError,
        r"Error when checking input: expected dense_1_input to have 2 dimensions, but got array with shape "
        r"\(50, 4, 1\)",
    ),
    (
        X,
        Y[:, :1],
        {},
        ValueError,
        r"Error when checking target: expected dense_1 to have shape \(2,\) but got array with shape \(1,\)",
    ),
    (
        X,
        Y[:, None],
        {},
        ValueError,
        r"Error when checking target: expected dense_1 to have 2 dimensions, but got array with shape \(50, 1, 2\)",
    ),
    ([X, X], Y, {}, ValueError, r"Expected to see 1 array\(s\), but instead got the following list of 2 arrays"),
    (X, Y[:20], {}, ValueError, "Found 50 input samples and 20 target samples"),
    (X, Y, {"sample_weight": np.ones(20)}, ValueError, "sample_weight cannot be broadcast"),
    (X, Y, {"sample_weight": np.ones((50, 2))}, ValueError, 'you should specify sample_weight_mode="temporal"'),
    (X, None, {}, ValueError, "No targets were given"),
    (X[:0], Y[:0], {}, ValueError, "The data has no samples"),
    ({"other": X}, Y, {}, ValueError, 'No data provided for "dense_1_input"'),
    (X, Y, {"nonsense": 1}, TypeError, "Unrecognized keyword arguments"),
    (X, Y, {"validation_freq": 0, "validation_split": 0.2}, ValueError, "`validation_freq` can not be less than 1"),
    (3, Y, {}, TypeError, "data should be a Numpy array"),
    (X.astype(str), Y, {}, TypeError, "expected dense_1_input to hold numbers, but got an array of dtype <U32"),
    (X, Y.astype(complex), {}, TypeError, "expected dense_1 to hold numbers, but got an array of dtype complex128"),
]


@pytest.mark.parametrize(("x", "y", "arguments", "kind", "message"), DATA_ERRORS)
def test_data_errors(x: Any, y: Any, arguments: dict[str, Any], kind: type[Exception], message: str) -> None:
    model = linear()
    with pytest.raises(kind, match=message):
        model.fit(x, y, verbose=0, **arguments)


def test_labels_that_name_no_class() -> None:
    for labels in (LABELS + 1, LABELS - 1):
        with pytest.raises(ValueError, match=r"which is outside the valid range of \[0, 2\)"):
            classifier("sparse_categorical_crossentropy").fit(X, labels, verbose=0)


def test_no_samples_to_predict() -> None:
    with pytest.raises(ValueError, match="The data has no samples"):
        linear().predict(X[:0])


def test_integer_labels_under_categorical_crossentropy() -> None:
    with pytest.raises(ValueError, match=r"expected dense_1 to have shape \(2,\) but got array with shape \(1,\)"):
        classifier().fit(X, LABELS, verbose=0)
    check = training_utils.check_loss_and_target_compatibility
    with pytest.raises(ValueError, match="You are passing a target array of shape .* while using as loss `categorical"):
        check([LABELS[:, None]], [losses.categorical_crossentropy], [(None, None)])
    with pytest.raises(ValueError, match=r"A target array with shape \(50, 1\) was passed for an output of shape"):
        check([LABELS[:, None]], [losses.mean_squared_error], [(None, 2)])


def test_class_weight_errors() -> None:
    with pytest.raises(ValueError, match="`class_weight` must contain all classes in the data"):
        classifier().fit(X, to_categorical(LABELS, 2), class_weight={0: 1.0}, verbose=0)


def test_several_inputs_of_different_lengths() -> None:
    a, b = Input((4,)), Input((4,))
    model = Model([a, b], Dense(2)(layers.add([a, b])))
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="All input arrays .x. should have the same number of samples"):
        model.fit([X, X[:10]], Y, verbose=0)
    with pytest.raises(ValueError, match="the model expects a list of 2 Numpy arrays instead|Expected to see 2 array"):
        model.fit(X, Y, verbose=0)
