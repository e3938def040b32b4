"""Recurrent layers in both directions, and layers at every step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    LSTMCell,
    Masking,
    SimpleRNN,
    TimeDistributed,
)
from symgraph.keras.models import Model, Sequential, load_model
from tests.keras import recurrent_reference as reference
from tests.keras.layer_check import layer_test

pytestmark = pytest.mark.usefixtures("session")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 5, 3))
MERGES: dict[Any, Any] = {
    "sum": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "ave": lambda a, b: (a + b) / 2,
    "concat": lambda a, b: np.concatenate([a, b], -1),
    None: lambda a, b: [a, b],
}


def both(x: Any, weights: list[Any], **arguments: Any) -> tuple[Any, Any]:
    """The outputs of a simple network forwards, and backwards in the order of the input."""
    states = arguments.pop("states", [np.zeros((len(x), 4))] * 2)
    there, _ = reference.walk(reference.simple_rnn, x, weights[:3], states[:1], **arguments)
    back, _ = reference.walk(reference.simple_rnn, x, weights[3:], states[1:], backwards=True, **arguments)
    return there, back[:, ::-1]


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("merge", [pytest.param(m, marks=pytest.mark.slow if m != "concat" else []) for m in MERGES])
def test_bidirectional(merge: Any, sequences: bool) -> None:
    def wanted(x: Any, weights: list[Any]) -> Any:
        there, back = both(x, weights)
        return MERGES[merge](there, back) if sequences else MERGES[merge](there[:, -1], back[:, 0])

    def arguments(floats: str) -> dict[str, Any]:
        return {"layer": SimpleRNN(4, return_sequences=sequences, dtype=floats), "merge_mode": merge}

    layer_test(Bidirectional, arguments, X, wanted, mask_of=lambda mask: mask if sequences else None)


def test_masks_states_and_names() -> None:
    data, mask = X.astype("float32"), np.arange(5) < np.array([5, 3, 1, 4])[:, None]
    data = data * mask[..., None]
    x, starts = Input((None, 3)), [Input((4,)), Input((4,))]
    layer = Bidirectional(SimpleRNN(4, return_sequences=True, return_state=True, name="r"), name="b")
    outputs = layer(Masking()(x), initial_state=starts)
    assert [K.int_shape(t) for t in outputs] == [(None, None, 8), (None, 4), (None, 4)]
    names = [w.name for w in layer.weights]
    assert names[0] == "b/forward_r/kernel" and names[3] == "b/backward_r/kernel" and len(names) == 6
    states = [RNG.normal(size=(4, 4)) for _ in range(2)]
    there, back = both(np.float64(data), layer.get_weights(), mask=mask, states=states)
    found = Model([x, *starts], outputs).predict([data, *states])
    np.testing.assert_allclose(found[0], np.concatenate([there, back], -1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[1], there[:, -1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[2], back[:, 0], rtol=1e-4, atol=1e-5)
    fixed = Model(x, layer(x, initial_state=[K.constant(s) for s in states])).predict(data)[1]
    np.testing.assert_allclose(fixed, both(np.float64(data), layer.get_weights(), states=states)[0][:, -1], rtol=1e-4)
    with pytest.raises(ValueError, match="even number"):
        layer(x, initial_state=starts[:1])
    with pytest.raises(ValueError, match="merge_mode"):
        Bidirectional(GRU(3), merge_mode="max")
    with pytest.raises(ValueError, match="no `go_backwards`"):
        Bidirectional(Dense(3))


def test_constants_weights_and_cells_of_ones_own() -> None:
    class Shifted(LSTMCell):
        def call(self, inputs: Any, states: Any, training: Any = None, constants: Any = None) -> Any:
            return super().call(inputs + constants[0], states, training)

        def build(self, input_shape: Any) -> None:
            super().build(input_shape[0])

    data, shift = X.astype("float32"), RNG.normal(size=(4, 3)).astype("float32")
    x, c = Input((None, 3)), Input((3,))
    layer = Bidirectional(RNN(Shifted(4)))
    found = Model([x, c], layer(x, constants=c)).predict([data, shift])
    other = Bidirectional(LSTM(4), weights=layer.get_weights())
    moved = Model(x, other(x)).predict(data + shift[:, None])
    np.testing.assert_allclose(found, moved, rtol=1e-5)
    config = layer.get_config()
    assert config["num_constants"] == 1
    again = Bidirectional.from_config(config, custom_objects={"Shifted": Shifted})
    again_model = Model([x, c], again([x, c]))
    again.set_weights(layer.get_weights())
    np.testing.assert_allclose(again_model.predict([data, shift]), found, rtol=1e-6)


def test_trainable_regularizers_and_dropout() -> None:
    layer = Bidirectional(GRU(3, kernel_regularizer="l2", recurrent_dropout=0.5))
    x = Input((5, 3))
    out = layer(x)
    assert out._uses_learning_phase and len(layer.losses) == 2
    assert len(Model(x, out).losses) == 2
    assert len(layer.trainable_weights) == 6
    layer.trainable = False
    assert not layer.trainable_weights and not layer.forward_layer.trainable and len(layer.weights) == 6


def test_a_stateful_bidirectional_layer(tmp_path: Path) -> None:
    data = X.astype("float32")
    model = Sequential([Bidirectional(LSTM(3, stateful=True), batch_input_shape=(4, 5, 3))])
    first, second = model.predict(data, batch_size=4), model.predict(data, batch_size=4)
    assert not np.allclose(first, second)
    model.reset_states()
    np.testing.assert_array_equal(model.predict(data, batch_size=4), first)
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.h5")
    again = load_model(tmp_path / "m.h5")
    np.testing.assert_array_equal(again.predict(data, batch_size=4), first)


# -- layers at every step -------------------------------------------------------------------------------------------
def test_a_layer_of_texts_at_every_step() -> None:
    """Texts of sentences of words: a mask of words for the inner layer, one of sentences for the outer one."""
    ids = np.array([[[1, 2, 0], [3, 0, 0], [0, 0, 0]], [[4, 4, 4], [0, 0, 0], [0, 0, 0]]])
    x = Input((None, 3))
    words = TimeDistributed(Embedding(5, 4, mask_zero=True))
    sentences = TimeDistributed(GRU(3))
    top = LSTM(2)
    vectors = sentences(words(x))
    model = Model(x, top(vectors))
    assert K.int_shape(vectors) == (None, None, 3)
    mask = K.function([x], [sentences.output_mask])([ids])[0]
    np.testing.assert_array_equal(mask, [[True, True, False], [True, False, False]])
    table, *weights = words.get_weights() + sentences.get_weights()
    for text, counts, found in zip(ids, ((2, 1), (3,)), model.predict(ids), strict=True):
        rows = []
        for sentence, count in zip(text, counts, strict=False):
            words_of = np.float64(table[sentence[None, :count]])
            rows.append(reference.walk(reference.gru, words_of, weights, [np.zeros((1, 3))])[0][:, -1])
        outputs, _ = reference.walk(
            reference.lstm, np.stack(rows, 1), top.get_weights(), [np.zeros((1, 2)), np.zeros((1, 2))]
        )
        np.testing.assert_allclose(found, outputs[0, -1], rtol=1e-4, atol=1e-6)


def test_a_model_at_every_step(tmp_path: Path) -> None:
    inner = Sequential([Masking(input_shape=(4, 3)), LSTM(5), Dropout(0.5), Dense(2)])
    model = Sequential([TimeDistributed(inner, input_shape=(6, 4, 3)), Flatten()])
    assert model.layers[0].output._uses_learning_phase
    data = RNG.normal(size=(3, 6, 4, 3)).astype("float32")
    data[:, :, 2:] = 0
    wanted = inner.predict(data.reshape(18, 4, 3)).reshape(3, 12)
    np.testing.assert_allclose(model.predict(data), wanted, rtol=1e-5, atol=1e-6)
    model.compile("adam", "mse")
    model.fit(data, np.zeros((3, 12)), verbose=0)
    model.save(tmp_path / "m.h5")
    np.testing.assert_array_equal(load_model(tmp_path / "m.h5").predict(data), model.predict(data))
