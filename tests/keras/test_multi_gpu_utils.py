"""Models whose batches are cut into parts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgraph.keras.layers import Add, Dense, Input
from symgraph.keras.models import Model, Sequential
from symgraph.keras.utils import multi_gpu_model

pytestmark = pytest.mark.usefixtures("session")
RNG = np.random.default_rng(0)


def test_replicas_give_what_the_model_gives() -> None:
    a, b = Input((4,), name="a"), Input((4,), name="b")
    shared = Dense(3, name="shared")
    model = Model([a, b], [shared(a), shared(b), Add(name="sum")([a, b])])
    parallel = multi_gpu_model(model, gpus=["cpu:0"] * 3)
    assert parallel.output_names == model.output_names
    for size in (1, 2, 3, 7, 12):
        x = [RNG.normal(size=(size, 4)).astype("float32") for _ in range(2)]
        for found, expected in zip(parallel.predict(x), model.predict(x), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_replicas_train_the_weights_of_the_model() -> None:
    def build() -> Any:
        return Sequential([Dense(5, activation="tanh", input_shape=(4,)), Dense(1)])

    plain, template = build(), build()
    template.set_weights(plain.get_weights())
    parallel = multi_gpu_model(template, gpus=["/cpu:0", "cpu"])
    x, y = RNG.normal(size=(30, 4)), RNG.normal(size=(30, 1))
    losses = []
    for model in (plain, parallel):
        model.compile("adam", "mse")
        losses.append(model.fit(x, y, batch_size=7, epochs=3, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
    for found, expected in zip(template.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("gpus", "message"),
    [
        (2, r"`gpus=2`, we expect .*'/cpu:0', '/gpu:0', '/gpu:1'.*this machine only has: \['/cpu:0'\]. Try reducing"),
        ([0, "gpu:1"], r"'/gpu:0', '/gpu:1'.*Try reducing `gpus`"),
        ([0], r"`len\(gpus\) >= 2`"),
        (1, r"`gpus >= 2`. Received: `gpus=1`"),
        (None, r"`gpus >= 2`. Received: `gpus=0`"),
        (["cpu", "cpu:1"], "'/cpu:1'"),
    ],
)
def test_devices_that_are_not_here(gpus: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        multi_gpu_model(Sequential([Dense(2, input_shape=(3,))]), gpus=gpus)
