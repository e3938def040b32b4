"""Initializers, regularizers, constraints, activations, and the helpers that turn names into objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgraph.keras import activations, constraints, initializers, regularizers
from symgraph.keras import backend as K
from symgraph.keras.utils import CustomObjectScope, generic_utils, get_custom_objects, normalize, to_categorical

pytestmark = pytest.mark.usefixtures("session")

X = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")


# -- initializers ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "fan"),
    [
        ("glorot_uniform", 2 / (400 + 600)),
        ("glorot_normal", 2 / (400 + 600)),
        ("he_uniform", 2 / 400),
        ("he_normal", 2 / 400),
        ("lecun_uniform", 1 / 400),
        ("lecun_normal", 1 / 400),
    ],
)
def test_variance_scaling(name: str, fan: float) -> None:
    values = initializers.get(name)((400, 600))
    assert values.dtype == np.float32
    assert values.var() == pytest.approx(fan, rel=0.02)
    assert abs(values.mean()) < 1e-3
    widest = np.sqrt(3 * fan) if "uniform" in name else 2 * np.sqrt(fan) / 0.87962566
    assert np.abs(values).max() <= widest * 1.0001


def test_fans_of_kernels() -> None:
    assert initializers._compute_fans((3, 3, 8, 16)) == (72, 144)
    assert initializers._compute_fans((5, 8, 16)) == (40, 80)
    assert initializers._compute_fans((16,)) == (4, 4)


@pytest.mark.parametrize(
    ("initializer", "mean", "deviation"),
    [
        (initializers.RandomNormal(0.5, 0.1), 0.5, 0.1),
        (initializers.RandomUniform(-1, 3), 1.0, 4 / np.sqrt(12)),
        (initializers.TruncatedNormal(0.5, 0.1), 0.5, 0.08796),
    ],
)
def test_random_initializers(initializer: Any, mean: float, deviation: float) -> None:
    values = initializer((300, 300))
    assert values.mean() == pytest.approx(mean, abs=0.02)
    assert values.std() == pytest.approx(deviation, rel=0.02)


def test_orthogonal_and_identity() -> None:
    q = initializers.Orthogonal(gain=2.0)((6, 4))
    np.testing.assert_allclose(q.T @ q, 4 * np.eye(4), atol=1e-5)
    wide = initializers.Orthogonal()((2, 3, 10)).reshape(6, 10)
    np.testing.assert_allclose(wide @ wide.T, np.eye(6), atol=1e-6)
    assert initializers.Orthogonal()((3, 3, 2, 4)).shape == (3, 3, 2, 4)
    draw = initializers.Orthogonal(seed=3)
    planes = np.stack([draw((2, 2)) for _ in range(1000)])
    angles = np.sort(np.arctan2(planes[:, 1, 0], planes[:, 0, 0])) / (2 * np.pi) + 0.5
    assert np.abs(angles - np.linspace(0, 1, 1000)).max() < 1.95 / np.sqrt(1000)  # Kolmogorov-Smirnov at 0.001
    assert abs(np.mean(np.linalg.det(planes))) < 0.12  # turned over as often as not
    np.testing.assert_array_equal(initializers.Identity(2.0)((2, 3)), 2 * np.eye(2, 3))
    with pytest.raises(ValueError, match="can only be used for 2D matrices"):
        initializers.Identity()((2, 2, 2))


def test_constants() -> None:
    np.testing.assert_array_equal(initializers.get("zeros")((2,)), [0, 0])
    np.testing.assert_array_equal(initializers.get("one")((2,), dtype="int32"), [1, 1])
    np.testing.assert_array_equal(initializers.Constant(3)((2,)), [3, 3])


def test_seeds() -> None:
    np.random.seed(3)
    first = initializers.glorot_uniform()((3, 3))
    np.random.seed(3)
    np.testing.assert_array_equal(initializers.glorot_uniform()((3, 3)), first)
    seeded = initializers.RandomNormal(seed=5)
    one, two = seeded((3, 3)), seeded((3, 3))
    assert not np.array_equal(one, two)
    np.testing.assert_array_equal(initializers.RandomNormal(seed=5)((3, 3)), one)


INITIALIZER_CONFIGS: dict[str, dict[str, Any]] = {
    "Constant": {"value": 0},
    "Identity": {"gain": 1.0},
    "Ones": {},
    "Orthogonal": {"gain": 1.0, "seed": None},
    "RandomNormal": {"mean": 0.0, "seed": None, "stddev": 0.05},
    "RandomUniform": {"maxval": 0.05, "minval": -0.05, "seed": None},
    "TruncatedNormal": {"mean": 0.0, "seed": None, "stddev": 0.05},
    "VarianceScaling": {"distribution": "normal", "mode": "fan_in", "scale": 1.0, "seed": None},
    "Zeros": {},
    "glorot_uniform": {"distribution": "uniform", "mode": "fan_avg", "scale": 1.0, "seed": None},
    "he_normal": {"distribution": "normal", "mode": "fan_in", "scale": 2.0, "seed": None},
}


@pytest.mark.parametrize("name", sorted(INITIALIZER_CONFIGS))
def test_initializer_config(name: str) -> None:
    found = initializers.get(name)
    assert found.get_config() == INITIALIZER_CONFIGS[name]
    assert initializers.get(initializers.serialize(found)).get_config() == found.get_config()


def test_wrong_arguments_of_variance_scaling() -> None:
    with pytest.raises(ValueError, match="`scale` must be a positive float"):
        initializers.VarianceScaling(scale=-1)
    with pytest.raises(ValueError, match="Invalid `mode` argument"):
        initializers.VarianceScaling(mode="fan")
    with pytest.raises(ValueError, match="Invalid `distribution` argument"):
        initializers.VarianceScaling(distribution="gamma")


# -- regularizers and constraints --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("regularizer", "expected"),
    [
        (regularizers.l1(0.1), 0.1 * np.abs(X).sum()),
        (regularizers.l2(0.1), 0.1 * (X**2).sum()),
        (regularizers.l1_l2(0.1, 0.2), 0.1 * np.abs(X).sum() + 0.2 * (X**2).sum()),
        (regularizers.get("l2"), 0.01 * (X**2).sum()),
    ],
)
def test_regularizer(regularizer: Any, expected: float) -> None:
    assert K.eval(regularizer(K.constant(X))) == pytest.approx(expected, rel=1e-5)


def test_regularizer_config() -> None:
    assert regularizers.l2().get_config() == {"l1": 0.0, "l2": 0.009999999776482582}
    assert regularizers.get(regularizers.serialize(regularizers.l1(0.5))).get_config() == {"l1": 0.5, "l2": 0.0}
    assert regularizers.get(None) is None


NORMS = np.sqrt((X**2).sum(0, keepdims=True))


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (constraints.MaxNorm(1.5), X * np.clip(NORMS, 0, 1.5) / NORMS),
        (constraints.NonNeg(), np.maximum(X, 0)),
        (constraints.UnitNorm(), X / NORMS),
        (constraints.UnitNorm(axis=1), X / np.sqrt((X**2).sum(1, keepdims=True))),
        (constraints.MinMaxNorm(1.0, 2.0, rate=0.5), X * (0.5 * np.clip(NORMS, 1, 2) + 0.5 * NORMS) / NORMS),
    ],
)
def test_constraint(constraint: Any, expected: Any) -> None:
    np.testing.assert_allclose(K.eval(constraint(K.constant(X))), expected, rtol=1e-5, atol=1e-6)
    assert constraints.get(constraints.serialize(constraint)).get_config() == constraint.get_config()


def test_constraint_names() -> None:
    for name in ("max_norm", "maxnorm", "MaxNorm"):
        assert isinstance(constraints.get(name), constraints.MaxNorm)
    assert constraints.get(None) is None


# -- activations -------------------------------------------------------------------------------------------------------
def selu(x: Any) -> Any:
    return 1.05070098 * np.where(x > 0, x, 1.67326324 * np.expm1(x))


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("linear", lambda x: x),
        ("exponential", np.exp),
        ("selu", selu),
        ("elu", lambda x: np.where(x > 0, x, np.expm1(x))),
        ("relu", lambda x: np.maximum(x, 0)),
        ("tanh", np.tanh),
        ("sigmoid", lambda x: 1 / (1 + np.exp(-x))),
        ("hard_sigmoid", lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
        ("softplus", lambda x: np.log1p(np.exp(x))),
        ("softsign", lambda x: x / (1 + np.abs(x))),
        ("softmax", lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
    ],
)
def test_activation(name: str, reference: Any) -> None:
    fn = activations.get(name)
    np.testing.assert_allclose(K.eval(fn(K.constant(X))), reference(X), rtol=1e-5, atol=1e-6)
    assert activations.serialize(fn) == name


def test_activation_arguments() -> None:
    assert activations.get(None) is activations.linear
    assert activations.get(np.tanh) is np.tanh
    with pytest.raises(ValueError, match="Cannot apply softmax to a tensor that is 1D"):
        activations.softmax(K.placeholder((3,)))


@pytest.mark.parametrize(
    ("module", "what"),
    [
        (activations, "activation function"),
        (initializers, "initializer"),
        (regularizers, "regularizer"),
        (constraints, "constraint"),
    ],
)
def test_unknown_names(module: Any, what: str) -> None:
    with pytest.raises(ValueError, match=f"Unknown {what}:nonsense"):
        module.get("nonsense")
    with pytest.raises(ValueError, match="Could not interpret"):
        module.get(3)


# -- names to objects --------------------------------------------------------------------------------------------------
def test_custom_objects_are_known_inside_their_scope() -> None:
    def twice(x: Any) -> Any:
        return 2 * x

    with CustomObjectScope({"twice": twice}):
        assert activations.get("twice") is twice
        assert "twice" in get_custom_objects()
    with pytest.raises(ValueError, match="Unknown activation function:twice"):
        activations.get("twice")
    with pytest.raises(ValueError, match="Improper config format"):
        generic_utils.deserialize_keras_object({"name": 1})
    with pytest.raises(ValueError, match="Cannot serialize"):
        generic_utils.serialize_keras_object(3)


def test_functions_survive_dump_and_load() -> None:
    offset = 3
    dumped = generic_utils.func_dump(lambda x, y=2: x + y + offset)
    assert generic_utils.func_load(dumped)(1) == 6


def test_list_helpers() -> None:
    arrays = [np.arange(6), None]
    assert generic_utils.slice_arrays(arrays, 1, 3)[0].tolist() == [1, 2]
    assert generic_utils.slice_arrays(arrays, [4, 0])[0].tolist() == [4, 0]
    assert generic_utils.slice_arrays(np.arange(6), 2).tolist() == [2, 3, 4, 5]
    assert generic_utils.transpose_shape((1, 2, 3, 4), "channels_first", (1, 2)) == (1, 4, 2, 3)
    assert generic_utils.to_list((1, 2)) == [(1, 2)] and generic_utils.to_list((1, 2), allow_tuple=True) == [1, 2]
    assert generic_utils.unpack_singleton([1]) == 1 and generic_utils.is_all_none([None, None])
    assert generic_utils.has_arg(lambda x, **kw: x, "y", accept_all=True)
    assert not generic_utils.has_arg(lambda x, **kw: x, "y")
    with pytest.raises(ValueError, match="Unknown entries in loss dictionary"):
        generic_utils.check_for_unexpected_keys("loss", {"a": 1}, ["b"])


def test_to_categorical() -> None:
    np.testing.assert_array_equal(to_categorical([0, 2]), [[1, 0, 0], [0, 0, 1]])
    assert to_categorical([[0], [1]]).shape == (2, 2)
    assert to_categorical(np.zeros((2, 3)), 4).shape == (2, 3, 4)
    assert to_categorical([1], 5, dtype="int8").dtype == np.int8


def test_normalize() -> None:
    np.testing.assert_allclose(normalize([[3.0, 4.0], [0.0, 0.0]]), [[0.6, 0.8], [0, 0]])
