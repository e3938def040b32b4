"""Saving and loading of models: layout, training state, other versions' files."""

from __future__ import annotations

import copy
import io
import json
import os
import pickle
import warnings
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras import layers, losses, metrics, optimizers
from symgraph.keras.callbacks import ModelCheckpoint
from symgraph.keras.engine import saving
from symgraph.keras.engine.topology import Layer
from symgraph.keras.layers import Activation, Dense, Dropout, Input, Lambda, PReLU
from symgraph.keras.models import Model, Sequential, load_model, model_from_json, model_from_yaml, save_model

pytestmark = pytest.mark.usefixtures("session")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 4)).astype("float32")
Y = RNG.normal(size=(24, 2)).astype("float32")


def stack(optimizer: Any = "adam", **arguments: Any) -> Sequential:
    model = Sequential([Dense(3, activation="tanh", input_shape=(4,), name="a"), Dense(2, name="b")], name="stack")
    model.compile(optimizer, "mse", **arguments)
    return model


def functional() -> Model:
    a, b = Input((4,), name="in_a"), Input((4,), name="in_b")
    shared = Dense(3, activation="relu", name="shared")
    inner = Sequential([Dense(3, input_shape=(3,), name="inner_dense"), PReLU(name="inner_prelu")], name="inner")
    joined = layers.concatenate([inner(shared(a)), shared(b)], name="join")
    return Model([a, b], [Dense(2, name="out")(joined), Activation("sigmoid", name="squash")(joined)], name="branched")


def test_layout_of_a_model_file(tmp_path: Path) -> None:
    model = stack(metrics=["mae"])
    model.fit(X, Y, epochs=1, verbose=0)
    model.save(tmp_path / "m.h5")
    assert os.listdir(tmp_path) == ["m.h5"]
    with h5py.File(tmp_path / "m.h5") as f:
        assert set(f) == {"model_weights", "optimizer_weights"}
        assert f.attrs["keras_version"] == f["model_weights"].attrs["keras_version"] == b"2.3.1"
        assert f["model_weights"].attrs["layer_names"].tolist() == [b"a", b"b"]
        assert f["model_weights/a"].attrs["weight_names"].tolist() == [b"a/kernel:0", b"a/bias:0"]
        np.testing.assert_array_equal(f["model_weights/a/a/kernel:0"][()], model.get_weights()[0])
        config = json.loads(f.attrs["model_config"])
        assert config["class_name"] == "Sequential" and config["config"]["name"] == "stack"
        assert config["config"]["layers"][0]["config"]["batch_input_shape"] == [None, 4]
        training = json.loads(f.attrs["training_config"])
        assert training["loss"] == "mse" and training["metrics"] == ["mae"]
        assert training["optimizer_config"]["class_name"] == "Adam"
        assert training["optimizer_config"]["config"]["learning_rate"] == 0.0010000000474974513
        stored = f["optimizer_weights"].attrs["weight_names"].tolist()
        assert stored[0].endswith(b"iterations:0") and len(stored) == 13
        first = f["optimizer_weights"][stored[0].decode()]
        assert first.dtype == np.int64 and first.shape == () and first[()] == 1


def test_layout_of_a_weights_file(tmp_path: Path) -> None:
    model = functional()
    model.save_weights(str(tmp_path / "w"))
    with h5py.File(tmp_path / "w") as f:
        assert [n.decode() for n in f.attrs["layer_names"]] == [layer.name for layer in model.layers]
        assert f["in_a"].attrs["weight_names"].size == 0 and len(f["in_a"]) == 0
        assert [n.decode() for n in f["inner"].attrs["weight_names"]] == [
            "inner_dense/kernel:0",
            "inner_dense/bias:0",
            "inner_prelu/alpha:0",
        ]


@pytest.mark.parametrize(
    "optimizer",
    [
        optimizers.SGD(lr=0.1, momentum=0.9, nesterov=True, decay=1e-3),
        optimizers.RMSprop(),
        optimizers.Adam(amsgrad=True, clipnorm=1.0),
        optimizers.Nadam(),
        optimizers.Adadelta(),
    ],
    ids=lambda o: type(o).__name__,
)
def test_training_goes_on_to_the_same_bits(tmp_path: Path, optimizer: Any) -> None:
    model = stack(optimizers.deserialize(optimizers.serialize(optimizer)), metrics=["mae"])
    model.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    model.save(tmp_path / "m.h5")
    again = load_model(str(tmp_path / "m.h5"))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    for m in (model, again):
        m.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(again.optimizer.get_weights(), model.optimizer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_branched_and_nested_models(tmp_path: Path) -> None:
    model = functional()
    model.compile("sgd", {"out": losses.MeanSquaredError(), "squash": "binary_crossentropy"}, loss_weights=[1.0, 0.5],
                  metrics={"out": ["mae", metrics.MeanSquaredError(name="err")]})  # fmt: skip
    model.save(tmp_path / "m.h5")
    again = load_model(tmp_path / "m.h5")
    for a, b in zip(again.predict([X, X]), model.predict([X, X]), strict=True):
        np.testing.assert_array_equal(a, b)
    assert again.metrics_names == model.metrics_names
    assert again.get_layer("inner").layers[1].name == "inner_prelu"
    labels = [Y, (RNG.random((24, 6)) > 0.5).astype("float32")]
    assert again.evaluate([X, X], labels, verbose=0) == model.evaluate([X, X], labels, verbose=0)


def test_streams_and_open_groups(tmp_path: Path) -> None:
    model = stack()
    stream = io.BytesIO()
    save_model(model, stream)
    stream.seek(0)
    np.testing.assert_array_equal(load_model(stream).predict(X), model.predict(X))
    with h5py.File(tmp_path / "f.h5", "w") as f:
        model.save(f.create_group("here"))
        np.testing.assert_array_equal(load_model(f["here"]).predict(X), model.predict(X))


def test_a_model_without_training_state(tmp_path: Path) -> None:
    model = stack()
    model.save(tmp_path / "m.h5", include_optimizer=False)
    with pytest.warns(UserWarning, match="No training configuration"):
        again = load_model(tmp_path / "m.h5")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_model(tmp_path / "m.h5", compile=False)
    with pytest.raises(RuntimeError, match="compile"):
        again.fit(X, Y)


def test_weights_by_name_skip_and_reshape(tmp_path: Path) -> None:
    source = stack()
    source.save_weights(tmp_path / "w.h5")
    other = Sequential([Dense(3, input_shape=(4,), name="a"), Dense(5, name="b"), Dense(1, name="c")])
    before = other.get_weights()
    with pytest.raises(ValueError, match=r'named "b"'):
        other.load_weights(tmp_path / "w.h5", by_name=True)
    for a, b in zip(other.get_weights(), before, strict=True):  # nothing was set
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match="Skipping"):
        other.load_weights(tmp_path / "w.h5", by_name=True, skip_mismatch=True)
    np.testing.assert_array_equal(other.get_weights()[0], source.get_weights()[0])
    np.testing.assert_array_equal(other.get_weights()[4], before[4])
    with pytest.raises(ValueError, match="containing 2 layers into a model with 3"):
        other.load_weights(tmp_path / "w.h5")
    with pytest.raises(ValueError, match="skip_mismatch"):
        other.load_weights(tmp_path / "w.h5", skip_mismatch=True)
    turned = Sequential([Dense(4, input_shape=(3,), use_bias=False, name="a")])
    flat = Sequential([Dense(3, input_shape=(4,), use_bias=False, name="a")])
    flat.save_weights(tmp_path / "f.h5")
    with pytest.raises(ValueError, match="has shape"):
        turned.load_weights(tmp_path / "f.h5")
    turned.load_weights(tmp_path / "f.h5", reshape=True)
    np.testing.assert_array_equal(turned.get_weights()[0].ravel(), flat.get_weights()[0].ravel())


def test_weights_come_from_a_model_file_too(tmp_path: Path) -> None:
    model, other = stack(), stack()
    model.save(tmp_path / "m.h5")
    other.load_weights(tmp_path / "m.h5")
    np.testing.assert_array_equal(other.predict(X), model.predict(X))


def test_long_lists_are_cut(tmp_path: Path) -> None:
    names = [f"layer_{i:05d}_" + "x" * 60 for i in range(2000)]
    with h5py.File(tmp_path / "f.h5", "w") as f:
        saving.save_attributes_to_hdf5_group(f, "layer_names", names)
        assert "layer_names" not in f.attrs and "layer_names2" in f.attrs
        assert saving.load_attributes_from_hdf5_group(f, "layer_names") == names
        with pytest.raises(RuntimeError, match="larger than"):
            saving.save_attributes_to_hdf5_group(f, "other", ["y" * 70000])


def test_a_config_too_long_for_an_object_header(tmp_path: Path) -> None:
    model = Sequential([Activation("linear", name="n" * 200 + str(i), input_shape=(1,)) for i in range(200)])
    model.save(tmp_path / "m.h5")
    assert len(load_model(tmp_path / "m.h5", compile=False).layers) == 200


def test_both_kinds_of_strings(tmp_path: Path) -> None:
    model = stack()
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as f:
        for name in ("model_config", "training_config"):
            f.attrs[name] = f.attrs[name].decode()
        w = f["model_weights"]
        w.attrs["keras_version"] = "2.15.0"
        w.attrs["layer_names"] = ["a", "b"]  # of variable length
        w["a"].attrs["weight_names"] = np.array([b"a/kernel:0", b"a/bias:0"], dtype=object)
    np.testing.assert_array_equal(load_model(tmp_path / "m.h5").predict(X), model.predict(X))


def test_saving_is_all_or_nothing(tmp_path: Path) -> None:
    model = stack()
    model.save(tmp_path / "m.h5")
    os.chmod(tmp_path / "m.h5", 0o640)
    kept = (tmp_path / "m.h5").read_bytes()

    class Unwritable(Layer):
        def get_config(self) -> dict[str, Any]:
            return {"thing": object()}

    bad = Sequential([Unwritable(input_shape=(2,))])
    with pytest.raises(TypeError, match="Not JSON"):
        bad.save(tmp_path / "m.h5")
    assert (tmp_path / "m.h5").read_bytes() == kept and os.listdir(tmp_path) == ["m.h5"]
    model.save(tmp_path / "m.h5")
    assert (tmp_path / "m.h5").stat().st_mode & 0o777 == 0o640


def test_overwrite_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = stack()
    (tmp_path / "m.h5").write_text("mine")
    answers = iter(["maybe", "n", "y"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    model.save(tmp_path / "m.h5", overwrite=False)
    assert (tmp_path / "m.h5").read_text() == "mine"
    model.save_weights(tmp_path / "m.h5", overwrite=False)
    model.load_weights(tmp_path / "m.h5")


class Scale(Layer):
    """A layer of the user's own, with a weight and an argument."""

    def __init__(self, by: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.by = by

    def build(self, input_shape: Any) -> None:
        self.factor = self.add_weight(name="factor", shape=(input_shape[-1],), initializer="ones")
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor * self.by

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "by": self.by}


def own_loss(y_true: Any, y_pred: Any) -> Any:
    return K.mean(K.square(y_true - y_pred), axis=-1) * 2.0


def test_custom_objects(tmp_path: Path) -> None:
    model = Sequential([Scale(3.0, input_shape=(4,)), Dense(2)])
    model.compile("sgd", own_loss, metrics=[own_loss])
    model.save(tmp_path / "m.h5")
    with pytest.raises(ValueError, match="Unknown layer: Scale"):
        load_model(tmp_path / "m.h5")
    with pytest.raises(ValueError, match="own_loss"):
        load_model(tmp_path / "m.h5", custom_objects={"Scale": Scale})
    again = load_model(tmp_path / "m.h5", custom_objects={"Scale": Scale, "own_loss": own_loss})
    assert again.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)


@pytest.mark.parametrize("how", ["pickle", "deepcopy"])
def test_pickle_and_deepcopy(how: str) -> None:
    model = Sequential([Scale(3.0, input_shape=(4,)), Dense(2), Lambda(lambda x: x * 2)])
    model.compile(optimizers.Adam(1e-2), own_loss, metrics=["mae", metrics.MeanSquaredError(name="err")])
    model.fit(X, Y, epochs=1, verbose=0)
    again = copy.deepcopy(model) if how == "deepcopy" else pickle.loads(pickle.dumps(model))
    assert again is not model and again.metrics_names == model.metrics_names
    for m in (model, again):
        m.fit(X, Y, epochs=1, verbose=0, shuffle=False)
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_pickle_of_models_that_are_not_built_or_compiled() -> None:
    assert len(pickle.loads(pickle.dumps(Sequential([Dense(2)]))).layers) == 1
    model = functional()
    again = copy.deepcopy(model)
    for a, b in zip(again.predict([X, X]), model.predict([X, X]), strict=True):
        np.testing.assert_array_equal(a, b)


def test_yaml_is_refused() -> None:
    with pytest.raises(RuntimeError, match="to_json"):
        stack().to_yaml()
    with pytest.raises(RuntimeError, match="model_from_json"):
        model_from_yaml("class_name: Sequential")
    assert len(model_from_json(stack().to_json()).layers) == 2


def test_an_unbuilt_model_has_no_weights_to_save(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Build it first"):
        Sequential([Dense(2)]).save_weights(tmp_path / "w.h5")
    model = Sequential([Dense(2), Dropout(0.5)])
    model.build((None, 4))
    model.save(tmp_path / "m.h5")
    np.testing.assert_array_equal(load_model(tmp_path / "m.h5", compile=False).predict(X), model.predict(X))


def test_checkpoints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = stack()
    every = ModelCheckpoint(str(tmp_path / "{epoch:02d}-{val_loss:.2f}.h5"), save_weights_only=True, period=2)
    best = ModelCheckpoint(str(tmp_path / "best.h5"), save_best_only=True, verbose=1)
    history = model.fit(X, Y, epochs=4, verbose=0, validation_split=0.25, callbacks=[every, best])
    values = history.history["val_loss"]
    assert sorted(os.listdir(tmp_path)) == [f"02-{values[1]:.2f}.h5", f"04-{values[3]:.2f}.h5", "best.h5"]
    model.load_weights(str(tmp_path / f"04-{values[3]:.2f}.h5"))
    assert load_model(str(tmp_path / "best.h5")).evaluate(X[18:], Y[18:], verbose=0) == pytest.approx(min(values))
    assert "val_loss improved from inf to" in capsys.readouterr().out
    with pytest.warns(RuntimeWarning, match="Can save best model only"):
        model.fit(X, Y, verbose=0, callbacks=[ModelCheckpoint("x", monitor="nope", save_best_only=True)])
