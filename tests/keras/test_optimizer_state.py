"""The state of optimizers in files of other versions, in the order of ours."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import h5py
import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras import optimizers
from symgraph.keras.engine.model_file import compile_model
from symgraph.keras.engine.optimizer_state import archived_state, arranged_state
from symgraph.keras.layers import Dense
from symgraph.keras.models import Sequential, load_model
from tests.keras.stored_models import stored_models

pytestmark = pytest.mark.usefixtures("session")


class Mine(optimizers.Adam):
    """A user's subclass."""


def prepared(optimizer: Any) -> Any:
    """An optimizer that has its state for two weights, of shapes (2, 3) and (3,)."""
    weights = [K.zeros((2, 3)), K.zeros((3,))]
    optimizer.get_updates(K.sum(K.square(weights[0])) + K.sum(K.square(weights[1])), weights)
    return optimizer


def values(*marks: int) -> list[Any]:
    """Arrays full of numbers, by turns of the shapes of the two weights."""
    return [np.full(((2, 3), (3,))[mark % 10], mark, "float32") for mark in marks]


STEPS = np.asarray(2)
RATE = np.asarray(0.1, "float32")


@pytest.mark.parametrize("optimizer", [optimizers.Adam, Mine])
@pytest.mark.parametrize("amsgrad", [False, True])
def test_the_state_of_adam(optimizer: Any, amsgrad: bool) -> None:
    made = prepared(optimizer(amsgrad=amsgrad))
    largest = [30, 31] if amsgrad else []
    got = archived_state(made, [STEPS, RATE, *values(10, 20, 11, 21, *largest)])
    named = ["Adam/iter:0", "Adam/a/m:0", "Adam/b/m:0", "Adam/a/v:0", "Adam/b/v:0", "Adam/a/vhat:0", "Adam/b/vhat:0"]
    assert [float(x.flat[0]) for x in got] == [2, 10, 11, 20, 21, *(largest or [0, 0])]
    made.set_weights(got)
    arrays = [STEPS, *values(10, 11, 20, 21, *largest)]
    for a, b in zip(arranged_state(made, named[: len(arrays)], arrays), got, strict=True):
        np.testing.assert_array_equal(a, b)


def test_gradient_descent_without_momentum_has_no_slots_elsewhere() -> None:
    made = prepared(optimizers.SGD())
    for got in (archived_state(made, [STEPS, RATE]), arranged_state(made, ["SGD/iter:0"], [STEPS])):
        made.set_weights(got)
        assert [int(np.sum(x)) for x in got] == [2, 0, 0]


def test_an_archive_of_other_weights_does_not_fit() -> None:
    made = prepared(optimizers.RMSprop())
    for marks in ((10,), (10, 11, 20)):
        with pytest.raises(ValueError, match="does not match the number|not compatible"):
            made.set_weights(archived_state(made, [STEPS, RATE, *values(*marks)]))


def test_a_slot_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="Mine has no slot 'Adam/a/w:0' in Keras 2"):
        arranged_state(prepared(Mine()), ["Adam/iter:0", "Adam/a/w:0"], [STEPS, *values(10)])


def test_the_momenta_of_nadam_follow_from_its_steps() -> None:
    stored = stored_models("keras_3.zip").files["optimizer Nadam.keras"]
    with zipfile.ZipFile(io.BytesIO(stored)) as archive:
        arrays = h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r")["optimizer/vars"]
        numbers = [array[()] for array in arrays.values() if array.shape == ()]
    product = load_model(io.BytesIO(stored)).optimizer.get_weights()[1]
    assert min(abs(number - product) for number in numbers) < 1e-6


def test_a_subclass_takes_the_config_that_another_version_wrote() -> None:
    model = Sequential([Dense(1, input_shape=(2,))])
    config = {"name": "mine", "learning_rate": 0.5, "weight_decay": None, "use_ema": False}
    training = {"optimizer_config": {"class_name": "Custom>Mine", "config": config}, "loss": "mse"}
    compile_model(model, training, {"Mine": Mine})
    assert type(model.optimizer) is Mine
    assert model.optimizer.get_config()["learning_rate"] == 0.5
