"""Convolution and pooling layers against plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgraph.keras import layers
from symgraph.keras.models import Sequential

from .test_layers import check

pytestmark = pytest.mark.usefixtures("session")

RNG = np.random.default_rng(5)
STEPS = RNG.normal(size=(2, 9, 3)).astype("float32")
IMAGE = RNG.normal(size=(2, 7, 8, 3)).astype("float32")
VOLUME = RNG.normal(size=(2, 4, 5, 4, 2)).astype("float32")


def _windows(x: Any, size: tuple[int, ...], strides: tuple[int, ...], padding: str, fill: float) -> Any:
    """``(positions..., windows...)`` of channels-last data, at axes 1..: (n, *positions, c, *windows)."""
    pads = [(0, 0)]
    for d, w, s in zip(x.shape[1:-1], size, strides, strict=True):
        missing = max((-(-d // s) - 1) * s + w - d, 0) if padding == "same" else 0
        pads.append((w - 1, 0) if padding == "causal" else (missing // 2, missing - missing // 2))
    padded = np.pad(x, [*pads, (0, 0)], constant_values=fill)
    axes = tuple(range(1, x.ndim - 1))
    seen = np.lib.stride_tricks.sliding_window_view(padded, size, axes)
    return seen[(slice(None), *(slice(None, None, s) for s in strides))]


def _conv(x: Any, kernel: Any, strides: tuple[int, ...], padding: str) -> Any:
    rank = x.ndim - 2
    seen = _windows(x, kernel.shape[:rank], strides, padding, 0.0)
    return np.tensordot(seen, np.moveaxis(kernel, -2, 0), rank + 1)


@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
@pytest.mark.parametrize("strides", [1, 2])
def test_conv1d(padding: str, strides: int) -> None:
    layer = layers.Conv1D(4, 3, strides=strides, padding=padding, bias_initializer="ones")
    result = check(layer, STEPS)
    np.testing.assert_allclose(result, _conv(STEPS, layer.get_weights()[0], (strides,), padding) + 1, 1e-4, 1e-5)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [(1, 1), (2, 3)])
def test_conv2d(padding: str, strides: tuple[int, int]) -> None:
    layer = layers.Conv2D(5, (3, 2), strides=strides, padding=padding, activation="relu")
    result = check(layer, IMAGE)
    expected = np.maximum(_conv(IMAGE, layer.get_weights()[0], strides, padding), 0)
    np.testing.assert_allclose(result, expected, 1e-4, 1e-5)
    assert [w.name for w in layer.weights] == [f"{layer.name}/kernel", f"{layer.name}/bias"]


def test_conv2d_channels_first() -> None:
    layer = layers.Conv2D(5, 3, padding="same", data_format="channels_first", bias_initializer="ones")
    result = check(layer, np.moveaxis(IMAGE, -1, 1))
    expected = _conv(IMAGE, layer.get_weights()[0], (1, 1), "same") + 1
    np.testing.assert_allclose(result, np.moveaxis(expected, -1, 1), 1e-4, 1e-5)


def test_conv3d() -> None:
    layer = layers.Conv3D(3, (2, 3, 2), strides=(1, 2, 1), padding="same")
    result = check(layer, VOLUME)
    np.testing.assert_allclose(result, _conv(VOLUME, layer.get_weights()[0], (1, 2, 1), "same"), 1e-4, 1e-5)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [None, (1, 2)])
def test_pooling(padding: str, strides: Any) -> None:
    steps = (2, 3) if strides is None else strides
    largest = _windows(IMAGE, (2, 3), steps, padding, -np.inf).max((-1, -2))
    check(layers.MaxPooling2D((2, 3), strides, padding), IMAGE, largest)
    mean = np.nanmean(_windows(IMAGE, (2, 3), steps, padding, np.nan), (-1, -2))
    check(layers.AveragePooling2D((2, 3), strides, padding), IMAGE, mean)


def test_pooling_of_other_ranks() -> None:
    check(layers.MaxPooling1D(2), STEPS, _windows(STEPS, (2,), (2,), "valid", 0).max(-1))
    check(layers.AveragePooling1D(3, 2), STEPS, _windows(STEPS, (3,), (2,), "valid", 0).mean(-1))
    check(layers.MaxPooling3D(2), VOLUME, _windows(VOLUME, (2, 2, 2), (2, 2, 2), "valid", 0).max((-1, -2, -3)))
    check(layers.AveragePooling3D(2), VOLUME, _windows(VOLUME, (2, 2, 2), (2, 2, 2), "valid", 0).mean((-1, -2, -3)))


def test_global_pooling() -> None:
    check(layers.GlobalMaxPooling1D(), STEPS, STEPS.max(1))
    check(layers.GlobalAveragePooling1D(), STEPS, STEPS.mean(1))
    check(layers.GlobalMaxPooling2D(), IMAGE, IMAGE.max((1, 2)))
    check(layers.GlobalAveragePooling2D(), IMAGE, IMAGE.mean((1, 2)))
    check(layers.GlobalMaxPooling3D(), VOLUME, VOLUME.max((1, 2, 3)))
    check(layers.GlobalAveragePooling3D(), VOLUME, VOLUME.mean((1, 2, 3)))


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="padding"):
        layers.Conv2D(2, 3, padding="full")
    with pytest.raises(ValueError, match="Causal"):
        layers.Conv2D(2, 3, padding="causal")
    with pytest.raises(ValueError, match="kernel_size"):
        layers.Conv2D(2, (3, 3, 3))


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
