"""Models that Keras 3 saved in its own format load here and predict the same."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgraph.keras import optimizers
from symgraph.keras.models import load_model
from tests.keras.stored_models import stored_models

pytestmark = [
    pytest.mark.usefixtures("session"),
    pytest.mark.filterwarnings("ignore:Layer .* gives zeros at masked steps:UserWarning"),
]
STORED = stored_models("keras_3.zip")
NAMES = sorted(name.removesuffix(".keras") for name in STORED.files if name != "layer LSTM.keras")


@pytest.mark.parametrize("key", NAMES)
def test_a_model_of_keras_3_predicts_the_same_here(key: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(STORED.files[f"{key}.keras"])
    model = load_model(path)
    y = model.predict(STORED.expected(key, "x"), batch_size=2)
    for got, wanted in zip(y if isinstance(y, list) else [y], STORED.expected(key, "y"), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=2e-6)
    if key.startswith("optimizer"):
        assert isinstance(model.optimizer, getattr(optimizers, key.split()[-1]))
        assert model.optimizer.get_weights()[0] == 2
        assert all(np.any(state) for state in model.optimizer.get_weights() if state.shape not in ((), (1,)))


def test_slots_are_sorted_by_kind() -> None:
    _, *slots = load_model(io.BytesIO(STORED.files["optimizer Ftrl.keras"])).optimizer.get_weights()
    sums = slots[: len(slots) // 2]  # of squares, from 0.1 on; the linear terms behind them are not all positive
    assert all(np.all(s >= np.float32(0.1)) for s in sums)
    assert any(np.any(s < 0) for s in slots[len(sums) :])


def test_a_function_that_has_changed_is_refused() -> None:
    with pytest.raises(ValueError, match='Layer "lstm": the hard_sigmoid of Keras 3 is x / 6'):
        load_model(io.BytesIO(STORED.files["layer LSTM.keras"]))


def edited(change: Callable[[Any], Any], key: str = "layer Dense") -> bytes:
    """An archive with another config."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(STORED.files[f"{key}.keras"])) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                data = json.dumps(change(config) or config).encode()
            new.writestr(name, data)
    return out.getvalue()


def larger(config: Any) -> None:
    config["config"]["layers"][1]["config"]["units"] = 1 << 30


def coded(config: Any) -> None:
    code = {"class_name": "__lambda__", "config": {"value": ["4wAAAA==", None, None]}}
    config["config"]["layers"][1] = {"class_name": "Lambda", "config": {"name": "x", "function": code}}


def unknown(config: Any) -> None:
    config["config"]["layers"][1]["config"]["no_such_argument"] = 3


HOSTILE: list[tuple[Callable[[Any], Any], str]] = [
    (larger, "more than the file holds"),
    (coded, "Python code"),
    (unknown, "'no_such_argument'"),
    (lambda config: [1], "is no dictionary"),
    (lambda config: {"class_name": "Dense", "config": {"units": 1}}, "no functional model"),
    (lambda config: {"class_name": "Sequential", "config": 3}, "cannot be read"),
]


@pytest.mark.parametrize(("change", "message"), HOSTILE, ids=[message for _, message in HOSTILE])
def test_a_hostile_config_is_refused(change: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_model(io.BytesIO(edited(change)))


def test_an_archive_that_claims_too_much_is_refused() -> None:
    data = bytearray(STORED.files["layer Dense.keras"])
    at = data.rfind(b"PK\x01\x02")  # the last entry of the directory: its size unpacked
    data[at + 24 : at + 28] = b"\xff\xff\xff\x7f"
    with pytest.raises(ValueError, match="claims to have|cut short"):
        load_model(io.BytesIO(bytes(data)))


def test_mutated_archives_are_refused_or_read() -> None:
    good = STORED.files["layer LSTM.keras"]
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(60):
        data = bytearray(good)
        if rng.random() < 0.3:
            data = data[: rng.integers(4, len(data))]
        for position in rng.integers(4, len(data), size=3):
            data[position] ^= int(rng.integers(1, 256))
        try:
            load_model(io.BytesIO(bytes(data)))
        except (ValueError, OSError):
            refused += 1
    assert refused > 30
