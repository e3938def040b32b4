"""Recurrent layers that go on where the last batch ended; recurrent models in files."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph.keras import backend as K
from symgraph.keras.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Dense,
    GRUCell,
    Input,
    LSTMCell,
    SimpleRNN,
    StackedRNNCells,
    TimeDistributed,
)
from symgraph.keras.models import Model, Sequential, load_model, model_from_json

pytestmark = pytest.mark.usefixtures("session")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 6, 3)).astype("float32")


@pytest.mark.parametrize("cls", [SimpleRNN, GRU, LSTM])
def test_batches_continue_each_other(cls: Any) -> None:
    """Two halves of sequences, one batch after the other, are the whole ones."""
    whole = Sequential([cls(5, return_sequences=True, input_shape=(None, 3))])
    halves = Sequential([cls(5, return_sequences=True, stateful=True, batch_input_shape=(4, None, 3))])
    halves.set_weights(whole.get_weights())
    wanted = whole.predict(X)
    for _ in range(2):
        found = [halves.predict(X[:, :4], batch_size=4), halves.predict(X[:, 4:], batch_size=4)]
        np.testing.assert_allclose(np.concatenate(found, 1), wanted, rtol=1e-5, atol=1e-6)
        halves.reset_states()
    layer = halves.layers[0]
    halves.predict(X[:, :4], batch_size=4)
    kept = [K.get_value(s) for s in layer.states]
    halves.predict(X[:, 4:], batch_size=4)
    layer.reset_states(kept)
    np.testing.assert_allclose(halves.predict(X[:, 4:], batch_size=4), wanted[:, 4:], rtol=1e-5, atol=1e-6)


def test_training_and_testing_continue_the_states() -> None:
    model = Sequential([LSTM(5, stateful=True, batch_input_shape=(2, 3, 3)), Dense(1)])
    model.compile("sgd", "mse")
    K.set_value(model.optimizer.lr, 0.0)
    assert len(model.state_updates) == 2
    layer = model.layers[0]
    plain = Sequential([LSTM(5, return_state=False, input_shape=(None, 3)), Dense(1)])
    plain.set_weights(model.get_weights())
    y = np.zeros((2, 1))
    after = [model.predict(X[:2, :3], batch_size=2)]
    for run in (model.train_on_batch, model.test_on_batch):
        run(X[:2, 3:], y)
        after.append(np.array(K.get_value(layer.states[0])))
        assert not np.allclose(after[-1], after[-2][:, :1])
    model.reset_states()
    assert all(not K.get_value(s).any() for s in layer.states)
    model.fit(X[:2, :3], y, batch_size=2, epochs=1, verbose=0, shuffle=False)
    loss = model.evaluate(X[:2, 3:], y, batch_size=2, verbose=0)
    assert loss == pytest.approx(float((plain.predict(X[:2]) ** 2).mean()), rel=1e-4)
    layer.trainable = False
    model.compile("sgd", "mse")
    before = K.get_value(layer.states[0])
    model.train_on_batch(X[:2, 3:], y)
    assert not np.allclose(K.get_value(layer.states[0]), before)


def test_states_of_nested_and_shared_layers() -> None:
    inner = Sequential([GRU(5, stateful=True, batch_input_shape=(4, None, 3))])
    x = Input(batch_shape=(4, None, 3))
    model = Model(x, Dense(2)(inner(x)))
    assert model.stateful
    first, second = model.predict(X, batch_size=4), model.predict(X, batch_size=4)
    assert not np.allclose(first, second)
    inner.reset_states()
    np.testing.assert_array_equal(model.predict(X, batch_size=4), first)
    shared = SimpleRNN(5, stateful=True)
    a, b = Input(batch_shape=(4, None, 3)), Input(batch_shape=(4, None, 3))
    one, other = Model(a, shared(a)), Model(b, shared(b))
    made = one.predict(X, batch_size=4)
    assert not np.allclose(other.predict(X, batch_size=4), made)
    one.reset_states()
    np.testing.assert_array_equal(other.predict(X, batch_size=4), made)


def test_what_a_stateful_layer_refuses() -> None:
    with pytest.raises(ValueError, match="needs to know the batch size"):
        LSTM(3, stateful=True)(Input((5, 3)))
    model = Sequential([LSTM(3, stateful=True, batch_input_shape=(2, None, 3))])
    with pytest.raises(ValueError, match="can be divided by the batch size"):
        model.predict(X[:3], batch_size=2)
    with pytest.raises(sg.ShapeError, match="expected 2"):
        model.predict(X, batch_size=4)
    layer = model.layers[0]
    with pytest.raises(ValueError, match="expects 2 states, but it received 1"):
        layer.reset_states([np.zeros((2, 3))])
    with pytest.raises(ValueError, match=r"a state of shape \(2, 3\)"):
        layer.reset_states([np.zeros((2, 3)), np.zeros((3, 3))])


# -- files ----------------------------------------------------------------------------------------------------------
def every_kind() -> Model:
    """All kinds of recurrent layers in one model, with states that one gives to another."""
    x = Input((6, 3), name="x")
    encoded, h, c = LSTM(4, return_state=True, return_sequences=True, name="encoder")(x)
    decoded = LSTM(4, return_sequences=True, name="decoder")(x, initial_state=[h, c])
    both = Bidirectional(GRU(3, return_sequences=True, reset_after=True, name="g"), merge_mode="sum", name="b")(decoded)
    cells = RNN([GRUCell(4), LSTMCell(2)], name="cells", return_sequences=True)(encoded)
    stacked = RNN(StackedRNNCells([LSTMCell(2)]), name="stacked")(cells)
    steps = TimeDistributed(Dense(2), name="steps")(both)
    return Model(x, [steps, stacked, SimpleRNN(2, go_backwards=True, name="simple")(x)], name="every_kind")


def test_files_json_and_pickles(tmp_path: Path) -> None:
    model = every_kind()
    model.save(tmp_path / "m.h5")
    model.save_weights(tmp_path / "w.h5")
    with pytest.warns(UserWarning, match="not"):
        copies = [load_model(tmp_path / "m.h5")]
    copies += [pickle.loads(pickle.dumps(model)), model_from_json(model.to_json()), every_kind()]
    copies[2].load_weights(tmp_path / "w.h5")
    copies[3].load_weights(tmp_path / "w.h5", by_name=True)
    assert all(copy.to_json() == model.to_json() for copy in copies[:3])
    for copy in copies:
        for weight, want in zip(copy.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(weight, want)


@pytest.mark.slow
def test_training_goes_on_from_a_file(tmp_path: Path) -> None:
    model = every_kind()
    model.compile("adam", "mse")
    targets = [np.zeros(s.shape) for s in model.predict(X)]
    model.train_on_batch(X, targets)
    model.save(tmp_path / "m.h5")
    other = load_model(tmp_path / "m.h5")
    for found, want in zip(other.predict(X), model.predict(X), strict=True):
        np.testing.assert_array_equal(found, want)
    assert model.train_on_batch(X, targets) == other.train_on_batch(X, targets)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_one_product_and_one_kernel_a_step() -> None:
    """The loop of an LSTM's training step: what can be done for all steps at once is done before, and no masks."""
    model = Sequential([LSTM(8, input_shape=(None, 3), dropout=0.0), Dense(1)])
    model.compile("sgd", "mse")
    plan = str(model.train_function.executable(1).explain()).split("== plan")[1].split("== target")[0]
    assert "random" not in plan
    loops = [part.split("\n  }")[0] for part in plan.split(" times over ")[1:]]
    assert len(loops) == 2
    calls = [[line.split("call ")[1].split("_")[0] for line in loop.splitlines() if "call " in line] for loop in loops]
    assert calls[0].count("contract") == 1 and len(calls[0]) == 2
    assert calls[1].count("contract") == 1
