"""Convolutional LSTMs against loops in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras.layers import Bidirectional, ConvLSTM2D, ConvLSTM2DCell, Input
from symgraph.keras.layers.convolutional_recurrent import ConvRecurrent2D, ConvRNN2D
from symgraph.keras.models import Model, Sequential
from tests.keras import recurrent_reference as reference
from tests.keras.layer_check import layer_test

pytestmark = pytest.mark.usefixtures("session")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 3, 5, 6, 2))
SETTINGS: dict[str, Any] = {
    "plain": ({"kernel_size": 3}, {}, (3, 4)),
    "same": ({"kernel_size": (2, 3), "padding": "same"}, {"padding": "same"}, (5, 6)),
    "strides": ({"kernel_size": 2, "strides": (2, 1)}, {"strides": (2, 1)}, (2, 5)),
    "dilation": ({"kernel_size": 2, "dilation_rate": 2}, {"dilation": (2, 2)}, (3, 4)),
}


@pytest.mark.parametrize("sequences", [pytest.param(False, marks=pytest.mark.slow), True])
@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n == "same" else pytest.mark.slow) for n in SETTINGS])
def test_conv_lstm(name: str, sequences: bool) -> None:
    arguments, settings, sides = SETTINGS[name]

    def wanted(x: Any, weights: list[Any]) -> Any:
        zero = np.zeros((len(x), *sides, 3))
        outputs, _ = reference.walk(
            reference.conv_lstm(**settings), x, weights, [zero, zero], gate=reference.hard_sigmoid
        )
        return outputs if sequences else outputs[:, -1]

    given = {"filters": 3, "return_sequences": sequences, "bias_initializer": "random_normal", **arguments}
    layer_test(
        ConvLSTM2D, given, X, wanted, mask_of=lambda mask: mask.any((2, 3)) if sequences else None, formats=False
    )  # fmt: skip


@pytest.mark.parametrize("first", [False, True])
def test_states_masks_and_direction(first: bool) -> None:
    layout = "channels_first" if first else "channels_last"
    layer = ConvLSTM2D(
        3, 3, padding="same", data_format=layout, return_sequences=True, return_state=True, go_backwards=True,
        recurrent_activation="sigmoid", use_bias=False, dtype="float64",
    )  # fmt: skip
    shape = (None, 2, None, None) if first else (None, None, None, 2)
    x, m = Input(shape, dtype="float64"), K.placeholder((None, None), dtype="bool")
    starts = [Input((3, 5, 6) if first else (5, 6, 3), dtype="float64") for _ in range(2)]
    outputs = layer(x, initial_state=starts, mask=m)
    f = K.function([x, m, *starts], outputs)
    mask = np.array([[True, False, True], [False, True, True]])
    states = [RNG.normal(size=(2, 5, 6, 3)) for _ in range(2)]

    def moved(a: Any) -> Any:
        return np.moveaxis(a, -1, -3) if first else a

    found = f([moved(X), mask, *map(moved, states)])
    weights = [*layer.get_weights(), np.zeros(12)]
    want, last = reference.walk(
        reference.conv_lstm(padding="same"), X, weights, states, mask=mask, backwards=True
    )
    for a, b in zip(found, [want, *last], strict=True):
        np.testing.assert_allclose(a, moved(b), rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_a_network_for_films() -> None:
    """Stacked, in both directions, stateful; with dropout, which is the same in all steps."""
    data = X.astype("float32")
    model = Sequential(
        [
            Bidirectional(ConvLSTM2D(2, 3, padding="same", return_sequences=True), batch_input_shape=(2, 3, 5, 6, 2)),
            ConvLSTM2D(1, 3, stateful=True, dropout=0.3, recurrent_dropout=0.2),
        ]
    )
    assert model.layers[0].output_shape == (2, 3, 5, 6, 4) and model.output_shape == (2, 3, 4, 1)
    model.compile("adam", "mse")
    first, second = model.predict(data, 2), model.predict(data, 2)
    assert not np.allclose(first, second)
    model.reset_states()
    np.testing.assert_array_equal(model.predict(data, 2), first)
    losses = model.fit(data, np.zeros((2, 3, 4, 1)), epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    copy = Sequential.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    model.reset_states()
    np.testing.assert_allclose(copy.predict(data, 2), model.predict(data, 2), rtol=1e-5)


def test_defaults_and_refusals() -> None:
    layer = ConvLSTM2D(3, 3)
    layer(Input((None, 8, 8, 2)))
    assert [w.name for w in layer.weights] == [f"conv_lst_m2d_1/{n}" for n in ("kernel", "recurrent_kernel", "bias")]
    assert [w.shape for w in layer.get_weights()] == [(3, 3, 2, 12), (3, 3, 3, 12), (12,)]
    assert layer.recurrent_activation.__name__ == "hard_sigmoid" and layer.cell.state_size == (3, 3)
    np.testing.assert_array_equal(layer.get_weights()[2], [0] * 3 + [1] * 3 + [0] * 6)
    with pytest.raises(TypeError, match="unrolled"):
        ConvLSTM2D(3, 3, unroll=True)
    with pytest.raises(TypeError, match="stack layers"):
        ConvRNN2D([ConvLSTM2DCell(3, 3), ConvLSTM2DCell(3, 3)])
    with pytest.raises(ValueError, match="channel dimension"):
        ConvLSTM2D(3, 3)(Input((None, 8, 8, None)))
    with pytest.raises(ValueError, match="ndim=5"):
        ConvLSTM2D(3, 3)(Input((8, 8, 2)))
    with pytest.warns(UserWarning, match="nb_filter -> filters"):
        assert ConvLSTM2D(nb_filter=3, kernel_size=3, border_mode="same").padding == "same"


def test_a_convolutional_layer_of_keras_2_0() -> None:
    class Blur(ConvRecurrent2D):
        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(shape=(*self.kernel_size, 1, self.filters), name="kernel")
            self.states = [None]
            self.built = True

        def step(self, inputs: Any, states: list[Any]) -> Any:
            new = states[0] * 0.5 + K.conv2d(inputs, self.kernel, padding=self.padding)
            return new, [new]

    layer = Blur(2, 3, return_sequences=True)
    x = Input((None, 5, 6, 1))
    model = Model(x, layer(x))
    assert model.output_shape == (None, None, 3, 4, 2)
    data = X[..., :1]
    made, wanted = np.zeros((2, 3, 4, 2)), []
    for t in range(3):
        made = made * 0.5 + reference.convolved(data[:, t], np.float64(layer.get_weights()[0]), (1, 1), "valid", (1, 1))
        wanted.append(made)
    np.testing.assert_allclose(model.predict(data), np.stack(wanted, 1), rtol=1e-4, atol=1e-5)
    assert layer.get_config()["filters"] == 2
