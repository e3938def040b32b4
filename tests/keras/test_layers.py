"""Layers: values, shapes, configs, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras import layers
from symgraph.keras.layers import Dense, Input, Lambda
from symgraph.keras.models import Model, Sequential

pytestmark = pytest.mark.usefixtures("session")

RNG = np.random.default_rng(0)
X2 = RNG.normal(size=(3, 6)).astype("float32")


@pytest.mark.parametrize(
    ("layer", "mean", "deviation"),
    [
        (layers.Dropout(0.25), 1.0, np.sqrt(1 / 3)),
        (layers.GaussianNoise(0.5), 1.0, 0.5),
        (layers.GaussianDropout(0.2), 1.0, 0.5),
    ],
)
def test_noise_in_training(layer: Any, mean: float, deviation: float) -> None:
    x = Input((100,))
    f = K.function([x, K.learning_phase()], [layer(x)])
    data = np.ones((200, 100), "float32")
    (noisy,), (plain,) = f([data, 1]), f([data, 0])
    np.testing.assert_array_equal(plain, data)
    assert noisy.mean() == pytest.approx(mean, abs=0.02) and noisy.std() == pytest.approx(deviation, rel=0.03)
    assert not np.array_equal(f([data, 1])[0], noisy)


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    x = Input((100,))
    f = K.function([x, K.learning_phase()], [layers.AlphaDropout(0.2)(x)])
    out = f([RNG.normal(size=(300, 100)), 1])[0]
    assert abs(out.mean()) < 0.03 and out.std() == pytest.approx(1.0, rel=0.03)


def test_dropout_with_a_noise_shape() -> None:
    x = Input((4, 50))
    out = layers.Dropout(0.5, noise_shape=(None, 1, 50))(x)
    data = np.ones((2, 4, 50), "float32")
    dropped = K.function([x, K.learning_phase()], [out])([data, 1])[0]
    assert (dropped == dropped[:, :1]).all() and set(np.unique(dropped)) == {0, 2}


def test_lambda_finds_its_output_shape() -> None:
    x = Input((4, 6))
    assert K.int_shape(Lambda(lambda t: K.sum(t, axis=-1))(x)) == (None, 4)
    layer = Lambda(lambda t: t[:, 0], output_shape=(6,))
    assert K.int_shape(layer(x)) == (None, 6)
    with pytest.raises(TypeError, match="`output_shape` must be a list, a tuple, or a function"):
        Lambda(lambda t: t, output_shape=3)


def test_lambda_of_several_inputs() -> None:
    a, b = Input((6,)), Input((6,))
    model = Model([a, b], Lambda(lambda ts: ts[0] - ts[1])([a, b]))
    np.testing.assert_array_equal(model.predict([X2, X2]), np.zeros_like(X2))


# -- merge -------------------------------------------------------------------------------------------------------------
def test_merge_functions() -> None:
    a, b = Input((6,)), Input((6,))
    outs = [
        getattr(layers, n)([a, b])
        for n in ("add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate")
    ]
    outs.append(layers.dot([a, b], axes=1))
    assert [K.int_shape(o)[1] for o in outs] == [6] * 6 + [12, 1]


def test_merge_errors() -> None:
    a, b = Input((6,)), Input((5,))
    with pytest.raises(ValueError, match="should be called on a list of at least 2 inputs"):
        layers.Add()(a)
    with pytest.raises(ValueError, match="Operands could not be broadcast together with shapes"):
        layers.Add()([a, b])
    with pytest.raises(ValueError, match="`Concatenate` layer requires inputs with matching shapes"):
        layers.Concatenate(axis=1)([Input((2, 3)), Input((2, 4))])
    with pytest.raises(ValueError, match="Dimension incompatibility 6 != 5"):
        layers.Dot(1)([a, b])
    with pytest.raises(ValueError, match="exactly 2 inputs"):
        layers.Subtract()([a, a, a])


# -- the layer contract ------------------------------------------------------------------------------------------------
class Scaled(layers.Layer):
    """A layer as users write them."""

    def __init__(self, factor: float, **kwargs: Any) -> None:
        self.factor = factor
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight(name="scale", shape=(input_shape[-1],), initializer="ones", trainable=True)
        self.seen = self.add_weight(name="seen", shape=(), initializer="zeros", trainable=False)
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        self.add_update(K.update_add(self.seen, 1.0), x)
        self.add_loss(K.mean(x), x)
        return x * self.scale * self.factor

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


def test_a_layer_of_the_user() -> None:
    x = Input((6,))
    layer = Scaled(2.0, name="mine")
    model = Model(x, layer(x))
    np.testing.assert_allclose(model.predict(X2), 2 * X2, rtol=1e-6)
    assert [w.name for w in layer.trainable_weights] == ["mine/scale"]
    assert [w.name for w in layer.non_trainable_weights] == ["mine/seen"]
    assert len(model.losses) == len(model.updates) == 1
    assert layer.get_losses_for(x) == model.losses and layer.get_losses_for(None) == []
    layer.trainable = False
    assert layer.trainable_weights == [] and len(layer.non_trainable_weights) == 2 and model.updates == []


def test_attributes_before_init() -> None:
    """Keras 2 layers often set attributes before they call ``Layer.__init__``."""
    assert Scaled(3.0).factor == 3.0


def test_layers_and_variables_as_attributes_are_tracked() -> None:
    class Wrapper(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Dense(2)
            self.extra = K.variable(1.0)

        def call(self, x: Any) -> Any:
            return self.inner(x) * self.extra

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (input_shape[0], 2)

    layer = Wrapper()
    layer(Input((6,)))
    assert len(layer.weights) == 3
    assert layer.count_params() == 6 * 2 + 2 + 1


def test_nodes_and_shared_layers() -> None:
    layer = Dense(2)
    with pytest.raises(AttributeError, match="has no inbound nodes"):
        _ = layer.input
    with pytest.raises(RuntimeError, match="has never been called"):
        layer.get_output_at(0)
    a, b = Input((6,)), Input((6,))
    out_a = layer(a)
    assert layer.input is a and layer.output is out_a
    out_b = layer(b)
    assert layer.get_output_at(1) is out_b and layer.get_input_at(0) is a
    assert layer.input_shape == (None, 6) and layer.output_shape == (None, 2)
    with pytest.raises(AttributeError, match="multiple inbound nodes"):
        _ = layer.output
    with pytest.raises(ValueError, match="only 2 inbound nodes"):
        layer.get_output_at(2)
    other = layers.Activation("relu")
    other(Input((2,)))
    other(Input((3,)))
    with pytest.raises(AttributeError, match="with different output shapes"):
        _ = other.output_shape


def test_a_layer_that_gives_its_input_has_an_output_of_its_own() -> None:
    x = Input((6,))
    out = layers.Activation("linear")(x)
    assert out is not x and K.is_keras_tensor(out)


def test_set_weights_errors() -> None:
    layer = Dense(2)
    layer(Input((6,)))
    with pytest.raises(ValueError, match="with a  weight list of length 1, but the layer was expecting 2 weights"):
        layer.set_weights([np.zeros((6, 2))])
    with pytest.raises(
        ValueError, match=r"Layer weight shape \(6, 2\) not compatible with provided weight shape \(2, 6\)"
    ):
        layer.set_weights([np.zeros((2, 6)), np.zeros(2)])
    with pytest.raises(RuntimeError, match="the layer isn't built"):
        Dense(2).count_params()


def test_initial_weights() -> None:
    kernel, bias = np.ones((6, 2)), np.full(2, 3.0)
    layer = Dense(2, weights=[kernel, bias])
    layer(Input((6,)))
    np.testing.assert_array_equal(layer.get_weights()[1], bias)


def test_masks_pass_through_and_stop() -> None:
    x = Input((4, 6))
    masked = layers.Masking()(x)
    dense = Dense(2)
    dense(masked)
    assert dense.output_mask is not None
    with pytest.raises(TypeError, match="does not support masking, but was passed an input_mask"):
        layers.Flatten()(masked)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Dense(2)(X2), r"was called with an input that isn't a symbolic tensor\. Received type"),
        (lambda: Dense(2)(Input((None,))), "The last dimension of the inputs to `Dense` should be defined"),
        (
            lambda: layers.Flatten()(Input((3,))),
            r"Input 0 is incompatible with layer flatten_1: expected min_ndim=3, found ndim=2",
        ),
        (lambda: layers.RepeatVector(2)(Input((3, 4))), "expected ndim=2, found ndim=3"),
        (lambda: layers.Flatten()(Input((None, 3))), 'The shape of the input to "Flatten" is not fully defined'),
        (lambda: layers.Reshape((4, 5))(Input((6,))), "total size of new array must be unchanged"),
        (lambda: layers.Reshape((-1, -1))(Input((6,))), "at most one unknown dimension"),
        (lambda: layers.Permute((1, 3)), "Invalid permutation `dims`"),
        (lambda: layers.ReLU(max_value=-1.0), "max_value of ReLU layer cannot be negative"),
        (lambda: layers.Activation("nonsense"), "Unknown activation function:nonsense"),
        (lambda: Input(), "Please provide to Input either a `shape` or a `batch_shape` argument"),
        (lambda: layers.deserialize({"class_name": "Nonsense", "config": {}}), "Unknown layer: Nonsense"),
    ],
)
def test_errors(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_a_shared_layer_checks_its_inputs() -> None:
    layer = Dense(2)
    layer(Input((6,)))
    with pytest.raises(ValueError, match=r"expected axis -1 of input shape to have value 6 but got shape \(None, 5\)"):
        layer(Input((5,)))


def test_unknown_keyword() -> None:
    with pytest.raises(TypeError, match="Keyword argument not understood"):
        Dense(2, unit=3)


def test_names() -> None:
    assert [Dense(2).name, Dense(2).name, layers.RepeatVector(2).name] == ["dense_1", "dense_2", "repeat_vector_1"]


def test_dense_takes_input_dim() -> None:
    assert Sequential([Dense(2, input_dim=6)]).input_shape == (None, 6)
