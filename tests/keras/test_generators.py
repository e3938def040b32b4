"""Training over generators and sequences, and the workers behind them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from symgraph.keras.callbacks import LambdaCallback
from symgraph.keras.utils import GeneratorEnqueuer, OrderedEnqueuer, Sequence
from tests.keras.small_models import X, Y, classifier, linear, mse

pytestmark = pytest.mark.usefixtures("session")


class Batches(Sequence):
    """Ten rows a batch; counts epochs."""

    def __init__(self, *arrays: np.ndarray) -> None:
        self.arrays = arrays
        self.epochs = 0

    def __len__(self) -> int:
        return len(self.arrays[0]) // 10

    def __getitem__(self, index: int) -> Any:
        found = tuple(a[10 * index : 10 * index + 10] for a in self.arrays)
        return found if len(found) > 1 else found[0]

    def on_epoch_end(self) -> None:
        self.epochs += 1


def endless() -> Iterator[Any]:
    while True:
        yield from Batches(X, Y)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_a_sequence_trains_as_the_arrays_do(workers: int) -> None:
    from_arrays, from_sequence, from_generator = linear(), linear(), linear()
    from_sequence.set_weights(from_arrays.get_weights())
    from_generator.set_weights(from_arrays.get_weights())
    a = from_arrays.fit(X, Y, batch_size=10, epochs=3, shuffle=False, verbose=0)
    b = from_sequence.fit_generator(Batches(X, Y), epochs=3, shuffle=False, verbose=0, workers=workers)
    c = from_generator.fit(endless(), steps_per_epoch=5, epochs=3, verbose=0, workers=min(workers, 1))
    for other in (from_sequence, from_generator):
        for w, v in zip(other.get_weights(), from_arrays.get_weights(), strict=True):
            np.testing.assert_array_equal(w, v)
    np.testing.assert_allclose(a.history["loss"], b.history["loss"], rtol=1e-6)
    np.testing.assert_allclose(a.history["loss"], c.history["loss"], rtol=1e-6)
    np.testing.assert_allclose(from_sequence.evaluate_generator(Batches(X, Y), workers=workers),
                               from_arrays.evaluate(X, Y, verbose=0), rtol=1e-6)  # fmt: skip
    np.testing.assert_allclose(from_sequence.predict(Batches(X), workers=workers), from_arrays.predict(X), rtol=1e-6)


@pytest.mark.parametrize("workers", [0, 1])
def test_training_begins_before_the_first_batch_is_asked_for(workers: int) -> None:
    ready: list[str] = []

    def batches() -> Iterator[Any]:
        assert ready == ["train"]
        yield from endless()

    begin = LambdaCallback(on_train_begin=lambda logs: ready.append("train"))
    linear().fit_generator(batches(), 2, verbose=0, callbacks=[begin], workers=workers)
    assert ready == ["train"]


def test_weights_classes_and_validation() -> None:
    one_hot = np.eye(2, dtype="float32")[Y.argmax(-1)]
    weights = np.linspace(0, 1, 50).astype("float32")
    a, b = classifier(metrics=["accuracy"]), classifier(metrics=["accuracy"])
    b.set_weights(a.get_weights())
    arguments: dict[str, Any] = {"epochs": 2, "shuffle": False, "verbose": 0, "class_weight": {0: 1.0, 1: 3.0}}
    h = a.fit(X, one_hot, 10, sample_weight=weights, validation_data=(X, one_hot), validation_freq=2, **arguments)
    g = b.fit_generator(
        Batches(X, one_hot, weights), validation_data=Batches(X, one_hot), validation_freq=2, **arguments
    )
    assert sorted(h.history) == sorted(g.history)
    for name, values in h.history.items():
        np.testing.assert_allclose(values, g.history[name], rtol=1e-5)
    assert len(g.history["val_loss"]) == 1
    kept = b.fit_generator(Batches(X, one_hot), validation_data=(X, one_hot, weights), verbose=0)
    assert set(kept.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}


def test_epochs_and_callbacks() -> None:
    seen: list[Any] = []
    hooks = LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(epoch),
        on_batch_end=lambda batch, logs: seen.append(logs["size"]),
    )
    linear().fit_generator(endless(), 2, epochs=4, initial_epoch=2, verbose=0, callbacks=[hooks])
    assert seen == [2, 10, 10, 3, 10, 10]


def test_a_generator_that_ends_early() -> None:
    model = linear()
    with pytest.warns(UserWarning, match="ran out of data.*in this case, 12 batches"):
        history = model.fit_generator(iter(list(Batches(X, Y))), steps_per_epoch=4, epochs=3, verbose=0)
    assert len(history.history["loss"]) == 2
    for run in (model.evaluate_generator, model.predict_generator):
        with pytest.raises(ValueError, match="ended after 2 batches; 3 were asked for"):
            run(iter([(X, Y), (X, Y)]), steps=3)
    with pytest.warns(UserWarning, match="ran out"), pytest.raises(ValueError, match="no batch"):
        model.fit_generator(iter([]), steps_per_epoch=1, verbose=0)


@pytest.mark.parametrize(
    ("generator", "message"),
    [
        (iter([X]), "should be a tuple"),
        (iter([(X, Y, Y, Y)]), "should be a tuple"),
        (iter([(X[:0], Y[:0])]), "empty batch"),
        (iter([(X[:, :3], Y)]), "expected dense"),
    ],
)
def test_wrong_batches(generator: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        linear().fit_generator(generator, steps_per_epoch=1, verbose=0)


def test_arguments_that_generators_do_not_take() -> None:
    model = linear()
    with pytest.raises(ValueError, match="`y` argument is not supported"):
        model.fit(endless(), Y)
    with pytest.raises(ValueError, match="`sample_weight` argument is not supported"):
        model.fit(Batches(X, Y), sample_weight=np.ones(50))
    with pytest.raises(ValueError, match="validation_split"):
        model.fit(Batches(X, Y), validation_split=0.5)
    with pytest.raises(ValueError, match="`steps_per_epoch=None` is only valid"):
        model.fit(endless())


def test_an_error_in_a_generator_comes_out() -> None:
    def broken() -> Iterator[Any]:
        yield X, Y
        raise KeyError("mine")

    class Broken(Batches):
        def __getitem__(self, index: int) -> Any:
            raise KeyError("mine")

    for workers in (0, 1):
        with pytest.raises(KeyError, match="mine"):
            linear().fit_generator(broken(), 3, verbose=0, workers=workers)
        with pytest.raises(KeyError, match="mine"):
            linear().fit_generator(Broken(X, Y), 3, verbose=0, workers=workers)


def test_enqueuers() -> None:
    data = Batches(np.arange(40))
    for processes in (False, True):
        ordered = OrderedEnqueuer(data, use_multiprocessing=processes)
        ordered.start(workers=2, max_queue_size=3)
        source = ordered.get()
        np.testing.assert_array_equal(np.concatenate([next(source) for _ in range(8)]), np.tile(np.arange(40), 2))
        ordered.stop()
        assert not ordered.is_running()
    assert data.epochs >= 2
    some = GeneratorEnqueuer(iter(range(5)))
    some.start(workers=2)
    assert list(some.get()) == list(range(5))
    some.stop()


def test_a_model_built_by_its_first_batch() -> None:
    from symgraph.keras.layers import Dense
    from symgraph.keras.models import Sequential

    model = Sequential([Dense(2)])
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit_generator(Batches(X, Y), verbose=0)
    assert set(history.history) == {"loss", "mean_absolute_error"} or set(history.history) == {"loss", "mae"}
    assert model.evaluate(X, Y, verbose=0)[0] == pytest.approx(float(mse(model, X, Y).mean()), rel=1e-5)


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_an_epoch_of_training_is_one_of_the_sequence(workers: int) -> None:
    class Epochs(Sequence):
        number = 0

        def __len__(self) -> int:
            return 2

        def __getitem__(self, index: int) -> Any:
            seen.append(self.number)
            return X[:4], Y[:4]

        def on_epoch_end(self) -> None:
            self.number += 1

    seen: list[int] = []
    linear().fit_generator(Epochs(), epochs=3, verbose=0, workers=workers)
    assert seen[:6] == [0, 0, 1, 1, 2, 2]
