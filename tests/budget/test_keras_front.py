"""What the Keras front adds to compiled code: Python calls (which do not depend on the machine), memory, threads."""

from __future__ import annotations

import gc
import sys
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symgraph.keras.layers import Dense, Dropout, Input
from symgraph.keras.models import Model, Sequential

RNG = np.random.default_rng(0)
DATA = RNG.normal(size=(512, 16)).astype("float32")


@pytest.fixture
def model() -> Any:
    return Sequential([Dense(8, activation="relu", input_shape=(16,)), Dropout(0.5), Dense(4)])


def python_calls(work: Callable[[], Any]) -> int:
    """How many Python functions ``work`` calls."""
    count = 0

    def seen(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def chain(layers: int) -> Model:
    x = Input((8,))
    y = x
    for _ in range(layers):
        y = Dense(8, activation="relu")(y)
    return Model(x, y)


def test_building_takes_time_in_proportion_to_the_layers() -> None:
    chain(2)
    few, many = python_calls(lambda: chain(25)), python_calls(lambda: chain(100))
    assert many <= 100 * 1100  # a tenth of a second or two
    assert many <= 4.4 * few


def test_calls_around_the_compiled_code(model: Any) -> None:
    model.compile("adam", "mse", metrics=["mae"])
    x, y = DATA[:1], np.ones((1, 4), "float32")
    model.predict(x), model.train_on_batch(x, y)
    inside = python_calls(lambda: model._make_predict_function()([x]))
    assert python_calls(lambda: model.predict(x)) <= inside + 75
    assert python_calls(lambda: model.predict_on_batch(x)) <= inside + 45
    assert python_calls(lambda: model.train_on_batch(x, y)) <= inside + 200


def test_predicting_from_many_threads(model: Any) -> None:
    """The first calls, which compile, race; later ones have batches of different sizes."""
    found: list[list[Any]] = [[] for _ in range(8)]
    faults: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(30):
                rows = DATA[(number * 53 + turn) % 256 :][: 1 + (number * 37 + turn * 11) % 64]
                found[number].append((rows, model.predict(rows, batch_size=32)))
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    kernel, bias, last_kernel, last_bias = model.get_weights()
    assert sum(map(len, found)) == 240
    for rows, result in (pair for pairs in found for pair in pairs):
        expected = np.maximum(rows @ kernel + bias, 0) @ last_kernel + last_bias
        np.testing.assert_allclose(result, expected, 1e-4, 1e-4)


@pytest.mark.slow
def test_memory_stays_flat(model: Any) -> None:
    model.compile("adam", "mse", metrics=["mae"])
    targets = np.ones((32, 4), "float32")

    def predict(i: int) -> None:
        model.predict(DATA[: 1 + i % 32])

    def train(i: int) -> None:
        model.train_on_batch(DATA[: 1 + i % 32], targets[: 1 + i % 32])

    for work in (predict, train):
        for i in range(64):
            work(i)
        gc.collect()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            for i in range(10_000):
                work(i)
            gc.collect()
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        assert grown < 50_000, f"{work.__name__}: {grown} bytes more after 10,000 calls"
