"""Cells of one's own, stacks of cells, initial states, and Keras 2.0's base class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras.layers import (
    GRU,
    LSTM,
    RNN,
    Dense,
    GRUCell,
    Input,
    InputSpec,
    LSTMCell,
    Recurrent,
    SimpleRNNCell,
    StackedRNNCells,
)
from symgraph.keras.models import Model
from tests.keras import recurrent_reference as reference
from tests.keras.layer_check import layer_test

pytestmark = pytest.mark.usefixtures("session")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 5, 3))


def close(found: Any, wanted: Any, exact: float = 1e-9) -> None:
    np.testing.assert_allclose(found, wanted, exact, exact)


@pytest.mark.parametrize("sequences", [False, True])
def test_a_list_of_cells(sequences: bool) -> None:
    cells = [GRUCell(4, dtype="float64"), LSTMCell(3, dtype="float64"), SimpleRNNCell(2, dtype="float64")]
    x = Input((None, 3), dtype="float64")
    layer = RNN(cells, return_sequences=sequences, return_state=True, dtype="float64")
    outputs = layer(x)
    model = Model(x, outputs)
    weights = layer.get_weights()
    assert [w.shape[-1] for w in weights] == [12, 12, 12, 12, 12, 12, 2, 2, 2]
    first, (a,) = reference.walk(reference.gru, X, weights[:3], [np.zeros((4, 4))])
    second, (b, c) = reference.walk(reference.lstm, first, weights[3:6], [np.zeros((4, 3))] * 2)
    third, (d,) = reference.walk(reference.simple_rnn, second, weights[6:], [np.zeros((4, 2))])
    wanted = [third if sequences else third[:, -1], a, b, c, d]
    for found, want in zip(model.predict(X), wanted, strict=True):
        close(found, want)
    again = RNN.from_config(layer.get_config())
    copy = Model(x, again(x))
    copy.set_weights(model.get_weights())
    close(copy.predict(X)[0], wanted[0])
    assert StackedRNNCells(cells).state_size == (4, 3, 3, 2)
    assert StackedRNNCells(cells, reverse_state_order=True).state_size == (2, 3, 3, 4)


class Running:
    """A cell that is no layer: running sums, shifted by constants."""

    state_size = 3

    def call(self, inputs: Any, states: list[Any], constants: Any = None) -> Any:
        shift = constants[0] if constants else 0.0
        total = states[0] + inputs + shift
        return total * 2.0, [total]


def test_a_cell_of_ones_own() -> None:
    x, shift = Input((None, 3)), Input((3,))
    data, moved = X.astype("float32"), RNG.normal(size=(4, 3)).astype("float32")
    out = RNN(Running(), return_sequences=True)(x)
    close(Model(x, out).predict(data), 2 * data.cumsum(1), 1e-5)
    layer = RNN(Running(), return_sequences=True)
    out = layer(x, constants=shift)
    close(Model([x, shift], out).predict([data, moved]), 2 * (data + moved[:, None]).cumsum(1), 1e-5)
    start = Input((3,))
    out = layer(x, initial_state=start, constants=shift)
    wanted = 2 * ((data + moved[:, None]).cumsum(1) + moved[:, None])
    close(Model([x, start, shift], out).predict([data, moved, moved]), wanted, 1e-5)
    close(Model([x, start, shift], layer([x, start, shift])).predict([data, moved, moved]), wanted, 1e-5)
    out = layer(x, constants=K.constant([1.0, 2.0, 3.0]))
    close(Model(x, out).predict(data), 2 * (data + np.array([1.0, 2.0, 3.0])).cumsum(1), 1e-5)
    with pytest.raises(ValueError, match="takes no `constants`"):
        RNN(LSTMCell(3))(x, constants=shift)
    for wrong in (object(), [LSTMCell(2), object()]):
        with pytest.raises(ValueError, match="has no `call`"):
            RNN(wrong)


def test_initial_states() -> None:
    data = X.astype("float32")
    x, h = Input((5, 3)), Input((4,))
    layer = GRU(4, return_state=True)
    start = RNG.normal(size=4).astype("float32")
    fixed = K.constant(np.tile(start, (4, 1)))
    outputs, _ = reference.walk(reference.gru, X, _weights(layer, x), [np.tile(start, (4, 1))])
    close(Model(x, layer(x, initial_state=fixed)).predict(data)[0], outputs[:, -1], 1e-5)
    encoder = GRU(4, return_state=True)
    _, state = encoder(x)
    model = Model([x, h], [layer(x, initial_state=state)[0], layer([x, h])[0]])
    _, (last,) = reference.walk(reference.gru, X, _weights(encoder, x), [np.zeros((4, 4))])
    outputs, _ = reference.walk(reference.gru, X, _weights(layer, x), [last])
    given, _ = reference.walk(reference.gru, X, _weights(layer, x), [np.tile(start, (4, 1))])
    first, second = model.predict([data, np.tile(start, (4, 1))])
    close(first, outputs[:, -1], 1e-5)
    close(second, given[:, -1], 1e-5)
    copy = Model.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    close(copy.predict([data, np.tile(start, (4, 1))])[0], first, 1e-6)
    with pytest.raises(ValueError, match="initial states of the shapes"):
        layer(x, initial_state=[fixed, fixed])
    with pytest.raises(ValueError, match="Keras tensors"):
        LSTM(4)(x, initial_state=[h, fixed])
    with pytest.raises(ValueError, match="initial states of the shapes"):
        GRU(4)(x, initial_state=Input((5,)))
    with pytest.raises(ValueError, match="not in both"):
        layer([x, h], initial_state=h)


def _weights(layer: Any, x: Any) -> list[Any]:
    if not layer.built:
        layer(x)
    return [np.float64(w) for w in layer.get_weights()]


def test_an_encoder_and_a_decoder() -> None:
    """Layers shared by a model that trains on whole sequences and one that goes step by step."""
    source, target = Input((None, 3)), Input((None, 3))
    _, *states = LSTM(4, return_state=True)(source)
    decoder, dense = LSTM(4, return_sequences=True, return_state=True), Dense(3)
    outputs, *_ = decoder(target, initial_state=states)
    model = Model([source, target], dense(outputs))
    model.compile("rmsprop", "mse")
    data = X.astype("float32")
    before = model.train_on_batch([data, data], data)
    for _ in range(20):
        after = model.train_on_batch([data, data], data)
    assert after < before
    given = [Input((4,)), Input((4,))]
    step, *moved = decoder(target, initial_state=given)
    encoder, one = Model(source, states), Model([target, *given], [dense(step), *moved])
    kept, made = encoder.predict(data), []
    for t in range(5):
        row, *kept = one.predict([data[:, t : t + 1], *kept])
        made.append(row)
    close(np.concatenate(made, 1), model.predict([data, data]), 1e-5)


# -- Keras 2.0's base class -----------------------------------------------------------------------------------------
class Decay(Recurrent):
    """``h' = 0.5 h + x + shift``, as layers were written for Keras 2.0."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: Any) -> None:
        input_shape = input_shape[0] if isinstance(input_shape, list) else input_shape
        self.shift = self.add_weight(shape=(self.units,), initializer="ones", name="shift")
        self.input_spec[0] = InputSpec(shape=(input_shape[0] if self.stateful else None, None, input_shape[2]))
        self.states = [None]
        if self.stateful:
            self.reset_states()
        self.built = True

    def get_constants(self, inputs: Any, training: Any = None) -> list[Any]:
        return [self.shift]

    def preprocess_input(self, inputs: Any, training: Any = None) -> Any:
        return inputs * 2.0

    def step(self, inputs: Any, states: list[Any]) -> Any:
        new = states[0] * 0.5 + inputs + states[1]
        return new, [new]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


def test_a_recurrent_layer_of_keras_2_0() -> None:
    def wanted(x: Any, weights: list[Any]) -> Any:
        return reference.walk(
            lambda row, states, w, _: [states[0] * 0.5 + row * 2 + w[0]], x, weights, [np.zeros((len(x), 3))]
        )[0][:, -1]

    arguments = {"units": 3}
    layer_test(Decay, arguments, X, wanted, mask_of=lambda mask: None, custom_objects={"Decay": Decay})
    start = Input((3,))
    x = Input((None, 3))
    model = Model([x, start], Decay(3, return_state=True)(x, initial_state=start))
    data, state = X.astype("float32"), RNG.normal(size=(4, 3)).astype("float32")
    found, last = model.predict([data, state])
    close(found, wanted(X, [np.ones(3)]) + state / 32, 1e-4)
    close(last, found)
    with pytest.raises(NotImplementedError, match="no `step`"):
        Recurrent().step(x, [])
