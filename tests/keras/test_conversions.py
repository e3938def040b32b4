"""Helpers that bring weights from one convention to another, and sizes of convolutions."""

from __future__ import annotations

import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras import layers, utils
from symgraph.keras.activations import get
from symgraph.keras.engine import saving
from symgraph.keras.models import Sequential
from symgraph.keras.utils import conv_utils, layer_utils, metrics_utils

pytestmark = pytest.mark.usefixtures("session")
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("padding", "size"), [("valid", 5), ("same", 5)])
def test_input_lengths(padding: str, size: int) -> None:
    for stride in (1, 2, 3):
        length = conv_utils.conv_output_length(20, size, padding, stride)
        back = conv_utils.conv_input_length(length, size, padding, stride)
        assert back <= 20 and conv_utils.conv_output_length(back, size, padding, stride) == length
    assert conv_utils.conv_input_length(None, size, padding, 1) is None
    assert conv_utils.conv_input_length(7, 3, "full", 1) == 5
    with pytest.raises(ValueError, match="padding"):
        conv_utils.conv_input_length(7, 3, "causal", 1)


def test_kernels_are_mirrored() -> None:
    kernel = RNG.normal(size=(3, 2, 4, 5))
    np.testing.assert_array_equal(conv_utils.convert_kernel(kernel), kernel[::-1, ::-1])
    with pytest.raises(ValueError, match="Invalid kernel shape"):
        conv_utils.convert_kernel(np.zeros((2, 2)))
    model = Sequential([layers.Conv2D(2, 3, input_shape=(5, 5, 1)), layers.Flatten(), layers.Dense(1)])
    before = model.get_weights()
    utils.convert_all_kernels_in_model(model)
    np.testing.assert_array_equal(model.get_weights()[0], before[0][::-1, ::-1])
    np.testing.assert_array_equal(model.get_weights()[2], before[2])


@pytest.mark.parametrize("target", ["channels_first", "channels_last"])
def test_dense_weights_follow_the_data_format(target: str) -> None:
    image = RNG.normal(size=(2, 3, 4, 5)).astype("float32")
    first = target == "channels_first"
    there = np.moveaxis(image, -1, 1) if first else np.moveaxis(image, 1, -1)
    model = Sequential([layers.Dense(3, input_shape=(60,))])
    before = model.predict(image.reshape(2, -1))
    layer_utils.convert_dense_weights_data_format(model.layers[0], there.shape[1:], target)
    np.testing.assert_allclose(model.predict(there.reshape(2, -1)), before, 1e-5, 1e-5)
    with pytest.raises(ValueError, match="does not flatten to"):
        layer_utils.convert_dense_weights_data_format(model.layers[0], (3, 3), target)
    with pytest.raises(ValueError, match="no data format"):
        layer_utils.convert_dense_weights_data_format(model.layers[0], (3, 20), "first")


def test_weighted_assign_add() -> None:
    label, pred = np.array([[True, False, True], [True, True, False]]), np.ones((2, 3), bool)
    weights = np.array([[1.0, 2.0, 3.0], [0.5, 0.25, 1.0]], "float32")
    total = K.variable(np.ones(2))
    arguments = [K.constant(label, "bool"), K.constant(pred, "bool")]
    K.run_updates([metrics_utils.weighted_assign_add(*arguments, K.constant(weights), total)])
    np.testing.assert_array_equal(K.get_value(total), [5, 1.75])
    K.run_updates([metrics_utils.weighted_assign_add(*arguments, None, total)])
    np.testing.assert_array_equal(K.get_value(total), [7, 3.75])


def test_cloud_paths_are_refused() -> None:
    with pytest.raises(ValueError, match="Google Cloud Storage"):
        saving.load_model("gs://bucket/model.h5")
    with pytest.raises(ValueError, match="Google Cloud Storage"):
        Sequential([layers.Dense(1, input_shape=(1,))]).save("gs://bucket/model.h5")


def test_a_layer_as_an_activation_is_warned_about() -> None:
    with pytest.warns(UserWarning, match="Do not pass a layer instance"):
        layer = get(layers.LeakyReLU())
    assert isinstance(layer, layers.LeakyReLU)


def test_add_edge() -> None:
    pydot = pytest.importorskip("pydot")
    from symgraph.keras.utils.vis_utils import add_edge

    dot = pydot.Dot()
    add_edge(dot, "a", "b")
    add_edge(dot, "a", "b")
    assert len(dot.get_edges()) == 1
