"""Scripts of the graph style: sessions, control dependencies, optimizers with TensorFlow's protocol."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import symgraph as sg
from symgraph import generators
from symgraph.errors import SymgraphError
from symgraph.keras import backend as K
from symgraph.keras import optimizers
from symgraph.keras.layers import Dense, Dropout, Input
from symgraph.keras.models import Model, Sequential

pytestmark = pytest.mark.usefixtures("session")


def test_run() -> None:
    x, y = K.placeholder((2,)), K.placeholder((2,))
    v = K.variable(3.0)
    session = K.get_session()
    assert K.get_session() is session
    out = session.run({"sum": x + y, "rest": [v, (x * v, None), K.update_add(v, 1.0)]}, {x: [1, 2], y: [3, 4]})
    np.testing.assert_array_equal(out["sum"], [4, 6])
    assert out["rest"][0] == 3 and out["rest"][2] is None and out["rest"][1][1] is None
    np.testing.assert_array_equal(out["rest"][1][0], [3, 6])
    assert session.run(v) == 4 and len(session._functions) == 2
    session.run(v)
    assert len(session._functions) == 2
    with session.as_default() as same:
        assert same is session
    session.close()
    assert not session._functions
    with pytest.raises(TypeError, match="runs tensors and updates"):
        session.run("loss")
    with pytest.raises(SymgraphError):
        session.run(x + 1)


def test_run_a_model_in_both_phases() -> None:
    x = Input((4,))
    model = Model(x, Dropout(0.5)(Dense(50)(x)))
    session = K.get_session()
    data = np.ones((3, 4), "float32")
    plain = session.run(model.output, feed_dict={model.input: data, K.learning_phase(): 0})
    np.testing.assert_array_equal(plain, session.run(model.output, feed_dict={model.input: data}))
    dropped = session.run(model.output, feed_dict={model.input: data, K.learning_phase(): 1})
    assert (dropped == 0).any() and not (plain == 0).any()


def test_set_session() -> None:
    before, own = K.get_session(), K.Session()
    K.set_session(own)
    assert K.get_session() is own
    K.set_session(before)
    with pytest.raises(TypeError, match="does not run graphs here"):
        K.set_session(object())  # type: ignore[arg-type]


def test_control_dependencies() -> None:
    v = K.variable(1.0)
    with K.control_dependencies([v * 2]), K.control_dependencies(None):
        assert K.eval(v + 1) == 2
    with pytest.raises(ValueError, match="add_update"):
        K.control_dependencies([K.update(v, v + 1)])


class _Descent:
    """An optimizer with TensorFlow's protocol."""

    def compute_gradients(self, loss: Any, params: Any) -> list[Any]:
        return list(zip(K.gradients(loss, params), params, strict=True))

    def apply_gradients(self, pairs: Any, global_step: Any) -> list[Any]:
        return [K.update_sub(p, 0.1 * g) for g, p in pairs]


def test_tf_optimizer() -> None:
    model = Sequential([Dense(1, use_bias=False, input_shape=(2,))])
    model.compile(optimizers.TFOptimizer(_Descent()), "mse")
    x, y = np.array([[1.0, 2.0]]), np.array([[3.0]])
    before = model.get_weights()[0].ravel()
    model.train_on_batch(x, y)
    expected = before - 0.1 * 2 * (x[0] @ before - 3) * x[0]
    np.testing.assert_allclose(model.get_weights()[0].ravel(), expected, rtol=1e-5)
    assert K.get_value(model.optimizer.iterations) == 1
    with pytest.raises(TypeError, match="has no compute_gradients and no apply_gradients"):
        optimizers.TFOptimizer(object())
    for call in (
        model.optimizer.get_config,
        lambda: model.optimizer.weights,
        lambda: type(model.optimizer).from_config({}),
    ):
        with pytest.raises(NotImplementedError):
            call()


def test_the_seed_of_numpy_repeats_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def losses(seed: int) -> list[float]:
        K.clear_session()
        np.random.seed(seed)
        model = Sequential([Dense(8, activation="relu", input_shape=(4,)), Dropout(0.5), Dense(1)])
        model.compile("sgd", "mse")
        x = np.random.normal(size=(16, 4))
        return list(model.fit(x, x[:, :1], epochs=3, batch_size=4, verbose=0).history["loss"])

    monkeypatch.setattr(generators.default, "is_chosen", False)
    assert losses(1) == losses(1) != losses(2)
    sg.set_random_seed(5)  # what a user says of the stream itself goes before it
    before = K.eval(K.random_uniform((3,)))
    K.clear_session()
    sg.set_random_seed(5)
    np.testing.assert_array_equal(K.eval(K.random_uniform((3,))), before)


@pytest.mark.slow
def test_ops_with_seeds_draw_the_same_in_every_process() -> None:
    code = (
        "from symgraph.keras import backend as K\n"
        "print(K.eval(K.dropout(K.ones((12,)), 0.5, seed=3)).tolist(), K.eval(K.random_normal((2,), seed=4)).tolist())"
    )
    printed = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout for _ in range(2)}
    assert len(printed) == 1 and "2.0" in printed.pop()
