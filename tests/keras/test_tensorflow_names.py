"""The functions of TensorFlow on tensors, against NumPy and by their definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import symgraph as sg
import symgraph.keras._tensorflow as tf
from symgraph.keras import backend as K
from symgraph.keras import layers, models

X = np.array([[0.5, -1.0, 2.0], [3.0, 0.0, -0.25]], "float32")
SOFT = np.exp(X) / np.exp(X).sum(1, keepdims=True)


def value(tensor: Any) -> Any:
    return sg.function([], tensor)()


CASES = {
    "reduce_sum": (lambda x: tf.reduce_sum(x, axis=[0, 1]), X.sum()),
    "reduce_mean, old names": (lambda x: tf.reduce_mean(x, reduction_indices=1, keep_dims=True), X.mean(1)[:, None]),
    "reduce_std": (lambda x: tf.math.reduce_std(x, 0), X.std(0)),
    "argmax": (lambda x: tf.argmax(x), X.argmax(0)),
    "argmax, old name": (lambda x: tf.argmax(x, dimension=1), X.argmax(1)),
    "where": (lambda x: tf.where(x > 0, x, tf.zeros_like(x)), X.clip(0)),
    "where, rows": (lambda x: tf.where(tf.constant([True, False]), x, -x), X * [[1], [-1]]),
    "pow": (lambda x: tf.pow(tf.abs(x), 3), np.abs(X) ** 3),
    "divide_no_nan": (lambda x: tf.math.divide_no_nan(1.0, x), np.divide(1, X, out=np.zeros_like(X), where=X != 0)),
    "round": (lambda x: tf.round(x), np.rint(X)),
    "cumsum": (lambda x: tf.cumsum(x, 1, exclusive=True, reverse=True), [[1, 2, 0], [-0.25, -0.25, 0]]),
    "cumprod": (
        lambda x: tf.math.cumprod(x, 1, exclusive=True, reverse=True),
        np.stack([X[:, 1] * X[:, 2], X[:, 2], [1, 1]], 1),
    ),
    "clip_by_norm": (lambda x: tf.clip_by_norm(x, 1.0, [1]), X / np.maximum(np.linalg.norm(X, axis=1), 1)[:, None]),
    "roll": (lambda x: tf.roll(x, 1, 1), np.roll(X, 1, 1)),
    "meshgrid": (lambda x: tf.meshgrid(x[0], x[1])[1], np.meshgrid(X[0], X[1])[1]),
    "newaxis": (lambda x: x[:, tf.newaxis], X[:, None]),
    "trace": (lambda x: tf.trace(x[:, :2]), X[0, 0] + X[1, 1]),
    "clip_by_value": (lambda x: tf.clip_by_value(x, -0.5, 1), X.clip(-0.5, 1)),
    "concat": (lambda x: tf.concat([x, x], 1), np.hstack([X, X])),
    "split": (lambda x: tf.split(x, [1, -1], 1)[1], X[:, 1:]),
    "slice": (lambda x: tf.slice(x, [0, 1], [-1, 2]), X[:, 1:]),
    "pad": (lambda x: tf.pad(x, [[0, 0], [1, 2]], constant_values=7), np.pad(X, [(0, 0), (1, 2)], constant_values=7)),
    "reflect": (lambda x: tf.pad(x, [[0, 0], [1, 1]], "REFLECT"), np.pad(X, [(0, 0), (1, 1)], "reflect")),
    "transpose": (lambda x: tf.transpose(x), X.T),
    "tile": (lambda x: tf.tile(x, [2, 1]), np.tile(X, (2, 1))),
    "reverse": (lambda x: tf.reverse(x, [1]), X[:, ::-1]),
    "stack": (lambda x: tf.stack(tf.unstack(x, axis=1)), X.T),
    "gather": (lambda x: tf.gather(x, [2, 0], axis=1), X[:, [2, 0]]),
    "one_hot": (lambda x: tf.one_hot([1, 0], 2, 5.0, 1.0, axis=0), [[1, 5], [5, 1]]),
    "sequence_mask": (lambda x: tf.sequence_mask([1, 3], 3, "float32"), [[1, 0, 0], [1, 1, 1]]),
    "range": (lambda x: tf.range(1, 4), [1, 2, 3]),
    "fill": (lambda x: tf.fill([2, 2], 3.0), np.full((2, 2), 3.0)),
    "matmul": (lambda x: tf.matmul(x, x, transpose_b=True), X @ X.T),
    "list takes the dtype": (lambda x: tf.multiply(x, [1, 2, 3]), X * [1, 2, 3]),
    "norm": (lambda x: tf.norm(x, axis=1), np.linalg.norm(X, axis=1)),
    "l2_normalize": (lambda x: tf.nn.l2_normalize(x, 1), X / np.linalg.norm(X, axis=1, keepdims=True)),
    "band_part": (lambda x: tf.linalg.band_part(tf.ones((3, 3)), -1, 0), np.tri(3)),
    "diag": (lambda x: tf.linalg.diag(x), [np.diag(X[0]), np.diag(X[1])]),
    "diag_part": (lambda x: tf.linalg.diag_part(x), [0.5, 0.0]),
    "softmax": (lambda x: tf.nn.softmax(x), SOFT),
    "softmax, old name": (lambda x: tf.nn.softmax(x, dim=0), np.exp(X) / np.exp(X).sum(0)),
    "leaky_relu": (lambda x: tf.nn.leaky_relu(x), np.where(X > 0, X, 0.2 * X)),
    "moments": (lambda x: tf.nn.moments(x, [0])[1], X.var(0)),
    "l2_loss": (lambda x: tf.nn.l2_loss(x), (X**2).sum() / 2),
    "dense labels": (
        lambda x: tf.nn.softmax_cross_entropy_with_logits(labels=tf.one_hot([2, 0], 3), logits=x),
        -np.log(SOFT[[0, 1], [2, 0]]),
    ),
    "sparse labels": (
        lambda x: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[2, 0], logits=x),
        -np.log(SOFT[[0, 1], [2, 0]]),
    ),
    "sigmoid labels": (
        lambda x: tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.ones_like(x), logits=x),
        np.log1p(np.exp(-X)),
    ),
    "lrn": (
        lambda x: tf.nn.lrn(x, 1, 2.0, 3.0, 0.75),
        X / (2 + 3 * np.stack([(X[:, max(i - 1, 0) : i + 2] ** 2).sum(1) for i in range(3)], 1)) ** 0.75,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_values(name: str) -> None:
    build, expected = CASES[name]
    got = value(build(sg.constant(X)))
    assert got.dtype in ("float32", "int64", "int32"), got.dtype
    np.testing.assert_allclose(got, expected, rtol=2e-6, atol=1e-6)


def test_blocks_become_channels_and_come_back() -> None:
    images = np.arange(2 * 4 * 6 * 3, dtype="float32").reshape(2, 4, 6, 3)
    packed = tf.space_to_depth(sg.constant(images), 2)
    assert value(packed)[0, 0, 0].tolist() == images[0, :2, :2].ravel().tolist()
    np.testing.assert_array_equal(value(tf.nn.depth_to_space(packed, 2)), images)


def test_images() -> None:
    x = np.array([[[[0.0], [1.0]], [[2.0], [3.0]]]], "float32")
    image = sg.constant(x)
    row = value(tf.image.resize(image, (2, 4)))[0, 0, :, 0]
    assert row.tolist() == [0.0, 0.25, 0.75, 1.0]
    old = value(tf.image.resize_bilinear(image, (2, 4)))[0, 0, :, 0]
    assert old.tolist() == [0.0, 0.5, 1.0, 1.0]
    assert value(tf.nn.max_pool(image, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")).tolist() == [[[[3.0]]]]
    kernel = np.ones((2, 2, 1, 1), "float32")
    assert value(tf.nn.conv2d(image, kernel, [1, 1, 1, 1], "VALID")).tolist() == [[[[6.0]]]]


def test_measures_of_images() -> None:
    rng = np.random.default_rng(0)
    a = rng.random((2, 9, 8, 3)).astype("float32")
    b = (a + 0.1 * rng.normal(size=a.shape)).astype("float32")
    bell = np.exp(-(np.arange(-2.0, 3) ** 2) / 2)
    window = np.outer(bell, bell) / bell.sum() ** 2

    def mean(x: Any) -> Any:  # weighted, of every window
        return np.einsum("nijcuv,uv->nijc", sliding_window_view(x.astype("float64"), (5, 5), (1, 2)), window)

    noise = mean(a * b) - mean(a) * mean(b)
    spread = mean(a**2) - mean(a) ** 2 + mean(b**2) - mean(b) ** 2
    alike = (2 * mean(a) * mean(b) + 4e-4) / (mean(a) ** 2 + mean(b) ** 2 + 4e-4) * (2 * noise + 3.6e-3)
    expected = (alike / (spread + 3.6e-3)).mean((1, 2, 3))
    found = value(tf.image.ssim(sg.constant(a), sg.constant(b), 2.0, filter_size=5, filter_sigma=1.0))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    ratio = 10 * np.log10(4 / ((a - b) ** 2).mean((1, 2, 3)))
    np.testing.assert_allclose(value(tf.image.psnr(sg.constant(a), sg.constant(b), 2.0)), ratio, rtol=1e-5)
    varies = abs(np.diff(a, axis=1)).sum((1, 2, 3)) + abs(np.diff(a, axis=2)).sum((1, 2, 3))
    np.testing.assert_allclose(value(tf.image.total_variation(sg.constant(a))), varies, rtol=1e-5)
    grey = value(tf.image.rgb_to_grayscale(sg.constant(a)))
    np.testing.assert_allclose(grey, a @ np.array([[0.2989], [0.587], [0.114]]), rtol=1e-5)
    with pytest.raises(ValueError, match="9 x 8 pixels are smaller than filter_size=11"):
        tf.image.ssim(sg.constant(a), sg.constant(b), 1.0)


def test_layers_written_with_tensorflow_train() -> None:
    class Attention(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.query = self.add_weight("query", (input_shape[-1], 1), initializer="glorot_uniform")
            super().build(input_shape)

        def call(self, x: Any) -> Any:
            steps = x.get_shape().as_list()[1]
            score = tf.reshape(tf.tensordot(x, self.query, 1), (tf.shape(x)[0], steps))
            return tf.reduce_sum(x * tf.expand_dims(tf.nn.softmax(score), -1), axis=1)

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape[0], input_shape[2]

    mean = layers.Lambda(lambda x: tf.reduce_mean(x, 1, keepdims=True))
    model = models.Sequential([Attention(input_shape=(5, 3)), mean])
    model.compile("sgd", lambda y, p: tf.reduce_mean(tf.square(y - p)))
    x = np.random.RandomState(0).randn(12, 5, 3)
    y = x.max((1, 2))
    first, *_, last = model.fit(x, y, epochs=8, verbose=0).history["loss"]
    assert last < first


def test_counts_of_tiles_may_be_sizes() -> None:
    x = K.placeholder((None, 4))
    row = K.expand_dims(K.arange(0, 3), 0)
    out = K.function([x], [K.tile(row, [K.shape(x)[0], 2])])([np.zeros((2, 4))])[0]
    assert out.tolist() == [[0, 1, 2, 0, 1, 2]] * 2


def test_what_depends_on_values_is_refused() -> None:
    with pytest.raises(ValueError, match="needs x and y here"):
        tf.where(sg.constant([True]))
    with pytest.raises(ValueError, match="needs maxlen"):
        tf.sequence_mask([1, 2])
    with pytest.raises(TypeError, match="needs rate="):
        tf.nn.dropout(sg.constant(X), 0.4)


@pytest.mark.parametrize(("name", "instead"), [("GradientTape", "K.gradients"), ("data", "generators"), ("odd", "see")])
def test_names_that_are_not_here_say_what_to_use(name: str, instead: str) -> None:
    with pytest.raises(AttributeError, match=instead):
        getattr(tf, name)


def test_the_names_by_way_of_the_backend() -> None:
    assert K.tf is tf
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        K.nonsense
