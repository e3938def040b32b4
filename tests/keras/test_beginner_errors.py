"""What a beginner's mistakes are answered with: golden texts in ``tests/golden/keras_errors.txt``.

Each message names the layer or the argument, what was given and what is expected; all come before any training step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgraph.keras import activations, backend, layers, optimizers
from symgraph.keras.callbacks import ModelCheckpoint, ReduceLROnPlateau
from symgraph.keras.layers import Conv2D, Dense, Embedding, Flatten, Input, Lambda, MaxPooling2D
from symgraph.keras.models import Model, Sequential, load_model
from symgraph.keras.preprocessing.sequence import pad_sequences
from symgraph.keras.utils import to_categorical

pytestmark = pytest.mark.usefixtures("session")

X = np.zeros((20, 4), "float32")
Y = np.zeros((20, 3), "float32")
LABELS = np.arange(20) % 3
IMAGES = np.zeros((20, 8, 8, 1), "float32")


def net(**arguments: Any) -> Sequential:
    model = Sequential([Dense(5, name="hidden", input_shape=(4,)), Dense(3, activation="softmax", name="classes")])
    model.compile(**{"optimizer": "sgd", "loss": "categorical_crossentropy", **arguments})
    return model


def compiled(*of: Any) -> Sequential:
    model = Sequential(of)
    model.compile("sgd", "mse")
    return model


def fit(x: Any = X, y: Any = Y, model: Any = None, **arguments: Any) -> None:
    (model or net()).fit(x, y, verbose=0, **arguments)


def short_generator() -> Iterator[Any]:
    yield X, Y
    yield X, Y


def two_inputs() -> Model:
    a, b = Input((4,), name="left"), Input((2,), name="right")
    model = Model([a, b], Dense(1, name="out")(layers.concatenate([a, b])))
    model.compile("sgd", "mse")
    return model


def disconnected() -> None:
    a, b = Input((4,), name="used"), Input((4,), name="forgotten")
    Model(a, Dense(1)(layers.add([a, b])))


def custom_layer_without_build() -> None:
    class Scale(layers.Layer):
        def call(self, x: Any) -> Any:
            return x * self.factor

    Scale(name="scale")(Input((4,)))


def unfinished_loss() -> None:
    model = Sequential([Dense(3, input_shape=(4,), name="out")])
    model.compile("sgd", lambda t, p: np.mean(np.square(t - p)))


def layer_from_a_tensor() -> None:
    Dense(3, name="out")(np.zeros((2, 4), "float32"))


def forgotten_custom_object(folder: Path) -> None:
    class Twice(layers.Layer):
        def call(self, x: Any) -> Any:
            return 2 * x

    model = Sequential([Twice(input_shape=(4,)), Dense(3)])
    model.save(str(folder / "model.h5"))
    load_model(str(folder / "model.h5"))


def weights_of_another_model(folder: Path) -> None:
    net().save_weights(str(folder / "weights.h5"))
    Sequential([Dense(5, input_shape=(4,)), Dense(2, name="classes")]).load_weights(str(folder / "weights.h5"))


def weights_of_fewer_layers(folder: Path) -> None:
    net().save_weights(str(folder / "weights.h5"))
    Sequential([Dense(5, input_shape=(4,))]).load_weights(str(folder / "weights.h5"))


def not_a_model_file(folder: Path) -> None:
    (folder / "notes.h5").write_text("not a model")
    load_model(str(folder / "notes.h5"))


MISTAKES: dict[str, Callable[..., Any]] = {
    # Data
    "one feature too few": lambda: fit(X[:, :3]),
    "images without a channel axis": lambda: fit(
        IMAGES[..., 0], Y, compiled(Conv2D(2, 3, input_shape=(8, 8, 1), name="conv"), Flatten(), Dense(3))
    ),
    "images into a dense network": lambda: fit(IMAGES),
    "a single sample without a batch axis": lambda: net().predict(X[0]),
    "class numbers under categorical_crossentropy": lambda: fit(X, LABELS),
    "one-hot labels under sparse_categorical_crossentropy": lambda: fit(
        X, to_categorical(LABELS), net(loss="sparse_categorical_crossentropy")
    ),
    "labels from 1 to n": lambda: fit(X, LABELS + 1, net(loss="sparse_categorical_crossentropy")),
    "labels with too few columns": lambda: fit(X, Y[:, :2]),
    "a list of lists of different lengths": lambda: fit([[1, 2], [3]], Y),
    "strings as data": lambda: fit(X.astype(str)),
    "fewer labels than samples": lambda: fit(X, Y[:7]),
    "no labels": lambda: fit(X, None),
    "no samples": lambda: fit(X[:0], Y[:0]),
    "one array for a model of two inputs": lambda: fit(X, Y[:, :1], two_inputs()),
    "a dictionary with a wrong key": lambda: fit({"left": X, "rihgt": X[:, :2]}, Y[:, :1], two_inputs()),
    "inputs in the wrong order": lambda: fit([X[:, :2], X], Y[:, :1], two_inputs()),
    "too few sample weights": lambda: fit(sample_weight=np.ones(7)),
    "a class without a weight": lambda: fit(X, to_categorical(LABELS), class_weight={0: 1.0, 1: 2.0}),
    "a word that the embedding does not know": lambda: Sequential(
        [Embedding(10, 4, input_length=3, name="words")]
    ).predict(np.array([[1, 2, 11]])),
    "sequences of different lengths": lambda: Sequential([Embedding(10, 4, name="words")]).predict(
        np.array([[1, 2], [3]], dtype=object)
    ),
    "a generator that ends early": lambda: net().fit_generator(short_generator(), steps_per_epoch=5, verbose=0),
    "a generator that gives no targets": lambda: net().fit_generator(iter([X, X]), steps_per_epoch=2, verbose=0),
    "a generator without steps_per_epoch": lambda: net().fit_generator(short_generator(), verbose=0),
    "padding to an unknown side": lambda: pad_sequences([[1]], padding="before"),
    "negative class numbers": lambda: to_categorical([-1, 2], 2),
    # Building
    "an activation with a typo": lambda: Dense(3, activation="rleu"),
    "an activation that is no function": lambda: activations.get(3),
    "an initializer with a typo": lambda: Dense(3, kernel_initializer="glorot"),
    "no units": lambda: Dense(0, input_shape=(4,)),
    "an unknown argument of a layer": lambda: Dense(3, input_shapes=(4,)),
    "a window larger than the image": lambda: Sequential(
        [MaxPooling2D(16, input_shape=(8, 8, 1), name="pool")]
    ),
    "a kernel size of one number too many": lambda: Conv2D(2, (3, 3, 3)),
    "a convolution of vectors": lambda: Sequential([Dense(5, input_shape=(4,)), Conv2D(2, 3, name="conv")]),
    "adding tensors of different sizes": lambda: layers.add([Input((4,)), Input((3,))]),
    "a reshape that does not fit": lambda: Sequential([layers.Reshape((3, 3), input_shape=(4,), name="square")]),
    "the first layer without input_shape": lambda: Sequential([Dense(3)]).summary(),
    "a layer given as its class": lambda: Sequential([Dense]),
    "two layers of one name": lambda: Sequential([Dense(3, input_shape=(4,), name="a"), Dense(3, name="a")]),
    "an input that the model does not list": disconnected,
    "a layer called on an array": layer_from_a_tensor,
    "a layer whose weights were never made": custom_layer_without_build,
    "a Lambda that forgets to return": lambda: Lambda(lambda x: None, name="nothing")(Input((4,))),
    "a matrix product that does not fit": lambda: backend.dot(Input((4,), name="x"), backend.ones((3, 2))),
    # Compiling and training
    "fit before compile": lambda: fit(model=Sequential([Dense(3, input_shape=(4,))])),
    "an optimizer with a typo": lambda: net(optimizer="addam"),
    "an unknown argument of an optimizer": lambda: optimizers.SGD(rate=0.1),
    "a loss with a typo": lambda: net(loss="categorical_cross_entropy"),
    "a metric with a typo": lambda: net(metrics=["acuracy"]),
    "a loss for an output that does not exist": lambda: net(loss={"class": "mse"}),
    "a loss written with NumPy": unfinished_loss,
    "a misspelled argument of fit": lambda: fit(epoch=3),
    "a batch size of 0": lambda: fit(batch_size=0),
    "a validation split of 1": lambda: fit(validation_split=1.0),
    "validation data of the wrong shape": lambda: fit(validation_data=(X[:, :3], Y)),
    "a factor that does not lower the rate": lambda: ReduceLROnPlateau(factor=2.0),
    "a checkpoint with a field that is not measured": lambda: fit(callbacks=[ModelCheckpoint("{val_acc}.h5")]),
    # Weights and files
    "weights of another shape": lambda: net().set_weights([np.zeros((2, 2))] * 4),
    "too few weights": lambda: net().layers[0].set_weights([np.zeros((4, 5))]),
    "a layer that does not exist": lambda: net().get_layer("hiden"),
    "a file that does not exist": lambda: load_model("no_such_model.h5"),
    "a file that is no model": not_a_model_file,
    "weights of a model with other layers": weights_of_fewer_layers,
    "weights of a model with other sizes": weights_of_another_model,
    "a layer of one's own without custom_objects": forgotten_custom_object,
}


def answer(mistake: Callable[..., Any], folder: Path) -> str:
    """The error that a mistake leads to, without what differs from run to run."""
    takes_folder = "folder" in getattr(mistake, "__annotations__", {})
    with pytest.raises(Exception) as caught:
        mistake(folder) if takes_folder else mistake()
    text = f"{type(caught.value).__name__}: {caught.value}"
    text = text.replace(str(folder), "FOLDER")
    text = re.sub(r"(test_beginner_errors\.py):\d+", r"\1:LINE", text)
    text = re.sub(r"0x[0-9a-f]+", "ADDRESS", text)
    text = re.sub(r"\bn\d+\b", "n", text)
    return re.sub(r"<U\d+", "<U", text)


@pytest.mark.filterwarnings("ignore", "error:Your generator ran out")
def test_the_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: Callable[[str, str], None]) -> None:
    monkeypatch.chdir(tmp_path)
    parts = []
    for title, mistake in MISTAKES.items():
        backend.clear_session()
        parts.append(f"# {title}\n{answer(mistake, tmp_path)}\n")
    golden("keras_errors", "\n".join(parts))
    assert len(MISTAKES) >= 40
