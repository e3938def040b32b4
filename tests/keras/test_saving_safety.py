"""Files that are hostile, damaged or from other versions."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from symgraph.keras.engine.old_weights import flipped
from symgraph.keras.engine.saving import preprocess_weights_for_loading
from symgraph.keras.layers import LSTM, Conv2D, Dense, Lambda
from symgraph.keras.models import Sequential, load_model, model_from_json

pytestmark = pytest.mark.usefixtures("session")
X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


def saved(path: Path) -> Sequential:
    model = Sequential([Dense(3, activation="tanh", input_shape=(4,), name="a"), Dense(2, name="b")], name="stack")
    model.compile("sgd", "mse")
    model.save(path)
    return model


def edit(path: Path, change: Callable[[Any], Any]) -> None:
    with h5py.File(path, "r+") as f:
        config = json.loads(f.attrs["model_config"])
        change(config["config"]["layers"])
        f.attrs["model_config"] = json.dumps(config)


def replace(f: Any, name: str, **made: Any) -> None:
    del f[name]
    f.create_dataset(name, **made)


NO_MODEL = '{"class_name": "Dense", "config": {"units": 1}}'
KERNEL = "model_weights/a/a/kernel:0"


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    Sequential([Lambda(lambda x: x * 2.0, input_shape=(4,))]).save(tmp_path / "m.h5")
    script = (
        "import sys; from symgraph.keras.models import load_model, model_from_json\n"
        "try: load_model(sys.argv[1], compile=False)\n"
        "except ValueError as e: assert 'not run' in str(e), e\n"
        "else: raise SystemExit('the code was run')\n"
        "import numpy as np\n"
        "m = load_model(sys.argv[1], compile=False, safe_mode=False)\n"
        "assert (m.predict(np.ones((1, 4))) == 2).all()\n"
        "try: model_from_json(m.to_json().replace('lambda', 'lambda'))\n"
        "except ValueError: raise SystemExit('code that was trusted once is known')\n"
    )
    env = {"SYMGRAPH_TARGET": "numpy", "PATH": "", "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "m.h5")], check=True, env=env)


def test_names_in_configs_are_keras_objects_only() -> None:
    text = Sequential([Dense(2, input_shape=(4,), name="d")]).to_json()
    for name in ("deserialize_keras_object", "K", "__builtins__", "warnings", "Any", "get", "inspect", "np"):
        bad = json.loads(text)
        bad["config"]["layers"][0]["config"]["activation"] = name
        with pytest.raises(ValueError, match="Unknown activation"):
            model_from_json(json.dumps(bad))
        initializer = {"class_name": name, "config": {}}
        bad["config"]["layers"][0]["config"].update(activation="relu", kernel_initializer=initializer)
        with pytest.raises(ValueError, match="Unknown initializer"):
            model_from_json(json.dumps(bad))
        bad["config"]["layers"][0]["class_name"] = name
        with pytest.raises(ValueError, match="Unknown layer"):
            model_from_json(json.dumps(bad))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: f.__setitem__("model_weights/a/a", h5py.SoftLink("/model_weights/b/b")), "SoftLink"),
        (lambda f: f.__setitem__("model_weights/a", h5py.ExternalLink("/etc/passwd", "/")), "ExternalLink"),
        (lambda f: f.__setitem__(KERNEL, h5py.SoftLink("/nowhere")), "SoftLink"),
        (lambda f: f["model_weights/a"].attrs.__setitem__("weight_names", ["../x", "a/bias:0"]), "'../x'"),
        (lambda f: f["model_weights/a"].attrs.__setitem__("weight_names", ["", "a/bias:0"]), "no name"),
        (lambda f: f["model_weights/a"].attrs.__setitem__("weight_names", np.arange(3.0)), "weight_names"),
        (lambda f: f["model_weights"].attrs.__delitem__("layer_names"), "layer_names"),
        (lambda f: f.attrs.__setitem__("model_config", "{"), "not JSON"),
        (lambda f: f.attrs.__setitem__("model_config", "[" * 100_000), "not JSON"),
        (lambda f: f.attrs.__setitem__("model_config", b"\xff\xfe"), "model_config"),
        (lambda f: f.attrs.__setitem__("model_config", 3), "a string is expected"),
        (lambda f: f.attrs.__setitem__("model_config", "[]"), "Could not interpret"),
        (lambda f: f.attrs.__setitem__("model_config", NO_MODEL), "no model"),
        (lambda f: f.attrs.__delitem__("model_config"), "No model config"),
        (lambda f: f.attrs.__setitem__("training_config", "{}"), "training config"),
        (lambda f: replace(f, KERNEL, shape=(10**9, 9), dtype="f4", chunks=(1000, 9)), "more than the file"),
        (lambda f: replace(f, KERNEL, shape=(4, 3), dtype="f4"), "more than the file holds values"),
        (lambda f: replace(f, KERNEL, data=np.zeros((3, 4), "f4")), "has shape"),
        (lambda f: replace(f, KERNEL, data=["x"] * 12), "no numbers"),
        (lambda f: replace(f, KERNEL, shape=(4, 3), dtype="f4", chunks=(4, 3), compression="lzf"), "filters"),
        (lambda f: replace(f, KERNEL, shape=(4, 3), dtype="f4", external=[("/etc/passwd", 0, 48)]), "another file"),
        (lambda f: replace(f, KERNEL, shape=(4, 3), dtype="f4", maxshape=(None, 3), chunks=(2**20, 3)), "chunks"),
    ],
)  # fmt: skip
def test_hostile_files_are_refused(tmp_path: Path, spoil: Callable[[Any], Any], message: str) -> None:
    path = tmp_path / "m.h5"
    model = saved(path)
    with h5py.File(path, "r+") as f:
        if message in ("SoftLink", "ExternalLink"):
            for name in (KERNEL, "model_weights/a/a", "model_weights/a"):
                f.move(name, "aside" + str(len(f)))
                try:
                    spoil(f)
                except (OSError, ValueError, RuntimeError, KeyError):
                    continue
                break
        else:
            spoil(f)
    with pytest.raises(ValueError, match=message):
        load_model(path)
    kept = model.get_weights()
    if not any(word in message for word in ("onfig", "JSON", "model", "interpret", "string")):
        with pytest.raises(ValueError):
            model.load_weights(path)
    for a, b in zip(model.get_weights(), kept, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_config_may_not_ask_for_more_than_the_file_has(tmp_path: Path) -> None:
    saved(tmp_path / "m.h5")
    edit(tmp_path / "m.h5", lambda layers: layers[0]["config"].update(units=10**9))
    with pytest.raises(ValueError, match=r"layer \"a\", more than the file holds"):
        load_model(tmp_path / "m.h5")


@pytest.mark.parametrize(
    "change",
    [
        {"units": "many"},
        {"units": -3},
        {"activation": 7},
        {"kernel_initializer": []},
        {"batch_input_shape": "x"},
        {"bogus": 1},
        {"dtype": {"class_name": "Policy", "config": {"name": "mixed_float16"}}},
        {"groups": 2},
    ],
)
def test_malformed_configs_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    saved(tmp_path / "m.h5")
    edit(tmp_path / "m.h5", lambda layers: layers[0]["config"].update(change))
    with pytest.raises(ValueError) as caught:
        load_model(tmp_path / "m.h5")
    if "bogus" in change or "groups" in change:
        assert '"a"' in str(caught.value) and str(next(iter(change))) in str(caught.value)


def test_keys_of_later_versions_that_change_nothing(tmp_path: Path) -> None:
    model = saved(tmp_path / "m.h5")
    later = {"dtype": {"class_name": "Policy", "config": {"name": "float32"}}, "lora_rank": None, "groups": 1}

    def change(layers: list[Any]) -> None:
        layers[0]["config"].update(later, batch_shape=layers[0]["config"].pop("batch_input_shape"))
        layers[1].update(module="keras.layers", registered_name=None)

    edit(tmp_path / "m.h5", change)
    np.testing.assert_array_equal(load_model(tmp_path / "m.h5").predict(X), model.predict(X))


def test_training_configs_of_tf_keras(tmp_path: Path) -> None:
    model = saved(tmp_path / "m.h5")
    optimizer = {"name": "Adam", "weight_decay": None, "clipnorm": None, "use_ema": False, "ema_momentum": 0.99,
                 "jit_compile": True, "is_legacy_optimizer": False, "learning_rate": 0.5, "beta_1": 0.8, "beta_2": 0.9,
                 "epsilon": 1e-6, "amsgrad": False}  # fmt: skip
    accuracy = {"name": "accuracy", "dtype": "float32", "fn": "categorical_accuracy"}
    crossentropy = {"reduction": "auto", "name": "cce", "from_logits": True, "label_smoothing": 0.0, "axis": -1,
                    "fn": "categorical_crossentropy"}  # fmt: skip
    training = {
        "loss": {"class_name": "CategoricalCrossentropy", "config": crossentropy},
        "metrics": [[{"class_name": "MeanMetricWrapper", "config": accuracy}]],
        "weighted_metrics": None,
        "loss_weights": None,
        "optimizer_config": {"class_name": "Adam", "config": optimizer},
    }
    with h5py.File(tmp_path / "m.h5", "r+") as f:
        f.attrs["training_config"] = json.dumps(training)
    again = load_model(tmp_path / "m.h5")
    assert again.metrics_names == ["loss", "accuracy"]
    assert again.optimizer.get_config()["learning_rate"] == 0.5
    labels = np.eye(2, dtype="float32")[[0, 1, 0, 1, 1]]
    logits = model.predict(X)
    expected = (np.log(np.exp(logits).sum(-1)) - (logits * labels).sum(-1)).mean()
    assert again.evaluate(X, labels, verbose=0)[0] == pytest.approx(expected, rel=1e-5)


def test_an_optimizer_state_that_does_not_fit(tmp_path: Path) -> None:
    model = saved(tmp_path / "m.h5")
    model.fit(X, X[:, :2], verbose=0)
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as f:
        group = f["optimizer_weights"]
        group.attrs["weight_names"] = group.attrs["weight_names"][:2]
    with pytest.warns(UserWarning, match="freshly initialized"):
        load_model(tmp_path / "m.h5").fit(X, X[:, :2], verbose=0)


def test_truncated_and_flipped_files_are_refused(tmp_path: Path) -> None:
    """In a process of its own, so that a crash of libhdf5 would show."""
    saved(tmp_path / "m.h5")
    script = """
import io, sys, warnings
import numpy as np
from symgraph.keras.models import load_model
warnings.simplefilter("ignore")
whole = open(sys.argv[1], "rb").read()
rng = np.random.default_rng(0)
outcomes = {"refused": 0, "loaded": 0}
def attempt(data):
    try:
        load_model(io.BytesIO(bytes(data)), compile=False)
    except ValueError:
        outcomes["refused"] += 1
    else:
        outcomes["loaded"] += 1
for size in rng.integers(0, len(whole) - 1, 60):
    attempt(whole[:size])
assert outcomes["loaded"] == 0, outcomes
for _ in range(140):
    data = bytearray(whole)
    for at in rng.integers(0, len(whole), rng.integers(1, 40)):
        data[at] ^= 1 << int(rng.integers(8))
    attempt(data)
print(outcomes)
"""
    env = {"SYMGRAPH_TARGET": "numpy", "PATH": "", "PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "m.h5")], env=env, capture_output=True, text=True, timeout=100
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(ValueError, match="not an HDF5 file"):
        load_model(tmp_path / "text.h5")
    with pytest.raises(ValueError, match="not an HDF5 file"):
        load_model(io.BytesIO(b""))


class OwnConv(Conv2D):
    """A user's subclass, which files of other versions fit as well."""


class OwnLSTM(LSTM):
    pass


def test_old_layouts() -> None:
    kernel = np.arange(3 * 3 * 2 * 4.0).reshape(3, 3, 2, 4)
    layer = OwnConv(4, 3, use_bias=False)
    layer.build((None, 8, 8, 2))
    (same,) = preprocess_weights_for_loading(layer, [kernel], "2.1.0", "tensorflow")
    np.testing.assert_array_equal(same, kernel)
    (turned,) = preprocess_weights_for_loading(layer, [kernel], "2.1.0", "theano")
    np.testing.assert_array_equal(turned, kernel[::-1, ::-1])
    np.testing.assert_array_equal(flipped(flipped(kernel)), kernel)
    (old,) = preprocess_weights_for_loading(layer, [kernel.transpose(3, 2, 0, 1)], "2.1.0", "tensorflow")
    np.testing.assert_array_equal(old, kernel)
    gates = [np.full((2, 3), float(i)) for i in range(4)]
    parts = [x for gate in gates for x in (gate, gate + 10, gate[0] + 20)]  # i, c, f, o
    joined = preprocess_weights_for_loading(OwnLSTM(3), parts, "1")
    np.testing.assert_array_equal(joined[0][0], np.repeat([0.0, 2.0, 1.0, 3.0], 3))
    np.testing.assert_array_equal(joined[2], np.repeat([20.0, 22.0, 21.0, 23.0], 3))
