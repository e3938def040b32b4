"""Losses against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgraph.keras import backend as K
from symgraph.keras import losses
from symgraph.keras.utils import losses_utils

pytestmark = pytest.mark.usefixtures("session")

EPS = 1e-7
RNG = np.random.default_rng(0)
TRUE = RNG.uniform(0.1, 1, (6, 5)).astype("float32")
PRED = RNG.uniform(0.1, 1, (6, 5)).astype("float32")
ONE_HOT = np.eye(5, dtype="float32")[RNG.integers(0, 5, 6)]
SIGNS = np.sign(RNG.normal(size=(6, 5))).astype("float32")


def cce(t: Any, p: Any) -> Any:
    p = p / p.sum(-1, keepdims=True)
    return -(t * np.log(np.clip(p, EPS, 1 - EPS))).sum(-1)


def unit(x: Any) -> Any:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


REFERENCES: dict[str, tuple[Any, Any]] = {
    "mean_squared_error": (TRUE, lambda t, p: ((t - p) ** 2).mean(-1)),
    "mean_absolute_error": (TRUE, lambda t, p: np.abs(t - p).mean(-1)),
    "mean_absolute_percentage_error": (TRUE, lambda t, p: 100 * np.abs((t - p) / t).mean(-1)),
    "mean_squared_logarithmic_error": (TRUE, lambda t, p: ((np.log1p(p) - np.log1p(t)) ** 2).mean(-1)),
    "squared_hinge": (SIGNS, lambda t, p: (np.maximum(1 - t * p, 0) ** 2).mean(-1)),
    "hinge": (SIGNS, lambda t, p: np.maximum(1 - t * p, 0).mean(-1)),
    "categorical_hinge": (
        ONE_HOT,
        lambda t, p: np.maximum(0, ((1 - t) * p).max(-1) - (t * p).sum(-1) + 1),
    ),
    "logcosh": (TRUE, lambda t, p: np.log(np.cosh(p - t)).mean(-1)),
    "huber_loss": (TRUE * 5, lambda t, p: np.where(np.abs(t - p) < 1, (t - p) ** 2 / 2, np.abs(t - p) - 0.5)),
    "categorical_crossentropy": (ONE_HOT, cce),
    "binary_crossentropy": (ONE_HOT, lambda t, p: -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(-1)),
    "kullback_leibler_divergence": (TRUE, lambda t, p: (t * np.log(t / p)).sum(-1)),
    "poisson": (TRUE, lambda t, p: (p - t * np.log(p + EPS)).mean(-1)),
    "cosine_proximity": (TRUE, lambda t, p: -(unit(t) * unit(p)).sum(-1)),
}


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_loss_function(name: str) -> None:
    labels, reference = REFERENCES[name]
    got = K.eval(losses.get(name)(K.constant(labels), K.constant(PRED)))
    np.testing.assert_allclose(got, reference(labels.astype("float64"), PRED.astype("float64")), rtol=1e-4, atol=1e-6)


def test_categorical_crossentropy_from_logits() -> None:
    logits = PRED * 50
    got = K.eval(losses.categorical_crossentropy(ONE_HOT, logits, from_logits=True))
    exact = np.log(np.exp(logits.astype("float64")).sum(-1)) - (ONE_HOT * logits).sum(-1)
    np.testing.assert_allclose(got, exact, rtol=1e-5, atol=1e-5)


def test_binary_crossentropy_from_logits() -> None:
    logits = (PRED - 0.5) * 40
    got = K.eval(losses.binary_crossentropy(ONE_HOT, logits, from_logits=True))
    x = logits.astype("float64")
    np.testing.assert_allclose(got, (np.logaddexp(0, x) - x * ONE_HOT).mean(-1), rtol=1e-5, atol=1e-6)


def test_crossentropies_clip_probabilities_of_zero_and_one() -> None:
    labels = np.array([[1.0, 0.0]], "float32")
    wrong = np.array([[0.0, 1.0]], "float32")
    assert K.eval(losses.categorical_crossentropy(labels, wrong)) == pytest.approx(-np.log(EPS), rel=1e-5)
    assert np.isfinite(K.eval(losses.binary_crossentropy(labels, wrong))).all()


@pytest.mark.parametrize("shape", [(6,), (6, 1)])
def test_sparse_categorical_crossentropy(shape: tuple[int, ...]) -> None:
    labels = ONE_HOT.argmax(-1).reshape(shape)
    got = K.eval(losses.sparse_categorical_crossentropy(labels, PRED))
    np.testing.assert_allclose(got, cce(ONE_HOT, PRED), rtol=1e-5)


def test_sparse_categorical_crossentropy_of_sequences_and_along_another_axis() -> None:
    p = RNG.uniform(0.1, 1, (2, 3, 4)).astype("float32")
    labels = RNG.integers(0, 4, (2, 3))
    expected = cce(np.eye(4)[labels], p)
    np.testing.assert_allclose(K.eval(losses.sparse_categorical_crossentropy(labels, p)), expected, rtol=1e-5)
    moved = np.ascontiguousarray(p.transpose(0, 2, 1))
    np.testing.assert_allclose(
        K.eval(losses.sparse_categorical_crossentropy(labels, moved, axis=1)), expected, rtol=1e-5
    )
    with pytest.raises(ValueError, match="Unexpected channels axis 5"):
        losses.sparse_categorical_crossentropy(labels, p, axis=5)


def test_label_smoothing() -> None:
    smooth = ONE_HOT * 0.9 + 0.1 / 5
    got = K.eval(losses.categorical_crossentropy(ONE_HOT, PRED, label_smoothing=0.1))
    np.testing.assert_allclose(got, cce(smooth, PRED), rtol=1e-5)
    got = K.eval(losses.binary_crossentropy(ONE_HOT, PRED, label_smoothing=0.1))
    t, p = ONE_HOT * 0.9 + 0.05, PRED.astype("float64")
    np.testing.assert_allclose(got, -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(-1), rtol=1e-4)


# -- classes and reductions --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("reduction", "reference"),
    [("sum_over_batch_size", np.mean), ("sum", np.sum), ("none", lambda x: x)],
)
def test_reductions(reduction: str, reference: Any) -> None:
    per_sample = ((TRUE - PRED) ** 2).mean(-1)
    loss = losses.MeanSquaredError(reduction=reduction)
    np.testing.assert_allclose(K.eval(loss(TRUE, PRED)), reference(per_sample), rtol=1e-5)
    weights = np.arange(6, dtype="float32")
    np.testing.assert_allclose(
        K.eval(loss(TRUE, PRED, sample_weight=weights)), reference(per_sample * weights), rtol=1e-5
    )
    column = K.eval(loss(TRUE, PRED, sample_weight=weights[:, None]))
    np.testing.assert_allclose(column, reference(per_sample * weights), rtol=1e-5)
    np.testing.assert_allclose(K.eval(loss(TRUE, PRED, sample_weight=2.0)), 2 * reference(per_sample), rtol=1e-5)


def test_weights_over_steps() -> None:
    true, pred = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 3, 4))
    per_step = ((true - pred) ** 2).mean(-1)
    weights = RNG.uniform(size=(2, 3))
    loss = losses.MeanSquaredError()
    assert K.eval(loss(true, pred, sample_weight=weights)) == pytest.approx((per_step * weights).mean(), rel=1e-5)
    by_sample = K.eval(loss(true, pred, sample_weight=weights[:, 0]))
    assert by_sample == pytest.approx((per_step * weights[:, :1]).mean(), rel=1e-5)


def test_weights_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="weights can not be broadcast to values"):
        losses.MeanSquaredError()(TRUE, PRED, sample_weight=np.ones(4, "float32"))


def test_invalid_reduction() -> None:
    with pytest.raises(ValueError, match="Invalid Reduction Key mean"):
        losses_utils.compute_weighted_loss(K.constant([1.0]), reduction="mean")


CLASSES = {
    "BinaryCrossentropy": {"from_logits": False, "label_smoothing": 0, "name": "binary_crossentropy"},
    "CategoricalCrossentropy": {"from_logits": False, "label_smoothing": 0, "name": "categorical_crossentropy"},
    "CategoricalHinge": {"name": "categorical_hinge"},
    "Hinge": {"name": "hinge"},
    "Huber": {"delta": 1.0, "name": "huber_loss"},
    "KLDivergence": {"name": "kullback_leibler_divergence"},
    "LogCosh": {"name": "logcosh"},
    "MeanAbsoluteError": {"name": "mean_absolute_error"},
    "MeanAbsolutePercentageError": {"name": "mean_absolute_percentage_error"},
    "MeanSquaredError": {"name": "mean_squared_error"},
    "MeanSquaredLogarithmicError": {"name": "mean_squared_logarithmic_error"},
    "Poisson": {"name": "poisson"},
    "SparseCategoricalCrossentropy": {"from_logits": False, "name": "sparse_categorical_crossentropy"},
    "SquaredHinge": {"name": "squared_hinge"},
}


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_loss_class_config(name: str) -> None:
    loss = getattr(losses, name)()
    assert loss.get_config() == {**CLASSES[name], "reduction": "sum_over_batch_size"}
    assert losses.deserialize(losses.serialize(loss)).get_config() == loss.get_config()
    assert isinstance(losses.get(name), type(loss))


def test_names() -> None:
    for short, full in {
        "mse": "mean_squared_error",
        "MAE": "mean_absolute_error",
        "kld": "kullback_leibler_divergence",
    }.items():
        assert losses.get(short) is getattr(losses, full)
    assert losses.get("cosine_similarity") is losses.cosine_proximity
    assert losses.get(None) is None
    assert losses.serialize(losses.mean_squared_error) == "mean_squared_error"
    assert losses.is_categorical_crossentropy("categorical_crossentropy")
    with pytest.raises(ValueError, match="Unknown loss function:nonsense"):
        losses.get("nonsense")
    with pytest.raises(ValueError, match="Could not interpret loss function identifier"):
        losses.get(3)


def test_base_class_asks_for_call() -> None:
    with pytest.raises(NotImplementedError, match="Must be implemented in subclasses"):
        losses.Loss()(TRUE, PRED)
