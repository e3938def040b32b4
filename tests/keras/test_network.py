"""Functional and sequential models: structure, weights, configs, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras import layers
from symgraph.keras.engine.topology import Network, get_source_inputs
from symgraph.keras.layers import Activation, Dense, Dropout, Flatten, Input, InputLayer, Lambda
from symgraph.keras.models import Model, Sequential, clone_model, model_from_json, to_list

pytestmark = pytest.mark.usefixtures("session")

X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


def two_by_two() -> Model:
    """Two inputs through one shared layer, two outputs."""
    a, b = Input((4,), name="a"), Input((4,), name="b")
    shared = Dense(3, activation="tanh", name="shared")
    joined = layers.concatenate([shared(a), shared(b)], name="joined")
    return Model([a, b], [Dense(2, name="left")(joined), Dense(1, name="right")(joined)])


def test_several_inputs_and_outputs_and_a_shared_layer() -> None:
    model = two_by_two()
    left, right = model.predict([X, 2 * X])
    k, c, kl, bl, kr, br = model.get_weights()
    joined = np.concatenate([np.tanh(X @ k + c), np.tanh(2 * X @ k + c)], 1)
    np.testing.assert_allclose(left, joined @ kl + bl, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(right, joined @ kr + br, rtol=1e-4, atol=1e-5)
    assert [layer.name for layer in model.layers] == ["a", "b", "shared", "joined", "left", "right"]
    assert model.input_names == ["a", "b"] and model.output_names == ["left", "right"]
    assert model.get_layer("shared") is model.get_layer(index=2) is model.layers[2]
    assert model.count_params() == 15 + 14 + 7
    by_name = model.predict({"b": 2 * X, "a": X})
    np.testing.assert_array_equal(by_name[0], left)


def test_layers_come_in_order_of_depth() -> None:
    x = Input((4,), name="x")
    long = Dense(4, name="long_2")(Dense(4, name="long_1")(x))
    short = Dense(4, name="short")(x)
    model = Model(x, layers.add([short, long], name="sum"))
    assert [layer.name for layer in model.layers] == ["x", "long_1", "short", "long_2", "sum"]


def test_a_very_deep_model() -> None:
    x = out = Input((4,))
    for _ in range(1200):
        out = Activation("linear")(out)
    model = Model(x, out)
    assert len(model.layers) == 1201
    np.testing.assert_array_equal(model.predict(X), X)


def test_a_model_as_a_layer() -> None:
    inner = Sequential([Dense(3, activation="relu", input_shape=(4,)), Dropout(0.5), Dense(2)])
    a, b = Input((4,)), Input((4,))
    model = Model([a, b], layers.subtract([inner(a), inner(b)]))
    np.testing.assert_allclose(model.predict([X, X]), np.zeros((5, 2)), atol=1e-6)
    assert len(model.weights) == 4
    one, both = inner.predict(X), model.predict([X, 0 * X])
    np.testing.assert_allclose(both, one - inner.predict(0 * X), rtol=1e-4, atol=1e-5)
    assert K.int_shape(inner(Input((4,)))) == (None, 2)
    assert inner.compute_output_shape((7, 4)) == (7, 2)


def test_losses_and_updates_of_a_nested_model() -> None:
    inner = Sequential([Dense(3, kernel_regularizer="l2", activity_regularizer="l1", input_shape=(4,))])
    x = Input((4,))
    model = Model(x, inner(x))
    assert len(inner.losses) == 2
    assert len(model.losses) == 2
    regular, activity = K.function([x], model.losses)([X])
    kernel, bias = inner.get_weights()
    assert {round(float(regular), 4), round(float(activity), 4)} == {
        round(0.01 * float((kernel**2).sum()), 4),
        round(0.01 * float(np.abs(X @ kernel + bias).sum()), 4),
    }


def test_intermediate_outputs() -> None:
    model = Sequential([Dense(3, activation="relu", input_shape=(4,)), Dropout(0.5), Dense(2)])
    f = K.function([model.input, K.learning_phase()], [model.layers[0].output, model.layers[2].output])
    hidden, out = f([X, 0])
    np.testing.assert_allclose(out, model.predict(X), rtol=1e-5)
    assert (hidden >= 0).all() and hidden.shape == (5, 3)
    second = K.function([model.layers[1].output], [model.output])
    np.testing.assert_allclose(second([hidden])[0], out, rtol=1e-5)
    extractor = Model(model.input, model.layers[0].output)
    np.testing.assert_allclose(extractor.predict(X), hidden, rtol=1e-5)


# -- sequential --------------------------------------------------------------------------------------------------------
def test_sequential_is_built_by_its_first_data() -> None:
    model = Sequential([Dense(3), Dense(2)])
    assert not model.built and model.inputs == [] and len(model.layers) == 2
    with pytest.raises(ValueError, match="This model has not yet been built"):
        model.summary()
    assert model.predict(X).shape == (5, 2)
    assert model.built and model.input_shape == (None, 4)
    model.add(Dense(1))
    assert model.predict(X).shape == (5, 1) and model.output_shape == (None, 1)


def test_sequential_build() -> None:
    model = Sequential([Dense(3)])
    model.build((None, 4))
    assert model.count_params() == 15
    with pytest.raises(ValueError, match="model is empty"):
        Sequential().build((None, 4))


@pytest.mark.parametrize(
    "first",
    [
        lambda: [Dense(3, input_shape=(4,))],
        lambda: [InputLayer((4,)), Dense(3)],
        lambda: [Dense(3, batch_input_shape=(None, 4))],
        lambda: [Sequential([Dense(3, input_shape=(4,))])],
        lambda: [Model(*(lambda x: (x, Dense(3)(x)))(Input((4,))))],
    ],
)
def test_ways_to_say_the_input_shape(first: Any) -> None:
    model = Sequential(first())
    model.add(Dense(2))
    assert model.predict(X).shape == (5, 2)
    assert not any(isinstance(layer, InputLayer) for layer in model.layers)


def test_sequential_pop() -> None:
    model = Sequential([Dense(3, input_shape=(4,)), Dense(2)])
    model.pop()
    assert model.predict(X).shape == (5, 3)
    model.pop()
    with pytest.raises(TypeError, match="There are no layers in the model"):
        model.pop()


def test_sequential_refuses() -> None:
    with pytest.raises(TypeError, match="The added layer must be an instance of class Layer. Found: 3"):
        Sequential([3])
    twins = Lambda(lambda x: [x, x + 1.0], output_shape=lambda s: [s, s])
    with pytest.raises(TypeError, match="should have a single output tensor"):
        Sequential([Dense(3, input_shape=(4,)), twins])


def test_predict_classes() -> None:
    model = Sequential([Dense(3, activation="softmax", input_shape=(4,))])
    np.testing.assert_array_equal(model.predict_classes(X), model.predict_proba(X).argmax(-1))
    model = Sequential([Dense(1, activation="sigmoid", input_shape=(4,))])
    np.testing.assert_array_equal(model.predict_classes(X), (model.predict(X) > 0.5).astype(int))


# -- weights -----------------------------------------------------------------------------------------------------------
def test_weights_of_a_model() -> None:
    model = two_by_two()
    weights = [np.full_like(w, i) for i, w in enumerate(model.get_weights())]
    model.set_weights(weights)
    for got, expected in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(got, expected)
    with pytest.raises(ValueError, match="the model was expecting 6 weights"):
        model.set_weights(weights[1:])
    with pytest.raises(ValueError, match="not compatible with provided weight shape"):
        model.set_weights([weights[1], *weights[1:]])
    assert (model.get_weights()[0] == 0).all()


def test_trainable() -> None:
    model = Sequential([Dense(3, input_shape=(4,)), Dense(2)])
    model.layers[0].trainable = False
    assert len(model.trainable_weights) == len(model.non_trainable_weights) == 2
    model.trainable = False
    assert model.trainable_weights == [] and len(model.non_trainable_weights) == 4


# -- configs -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("how", ["config", "json", "clone"])
@pytest.mark.parametrize("kind", ["functional", "sequential", "deferred", "nested"])
def test_copies(kind: str, how: str) -> None:
    if kind == "functional":
        model: Any = two_by_two()
        data: Any = [X, 2 * X]
    elif kind == "sequential":
        model = Sequential([Dense(3, activation="relu", input_shape=(4,)), Dropout(0.5), Dense(2)], name="mine")
        data = X
    elif kind == "deferred":
        model = Sequential([Dense(3), Dense(2)])
        model.build((None, 4))
        data = X
    else:
        x = Input((4,))
        inner = Sequential([Dense(3, input_shape=(4,))])
        model = Model(x, layers.add([inner(x), inner(Activation("tanh")(x))]))
        data = X
    if how == "config":
        copy = type(model).from_config(model.get_config())
        assert copy.get_config() == model.get_config()
    elif how == "json":
        copy = model_from_json(model.to_json())
    else:
        copy = clone_model(model)
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]
    copy.set_weights(model.get_weights())
    for a, b in zip(to_list(copy.predict(data)), to_list(model.predict(data)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_clone_on_another_tensor() -> None:
    model = Sequential([Dense(3, input_shape=(4,))])
    x = Input((4,))
    clone = clone_model(model, input_tensors=x)
    assert clone.inputs[0] is x
    functional = two_by_two()
    a, b = Input((4,)), Input((4,))
    assert clone_model(functional, [a, b]).inputs == [a, b]
    with pytest.raises(ValueError, match="Expected `model` argument to be a `Model` instance"):
        clone_model(3)


def test_config_has_keras_keys() -> None:
    config = two_by_two().get_config()
    assert sorted(config) == ["input_layers", "layers", "name", "output_layers"]
    assert config["input_layers"] == [["a", 0, 0], ["b", 0, 0]]
    shared = next(c for c in config["layers"] if c["name"] == "shared")
    assert shared["class_name"] == "Dense" and shared["inbound_nodes"] == [[["a", 0, 0, {}]], [["b", 0, 0, {}]]]
    joined = next(c for c in config["layers"] if c["name"] == "joined")
    assert joined["inbound_nodes"] == [[["shared", 0, 0, {}], ["shared", 1, 0, {}]]]
    assert list(Sequential([Dense(2, input_shape=(3,))]).layers[0].get_config()) == [
        "name",
        "trainable",
        "batch_input_shape",
        "dtype",
        "units",
        "activation",
        "use_bias",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
    ]


# -- summary -----------------------------------------------------------------------------------------------------------
def summary(model: Any, **arguments: Any) -> str:
    lines: list[str] = []
    model.summary(print_fn=lines.append, **arguments)
    return "\n".join(lines)


def test_summary_of_a_sequential_model() -> None:
    model = Sequential([Flatten(input_shape=(28, 28)), Dense(512, activation="relu"), Dropout(0.2), Dense(10)])
    model.layers[1].trainable = False
    assert summary(model) == (
        'Model: "sequential_1"\n'
        "_________________________________________________________________\n"
        "Layer (type)                 Output Shape              Param #   \n"
        "=================================================================\n"
        "flatten_1 (Flatten)          (None, 784)               0         \n"
        "_________________________________________________________________\n"
        "dense_1 (Dense)              (None, 512)               401920    \n"
        "_________________________________________________________________\n"
        "dropout_1 (Dropout)          (None, 512)               0         \n"
        "_________________________________________________________________\n"
        "dense_2 (Dense)              (None, 10)                5130      \n"
        "=================================================================\n"
        "Total params: 407,050\n"
        "Trainable params: 5,130\n"
        "Non-trainable params: 401,920\n"
        "_________________________________________________________________"
    )


def test_summary_of_a_model_with_branches() -> None:
    lines = summary(two_by_two()).split("\n")
    assert lines[0] == 'Model: "model_1"'
    assert all(len(line) == 98 for line in lines[1:-4])
    assert lines[2].split() == ["Layer", "(type)", "Output", "Shape", "Param", "#", "Connected", "to"]
    shared = next(i for i, line in enumerate(lines) if line.startswith("shared"))
    assert lines[shared].rstrip().endswith("a[0][0]") and lines[shared + 1].strip() == "b[0][0]"
    joined = next(i for i, line in enumerate(lines) if line.startswith("joined"))
    assert lines[joined].rstrip().endswith("shared[0][0]") and lines[joined + 1].strip() == "shared[1][0]"


def test_summary_with_another_width(capsys: pytest.CaptureFixture[str]) -> None:
    Sequential([Dense(2, input_shape=(3,))]).summary(line_length=40, positions=[0.5, 0.8, 1.0])
    printed = capsys.readouterr().out.split("\n")
    assert printed[1] == "_" * 40 and printed[2].index("Output") == 20


# -- errors ------------------------------------------------------------------------------------------------------------
def test_disconnected_graph() -> None:
    a, b = Input((4,), name="a"), Input((4,), name="b")
    out = layers.add([a, b])
    with pytest.raises(ValueError, match="Graph disconnected: cannot obtain value for tensor"):
        Model(a, out)


def test_wrong_ends() -> None:
    x = Input((4,))
    out = Dense(2)(x)
    with pytest.raises(ValueError, match=r"Output tensors to a Model must be the output of a Keras `Layer`"):
        Model(x, out + 1.0)
    with pytest.raises(ValueError, match="Input tensors to a Model must be Keras tensors"):
        Model(K.placeholder((None, 4)), out)
    with pytest.raises(ValueError, match="must come from `keras.layers.Input`"):
        Model(out, Dense(2)(out))
    with pytest.raises(ValueError, match="The list of inputs passed to the model is redundant"):
        Model([x, x], out)
    second = Dense(2, name="dense_1")(out)
    with pytest.raises(ValueError, match='The name "dense_1" is used 2 times in the model'):
        Model(x, second)


def test_get_layer_errors() -> None:
    model = two_by_two()
    with pytest.raises(ValueError, match="No such layer: nonsense"):
        model.get_layer("nonsense")
    with pytest.raises(ValueError, match="layer at index 9 but model only has 6 layers"):
        model.get_layer(index=9)
    with pytest.raises(ValueError, match="Provide either a layer name or layer index"):
        model.get_layer()


def test_source_inputs() -> None:
    model = two_by_two()
    assert get_source_inputs(model.outputs[0]) == model.inputs
    assert isinstance(model, Network)


def test_keras_1_keywords() -> None:
    x = Input((4,))
    with pytest.warns(UserWarning, match="Keras 2 API"):
        old = Model(input=x, output=Dense(2)(x))
    assert old.predict(X).shape == (5, 2)
