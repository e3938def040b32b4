"""Models that the real tf_keras saved load here and predict the same, and the other way round where it is installed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgraph import keras
from symgraph.keras import optimizers
from symgraph.keras.models import load_model
from tests.keras.layer_models import compiled, inputs, models, randomize, training_data
from tests.keras.stored_models import stored_models

pytestmark = [
    pytest.mark.usefixtures("session"),
    pytest.mark.filterwarnings("ignore:No training configuration:UserWarning"),
]
STORED = stored_models("tf_keras.zip")
LAYERS, OPTIMIZERS = models(keras), compiled(keras)


def load(key: str, folder: Path) -> Any:
    path = folder / "model.h5"
    path.write_bytes(STORED.files[f"{key}.h5"])
    return load_model(path)


def listed(x: Any) -> list[Any]:
    return list(x) if isinstance(x, (list, tuple)) else [x]


def assert_close(got: Any, wanted: Any, atol: float = 2e-6) -> None:
    for a, b in zip(listed(got), listed(wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=atol)


TRAINED = sorted(name.split(" ", 1)[1][:-3] for name in STORED.files if name.startswith("optimizer"))
#: tf_keras's RMSprop has epsilon inside the root, where Keras 2 has it outside.
TOLERANCES = {"RMSprop": 1e-4}


def test_every_model_has_a_fixture() -> None:
    assert {name for name in STORED.files if name.startswith("layer")} == {f"layer {name}.h5" for name in LAYERS}
    assert set(OPTIMIZERS) <= set(TRAINED)


@pytest.mark.parametrize("name", LAYERS)
def test_a_model_of_tf_keras_predicts_the_same_here(name: str, tmp_path: Path) -> None:
    key = f"layer {name}"
    model = load(key, tmp_path)
    assert_close(model.predict(STORED.expected(key, "x"), batch_size=2), STORED.expected(key, "y"))
    again = tmp_path / "again.h5"
    model.save(again)
    np.testing.assert_equal(load_model(again).get_weights(), model.get_weights())


@pytest.mark.parametrize("name", TRAINED)
def test_a_trained_model_of_tf_keras_trains_on_here(name: str, tmp_path: Path) -> None:
    key = f"optimizer {name}"
    model = load(key, tmp_path)
    assert isinstance(model.optimizer, getattr(optimizers, name.split()[-1]))
    assert model.optimizer.get_weights()[0] == 2
    assert all(np.any(state) for state in model.optimizer.get_weights() if state.shape not in ((), (1,)))
    model.train_on_batch(*training_data())
    if name != "Nadam":  # tf_keras 2.21 multiplies its product of momenta once for each weight, not once a step
        assert_close(model.get_weights(), STORED.expected(key, "after"), TOLERANCES.get(name, 2e-6))


@pytest.fixture(scope="module")
def tf_keras() -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return pytest.importorskip("tf_keras")


@pytest.mark.parametrize("name", LAYERS)
def test_a_model_of_ours_predicts_the_same_in_tf_keras(name: str, tmp_path: Path, tf_keras: Any) -> None:
    model = LAYERS[name]()
    randomize(model)
    model.save(tmp_path / "model.h5")
    theirs = tf_keras.models.load_model(tmp_path / "model.h5")
    x = inputs(model)
    assert_close(listed(theirs.predict(x, verbose=0, batch_size=2)), listed(model.predict(x, batch_size=2)))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_trained_model_of_ours_trains_on_in_tf_keras(name: str, tmp_path: Path, tf_keras: Any) -> None:
    model = OPTIMIZERS[name]()
    model.save(tmp_path / "model.h5")
    theirs = tf_keras.models.load_model(tmp_path / "model.h5")
    assert_close(theirs.get_weights(), model.get_weights())
