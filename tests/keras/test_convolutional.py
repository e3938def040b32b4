"""Convolution and pooling layers against plain NumPy, in both data formats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgraph.errors import ShapeError
from symgraph.keras import layers
from symgraph.keras.layers import convolutional
from symgraph.keras.models import Sequential

from .layer_check import layer_test
from .numpy_conv import conv, conv_transpose, depthwise, windows

pytestmark = pytest.mark.usefixtures("session")

RNG = np.random.default_rng(5)
STEPS = RNG.normal(size=(2, 9, 3)).astype("float32")
IMAGE = RNG.normal(size=(2, 7, 8, 3)).astype("float32")
VOLUME = RNG.normal(size=(2, 4, 5, 4, 2)).astype("float32")


@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
@pytest.mark.parametrize(("strides", "dilation"), [(1, 1), (2, 1), (1, 2)])
def test_conv1d(padding: str, strides: int, dilation: int) -> None:
    arguments = {"filters": 4, "kernel_size": 3, "strides": strides, "padding": padding, "dilation_rate": dilation}
    layer_test(
        layers.Conv1D, {**arguments, "bias_initializer": "ones"}, STEPS,
        lambda x, w: conv(x, w[0], (strides,), padding, (dilation,)) + w[1],
    )  # fmt: skip


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("strides", "dilation"), [((1, 1), (1, 1)), ((2, 3), (1, 1)), ((1, 1), (2, 3))])
def test_conv2d(padding: str, strides: Any, dilation: Any) -> None:
    arguments = {"filters": 5, "kernel_size": (3, 2), "strides": strides, "padding": padding, "activation": "tanh"}
    layer_test(
        layers.Conv2D, {**arguments, "dilation_rate": dilation}, IMAGE,
        lambda x, w: np.tanh(conv(x, w[0], strides, padding, dilation) + w[1]),
    )  # fmt: skip


def test_conv3d() -> None:
    arguments = {"filters": 3, "kernel_size": (2, 3, 2), "strides": (1, 2, 1), "padding": "same", "use_bias": False}
    layer_test(layers.Conv3D, arguments, VOLUME, lambda x, w: conv(x, w[0], (1, 2, 1), "same"))


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("strides", "extra", "dilation"),
    [((1, 1), None, (1, 1)), ((2, 3), None, (1, 1)), ((2, 3), (1, 1), (1, 1)), ((1, 1), None, (2, 1))],
)
def test_conv2d_transpose(padding: str, strides: Any, extra: Any, dilation: Any) -> None:
    arguments = {"filters": 2, "kernel_size": (3, 2), "strides": strides, "padding": padding, "output_padding": extra}
    image = IMAGE[:, :4, :3]
    spans = [(k - 1) * d + 1 for k, d in zip((3, 2), dilation, strict=True)]
    if extra is None:
        more = [max(k - s, 0) if padding == "valid" else 0 for k, s in zip(spans, strides, strict=True)]
        sizes = tuple(n * s + m for n, s, m in zip((4, 3), strides, more, strict=True))
    else:
        less = [2 * (k // 2) if padding == "same" else 0 for k in spans]
        sizes = tuple((n - 1) * s + k - m + e
                      for n, s, k, m, e in zip((4, 3), strides, spans, less, extra, strict=True))  # fmt: skip
    layer_test(
        layers.Conv2DTranspose, {**arguments, "dilation_rate": dilation, "bias_initializer": "ones"}, image,
        lambda x, w: conv_transpose(x, w[0], strides, padding, sizes, dilation) + w[1],
    )  # fmt: skip


@pytest.mark.parametrize(("padding", "sizes"), [("valid", (5, 6, 5)), ("same", (4, 6, 4))])
def test_conv3d_transpose(padding: str, sizes: Any) -> None:
    arguments = {"filters": 2, "kernel_size": 2, "strides": (1, 2, 1), "padding": padding}
    sizes = (5, 6, 5) if padding == "valid" else (4, 6, 4)
    layer_test(
        layers.Conv3DTranspose, arguments, VOLUME[:, :, :3],
        lambda x, w: conv_transpose(x, w[0], (1, 2, 1), padding, sizes) + w[1],
    )  # fmt: skip


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("strides", "dilation"), [((1, 1), (1, 1)), ((2, 2), (1, 1)), ((1, 1), (2, 2))])
def test_depthwise_conv2d(padding: str, strides: Any, dilation: Any) -> None:
    arguments = {"kernel_size": 3, "strides": strides, "padding": padding, "depth_multiplier": 2}
    layer_test(
        layers.DepthwiseConv2D, {**arguments, "dilation_rate": dilation, "bias_initializer": "ones"}, IMAGE,
        lambda x, w: depthwise(x, w[0], strides, padding, dilation) + w[1],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cls", "data", "kernel", "strides"),
    [
        (layers.SeparableConv1D, STEPS, (3,), (2,)),
        (layers.SeparableConv2D, IMAGE, (3, 2), (1, 1)),
        (layers.SeparableConv2D, IMAGE, (3, 2), (2, 2)),
    ],
)
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_separable(cls: Any, data: Any, kernel: Any, strides: Any, padding: str) -> None:
    arguments = {"filters": 4, "kernel_size": kernel, "strides": strides, "padding": padding, "depth_multiplier": 2}
    ones = (1,) * len(strides)

    def separable(x: Any, w: Any) -> Any:
        return conv(depthwise(x, w[0], strides, padding), w[1], ones, "valid") + w[2]

    layer_test(cls, arguments, data, separable)


def test_separable_conv1d_causal() -> None:
    arguments = {"filters": 4, "kernel_size": 3, "padding": "causal"}
    layer_test(
        layers.SeparableConv1D, arguments, STEPS,
        lambda x, w: conv(depthwise(x, w[0], (1,), "causal"), w[1], (1,), "valid") + w[2],
    )  # fmt: skip


@pytest.mark.parametrize("strides", [1, 2])
def test_locally_connected_1d(strides: int) -> None:
    def local(x: Any, w: Any) -> Any:
        seen = np.moveaxis(windows(x, (3,), (strides,), "valid"), -1, 2)  # (n, positions, window, c)
        return np.einsum("npk,pkf->npf", seen.reshape(*seen.shape[:2], -1), w[0]) + w[1]

    arguments = {"filters": 4, "kernel_size": 3, "strides": strides, "bias_initializer": "uniform"}
    layer_test(layers.LocallyConnected1D, arguments, STEPS, local, formats=False)


@pytest.mark.parametrize("strides", [(1, 1), (2, 3)])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_locally_connected_2d(strides: Any, data_format: str) -> None:
    first = data_format == "channels_first"
    data = IMAGE[:, :5, :6]

    def local(x: Any, w: Any) -> Any:
        x = np.moveaxis(x, 1, -1) if first else x
        seen = windows(x, (3, 2), strides, "valid")  # (n, rows, cols, c, i, j)
        seen = seen if first else np.moveaxis(seen, 3, -1)
        n, rows, cols = seen.shape[:3]
        out = np.einsum("npk,pkf->npf", seen.reshape(n, rows * cols, -1), w[0]).reshape(n, rows, cols, -1)
        if not first:
            return out + w[1]
        return np.moveaxis(out, -1, 1) + w[1].reshape(out.shape[-1], rows, cols)

    arguments = {"filters": 2, "kernel_size": (3, 2), "strides": strides, "bias_initializer": "uniform"}
    layer_test(
        layers.LocallyConnected2D, {**arguments, "data_format": data_format},
        np.moveaxis(data, -1, 1) if first else data, local,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cls", "arguments", "data", "sides"),
    [
        (layers.ZeroPadding1D, {}, STEPS, [(1, 1)]),
        (layers.ZeroPadding1D, {"padding": (2, 0)}, STEPS, [(2, 0)]),
        (layers.ZeroPadding2D, {}, IMAGE, [(1, 1), (1, 1)]),
        (layers.ZeroPadding2D, {"padding": ((0, 1), (2, 3))}, IMAGE, [(0, 1), (2, 3)]),
        (layers.ZeroPadding3D, {"padding": (0, 1, 2)}, VOLUME, [(0, 0), (1, 1), (2, 2)]),
    ],
)
def test_zero_padding(cls: Any, arguments: Any, data: Any, sides: Any) -> None:
    layer_test(cls, arguments, data, lambda x, w: np.pad(x, [(0, 0), *sides, (0, 0)]))


@pytest.mark.parametrize(
    ("cls", "arguments", "data", "kept"),
    [
        (layers.Cropping1D, {}, STEPS, np.s_[:, 1:-1]),
        (layers.Cropping1D, {"cropping": (0, 3)}, STEPS, np.s_[:, :-3]),
        (layers.Cropping2D, {}, IMAGE, np.s_[:]),
        (layers.Cropping2D, {"cropping": 2}, IMAGE, np.s_[:, 2:-2, 2:-2]),
        (layers.Cropping2D, {"cropping": ((1, 2), (0, 3))}, IMAGE, np.s_[:, 1:-2, :-3]),
        (layers.Cropping3D, {}, VOLUME, np.s_[:, 1:-1, 1:-1, 1:-1]),
    ],
)
def test_cropping(cls: Any, arguments: Any, data: Any, kept: Any) -> None:
    layer_test(cls, arguments, data, lambda x, w: x[kept])


def _repeated(x: Any, factors: tuple[int, ...]) -> Any:
    for axis, factor in enumerate(factors, 1):
        x = np.repeat(x, factor, axis)
    return x


def _interpolated(x: Any, factors: tuple[int, ...]) -> Any:
    for axis, factor in enumerate(factors, 1):
        at = np.arange(x.shape[axis] * factor) / factor
        rows = [
            np.interp(at, np.arange(x.shape[axis]), row) for row in np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis])
        ]
        moved = np.moveaxis(x, axis, -1)
        x = np.moveaxis(np.array(rows).reshape(*moved.shape[:-1], -1), -1, axis)
    return x


@pytest.mark.parametrize(
    ("cls", "arguments", "data", "expected"),
    [
        (layers.UpSampling1D, {"size": 3}, STEPS, lambda x, w: _repeated(x, (3,))),
        (layers.UpSampling2D, {}, IMAGE, lambda x, w: _repeated(x, (2, 2))),
        (
            layers.UpSampling2D, {"size": (3, 2), "interpolation": "bilinear"}, IMAGE,
            lambda x, w: _interpolated(x, (3, 2)),
        ),
        (layers.UpSampling3D, {"size": (1, 2, 3)}, VOLUME, lambda x, w: _repeated(x, (1, 2, 3))),
    ],
)  # fmt: skip
def test_up_sampling(cls: Any, arguments: Any, data: Any, expected: Any) -> None:
    layer_test(cls, arguments, data, expected)


def test_bilinear_up_sampling_as_tensorflow_1() -> None:
    """``tf.image.resize_bilinear(align_corners=False)`` of a row 0, 4 by 2: 0, 2, 4, 4."""
    model = Sequential([layers.UpSampling2D((1, 2), interpolation="bilinear", input_shape=(1, 2, 1))])
    np.testing.assert_array_equal(model.predict(np.array([[[[0.0], [4.0]]]])).ravel(), [0, 2, 4, 4])


POOLS = {1: (STEPS, (2,)), 2: (IMAGE, (2, 3)), 3: (VOLUME, (2, 2, 2))}


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("strided", [False, True])
def test_pooling(padding: str, rank: int, strided: bool) -> None:
    data, size = POOLS[rank]
    strides = (1,) * rank if strided else size
    arguments = {"pool_size": size, "strides": strides if strided else None, "padding": padding}
    over = tuple(range(-rank, 0))
    layer_test(
        getattr(layers, f"MaxPooling{rank}D"), arguments, data,
        lambda x, w: windows(x, size, strides, padding, -np.inf).max(over),
    )  # fmt: skip
    layer_test(
        getattr(layers, f"AveragePooling{rank}D"), arguments, data,
        lambda x, w: np.nanmean(windows(x, size, strides, padding, np.nan), over),
    )  # fmt: skip


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_global_pooling(rank: int) -> None:
    over = tuple(range(1, rank + 1))
    data = POOLS[rank][0]
    layer_test(getattr(layers, f"GlobalMaxPooling{rank}D"), {}, data, lambda x, w: x.max(over))
    layer_test(
        getattr(layers, f"GlobalAveragePooling{rank}D"), {}, data, lambda x, w: x.mean(over),
        mask_of=(lambda mask: None) if rank == 1 else None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Conv2D(2, 3, padding="full"), "padding"),
        (lambda: layers.Conv2D(2, 3, padding="causal"), "Causal"),
        (lambda: layers.Conv2D(2, (3, 3, 3)), "kernel_size"),
        (lambda: layers.Conv2D(2, 3)(layers.Input((8, 8, None))), "channel dimension of the inputs to `Conv2D`"),
        (lambda: layers.Conv2DTranspose(2, 3, strides=2, output_padding=2), "must be greater than output padding"),
        (lambda: layers.Conv2DTranspose(2, 3, padding="causal"), "Causal"),
        (lambda: layers.ZeroPadding2D((1, 2, 3)), "`padding` should have 2 elements"),
        (lambda: layers.ZeroPadding2D(1.5), "`padding` should be either an int, a tuple of 2 ints"),
        (lambda: layers.Cropping2D(-1), "should not be negative"),
        (lambda: layers.Cropping1D(3)(layers.Input((6, 2))), "nothing is left"),
        (lambda: layers.UpSampling2D(interpolation="cubic"), "`interpolation` argument should be one of"),
        (lambda: layers.LocallyConnected2D(2, 3, padding="same"), 'only "valid" is supported'),
        (lambda: layers.LocallyConnected1D(2, 3)(layers.Input((None, 3))), "should be fully-defined"),
        (lambda: layers.LocallyConnected1D(2, 9)(layers.Input((5, 3))), "does not fit"),
        (lambda: layers.LocallyConnected1D(2, 9, data_format="channels_first"), "takes channels last only"),
    ],
)
def test_bad_arguments(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_locally_connected_takes_an_implementation() -> None:
    assert "implementation" not in layers.LocallyConnected1D(2, 3, implementation=2).get_config()
    with pytest.raises(ValueError, match="implementation"):
        layers.LocallyConnected2D(2, 3, implementation=7)


def test_atrous_convolutions() -> None:
    with pytest.warns(UserWarning, match="AtrousConvolution1D"):
        layer = layers.AtrousConvolution1D(2, 3, atrous_rate=2)
    assert isinstance(layer, layers.Conv1D) and layer.dilation_rate == (2,)
    with pytest.warns(UserWarning, match="AtrousConvolution2D"):
        layer = convolutional.AtrousConv2D(2, 3, atrous_rate=(2, 1))
    assert isinstance(layer, layers.Conv2D) and layer.dilation_rate == (2, 1)


def test_maxout_dense() -> None:
    arguments = {"output_dim": 3, "nb_feature": 2, "input_dim": 4}
    data = RNG.normal(size=(5, 4)).astype("float32")
    layer_test(layers.MaxoutDense, arguments, data, lambda x, w: (np.einsum("ni,kio->nko", x, w[0]) + w[1]).max(1))


def test_highway() -> None:
    def gated(x: Any, w: Any) -> Any:
        gate = 1 / (1 + np.exp(-(x @ w[1] + w[3])))
        return np.tanh(x @ w[0] + w[2]) * gate + (1 - gate) * x

    data = RNG.normal(size=(5, 4)).astype("float32")
    layer_test(layers.Highway, {"activation": "tanh"}, data, gated)


def test_a_small_network_learns() -> None:
    images = RNG.normal(size=(64, 8, 8, 1)).astype("float32")
    labels = (images[:, :4].mean((1, 2, 3)) > images[:, 4:].mean((1, 2, 3))).astype("float32")
    model = Sequential([
        layers.Conv2D(8, 3, activation="relu", input_shape=(8, 8, 1)), layers.MaxPooling2D(), layers.Flatten(),
        layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("adam", "binary_crossentropy")
    history = model.fit(images, labels, epochs=30, batch_size=16, verbose=0)
    assert history.history["loss"][-1] < 0.8 * history.history["loss"][0]


def test_a_transposed_convolution_of_sizes_that_do_not_fit() -> None:
    x = layers.Input(batch_shape=(1, 4, 3, 2))
    with pytest.raises(ShapeError, match=r"gives 2 positions along axis 2, not 3"):
        layers.Conv2DTranspose(2, (3, 2), strides=(2, 3), padding="same", output_padding=(1, 0))(x)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cls", "arguments", "data", "reference"),
    [
        (
            layers.Conv2DTranspose, {"filters": 2, "kernel_size": 3, "strides": 2}, IMAGE[:, :4, :3],
            lambda x, w: conv_transpose(x, w[0], (2, 2), "valid", (9, 7)) + w[1],
        ),
        (
            layers.SeparableConv2D, {"filters": 4, "kernel_size": 3, "padding": "same"}, IMAGE,
            lambda x, w: conv(depthwise(x, w[0], (1, 1), "same"), w[1], (1, 1), "valid") + w[2],
        ),
        (
            layers.Conv1D, {"filters": 4, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, STEPS,
            lambda x, w: conv(x, w[0], (1,), "causal", (2,)) + w[1],
        ),
        (
            layers.UpSampling2D, {"size": (3, 2), "interpolation": "bilinear"}, IMAGE,
            lambda x, w: _interpolated(x, (3, 2)),
        ),
        (
            layers.ZeroPadding2D, {"padding": ((0, 1), (2, 3))}, IMAGE,
            lambda x, w: np.pad(x, [(0, 0), (0, 1), (2, 3), (0, 0)]),
        ),
        (layers.Cropping2D, {"cropping": ((1, 2), (0, 3))}, IMAGE, lambda x, w: x[:, 1:-2, :-3]),
        (
            layers.AveragePooling2D, {"pool_size": (2, 3), "padding": "same"}, IMAGE,
            lambda x, w: np.nanmean(windows(x, (2, 3), (2, 3), "same", np.nan), (-2, -1)),
        ),
    ],
)  # fmt: skip
def test_native_code_computes_the_same(
    cls: Any, arguments: Any, data: Any, reference: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYMGRAPH_TARGET", "llvm")
    layer_test(cls, arguments, data, reference)
