"""BatchNormalization, Embedding, SpatialDropout, TimeDistributed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.keras import backend as K
from symgraph.keras.layers import (
    BatchNormalization,
    Dense,
    Embedding,
    Flatten,
    Input,
    Lambda,
    Masking,
    MaxPooling2D,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
    TimeDistributed,
    UpSampling2D,
    multiply,
)
from symgraph.keras.models import Model, Sequential, load_model

pytestmark = pytest.mark.usefixtures("session")
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("shape", "axis"), [((6,), -1), ((5, 6), -1), ((3, 4, 5), 1), ((6,), 1)])
def test_batch_normalization(shape: tuple[int, ...], axis: int) -> None:
    x = (RNG.normal(size=(32, *shape)) * 3 + 2).astype("float32")
    layer = BatchNormalization(axis=axis, momentum=0.8, epsilon=1e-2, name="bn")
    model = Sequential([layer, Flatten(), Dense(1)] if len(shape) > 1 else [layer, Dense(1)])
    model.build((None, *shape))
    size = shape[axis % (len(shape) + 1) - 1]
    gamma, beta, mean, var = (RNG.random(size).astype("float32") + 0.5 for _ in range(4))
    layer.set_weights([gamma, beta, mean, var])
    assert [w.name for w in layer.weights] == ["bn/gamma", "bn/beta", "bn/moving_mean", "bn/moving_variance"]
    form = [1] * x.ndim
    form[axis] = size
    others = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    f = K.function([model.inputs[0], K.learning_phase()], [layer.output])

    def expected(m: np.ndarray, v: np.ndarray) -> np.ndarray:
        normed = (x - m.reshape(form)) / np.sqrt(v.reshape(form) + 1e-2)
        return np.asarray(normed * gamma.reshape(form) + beta.reshape(form))

    np.testing.assert_allclose(f([x, 0])[0], expected(mean, var), rtol=1e-4, atol=1e-4)
    batch_mean, batch_var = x.mean(others), x.var(others)
    np.testing.assert_allclose(f([x, 1])[0], expected(batch_mean, batch_var), rtol=1e-4, atol=1e-4)
    model.compile("sgd", "mse")
    K.set_value(model.optimizer.lr, 0.0)
    model.train_on_batch(x, np.zeros((32, 1)))
    n = x.size // size
    np.testing.assert_allclose(layer.get_weights()[2], 0.8 * mean + 0.2 * batch_mean, rtol=1e-4)
    unbiased = batch_var * n / (n - 1.01)
    np.testing.assert_allclose(layer.get_weights()[3], 0.8 * var + 0.2 * unbiased, rtol=1e-4)
    model.evaluate(x, np.zeros((32, 1)), verbose=0)
    np.testing.assert_allclose(layer.get_weights()[2], 0.8 * mean + 0.2 * batch_mean, rtol=1e-4)


def test_batch_normalization_trains_and_is_saved(tmp_path: Path) -> None:
    x = (RNG.normal(size=(64, 4)) * 5 + 10).astype("float32")
    y = (x[:, :1] > 10).astype("float32")
    model = Sequential(
        [Dense(8, input_shape=(4,)), BatchNormalization(scale=False, momentum=0.9), Dense(1, activation="sigmoid")]
    )
    model.compile("adam", "binary_crossentropy")
    first, *_, last = model.fit(x, y, epochs=15, batch_size=16, verbose=0).history["loss"]
    assert last < first
    model.save(tmp_path / "m.h5")
    np.testing.assert_array_equal(load_model(tmp_path / "m.h5").predict(x), model.predict(x))
    assert len(model.layers[1].weights) == 3
    model.layers[1].trainable = False
    model.compile("adam", "binary_crossentropy")
    kept = model.layers[1].get_weights()
    model.fit(x, y, verbose=0)
    for a, b in zip(model.layers[1].get_weights(), kept, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="defined dimension"):
        BatchNormalization()(Input((3, None)))


def test_embedding() -> None:
    model = Sequential([Embedding(7, 3, input_length=4, name="e")])
    assert model.output_shape == (None, 4, 3)
    indices = RNG.integers(0, 7, (5, 4))
    (table,) = model.get_weights()
    np.testing.assert_array_equal(model.predict(indices), table[indices])
    model.compile("sgd", "mse")
    before = model.get_weights()[0]
    model.train_on_batch(np.zeros((2, 4)), np.ones((2, 4, 3)))
    after = model.get_weights()[0]
    assert np.any(before[0] != after[0])
    np.testing.assert_array_equal(before[1:], after[1:])
    with pytest.raises(sg.BoundsError, match="7"):
        model.predict(np.full((1, 4), 7))
    with pytest.raises(ValueError, match="input_length"):
        Embedding(7, 3, input_length=4)(Input((5,)))
    assert Sequential([Embedding(7, 3)]).output_shape == (None, None, 3)


def test_embedding_masks_zeros() -> None:
    x = Input((4,))
    layer = Embedding(7, 3, mask_zero=True)
    out = layer(x)
    mask = K.function([x], [layer.output_mask])([np.array([[1, 0, 2, 0]])])[0]
    np.testing.assert_array_equal(mask, [[True, False, True, False]])
    model = Model(x, TimeDistributed(Dense(1))(out))
    model.compile("sgd", "mse")
    data = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])
    predicted = model.predict(data)[..., 0]
    assert model.evaluate(data, np.zeros((2, 4, 1)), verbose=0) == pytest.approx(
        float((predicted**2 * (data > 0)).mean()), rel=1e-4
    )


@pytest.mark.parametrize(
    ("layer", "shape", "whole"),
    [
        (SpatialDropout1D(0.5), (6, 50), (1,)),
        (SpatialDropout2D(0.5), (3, 4, 50), (1, 2)),
        (SpatialDropout2D(0.5, data_format="channels_first"), (50, 3, 4), (2, 3)),
        (SpatialDropout3D(0.5), (2, 3, 2, 50), (1, 2, 3)),
    ],
)
def test_spatial_dropout(layer: Any, shape: tuple[int, ...], whole: tuple[int, ...]) -> None:
    x = Input(shape)
    f = K.function([x, K.learning_phase()], [layer(x)])
    ones = np.ones((8, *shape), "float32")
    np.testing.assert_array_equal(f([ones, 0])[0], ones)
    dropped = f([ones, 1])[0]
    assert set(np.unique(dropped)) == {0.0, 2.0}
    np.testing.assert_array_equal(dropped.max(whole), dropped.min(whole))
    assert 0.35 < (dropped == 0).mean() < 0.65


def test_time_distributed(tmp_path: Path) -> None:
    x = RNG.normal(size=(5, 6, 4)).astype("float32")
    inner = Sequential([Dense(3, activation="tanh", input_shape=(4,)), Dense(2)])
    for layer in (Dense(2), inner):
        model = Sequential([TimeDistributed(layer, input_shape=(6, 4))])
        assert model.output_shape == (None, 6, 2)
        steps = Sequential([layer]) if isinstance(layer, Dense) else layer
        if isinstance(layer, Dense):
            k, b = layer.get_weights()
            expected = x @ k + b
        else:
            expected = steps.predict(x.reshape(30, 4)).reshape(5, 6, 2)
        np.testing.assert_allclose(model.predict(x), expected, rtol=1e-4, atol=1e-5)
        model.compile("sgd", "mse")
        before = model.get_weights()
        model.fit(x, np.zeros((5, 6, 2)), verbose=0)
        assert all(np.any(a != b) for a, b in zip(model.get_weights(), before, strict=True))
        model.save(tmp_path / "m.h5")
        np.testing.assert_array_equal(load_model(tmp_path / "m.h5").predict(x), model.predict(x))
    with pytest.raises(ValueError, match="3 axes"):
        TimeDistributed(Dense(2))(Input((4,)))


def test_time_distributed_keeps_updates_and_masks() -> None:
    x = RNG.normal(size=(8, 6, 4)).astype("float32") + 3
    x[:, 4:] = 0
    norm = BatchNormalization(momentum=0.0)
    model = Sequential([Masking(input_shape=(6, 4)), TimeDistributed(norm)])
    model.compile("sgd", "mse")
    model.train_on_batch(x, np.zeros_like(x))
    np.testing.assert_allclose(norm.get_weights()[2], x.mean((0, 1)), rtol=1e-3)
    assert model.layers[1].output_mask is not None


def test_padding_and_repeating_of_images() -> None:
    x = RNG.normal(size=(2, 3, 4, 5)).astype("float32")
    padded = K.eval(K.spatial_2d_padding(K.constant(x), ((1, 0), (2, 3))))
    np.testing.assert_array_equal(padded, np.pad(x, ((0, 0), (1, 0), (2, 3), (0, 0))))
    padded = K.eval(K.spatial_2d_padding(K.constant(x), data_format="channels_first"))
    np.testing.assert_array_equal(padded, np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))))
    v = RNG.normal(size=(1, 2, 2, 3, 2)).astype("float32")
    padded = K.eval(K.spatial_3d_padding(K.constant(v)))
    np.testing.assert_array_equal(padded, np.pad(v, ((0, 0), (1, 1), (1, 1), (1, 1), (0, 0))))
    wide = K.eval(K.resize_volumes(K.constant(v), 2, 1, 3, "channels_last"))
    np.testing.assert_array_equal(wide, v.repeat(2, 1).repeat(3, 3))


def test_lambda_that_gives_a_list_of_one_tensor() -> None:
    images = Input((4, 4, 1))
    pooled = MaxPooling2D(2)(images)
    where = Lambda(lambda pair: K.gradients(K.sum(pair[1]), pair[0]), output_shape=lambda s: s[0])([images, pooled])
    assert K.is_tensor(where)
    model = Model(images, multiply([UpSampling2D(2)(pooled), where]))
    x = np.arange(16, dtype="float32").reshape(1, 4, 4, 1)
    expected = np.where(np.isin(x, [5, 7, 13, 15]), x, 0)
    np.testing.assert_array_equal(model.predict(x), expected)


def test_running_sums_and_products() -> None:
    x = RNG.normal(size=(3, 4)).astype("float32")
    np.testing.assert_allclose(K.eval(K.cumsum(K.constant(x), axis=1)), x.cumsum(1), rtol=1e-5)
    np.testing.assert_allclose(K.eval(K.cumprod(K.constant(x))), x.cumprod(0), rtol=1e-5)
