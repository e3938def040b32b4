"""Scripts and configs of Keras 1."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from symgraph.keras.engine.old_weights import flipped
from symgraph.keras.engine.saving import preprocess_weights_for_loading
from symgraph.keras.layers import (
    BatchNormalization,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Cropping2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Embedding,
    GaussianNoise,
    GlobalMaxPooling2D,
    Input,
    MaxPooling1D,
    MaxPooling2D,
    PReLU,
    SeparableConv2D,
    SpatialDropout2D,
    UpSampling1D,
    ZeroPadding2D,
)
from symgraph.keras.models import Model, Sequential, model_from_json

pytestmark = pytest.mark.usefixtures("session")


@pytest.mark.parametrize(
    ("make", "attribute", "value"),
    [
        (lambda: Dense(output_dim=3), "units", 3),
        (lambda: Dense(3, bias=False), "use_bias", False),
        (lambda: Dropout(p=0.25), "rate", 0.25),
        (lambda: GaussianNoise(sigma=0.5), "stddev", 0.5),
        (lambda: SpatialDropout2D(p=0.5, dim_ordering="th"), "data_format", "channels_first"),
        (lambda: Conv1D(nb_filter=2, filter_length=3), "kernel_size", (3,)),
        (lambda: Conv1D(2, 3, input_dim=4, input_length=8), "batch_input_shape", (None, 8, 4)),
        (lambda: Conv2D(2, 3, 4), "kernel_size", (3, 4)),
        (lambda: Conv2D(2, 3, nb_col=4), "kernel_size", (3, 4)),
        (lambda: Conv2D(2, nb_row=3, nb_col=4, subsample=(2, 2)), "strides", (2, 2)),
        (lambda: Conv2D(nb_filter=2, nb_row=3, nb_col=4, dim_ordering="th"), "data_format", "channels_first"),
        (lambda: Conv2DTranspose(2, 3, 3, output_shape=(None, 9, 9, 2)), "kernel_size", (3, 3)),
        (lambda: Conv2DTranspose(2, 3, 3, (None, 9, 9, 2), border_mode="same"), "padding", "same"),
        (lambda: Conv3D(2, 3, 4, 5), "kernel_size", (3, 4, 5)),
        (lambda: SeparableConv2D(2, 3, 4, depth_multiplier=2), "kernel_size", (3, 4)),
        (lambda: MaxPooling1D(pool_length=3, stride=2), "strides", (2,)),
        (lambda: MaxPooling2D(border_mode="same"), "padding", "same"),
        (lambda: GlobalMaxPooling2D(dim_ordering="tf"), "data_format", "channels_last"),
        (lambda: UpSampling1D(length=3), "size", (3,)),
        (lambda: ZeroPadding2D(dim_ordering="th"), "data_format", "channels_first"),
        (lambda: Cropping2D(dim_ordering="th"), "data_format", "channels_first"),
    ],
)
def test_old_names_work_with_a_warning(make: Any, attribute: str, value: Any) -> None:
    with pytest.warns(UserWarning, match="Keras 2 API"):
        layer = make()
    assert getattr(layer, attribute) == value


def test_old_initializers() -> None:
    with pytest.warns(UserWarning, match=r"`Dense` call to the Keras 2 API: init -> kernel_initializer"):
        dense = Dense(2, init="zero", input_dim=3)
    with pytest.warns(UserWarning, match="gamma_init"):
        norm = BatchNormalization(gamma_init="one")
    with pytest.warns(UserWarning, match="init"):
        Embedding(3, 4, init="uniform"), PReLU(init="one")
    assert not Sequential([dense, norm]).get_weights()[0].any()
    with pytest.raises(TypeError, match="twice"):
        Dense(2, init="zero", kernel_initializer="ones")


def test_old_initializer_of_a_separable_convolution() -> None:
    with pytest.warns(UserWarning, match="init -> depthwise_initializer/pointwise_initializer"):
        layer = SeparableConv2D(2, 3, init="ones")
    assert type(layer.depthwise_initializer).__name__ == type(layer.pointwise_initializer).__name__ == "Ones"


def test_the_model_constructor_of_keras_1() -> None:
    x = Input((3,))
    with pytest.warns(UserWarning, match="`Model` call to the Keras 2 API: input -> inputs, output -> outputs"):
        model = Model(input=x, output=Dense(2)(x))
    assert model.output_shape == (None, 2)


def test_a_kernel_size_and_strides_as_tuples_are_of_keras_2(recwarn: pytest.WarningsRecorder) -> None:
    assert Conv2D(2, (3, 3), (2, 2)).strides == (2, 2) and not recwarn.list


def test_a_model_of_keras_1() -> None:
    config = [
        {
            "class_name": "Dense",
            "config": {
                "W_constraint": None, "b_constraint": None, "name": "dense_1", "output_dim": 5, "trainable": True,
                "activity_regularizer": None, "init": "glorot_uniform", "bias": True, "input_dtype": "float32",
                "input_dim": 4, "b_regularizer": None, "W_regularizer": None, "activation": "relu",
                "batch_input_shape": [None, 4],
            },
        },
        {"class_name": "Dropout", "config": {"p": 0.5, "trainable": True, "name": "dropout_1"}},
        {"class_name": "BatchNormalization", "config": {"name": "bn", "epsilon": 1e-05, "trainable": True, "mode": 0,
                                                        "momentum": 0.9, "axis": -1, "gamma_regularizer": None,
                                                        "beta_regularizer": None}},
    ]  # fmt: skip
    with pytest.warns(UserWarning, match="Keras 2 API"):
        model = model_from_json(json.dumps({"class_name": "Sequential", "config": config, "keras_version": "1.2.2"}))
    assert model.predict(np.ones((2, 4))).shape == (2, 5)
    assert model.layers[1].rate == 0.5 and model.layers[2].epsilon == 1e-05


@pytest.mark.parametrize(
    ("layer", "shape", "axes"),  # today's kernel with its axes in this order was Keras 1's
    [
        (Conv2D(4, (3, 2), data_format="channels_first"), (2, 5, 6), (3, 2, 0, 1)),
        (Conv2D(4, (3, 2), data_format="channels_last"), (5, 6, 2), (0, 1, 2, 3)),
        (Conv3D(4, (3, 2, 1), data_format="channels_first"), (2, 5, 6, 7), (4, 3, 0, 1, 2)),
        (Conv2DTranspose(4, (3, 2), data_format="channels_first"), (2, 5, 6), (2, 3, 0, 1)),
        (Conv2DTranspose(4, (3, 2), data_format="channels_last"), (5, 6, 2), (0, 1, 3, 2)),
        (DepthwiseConv2D((3, 2), data_format="channels_first"), (2, 5, 6), (0, 1, 2, 3)),
    ],
    ids=lambda x: f"{type(x).__name__}, {x.data_format}" if hasattr(x, "data_format") else "",
)
def test_kernels_of_keras_1(layer: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    layer.build((None, *shape))
    kernel, bias = layer.get_weights()
    for backend, stored in (("tensorflow", kernel), ("theano", flipped(kernel))):
        if isinstance(layer, DepthwiseConv2D):
            stored = kernel
        got = preprocess_weights_for_loading(layer, [stored.transpose(axes), bias], "1.2.2", backend)
        np.testing.assert_array_equal(got[0], kernel)
        np.testing.assert_array_equal(got[1], bias)


def test_kernels_of_steps_of_keras_1() -> None:
    layer = Conv1D(4, 3)
    layer.build((None, 8, 2))
    kernel, bias = layer.get_weights()
    for stored in (kernel[:, None], kernel[:, None].transpose(3, 2, 0, 1), kernel):
        np.testing.assert_array_equal(preprocess_weights_for_loading(layer, [stored, bias], "1.2.2")[0], kernel)
