"""The data that ``fit`` takes, and the errors for those it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.keras import backend as K
from symgraph.keras import layers, losses
from symgraph.keras.callbacks import LambdaCallback
from symgraph.keras.engine import training_utils
from symgraph.keras.layers import Activation, Dense, Dropout, Input
from symgraph.keras.models import Model, Sequential, load_model
from symgraph.keras.optimizers import SGD
from symgraph.keras.utils import to_categorical
from tests.keras.small_models import LABELS, X, Y, classifier, linear, mse

pytestmark = pytest.mark.usefixtures("session")


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
    (
        [X, X],
        Y,
        {},
        ValueError,
        r"Expected to see 1 array\(s\), for \['dense_1_input'\], but instead got the following list of 2 arrays",
    ),
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


def test_predict_takes_as_many_samples_as_the_first_input_has() -> None:
    a, b = Input((4,)), Input((4,))
    model = Model([a, b], layers.add([a, b]))
    with pytest.warns(UserWarning, match="first input has 3 samples, and others have up to 50; those past 3"):
        sums = model.predict([X[:3], X])
    np.testing.assert_allclose(sums, 2 * X[:3], rtol=1e-6)
    with pytest.raises(ValueError, match="All input arrays .x. should have the same number of samples"):
        model.predict([X, X[:3]])
    with pytest.raises(ValueError, match="All input arrays .x. should have the same number of samples"):
        model.predict_on_batch([X[:3], X])


def test_a_loss_of_ones_own_repeats_targets_along_the_outputs(tmp_path: Path) -> None:
    x, y = np.random.default_rng(0).normal(size=(6, 2)), np.random.default_rng(1).normal(size=(6, 1))
    model = Sequential([Dense(3, input_shape=(2,))])

    def distance(t: Any, p: Any) -> Any:
        return K.sum(K.square(t - p), axis=-1)

    model.compile(SGD(0.1, momentum=0.9), distance, metrics=["mae"])

    def error(targets: Any) -> Any:
        return x @ model.get_weights()[0] + model.get_weights()[1] - targets

    for targets in (y, np.repeat(y, 3, axis=1), y):  # the momentum stays
        before, moment = model.get_weights()[0], [*model.optimizer.get_weights(), 0.0, 0.0][1]
        slope = 2 * x.T @ error(targets) / len(x)
        wanted = [(error(targets) ** 2).sum(1).mean(), abs(error(targets)).mean()]
        np.testing.assert_allclose(model.evaluate(x, targets, verbose=0), wanted, rtol=1e-5)
        np.testing.assert_allclose(model.train_on_batch(x, targets), wanted, rtol=1e-5)
        np.testing.assert_allclose(model.get_weights()[0], before + 0.9 * moment - 0.1 * slope, rtol=1e-4, atol=1e-6)
    with pytest.raises(sg.ShapeError, match="its axis 1 is 2, expected 3"):
        model.fit(x, np.ones((6, 2)), verbose=0)
    model.save(str(tmp_path / "model.h5"))
    loaded = load_model(str(tmp_path / "model.h5"), custom_objects={"distance": distance})
    assert loaded.train_on_batch(x, y) == model.train_on_batch(x, y)
