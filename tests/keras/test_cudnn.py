"""Layers in cuDNN's layout of weights: their numbers, and weights that go from one layout to the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras.layers import GRU, LSTM, Bidirectional, CuDNNGRU, CuDNNLSTM, Input, Masking
from symgraph.keras.models import Model, Sequential
from tests.keras import recurrent_reference as reference
from tests.keras.layer_check import layer_test

pytestmark = pytest.mark.usefixtures("session")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 5, 3))


def matrices(kernel: Any, gates: int) -> Any:
    """What cuDNN makes of a kernel: it reads each gate's numbers, row by row, as ``(units, inputs)``."""
    blocks = np.split(kernel, gates, -1)
    return np.concatenate([b.ravel().reshape(b.shape[1], b.shape[0]).T for b in blocks], -1)


@pytest.mark.parametrize("sequences", [pytest.param(False, marks=pytest.mark.slow), True])
def test_cudnn_lstm(sequences: bool) -> None:
    def wanted(x: Any, weights: list[Any]) -> Any:
        kernel, recurrent, bias = weights
        plain = [matrices(kernel, 4), matrices(recurrent, 4), bias[:16] + bias[16:]]
        outputs, _ = reference.walk(reference.lstm, x, plain, [np.zeros((len(x), 4))] * 2)
        return outputs if sequences else outputs[:, -1]

    layer_test(CuDNNLSTM, {"units": 4, "return_sequences": sequences, "bias_initializer": "random_normal"}, X, wanted)


@pytest.mark.parametrize("sequences", [pytest.param(False, marks=pytest.mark.slow), True])
def test_cudnn_gru(sequences: bool) -> None:
    def wanted(x: Any, weights: list[Any]) -> Any:
        kernel, recurrent, bias = weights
        plain = [matrices(kernel, 3), matrices(recurrent, 3), bias.reshape(2, 12)]
        outputs, _ = reference.walk(reference.gru_reset_after, x, plain, [np.zeros((len(x), 4))])
        return outputs if sequences else outputs[:, -1]

    layer_test(CuDNNGRU, {"units": 4, "return_sequences": sequences, "bias_initializer": "random_normal"}, X, wanted)


def test_states_and_refusals() -> None:
    x, h, c = Input((5, 3)), Input((4,)), Input((4,))
    layer = CuDNNLSTM(4, return_state=True, go_backwards=True)
    model = Model([x, h, c], layer(x, initial_state=[h, c]))
    assert [w.name for w in layer.weights] == [f"cu_dnnlstm_1/{n}" for n in ("kernel", "recurrent_kernel", "bias")]
    bias = layer.get_weights()[2]
    np.testing.assert_array_equal(bias, [0.0] * 20 + [1.0] * 4 + [0.0] * 8)
    states = [RNG.normal(size=(4, 4)).astype("float32") for _ in range(2)]
    weights = [matrices(w, 4) for w in layer.get_weights()[:2]] + [bias[:16] + bias[16:]]
    outputs, last = reference.walk(reference.lstm, X, [np.float64(w) for w in weights], states, backwards=True)
    found = model.predict([X, *states])
    for a, b in zip(found, [outputs[:, -1], *last], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    assert K.int_shape(layer.cell.kernel_f) == (3, 4) and K.int_shape(layer.cell.bias_o_i) == (4,)
    assert "unroll" not in layer.get_config()
    assert not CuDNNLSTM(3, unit_forget_bias=False).unit_forget_bias
    for cls in (CuDNNLSTM, CuDNNGRU):
        with pytest.raises(TypeError, match="does not support masking"):
            cls(3)(Masking()(Input((5, 3))))
    stateful = Sequential([CuDNNGRU(3, stateful=True, batch_input_shape=(4, 5, 3))])
    assert not np.allclose(stateful.predict(X, 4), stateful.predict(X, 4))


def model_of(layer: Any, both: bool) -> Any:
    model = Sequential([Bidirectional(layer, name="r") if both else layer])
    model.build((None, 5, 3))
    model.set_weights([RNG.normal(size=w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize("both", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("plain", "fast"),
    [
        (lambda: LSTM(4, name="r"), lambda: CuDNNLSTM(4, name="r")),
        (lambda: GRU(4, name="r", reset_after=True), lambda: CuDNNGRU(4, name="r")),
    ],
)
@pytest.mark.parametrize("by_name", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_weights_go_both_ways(plain: Any, fast: Any, both: bool, by_name: bool, tmp_path: Path) -> None:
    for source, target in ((plain, fast), (fast, plain)):
        made, other = model_of(source(), both), model_of(target(), both)
        made.save_weights(tmp_path / "w.h5")
        other.load_weights(tmp_path / "w.h5", by_name=by_name)
        np.testing.assert_allclose(other.predict(X), made.predict(X), rtol=1e-5, atol=1e-6)
        again = model_of(source(), both)
        again.load_weights(tmp_path / "w.h5", by_name=by_name)
        np.testing.assert_array_equal(again.predict(X), made.predict(X))


def test_a_gru_that_resets_before_fits_no_other(tmp_path: Path) -> None:
    model_of(GRU(4), False).save_weights(tmp_path / "w.h5")
    for other in (GRU(4, reset_after=True), CuDNNGRU(4)):
        with pytest.raises(ValueError, match=r"GRU\(reset_after=False\) do not fit"):
            model_of(other, False).load_weights(tmp_path / "w.h5")
    model_of(CuDNNGRU(4), False).save_weights(tmp_path / "w.h5")
    with pytest.raises(ValueError, match="CuDNNGRU do not fit"):
        model_of(GRU(4), False).load_weights(tmp_path / "w.h5")


@pytest.mark.parametrize(("cls", "order"), [(LSTM, (0, 2, 1, 3)), (GRU, (0, 1, 2))])
def test_weights_of_keras_1(cls: Any, order: tuple[int, ...], tmp_path: Path) -> None:
    """Keras 1 kept the arrays of each gate by themselves: W, U, b of i, c, f, o, or of z, r, h."""
    model = model_of(cls(4, name="r"), False)
    kernel, recurrent, bias = (np.split(w, len(order), -1) for w in model.get_weights())
    arrays = {}
    for place in range(len(order)):
        gate = order.index(place)
        for letter, blocks in (("W", kernel), ("U", recurrent), ("b", bias)):
            arrays[f"r_{letter}_{place}"] = blocks[gate]
    with h5py.File(tmp_path / "old.h5", "w") as f:
        f.attrs["layer_names"] = [b"r"]
        group = f.create_group("r")
        group.attrs["weight_names"] = [n.encode() for n in arrays]
        for name, array in arrays.items():
            group[name] = array
    other = model_of(cls(4, name="r"), False)
    other.load_weights(tmp_path / "old.h5")
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
