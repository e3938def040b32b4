"""Backend functions against NumPy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgraph.keras._tensorflow as tf
from symgraph.keras import backend as K

pytestmark = pytest.mark.usefixtures("session")

X = np.random.default_rng(1).normal(size=(3, 4)).astype("float32")
Y = np.random.default_rng(2).normal(size=(3, 4)).astype("float32")
CUBE = np.random.default_rng(3).normal(size=(2, 3, 4)).astype("float32")


def run(fn: Any, *arrays: Any) -> np.ndarray:
    """``fn`` of placeholders, evaluated on arrays."""
    inputs = [K.placeholder(ndim=np.ndim(a), dtype=str(np.asarray(a).dtype)) for a in arrays]
    return np.asarray(K.function(inputs, fn(*inputs))(list(arrays)))


ELEMENTWISE = {
    "abs": np.abs,
    "square": np.square,
    "exp": np.exp,
    "sign": np.sign,
    "sin": np.sin,
    "cos": np.cos,
    "round": np.round,
    "tanh": np.tanh,
    "sqrt": lambda x: np.sqrt(np.maximum(x, 0)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "relu": lambda x: np.maximum(x, 0),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
    "argmax": lambda x: x.argmax(-1),
    "argmin": lambda x: x.argmin(-1),
    "transpose": np.transpose,
    "flatten": np.ravel,
    "batch_flatten": lambda x: x.reshape(len(x), -1),
    "ones_like": np.ones_like,
    "zeros_like": np.zeros_like,
    "stop_gradient": lambda x: x,
    "identity": lambda x: x,
    "size": np.size,
}


@pytest.mark.parametrize("name", sorted(ELEMENTWISE))
def test_function_of_one_tensor(name: str) -> None:
    np.testing.assert_allclose(run(getattr(K, name), X), ELEMENTWISE[name](X), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "std", "var"])
@pytest.mark.parametrize("axis", [None, 0, -1, [0, 2]])
@pytest.mark.parametrize("keepdims", [False, True])
def test_reduction(name: str, axis: Any, keepdims: bool) -> None:
    expected = getattr(np, name)(CUBE, axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=keepdims)
    np.testing.assert_allclose(run(lambda x: getattr(K, name)(x, axis, keepdims), CUBE), expected, rtol=1e-4, atol=1e-6)


def test_logsumexp_does_not_overflow() -> None:
    assert run(lambda x: K.logsumexp(x, axis=0), np.array([1000.0, 1000.0], "float32")) == pytest.approx(
        1000 + np.log(2)
    )


@pytest.mark.parametrize(
    "name", ["maximum", "minimum", "equal", "not_equal", "greater", "greater_equal", "less", "less_equal"]
)
def test_function_of_two_tensors(name: str) -> None:
    np.testing.assert_array_equal(run(getattr(K, name), X, Y), getattr(np, name)(X, Y))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"alpha": 0.1}, lambda x: np.where(x > 0, x, 0.1 * x)),
        ({"max_value": 0.5}, lambda x: np.clip(x, 0, 0.5)),
        ({"threshold": 0.3}, lambda x: np.where(x > 0.3, x, 0)),
        (
            {"alpha": 0.1, "max_value": 0.5, "threshold": 0.3},
            lambda x: np.where(x > 0.3, np.minimum(x, 0.5), 0.1 * (x - 0.3)),
        ),
    ],
)
def test_relu_with_arguments(arguments: dict[str, float], expected: Any) -> None:
    np.testing.assert_allclose(run(lambda x: K.relu(x, **arguments), X), expected(X), rtol=1e-5, atol=1e-6)


def test_clip_raises_a_maximum_below_the_minimum() -> None:
    np.testing.assert_array_equal(run(lambda x: K.clip(x, 0.5, 0.1), X), np.full_like(X, 0.5))


def test_clip_with_one_bound() -> None:
    np.testing.assert_array_equal(run(lambda x: K.clip(x, 0.2, None), X), np.maximum(X, np.float32(0.2)))


def test_mean_of_booleans_is_a_share() -> None:
    assert run(lambda x: K.mean(K.greater(x, 0.0)), X) == pytest.approx((X > 0).mean())


def test_any_and_all_take_numbers() -> None:
    data = np.array([[0, 1], [1, 1], [0, 0]], "float32")
    np.testing.assert_array_equal(run(lambda x: K.any(x, axis=1), data), [True, True, False])
    np.testing.assert_array_equal(run(lambda x: K.all(x, axis=1), data), [False, True, False])


def test_dot_of_more_axes() -> None:
    other = np.ones((2, 4, 5), "float32")
    np.testing.assert_allclose(run(K.dot, CUBE, other), np.dot(CUBE, other), rtol=1e-5)


@pytest.mark.parametrize(
    ("x", "y", "axes", "spec"),
    [
        ((5, 3), (5, 3), None, None),
        ((5, 3, 4), (5, 4, 2), None, "bij,bjk->bik"),
        ((5, 3, 4), (5, 4), None, "bij,bj->bi"),
        ((5, 3, 4), (5, 2, 3), (1, 2), "bij,bki->bjk"),
        ((5, 3, 4), (5, 3, 2), 1, "bij,bik->bjk"),
    ],
)
def test_batch_dot(x: Any, y: Any, axes: Any, spec: str | None) -> None:
    a = np.random.default_rng(0).normal(size=x).astype("float32")
    b = np.random.default_rng(1).normal(size=y).astype("float32")
    expected = (a * b).sum(1, keepdims=True) if spec is None else np.einsum(spec, a, b)
    np.testing.assert_allclose(run(lambda p, q: K.batch_dot(p, q, axes), a, b), expected, rtol=1e-4, atol=1e-6)


def test_batch_dot_refuses_axes_of_different_lengths() -> None:
    x, y = K.placeholder((None, 10, 10, 16)), K.placeholder((None, 10, None, 16))
    with pytest.raises(ValueError, match=r"batch_dot on inputs with shapes .* axis 2 of x has 10 elements"):
        K.batch_dot(x, y, [2, 3])


def test_batch_dot_refuses_the_batch_axis() -> None:
    with pytest.raises(ValueError, match="Can not perform batch_dot over axis 0"):
        K.batch_dot(K.placeholder((2, 3)), K.placeholder((2, 3)), axes=0)


SHAPING = [
    (lambda x: K.reshape(x, (-1, 2)), lambda x: x.reshape(-1, 2)),
    (lambda x: K.permute_dimensions(x, (2, 0, 1)), lambda x: x.transpose(2, 0, 1)),
    (lambda x: K.expand_dims(x, 1), lambda x: x[:, None]),
    (lambda x: K.squeeze(K.expand_dims(x, 0), 0), lambda x: x),
    (lambda x: K.concatenate([x, x], axis=1), lambda x: np.concatenate([x, x], 1)),
    (lambda x: K.stack([x, x], axis=1), lambda x: np.stack([x, x], 1)),
    (lambda x: K.repeat_elements(x, 2, axis=1), lambda x: np.repeat(x, 2, 1)),
    (lambda x: K.tile(x, (1, 2, 1)), lambda x: np.tile(x, (1, 2, 1))),
    (lambda x: K.reverse(x, [0, 2]), lambda x: x[::-1, :, ::-1]),
    (lambda x: K.slice(x, [0, 1, 0], [2, 2, -1]), lambda x: x[0:2, 1:3, :]),
    (lambda x: K.temporal_padding(x, (1, 2)), lambda x: np.pad(x, ((0, 0), (1, 2), (0, 0)))),
    (lambda x: K.repeat(x[:, 0], 3), lambda x: np.repeat(x[:, :1], 3, 1)),
]


@pytest.mark.parametrize("index", range(len(SHAPING)))
def test_shaping(index: int) -> None:
    ours, reference = SHAPING[index]
    np.testing.assert_array_equal(run(ours, CUBE), reference(CUBE))


def test_gather_and_one_hot() -> None:
    rows = np.array([2, 0], "int32")
    np.testing.assert_array_equal(run(K.gather, X, rows), X[rows])
    np.testing.assert_array_equal(run(lambda i: K.one_hot(i, 3), rows), np.eye(3, dtype="float32")[rows])


@pytest.mark.parametrize("arguments", [(5,), (2, 7), (1, 10, 3)])
def test_arange(arguments: tuple[int, ...]) -> None:
    np.testing.assert_array_equal(K.eval(K.arange(*arguments)), np.arange(*arguments, dtype="int32"))


def test_symbolic_shape_serves_as_a_shape_and_as_a_number() -> None:
    x = K.placeholder((None, 4))
    rows = K.shape(x)[0]
    zeros, number = K.function([x], [K.zeros((rows, 2)), K.cast(rows, "float32") + 0.5])([X])
    assert zeros.shape == (3, 2)
    assert number == 3.5


def test_shapes_from_sizes() -> None:
    x = K.placeholder((None, 4, 6))
    shape = K.shape(x)
    shapes = {
        "stack": K.stack([shape[0], 2, 2, shape[2]]),
        "concatenate": K.concatenate([shape[:2], [2, 3]]),
        "tf.stack": tf.stack([-1, 12]),
        "tf.concat": tf.concat([shape[:-1], (3, 2)], axis=0),
        "prod": (shape[0], K.prod(shape[1:])),
        "no size": (K.prod(shape), 1),
    }
    values = K.function([x], [K.reshape(x, s) for s in shapes.values()])([np.zeros((3, 4, 6))])
    assert [v.shape for v in values] == [(3, 2, 2, 6), (3, 4, 2, 3), (6, 12), (3, 4, 3, 2), (3, 24), (72, 1)]
    assert K.eval(K.stack([1, 2])).tolist() == [1, 2] and float(K.eval(K.cast(K.stack([1, 2]), "float32"))[0]) == 1
    pixels = K.function([x], [1.0 / K.cast(K.prod(K.shape(x)), "float32")])([np.zeros((2, 4, 6))])
    np.testing.assert_allclose(pixels[0], 1 / 48)


def test_in_top_k_counts_ties_in_favour() -> None:
    scores = np.array([[0.1, 0.5, 0.4], [0.3, 0.3, 0.4], [np.nan, 0.1, 0.2]], "float32")
    hits = run(lambda p, t: K.in_top_k(p, t, 2), scores, np.array([2, 0, 0], "int32"))
    np.testing.assert_array_equal(hits, [True, True, False])


def test_switch_broadcasts_its_condition_and_takes_callables() -> None:
    flags = np.array([1, 0, 1], "float32")
    picked = run(lambda c, a, b: K.switch(c, lambda: a, lambda: b), flags, X, Y)
    np.testing.assert_array_equal(picked, np.where(flags[:, None] > 0, X, Y))
    with pytest.raises(ValueError, match="Rank of `condition` should be less than or equal to"):
        K.switch(K.placeholder((2, 2)), K.placeholder((2,)), K.placeholder((2,)))


# -- variables and functions -------------------------------------------------------------------------------------------
def test_variable_values_are_copies() -> None:
    v = K.variable([1.0, 2.0])
    value = K.get_value(v)
    value[0] = 9
    np.testing.assert_array_equal(K.get_value(v), [1, 2])
    K.batch_set_value([(v, [3, 4])])
    np.testing.assert_array_equal(K.batch_get_value([v])[0], [3, 4])
    assert K.dtype(v) == "float32" and K.int_shape(v) == (2,) and K.count_params(v) == 2


def test_variable_takes_a_tensor_that_depends_on_no_input() -> None:
    np.testing.assert_array_equal(K.get_value(K.variable(K.constant([1.0, 2.0]) * 2)), [2, 4])


def test_function_updates_variables_and_reads_their_old_values() -> None:
    v, x = K.variable(1.0), K.placeholder(())
    f = K.function([x], [v * 1.0], updates=[K.update_add(v, x)])
    assert [float(f([2.0])[0]) for _ in range(3)] == [1.0, 3.0, 5.0]
    g = K.function([], [], updates=[K.update_sub(v, 3.0)])
    g([])
    assert K.get_value(v) == 4.0


def test_moving_average_update() -> None:
    v = K.variable(1.0)
    K.function([], [], updates=[K.moving_average_update(v, 3.0, 0.9)])([])
    assert K.get_value(v) == pytest.approx(1.2)


def test_the_last_of_two_updates_of_a_variable_counts() -> None:
    v = K.variable(1.0)
    K.function([], [], updates=[K.update(v, 2.0), K.update(v, 3.0)])([])
    assert K.get_value(v) == 3.0


def test_function_refuses_what_is_no_list() -> None:
    x = K.placeholder((2,))
    with pytest.raises(TypeError, match="`inputs` to a backend function should be a list or tuple"):
        K.function(x, [x])
    with pytest.raises(TypeError, match="`inputs` should be a list or tuple"):
        K.function([x], [x])(np.zeros(2))
    with pytest.raises(ValueError, match='Invalid argument "options" passed to K.function'):
        K.function([x], [x], options=1)


def test_fed_learning_phase_picks_the_executable() -> None:
    x = K.placeholder((2,))
    f = K.function([x, K.learning_phase()], [K.in_train_phase(x + 1.0, x - 1.0)])
    one = np.zeros(2, "float32")
    np.testing.assert_array_equal(f([one, 1])[0], [1, 1])
    np.testing.assert_array_equal(f([one, 0])[0], [-1, -1])
    np.testing.assert_array_equal(f([one, True])[0], [1, 1])
    assert len(f._executables) == 2
    with pytest.raises(ValueError, match="Expected 2 inputs, got 1"):
        f([one])


def test_learning_phase_is_test_unless_fed() -> None:
    x = K.placeholder((2,))
    f = K.function([x], [K.in_test_phase(x + 1.0, x - 1.0)])
    np.testing.assert_array_equal(f([np.zeros(2, "float32")])[0], [1, 1])


def test_set_learning_phase_fixes_it_in_new_graphs() -> None:
    x = K.placeholder((2,))
    K.set_learning_phase(1)
    f = K.function([x, K.learning_phase()], [K.in_train_phase(x + 1.0, x - 1.0)])
    np.testing.assert_array_equal(f([np.zeros(2, "float32"), 0])[0], [1, 1])
    K.clear_session()
    with pytest.raises(ValueError, match="Expected learning phase to be 0 or 1"):
        K.set_learning_phase(2)


def test_gradients_sum_the_loss_and_give_none_where_disconnected() -> None:
    x, other = K.placeholder((2,)), K.variable(1.0)
    dx, nothing = K.gradients(K.square(x), [x, other])
    np.testing.assert_array_equal(K.function([x], [dx])([np.array([1, 2], "float32")])[0], [2, 4])
    assert nothing is None


def test_floats_are_fed_to_integers() -> None:
    lengths, x = K.placeholder((None, 1), dtype="int32"), K.placeholder((None, 1))
    run_both = K.function([lengths, x], [lengths, x])
    for fed in (np.array([[3.0], [4.0]]), [[3], [4]], [[3.5], [4.5]]):
        counts, same = run_both([fed, fed])
        np.testing.assert_array_equal(counts, [[3], [4]])
        np.testing.assert_array_equal(same, np.asarray(fed))
    assert counts.dtype == np.int32


def test_dropout_scales_up_what_it_keeps() -> None:
    x = K.constant(np.ones((100, 100)))
    dropped = K.eval(K.dropout(x, 0.25))
    assert set(np.unique(dropped)) == {0.0, np.float32(1 / 0.75)}
    assert dropped.mean() == pytest.approx(1.0, abs=0.02)
    with pytest.raises(ValueError, match=r"Dropout level must be in interval"):
        K.dropout(x, 1.0)


@pytest.mark.parametrize(
    ("make", "mean", "deviation"),
    [
        (lambda: K.random_uniform((200, 200), -1, 3), 1.0, 4 / np.sqrt(12)),
        (lambda: K.random_normal((200, 200), 1.0, 2.0), 1.0, 2.0),
        (lambda: K.truncated_normal((200, 200), 1.0, 2.0), 1.0, 2 * 0.8796),
        (lambda: K.random_binomial((200, 200), 0.25), 0.25, np.sqrt(0.1875)),
        (lambda: K.random_uniform_variable((200, 200), -1, 3), 1.0, 4 / np.sqrt(12)),
        (lambda: K.random_normal_variable((200, 200), 1.0, 2.0), 1.0, 2.0),
    ],
)
def test_random_tensors(make: Any, mean: float, deviation: float) -> None:
    values = K.eval(make())
    assert values.mean() == pytest.approx(mean, abs=0.05)
    assert values.std() == pytest.approx(deviation, rel=0.03)


def test_truncated_normal_stays_within_two_deviations() -> None:
    values = K.eval(K.truncated_normal((100, 100), 0.0, 1.0))
    assert 1.9 < np.abs(values).max() <= 2.0001


def test_is_keras_tensor_refuses_arrays() -> None:
    with pytest.raises(ValueError, match="Unexpectedly found an instance of type"):
        K.is_keras_tensor(np.zeros(2))
    assert not K.is_keras_tensor(K.placeholder((2,)))


def test_placeholder_needs_a_rank() -> None:
    with pytest.raises(ValueError, match="the rank of every tensor must be known"):
        K.placeholder()
    assert K.int_shape(K.placeholder(ndim=2)) == (None, None)


def test_uids_count_by_prefix() -> None:
    assert [K.get_uid("a"), K.get_uid("a"), K.get_uid("b")] == [1, 2, 1]
    K.reset_uids()
    assert K.get_uid("a") == 1


# -- settings ----------------------------------------------------------------------------------------------------------
def test_settings() -> None:
    assert (K.floatx(), K.epsilon(), K.image_data_format()) == ("float32", 1e-7, "channels_last")
    K.set_floatx("float64")
    assert K.dtype(K.variable(1.0)) == "float64" and K.cast_to_floatx([1]).dtype == np.float64
    K.set_floatx("float32")
    with pytest.raises(ValueError, match="Unknown floatx type: int"):
        K.set_floatx("int")
    with pytest.raises(ValueError, match="Unknown data_format: x"):
        K.set_image_data_format("x")
    assert K.normalize_data_format("Channels_First") == "channels_first"
    with pytest.raises(ValueError, match="argument must be one of"):
        K.normalize_data_format("x")


def settings_in(home: Path) -> list[Any]:
    code = (
        "from symgraph.keras import backend as K; import json; "
        "print(json.dumps([K.floatx(), K.epsilon(), K.image_data_format()]))"
    )
    env = {k: v for k, v in os.environ.items() if k != "KERAS_HOME"} | {"HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    found: list[Any] = json.loads(done.stdout)
    return found


def test_settings_come_from_keras_json(tmp_path: Path) -> None:
    (tmp_path / ".keras").mkdir()
    values = {"floatx": "float64", "epsilon": 1e-5, "image_data_format": "channels_first", "backend": "theano"}
    (tmp_path / ".keras/keras.json").write_text(json.dumps(values))
    assert settings_in(tmp_path) == ["float64", 1e-5, "channels_first"]


@pytest.mark.parametrize("text", ["not json", '{"floatx": 3}', "[]"])
def test_a_keras_json_that_makes_no_sense_is_ignored(tmp_path: Path, text: str) -> None:
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras/keras.json").write_text(text)
    assert settings_in(tmp_path) == ["float32", 1e-7, "channels_last"]


def test_a_home_that_is_not_there_does_no_harm() -> None:
    assert settings_in(Path("/nonexistent/home")) == ["float32", 1e-7, "channels_last"]
