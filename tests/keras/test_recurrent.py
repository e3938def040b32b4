"""Recurrent layers against loops in NumPy, option by option."""

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
    Embedding,
    GRUCell,
    Input,
    LSTMCell,
    Masking,
    SimpleRNN,
    deserialize,
)
from symgraph.keras.models import Model, Sequential
from tests.keras import recurrent_reference as reference
from tests.keras.layer_check import layer_test

pytestmark = pytest.mark.usefixtures("session")
RNG = np.random.default_rng(0)
KINDS = {
    "simple": (SimpleRNN, {}, reference.simple_rnn, 1),
    "lstm": (LSTM, {}, reference.lstm, 2),
    "gru": (GRU, {}, reference.gru, 1),
    "gru_reset_after": (GRU, {"reset_after": True}, reference.gru_reset_after, 1),
}
X = RNG.normal(size=(4, 5, 3))


def made(kind: str, **arguments: Any) -> Any:
    """A layer of four units with random biases, in float64."""
    cls, own, _, _ = KINDS[kind]
    return cls(4, dtype="float64", bias_initializer="random_normal", **own, **arguments)


def expected(kind: str, layer: Any, x: Any, **arguments: Any) -> tuple[Any, list[Any]]:
    _, _, step, count = KINDS[kind]
    arguments.setdefault("states", [np.zeros((len(x), 4))] * count)
    return reference.walk(step, x, layer.get_weights(), **arguments)


def close(found: Any, wanted: Any, exact: float = 1e-9) -> None:
    np.testing.assert_allclose(found, wanted, exact, exact)


@pytest.mark.parametrize("sequences", [pytest.param(False, marks=pytest.mark.slow), True])
@pytest.mark.parametrize("kind", KINDS)
def test_layer(kind: str, sequences: bool) -> None:
    cls, own, step, count = KINDS[kind]

    def wanted(x: Any, weights: list[Any]) -> Any:
        outputs, _ = reference.walk(step, x, weights, [np.zeros((len(x), 4))] * count)
        return outputs if sequences else outputs[:, -1]

    arguments = {"units": 4, "return_sequences": sequences, "bias_initializer": "random_normal", **own}
    layer_test(cls, arguments, X, wanted, mask_of=lambda mask: mask if sequences else None)


@pytest.mark.parametrize("unroll", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_walks(kind: str, masked: bool, backwards: bool, unroll: bool) -> None:
    """Outputs and states from given states, for several sizes through one executable, and the gradient of the sum."""
    count = KINDS[kind][3]
    steps = 5 if unroll else None
    x, starts = Input((steps, 3), dtype="float64"), [Input((4,), dtype="float64") for _ in range(count)]
    layer = made(kind, return_sequences=True, return_state=True, go_backwards=backwards, unroll=unroll)
    inner = Masking(dtype="float64")(x) if masked else x
    outputs = layer(inner, initial_state=starts)
    assert [K.int_shape(t) for t in outputs] == [(None, steps, 4), *[(None, 4)] * count]
    model = Model([x, *starts], outputs)
    for samples, length in ((4, 5), (2, 5)) if unroll else ((4, 5), (2, 1), (1, 7)):
        data = RNG.normal(size=(samples, length, 3))
        mask = RNG.random((samples, length)) > 0.4
        data *= mask[..., None] if masked else 1.0
        states = [RNG.normal(size=(samples, 4)) for _ in range(count)]
        wanted, last = expected(
            kind, layer, data, states=states, mask=mask if masked else None, backwards=backwards
        )
        for found, want in zip(model.predict_on_batch([data, *states]), [wanted, *last], strict=True):
            close(found, want)
    loss = sum(K.sum(t * t) for t in outputs)
    wrt = [*layer.trainable_weights, *starts]
    f = K.function([x, *starts], [loss, *K.gradients(loss, wrt)])
    check_slopes(f, [data, *states], layer.trainable_weights, 1)


def check_slopes(f: Any, fed: list[Any], weights: list[Any], kept: int) -> None:
    """The gradients that ``f`` gives (of weights, then of inputs from number ``kept`` on) along a random direction."""
    _, *slopes = f(fed)
    ways = [RNG.normal(size=s.shape) for s in slopes]
    values = [K.get_value(w) for w in weights]

    def at(step: float) -> float:
        for w, value, way in zip(weights, values, ways, strict=False):
            K.set_value(w, value + step * way)
        moved = [a + step * way for a, way in zip(fed[kept:], ways[len(weights) :], strict=True)]
        return float(f([*fed[:kept], *moved])[0])

    slope = (at(1e-6) - at(-1e-6)) / 2e-6
    at(0.0)
    assert sum(float((s * w).sum()) for s, w in zip(slopes, ways, strict=True)) == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize("kind", ["lstm", "gru", "gru_reset_after"])
@pytest.mark.parametrize("implementation", [1, 2])
def test_activations_and_no_bias(kind: str, implementation: int) -> None:
    layer = made(kind, use_bias=False, recurrent_activation="hard_sigmoid", implementation=implementation)
    model = Sequential([layer])
    model.build((None, 5, 3))
    assert len(layer.weights) == 2
    width = layer.get_weights()[0].shape[1]
    bias = np.zeros((2, width) if kind == "gru_reset_after" else width)
    outputs, _ = reference.walk(
        KINDS[kind][2], X, [*layer.get_weights(), bias], [np.zeros((4, 4))] * KINDS[kind][3],
        gate=reference.hard_sigmoid,
    )  # fmt: skip
    close(model.predict(X), outputs[:, -1])


def test_defaults_and_names() -> None:
    layer = LSTM(3)
    model = Sequential([layer])
    model.build((None, 6, 2))
    assert [w.name for w in layer.weights] == ["lstm_1/kernel", "lstm_1/recurrent_kernel", "lstm_1/bias"]
    kernel, recurrent, bias = layer.get_weights()
    assert kernel.shape == (2, 12) and recurrent.shape == (3, 12)
    np.testing.assert_array_equal(bias, [0] * 3 + [1] * 3 + [0] * 6)
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(3), atol=1e-5)
    assert (layer.units, layer.implementation, layer.unit_forget_bias) == (3, 2, True)
    assert layer.recurrent_activation.__name__ == "sigmoid"
    assert GRU(3).reset_after is False
    assert LSTM(3, implementation=0).implementation == 1
    with pytest.raises(ValueError, match="`implementation` is 1 or 2"):
        LSTM(3, implementation=4)
    assert not LSTM(3, unit_forget_bias=False).unit_forget_bias
    cell = LSTMCell(3)
    cell.build((None, 2))
    assert [w.shape for w in cell.get_weights()] == [(2, 12), (3, 12), (12,)]
    assert K.int_shape(cell.kernel_f) == (2, 3) and K.int_shape(cell.recurrent_kernel_o) == (3, 3)


def test_keras_1_arguments() -> None:
    with pytest.warns(UserWarning, match="inner_activation -> recurrent_activation"):
        layer = LSTM(
            output_dim=3, init="uniform", inner_init="zeros", inner_activation="hard_sigmoid", consume_less="gpu",
            dropout_W=0.1, dropout_U=0.2, input_dim=7, input_length=5, forget_bias_init="one",
        )  # fmt: skip
    assert layer.batch_input_shape == (None, 5, 7)
    assert (layer.units, layer.dropout, layer.recurrent_dropout, layer.implementation) == (3, 0.1, 0.2, 2)
    with pytest.warns(UserWarning, match="one implementation only"):
        assert SimpleRNN(3, implementation=1).units == 3


def test_a_config_of_tf_keras() -> None:
    """Names of initializers, and arguments that change nothing, as tf.keras 2 writes them."""
    glorot = {"module": "tf_keras.initializers", "class_name": "GlorotUniform", "config": {"seed": None}}
    turning = {"class_name": "OrthogonalInitializer", "config": {"gain": 1.0, "seed": None}}
    config = {
        **GRU(3, reset_after=True, name="g").get_config(),
        "kernel_initializer": glorot,
        "recurrent_initializer": {**turning, "registered_name": None},
        "time_major": False,
        "zero_output_for_mask": False,
    }
    layer = deserialize({"class_name": "GRU", "config": config})
    layer(Input((5, 2)))
    assert layer.reset_after and layer.kernel_initializer.mode == "fan_avg"
    with pytest.raises((TypeError, ValueError), match="time_major"):
        deserialize({"class_name": "GRU", "config": {**config, "time_major": True}})


@pytest.mark.parametrize("kind", KINDS)
def test_native_code(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Masked, backwards, with given states: values and gradients on both targets."""
    x, m = Input((None, 3), dtype="float64"), K.placeholder((None, None), dtype="bool")
    layer = made(kind, return_sequences=True, go_backwards=True)
    out = layer(x, mask=m)
    loss = K.sum(out * out)
    fed = [X, RNG.random((4, 5)) > 0.3]
    results = []
    for target in ("numpy", "llvm"):
        monkeypatch.setenv("SYMGRAPH_TARGET", target)
        results.append(K.function([x, m], [out, *K.gradients(loss, [x, *layer.trainable_weights])])(fed))
    for a, b in zip(*results, strict=True):
        close(a, b)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="ndim=3"):
        LSTM(3)(Input((4,)))
    with pytest.raises(ValueError, match="unroll an unknown number"):
        LSTM(3, unroll=True)(Input((None, 4)))
    with pytest.raises(ValueError, match="unroll one step"):
        LSTM(3, unroll=True)(Input((1, 4)))
    layer = LSTM(3)
    layer(Input((None, 4)))
    with pytest.raises(ValueError, match="expected shape"):
        layer(Input((None, 5)))
    with pytest.raises(AttributeError, match="stateful"):
        layer.reset_states()


# -- masks ----------------------------------------------------------------------------------------------------------
def test_masks_go_through_stacks() -> None:
    ids = np.array([[1, 2, 3, 0, 0], [4, 5, 0, 0, 0], [1, 1, 1, 1, 1]])
    model = Sequential(
        [
            Embedding(6, 3, mask_zero=True, input_length=5),
            LSTM(4, return_sequences=True),
            GRU(3, return_sequences=True),
            Dense(2),
            SimpleRNN(2),
        ]
    )
    long = model.predict(ids)
    for row, count in enumerate((3, 2, 5)):
        x = model.layers[0].get_weights()[0][ids[row : row + 1, :count]].astype(float)
        h, _ = reference.walk(reference.lstm, x, model.layers[1].get_weights(), [np.zeros((1, 4))] * 2)
        h, _ = reference.walk(reference.gru, h, model.layers[2].get_weights(), [np.zeros((1, 3))])
        kernel, bias = model.layers[3].get_weights()
        h, _ = reference.walk(
            reference.simple_rnn, h @ kernel + bias, model.layers[4].get_weights(), [np.zeros((1, 2))]
        )
        close(long[row], h[0, -1], 1e-5)
    assert model.layers[2].output_mask is not None and model.layers[4].output_mask is None


def test_the_loss_skips_masked_steps() -> None:
    data = X.astype("float32").copy()
    data[:, 3:] = 0
    model = Sequential([Masking(input_shape=(5, 3)), LSTM(4, return_sequences=True)])
    model.compile("sgd", "mse")
    found = model.predict(data)
    close(model.evaluate(data, np.zeros((4, 5, 4)), verbose=0), (found[:, :3] ** 2).mean() * 3 / 5, 1e-5)
    close(found[:, 3], found[:, 2])


# -- dropout --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("implementation", [1, 2])
@pytest.mark.parametrize("kind", ["simple", "lstm", "gru", "gru_reset_after"])
def test_dropout_is_the_same_in_all_steps(kind: str, implementation: int) -> None:
    """With masks read off the cell, the layer equals the reference on masked inputs and states."""
    more = {} if kind == "simple" else {"implementation": implementation}
    layer = made(kind, dropout=0.4, recurrent_dropout=0.3, return_sequences=True, **more)
    kept: dict[str, Any] = {}
    cell, own = layer.cell, layer.cell.call

    def call(inputs: Any, states: Any, training: Any = None) -> Any:
        made = own(inputs, states, training=training)
        kept.setdefault("masks", (cell._dropout_mask, cell._recurrent_dropout_mask))
        return made

    cell.call = call
    x = Input((None, 3), dtype="float64")
    out = layer(x)
    count = 1 if kind == "simple" or implementation == 2 else len(layer.cell.gates)
    assert [len(m) for m in kept["masks"]] == [count, count]
    f = K.function([x, K.learning_phase()], [out, *kept["masks"][0], *kept["masks"][1]])
    plain, _ = expected(kind, layer, X)
    close(f([X, 0])[0], plain)
    found, *masks = f([X, 1])
    for k, mask in enumerate(masks):
        close(mask, np.where(mask > 0, 1 / (0.6 if k < count else 0.7), 0.0))
    assert not np.allclose(found, plain)
    wanted = _dropped(kind, layer.get_weights(), masks[:count], masks[count:])
    close(found, wanted)


def _dropped(kind: str, weights: list[Any], x_masks: list[Any], h_masks: list[Any]) -> Any:
    """The outputs under masks, written as Keras 2.3.1 computes them."""
    gates = {"simple": 1, "lstm": 4}.get(kind, 3)
    shared = len(x_masks) == 1
    xs, hs = (list(m) * (gates if len(m) == 1 else 1) for m in (x_masks, h_masks))
    kernels, recurrents = (np.split(w, gates, -1) for w in weights[:2])
    biases = np.split(np.atleast_2d(weights[2]), gates, -1)
    h, c = np.zeros((4, 4)), np.zeros((4, 4))
    gate, outputs = reference.sigmoid, []
    for t in range(5):
        x = [(X[:, t] * m) @ k + b[0] for m, k, b in zip(xs, kernels, biases, strict=True)]
        u = [(h * m) @ k for m, k in zip(hs, recurrents, strict=True)]
        if kind == "simple":
            h = np.tanh(x[0] + u[0])
        elif kind == "lstm":
            c = gate(x[1] + u[1]) * c + gate(x[0] + u[0]) * np.tanh(x[2] + u[2])
            h = gate(x[3] + u[3]) * np.tanh(c)
        else:
            after = kind == "gru_reset_after"
            extra = [b[1] if after else 0.0 for b in biases]
            z, r = gate(x[0] + u[0] + extra[0]), gate(x[1] + u[1] + extra[1])
            inner = r * (u[2] + extra[2]) if after else (r * h * hs[2]) @ recurrents[2]
            h = z * (h * hs[0] if shared else h) + (1 - z) * np.tanh(x[2] + inner)
        outputs.append(h)
    return np.stack(outputs, 1)


def test_dropout_marks_the_phase_and_makes_new_masks() -> None:
    x = Input((5, 3))
    assert not getattr(LSTM(4)(x), "_uses_learning_phase", False)
    layer = LSTM(4, recurrent_dropout=0.5)
    out, other = layer(x), layer(Input((7, 3)))
    assert out._uses_learning_phase and other._uses_learning_phase
    f = K.function([x, K.learning_phase()], [out])
    data = X.astype("float32")
    assert not np.allclose(f([data, 1])[0], f([data, 1])[0])
    close(f([data, 0])[0], f([data, 0])[0])
    stacked = RNN([LSTMCell(4, dropout=0.5), GRUCell(3)])(x)
    assert stacked._uses_learning_phase
    fixed = K.function([x], [LSTM(4, dropout=0.5)(x, training=True)])
    assert not np.allclose(fixed([data])[0], fixed([data])[0])
