"""A small model of every layer type, written so that any Keras 2 can build it: symgraph's, or the real tf_keras.

``models(keras)`` gives builders by name; ``keras`` is the package to build with. ``inputs(model)`` gives arrays for
one, and ``compiled(keras)`` gives trained models, one for each optimizer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Build = Callable[[], Any]


def models(keras: Any) -> dict[str, Build]:
    """Builders of models, by the name of the layer that each is about."""
    found: dict[str, Build] = {}
    for family in (_core, _convolutional, _pooling, _merging, _activations, _normalizing, _recurrent, _nested):
        found.update(family(keras))
    return found


def _stack(keras: Any, shape: tuple[int | None, ...], *layers: Callable[[], Any]) -> Build:
    return lambda: keras.models.Sequential([keras.layers.InputLayer(shape, name="data"), *(make() for make in layers)])


def _core(keras: Any) -> dict[str, Build]:
    l = keras.layers
    return {
        "Dense": _stack(keras, (5,), lambda: l.Dense(3, activation="tanh"), lambda: l.Dense(2, use_bias=False)),
        "Activation": _stack(keras, (5,), lambda: l.Activation("selu")),
        "Dropout": _stack(keras, (5,), lambda: l.Dropout(0.3), lambda: l.Dense(2)),
        "Flatten": _stack(keras, (3, 2, 4), lambda: l.Flatten(), lambda: l.Dense(2)),
        "Reshape": _stack(keras, (6,), lambda: l.Reshape((3, -1))),
        "Permute": _stack(keras, (3, 4), lambda: l.Permute((2, 1))),
        "RepeatVector": _stack(keras, (3,), lambda: l.RepeatVector(4)),
        "ActivityRegularization": _stack(keras, (3,), lambda: l.ActivityRegularization(0.1, 0.2)),
        "Masking": _stack(keras, (4, 3), lambda: l.Masking(0.5), lambda: l.LSTM(2)),
        "SpatialDropout": _stack(
            keras, (4, 3), lambda: l.SpatialDropout1D(0.2), lambda: l.Reshape((2, 2, 3)),
            lambda: l.SpatialDropout2D(0.2), lambda: l.Reshape((1, 2, 2, 3)), lambda: l.SpatialDropout3D(0.2),
        ),
        "Regularizers": _stack(
            keras, (5,),
            lambda: l.Dense(
                3, kernel_regularizer=keras.regularizers.l1_l2(0.1, 0.2), bias_regularizer="l2",
                kernel_constraint="max_norm", bias_constraint="non_neg", kernel_initializer="he_normal",
                bias_initializer=keras.initializers.Constant(0.25),
            ),
        ),
    }  # fmt: skip


def _convolutional(keras: Any) -> dict[str, Build]:
    l = keras.layers
    return {
        "Conv1D": _stack(
            keras, (7, 3), lambda: l.Conv1D(4, 3, padding="causal", dilation_rate=2), lambda: l.Conv1D(2, 2, strides=2)
        ),
        "Conv2D": _stack(
            keras, (7, 6, 3), lambda: l.Conv2D(4, (3, 2), strides=(2, 1), padding="same", activation="relu"),
            lambda: l.Conv2D(2, 2, dilation_rate=2, use_bias=False),
        ),
        "Conv3D": _stack(keras, (4, 5, 4, 2), lambda: l.Conv3D(3, (2, 3, 2), padding="same")),
        "Conv2DTranspose": _stack(
            keras, (3, 4, 2), lambda: l.Conv2DTranspose(3, 3, strides=2, padding="same"),
            lambda: l.Conv2DTranspose(2, (2, 3), strides=(1, 2), padding="valid"),
        ),
        "Conv3DTranspose": _stack(keras, (2, 3, 2, 2), lambda: l.Conv3DTranspose(3, 2, strides=2)),
        "SeparableConv1D": _stack(keras, (6, 3), lambda: l.SeparableConv1D(4, 3, depth_multiplier=2)),
        "SeparableConv2D": _stack(keras, (6, 5, 3), lambda: l.SeparableConv2D(4, 3, padding="same")),
        "DepthwiseConv2D": _stack(keras, (6, 5, 3), lambda: l.DepthwiseConv2D(3, depth_multiplier=2, strides=2)),
        "Cropping": _stack(
            keras, (7, 6), lambda: l.Cropping1D((1, 2)), lambda: l.Reshape((4, 6, 1)),
            lambda: l.Cropping2D(((1, 0), (1, 2))), lambda: l.Reshape((3, 3, 1, 1)), lambda: l.Cropping3D((1, 1, 0)),
        ),
        "ZeroPadding": _stack(
            keras, (2, 4), lambda: l.ZeroPadding1D((1, 2)), lambda: l.Reshape((5, 4, 1)),
            lambda: l.ZeroPadding2D(((1, 0), (0, 1))), lambda: l.Reshape((6, 5, 1, 1)),
            lambda: l.ZeroPadding3D((0, 1, 1)),
        ),
        "UpSampling": _stack(
            keras, (2, 4), lambda: l.UpSampling1D(2), lambda: l.Reshape((4, 4, 1)),
            lambda: l.UpSampling2D((2, 1), interpolation="nearest"), lambda: l.Reshape((8, 4, 1, 1)),
            lambda: l.UpSampling3D((1, 2, 2)),
        ),
        "LocallyConnected1D": _stack(keras, (6, 3), lambda: l.LocallyConnected1D(2, 3)),
        "LocallyConnected2D": _stack(keras, (5, 4, 2), lambda: l.LocallyConnected2D(3, (2, 3))),
    }  # fmt: skip


def _pooling(keras: Any) -> dict[str, Build]:
    l = keras.layers
    found: dict[str, Build] = {}
    for kind in ("Max", "Average"):
        for axes, shape in ((1, (7, 3)), (2, (7, 6, 3)), (3, (5, 4, 6, 2))):
            pool, whole = getattr(l, f"{kind}Pooling{axes}D"), getattr(l, f"Global{kind}Pooling{axes}D")
            found[f"{kind}Pooling{axes}D"] = _stack(
                keras, shape, lambda pool=pool: pool(2, padding="same"), lambda pool=pool: pool(2, strides=1)
            )  # fmt: skip
            found[f"Global{kind}Pooling{axes}D"] = _stack(keras, shape, lambda whole=whole: whole())
    return found


def _merging(keras: Any) -> dict[str, Build]:
    l = keras.layers

    def merged(layer: Callable[[], Any], shapes: Any = ((3, 4), (3, 4))) -> Build:
        def build() -> Any:
            inputs = [l.Input(shape, name=f"data_{i}") for i, shape in enumerate(shapes)]
            return keras.models.Model(inputs, layer()(inputs))

        return build

    same = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
    found = {name: merged(lambda name=name: getattr(l, name)()) for name in same}
    found["Concatenate"] = merged(lambda: l.Concatenate(axis=1), ((2, 4), (3, 4)))
    found["Dot"] = merged(lambda: l.Dot(axes=(2, 1), normalize=True), ((2, 3), (3, 4)))
    return found


def _activations(keras: Any) -> dict[str, Build]:
    l = keras.layers
    return {
        "LeakyReLU": _stack(keras, (4,), lambda: l.LeakyReLU(0.2)),
        "PReLU": _stack(keras, (4, 3), lambda: l.PReLU(alpha_initializer="uniform", shared_axes=[1])),
        "ELU": _stack(keras, (4,), lambda: l.ELU(0.7)),
        "ThresholdedReLU": _stack(keras, (4,), lambda: l.ThresholdedReLU(0.3)),
        "Softmax": _stack(keras, (4, 3), lambda: l.Softmax(axis=1)),
        "ReLU": _stack(keras, (4,), lambda: l.ReLU(1.0, 0.1, 0.2)),
    }


def _normalizing(keras: Any) -> dict[str, Build]:
    l = keras.layers
    return {
        "BatchNormalization": _stack(
            keras, (4, 3), lambda: l.BatchNormalization(axis=1), lambda: l.BatchNormalization(scale=False, center=False)
        ),
        "Noise": _stack(
            keras, (4,), lambda: l.GaussianNoise(0.1), lambda: l.GaussianDropout(0.2), lambda: l.AlphaDropout(0.1)
        ),
        "Embedding": _stack(keras, (5,), lambda: l.Embedding(9, 3, mask_zero=True), lambda: l.GRU(2)),
    }  # fmt: skip


def _recurrent(keras: Any) -> dict[str, Build]:
    l = keras.layers
    return {
        "SimpleRNN": _stack(keras, (5, 3), lambda: l.SimpleRNN(4, return_sequences=True), lambda: l.SimpleRNN(2)),
        "LSTM": _stack(
            keras, (5, 3), lambda: l.LSTM(4, return_sequences=True, recurrent_activation="hard_sigmoid"),
            lambda: l.LSTM(2, go_backwards=True, unit_forget_bias=False, use_bias=False),
        ),
        "GRU": _stack(
            keras, (5, 3), lambda: l.GRU(4, return_sequences=True, reset_after=False, recurrent_activation="sigmoid"),
            lambda: l.GRU(2, reset_after=True, recurrent_activation="sigmoid"),
        ),
        "StatefulLSTM": lambda: keras.models.Sequential(
            [l.LSTM(3, stateful=True, batch_input_shape=(2, 4, 3), recurrent_activation="sigmoid")]
        ),
        "StackedRNNCells": _stack(keras, (4, 3), lambda: l.RNN([l.LSTMCell(3), l.GRUCell(2, reset_after=False)])),
        "Cells": _stack(keras, (4, 3), lambda: l.RNN(l.SimpleRNNCell(3, activation="relu"), return_sequences=True)),
        "ConvLSTM2D": _stack(keras, (3, 5, 4, 2), lambda: l.ConvLSTM2D(3, 2, padding="same", return_sequences=True)),
        "Bidirectional": _stack(
            keras, (4, 3), lambda: l.Bidirectional(l.LSTM(3, return_sequences=True, recurrent_activation="sigmoid")),
            lambda: l.Bidirectional(l.GRU(2, reset_after=True, recurrent_activation="sigmoid"), merge_mode="sum"),
        ),
        "TimeDistributed": _stack(keras, (4, 3), lambda: l.TimeDistributed(l.Dense(2, activation="tanh"))),
    }  # fmt: skip


def _nested(keras: Any) -> dict[str, Build]:
    l, m = keras.layers, keras.models

    def nested() -> Any:
        deep = l.Dense(4, input_shape=(3,), name="deep")
        inner = m.Sequential([deep, l.BatchNormalization(name="norm")], name="inner")
        x = l.Input((3,), name="data")
        return m.Model(x, l.Dense(2, name="top")(inner(x)), name="outer")

    def shared() -> Any:
        a, b = l.Input((4,), name="left"), l.Input((4,), name="right")
        twice = l.Dense(3, activation="relu", name="twice")
        both = l.concatenate([twice(a), twice(b)], name="both")
        return m.Model([a, b], [l.Dense(1, name="first")(both), l.Dense(2, name="second")(both)])

    def several_calls() -> Any:
        x = l.Input((4,), name="data")
        inner = m.Sequential([l.Dense(4, activation="tanh", input_shape=(4,))], name="step")
        return m.Model(x, inner(inner(inner(x))))

    def distributed() -> Any:
        inner = m.Sequential([l.Conv1D(2, 2, input_shape=(4, 3)), l.GlobalMaxPooling1D()], name="reader")
        x = l.Input((5, 4, 3), name="data")
        return m.Model(x, l.TimeDistributed(inner, name="each")(x))

    return {"Model in a model": nested, "Shared layers": shared, "Model called thrice": several_calls,
            "TimeDistributed model": distributed}  # fmt: skip


def compiled(keras: Any) -> dict[str, Build]:
    """Builders of models that are trained for two steps, so that their optimizers have a state."""
    o = keras.optimizers
    makers: dict[str, Build] = {
        "SGD": lambda: o.SGD(0.1, momentum=0.9, nesterov=True),
        "RMSprop": lambda: o.RMSprop(0.01),
        "Adagrad": lambda: o.Adagrad(0.05),
        "Adadelta": lambda: o.Adadelta(1.0),
        "Adam": lambda: o.Adam(0.01, amsgrad=True),
        "Adamax": lambda: o.Adamax(0.01),
        "Nadam": lambda: o.Nadam(0.01),
        "Ftrl": lambda: o.Ftrl(0.1),
    }

    if hasattr(o, "legacy"):  # tf.keras's optimizers of TensorFlow 2.0 to 2.10
        makers |= {
            "legacy SGD": lambda: o.legacy.SGD(0.1, momentum=0.9),
            "legacy RMSprop": lambda: o.legacy.RMSprop(0.01),
            "legacy Adam": lambda: o.legacy.Adam(0.01),
            "legacy Nadam": lambda: o.legacy.Nadam(0.01),
            "legacy Ftrl": lambda: o.legacy.Ftrl(0.1),
        }

    def build(make: Build) -> Any:
        l = keras.layers
        model = keras.models.Sequential([l.Dense(4, activation="relu", input_shape=(3,)), l.Dense(2)])
        model.compile(make(), "mse", metrics=["mae"])
        x, y = training_data()
        for _ in range(2):
            model.train_on_batch(x, y)
        return model

    return {name: lambda make=make: build(make) for name, make in makers.items()}


def training_data() -> tuple[Any, Any]:
    rng = np.random.default_rng(5)
    return rng.normal(size=(8, 3)).astype("float32"), rng.normal(size=(8, 2)).astype("float32")


def inputs(model: Any) -> list[Any]:
    """Arrays for a model: two samples, with indices for embeddings, and some masked steps of 0.5."""
    rng = np.random.default_rng(3)
    arrays = []
    for x in model.inputs:
        shape = (2, *(3 if d is None else int(d) for d in x.shape[1:]))
        arrays.append(rng.normal(size=shape).astype("float32"))
    first = next((layer for layer in model.layers if type(layer).__name__ != "InputLayer"), None)
    if type(first).__name__ == "Embedding":
        return [np.array([[1, 2, 3, 0, 0], [4, 5, 8, 7, 0]], "float32")]
    if type(first).__name__ == "Masking":
        arrays[0][1, 2:] = 0.5
    return arrays


def randomize(model: Any) -> None:
    """Set all weights to numbers that tell wrong orders and layouts apart."""
    rng = np.random.default_rng(7)
    weights = [rng.normal(size=w.shape) * 0.5 for w in model.get_weights()]
    named = [w.name.rpartition("/")[2] for w in model.weights]
    positive = [name.startswith("moving_variance") for name in named]
    model.set_weights([np.abs(w) + 0.5 if p else w for w, p in zip(weights, positive, strict=True)])
