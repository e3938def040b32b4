"""Weights in safetensors files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgraph import keras
from symgraph.keras import backend as K
from symgraph.keras.layers import BatchNormalization, Dense
from symgraph.keras.models import Sequential
from tests.keras.layer_models import models, randomize

pytestmark = pytest.mark.usefixtures("session")


def net(units: int = 3) -> Sequential:
    return Sequential([Dense(units, input_shape=(4,), name="a"), BatchNormalization(name="b"), Dense(2, name="c")])


@pytest.mark.parametrize("name", ["Dense", "LSTM", "Model in a model", "Shared layers", "Bidirectional"])
def test_weights_come_back(name: str, tmp_path: Path) -> None:
    build = models(keras)[name]
    model, other = build(), build()
    randomize(model)
    path = tmp_path / "w.safetensors"
    model.save_weights(path)
    other.load_weights(path)
    np.testing.assert_equal(other.get_weights(), model.get_weights())


def test_by_name_and_with_other_shapes(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    first = net()
    first.save_weights(path)
    second = Sequential([Dense(3, input_shape=(4,), name="a"), Dense(5, name="c")])
    before = second.get_weights()
    with pytest.raises(ValueError, match=r'Layer #2 \(named "c"\), weight c/kernel has shape \(3, 5\)'):
        second.load_weights(path, by_name=True)
    np.testing.assert_equal(second.get_weights(), before)
    with pytest.warns(UserWarning, match="Skipping loading of weights for layer"):
        second.load_weights(path, by_name=True, skip_mismatch=True)
    np.testing.assert_equal(second.get_weights()[:2], first.get_weights()[:2])
    with pytest.raises(ValueError, match="containing 3 layers into a model with 2 layers"):
        second.load_weights(path)


def test_the_layout_is_that_of_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    model = net()
    randomize(model)
    model.save_weights(path)
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert length % 8 == 0 and header["a/kernel"]["dtype"] == "F32" and header["a/kernel"]["shape"] == [4, 3]
    begin, end = header["c/bias"]["data_offsets"]
    np.testing.assert_equal(np.frombuffer(data[8 + length :][begin:end], "<f4"), model.get_weights()[-1])
    library: Any = pytest.importorskip("safetensors.numpy")
    np.testing.assert_equal(library.load_file(path)["b/gamma"], model.get_weights()[2])
    library.save_file({w.name: K.get_value(w) for w in model.weights}, path)
    other = net(3)
    other.load_weights(path, by_name=True)
    np.testing.assert_equal(other.get_weights(), model.get_weights())


def rewritten(path: Path, change: Any) -> None:
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])


HOSTILE = [
    lambda h: h["a/kernel"].update(shape=[1 << 40, 1 << 40]),
    lambda h: h["a/kernel"].update(shape=[-4, -3]),
    lambda h: h["a/kernel"].update(data_offsets=[0, 1 << 60]),
    lambda h: h["a/kernel"].update(dtype="OBJ"),
    lambda h: h.pop("a/kernel"),
    lambda h: h["__metadata__"].update(layers="[]"),
    lambda h: h["__metadata__"].update(layers='{"a": [1]}'),
    lambda h: h.update({"a/kernel": 3}),
]


@pytest.mark.parametrize("change", HOSTILE)
def test_hostile_headers_are_refused(change: Any, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    model = net()
    model.save_weights(path)
    before = model.get_weights()
    rewritten(path, change)
    with pytest.raises(ValueError, match="is damaged"):
        model.load_weights(path)
    np.testing.assert_equal(model.get_weights(), before)


def test_mutated_files_are_refused_or_read(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    model = net()
    model.save_weights(path)
    good = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(100):
        data = bytearray(good[: rng.integers(0, len(good))] if rng.random() < 0.3 else good)
        for position in rng.integers(0, max(1, len(data)), size=2 if data else 0):
            data[position] ^= int(rng.integers(1, 256))
        path.write_bytes(bytes(data))
        try:
            model.load_weights(path)
        except ValueError:
            refused += 1
    assert refused > 20


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        net().load_weights(tmp_path / "none.safetensors")
