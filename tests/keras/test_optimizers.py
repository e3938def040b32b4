"""Optimizers against their formulas in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras import constraints, optimizers
from symgraph.keras.layers import Dense
from symgraph.keras.legacy import interfaces
from symgraph.keras.models import Sequential, load_model

pytestmark = pytest.mark.usefixtures("session")

EPS = 1e-7
START = np.array([[1.0, -2.0, 0.5], [0.1, 3.0, -0.7]])
SCALE = np.array([[1.0, 2.0, 3.0], [0.5, 0.1, 4.0]])
STEPS = 5
Array = np.ndarray[Any, Any]


def trained(optimizer: Any, steps: int = STEPS, constraint: Any = None) -> Array:
    """The parameter after some steps on ``sum(scale * w**2) / 2``, whose gradient is ``scale * w``."""
    w = K.variable(START, constraint=constraint)
    loss = K.sum(K.constant(SCALE) * K.square(w)) * 0.5
    step = K.function([], [loss], updates=optimizer.get_updates(loss=loss, params=[w]))
    for _ in range(steps):
        step([])
    return K.get_value(w)


def run(rule: Any) -> Array:
    """The parameter after the same steps by a reference ``rule(w, g, t, state)``, ``t`` from 0."""
    w, state = START.copy(), {}
    for t in range(STEPS):
        w = rule(w, SCALE * w, t, state)
    return w


def sgd(rate: float = 0.01, momentum: float = 0.0, nesterov: bool = False, decay: float = 0.0) -> Any:
    def rule(w: Array, g: Array, t: int, state: dict[str, Any]) -> Array:
        lr = rate / (1 + decay * t)
        state["m"] = momentum * state.get("m", 0.0) - lr * g
        return w + momentum * state["m"] - lr * g if nesterov else w + state["m"]

    return rule


def rmsprop(rate: float = 0.001, rho: float = 0.9, decay: float = 0.0) -> Any:
    def rule(w: Array, g: Array, t: int, state: dict[str, Any]) -> Array:
        state["a"] = rho * state.get("a", 0.0) + (1 - rho) * g**2
        return w - rate / (1 + decay * t) * g / (np.sqrt(state["a"]) + EPS)

    return rule


def ftrl(
    rate: float = 0.001, power: float = 0.5, start: float = 0.1, l1: float = 0.0, l2: float = 0.0,
    shrinkage: float = 0.0, decay: float = 0.0,
) -> Any:  # fmt: skip
    """McMahan et al. 2013, algorithm 1, with TensorFlow's halves: penalties are ``l1 |w| + l2 w**2``."""

    def rule(w: Array, g: Array, t: int, state: dict[str, Any]) -> Array:
        lr = rate / (1 + decay * t)
        old = state.get("n", start)
        state["n"] = old + g**2
        state["z"] = state.get("z", 0.0) + g + 2 * shrinkage * w - (state["n"] ** power - old**power) / lr * w
        active = np.abs(state["z"]) > l1
        step = (np.sign(state["z"]) * l1 - state["z"]) / (state["n"] ** power / lr + 2 * l2)
        return np.where(active, step, 0.0)

    return rule


def adagrad(w: Array, g: Array, t: int, state: dict[str, Any]) -> Array:
    state["a"] = state.get("a", 0.0) + g**2
    return w - 0.01 * g / (np.sqrt(state["a"]) + EPS)


def adadelta(w: Array, g: Array, t: int, state: dict[str, Any]) -> Array:
    state["a"] = 0.95 * state.get("a", 0.0) + 0.05 * g**2
    d = state.get("d", np.zeros_like(w))
    step = g * np.sqrt(d + EPS) / np.sqrt(state["a"] + EPS)
    state["d"] = 0.95 * d + 0.05 * step**2
    return w - step


def adam(amsgrad: bool = False, decay: float = 0.0) -> Any:
    def rule(w: Array, g: Array, t: int, state: dict[str, Any]) -> Array:
        lr = 0.001 / (1 + decay * t) * np.sqrt(1 - 0.999 ** (t + 1)) / (1 - 0.9 ** (t + 1))
        state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * g
        state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * g**2
        scale = state["v"]
        if amsgrad:
            scale = state["vhat"] = np.maximum(state.get("vhat", 0.0), state["v"])
        return w - lr * state["m"] / (np.sqrt(scale) + EPS)

    return rule


def adamax(w: Array, g: Array, t: int, state: dict[str, Any]) -> Array:
    state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * g
    state["u"] = np.maximum(0.999 * state.get("u", 0.0), np.abs(g))
    return w - 0.002 / (1 - 0.9 ** (t + 1)) * state["m"] / (state["u"] + EPS)


def nadam(w: Array, g: Array, t: int, state: dict[str, Any]) -> Array:
    now, after = (0.9 * (1 - 0.5 * 0.96 ** (s * 0.004)) for s in (t + 1, t + 2))
    schedule = state["schedule"] = state.get("schedule", 1.0) * now
    state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * g
    state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * g**2
    bar = (1 - now) * g / (1 - schedule) + after * state["m"] / (1 - schedule * after)
    return w - 0.002 * bar / (np.sqrt(state["v"] / (1 - 0.999 ** (t + 1))) + EPS)


CASES: list[tuple[str, dict[str, Any], Any]] = [
    ("SGD", {}, sgd()),
    ("SGD", {"lr": 0.1, "decay": 0.5}, sgd(0.1, decay=0.5)),
    ("SGD", {"learning_rate": 0.05, "momentum": 0.9}, sgd(0.05, 0.9)),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "decay": 1e-2}, sgd(0.05, 0.9, True, 1e-2)),
    ("RMSprop", {}, rmsprop()),
    ("RMSprop", {"rho": 0.5, "decay": 0.1}, rmsprop(rho=0.5, decay=0.1)),
    ("Adagrad", {}, adagrad),
    ("Adadelta", {}, adadelta),
    ("Adam", {}, adam()),
    ("Adam", {"decay": 0.1}, adam(decay=0.1)),
    ("Adam", {"amsgrad": True}, adam(amsgrad=True)),
    ("Adamax", {}, adamax),
    ("Nadam", {}, nadam),
    ("Ftrl", {}, ftrl()),
    (
        "Ftrl",
        {
            "learning_rate": 0.5,
            "learning_rate_power": -0.75,
            "initial_accumulator_value": 0.3,
            "l1_regularization_strength": 0.4,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.1,
            "decay": 0.1,
        },
        ftrl(0.5, 0.75, 0.3, 0.4, 0.2, 0.1, 0.1),
    ),
]


@pytest.mark.parametrize(("name", "arguments", "rule"), CASES, ids=[f"{c[0]}-{'-'.join(c[1])}" for c in CASES])
def test_steps_follow_the_formula(name: str, arguments: dict[str, Any], rule: Any) -> None:
    np.testing.assert_allclose(trained(getattr(optimizers, name)(**arguments)), run(rule), rtol=2e-5, atol=1e-6)


def test_clipvalue() -> None:
    expected = START - 0.1 * np.clip(SCALE * START, -0.5, 0.5)
    np.testing.assert_allclose(trained(optimizers.SGD(lr=0.1, clipvalue=0.5), 1), expected, rtol=1e-5)


def test_clipnorm_scales_all_gradients_together() -> None:
    g = SCALE * START
    expected = START - 0.1 * g / np.linalg.norm(g)
    np.testing.assert_allclose(trained(optimizers.SGD(lr=0.1, clipnorm=1.0), 1), expected, rtol=1e-5)
    np.testing.assert_allclose(trained(optimizers.SGD(lr=0.1, clipnorm=1e6), 1), START - 0.1 * g, rtol=1e-5)


def test_constraint_applies_after_the_step() -> None:
    after = trained(optimizers.SGD(lr=0.1), 1, constraint=constraints.NonNeg())
    np.testing.assert_allclose(after, np.maximum(START - 0.1 * SCALE * START, 0), rtol=1e-5)


def test_learning_rate_can_be_read_and_set() -> None:
    sgd_ = optimizers.SGD(lr=0.25)
    assert K.get_value(sgd_.lr) == 0.25 and sgd_.lr is sgd_.learning_rate
    K.set_value(sgd_.lr, 0.5)
    assert K.get_value(sgd_.learning_rate) == 0.5
    sgd_.lr = 0.125
    assert K.get_value(sgd_.learning_rate) == 0.125


WEIGHTS = {
    "Adadelta": [(), (2, 3), (3,), (2, 3), (3,)],
    "Adagrad": [(), (2, 3), (3,)],
    "Adam": [(), (2, 3), (3,), (2, 3), (3,), (1,), (1,)],
    "Adamax": [(), (2, 3), (3,), (2, 3), (3,)],
    "Nadam": [(), (), (2, 3), (3,), (2, 3), (3,)],
    "Ftrl": [(), (2, 3), (3,), (2, 3), (3,)],
    "RMSprop": [(), (2, 3), (3,)],
    "SGD": [(), (2, 3), (3,)],
}


@pytest.mark.parametrize("name", sorted(WEIGHTS))
def test_weights_come_in_keras_order(name: str) -> None:
    optimizer = optimizers.get(name.lower())
    params = [K.zeros((2, 3)), K.zeros((3,))]
    optimizer.get_updates(loss=K.sum(params[0]) + K.sum(params[1]), params=params)
    assert [w.shape for w in optimizer.get_weights()] == WEIGHTS[name]
    values = [np.full_like(w, 2) for w in optimizer.get_weights()]
    optimizer.set_weights(values)
    for got, value in zip(optimizer.get_weights(), values, strict=True):
        np.testing.assert_array_equal(got, value)
    with pytest.raises(ValueError, match="Length of the specified weight list"):
        optimizer.set_weights([])
    values[-1] = np.zeros(99)
    with pytest.raises(ValueError, match="not compatible with provided weight shape"):
        optimizer.set_weights(values)


CONFIGS: dict[str, dict[str, Any]] = {
    "Adadelta": {"decay": 0.0, "epsilon": 1e-07, "learning_rate": 1.0, "rho": 0.95},
    "Adagrad": {"decay": 0.0, "epsilon": 1e-07, "learning_rate": 0.009999999776482582},
    "Adam": {
        "amsgrad": False,
        "beta_1": 0.8999999761581421,
        "beta_2": 0.9990000128746033,
        "decay": 0.0,
        "epsilon": 1e-07,
        "learning_rate": 0.0010000000474974513,
    },
    "Adamax": {
        "beta_1": 0.8999999761581421,
        "beta_2": 0.9990000128746033,
        "decay": 0.0,
        "epsilon": 1e-07,
        "learning_rate": 0.0020000000949949026,
    },
    "Nadam": {
        "beta_1": 0.8999999761581421,
        "beta_2": 0.9990000128746033,
        "epsilon": 1e-07,
        "learning_rate": 0.0020000000949949026,
        "schedule_decay": 0.004,
    },
    "Ftrl": {
        "decay": 0.0,
        "initial_accumulator_value": 0.1,
        "l1_regularization_strength": 0.0,
        "l2_regularization_strength": 0.0,
        "l2_shrinkage_regularization_strength": 0.0,
        "learning_rate": 0.0010000000474974513,
        "learning_rate_power": -0.5,
    },
    "RMSprop": {"decay": 0.0, "epsilon": 1e-07, "learning_rate": 0.0010000000474974513, "rho": 0.8999999761581421},
    "SGD": {"decay": 0.0, "learning_rate": 0.009999999776482582, "momentum": 0.0, "nesterov": False},
}


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_config(name: str) -> None:
    optimizer = getattr(optimizers, name)()
    assert optimizer.get_config() == CONFIGS[name]
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert type(again) is type(optimizer) and again.get_config() == pytest.approx(optimizer.get_config())
    clipped = getattr(optimizers, name)(clipnorm=1.0)
    assert clipped.get_config()["clipnorm"] == 1.0


def test_ftrl_refuses_bad_numbers() -> None:
    with pytest.raises(ValueError, match="`learning_rate_power` is 0.5, it must be zero or less"):
        optimizers.Ftrl(learning_rate_power=0.5)
    with pytest.raises(ValueError, match="`l1_regularization_strength` is -1, it must not be negative"):
        optimizers.Ftrl(l1_regularization_strength=-1)


def test_names_count_in_any_case() -> None:
    assert isinstance(optimizers.get("RMSProp"), optimizers.RMSprop)
    with pytest.raises(ValueError, match="Unknown optimizer: nonsense"):
        optimizers.get("nonsense")
    with pytest.raises(ValueError, match="Could not interpret optimizer identifier: 3"):
        optimizers.get(3)
    with pytest.raises(TypeError, match="Unexpected keyword argument passed to optimizer: momentun"):
        optimizers.SGD(momentun=0.9)
    assert K.get_value(optimizers.SGD.from_config({"lr": 0.5}).lr) == 0.5


def test_a_parameter_that_the_loss_does_not_reach() -> None:
    a, b = K.variable(1.0), K.variable(1.0)
    with pytest.raises(ValueError, match="An operation has `None` for gradient"):
        optimizers.SGD().get_updates(loss=K.square(a), params=[a, b])


def test_arguments_of_get_updates_in_the_order_of_keras_1() -> None:
    def stepped(update: Callable[[Any, Any], Any]) -> float:
        w = K.variable(3.0)
        K.function([], [], updates=update(K.square(w), [w]))([])
        return float(K.get_value(w))

    expected = stepped(lambda loss, params: optimizers.Adam(0.5).get_updates(loss, params))
    assert stepped(lambda loss, params: optimizers.Adam(0.5).get_updates(params, [], loss)) == expected != 3.0
    assert stepped(lambda loss, params: optimizers.Adam(0.5).get_updates(params, {}, loss=loss)) == expected
    with pytest.raises(TypeError, match="`SGD.get_updates` takes no constraints"):
        optimizers.SGD().get_updates([K.variable(1.0)], {"w": "nonneg"}, K.variable(1.0))


def test_the_rate_of_a_persons_optimizer_keeps_its_name_in_files(tmp_path: Path) -> None:
    class Plain(optimizers.Optimizer):
        def __init__(self, lr: float = 0.1, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.lr = K.variable(lr)

        @interfaces.legacy_get_updates_support
        def get_updates(self, loss: Any, params: Any) -> list[Any]:
            grads = self.get_gradients(loss, params)
            self.updates = [K.update_sub(p, self.lr * g) for p, g in zip(params, grads, strict=True)]
            return self.updates

        def get_config(self) -> dict[str, Any]:
            return {"lr": float(K.get_value(self.lr)), **super().get_config()}

    model = Sequential([Dense(1, input_shape=(2,))])
    model.compile(Plain(lr=0.25), "mse")
    model.save(str(tmp_path / "model.h5"))
    loaded = load_model(str(tmp_path / "model.h5"), custom_objects={"Plain": Plain})
    assert K.get_value(loaded.optimizer.lr) == 0.25
